//! Places where a test may stop the process dead, to prove that every step of the journal can be the last.
//!
//! Compiled only with the feature `failpoints`, which no released binary has. `USERSYNCD_FAILPOINT` names a place, or
//! `PLACE:3` the third time that it is reached.

/// Ends the process as `kill -9` would when the environment names this place.
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static TIMES: AtomicU32 = AtomicU32::new(0);

    let Ok(named) = std::env::var("USERSYNCD_FAILPOINT") else {
        return;
    };
    let (name, nth) = named.split_once(':').unwrap_or((&named, "1"));
    if name == place && nth.parse() == Ok(TIMES.fetch_add(1, Ordering::Relaxed) + 1) {
        std::process::abort();
    }
}

/// Nothing, in every released binary.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: &str) {}
