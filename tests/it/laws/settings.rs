//! The rules of a world, out of its settings.

use std::sync::LazyLock;

use usersyncd::model::{Abilities, Fields, Kind, NameRules};
use usersyncd::reconcile::rules::{
    ApplicationRules, DirectoryRules, KindRule, Limits, Memberships, OnLeave, Seats, TrustMail,
};
use usersyncd::text::{Globs, Percent, Span};

use super::script::SETTINGS;
use crate::support::fake_server::Ids;

/// Somebody's username and the names that are his too, each with its directory.
type Tie = (&'static str, &'static [(&'static str, &'static str)]);

/// The directories that there are; an application lists some of them.
pub(crate) const DIRECTORIES: usize = 3;

/// Settings below this one are the application's rules, which may change; then come its abilities, which may not.
const RULES: usize = 26;
/// From here on four settings are the rules of a directory.
const SOURCES: usize = 36;

/// The rules of a world.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The directories that the application lists, highest first.
    pub(crate) listed: Vec<usize>,
    /// The application's rules.
    pub(crate) rules: ApplicationRules,
    /// What the application is able to do.
    pub(crate) abilities: Abilities,
    /// How it names what it holds.
    pub(crate) ids: Ids,
    /// The rules of each directory.
    pub(crate) sources: Vec<DirectoryRules>,
    /// Whether members are named by name (else by a handle of their own), for each directory.
    pub(crate) by_name: Vec<bool>,
}

/// Which setting a change of the configuration changes: any but the abilities.
pub(crate) fn changeable(pick: u8) -> usize {
    let pick = pick as usize % (RULES + SETTINGS - SOURCES);
    if pick < RULES {
        pick
    } else {
        pick - RULES + SOURCES
    }
}

struct Pick<'a>(&'a [u8; SETTINGS]);

impl Pick<'_> {
    /// One of several, the first for noughts.
    fn of<T: Clone>(&self, setting: usize, choices: &[T]) -> T {
        choices[self.0[setting] as usize % choices.len()].clone()
    }

    /// True in one of so many.
    fn one_in(&self, setting: usize, n: u8) -> bool {
        self.0[setting] % n == n - 1
    }
}

impl Settings {
    /// Reads the settings of a script.
    pub(crate) fn of(bytes: &[u8; SETTINGS]) -> Settings {
        let pick = Pick(bytes);
        let abilities = abilities(&pick);
        let listed: &[&[usize]] = &[
            &[0, 1, 2],
            &[0, 1],
            &[1, 0, 2],
            &[0, 1, 2],
            &[2, 0],
            &[0],
            &[2, 1, 0],
        ];
        let mut rules = scope(&pick);
        leaving(&pick, &mut rules);
        // The configuration refuses to keep nesting where it cannot be kept.
        rules.keep_nesting =
            pick.one_in(3, 3) && abilities.nest && rules.memberships == Memberships::Aggregate;
        Settings {
            listed: pick.of(0, listed).to_vec(),
            rules,
            abilities,
            ids: pick.of(35, &[Ids::Numbers, Ids::Names, Ids::Misleading]),
            sources: (0..DIRECTORIES).map(|it| source(&pick, it)).collect(),
            by_name: (0..DIRECTORIES)
                .map(|it| pick.one_in(SOURCES + 4 * it + 3, 4))
                .collect(),
        }
    }
}

/// Globs are dear to make and there are few of them.
fn globs(patterns: &'static [&'static str]) -> Globs {
    static KNOWN: LazyLock<Vec<(&[&str], Globs)>> = LazyLock::new(|| {
        let sets: [&[&str]; 11] = [
            &[],
            &["anna"],
            &["*n*"],
            &["straße", "n0*"],
            &["STAFF"],
            &["staff", "crew"],
            &["*q*"],
            &["crew"],
            &["i*"],
            &["ghosts"],
            &["*"],
        ];
        sets.into_iter()
            .map(|it| (it, Globs::new(it).unwrap()))
            .collect()
    });
    let known = KNOWN.iter().find(|it| it.0 == patterns);
    known.map(|it| it.1.clone()).unwrap()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
    list.iter().map(owned).collect()
}

fn scope(pick: &Pick<'_>) -> ApplicationRules {
    let kinds: [&[Kind]; 4] = [
        &[Kind::Person],
        &[Kind::Person],
        &[Kind::Person, Kind::Service],
        &[Kind::Person, Kind::Service, Kind::Customer],
    ];
    let renames: [&[(&str, &str)]; 6] = [
        &[],
        &[],
        &[],
        &[("staff", "crew")],
        &[("staff", "Team"), ("crew", "TEAM")],
        &[("crew", "Équipe"), ("équipe", "crew")],
    ];
    let defaults: [&[&str]; 4] = [&[], &[], &[], &["Everyone", "crew"]];
    let people: [&[Tie]; 5] = [
        &[],
        &[],
        &[],
        &[("anna", &[("jürgen", "d1"), ("ilker", "d0")])],
        &[("ilker", &[("i\u{307}lker", "d0"), ("anna", "d2")])],
    ];
    let people = pick.of(13, &people).iter();
    let adopt = pick.of(
        15,
        &[(true, false), (true, false), (true, true), (false, false)],
    );
    ApplicationRules {
        memberships: pick.of(1, &[Memberships::First, Memberships::Aggregate]),
        inactive_falls_through: pick.one_in(2, 3),
        kinds: pick.of(4, &kinds).to_vec(),
        include_users: globs(pick.of(5, &[&[][..], &[], &[], &["*n*"]])),
        exclude_users: globs(pick.of(6, &[&[][..], &[], &[], &["anna"], &["straße", "n0*"]])),
        members_of: globs(pick.of(
            7,
            &[&[][..], &[], &["STAFF"], &["staff", "crew"], &["*q*"], &[]],
        )),
        include_groups: globs(pick.of(8, &[&[][..], &[], &[], &["staff", "crew"]])),
        exclude_groups: globs(pick.of(9, &[&[][..], &[], &[], &["crew"]])),
        rename_groups: pairs(pick.of(10, &renames)),
        exact: globs(pick.of(11, &[&[][..], &[], &[], &["crew"], &["*q*"]])),
        default_groups: pick
            .of(12, &defaults)
            .iter()
            .map(|it| (*it).to_owned())
            .collect(),
        people: people.map(|it| (it.0.to_owned(), pairs(it.1))).collect(),
        link_by_email: pick.one_in(14, 4),
        adopt_by_name: adopt.0,
        adopt_by_mail: adopt.1,
        trust_usernames: pick.one_in(16, 4),
        ..ApplicationRules::default()
    }
}

