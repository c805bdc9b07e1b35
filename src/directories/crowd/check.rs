//! What an administrator wants to know before the first read: can it be reached, may we log in, is what we need to be seen.
//!
//! Everything is read once as a read would do it, since limits and rights show only then. What is not good says what to do.

use super::read::{Complete, NOT_BY_KEY, Reader, finds_by_key};
use crate::client::crowd::{CrowdFault, Session};
use crate::directories::doubled::doubled;
use crate::model::Finding;

pub(super) async fn check(reader: &Reader) -> Vec<Finding> {
    let mut findings = Vec::new();
    let session = match reader.crowd.session() {
        Ok(session) => session,
        Err(fault) => return vec![Finding::new("login", false, fault.to_string())],
    };
    let target = &reader.target;
    match session.probe().await {
        Ok(()) => {
            findings.push(Finding::new("reach", true, format!("{target} answers")));
            findings.push(Finding::new(
                "login",
                true,
                "the application is let in".to_owned(),
            ));
        }
        Err(fault @ (CrowdFault::Password(_) | CrowdFault::Address(_))) => {
            findings.push(Finding::new("reach", true, format!("{target} answers")));
            findings.push(Finding::new("login", false, fault.to_string()));
            return findings;
        }
        // A server may lack this one call: what follows shows whether it is one.
        Err(CrowdFault::Refused { .. }) => {}
        Err(fault) => {
            findings.push(Finding::new("reach", false, fault.to_string()));
            return findings;
        }
    }
    findings.push(events(reader, &session).await);
    match reader.complete(&session).await {
        Ok(complete) => {
            findings.extend(records(&complete));
            findings.extend(by_key(&session, complete.a_key.as_deref()).await);
        }
        Err(error) => findings.push(Finding::new("records", false, error.to_string())),
    }
    findings
}

async fn events(reader: &Reader, session: &Session) -> Finding {
    let complete =
        |why: &str| Finding::new("changes", true, format!("{why}: every read is complete"));
    if !reader.incremental {
        return complete("not asked for (`incremental: false`)");
    }
    match session.event_token().await {
        Ok(Some(events)) if events.available == Some(true) && !events.token.is_empty() => {
            Finding::new(
                "changes",
                true,
                "the server tells what has changed".to_owned(),
            )
        }
        Ok(_) | Err(CrowdFault::Refused { .. } | CrowdFault::Unreadable(_)) => {
            complete("the server does not tell what has changed")
        }
        Err(fault) => Finding::new("changes", false, fault.to_string()),
    }
}

/// What is to be told of a server that does not find users by the keys that it shows.
async fn by_key(session: &Session, key: Option<&str>) -> Option<Finding> {
    match finds_by_key(session, key).await {
        Ok(true) => None,
        Ok(false) => Some(Finding::new(
            "key",
            false,
            format!(
                "{NOT_BY_KEY}: every read is complete, and no password can be tried; a newer release of the server may"
            ),
        )),
        Err(fault) => Some(Finding::new("key", false, fault.to_string())),
    }
}

fn records(complete: &Complete) -> Vec<Finding> {
    let Complete {
        records,
        notes,
        with_key,
        without_key,
        without_active,
        a_key: _,
    } = complete;
    let tally = records.tally();
    let some = |item: &str, count: u64, text: &str| {
        let hint = if count == 0 {
            ": may the application see all of its directories?"
        } else {
            ""
        };
        Finding::new(item, count > 0, format!("{count} {text}{hint}"))
    };
    let mut findings = vec![
        some("users", tally.users, "users can be read"),
        Finding::new(
            "groups",
            true,
            format!("{} groups can be read", tally.groups),
        ),
        Finding::new(
            "memberships",
            true,
            format!("{} memberships can be read", tally.memberships),
        ),
    ];
    let rejected = tally.rejected;
    if rejected > 0 {
        findings.push(Finding::new(
            "records",
            false,
            format!("{rejected} records make no sense"),
        ));
    }
    findings.push(match (with_key, without_key) {
        (_, 0) => Finding::new("key", true, "all users show a key, so that renames can be told".to_owned()),
        (_, without) => Finding::new(
            "key",
            false,
            format!(
                "{without} users show no key and are known by their names: whoever is renamed looks like somebody who \
                 leaves and somebody who comes"
            ),
        ),
    });
    if *without_active > 0 {
        findings.push(Finding::new(
            "active",
            false,
            format!("of {without_active} users the server does not say whether they are active: nothing is done to them"),
        ));
    }
    findings.extend(
        notes
            .iter()
            .map(|it| Finding::new("notes", true, it.clone())),
    );
    findings.extend(doubled(records));
    findings
}
