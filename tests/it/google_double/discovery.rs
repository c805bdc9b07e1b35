//! What the description of the API catches.

use serde_json::{Value, json};

use crate::support::google_double::Discovery;

const USERS: &str = "/admin/directory/v1/users";
const GROUPS: &str = "/admin/directory/v1/groups";
const MEMBERS: &str = "/admin/directory/v1/groups/g%40example.com/members";
const ACTIVITIES: &str = "/admin/reports/v1/activity/users/all/applications";

#[test]
fn a_request_that_breaks_the_description_is_caught() {
    fn check(target: &str, expect: &[&str]) {
        let faults = Discovery::installed().request("GET", target);
        assert_eq!(faults, expect, "{target}");
    }
    let users = |query: &str| format!("{USERS}?customer=my_customer&{query}");
    check(&users("maxResults=500&projection=full"), &[]);
    check(
        &users("maxResults=501"),
        &["directory.users.list: maxResults=501 is above 500"],
    );
    check(
        &users("maxResults=0"),
        &["directory.users.list: maxResults=0 is below 1"],
    );
    check(
        &users("maxResults=many"),
        &["directory.users.list: maxResults=many is no number"],
    );
    check(
        &users("orderby=email"),
        &["directory.users.list: orderby is no parameter"],
    );
    check(
        &users("projection=all"),
        &["directory.users.list: projection=all is none of the choices"],
    );
    check(
        &users("customer=C1"),
        &["directory.users.list: customer stands there twice"],
    );
    check(
        &format!("{GROUPS}?customer=my_customer&maxResults=500"),
        &["directory.groups.list: maxResults=500 is above 200"],
    );
    check(&format!("{MEMBERS}?maxResults=200&prettyPrint=false"), &[]);
    check(
        &format!("{MEMBERS}?maxResults=201"),
        &["directory.members.list: maxResults=201 is above 200"],
    );
    check(
        &format!("{MEMBERS}?includeDerivedMembership=1"),
        &["directory.members.list: includeDerivedMembership=1 is neither true nor false"],
    );
    check(
        &format!("{MEMBERS}?quotaUser={}", "x".repeat(41)),
        &["directory.members.list: quotaUser is longer than 40"],
    );
    check(
        &format!("{ACTIVITIES}/groups_enterprise?startTime=2026-11-22T10:00:00.000Z"),
        &[],
    );
    check(
        &format!("{ACTIVITIES}/group?startTime=yesterday"),
        &[
            "reports.activities.list: applicationName=group is none of the choices",
            "reports.activities.list: startTime=yesterday has another form",
        ],
    );
    check(
        "/admin/directory/v1/user",
        &["there is no GET /admin/directory/v1/user"],
    );
}

#[test]
fn a_mask_names_fields_that_there_are() {
    fn check(mask: &str, expect: &[&str]) {
        let target = format!("{USERS}?customer=my_customer&fields={mask}");
        let faults = Discovery::installed().request("GET", &target);
        let faults: Vec<&str> = faults
            .iter()
            .map(|it| it.strip_prefix("directory.users.list: ").unwrap())
            .collect();
        assert_eq!(faults, expect, "{mask}");
    }
    check(
        "nextPageToken,users(id,name/givenName,emails/address,customSchemas/hr/number)",
        &[],
    );
    check("*,users/*", &[]);
    check("nextpagetoken", &["fields.nextpagetoken is no field"]);
    check(
        "users(id,mail,name(first))",
        &[
            "fields.users.mail is no field",
            "fields.users.name.first is no field",
        ],
    );
    check("users(id", &["fields: a bracket is not closed"]);
    check("users(id))", &["fields: `)` does not belong here"]);
    check("users(,id)", &["fields: a name is missing before `,id)`"]);
}

#[test]
fn an_answer_that_breaks_the_description_is_caught() {
    fn check(target: &str, body: &Value, expect: &[&str]) {
        let faults = Discovery::installed().response("GET", target, body);
        assert_eq!(faults, expect, "{body}");
    }
    check(
        USERS,
        &json!({ "users": [{ "id": "1", "emails": 7, "customSchemas": { "a": { "b": [] } } }] }),
        &[],
    );
    check(
        USERS,
        &json!({ "users": [{ "id": "1" }, { "aliases": "a@example.com" }] }),
        &["directory.users.list: answer.users[1].aliases is \"a@example.com\", which is no array"],
    );
    check(
        USERS,
        &json!({ "users": [{ "suspended": "no", "creationTime": "today" }] }),
        &[
            "directory.users.list: answer.users[0].creationTime is no moment",
            "directory.users.list: answer.users[0].suspended is \"no\", which is no boolean",
        ],
    );
    check(
        GROUPS,
        &json!({ "groups": [{ "directMembersCount": 7 }, { "directMembersCount": "seven" }] }),
        &[
            "directory.groups.list: answer.groups[0].directMembersCount is 7, which is no string",
            "directory.groups.list: answer.groups[1].directMembersCount is no number",
        ],
    );
    check(
        MEMBERS,
        &json!({ "members": [{ "kind": "k", "name": "a" }] }),
        &["directory.members.list: answer.members[0].name is no field"],
    );
    check(
        &format!("{ACTIVITIES}/admin"),
        &json!({ "items": [{ "networkInfo": { "ipAsn": [4_294_967_296_i64] } }] }),
        &["reports.activities.list: answer.items[0].networkInfo.ipAsn[0] is too large"],
    );
}
