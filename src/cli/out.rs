//! Writing answers. A reader that closes its end early is no error.

use std::io::Write as _;

/// Prints an answer to standard output.
pub(crate) fn answer(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints JSON to standard output.
pub(crate) fn json(value: &serde_json::Value) {
    answer(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Prints why a command could not do what was asked to standard error.
pub(crate) fn complain(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "usersyncd: {text}");
}
