//! From the tables to the model, without any database: what the answers of a listing say.

use std::borrow::Cow;

use serde::Deserialize;

use crate::applications::sql::layout::{Entity, Side};
use crate::model::{Interner, NONE, Observed, ObservedAccount, ObservedGroup, StrId};

/// What a listing has said so far.
#[derive(Debug, Default)]
pub(super) struct Listing {
    observed: Observed,
    accounts: References,
    groups: References,
    /// How many rows hold something in the switch that is neither on nor off.
    pub(super) odd_switches: u64,
}

/// Which row a reference of another table means. Of rows with one reference it is the first.
#[derive(Debug, Default)]
struct References {
    texts: Interner,
    /// The index of the row by number of its text.
    rows: Vec<u32>,
}

/// A text of an answer, not copied where it stands there plainly.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl References {
    fn add(&mut self, text: &str, row: u32) {
        let StrId(number) = self.texts.intern(text);
        let number = number as usize;
        if number >= self.rows.len() {
            self.rows.resize(number + 1, NONE);
        }
        if self.rows[number] == NONE {
            self.rows[number] = row;
        }
    }

    fn row(&self, text: &str) -> Option<u32> {
        let StrId(number) = self.texts.find(text)?;
        let row = *self.rows.get(number as usize)?;
        (row != NONE).then_some(row)
    }
}

impl Listing {
    /// Takes an answer of accounts: rows of reference, name, display name, given name, family name, mail, directory,
    /// external id, switch.
    pub(super) fn add_accounts(&mut self, answer: &str, users: &Entity) -> serde_json::Result<()> {
        let switch = users.active.as_ref();
        let switch = switch.map(|it| (it.on.text(), it.off.text()));
        for row in serde_json::from_str::<Vec<[Text<'_>; 9]>>(answer)? {
            let [
                reference,
                name,
                display,
                given,
                family,
                email,
                directory,
                external,
                active,
            ] = row.map(|it| it.0);
            let active = match &switch {
                None => true,
                Some((on, _)) if active == on.as_str() => true,
                Some((_, off)) if active == off.as_str() => false,
                Some(_) => {
                    self.odd_switches += 1;
                    false
                }
            };
            self.accounts
                .add(&reference, self.observed.accounts.len() as u32);
            let pool = &mut self.observed.pool;
            let name_id = pool.add(&name);
            let remote_id = match users.id {
                Some(_) => pool.add(&reference),
                None => name_id,
            };
            self.observed.accounts.push(ObservedAccount {
                remote_id,
                name: name_id,
                display_name: pool.add(&display),
                given_name: pool.add(&given),
                family_name: pool.add(&family),
                email: pool.add(&email),
                directory: pool.add(&directory),
                external_id: pool.add(&external),
                active,
            });
        }
        Ok(())
    }

    /// Takes an answer of groups: rows of reference, name, description.
    pub(super) fn add_groups(&mut self, answer: &str, groups: &Entity) -> serde_json::Result<()> {
        for row in serde_json::from_str::<Vec<[Text<'_>; 3]>>(answer)? {
            let [reference, name, description] = row.map(|it| it.0);
            self.groups
                .add(&reference, self.observed.groups.len() as u32);
            let pool = &mut self.observed.pool;
            let name_id = pool.add(&name);
            self.observed.groups.push(ObservedGroup {
                remote_id: match groups.id {
                    Some(_) => pool.add(&reference),
                    None => name_id,
                },
                name: name_id,
                description: pool.add(&description),
            });
        }
        Ok(())
    }

    /// Takes an answer of pairs: a group and its members. References to rows that are in neither table are no business
    /// of ours: other programs keep members of other origin there.
    pub(super) fn add_pairs(&mut self, answer: &str, members: Side) -> serde_json::Result<()> {
        let (group, texts): (Text<'_>, Vec<Text<'_>>) = serde_json::from_str(answer)?;
        let Some(group) = self.groups.row(&group.0) else {
            return Ok(());
        };
        let (known, pairs) = match members {
            Side::Accounts => (&self.accounts, &mut self.observed.members),
            Side::Groups => (&self.groups, &mut self.observed.children),
        };
        let found = texts.iter().filter_map(|it| known.row(&it.0));
        pairs.extend(found.map(|member| (group, member)));
        Ok(())
    }

    /// Everything that was listed.
    pub(super) fn finish(mut self) -> Observed {
        self.observed.pool.shrink();
        self.observed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::sql::layout::Layout;

    #[test]
    fn answers_become_accounts_groups_and_pairs() {
        let listing =
            listed("users: { table: u, key: k, active: { column: a, on: 'Y', off: '' } }");
        let text = |id| listing.observed.pool.get(id);
        let accounts = listing.observed.accounts.iter();
        let accounts: Vec<_> = accounts
            .map(|it| (text(it.name), text(it.remote_id), text(it.email), it.active))
            .collect();
        assert_eq!(
            accounts,
            [
                ("anna", "anna", "a\"@x", true),
                ("ben", "ben", "", false),
                ("carl", "carl", "", false),
            ]
        );
        assert_eq!(listing.odd_switches, 1);
        assert_eq!(listing.observed.members, [(0, 1), (0, 0)]);
        assert_eq!(listing.observed.children, [(1, 0)]);
    }

    #[test]
    fn a_reference_that_is_an_id_is_the_remote_id() {
        let listing = listed("users: { table: u, key: k, id: i }");
        let remote = listing.observed.accounts.iter().map(|it| it.remote_id);
        let remote: Vec<&str> = remote.map(|id| listing.observed.pool.get(id)).collect();
        assert_eq!(remote, ["1", "2", "3"]);
        assert!(listing.observed.accounts.iter().all(|it| it.active));
        assert_eq!(listing.odd_switches, 0);
    }

    fn listed(users: &str) -> Listing {
        let groups = "groups: { table: g, key: k }\n  memberships: { table: m, group: g, user: u }";
        let yaml = format!("url: sqlite:a.db\ntables:\n  {users}\n  {groups}");
        let layout = Layout::new(serde_yaml::from_str(&yaml).unwrap());
        let (users, groups) = (&layout.users, layout.groups.as_ref().unwrap());
        let mut listing = Listing::default();
        let first = r#"[["1","anna","","","","a\"@x","","","Y"],["2","ben","","","","","","",""]]"#;
        let second = r#"[["3","carl","","","","","","","X"]]"#;
        listing.add_accounts(first, users).unwrap();
        listing.add_accounts(second, users).unwrap();
        let teams = r#"[["staff","staff",""],["all","all","everybody"]]"#;
        listing.add_groups(teams, groups).unwrap();
        let pairs = r#"["staff",["2","unknown","1"]]"#;
        listing.add_pairs(pairs, Side::Accounts).unwrap();
        let unknown = r#"["unknown",["1"]]"#;
        listing.add_pairs(unknown, Side::Accounts).unwrap();
        let children = r#"["all",["staff","unknown"]]"#;
        listing.add_pairs(children, Side::Groups).unwrap();
        listing
    }
}