fn leaving(pick: &Pick<'_>, rules: &mut ApplicationRules) {
    const DAY: Span = Span::hours(24);
    let seats = |groups: &[&str], max| {
        let groups = groups.iter().map(|it| (*it).to_owned()).collect();
        vec![Seats { groups, max }]
    };
    let limits = |removals, others| Limits {
        removals: Percent::whole(removals),
        deactivations: Percent::whole(others),
        additions: Percent::whole(others),
    };
    rules.grace = pick.of(17, &[DAY, Span::ZERO, Span::hours(1), DAY]);
    rules.on_leave = pick.of(
        18,
        &[
            OnLeave::Deactivate,
            OnLeave::Deactivate,
            OnLeave::Strip,
            OnLeave::Keep,
        ],
    );
    rules.delete_after = pick.of(19, &[None, None, Some(Span::ZERO), Some(Span::hours(48))]);
    rules.delete_groups = pick.one_in(20, 3);
    rules.limits = pick.of(21, &[limits(100, 100), limits(10, 20), limits(0, 0)]);
    rules.seats = pick.of(
        22,
        &[
            Vec::new(),
            Vec::new(),
            Vec::new(),
            seats(&[], 3),
            seats(&["staff", "crew"], 2),
            [seats(&[], 4), seats(&["équipe"], 1)].concat(),
        ],
    );
    rules.protect_users = globs(pick.of(23, &[&[][..], &[], &[], &["anna"]]));
    rules.protect_groups = globs(pick.of(24, &[&[][..], &[], &[], &["crew"]]));
    rules.protect_defaults = !pick.one_in(24, 5);
    rules.approve_first = pick.one_in(25, 2);
}

fn abilities(pick: &Pick<'_>) -> Abilities {
    let all = !pick.one_in(33, 3);
    let some = pick.0[33];
    Abilities {
        fields: Fields {
            display_name: all || some & 4 == 0,
            given_name: all,
            family_name: all,
            email: all || some & 8 == 0,
            directory: all || some & 16 == 0,
            external_id: all || some & 32 == 0,
        },
        deactivate: !pick.one_in(27, 5),
        delete_accounts: !pick.one_in(30, 5),
        rename_accounts: !pick.one_in(28, 4),
        groups: !pick.one_in(26, 16),
        describe_groups: !pick.one_in(32, 3),
        rename_groups: !pick.one_in(31, 3),
        delete_groups: !pick.one_in(30, 4),
        nest: !pick.one_in(29, 3),
        gives_groups: pick.one_in(28, 6),
        served: pick.one_in(29, 7),
        names: pick.of(
            34,
            &[NameRules::Folded, NameRules::Folded, NameRules::LowerCased],
        ),
        admin_groups: vec!["admins".to_owned()],
        own_account: pick.of(33, &[None, None, None, Some("strasse".to_owned())]),
        ..Abilities::default()
    }
}

fn source(pick: &Pick<'_>, place: usize) -> DirectoryRules {
    let at = SOURCES + 4 * place;
    let by_group = KindRule {
        groups: globs(&["*q*"]),
        ..KindRule::default()
    };
    let by_name = KindRule {
        users: globs(&["i*"]),
        attributes: vec![("kind".to_owned(), vec!["bot".to_owned()])],
        ..KindRule::default()
    };
    let groupless = KindRule {
        no_group: true,
        ..KindRule::default()
    };
    let classify: [&[(Kind, KindRule)]; 6] = [
        &[],
        &[],
        &[],
        &[(Kind::Service, by_group)],
        &[(Kind::Service, by_name)],
        &[(Kind::Customer, groupless)],
    ];
    DirectoryRules {
        classify: pick.of(at, &classify).to_vec(),
        skip_users: globs(pick.of(at + 1, &[&[][..], &[], &[], &[], &["anna"]])),
        include_groups: globs(pick.of(at + 1, &[&[][..], &[], &[], &["staff", "crew"]])),
        exclude_groups: globs(pick.of(at + 1, &[&[][..], &[], &["crew"]])),
        may_fill: globs(pick.of(at + 2, &[&[][..], &[], &[], &["staff", "crew"]])),
        trust_mail: pick.of(
            at + 2,
            &[
                TrustMail::Never,
                TrustMail::Always,
                TrustMail::Domains(vec!["x.org".to_owned()]),
            ],
        ),
        person_key: pick.one_in(at + 3, 3).then(|| "nr".to_owned()),
        mail_is_name: pick.one_in(at + 3, 4),
        authoritative: pick.one_in(at + 3, 5),
    }
}
