//! What a connector finds when it is asked whether it could work.

/// One line of `check --connect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked: `reach`, `bind`, `users`.
    pub item: String,
    /// What was found, or what is wrong and what to do.
    pub text: String,
    /// Whether it is as it should be.
    pub good: bool,
}

impl Finding {
    /// What was asked, whether it is as it should be, and what was found.
    pub fn new(item: &str, good: bool, text: impl Into<String>) -> Finding {
        Finding {
            item: item.to_owned(),
            text: text.into(),
            good,
        }
    }
}
