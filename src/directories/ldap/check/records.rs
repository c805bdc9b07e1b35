//! What is to be seen: how many entries, with what they need to be taken.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::{Finding, Query, Reader, Session, bad, good};
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::directories::doubled::doubled;
use crate::directories::ldap::changes::stamps::Stamps;
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::ranges;
use crate::directories::ldap::read::with;
use crate::model::{RecordKind, Records, Status};
use crate::text::counted;
use crate::wire::ldap::gather::{Attributes as _, Gatherer, Oddities};
use crate::wire::ldap::mapping::Mapping;

/// How many rejected records are shown with their reasons.
const REASONS_SHOWN: usize = 3;
/// How many usernames are shown.
const SAMPLES: usize = 3;

/// Everything that is read for the check.
pub(super) struct Survey<'a> {
    reader: &'a Reader,
    gatherer: Mutex<Gatherer<'a>>,
    users: Seen,
    groups: Seen,
    stamps: Stamps,
    /// Something could not be read in full, so that there is nothing to be counted.
    failed: bool,
}

/// How many entries there were and what they showed.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    entries: u64,
    with_id: u64,
    with_status: u64,
}

impl<'a> Survey<'a> {
    pub(super) fn new(reader: &'a Reader, stamps: Stamps, now: Timestamp) -> Self {
        Survey {
            reader,
            gatherer: Mutex::new(reader.gatherer(now)),
            users: Seen::default(),
            groups: Seen::default(),
            stamps,
            failed: false,
        }
    }

    /// Reads what answers a query.
    pub(super) async fn read(
        &mut self,
        session: &mut Session,
        item: &'static str,
        query: &Query,
    ) -> Finding {
        let Reader {
            mapping, limits, ..
        } = self.reader;
        let users = item == "users";
        let (seen, ids) = if users {
            (&mut self.users, &mapping.users.id)
        } else {
            (&mut self.groups, &mapping.groups.id)
        };
        let (gatherer, stamps) = (&self.gatherer, &self.stamps);
        let has =
            |entry: &Entry<'_>, name: &str| entry.attribute(&name.to_ascii_lowercase()).is_some();
        let take = |entry: &Entry<'_>| {
            seen.entries += 1;
            stamps.take(entry);
            seen.with_id += u64::from(ids.iter().any(|it| has(entry, it)));
            seen.with_status += u64::from(mapping.status_attributes().any(|it| has(entry, it)));
            // By its name: whoever looks at this looks for the entry.
            let label = String::from_utf8_lossy(entry.dn());
            with(gatherer, |it| {
                if users {
                    it.user(entry, &label);
                } else {
                    it.group(entry, &label);
                }
            });
        };
        match session.search(&stamps.asked(query), limits, take).await {
            Ok(answered) => found(item, &query.filter, answered.entries),
            Err(failure) => {
                self.failed = true;
                bad(item, &failure)
            }
        }
    }

    /// Fetches what is missing of groups that came in part.
    pub(super) async fn complete(&self, session: &mut Session) -> Result<(), ReadError> {
        ranges::complete(session, &self.reader.limits, &self.gatherer).await
    }

    /// Whether changes of everything that was seen are told.
    ///
    /// # Errors
    /// Why they are not.
    pub(super) fn stamps(&self) -> Result<(), String> {
        self.stamps.result()
    }

    /// What the whole of it shows.
    pub(super) fn findings(self) -> Vec<Finding> {
        let Survey {
            reader,
            gatherer,
            users,
            groups,
            stamps: _,
            failed,
        } = self;
        if failed {
            return Vec::new();
        }
        let Reader { mapping, .. } = reader;
        let gatherer = gatherer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let oddities = gatherer.oddities();
        let records = gatherer.finish();
        let mut findings = Vec::new();
        if users.entries > 0 {
            findings.push(carried("users ids", mapping.users.id.iter().next(), users));
            findings.push(statuses(mapping, users, &oddities));
            findings.push(people(&records));
        }
        if groups.entries > 0 {
            findings.push(carried(
                "groups ids",
                mapping.groups.id.iter().next(),
                groups,
            ));
            findings.push(members(&records, &oddities));
        }
        findings.extend(doubled(&records));
        findings.extend(rejected(&records));
        findings
    }
}

