use serde_json::json;

use super::*;
use crate::model::RecordsBuilder;
use crate::wire::google::Object;

fn naming(username: &str, group_name: &str) -> Naming {
    Naming {
        username: username.parse().unwrap(),
        group_name: group_name.parse().unwrap(),
        extra: vec!["orgUnitPath".to_owned(), "externalIds".to_owned()],
    }
}

fn user(more: &serde_json::Value) -> User {
    let mut all = json!({"id": "1", "primaryEmail": "Anna.B@x.example", "suspended": false, "archived": false});
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    User::from(Object::of(all))
}

fn records(fill: impl FnOnce(&mut RecordsBuilder)) -> Records {
    let mut builder = RecordsBuilder::default();
    fill(&mut builder);
    builder.finish()
}

#[test]
fn a_username_is_what_the_template_makes_of_the_user() {
    let schemas = json!({"customSchemas": {"Employee": {"login": "ab12"}}});
    let check = |template: &str, more: serde_json::Value, expect: &str| {
        let naming = naming(template, "{local}");
        let records = records(|it| naming.add_user(&user(&more), it));
        let found = match records.users.first() {
            Some(user) => records.text(user.username),
            None => records.text(records.rejected[0].reason),
        };
        assert!(found.contains(expect), "{template}: {found}");
    };
    check("{local}", json!({}), "Anna.B");
    check("{address}", json!({}), "Anna.B@x.example");
    check("{customSchemas.Employee.login}", schemas.clone(), "ab12");
    check("{local}.{domain}", json!({}), "Anna.B.x.example");
    check(
        "{local}",
        json!({"primaryEmail": "\"a@b\"@x.example"}),
        "\"a@b\"",
    );
    check(
        "{local}",
        json!({"primaryEmail": "jürgen@x.example"}),
        "jürgen",
    );
    check(
        "{customSchemas.Employee.login}",
        json!({}),
        "customSchemas.Employee.login",
    );
    check("{local}", json!({"primaryEmail": ""}), "no primary address");
    check("{local}", json!({"primaryEmail": 7}), "no primary address");
    check("{local}", json!({"id": 7}), "no stable id");
}

#[test]
fn a_user_brings_its_fields_and_the_attributes_that_are_wanted() {
    let anna = user(&json!({
        "name": {"fullName": "Anna B", "givenName": "Anna", "familyName": "B"},
        "orgUnitPath": "/Sales", "externalIds": [{"value": "7"}, {"value": "8"}], "isAdmin": true}));
    let records = records(|it| naming("{local}", "{local}").add_user(&anna, it));
    let it = &records.users[0];
    let texts = [
        it.id,
        it.display_name,
        it.given_name,
        it.family_name,
        it.email,
        it.handle,
    ];
    assert_eq!(
        texts.map(|it| records.text(it)),
        ["1", "Anna B", "Anna", "B", "Anna.B@x.example", "1"]
    );
    let values = |name| records.extra_values(0, name).collect::<Vec<_>>();
    assert_eq!(values("orgUnitPath"), ["/Sales"]);
    assert_eq!(values("externalIds"), ["7", "8"]);
    assert!(values("isAdmin").is_empty());
}

#[test]
fn who_is_suspended_or_archived_is_inactive_and_a_missing_flag_says_nothing() {
    let check = |suspended: Option<bool>, archived: Option<bool>, expect: Status| {
        let user = User {
            suspended,
            archived,
            ..User::default()
        };
        assert_eq!(status(&user), expect, "{suspended:?} {archived:?}");
    };
    check(Some(false), Some(false), Status::Active);
    check(Some(true), Some(false), Status::Inactive);
    check(Some(false), Some(true), Status::Inactive);
    check(Some(true), None, Status::Inactive);
    check(None, Some(true), Status::Inactive);
    check(Some(false), None, Status::Unknown);
    check(None, Some(false), Status::Unknown);
    check(None, None, Status::Unknown);
}

#[test]
fn a_group_is_named_by_the_template_and_rejected_without_an_address() {
    let check = |template: &str, email: &str, expect: &str| {
        let group = Group {
            id: "01g".to_owned(),
            email: email.to_owned(),
            name: "Engineers".to_owned(),
            ..Group::default()
        };
        let records = records(|it| {
            naming("{local}", template).add_group(&group, it);
        });
        let found = match records.groups.first() {
            Some(group) => records.text(group.name),
            None => records.text(records.rejected[0].reason),
        };
        assert_eq!(found, expect, "{template}");
    };
    check("{local}", "Eng@x.example", "Eng");
    check("{address}", "eng@x.example", "eng@x.example");
    check("{name}", "eng@x.example", "Engineers");
    check("{local}", "", "it has no address");
}

#[test]
fn a_pattern_that_fits_nothing_makes_the_group_that_it_named_unknown() {
    let check = |template: &str, pattern: &str, expect: &str| {
        let records = records(|it| naming("{local}", template).reject_pattern(pattern, it));
        let it = &records.rejected[0];
        assert_eq!(records.text(it.key), expect, "{template} {pattern}");
        assert!(records.text(it.label).contains(pattern));
    };
    check("{local}", "Eng@x.example", "eng");
    check("{address}", "eng@x.example", "eng@x.example");
    check("{name}", "eng@x.example", "eng@x.example");
    check("{local}", "support-*@x.example", "support-*");
}

#[test]
fn what_is_kept_is_as_it_was_and_unknown() {
    let anna = user(
        &json!({"name": {"fullName": "Anna B"}, "suspended": true, "externalIds": [{"value": "7"}, {"value": "8"}]}),
    );
    let group = Group {
        id: "01g".to_owned(),
        email: "eng@x.example".to_owned(),
        description: "d".to_owned(),
        ..Group::default()
    };
    let naming = naming("{local}", "{local}");
    let before = records(|it| {
        naming.add_user(&anna, it);
        naming.add_group(&group, it);
    });
    let kept = records(|it| {
        keep_user(&before, 0, it);
        keep_group(&before, 0, it);
    });
    let (user, group) = (&kept.users[0], &kept.groups[0]);
    assert!(user.unknown && group.unknown && user.status == Status::Inactive);
    let texts = [
        user.id,
        user.username,
        user.display_name,
        user.email,
        user.handle,
    ];
    assert_eq!(
        texts.map(|it| kept.text(it)),
        ["1", "Anna.B", "Anna B", "Anna.B@x.example", "1"]
    );
    assert_eq!(
        kept.extra_values(0, "externalIds").collect::<Vec<_>>(),
        ["7", "8"]
    );
    let texts = [group.id, group.name, group.description, group.handle];
    assert_eq!(texts.map(|it| kept.text(it)), ["01g", "eng", "d", "01g"]);
}
