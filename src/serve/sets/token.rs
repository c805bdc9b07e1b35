//! What an event token looks like: the digest of what was served, the run that gave it out, and a number.
//!
//! Within a run the number decides. A set may come back to what it was before, and a client that took its token before and read
//! its lists in between must hear of what came back, though the digest is the same. After a restart the digest has to do: what
//! was served before it and is served again has the same one, so clients need not read everything anew.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// One run of the daemon: it gives out tokens and knows its own.
#[derive(Debug)]
pub(super) struct Run {
    /// Differs from run to run.
    id: String,
    given: AtomicU64,
}

impl Default for Run {
    fn default() -> Self {
        // The standard library seeds its hash tables from the system's random numbers. Two runs need only differ, nothing here
        // is a secret.
        let id = RandomState::new().hash_one(0);
        Run {
            id: format!("{id:016x}"),
            given: AtomicU64::default(),
        }
    }
}

impl Run {
    /// Another token for a content of that digest.
    pub(super) fn token(&self, digest: &str) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{digest}-{}-{number}", self.id)
    }

    /// The digest that a token of another run stands for; `None` for one of this run, and for what is none.
    pub(super) fn left<'a>(&self, token: &'a str) -> Option<&'a str> {
        let mut parts = token.split('-');
        let digest = parts.next()?;
        let run = parts.next()?;
        (run != self.id).then_some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_knows_its_own_tokens_from_those_of_others() {
        let (one, other) = (Run::default(), Run::default());
        let token = one.token("abc");
        assert_eq!(one.left(&token), None);
        assert_eq!(other.left(&token), Some("abc"));
        assert_ne!(one.token("abc"), token);
        assert_eq!(one.left("abc"), None);
    }
}
