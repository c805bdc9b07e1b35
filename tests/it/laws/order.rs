//! *order*: the order in which a directory answers changes neither roster nor plan nor text.

use usersyncd::model::{Records, Roster};
use usersyncd::reconcile::{self, show};

use super::push::Case;
use super::verdict::{Broken, ensure};

/// The same plan comes out of shuffled records.
pub(crate) fn order(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    if case.how % 4 != 1 {
        return Ok(());
    }
    let sources = case.town.sources.iter();
    let shuffled: Vec<Option<Records>> = sources
        .map(|it| {
            let accepted = it.accepted.as_ref()?;
            Some(accepted.raw.records(u64::from(case.how) + 7))
        })
        .collect();
    let records: Vec<Option<&Records>> = shuffled.iter().map(Option::as_ref).collect();
    let holding = case.context.holding();
    let world = case.town.world(&records, holding, case.memory);
    let (context, plan) = reconcile::plan(&world);
    let view = context.view(&plan);
    let (here, there) = (case.plan_text(), show(view));
    ensure("order", here == there, || {
        format!("{here}shuffled:\n{there}")
    })?;
    let (here, there) = (facts(case.context.roster()), facts(context.roster()));
    ensure("order", here == there, || {
        let only = |one: &[String], other: &[String]| {
            let only = one.iter().filter(|it| !other.contains(it));
            only.cloned().collect::<Vec<_>>().join("\n")
        };
        let (mine, other) = (only(&here, &there), only(&there, &here));
        format!("{mine}\nshuffled:\n{other}")
    })
}

/// A roster by names and ids.
fn facts(roster: &Roster<'_>) -> Vec<String> {
    let users = 0..roster.users.len() as u32;
    let users = users.map(|user| {
        let groups = roster.member_of.row(user as usize).iter();
        let groups: Vec<&str> = groups
            .map(|it| roster.groups[*it as usize].name.as_str())
            .collect();
        let it = &roster.users[user as usize];
        let rest = (it.kind, it.tied, it.keeps_memberships);
        format!("{:?} {groups:?} {rest:?}", roster.account(user))
    });
    let groups = 0..roster.groups.len() as u32;
    let groups = groups.map(|group| {
        let children: Vec<&str> = roster
            .children
            .pairs()
            .filter(|it| it.0 == group)
            .map(|it| roster.groups[it.1 as usize].name.as_str())
            .collect();
        let uncertain = roster.groups[group as usize].uncertain;
        format!("{:?} {children:?} {uncertain}", roster.group(group))
    });
    users.chain(groups).collect()
}
