//! *roster*: what an application should hold, worked out a second time in the plainest way from what the directories hold.
//!
//! It knows nothing of ties, of authoritative directories, of repeated records and of groups that could not be read; worlds
//! with those are left to the other laws.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{Kind, Roster, Status};
use usersyncd::reconcile::rules::{DirectoryRules, KindRule, Memberships};
use usersyncd::text::Globs;

use super::push::Case;
use super::source::{RawDirectory, RawGroup, RawUser};
use super::verdict::{Broken, ensure};

const LAW: &str = "roster";

/// One user as it should be pushed: the directory and the id that it comes from, whether it is active, and its groups.
type Expected = (&'static str, String, bool, BTreeSet<String>);

/// The roster is what it should be.
pub(crate) fn roster(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let Some(oracle) = Oracle::of(case) else {
        return Ok(());
    };
    let (mut users, groups) = oracle.roster();
    let roster = case.context.roster();
    for it in users.values_mut() {
        it.3 = nested(roster, std::mem::take(&mut it.3));
    }
    let names: BTreeSet<String> = roster.groups.iter().map(|it| it.key.clone()).collect();
    ensure(LAW, names == groups, || {
        format!("groups {names:?}, should be {groups:?}")
    })?;
    let mut found: BTreeMap<String, Expected> = BTreeMap::new();
    for (user, it) in roster.users.iter().enumerate() {
        let wanted = roster.account(user as u32);
        let source = case
            .town
            .sources
            .iter()
            .find(|it| it.id == wanted.directory_id);
        let groups = roster.member_of.row(user).iter();
        let groups = groups.map(|it| roster.groups[*it as usize].key.clone());
        let key = roster.key(user as u32).to_owned();
        let expected = (
            source.map_or("", |it| it.id),
            wanted.external_id.to_owned(),
            it.active,
            nested(roster, groups.collect()),
        );
        found.insert(key, expected);
    }
    ensure(LAW, found == users, || {
        let all: BTreeSet<&String> = found.keys().chain(users.keys()).collect();
        let differ = all
            .into_iter()
            .filter(|it| found.get(*it) != users.get(*it));
        let differ =
            differ.map(|it| format!("{it}: {:?}, should be {:?}", found.get(it), users.get(it)));
        let differ = differ.collect::<Vec<_>>().join("\n");
        format!("{differ}\n{}", case.text())
    })
}

/// Where nesting is kept, being in a group is being in those above.
fn nested(roster: &Roster<'_>, mut groups: BTreeSet<String>) -> BTreeSet<String> {
    let key = |group: u32| &roster.groups[group as usize].key;
    while let Some((above, _)) = roster
        .children
        .pairs()
        .find(|it| groups.contains(key(it.1)) && !groups.contains(key(it.0)))
    {
        groups.insert(key(above).clone());
    }
    groups
}

/// A listed directory, as last read.
struct Listed<'c> {
    id: &'static str,
    raw: &'c RawDirectory,
    rules: &'c DirectoryRules,
}

struct Oracle<'c, 'd, 'w, 'a> {
    case: &'c Case<'d, 'w, 'a>,
    listed: Vec<Listed<'c>>,
}

/// What a directory has of a username.
#[derive(Clone, Copy)]
enum Has<'c> {
    Nothing,
    Unknown,
    User(&'c RawUser),
}

impl<'c, 'd, 'w, 'a> Oracle<'c, 'd, 'w, 'a> {
    fn of(case: &'c Case<'d, 'w, 'a>) -> Option<Self> {
        let settings = &case.town.settings;
        let rules = &settings.rules;
        let mut listed = Vec::new();
        for &at in &settings.listed {
            let source = &case.town.sources[at];
            let it = Listed {
                id: source.id,
                raw: &source.accepted.as_ref()?.raw,
                rules: &settings.sources[at],
            };
            let names: BTreeSet<_> = it.raw.groups.iter().map(|it| it.name.1).collect();
            let plain = names.len() == it.raw.groups.len()
                && !names.contains(&None)
                && it.raw.groups.iter().all(|it| !it.unknown);
            let users = it.raw.users.iter().filter(|it| RawDirectory::is_sound(it));
            let records: Vec<_> = users.map(|it| (&it.id, it.name.1)).collect();
            let once: BTreeSet<_> = records.iter().collect();
            let repeats = once.len() < records.len();
            if !plain || repeats || it.rules.authoritative {
                return None;
            }
            listed.push(it);
        }
        let tied = !rules.people.is_empty() || rules.link_by_email;
        (!tied).then_some(Oracle { case, listed })
    }

