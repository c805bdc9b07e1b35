//! The search for loops: a directory that reads what is written from here, be it by a detour through other products.
//!
//! Nothing follows from it but a report. A person whom two directories really have looks the same from here, so nobody could
//! decide but an operator.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use crate::model::{Appeared, Lineage, MadeAccount, NONE, Records};
use crate::reconcile::mails::listed;
use crate::reconcile::rules::DirectoryRules;

/// What of a directory looks as if it came from one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The id of the application's entry.
    pub application: String,
    /// How many records.
    pub count: u64,
    /// The first ten of their usernames, and how many more there are.
    pub users: String,
}

/// The users that a directory did not have before: neither the id nor the username, so that a rename is none and a new id
/// is none. Usernames that the directory is taken not to have are left out.
pub fn appeared<'a>(
    old: &Records,
    (new, lineage): (&'a Records, Option<&Lineage>),
    rules: &DirectoryRules,
) -> Vec<Appeared<'a>> {
    let appeared = |it: u32| {
        let user = &new.users[it as usize];
        Appeared {
            id: new.text(user.id),
            key: new.text(user.key),
        }
    };
    let mut all: Vec<_> = match lineage {
        Some(lineage) => {
            let came = |it: &&u32| lineage.users[**it as usize] == NONE;
            let came = lineage.changed_users.iter().filter(came);
            came.map(|it| appeared(*it)).collect()
        }
        None => {
            let ids: HashSet<&str> = old.users.iter().map(|it| old.text(it.id)).collect();
            let all = (0..new.users.len() as u32).map(appeared);
            all.filter(|it| !ids.contains(it.id)).collect()
        }
    };
    if all.is_empty() {
        return all;
    }
    let mut keys: HashSet<&str> = all.iter().map(|it| it.key).collect();
    for user in &old.users {
        keys.remove(old.text(user.key));
    }
    all.retain(|it| keys.contains(it.key) && !rules.skip_users.is_match(it.key));
    all
}

/// Which of the records that appeared in a directory, named by its entry's id, have the name or the external id of an account
/// that was made here for a user of another directory. One value an application.
pub fn suspected(
    directory: &str,
    appeared: &[Appeared<'_>],
    made: &[MadeAccount],
) -> Vec<Suspicion> {
    let names: BTreeSet<&str> = appeared.iter().map(|it| it.key).collect();
    let ids: BTreeMap<&str, &str> = appeared.iter().map(|it| (it.id, it.key)).collect();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for it in made.iter().filter(|it| it.directory != directory) {
        let by_name = names.get(it.key.as_str());
        let by_id = ids.get(it.external_id.as_str());
        let users = by_name.into_iter().chain(by_id).copied();
        let mut users = users.peekable();
        if users.peek().is_some() {
            found.entry(&it.application).or_default().extend(users);
        }
    }
    let suspicion = |(application, users): (&str, BTreeSet<&str>)| {
        let users: Vec<String> = users.into_iter().map(str::to_owned).collect();
        Suspicion {
            application: application.to_owned(),
            count: users.len() as u64,
            users: listed(&users),
        }
    };
    found.into_iter().map(suspicion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewUser, RecordsBuilder};
    use crate::text::Globs;

    fn records(users: &[(&str, &str)]) -> Records {
        let mut builder = RecordsBuilder::default();
        for (id, username) in users {
            builder.user(&NewUser {
                id,
                username,
                ..NewUser::default()
            });
        }
        builder.finish()
    }

    #[test]
    fn only_users_of_a_new_id_and_a_new_name_appeared() {
        fn check(old: &[(&str, &str)], new: &[(&str, &str)], expect: &[&str]) {
            let (old, new) = (records(old), records(new));
            let rules = DirectoryRules {
                skip_users: Globs::new(&["copy-*"]).unwrap(),
                ..DirectoryRules::default()
            };
            let keys: Vec<_> = appeared(&old, (&new, None), &rules)
                .iter()
                .map(|it| it.key)
                .collect();
            assert_eq!(keys, expect, "{new:?}");
        }
        let anna = ("1", "anna");
        check(&[anna], &[anna], &[]);
        check(&[anna], &[anna, ("2", "Ben")], &["ben"]);
        check(&[anna], &[("1", "anne")], &[]);
        check(&[anna], &[("2", "Anna")], &[]);
        check(&[anna], &[], &[]);
        check(&[], &[anna], &["anna"]);
        check(&[anna], &[("2", "copy-anna")], &[]);
    }

    fn made(application: &str, key: &str, directory: &str, external_id: &str) -> MadeAccount {
        MadeAccount {
            application: application.to_owned(),
            key: key.to_owned(),
            directory: directory.to_owned(),
            external_id: external_id.to_owned(),
        }
    }

    #[test]
    fn a_record_with_the_name_or_the_external_id_of_an_account_for_another_directory_is_suspected()
    {
        fn check(made: &[MadeAccount], expect: &[(&str, u64, &str)]) {
            let appeared = [("1", "anna"), ("2", "ben")].map(|(id, key)| Appeared { id, key });
            let found = suspected("jira", &appeared, made);
            let found: Vec<_> = found
                .iter()
                .map(|it| (it.application.as_str(), it.count, it.users.as_str()))
                .collect();
            assert_eq!(found, expect, "{made:?}");
        }
        check(&[], &[]);
        check(&[made("wiki", "carl", "hr", "3")], &[]);
        check(&[made("wiki", "anna", "hr", "")], &[("wiki", 1, "anna")]);
        // Who comes back to a directory has the account that was made for him.
        check(&[made("wiki", "anna", "jira", "1")], &[]);
        check(&[made("wiki", "b.smith", "hr", "2")], &[("wiki", 1, "ben")]);
        check(&[made("wiki", "ben", "hr", "2")], &[("wiki", 1, "ben")]);
        let two = [
            made("wiki", "anna", "hr", ""),
            made("chat", "ben", "hr", ""),
            made("wiki", "ben", "hr", ""),
        ];
        check(&two, &[("chat", 1, "ben"), ("wiki", 2, "anna, ben")]);
    }
}