/// Whether anything was seen at all.
fn found(item: &str, filter: &str, entries: u64) -> Finding {
    let text = if entries == 0 {
        format!(
            "no entry answers `{filter}`: check `filter` (servers take an attribute that they do not know for one that nobody \
             has), and that this login may read the entries (servers hide what it may not)"
        )
    } else {
        format!("{} for `{filter}`", counted(entries, "entry"))
    };
    Finding {
        item: item.to_owned(),
        text,
        good: entries > 0,
    }
}

/// Whether each of the entries carries a stable id.
fn carried(item: &str, id: Option<&str>, seen: Seen) -> Finding {
    let id = id.unwrap_or_default();
    let without = seen.entries - seen.with_id;
    let text = if without == 0 {
        format!("each carries `{id}`")
    } else {
        format!(
            "{without} of {} carry no `{id}`: let this login read it, or name another `id` attribute",
            seen.entries
        )
    };
    Finding {
        item: item.to_owned(),
        text,
        good: without == 0,
    }
}

/// Whether the attributes that say who is active are to be seen.
fn statuses(mapping: &Mapping, seen: Seen, oddities: &Oddities) -> Finding {
    let names: Vec<&str> = mapping.status_attributes().collect();
    let names = names.join("`, `");
    let Seen {
        entries,
        with_status,
        ..
    } = seen;
    let unknown = oddities.unread_statuses;
    let text = if unknown > 0 {
        format!(
            "{unknown} of {entries} do not show whether they are active: let this login read `{names}`, or say with `users: {{ \
             active: … }}` what does"
        )
    } else if with_status == 0 {
        format!(
            "nobody shows `{names}`, so all are active: either nobody is switched off, or this login may not read it; switch a \
             user off and look again"
        )
    } else {
        format!("{with_status} of {entries} show `{names}`")
    };
    Finding {
        item: "users status".to_owned(),
        text,
        good: unknown == 0,
    }
}

/// How many users there are, and three of them by name alone.
fn people(records: &Records) -> Finding {
    let inactive = records.users.iter();
    let inactive = inactive.filter(|it| it.status == Status::Inactive).count();
    let mut names: Vec<&str> = records
        .users
        .iter()
        .map(|it| records.text(it.username))
        .collect();
    names.sort_unstable();
    names.truncate(SAMPLES);
    let mut text = format!(
        "{}, {inactive} of them inactive",
        counted(records.users.len() as u64, "user")
    );
    if !names.is_empty() {
        let _ = write!(text, "; for example `{}`", names.join("`, `"));
    }
    good("read", text)
}

/// How many memberships there are, and how many lead nowhere.
fn members(records: &Records, oddities: &Oddities) -> Finding {
    let tally = records.tally();
    let mut text = format!(
        "{}, {}",
        counted(tally.groups, "group"),
        counted(tally.memberships, "membership")
    );
    if tally.references > 0 {
        let _ = write!(
            text,
            "; {} outside of the bases, or gone",
            counted(tally.references, "member")
        );
    }
    let unread = oddities.unread_members;
    if unread > 0 {
        let _ = write!(
            text,
            "; {} could not be read, so that their groups take no membership away: look at the group's values",
            counted(unread, "member")
        );
    }
    Finding {
        item: "read".to_owned(),
        text,
        good: unread == 0,
    }
}

/// The first records that would be rejected.
fn rejected(records: &Records) -> Vec<Finding> {
    let shown = records.rejected_once().take(REASONS_SHOWN).map(|it| {
        let item = match it.what {
            RecordKind::User => "users",
            RecordKind::Group => "groups",
        };
        let (label, reason) = (records.text(it.label), records.text(it.reason));
        Finding {
            item: item.to_owned(),
            text: format!("`{label}` would be rejected: {reason}"),
            good: false,
        }
    });
    let mut findings: Vec<Finding> = shown.collect();
    let more = records.rejected_once().skip(REASONS_SHOWN).count() as u64;
    if more > 0 {
        findings.push(Finding {
            item: "read".to_owned(),
            text: format!("and {} more would be rejected", counted(more, "record")),
            good: false,
        });
    }
    findings
}
