//! What an administrator wants to know before the first read: the key, the token, and each list by itself, so that the one
//! that fails is named.

use super::activity;
use super::api::Calls;
use super::fault::GoogleFault;
use super::lists;
use super::read::{Groups, Reader};
use crate::clock::Timestamp;
use crate::directories::doubled::doubled;
use crate::model::{Finding, Records, Rejected};
use crate::text::counted;

/// Asks for everything once, for the members of one group in place of all.
pub(super) async fn check(reader: &Reader, now: Timestamp) -> Vec<Finding> {
    let calls = reader.api.calls();
    if let Err(fault) = calls.login().await {
        let item = match fault {
            GoogleFault::Key(_) => "key",
            _ => "token",
        };
        return vec![finding(item, false, fault.to_string())];
    }
    let mut findings = vec![finding(
        "token",
        true,
        "Google gives a token for every scope".to_owned(),
    )];
    findings.extend(users(reader, &calls).await);
    match reader.groups(&calls).await {
        Ok(listed) => findings.extend(groups(reader, &calls, &listed).await),
        Err(error) => findings.push(finding("groups", false, error.to_string())),
    }
    if reader.activity {
        findings.push(match activity::since(&calls, now.0).await {
            Ok(_) => finding("activity", true, "the audit log can be read".to_owned()),
            Err(why) => finding("activity", false, why),
        });
    }
    findings
}

async fn users(reader: &Reader, calls: &Calls) -> Vec<Finding> {
    let people = match reader.people(calls).await {
        Ok(people) => people,
        Err(error) => return vec![finding("users", false, error.to_string())],
    };
    let records = people.builder.finish();
    let tally = records.tally();
    let count = counted(tally.users, "user");
    let mut findings = vec![finding("users", true, format!("{count} can be read"))];
    if tally.rejected > 0 {
        let count = counted(tally.rejected, "user");
        let text = format!(
            "{count} cannot be taken: the first is {}",
            first_rejected(&records)
        );
        findings.push(finding("users", false, text));
    }
    findings.extend(doubled(&records));
    findings
}

async fn groups(reader: &Reader, calls: &Calls, groups: &Groups) -> Vec<Finding> {
    let (chosen, unfit) = reader.scope.choose(&groups.all);
    let all = counted(groups.all.len() as u64, "group");
    let text = format!("{all} can be read, of which {} are in scope", chosen.len());
    let mut findings = vec![finding("groups", true, text)];
    findings.extend(unfit.into_iter().map(|pattern| {
        let text = format!("`{pattern}` fits the address of no group: correct it, or take it out");
        finding("groups", false, text)
    }));
    let Some(first) = chosen.first().map(|it| &groups.all[*it]) else {
        let text = "there is no group in scope whose members could be asked for";
        findings.push(finding("members", false, text.to_owned()));
        return findings;
    };
    findings.push(match lists::members(calls, &first.id).await {
        Ok(members) => {
            let count = counted(members.len() as u64, "member");
            let text = format!("{count} of the group {} can be read", first.email);
            finding("members", true, text)
        }
        Err(fault) => finding("members", false, fault.to_string()),
    });
    findings
}

/// The label of a record that was rejected, and why.
fn first_rejected(records: &Records) -> String {
    let first = records.rejected_once().next();
    let text = |it: &Rejected| format!("{}: {}", records.text(it.label), records.text(it.reason));
    first.map(text).unwrap_or_default()
}

fn finding(item: &str, good: bool, text: String) -> Finding {
    Finding {
        item: item.to_owned(),
        text,
        good,
    }
}
