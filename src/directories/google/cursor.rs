//! What the next read needs to know of this one.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// When what was asked, and under which options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    /// What decides which records are read and what stands in them.
    pub basis: String,
    /// When the last read began that asked for the members of every group, in seconds since the epoch.
    pub members_at: i64,
    /// When the last read began, in seconds since the epoch: what happened before it was seen by it.
    pub read_at: i64,
}

impl Cursor {
    /// Reads what [`Cursor::write`] wrote under the same basis; anything else is none.
    pub(super) fn read(text: &str, basis: &str) -> Option<Cursor> {
        let cursor: Cursor = serde_json::from_str(text).ok()?;
        (cursor.basis == basis).then_some(cursor)
    }

    /// The cursor as text.
    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Whether the members of every group must be asked for again at this moment, if they are to be `every` so many seconds. A
    /// clock that went back says nothing, so they are.
    pub(super) fn is_due(&self, now: Timestamp, every: i64) -> bool {
        let age = now.0.saturating_sub(self.members_at);
        !(0..every).contains(&age) || now.0 < self.read_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_under_its_own_basis_and_for_its_time() {
        let cursor = Cursor {
            basis: "here".to_owned(),
            members_at: 100,
            read_at: 130,
        };
        let text = cursor.write().unwrap();
        assert_eq!(Cursor::read(&text, "here"), Some(cursor.clone()));
        assert_eq!(Cursor::read(&text, "there"), None);
        assert_eq!(Cursor::read("{}", "here"), None);
        for (now, every, expect) in [
            (130, 0, true),
            (130, 60, false),
            (129, 60, true),
            (159, 60, false),
            (160, 60, true),
            (99, 60, true),
        ] {
            assert_eq!(
                cursor.is_due(Timestamp(now), every),
                expect,
                "{now} {every}"
            );
        }
    }
}
