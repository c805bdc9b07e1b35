//! Who is who: ids, addresses, and what usernames are made of.

use super::*;
use crate::support::google_double::State;

#[test]
fn what_google_holds_stands_in_the_tables_and_a_second_pass_has_nothing_to_do() {
    let town = Town::new();
    town.double.with(|it| {
        it.user("anna@example.com").full_name = Some("Anna Ananas".to_owned());
        it.group("eng@example.com").description = "Who builds it".to_owned();
    });
    let read = town.passes("applied").one("directory.read");
    let counts = ["users", "groups", "memberships", "rejected", "requests"];
    let counts = counts.map(|it| read[it].as_u64().unwrap());
    // One page of users, one of groups, one of members for each group. Direct members are counted, a group among them.
    assert_eq!(counts, [4, 3, 5, 0, 1 + 1 + 3], "{read}");
    let [users, groups, members] = town.tables();
    let anna = town.id("anna");
    let expect = format!("anna|Anna Ananas|anna|By Hand|anna@example.com|1|{anna}");
    assert_eq!(users[0], expect);
    assert_eq!(users.len(), 4);
    assert_eq!(groups, ["all", "eng", "support"]);
    assert_eq!(members, MEMBERSHIPS);
    town.double.forget_requests();
    let unchanged = town.passes("in_sync").one("directory.unchanged");
    assert_eq!(unchanged["requests"], 5, "{unchanged}");
    // Those of the API; the token is one more.
    assert_eq!(town.double.requests().len(), 5 + 1);
    assert_eq!(town.tables(), [users, groups, members]);
}

#[test]
fn a_changed_primary_address_renames_the_account() {
    let town = Town::settled();
    let anna = town.id("anna");
    town.double.with(|it| {
        it.rename("anna@example.com", "countess@example.com");
        it.rename("eng@example.com", "crew@example.com");
    });
    town.passes("applied");
    assert_eq!(town.accounts(), ["ben|1", "carl|1", "countess|1", "dora|1"]);
    let [users, _, members] = town.tables();
    assert!(users[2].ends_with(&format!("|countess@example.com|1|{anna}")));
    let expect = [
        "all|ben",
        "all|countess",
        "all|dora",
        "crew|ben",
        "crew|countess",
        "support|carl",
    ];
    assert_eq!(members, expect);
    town.passes("in_sync");
}

/// The account of somebody who went, whose address somebody else has now.
#[test]
fn an_old_address_on_a_new_id_is_another_person() {
    let town = Town::settled();
    let before = town.tables();
    town.double.with(|it| {
        it.remove("ben@example.com");
        it.add_user("ben@example.com");
    });
    let run = town.is_partial();
    assert_eq!(town.held(), ["identity_conflict"], "{}", run.err);
    let [users, _, members] = town.tables();
    let switched_off = before[0][1].replace("|1|", "|0|");
    assert_eq!(users[1], switched_off, "the account stays his who went");
    assert_eq!(members, before[2]);
    // Who is the same person all the same gets it by a person's word.
    town.site.approve();
    town.site.sync().ended(0);
    let id = town.id("ben");
    let ben = &town.tables()[0][1];
    assert!(ben.ends_with(&format!("|1|{id}")), "{ben}");
}

#[test]
fn a_number_of_the_person_is_proof_where_the_address_is_none() {
    let town = Town::new();
    let number = |it: &mut State, number: &str| {
        let value = serde_json::json!([{ "type": "organization", "value": number }]);
        let ben = it.user("ben@example.com");
        ben.raw.insert("externalIds".to_owned(), value);
    };
    town.configure("person_key: externalIds", "");
    town.double.with(|it| number(it, "4711"));
    town.passes("applied");
    town.double.with(|it| {
        it.remove("ben@example.com");
        it.add_user("ben@example.com");
        number(it, "4711");
    });
    town.passes("applied");
    let ben = &town.tables()[0][1];
    assert!(ben.ends_with(&format!("|1|{}", town.id("ben"))), "{ben}");
}

#[test]
fn an_old_address_of_somebody_who_is_renamed_is_another_account() {
    let town = Town::settled();
    let (anna, ben) = (town.id("anna"), town.id("ben"));
    town.double.with(|it| {
        it.rename("ben@example.com", "benjamin@example.com");
        it.user("benjamin@example.com").aliases.clear();
    });
    town.double
        .with(|it| it.rename("anna@example.com", "ben@example.com"));
    town.passes("applied");
    let [users, ..] = town.tables();
    let of = |name: &str| users.iter().find(|it| it.starts_with(name)).unwrap();
    assert!(of("ben|").ends_with(&anna), "{users:?}");
    assert!(of("benjamin|").ends_with(&ben), "{users:?}");
    assert_eq!(users.len(), 4);
}

#[test]
fn one_username_on_users_of_two_domains_is_nobodys() {
    let town = Town::new();
    town.double.with(|it| it.add_user("anna@example.org"));
    let run = town.is_partial();
    assert_eq!(town.accounts(), ["ben|1", "carl|1", "dora|1"]);
    let rejected = run.named("record.rejected");
    let of = |it: &Value| it["record"].as_str().unwrap().to_owned();
    let mut records: Vec<String> = rejected.iter().map(of).collect();
    records.sort();
    let ids = [town.id("anna"), town.id("anna@example.org")];
    assert_eq!(records, ids, "{rejected:?}");
}

#[test]
fn one_username_on_users_of_two_domains_stays_with_whom_it_was() {
    let town = Town::settled();
    let before = town.tables();
    town.double.with(|it| it.add_user("anna@example.org"));
    town.is_partial();
    assert_eq!(town.tables(), before);
}

#[test]
fn whole_addresses_tell_users_of_two_domains_apart() {
    let town = Town::new();
    town.configure("", "username: '{address}'\ngroup_name: '{address}'");
    town.double.with(|it| {
        it.add_user("anna@example.org");
        it.add_group("eng@example.org");
        it.add_member("eng@example.org", "anna@example.org");
    });
    town.passes("applied");
    let accounts = town.accounts();
    assert_eq!(accounts[..2], ["anna@example.com|1", "anna@example.org|1"]);
    let members = town.members();
    let expect = "eng@example.org|anna@example.org".to_owned();
    assert!(members.contains(&expect), "{members:?}");
    assert_eq!(members.len(), MEMBERSHIPS.len() + 1);
}

#[test]
fn users_and_addresses_that_make_no_username_are_rejected_by_themselves() {
    let town = Town::settled();
    town.double.with(|it| {
        let emil = it.add_user("emil@example.com");
        it.user(&emil).omit.insert("primaryEmail".to_owned());
        it.add_user("o'neill@example.com");
        it.add_user("zoë@example.com");
    });
    let run = town.is_partial();
    let rejected = run.one("record.rejected");
    assert_eq!(rejected["record"], town.id("emil"));
    let reason = rejected["reason"].as_str().unwrap();
    assert!(reason.contains("primary address"), "{reason}");
    let expect = ["anna|1", "ben|1", "carl|1", "dora|1", "o'neill|1", "zoë|1"];
    assert_eq!(town.accounts(), expect);
}
