//! Which groups the audit log names: a hint about whose members to ask for again, and never a record.
//!
//! Events come late, and some never. So the log is asked from half an hour before the last read, every text in an event that
//! names a group counts whatever the event says, and where the log cannot be had the members of all groups are asked for.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat};

use super::api::Calls;
use super::lists;
use crate::clock::Timestamp;
use crate::text;
use crate::wire::google::Group;

/// The parts of the log that tell of groups: what administrators did, and what was done to groups.
const APPLICATIONS: [&str; 2] = ["admin", "groups_enterprise"];
/// How late an event may come, in seconds.
const LATE_MAX: i64 = 30 * 60;

/// What has moved since the last read: every text that an event held, folded.
#[derive(Debug, Default)]
pub(super) struct Moved(BTreeSet<String>);

impl Moved {
    /// Whether an event named this group.
    pub(super) fn names(&self, group: &Group) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let names = [&group.id, &group.email].into_iter().chain(&group.aliases);
        names.into_iter().any(|it| self.0.contains(&text::fold(it)))
    }
}

/// Asks what happened since the last read.
///
/// # Errors
/// Why it cannot be said, for a note.
pub(super) async fn since(calls: &Calls, read_at: i64) -> Result<Moved, String> {
    let from = rfc3339(Timestamp(read_at.saturating_sub(LATE_MAX)));
    let mut texts = BTreeSet::new();
    for application in APPLICATIONS {
        let events = lists::activities(calls, application, &from).await;
        let events = events.map_err(|it| it.to_string())?;
        let all = events.iter().flat_map(|it| &it.texts);
        texts.extend(all.map(|it| text::fold(it)));
    }
    Ok(Moved(texts))
}

fn rfc3339(at: Timestamp) -> String {
    let date = DateTime::from_timestamp(at.0.max(0), 0).unwrap_or_default();
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_moved_if_an_event_names_it_in_any_way() {
        let moved = Moved(
            ["01g", "eng@x.example", "old@x.example"]
                .map(str::to_owned)
                .into(),
        );
        let check = |id: &str, email: &str, alias: &str, expect: bool| {
            let group = Group {
                id: id.to_owned(),
                email: email.to_owned(),
                aliases: vec![alias.to_owned()],
                ..Group::default()
            };
            assert_eq!(moved.names(&group), expect, "{group:?}");
            assert!(!Moved::default().names(&group));
        };
        check("01G", "a@x.example", "", true);
        check("2", "Eng@X.example", "", true);
        check("2", "a@x.example", "old@x.example", true);
        check("2", "a@x.example", "", false);
    }

    #[test]
    fn a_moment_is_written_as_google_reads_it() {
        assert_eq!(rfc3339(Timestamp(784_111_777)), "1994-11-06T08:49:37.000Z");
        assert_eq!(rfc3339(Timestamp(-5)), "1970-01-01T00:00:00.000Z");
    }
}
