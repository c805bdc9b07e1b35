//! What an administrator wants to know before the first read: the key, the token, and each list by itself, so that the one
//! that fails is named.

use super::activity;
use super::api::Calls;
use super::fault::GoogleFault;
use super::lists;
use super::read::{Groups, Reader};
use crate::clock::Timestamp;
use crate::directories::doubled::doubled;
use crate::model::{Finding, Records, RecordsBuilder, Rejected};
use crate::text::counted;

/// Asks for everything once, for the members of one group in place of all. What was found so far stands in `findings` whenever
/// the future is dropped.
pub(super) async fn check(reader: &Reader, now: Timestamp, findings: &mut Vec<Finding>) {
    let calls = reader.api.calls();
    if let Err(fault) = calls.login().await {
        let item = match fault {
            GoogleFault::Key(_) => "key",
            _ => "token",
        };
        return findings.push(Finding::new(item, false, fault.to_string()));
    }
    let text = "Google gives a token for every scope";
    findings.push(Finding::new("token", true, text));
    match reader.people(&calls).await {
        Ok(people) => findings.extend(listed("users", &people.builder.finish())),
        Err(error) => findings.push(Finding::new("users", false, error.to_string())),
    }
    match reader.groups(&calls).await {
        Ok(listed) => groups(reader, &calls, &listed, findings).await,
        Err(error) => findings.push(Finding::new("groups", false, error.to_string())),
    }
    if reader.activity {
        findings.push(match activity::since(&calls, now.0).await {
            Ok(_) => Finding::new("activity", true, "the audit log can be read"),
            Err(why) => Finding::new("activity", false, why),
        });
    }
}

async fn groups(reader: &Reader, calls: &Calls, groups: &Groups, findings: &mut Vec<Finding>) {
    let (chosen, unfit) = reader.scope.choose(&groups.all);
    let mut builder = RecordsBuilder::default();
    for at in &chosen {
        reader.naming.add_group(&groups.all[*at], &mut builder);
    }
    findings.extend(listed("groups", &builder.finish()));
    findings.extend(unfit.into_iter().map(|pattern| {
        let text = format!("`{pattern}` fits the address of no group: correct it, or take it out");
        Finding::new("groups", false, text)
    }));
    let Some(first) = chosen.first().map(|it| &groups.all[*it]) else {
        let text = "there is no group in scope whose members could be asked for";
        return findings.push(Finding::new("members", false, text));
    };
    findings.push(match lists::members(calls, &first.id).await {
        Ok(members) => {
            let count = counted(members.len() as u64, "member");
            Finding::new("members", true, format!("{count} of one group can be read"))
        }
        Err(fault) => Finding::new("members", false, fault.to_string()),
    });
}

/// How many users or groups would be taken, and which would not.
fn listed(item: &str, records: &Records) -> Vec<Finding> {
    let tally = records.tally();
    let text = format!("{} {item} can be read", tally.users + tally.groups);
    let mut findings = vec![Finding::new(item, true, text)];
    if tally.rejected > 0 {
        let count = counted(tally.rejected, "record");
        let text = format!(
            "{count} cannot be taken: the first is {}",
            first_rejected(records)
        );
        findings.push(Finding::new(item, false, text));
    }
    findings.extend(doubled(records));
    findings
}

/// The label of a record that was rejected, and why.
fn first_rejected(records: &Records) -> String {
    let first = records.rejected_once().next();
    let text = |it: &Rejected| format!("{}: {}", records.text(it.label), records.text(it.reason));
    first.map(text).unwrap_or_default()
}
