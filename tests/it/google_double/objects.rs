//! What users, groups and members look like, and how changes show.

use serde_json::{Value, json};

use super::{caller, texts};
use crate::support::google_double::{CUSTOMER, GoogleDouble};

#[test]
fn a_user_shows_what_was_said_of_it() {
    let double = GoogleDouble::start();
    double.with(|state| {
        state.add_user("a@example.com");
        let user = state.user("a@example.com");
        user.given_name = "Ada".to_owned();
        user.family_name = "Lovelace".to_owned();
        user.display_name = Some("Countess".to_owned());
        user.archived = None;
        user.non_editable_aliases = vec!["a@example.com.test-google-a.com".to_owned()];
        let schemas = [
            ("hr", json!({ "number": "7" })),
            ("it", json!({ "desk": "4" })),
        ];
        user.custom_schemas = schemas
            .map(|(name, fields)| (name.to_owned(), fields))
            .into();
        user.raw
            .insert("externalIds".to_owned(), json!([{ "value": "7" }]));
        user.omit.insert("orgUnitPath".to_owned());
        state.suspend("a@example.com");
    });
    let caller = caller(&double);
    let show = |query: &str| {
        caller
            .directory(&format!("users/a@example.com?{query}"))
            .json()
    };
    let user = show("");
    let name = json!({
        "givenName": "Ada", "familyName": "Lovelace", "fullName": "Ada Lovelace", "displayName": "Countess",
    });
    for (field, expect) in [
        ("name", name),
        ("suspended", true.into()),
        ("suspensionReason", "ADMIN".into()),
        ("archived", Value::Null),
        ("orgUnitPath", Value::Null),
        ("customSchemas", Value::Null),
        ("aliases", Value::Null),
        (
            "nonEditableAliases",
            json!(["a@example.com.test-google-a.com"]),
        ),
        ("externalIds", json!([{ "value": "7" }])),
    ] {
        assert_eq!(user[field], expect, "{field}");
    }
    let schemas = |query: &str| show(query)["customSchemas"].clone();
    let both = json!({ "hr": { "number": "7" }, "it": { "desk": "4" } });
    assert_eq!(schemas("projection=full"), both);
    let one = schemas("projection=custom&customFieldMask=hr");
    assert_eq!(one, json!({ "hr": { "number": "7" } }));
    let none = caller.directory("users/a@example.com?projection=custom");
    assert_eq!(none.refusal(), (400, "invalid".to_owned()));
}

#[test]
fn a_group_counts_its_direct_users_in_a_text() {
    let double = GoogleDouble::start();
    double.with(|state| {
        state.add_user("a@example.com");
        state.add_group("g@example.com");
        state.add_group("child@example.com");
        state.add_foreign_user("guest@elsewhere.example");
        for member in [
            "a@example.com",
            "child@example.com",
            CUSTOMER,
            "guest@elsewhere.example",
        ] {
            state.add_member("g@example.com", member);
        }
        state.add_alias("g@example.com", "alias@example.com");
    });
    let caller = caller(&double);
    let group = caller.directory("groups/alias@example.com").json();
    assert_eq!(group["directMembersCount"], "2");
    assert_eq!(group["aliases"], json!(["alias@example.com"]));
    double.with(|state| {
        state.remove_member("g@example.com", "a@example.com");
        let group = state.group("g@example.com");
        group.raw.insert("directMembersCount".to_owned(), 9.into());
        group.omit.insert("description".to_owned());
    });
    let group = caller.directory("groups/g@example.com").json();
    assert_eq!(
        (&group["directMembersCount"], group.get("description")),
        (&json!(9), None)
    );
    // What is put there by hand is held against the description like everything else.
    assert_eq!(double.take_violations().len(), 1);
}

#[test]
fn members_are_listed_as_they_were_named() {
    let double = GoogleDouble::start();
    let (user, foreign, customer) = double.with(|state| {
        let user = state.add_user("a@example.com");
        state.add_alias("a@example.com", "alias@example.com");
        state.add_user("b@example.com");
        state.add_group("g@example.com");
        let foreign = state.add_foreign_group("theirs@elsewhere.example");
        for member in [
            "alias@example.com",
            CUSTOMER,
            "theirs@elsewhere.example",
            "b@example.com",
        ] {
            state.add_member("g@example.com", member);
        }
        state.member("g@example.com", "b@example.com").status = None;
        (user, foreign, state.customer.clone())
    });
    let caller = caller(&double);
    let mask = "members(id,email,type,status,role)";
    let shown = caller.directory(&format!("groups/g@example.com/members?fields={mask}"));
    let shown = shown.json()["members"].clone();
    let b = double.with(|state| state.user("b@example.com").id.clone());
    let expect = json!([
        { "id": user, "email": "alias@example.com", "type": "USER", "status": "ACTIVE", "role": "MEMBER" },
        { "id": customer, "type": "CUSTOMER", "role": "MEMBER" },
        { "id": foreign, "email": "theirs@elsewhere.example", "type": "GROUP", "status": "ACTIVE", "role": "MEMBER" },
        { "id": b, "email": "b@example.com", "type": "USER", "role": "MEMBER" },
    ]);
    assert_eq!(shown, expect);
    for key in [
        "a@example.com",
        "alias@example.com",
        "ALIAS@example.com",
        &user,
    ] {
        let member = caller.directory(&format!("groups/g%40example.com/members/{key}"));
        assert_eq!(member.json()["email"], "alias@example.com", "{key}");
    }
    for key in [customer.as_str(), "theirs@elsewhere.example"] {
        let member = caller.directory(&format!("groups/g@example.com/members/{key}"));
        assert_eq!(member.status, 200, "{key}");
    }
    let nobody = caller.directory("groups/g@example.com/members/nobody@example.com");
    assert_eq!(nobody.refusal(), (404, "notFound".to_owned()));
}