    fn roster(&self) -> (BTreeMap<String, Expected>, BTreeSet<String>) {
        let rules = &self.case.town.settings.rules;
        let keys = self.listed.iter().flat_map(|it| &it.raw.users);
        let keys: BTreeSet<&str> = keys.filter_map(|it| it.name.1).collect();
        let mut users = BTreeMap::new();
        for key in keys {
            let Some((at, user)) = self.winner(key) else {
                continue;
            };
            let groups = self.groups_of(key, at, user);
            let by_scope = rules.kinds.contains(&self.kind(at, user))
                && !rules.exclude_users.is_match(key)
                && (rules.include_users.is_empty() || rules.include_users.is_match(key))
                && (rules.members_of.is_empty()
                    || groups.iter().any(|it| rules.members_of.is_match(it)));
            if by_scope {
                let mut pushed: BTreeSet<String> =
                    groups.iter().filter_map(|it| self.pushed(it)).collect();
                pushed.extend(self.defaults().iter().map(|it| self.renamed(it)));
                let active = user.status == Status::Active;
                let expected = (self.listed[at].id, user.id.clone(), active, pushed);
                users.insert(key.to_owned(), expected);
            }
        }
        let of_all = self.listed.iter().flat_map(|it| {
            let groups = it.raw.groups.iter();
            groups.filter(|group| takes(it.rules, group)).map(key_of)
        });
        let mut groups: BTreeSet<String> = of_all.filter_map(|it| self.pushed(it)).collect();
        groups.extend(self.defaults().iter().map(|it| self.renamed(it)));
        (users, groups)
    }

    /// The folded names of the groups that everybody gets. They stand in the alphabet in one spelling each.
    fn defaults(&self) -> Vec<String> {
        let rules = &self.case.town.settings.rules;
        rules
            .default_groups
            .iter()
            .map(|it| it.to_lowercase())
            .collect()
    }

    /// The folded name under which a group is pushed, if it is.
    fn pushed(&self, key: &str) -> Option<String> {
        let rules = &self.case.town.settings.rules;
        let chosen = (rules.include_groups.is_empty() || rules.include_groups.is_match(key))
            && !rules.exclude_groups.is_match(key);
        let by_default = self.defaults().iter().any(|it| it == key);
        (chosen || by_default).then(|| self.renamed(key))
    }

    fn renamed(&self, key: &str) -> String {
        let rules = &self.case.town.settings.rules;
        let renamed = rules.rename_groups.iter().find(|it| it.0 == key);
        renamed.map_or_else(|| key.to_owned(), |it| it.1.to_lowercase())
    }

    fn winner(&self, key: &str) -> Option<(usize, &'c RawUser)> {
        let falls = self.case.town.settings.rules.inactive_falls_through;
        let mut inactive = None;
        for at in 0..self.listed.len() {
            match self.has(at, key) {
                Has::Nothing => {}
                Has::Unknown => return None,
                Has::User(it) if falls && it.status != Status::Active => {
                    inactive = inactive.or(Some((at, it)));
                }
                Has::User(it) => return Some((at, it)),
            }
        }
        inactive
    }

    fn has(&self, at: usize, key: &str) -> Has<'c> {
        let listed = &self.listed[at];
        if listed.rules.skip_users.is_match(key) {
            return Has::Nothing;
        }
        let of_key: Vec<&'c RawUser> = listed
            .raw
            .users
            .iter()
            .filter(|it| it.name.1 == Some(key))
            .collect();
        let all = &listed.raw.users;
        let shared = |it: &RawUser| {
            all.iter()
                .any(|other| other.id == it.id && other.name.1 != it.name.1)
        };
        let sound = |it: &&&RawUser| RawDirectory::is_sound(it) && !shared(it);
        let ids: BTreeSet<&str> = of_key
            .iter()
            .filter(sound)
            .map(|it| it.id.as_str())
            .collect();
        let unsound = of_key.iter().filter(|it| !sound(it)).count();
        let linked: Vec<&&str> = ids
            .iter()
            .filter(|it| self.is_linked(listed.id, it))
            .collect();
        let id = match (ids.len(), unsound, linked.as_slice()) {
            (0, 0, _) if self.may_be_unnamed(listed, key) => return Has::Unknown,
            (0, 0, _) => return Has::Nothing,
            (1, 0, _) => ids.first().copied(),
            (_, _, [id]) => Some(**id),
            _ => None,
        };
        let Some(id) = id else { return Has::Unknown };
        let repeats: Vec<&'c RawUser> = of_key
            .into_iter()
            .filter(|it| it.id == id && RawDirectory::is_sound(it))
            .collect();
        let unknown = |it: &&RawUser| it.unknown || it.status == Status::Unknown;
        match repeats.as_slice() {
            [it] if !unknown(it) => Has::User(it),
            _ => Has::Unknown,
        }
    }

    /// Whether an account of this name was made for a record that shows no name.
    fn may_be_unnamed(&self, listed: &Listed<'_>, key: &str) -> bool {
        let holding = self.case.context.holding();
        let accounts = (0u32..).zip(&holding.accounts).filter(|it| it.1.exists);
        let mut named = accounts.filter(|it| self.case.context.account_key(it.0) == key);
        named.any(|it| {
            let unnamed = |id: &str| {
                let mut users = listed.raw.users.iter();
                users.any(|it| it.id == id && it.name.1.is_none())
            };
            let link = it.1.link.as_ref();
            link.is_some_and(|it| {
                holding.text(it.directory) == listed.id && unnamed(holding.text(it.user_id))
            })
        })
    }

    fn is_linked(&self, directory: &str, id: &str) -> bool {
        let holding = self.case.context.holding();
        holding.accounts.iter().filter(|it| it.exists).any(|it| {
            it.link.as_ref().is_some_and(|it| {
                holding.text(it.directory) == directory && holding.text(it.user_id) == id
            })
        })
    }

    fn kind(&self, at: usize, user: &RawUser) -> Kind {
        let listed = &self.listed[at];
        let groups = listed.raw.groups.iter();
        let direct = groups.filter(|it| names(listed.raw, it, user));
        let mut groups: BTreeSet<&str> = direct.map(key_of).collect();
        // Who somebody is does not hang on which groups may be filled.
        climb(&mut groups, &edges(listed.raw, |_| true));
        let fits = |rule: &KindRule| {
            let bot = rule.attributes.iter().any(|it| it.0 == "kind") && user.bot;
            rule.users.is_match(user.name.1.unwrap())
                || groups.iter().any(|it| rule.groups.is_match(it))
                || (rule.no_group && groups.is_empty())
                || bot
        };
        let rule = listed.rules.classify.iter().find(|it| fits(&it.1));
        rule.map_or_else(|| user.kind.unwrap_or_default(), |it| it.0)
    }

    /// The folded names of the groups that a user is in, as its directories call them.
    fn groups_of(&self, key: &str, at: usize, user: &RawUser) -> BTreeSet<&'c str> {
        if self.case.town.settings.rules.memberships == Memberships::First {
            let mut groups = direct(&self.listed[at], user);
            climb(&mut groups, &filled_edges(&self.listed[at]));
            return groups;
        }
        let mut groups = BTreeSet::new();
        let mut all = Vec::new();
        for (at, listed) in self.listed.iter().enumerate() {
            if let Has::User(it) = self.has(at, key) {
                groups.extend(direct(listed, it));
            }
            all.extend(filled_edges(listed));
        }
        climb(&mut groups, &all);
        groups
    }
}

