//! A company of any size, from a seed: the same seed gives the same people, groups and memberships on every machine.
//!
//! Everything is computed from the seed and a number, so that nothing is kept and a million users cost no memory. The
//! shape is that of real directories: few large groups and many small ones (sizes fall as rank^-0.7), one group in fifty
//! holds another group, three groups hold each other in a ring, one name in three is not ASCII, one user in a hundred has
//! no mail, one username in ninety-seven is spelt with a capital.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Where the entries lie; the units exist in the test server.
pub(crate) const PEOPLE: &str = "ou=people,dc=load,dc=test";
pub(crate) const GROUPS: &str = "ou=groups,dc=load,dc=test";
/// Every so many memberships are written in another spelling of the same DN.
const ODD_SPELLING: u64 = 997;
/// Every so many groups hold another group.
const NESTED: u32 = 50;

const GIVEN_NAMES: [&str; 12] = [
    "Ada", "Bjørn", "Chidi", "Dörte", "Emma", "Farid", "Grace", "Hélène", "Ivan", "Jürgen", "Kim",
    "Łukasz",
];
const FAMILY_NAMES: [&str; 12] = [
    "Almeida", "Brown", "Çelik", "Dvořák", "Evans", "Fischer", "Gauß", "Hopper", "Ito", "Jones",
    "Kowalski", "Lovelace",
];

/// The size of a load and its seed.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) users: u32,
    seed: u64,
    /// How many users each group holds, largest first.
    sizes: Vec<u32>,
}

pub(crate) struct User {
    /// Its place in the load, by which [`Member`] refers to it.
    pub(crate) number: u32,
    pub(crate) username: String,
    pub(crate) given_name: &'static str,
    pub(crate) family_name: &'static str,
    pub(crate) mail: Option<String>,
    /// The stable id, in the form of a UUID.
    pub(crate) id: String,
}

pub(crate) struct Group {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) id: String,
}

/// One member of a group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    User(u32),
    Group(u32),
}

