//! Places where a test may stop the process dead, to prove that every step of the journal can be the last.
//!
//! Compiled only with the feature `failpoints`, which no released binary has.

/// Ends the process as `kill -9` would when the environment names this place in `USERSYNCD_FAILPOINT`.
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: &str) {
    if std::env::var("USERSYNCD_FAILPOINT").is_ok_and(|it| it == place) {
        std::process::abort();
    }
}

/// Nothing, in every released binary.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: &str) {}
