//! What an administrator wants to know before the first read: can it be reached, may we log in, is anything to be seen.

use std::fmt::Write as _;

use ldap3::Scope;

use super::api::{Answered, Query, Session};
use super::convert::Entry;
use super::read::Reader;
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::directories::doubled::doubled;
use crate::model::Finding;
use crate::text::counted;
use crate::wire::ldap::gather::{Attributes as _, Gatherer};
use crate::wire::ldap::mapping::Mapping;

/// How many rejected records are shown with their reasons.
const REASONS_SHOWN: usize = 3;

/// Asks every server, then reads the bases and the first page of users and of groups from the first that answers.
pub(super) async fn check(reader: &Reader, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut session = None;
    for url in &reader.urls {
        match Session::open(url, reader.tls.as_ref(), reader.timeout).await {
            Ok(opened) => {
                findings.push(good("reach", format!("{url} answers")));
                session.get_or_insert(opened);
            }
            Err(failure) => findings.push(bad("reach", &failure)),
        }
    }
    let Some(mut session) = session else {
        return findings;
    };
    let whom = match &reader.login {
        Some(login) => format!("logged in as `{}`", login.dn),
        None => "nobody logs in (no `bind`): only what is public is seen".to_owned(),
    };
    match reader.log_in(&mut session).await {
        Ok(()) => findings.push(good("bind", whom)),
        Err(failure) => {
            findings.push(bad("bind", &failure));
            return findings;
        }
    }
    let users = reader.users.iter().map(|it| ("users", it));
    let groups = reader.groups.iter().map(|it| ("groups", it));
    for (item, query) in users.chain(groups) {
        let base = base(&mut session, &format!("{item} base"), query, reader).await;
        let readable = base.good;
        findings.push(base);
        if readable {
            findings.extend(records(&mut session, item, query, reader, now).await);
        }
    }
    session.close().await;
    findings
}

/// Whether the base itself can be read.
async fn base(session: &mut Session, item: &str, query: &Query, reader: &Reader) -> Finding {
    let itself = Query {
        scope: Scope::Base,
        filter: "(objectClass=*)".to_owned(),
        // RFC 4511, section 4.5.1.8: no attributes.
        attributes: vec!["1.1".to_owned()],
        ..query.clone()
    };
    match session.search(&itself, &reader.limits, |_| {}).await {
        Ok(answered) if answered.entries == 0 => Finding {
            item: item.to_owned(),
            text: format!(
                "`{}` is hidden from this login: give it the right to read",
                query.base
            ),
            good: false,
        },
        Ok(_) => good(item, format!("`{}` can be read", query.base)),
        Err(failure) => {
            let mut finding = bad(item, &failure);
            // Whoever hides that is no worse a server.
            let held = session.root().await.unwrap_or_default().naming_contexts;
            if !held.is_empty() {
                let _ = write!(finding.text, "; the server holds `{}`", held.join("`, `"));
            }
            finding
        }
    }
}

/// What the first page holds, and what of it would be rejected.
async fn records(
    session: &mut Session,
    item: &str,
    query: &Query,
    reader: &Reader,
    now: Timestamp,
) -> Vec<Finding> {
    let users = item == "users";
    let Mapping {
        users: of_users,
        groups: of_groups,
        ..
    } = &reader.mapping;
    let ids = if users { &of_users.id } else { &of_groups.id };
    let mut gatherer = Gatherer::new(&reader.mapping, &reader.extra, now).requiring_ids();
    let mut with_id = 0_u64;
    let take = |entry: &Entry<'_>| {
        with_id += u64::from(ids.iter().any(|it| entry.values(it).next().is_some()));
        let label = String::from_utf8_lossy(entry.dn());
        if users {
            gatherer.user(entry, &label);
        } else {
            gatherer.group(entry, &label);
        }
    };
    let answered = match session.first_page(query, &reader.limits, take).await {
        Ok(answered) => answered,
        Err(failure) => return vec![bad(item, &failure)],
    };
    let mut findings = vec![seen(item, &query.filter, answered)];
    if answered.entries > 0 {
        let id = ids.iter().next().unwrap_or_default();
        findings.push(carried(item, id, with_id, answered.entries));
    }
    let records = gatherer.finish();
    findings.extend(doubled(&records));
    for rejected in records.rejected_once().take(REASONS_SHOWN) {
        let (label, reason) = (records.text(rejected.label), records.text(rejected.reason));
        findings.push(Finding {
            item: item.to_owned(),
            text: format!("`{label}` would be rejected: {reason}"),
            good: false,
        });
    }
    findings
}

/// Whether anything was seen at all.
fn seen(item: &str, filter: &str, answered: Answered) -> Finding {
    let Answered { entries, more, .. } = answered;
    let text = if entries == 0 {
        format!(
            "no entry answers `{filter}`: check `filter`, and that this login may read the entries (servers hide what it \
             may not)"
        )
    } else {
        let more = if more { ", more follow" } else { "" };
        format!("{} for `{filter}`{more}", counted(entries, "entry"))
    };
    Finding {
        item: item.to_owned(),
        text,
        good: entries > 0,
    }
}

/// Whether each of the entries carries a stable id.
fn carried(item: &str, id: &str, with_id: u64, entries: u64) -> Finding {
    let without = entries - with_id;
    let text = if without == 0 {
        format!("each carries `{id}`")
    } else {
        format!(
            "{without} of {entries} carry no `{id}`: let this login read it, or name another `id` attribute"
        )
    };
    Finding {
        item: format!("{item} ids"),
        text,
        good: without == 0,
    }
}

fn good(item: &str, text: String) -> Finding {
    Finding {
        item: item.to_owned(),
        text,
        good: true,
    }
}

fn bad(item: &str, failure: &ReadError) -> Finding {
    Finding {
        item: item.to_owned(),
        text: failure.to_string(),
        good: false,
    }
}
