//! Options of applications that contradict one another.

use std::collections::BTreeMap;

use super::super::application::{AdoptBy, ApplicationEntry, Memberships, NestedGroups, OnLeave};
use super::super::connectors;
use super::super::names::Name;
use super::super::spot::{Report, Spot};
use super::super::values::TrustMail;
use super::Draft;

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    for (application, spot) in &draft.applications {
        check_choice(application, spot, report);
        check_nesting(application, spot, report);
        check_people(application, spot, draft, report);
        check_mail(application, spot, draft, report);
        check_leaving(application, spot, report);
    }
}

fn check_choice(application: &ApplicationEntry, spot: &Spot<'_>, report: &mut Report) {
    let kinds = spot.key("kinds");
    if application.kinds.is_empty() && kinds.is_whole() {
        report.error(
            &kinds,
            "nobody would be taken",
            Some("write `kinds: [person]`, or leave it out"),
        );
    }
    let renamed = application.groups.rename.iter().map(|(from, _)| from);
    report_twins(renamed, &spot.key("groups").key("rename"), report);
}

fn check_nesting(application: &ApplicationEntry, spot: &Spot<'_>, report: &mut Report) {
    if application.nested_groups != NestedGroups::Keep {
        return;
    }
    let nested = spot.key("nested_groups");
    if application.memberships() != Memberships::Aggregate && spot.key("memberships").is_whole() {
        let what = "`keep` needs `memberships: aggregate`, since a group in a group belongs to no one directory";
        let hint = "write `memberships: aggregate` beside it, or `nested_groups: flatten`";
        report.error(&nested, what, Some(hint));
    }
    if !connectors::can_nest(application) {
        let hint = "write `nested_groups: flatten`";
        report.error(
            &nested,
            "groups cannot be put into groups there",
            Some(hint),
        );
    }
}

fn check_people(
    application: &ApplicationEntry,
    spot: &Spot<'_>,
    draft: &Draft<'_, '_>,
    report: &mut Report,
) {
    let people = spot.key("people");
    report_twins(
        application.people.iter().map(|(name, _)| name),
        &people,
        report,
    );
    let mut owners = BTreeMap::new();
    for ((owner, records), (key, at)) in application.people.iter().zip(people.keys()) {
        let items = people.key(key);
        if records.is_empty() && items.is_whole() {
            report.error(
                &at,
                "no record is named",
                Some("write `[USERNAME@DIRECTORY, …]`"),
            );
        }
        for (record, item) in records.iter().zip(items.items()) {
            let directory = &record.directory;
            let known = draft.check_directory_name(directory.as_str(), &item, report);
            if known && !application.directories.contains(directory) {
                report.error(
                    &item,
                    format!("the application does not list `{directory}`"),
                    None,
                );
            }
            if let Some(other) = owners.insert(record, owner) {
                let what = format!("`{record}` is `{}` already", other.spelled);
                report.error(&item, what, Some("a record is one person"));
            }
        }
    }
}

fn check_mail(
    application: &ApplicationEntry,
    spot: &Spot<'_>,
    draft: &Draft<'_, '_>,
    report: &mut Report,
) {
    let trusted = draft.directories.iter().filter(|(it, spot)| {
        let trusted = it.trust_mail != TrustMail::No || !spot.key("trust_mail").is_whole();
        trusted && application.directories.contains(&it.name)
    });
    if application.link_by_email && trusted.count() < 2 {
        let what = "it ties nobody: fewer than two of its directories have `trust_mail`";
        let hint = "write `trust_mail: true`, or a list of domains, at the directories whose mail addresses you trust";
        report.warning(&spot.key("link_by_email"), what, Some(hint));
    }
    let by = |it| application.adopt.contains(&it);
    if by(AdoptBy::Mail) && !by(AdoptBy::Username) && spot.key("adopt").is_whole() {
        let what = "accounts are looked for by mail only after they were by username";
        report.error(
            &spot.key("adopt"),
            what,
            Some("write `[username, mail]`, `[username]` or `[]`"),
        );
    }
}

fn check_leaving(application: &ApplicationEntry, spot: &Spot<'_>, report: &mut Report) {
    if application.on_leave == OnLeave::Keep && application.delete_after.is_some() {
        let what = "it never begins to count, since `on_leave: keep` leaves accounts as they are";
        report.warning(&spot.key("delete_after"), what, None);
    }
}

/// Reports keys of a mapping that are one name in two spellings.
fn report_twins<'a>(
    names: impl Iterator<Item = &'a Name>,
    mapping: &Spot<'_>,
    report: &mut Report,
) {
    let mut seen = BTreeMap::new();
    for (name, (_, at)) in names.zip(mapping.keys()) {
        if let Some(first) = seen.insert(name, &name.spelled) {
            let what = format!("it is the same name as `{first}`");
            report.error(&at, what, Some("put both into one"));
        }
    }
}
