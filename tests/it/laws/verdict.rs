//! How a law fails.

/// A law that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    /// The law's name.
    pub(crate) law: &'static str,
    /// What was found.
    pub(crate) text: String,
}

/// A law holds, or says how it does not.
pub(crate) fn ensure(
    law: &'static str,
    holds: bool,
    text: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if holds {
        return Ok(());
    }
    Err(Broken { law, text: text() })
}
