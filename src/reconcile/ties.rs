//! One person under several usernames: ties by hand and by trusted mail.
//!
//! A tie moves one directory's username to another username's person. It never touches the same username in another
//! directory, which may be somebody else's.

use std::collections::BTreeMap;

use crate::model::Kind;
use crate::reconcile::rules::TrustMail;
use crate::reconcile::snapshot::{Names, Snapshot, Standing};
use crate::reconcile::world::World;
use crate::text;

/// Which usernames of which directories belong to another username's person.
#[derive(Debug, Default)]
pub struct Ties {
    moved: BTreeMap<(u16, u32), u32>,
}

impl Ties {
    /// The person to whom a directory's username belongs; a person is named by the number of a username.
    pub fn person(&self, directory: u16, key: u32) -> u32 {
        if self.moved.is_empty() {
            return key;
        }
        *self.moved.get(&(directory, key)).unwrap_or(&key)
    }

    /// Persons with more than one username.
    pub fn tied(&self) -> impl Iterator<Item = u32> + '_ {
        self.moved.values().copied()
    }

    /// Whether no usernames are tied.
    pub fn is_empty(&self) -> bool {
        self.moved.is_empty()
    }

    /// The ties of a world: those of `people` first, then those by mail among what is left.
    pub(crate) fn of(
        world: &World<'_>,
        snapshots: &[Option<Snapshot<'_>>],
        names: &mut Names,
    ) -> Self {
        let mut ties = Ties::default();
        for (username, others) in &world.rules.people {
            let person = names.users.intern(username).0;
            for (name, directory) in others {
                let place = world.directories.iter().position(|it| it.id == directory);
                let key = names.users.intern(name).0;
                if let Some(place) = place
                    && key != person
                {
                    ties.moved.insert((place as u16, key), person);
                }
            }
        }
        if world.rules.link_by_email {
            ties.add_by_mail(world, snapshots);
        }
        ties
    }

    fn add_by_mail(&mut self, world: &World<'_>, snapshots: &[Option<Snapshot<'_>>]) {
        for mut same in users_by_mail(world, snapshots).into_values() {
            same.sort_unstable();
            let twice = same.windows(2).any(|pair| pair[0].0 == pair[1].0);
            if twice || same.iter().any(|it| it.2 == Proof::NoPerson) {
                continue;
            }
            same.retain(|it| it.2 == Proof::Trusted);
            let Some(first) = same.first() else { continue };
            let person = self.person(first.0, first.1);
            for &(place, key, _) in &same[1..] {
                if key != person && !self.moved.contains_key(&(place, key)) {
                    self.moved.insert((place, key), person);
                }
            }
        }
    }

    /// The persons to whom a username belongs in some directory by a tie.
    pub(crate) fn persons_of(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let moved = self.moved.iter();
        moved.filter(move |it| it.0.1 == key).map(|it| *it.1)
    }

    /// The usernames that belong to a person besides its own.
    pub(crate) fn names_of(&self, person: u32) -> impl Iterator<Item = u32> + '_ {
        let moved = self.moved.iter();
        moved.filter(move |it| *it.1 == person).map(|it| it.0.1)
    }
}

/// What an equal mail proves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// The directory knows whose it is.
    Trusted,
    /// Nothing, but it still stands on a user of the directory.
    Untrusted,
    /// It stands on a bot or a customer, so it ties nobody, whoever else bears it.
    NoPerson,
}

type MailUser = (u16, u32, Proof);

/// By folded mail, the users that bear it: directory, username and what that proves.
fn users_by_mail(
    world: &World<'_>,
    snapshots: &[Option<Snapshot<'_>>],
) -> BTreeMap<String, Vec<MailUser>> {
    let mut by_mail: BTreeMap<String, Vec<MailUser>> = BTreeMap::new();
    for (place, snapshot) in snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else { continue };
        let trust = &world.directories[place].rules.trust_mail;
        for (index, user) in snapshot.records.users.iter().enumerate() {
            let mail = text::fold(snapshot.records.text(user.email));
            if mail.is_empty() || snapshot.standing[index] == Standing::Skipped {
                continue;
            }
            let proof = if snapshot.kind[index] != Kind::Person {
                Proof::NoPerson
            } else if trusts(trust, &mail) {
                Proof::Trusted
            } else {
                Proof::Untrusted
            };
            let found = (place as u16, snapshot.user_key[index], proof);
            by_mail.entry(mail).or_default().push(found);
        }
    }
    by_mail
}

fn trusts(trust: &TrustMail, mail: &str) -> bool {
    match trust {
        TrustMail::Never => false,
        TrustMail::Always => true,
        TrustMail::Domains(domains) => {
            let domain = mail.rsplit_once('@').map_or("", |it| it.1);
            domains.iter().any(|it| it == domain)
        }
    }
}
