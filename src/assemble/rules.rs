//! What a user wrote, as the rules that the core follows.

use crate::config::{
    AdoptBy, ApplicationEntry, Config, DirectoryEntry, DirectoryType, FirstPass, Kind, KindRule,
    Memberships, NestedGroups, OnLeave, TrustMail,
};
use crate::model;
use crate::reconcile::rules::{self, ApplicationRules, DirectoryRules, Limits, Seats};

/// The rules of a directory.
pub(super) fn of_directory(entry: &DirectoryEntry) -> DirectoryRules {
    let classify = &entry.classify;
    let written = [
        (model::Kind::Person, &classify.person),
        (model::Kind::Service, &classify.service),
        (model::Kind::Customer, &classify.customer),
    ];
    let says_something = |it: &KindRule| {
        !(it.users.is_empty() && it.groups.is_empty() && it.attribute.is_empty()) || it.no_group
    };
    let rule = |it: &KindRule| rules::KindRule {
        users: it.users.globs().clone(),
        groups: it.groups.globs().clone(),
        attributes: it.attribute.clone().into_iter().collect(),
        no_group: it.no_group,
    };
    DirectoryRules {
        classify: written
            .into_iter()
            .filter(|it| says_something(it.1))
            .map(|(kind, written)| (kind, rule(written)))
            .collect(),
        skip_users: entry.users.skip.globs().clone(),
        include_groups: entry.groups.include.globs().clone(),
        exclude_groups: entry.groups.exclude.globs().clone(),
        may_fill: entry.groups.may_fill.globs().clone(),
        trust_mail: match &entry.trust_mail {
            TrustMail::No => rules::TrustMail::Never,
            TrustMail::Yes => rules::TrustMail::Always,
            TrustMail::Domains(domains) => rules::TrustMail::Domains(domains.clone()),
        },
        person_key: entry.person_key.clone(),
        // Google's mail address is the primary address, which the next user of that name gets.
        mail_is_name: matches!(entry.connector(), Some(DirectoryType::Google(_))),
        authoritative: entry.authoritative,
    }
}

/// The rules of an application.
pub(super) fn of_application(config: &Config, entry: &ApplicationEntry) -> ApplicationRules {
    let id_of = |name: &crate::config::EntryName| {
        config.directory(name).map_or_else(
            || name.as_str().to_owned(),
            |it| it.id().as_str().to_owned(),
        )
    };
    let people = entry.people.iter().map(|(name, others)| {
        let others = others
            .iter()
            .map(|it| (it.user.key.clone(), id_of(&it.directory)));
        (name.key.clone(), others.collect())
    });
    let rename = entry.groups.rename.iter();
    ApplicationRules {
        memberships: match entry.memberships() {
            Memberships::First => rules::Memberships::First,
            Memberships::Aggregate => rules::Memberships::Aggregate,
        },
        inactive_falls_through: entry.inactive_falls_through,
        keep_nesting: entry.nested_groups == NestedGroups::Keep,
        kinds: entry.kinds.iter().copied().map(kind).collect(),
        include_users: entry.users.include.globs().clone(),
        exclude_users: entry.users.exclude.globs().clone(),
        members_of: entry.users.members_of.globs().clone(),
        include_groups: entry.groups.include.globs().clone(),
        exclude_groups: entry.groups.exclude.globs().clone(),
        rename_groups: rename
            .map(|(from, to)| (from.key.clone(), to.spelled.clone()))
            .collect(),
        exact: entry.groups.exact.globs().clone(),
        default_groups: entry
            .default_groups
            .iter()
            .map(|it| it.spelled.clone())
            .collect(),
        people: people.collect(),
        link_by_email: entry.link_by_email,
        adopt_by_name: entry.adopt.contains(&AdoptBy::Username),
        adopt_by_mail: entry.adopt.contains(&AdoptBy::Mail),
        trust_usernames: entry.trust_usernames,
        grace: entry.grace,
        on_leave: match entry.on_leave {
            OnLeave::Deactivate => rules::OnLeave::Deactivate,
            OnLeave::Strip => rules::OnLeave::Strip,
            OnLeave::Keep => rules::OnLeave::Keep,
        },
        delete_after: entry.delete_after,
        delete_groups: entry.delete_groups,
        limits: Limits {
            removals: entry.limits.removals,
            deactivations: entry.limits.deactivations,
            additions: entry.limits.additions,
        },
        seats: entry
            .seats
            .iter()
            .map(|it| Seats {
                groups: it.groups.iter().map(|it| it.key.clone()).collect(),
                max: u64::from(it.max),
            })
            .collect(),
        protect_users: entry.protect.users.globs().clone(),
        protect_groups: entry.protect.groups.globs().clone(),
        protect_defaults: entry.protect.defaults,
        approve_first: entry.first_pass == FirstPass::Approve,
    }
}

fn kind(kind: Kind) -> model::Kind {
    match kind {
        Kind::Person => model::Kind::Person,
        Kind::Service => model::Kind::Service,
        Kind::Customer => model::Kind::Customer,
    }
}
