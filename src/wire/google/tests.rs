use super::*;

#[test]
fn an_empty_list_has_no_key_and_a_last_page_no_token() {
    let page = read_members(br#"{"kind":"admin#directory#members","etag":"\"x\""}"#).unwrap();
    assert_eq!((page.items, page.next), (None, None));
    let page = read_members(br#"{"members":[],"nextPageToken":"t"}"#).unwrap();
    assert_eq!(
        (page.items, page.next.as_deref()),
        (Some(vec![]), Some("t"))
    );
    let page = read_users(br#"{"users":null,"nextPageToken":""}"#).unwrap();
    assert_eq!((page.items, page.next), (None, None));
}

#[test]
fn what_is_no_page_is_told_apart() {
    fn check(body: &str, expect: &str) {
        let fault = read_groups(body.as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(expect), "{body}: {fault}");
    }
    check("{\"groups\":[{\"id\":", "no JSON, or was cut");
    check("<html>", "no JSON, or was cut");
    check("[]", "no object");
    check("{\"groups\":{}}", "no list");
    check("{\"nextPageToken\":7}", "no page");
    check(
        "{\"error\":{\"code\":403}}",
        "no page, though it reports success",
    );
}

#[test]
fn a_user_is_read_whatever_odd_values_stand_in_it() {
    let body = br#"{"users":[
        {"id":"1","primaryEmail":"Anna@example.com","name":{"fullName":"Anna B","givenName":"Anna","familyName":"B"},
         "suspended":false,"archived":true,"aliases":["a@example.com"],"nonEditableAliases":["a@x.test"],
         "externalIds":[{"value":"7","type":"organization"},{"type":"custom"},"8"],"orgUnitPath":"/Sales",
         "customSchemas":{"Employee":{"login":"ab","teams":[{"value":"x"},{"value":"y"}],"number":12}}},
        {"id":7,"primaryEmail":["x"],"name":"Anna","suspended":"no","aliases":"a"},
        3]}"#;
    let users = read_users(body).unwrap().items.unwrap();
    let anna = &users[0];
    assert_eq!(
        (
            anna.id.as_str(),
            anna.full_name.as_str(),
            anna.suspended,
            anna.archived
        ),
        ("1", "Anna B", Some(false), Some(true))
    );
    assert_eq!(anna.aliases, ["a@example.com", "a@x.test"]);
    let check =
        |path: &str, expect: &[&str]| assert_eq!(anna.object.values(path), expect, "{path}");
    check("orgUnitPath", &["/Sales"]);
    check("archived", &["true"]);
    check("externalIds", &["7", "8"]);
    check("externalIds.type", &["organization", "custom"]);
    check("customSchemas.Employee.login", &["ab"]);
    check("customSchemas.Employee.teams", &["x", "y"]);
    check("customSchemas.Employee.number", &["12"]);
    check("customSchemas.Other.login", &[]);
    check("name", &[]);
    let odd = &users[1];
    assert_eq!(
        (odd.id.as_str(), odd.primary_email.as_str(), odd.suspended),
        ("", "", None)
    );
    assert_eq!(odd.aliases, ["a"]);
    assert_eq!(users[2], User::default());
}

#[test]
fn counts_of_groups_are_texts_and_members_may_say_little() {
    let body = br#"{"groups":[{"id":"g","email":"g@x","directMembersCount":"12"},{"id":"h","directMembersCount":12}]}"#;
    let groups = read_groups(body).unwrap().items.unwrap();
    assert_eq!(
        (groups[0].direct_users, groups[1].direct_users),
        (Some(12), None)
    );
    let body = br#"{"members":[{"id":"C01","type":"CUSTOMER","role":"MEMBER"},{"id":"1","type":"EXTERNAL"},{"email":"x@y"}]}"#;
    let members = read_members(body).unwrap().items.unwrap();
    let kinds: Vec<MemberKind> = members.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [MemberKind::Customer, MemberKind::Other, MemberKind::Other]
    );
    assert_eq!(members[2].email, "x@y");
}

#[test]
fn an_activity_is_every_text_in_its_parameters() {
    let body = br#"{"items":[{"id":{"time":"2026-11-22T10:00:00Z"},"events":[{"name":"add_member","parameters":[
        {"name":"group_id","value":"g@x"},{"name":"n","intValue":"4"},{"name":"m","multiValue":["a","b"]}]}]}]}"#;
    let items = read_activities(body).unwrap().items.unwrap();
    assert_eq!(items[0].texts, ["g@x", "a", "b"]);
}

#[test]
fn one_user_or_group_has_an_id() {
    assert_eq!(read_user(br#"{"id":"1"}"#).unwrap().id, "1");
    assert!(read_user(b"{}").is_err());
    assert_eq!(read_group(br#"{"id":"g"}"#).unwrap().id, "g");
    assert!(read_group(br#"{"email":"g@x"}"#).is_err());
    assert!(
        read_user(br#"{"id":"1","deletionTime":"2026-11-01T00:00:00Z"}"#)
            .unwrap()
            .is_deleted
    );
}