fn key_of(group: &RawGroup) -> &'static str {
    group.name.1.unwrap_or("")
}

fn chosen(include: &Globs, exclude: &Globs, key: &str) -> bool {
    (include.is_empty() || include.is_match(key)) && !exclude.is_match(key)
}

fn takes(rules: &DirectoryRules, group: &RawGroup) -> bool {
    chosen(&rules.include_groups, &rules.exclude_groups, key_of(group))
}

fn fills(rules: &DirectoryRules, group: &RawGroup) -> bool {
    let may = rules.may_fill.is_empty() || rules.may_fill.is_match(key_of(group));
    takes(rules, group) && may
}

/// Whether a group names a user. Where members are named by name, it names everybody of that name.
fn names(raw: &RawDirectory, group: &RawGroup, user: &RawUser) -> bool {
    let is_it = |it: &&RawUser| {
        let same_name = raw.by_name && it.name.1.is_some() && it.name.1 == user.name.1;
        it.number == user.number || same_name
    };
    let mut users = raw.users.iter().filter(is_it);
    users.any(|it| group.members.contains(&it.number))
}

/// The groups that name a user and that the directory may give members to.
fn direct(listed: &Listed<'_>, user: &RawUser) -> BTreeSet<&'static str> {
    let groups = listed.raw.groups.iter();
    let naming = groups.filter(|it| names(listed.raw, it, user));
    naming
        .filter(|it| fills(listed.rules, it))
        .map(key_of)
        .collect()
}

/// Which group is in which, as far as the directory may say so.
fn filled_edges(listed: &Listed<'_>) -> Vec<(&'static str, &'static str)> {
    let taken: BTreeSet<&str> = listed
        .raw
        .groups
        .iter()
        .filter(|it| takes(listed.rules, it))
        .map(key_of)
        .collect();
    let mut edges = edges(listed.raw, |it| fills(listed.rules, it));
    edges.retain(|it| taken.contains(it.0));
    edges
}

/// Which group is in which, the lower one first, for the upper ones that are asked for.
fn edges(
    raw: &RawDirectory,
    above: impl Fn(&RawGroup) -> bool,
) -> Vec<(&'static str, &'static str)> {
    let mut edges = Vec::new();
    for parent in raw.groups.iter().filter(|it| above(it)) {
        let child = |number: &u32| raw.groups.iter().find(|it| it.number == *number);
        let children = parent.children.iter().filter_map(child);
        edges.extend(children.map(|it| (key_of(it), key_of(parent))));
    }
    edges
}

/// Adds all groups above.
fn climb(groups: &mut BTreeSet<&'static str>, edges: &[(&'static str, &'static str)]) {
    while let Some(it) = edges
        .iter()
        .find(|it| groups.contains(it.0) && !groups.contains(it.1))
    {
        groups.insert(it.1);
    }
}
