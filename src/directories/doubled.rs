//! What the check of every connector shows of records that share a name.

use std::collections::BTreeMap;

use crate::model::{Finding, Records, StrId};

/// How many shared names are shown.
const SHOWN_MAX: usize = 5;

/// A finding for each name that several users, or several groups, of a directory bear under ids of their own. A pass takes
/// neither of them, but for the one that something is linked to already.
pub(super) fn doubled(records: &Records) -> Vec<Finding> {
    let users = records.users.iter().map(|it| (it.key, it.id));
    let groups = records.groups.iter().map(|it| (it.key, it.id));
    let mut findings = shared(records, "users", users);
    findings.extend(shared(records, "groups", groups));
    findings
}

fn shared(
    records: &Records,
    item: &str,
    named: impl Iterator<Item = (StrId, StrId)>,
) -> Vec<Finding> {
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, id) in named {
        ids.entry(records.text(key))
            .or_default()
            .push(records.text(id));
    }
    let shared = ids.iter().filter(|it| it.1.len() > 1).take(SHOWN_MAX);
    let finding = |(key, ids): (&&str, &Vec<&str>)| Finding {
        item: item.to_owned(),
        text: format!(
            "{} records bear the name `{key}`, with the ids `{}`: nobody can say which is meant; leave one, or rename the others",
            ids.len(),
            ids.join("`, `")
        ),
        good: false,
    };
    shared.map(finding).collect()
}
