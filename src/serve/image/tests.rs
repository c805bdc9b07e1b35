//! Images of a handful of names.

use super::Image;
use crate::model::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, ObservedAccount, ObservedGroup,
    Origin, StrId,
};

/// A user: name, key, mail.
pub(in crate::serve) type Person = (String, String, String);
/// A group: name, members, child groups.
pub(in crate::serve) type Team = (String, Vec<String>, Vec<String>);

/// The image of these, in whatever order they stand; members that are not there are left out.
pub(in crate::serve) fn image(people: &[Person], teams: &[Team]) -> Image {
    Image::of(&holding(people, teams))
}

fn holding(people: &[Person], teams: &[Team]) -> Holding {
    let mut holding = Holding::default();
    for (name, key, email) in people {
        let seen = ObservedAccount {
            name: holding.pool.add(name),
            remote_id: holding.pool.add(key),
            email: holding.pool.add(email),
            active: true,
            ..ObservedAccount::default()
        };
        holding.accounts.push(Account {
            seen,
            link: Some(link()),
            exists: true,
        });
    }
    let places = |names: &[String], all: &mut dyn Iterator<Item = &String>| -> Vec<Membership> {
        let there = all.enumerate().filter(|(_, it)| names.contains(it));
        there
            .map(|(at, _)| Membership::new(at as u32, true))
            .collect()
    };
    for (name, members, children) in teams {
        let seen = ObservedGroup {
            name: holding.pool.add(name),
            remote_id: holding.pool.add(name),
            ..ObservedGroup::default()
        };
        holding.groups.push(AppGroup {
            seen,
            link: Some(group_link()),
            exists: true,
            members: places(members, &mut people.iter().map(|it| &it.0)),
            children: places(children, &mut teams.iter().map(|it| &it.0)),
        });
    }
    holding
}

fn link() -> Link {
    Link {
        directory: StrId::EMPTY,
        user_id: StrId::EMPTY,
        origin: Origin::Created,
        off_by_us: false,
        mail: StrId::EMPTY,
        person: StrId::EMPTY,
        tied: false,
        unlisted: false,
        absent_since: None,
        absent_for: 0,
        left_at: None,
    }
}

fn group_link() -> GroupLink {
    GroupLink {
        directory: StrId::EMPTY,
        group_id: StrId::EMPTY,
        origin: Origin::Created,
        absent_since: None,
        absent_for: 0,
        left_at: None,
    }
}

/// One thing that is different.
type Change = fn(&mut Vec<Person>, &mut Vec<Team>);

fn people(names: &[&str]) -> Vec<Person> {
    let person = |it: &&str| ((*it).to_owned(), format!("key of {it}"), String::new());
    names.iter().map(person).collect()
}

fn team(name: &str, members: &[&str], children: &[&str]) -> Team {
    let owned = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect();
    (name.to_owned(), owned(members), owned(children))
}

#[test]
fn the_order_in_which_rows_stand_changes_nothing() {
    let teams = [team("b", &["Zoe", "ada"], &["a"]), team("a", &["ada"], &[])];
    let one = image(&people(&["Zoe", "ada", "Ben"]), &teams);
    let [first, second] = teams;
    let other = image(&people(&["Ben", "Zoe", "ada"]), &[second, first]);
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.digest().len(), 32);
    let names: Vec<&str> = (0..3).map(|it| one.user(it).name).collect();
    assert_eq!(names, ["ada", "Ben", "Zoe"]);
    assert_eq!(
        (one.members(1), other.groups_of(0)),
        (&[0, 2][..], &[0, 1][..])
    );
}

#[test]
fn everything_that_a_client_is_shown_is_in_the_digest() {
    let base = (
        people(&["ada", "ben"]),
        vec![team("a", &["ada"], &["b"]), team("b", &[], &[])],
    );
    let own = image(&base.0, &base.1).digest().to_owned();
    let changes: [Change; 8] = [
        |people, _| people[0].0 = "Ada".to_owned(),
        |people, _| people[0].1 = "other".to_owned(),
        |people, _| people[0].2 = "a@x".to_owned(),
        |people, _| people.truncate(1),
        |_, teams| teams[0].1.push("ben".to_owned()),
        |_, teams| teams[0].2.clear(),
        |_, teams| teams.truncate(1),
        |_, teams| teams[1].0 = "B".to_owned(),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let (mut people, mut teams) = base.clone();
        change(&mut people, &mut teams);
        assert_ne!(image(&people, &teams).digest(), own, "{at}");
    }
    let mut holding = holding(&base.0, &base.1);
    holding.accounts[0].seen.active = false;
    assert_ne!(Image::of(&holding).digest(), own);
}

#[test]
fn cycles_of_groups_end() {
    let teams = [
        team("a", &["ada"], &["b"]),
        team("b", &["ben"], &["c", "b"]),
        team("c", &[], &["a"]),
    ];
    let image = image(&people(&["ada", "ben"]), &teams);
    assert_eq!(image.nested_members(2), [0, 1]);
    assert_eq!(image.nested_groups_of(0), [0, 1, 2]);
    assert_eq!(image.nested_children(0), [0, 1, 2]);
    assert_eq!(image.nested_parents(1), [0, 1, 2]);
}