impl Load {
    /// A load of `memberships` in all, groups in groups counted.
    ///
    /// # Panics
    ///
    /// Where the numbers fit no load: fewer than four groups, fewer memberships than groups, or more than the groups can
    /// hold.
    pub(crate) fn new(users: u32, groups: u32, memberships: u32, seed: u64) -> Self {
        assert!(groups >= 4, "three groups form a ring");
        let held_groups = (0..groups)
            .filter_map(|group| held_group(group, groups))
            .count() as u32;
        let sizes = sizes(users, groups, memberships - held_groups);
        Self { users, seed, sizes }
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = User> {
        (0..self.users).map(|number| self.user(number))
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = Group> {
        (0..self.sizes.len() as u32).map(|number| self.group(number))
    }

    /// The members of one group, each once: users, then the group that it holds, if any.
    pub(crate) fn members(&self, group: u32) -> impl Iterator<Item = Member> + use<> {
        let users = u64::from(self.users);
        let start = self.draw("start", group);
        // A step that has no divisor in common with the number of users meets every user before it meets one again.
        let drawn = self.draw("step", group) % users;
        let coprime = |step: &u64| gcd(*step, users) == 1;
        let step = (0..users)
            .map(|offset| (drawn + offset) % users)
            .find(coprime)
            .unwrap_or(1);
        let member = move |place: u32| {
            Member::User(((start % users + step * u64::from(place)) % users) as u32)
        };
        let held = held_group(group, self.sizes.len() as u32);
        (0..self.sizes[group as usize])
            .map(member)
            .chain(held.map(Member::Group))
    }

    pub(crate) fn user(&self, number: u32) -> User {
        let initial = if number % 97 == 96 { 'U' } else { 'u' };
        let username = format!("{initial}ser{number:07}");
        let pick =
            |what, names: &[&'static str; 12]| names[(self.draw(what, number) % 12) as usize];
        User {
            number,
            given_name: pick("given name", &GIVEN_NAMES),
            family_name: pick("family name", &FAMILY_NAMES),
            mail: (number % 100 != 99).then(|| format!("{username}@load.test")),
            id: self.uuid("user", number),
            username,
        }
    }

    pub(crate) fn group(&self, number: u32) -> Group {
        Group {
            number,
            name: format!("group-{number:05}"),
            description: format!("Gruppe № {number}"),
            id: self.uuid("group", number),
        }
    }

    /// Writes the whole load as LDIF (RFC 2849), users before groups, below the units of the test server.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub(crate) fn write_ldif(&self, out: &mut impl Write) -> io::Result<()> {
        for user in self.users() {
            writeln!(
                out,
                "dn: {}\nobjectClass: inetOrgPerson\nuid: {}",
                self.user_dn(user.number),
                user.username
            )?;
            write_value(out, "cn", &user.display_name())?;
            write_value(out, "displayName", &user.display_name())?;
            write_value(out, "givenName", user.given_name)?;
            write_value(out, "sn", user.family_name)?;
            if let Some(mail) = &user.mail {
                write_value(out, "mail", mail)?;
            }
            writeln!(out, "entryUUID: {}\n", user.id)?;
        }
        let mut memberships = 0;
        for group in self.groups() {
            writeln!(
                out,
                "dn: cn={},{GROUPS}\nobjectClass: groupOfNames\ncn: {0}",
                group.name
            )?;
            write_value(out, "description", &group.description)?;
            for member in self.members(group.number) {
                memberships += 1;
                writeln!(
                    out,
                    "member: {}",
                    self.member_dn(member, memberships % ODD_SPELLING == 0)
                )?;
            }
            writeln!(out, "entryUUID: {}\n", group.id)?;
        }
        Ok(())
    }

    pub(crate) fn user_dn(&self, number: u32) -> String {
        format!("uid={},{PEOPLE}", self.user(number).username)
    }

    fn member_dn(&self, member: Member, oddly: bool) -> String {
        match member {
            Member::User(number) if oddly => {
                format!("UID=User{number:07}, OU=People, DC=load, DC=test")
            }
            Member::User(number) => self.user_dn(number),
            Member::Group(number) => format!("cn={},{GROUPS}", self.group(number).name),
        }
    }

    /// A number that looks random and depends on nothing but the seed, what it is for, and which one it is.
    fn draw(&self, what: &str, number: u32) -> u64 {
        let start = self.seed ^ (u64::from(number) << 32);
        what.bytes()
            .fold(mix(start), |state, byte| mix(state ^ u64::from(byte)))
    }

    fn uuid(&self, what: &str, number: u32) -> String {
        let (high, low) = (self.draw(what, number), mix(self.draw(what, number)));
        let version = 0x4000 | (high & 0x0fff);
        let variant = 0x8000 | (low >> 50);
        let node = low & 0xffff_ffff_ffff;
        format!(
            "{:08x}-{:04x}-{version:04x}-{variant:04x}-{node:012x}",
            high >> 32,
            (high >> 16) & 0xffff
        )
    }
}

impl User {
    pub(crate) fn display_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// The group that a group holds: a later one, so that there is no ring, but for the last three, which form one.
fn held_group(group: u32, groups: u32) -> Option<u32> {
    let ring = groups - 3;
    match group {
        _ if group >= ring => Some(ring + (group - ring + 1) % 3),
        _ if group % NESTED == NESTED / 2 => Some(group + 1 + (groups - group - 1) / 2),
        _ => None,
    }
}

/// Shares `total` out among `groups` by rank^-0.7: at least one each, at most `users` each, and exactly `total` in all.
#[expect(clippy::cast_sign_loss, reason = "weights are positive")]
fn sizes(users: u32, groups: u32, total: u32) -> Vec<u32> {
    assert!(
        total >= groups && u64::from(total) <= u64::from(groups) * u64::from(users),
        "no such load"
    );
    let weights: Vec<f64> = (1..=groups)
        .map(|rank| f64::from(rank).powf(-0.7))
        .collect();
    let scale = f64::from(total) / weights.iter().sum::<f64>();
    let mut sizes: Vec<u32> = weights
        .iter()
        .map(|weight| ((weight * scale) as u32).clamp(1, users))
        .collect();
    let mut sum = sizes.iter().sum::<u32>();
    while sum != total {
        for size in &mut sizes {
            match sum.cmp(&total) {
                std::cmp::Ordering::Less if *size < users => (*size, sum) = (*size + 1, sum + 1),
                std::cmp::Ordering::Greater if *size > 1 => (*size, sum) = (*size - 1, sum - 1),
                _ => {}
            }
        }
    }
    sizes
}

fn write_value(out: &mut impl Write, attribute: &str, value: &str) -> io::Result<()> {
    if value.is_ascii() {
        writeln!(out, "{attribute}: {value}")
    } else {
        writeln!(out, "{attribute}:: {}", BASE64.encode(value))
    }
}

/// The step of `SplitMix64`: <https://prng.di.unimi.it/splitmix64.c>.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
