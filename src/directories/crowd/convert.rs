//! Users and groups of a Crowd as records.
//!
//! Names are handles, folded: servers compare them without case. A group's name is its id as well, since a group has no other; a
//! user without a key has its name for an id.

use crate::model::{NewGroup, NewUser, RecordKind, RecordsBuilder, Status};
use crate::text;
use crate::wire::crowd::{BadRecord, Group, User};

/// The id of a user: its key, or its folded name on a server that shows none.
pub(super) fn user_id(user: &User) -> String {
    if user.key.is_empty() {
        return text::fold(&user.name);
    }
    user.key.clone()
}

/// Hands in a user, with those of the further attributes that are wanted.
pub(super) fn add_user(user: &User, extra: &[String], builder: &mut RecordsBuilder) {
    let handle = text::folded(&user.name);
    let wanted = extra.iter().map(|name| {
        let values = user.attributes.iter().filter(|it| it.0 == *name);
        let values = values.flat_map(|it| it.1.iter().map(String::as_str));
        (name.as_str(), values.collect::<Vec<_>>())
    });
    builder.user(&NewUser {
        id: &user_id(user),
        username: &user.name,
        display_name: &user.display_name,
        given_name: &user.first_name,
        family_name: &user.last_name,
        email: &user.email,
        handle: &handle,
        status: match user.active {
            Some(true) => Status::Active,
            Some(false) => Status::Inactive,
            None => Status::Unknown,
        },
        kind: None,
        unknown: false,
        label: &user.key,
        extra: wanted.filter(|it| !it.1.is_empty()).collect(),
    });
}

/// Hands in a group and returns the number by which its members are handed in; `None` if it is rejected.
pub(super) fn add_group(group: &Group, builder: &mut RecordsBuilder) -> Option<u32> {
    let folded = text::folded(&group.name);
    builder.group(&NewGroup {
        id: &folded,
        name: &group.name,
        description: &group.description,
        handle: &folded,
        unknown: false,
        label: "",
    })
}

/// Rejects a record that makes no sense, with what is known of it.
pub(super) fn reject(what: RecordKind, bad: &BadRecord, builder: &mut RecordsBuilder) {
    let folded = text::fold(&bad.name);
    let id = if bad.key.is_empty() {
        &folded
    } else {
        &bad.key
    };
    let label = if id.is_empty() { "without a name" } else { id };
    let key = text::name_key(&bad.name).unwrap_or_default();
    builder.reject(what, id, &key, &folded, label, &bad.reason);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Records;

    fn records(fill: impl FnOnce(&mut RecordsBuilder)) -> Records {
        let mut builder = RecordsBuilder::default();
        fill(&mut builder);
        builder.finish()
    }

    fn add_users(users: &[User], builder: &mut RecordsBuilder) {
        users.iter().for_each(|it| add_user(it, &[], builder));
    }

    fn ada() -> User {
        User {
            name: "Ada".to_owned(),
            first_name: "A".to_owned(),
            last_name: "L".to_owned(),
            display_name: "A L".to_owned(),
            email: "a@x".to_owned(),
            active: Some(false),
            key: "1:2".to_owned(),
            attributes: vec![
                ("badge".to_owned(), vec!["7".to_owned(), "8".to_owned()]),
                ("secret".to_owned(), vec!["x".to_owned()]),
            ],
        }
    }

    #[test]
    fn a_user_becomes_a_record() {
        let extra = ["badge".to_owned(), "none".to_owned()];
        let records = records(|it| add_user(&ada(), &extra, it));
        let user = &records.users[0];
        let texts = [
            user.id,
            user.username,
            user.key,
            user.display_name,
            user.given_name,
            user.family_name,
            user.email,
            user.handle,
        ];
        let texts = texts.map(|it| records.text(it));
        assert_eq!(texts, ["1:2", "Ada", "ada", "A L", "A", "L", "a@x", "ada"]);
        assert_eq!(user.status, Status::Inactive);
        let badges: Vec<&str> = records.extra_values(0, "badge").collect();
        assert_eq!(badges, ["7", "8"]);
        assert_eq!(
            records.extra_names(0).count(),
            2,
            "what nobody wants is left"
        );
    }

    #[test]
    fn who_has_no_key_is_known_by_name() {
        let user = User {
            key: String::new(),
            active: None,
            ..ada()
        };
        let records = records(|it| add_user(&user, &[], it));
        assert_eq!(records.text(records.users[0].id), "ada");
        assert_eq!(records.users[0].status, Status::Unknown);
    }

    #[test]
    fn two_keys_with_one_name_stay_two_and_two_names_with_one_key_are_none() {
        let other = User {
            key: "1:3".to_owned(),
            ..ada()
        };
        let both = records(|it| add_users(&[ada(), other], it));
        assert_eq!((both.users.len(), both.rejected.len()), (2, 0));
        let other = User {
            name: "Ben".to_owned(),
            ..ada()
        };
        let both = records(|it| add_users(&[ada(), other], it));
        assert_eq!((both.users.len(), both.rejected.len()), (0, 2));
        let again = records(|it| add_users(&[ada(), ada()], it));
        assert_eq!((again.users.len(), again.rejected.len()), (1, 0));
    }

    #[test]
    fn a_group_is_known_by_its_name_however_it_is_spelled() {
        let group = Group {
            name: "Staff".to_owned(),
            description: "d".to_owned(),
            ..Group::default()
        };
        let records = records(|it| {
            let staff = add_group(&group, it).unwrap();
            it.member(staff, Some(RecordKind::Group), "staff");
        });
        let group = &records.groups[0];
        let texts = [group.id, group.name, group.description].map(|it| records.text(it));
        assert_eq!(texts, ["staff", "Staff", "d"]);
        assert_eq!(records.children.row(0), [0], "its own child");
    }

    #[test]
    fn a_bad_record_is_rejected_under_what_is_known_of_it() {
        let bad = |name: &str, key: &str| BadRecord {
            name: name.to_owned(),
            key: key.to_owned(),
            reason: "r".to_owned(),
        };
        let records = records(|it| {
            reject(RecordKind::User, &bad("Ada", "1:2"), it);
            reject(RecordKind::User, &bad("Ben", ""), it);
            reject(RecordKind::User, &bad("", ""), it);
        });
        let told: Vec<_> = records
            .rejected
            .iter()
            .map(|it| [it.id, it.key, it.label])
            .collect();
        let told: Vec<_> = told
            .into_iter()
            .map(|it| it.map(|it| records.text(it)))
            .collect();
        assert_eq!(
            told,
            [
                ["1:2", "ada", "1:2"],
                ["ben", "ben", "ben"],
                ["", "", "without a name"]
            ]
        );
    }
}