#[test]
fn what_is_of_others_is_forbidden_and_what_is_nobodys_is_not_found() {
    let double = GoogleDouble::start();
    let id = double.with(|state| {
        state.add_user("a@example.com");
        state.add_foreign_user("guest@elsewhere.example");
        state.add_foreign_group("theirs@elsewhere.example")
    });
    let caller = caller(&double);
    for (rest, status) in [
        ("users/guest@elsewhere.example", 403),
        ("groups/theirs@elsewhere.example", 403),
        (&format!("groups/{id}"), 403),
        (&format!("groups/{id}/members"), 403),
        ("users/nobody@example.com", 404),
        ("groups/nobody@example.com", 404),
        ("groups/a@example.com", 404),
        ("groups/nobody@example.com/members", 404),
    ] {
        let reason = if status == 403 {
            "forbidden"
        } else {
            "notFound"
        };
        assert_eq!(
            caller.directory(rest).refusal(),
            (status, reason.to_owned()),
            "{rest}"
        );
    }
}

#[test]
fn a_rename_keeps_the_id_and_leaves_an_alias() {
    let double = GoogleDouble::start();
    let (user, group) = double.with(|state| {
        let user = state.add_user("a@example.com");
        let group = state.add_group("g@example.com");
        state.add_group("h@example.com");
        state.add_member("g@example.com", "a@example.com");
        state.add_member("h@example.com", "g@example.com");
        state.rename("a@example.com", "b@example.com");
        state.rename("g@example.com", "i@example.com");
        (user, group)
    });
    let caller = caller(&double);
    for key in ["a@example.com", "b@example.com"] {
        let shown = caller.directory(&format!("users/{key}")).json();
        assert_eq!(
            (&shown["id"], &shown["primaryEmail"]),
            (&json!(user), &json!("b@example.com"))
        );
        assert_eq!(shown["aliases"], json!(["a@example.com"]));
    }
    let shown = caller.directory("groups/g@example.com").json();
    assert_eq!(
        (&shown["id"], &shown["email"]),
        (&json!(group), &json!("i@example.com"))
    );
    let members = |group: &str| {
        let shown = caller.directory(&format!("groups/{group}/members")).json();
        texts(&shown["members"], "email")
    };
    assert_eq!(members("i@example.com"), ["b@example.com"]);
    assert_eq!(members("h@example.com"), ["i@example.com"]);
    // Back again: the alias is the address, and the address the alias.
    double.with(|state| state.rename(&user, "a@example.com"));
    let shown = caller.directory(&format!("users/{user}")).json();
    assert_eq!(shown["aliases"], json!(["b@example.com"]));
}

#[test]
fn a_removed_user_is_gone_and_its_address_free() {
    let double = GoogleDouble::start();
    let (old, new) = double.with(|state| {
        let old = state.add_user("a@example.com");
        state.add_group("g@example.com");
        state.add_member("g@example.com", "a@example.com");
        state.remove("a@example.com");
        (old, state.add_user("a@example.com"))
    });
    assert_ne!(old, new);
    let caller = caller(&double);
    assert_eq!(caller.directory(&format!("users/{old}")).status, 404);
    assert_eq!(
        caller.directory("users/a@example.com").json()["id"],
        json!(new)
    );
    assert_eq!(
        caller
            .directory("groups/g@example.com/members")
            .json()
            .get("members"),
        None
    );
    let deleted = caller
        .directory("users?customer=my_customer&showDeleted=true")
        .json();
    assert_eq!(texts(&deleted["users"], "id"), [old]);
    assert_eq!(texts(&deleted["users"], "deletionTime").len(), 1);
}

#[test]
fn an_address_that_is_changed_by_hand_is_known_by_it() {
    let double = GoogleDouble::start();
    let caller = caller(&double);
    double.with(|state| {
        state.add_user("a@example.com");
        state.add_group("g@example.com");
        state.user("a@example.com").primary_email = "quo'te@example.com".to_owned();
        state.add_member("g@example.com", "quo'te@example.com");
    });
    assert_eq!(caller.directory("users/quo%27te%40example.com").status, 200);
    assert_eq!(caller.directory("users/a@example.com").status, 404);
    double.with(|state| {
        state.user("quo'te@example.com").primary_email = "b@example.com".to_owned();
        state.add_group("quo'te@example.com");
        state.remove("g@example.com");
        state.add_foreign_group("g@example.com");
        state.remove("g@example.com");
    });
    for (rest, status) in [
        ("users/b@example.com", 200),
        ("groups/quo%27te%40example.com", 200),
        ("groups/g@example.com", 404),
    ] {
        assert_eq!(caller.directory(rest).status, status, "{rest}");
    }
}
