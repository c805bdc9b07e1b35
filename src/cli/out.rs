//! Writing answers. A reader that closes its end early is no error; an answer that cannot be written is.

use std::io::{self, Write as _};

use crate::cli::Fault;
use crate::daemon::Exit;

/// Prints an answer to standard output.
///
/// # Errors
/// [`Fault`] when it cannot be written: the disk is full, say.
pub(crate) fn answer(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            let text = format!("the answer cannot be written to standard output: {cause}");
            Err(Fault::new(Exit::Failed, text))
        }
        _ => Ok(()),
    }
}

/// Prints JSON to standard output.
///
/// # Errors
/// As [`answer`].
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Fault> {
    answer(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Prints why a command could not do what was asked to standard error.
pub(crate) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "usersyncd: {text}");
}
