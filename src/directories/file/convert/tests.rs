use std::fmt::Write as _;

use super::*;
use crate::model::{Kind, Status, StrId};

/// 2026-11-21T22:00:00Z.
const NOW: Timestamp = Timestamp(1_795_298_400);

fn form(path: &str, further: &[&str]) -> Form {
    let config: FileConfig =
        serde_yaml::from_str(&format!("{{ path: {path}, attributes: [phone] }}")).unwrap();
    let further: Vec<String> = further.iter().map(|it| (*it).to_owned()).collect();
    Form::new(config.format().unwrap(), &config, &further)
}

fn read(path: &str, text: &str) -> Records {
    convert(text, &form(path, &["nr"]), NOW).unwrap().records
}

#[track_caller]
fn check_fault(path: &str, text: &str, expect: &str) {
    match convert(text, &form(path, &[]), NOW) {
        Ok(_) => panic!("it was read: {text}"),
        Err(fault) => assert!(fault.contains(expect), "{fault}"),
    }
}

/// Everything that records say, a line each, for comparing.
fn lines(records: &Records) -> Vec<String> {
    let text = |id: StrId| records.text(id);
    let mut lines = Vec::new();
    for (index, it) in records.users.iter().enumerate() {
        let fields = [
            it.id,
            it.username,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
        ]
        .map(text);
        let status = if it.status == Status::Active {
            ""
        } else {
            "|off"
        };
        let kind = it.kind.map_or(String::new(), |it: Kind| format!("|{it:?}"));
        let nr: Vec<&str> = records.extra_values(index as u32, "nr").collect();
        let nr = if nr.is_empty() {
            String::new()
        } else {
            format!("|nr {}", nr.join("+"))
        };
        lines.push(format!("user {}{status}{kind}{nr}", fields.join("|")));
    }
    for (index, it) in records.groups.iter().enumerate() {
        let fields = [it.id, it.name, it.description].map(text).join("|");
        let users: Vec<&str> = records
            .members
            .row(index)
            .iter()
            .map(|at| text(records.users[*at as usize].key))
            .collect();
        let groups: Vec<&str> = records
            .children
            .row(index)
            .iter()
            .map(|at| text(records.groups[*at as usize].key))
            .collect();
        let unknown = if it.unknown { "|unknown" } else { "" };
        lines.push(format!(
            "group {fields}|{}|{}{unknown}",
            users.join("+"),
            groups.join("+")
        ));
    }
    for it in &records.references {
        lines.push(format!(
            "loose {} in {}",
            text(it.handle),
            text(records.groups[it.group as usize].key)
        ));
    }
    for it in &records.rejected {
        let fields = [it.id, it.key, it.label, it.reason].map(text).join("|");
        lines.push(format!("rejected {:?} {fields}", it.what));
    }
    lines
}

#[track_caller]
fn check(path: &str, text: &str, expect: &[&str]) {
    assert_eq!(lines(&read(path, text)), expect, "{text}");
}

const STAFF: &str = r#"# The staff.
users:
  - username: Ann
    display_name: Ann Lee
    given_name: Ann
    family_name: Lee
    email: ann@example.com
    id: 7
    groups: [staff, Admins]
  - { username: ben, active: false, kind: service, nr: 12, phone: "1" }
groups:
  - name: Staff
    id: g1
    description: All of us
    users: [ben, ANN, gone, Gone]
    groups: [interns]
"#;

const STAFF_LINES: [&str; 6] = [
    "user 7|Ann|Ann Lee|Ann|Lee|ann@example.com",
    "user ben|ben|||||off|Service|nr 12",
    "group g1|Staff|All of us|ann+ben|interns",
    "group admins|Admins||ann|",
    "group interns|interns|||",
    "loose gone in staff",
];

#[test]
fn yaml_says_users_and_groups() {
    check("people.yaml", STAFF, &STAFF_LINES);
    check(
        "people.yaml",
        &format!("\u{feff}---\n{}", STAFF.replace('\n', "\r\n")),
        &STAFF_LINES,
    );
}

#[test]
fn json_says_the_same() {
    let json = r#"{ "users": [
	{"username": "Ann", "display_name": "Ann Lee", "given_name": "Ann", "family_name": "Lee", "email": "ann@example.com",
	 "id": "7", "groups": ["staff", "Admins"]},
	{"username": "ben", "active": false, "kind": "service", "nr": 12, "phone": null}],
 "groups": [{"name": "Staff", "id": "g1", "description": "All of us", "users": ["ben", "ANN", "gone"], "groups": ["interns"]}]}"#;
    check("people.json", json, &STAFF_LINES);
    check(
        "people.json",
        r#"{"users": [{"username": "\u00e9\ud83d\ude00\/"}]}"#,
        &["user é😀/|é😀/||||"],
    );
}

#[test]
fn csv_says_a_user_a_row() {
    let text = "username,display_name,email,active,kind,groups,nr,phone\n\
                Ann,\"Lee, \"\"Ann\"\"\",ann@example.com,,,staff; Admins;,7,\n\
                \n\
                ben,,,no,service,,,1\n";
    let expect = [
        "user ann|Ann|Lee, \"Ann\"|||ann@example.com|nr 7",
        "user ben|ben|||||off|Service",
        "group staff|staff||ann|",
        "group admins|Admins||ann|",
    ];
    check("people.csv", text, &expect);
    check("people.csv", &text.replace('\n', "\r\n"), &expect);
}

#[test]
fn ldif_goes_through_the_mapping() {
    let text = "dn: dc=x\nobjectClass: domain\ndc: x\n\ndn: uid=ann,dc=x\nobjectClass: person\nuid: Ann\nNR: 7\n\n\
                dn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: staff\nmember: UID=ann, DC=x\nmember: ?\n";
    let config = serde_yaml::from_str::<FileConfig>("path: people.ldif").unwrap();
    let form = Form::new(Format::Ldif, &config, &["nr".to_owned()]);
    let converted = convert(text, &form, NOW).unwrap();
    assert_eq!(
        lines(&converted.records),
        [
            "user uid=ann,dc=x|Ann|||||nr 7",
            "group cn=staff,dc=x|staff||ann||unknown"
        ],
    );
    assert_eq!(
        converted.notes,
        [
            "neither users nor groups by their object classes: 1 entry",
            "members that could not be read, so that their groups take no membership away: 1",
        ],
    );
}

#[test]
fn a_bad_record_is_rejected_with_its_line_and_field_and_the_rest_goes_on() {
    for (user, expect) in [
        (
            "{ display_name: x }",
            "||people.yaml:3|`username` is missing",
        ),
        (
            "{ username: , id: 7 }",
            "7||people.yaml:3|`username` is missing",
        ),
        (
            "{ id: 7, username: a, active: maybe }",
            "7|a|people.yaml:3|`active` must be true or false",
        ),
        (
            "{ active: 3, username: A }",
            "a|a|people.yaml:3|`active` must be true or false",
        ),
        (
            "{ username: 12 }",
            "||people.yaml:3|`username` must be text, not a number; put it in quotes",
        ),
        (
            "{ username: 0x1F }",
            "||people.yaml:3|`username` must be text, not a number; put it in quotes",
        ),
        (
            "{ id: 7, username: +31 }",
            "7||people.yaml:3|`username` must be text, not a number; put it in quotes",
        ),
        (
            "{ username: true }",
            "||people.yaml:3|`username` must be text, not true or false; put it in quotes",
        ),
        (
            "{ username: [a] }",
            "||people.yaml:3|`username` must be text, not a list or a mapping",
        ),
        (
            "{ username: a, email: 1.5 }",
            "a|a|people.yaml:3|`email` must be text, not a number; put it in quotes",
        ),
        (
            "{ username: a, kind: bot }",
            "a|a|people.yaml:3|`kind` must be `person`, `service` or `customer`",
        ),
        (
            "{ username: a, groups: staff }",
            "a|a|people.yaml:3|`groups` must be a list",
        ),
        (
            "{ username: a, groups: [1] }",
            "a|a|people.yaml:3|`groups` must be a list of texts; put numbers in quotes",
        ),
        (
            "{ username: a, groups: [' x'] }",
            "a|a|people.yaml:3|`groups` holds a name that is none: the name begins or ends with white space",
        ),
        (
            "{ username: a, groups: [''] }",
            "a|a|people.yaml:3|`groups` must not hold empty items",
        ),
        (
            "{ username: a, nr: { b: c } }",
            "a|a|people.yaml:3|`nr` must not be a mapping",
        ),
        (
            "{ username: ' a' }",
            "a|a|people.yaml:3|`username`: the name begins or ends with white space",
        ),
        (
            "{ username: a, emial: x }",
            "a|a|people.yaml:3|`emial` is not a field of a user; did you mean `email`?",
        ),
        (
            "{ username: a, shoe_size: x }",
            "a|a|people.yaml:3|`shoe_size` is not a field of a user; name it under `attributes` to allow it",
        ),
        (
            "{ username: a, email: x, email: y }",
            "a|a|people.yaml:3|`email` stands twice",
        ),
        (
            "ann",
            "ann|ann|people.yaml:3|a user must be a mapping with a `username`",
        ),
        (
            "[ann]",
            "||people.yaml:3|a user must be a mapping with a `username`",
        ),
    ] {
        let text = format!("users:\n- username: first\n- {user}\n- username: last\n");
        let expect = format!("rejected User {expect}");
        check(
            "people.yaml",
            &text,
            &["user first|first||||", "user last|last||||", &expect],
        );
    }
}

#[test]
fn a_user_with_two_usernames_is_unknown_under_both() {
    check(
        "people.yaml",
        "users:\n- username: ann\n  username: ben\n  groups: [staff]\n",
        &[
            "group staff|staff|||",
            "loose ann in staff",
            "loose ben in staff",
            "rejected User ann|ann|people.yaml:2|`username` stands twice",
            "rejected User ben|ben|people.yaml:2|`username` stands twice",
        ],
    );
}

#[test]
fn a_second_username_that_cannot_be_told_may_be_anybody() {
    for (name, why) in [
        ("0x1F", "must be text, not a number; put it in quotes"),
        ("\"b\\a\"", "stands twice"),
    ] {
        check(
            "people.yaml",
            &format!("users:\n- username: ann\n  username: {name}\n  groups: [staff]\n"),
            &[
                "group staff|staff|||",
                "loose ann in staff",
                &format!("rejected User ann|ann|people.yaml:2|`username` {why}"),
                &format!("rejected User ||people.yaml:2|`username` {why}"),
            ],
        );
    }
}

#[test]
fn a_bad_group_is_rejected_and_unknown_where_it_is_named() {
    for (group, expect) in [
        (
            "{ name: Staff, users: ann }",
            "staff|staff|people.yaml:4|`users` must be a list",
        ),
        (
            "{ name: Staff, id: 7, members: [] }",
            "7|staff|people.yaml:4|`members` is not a field of a group",
        ),
        (
            "{ name: Staff, usres: [] }",
            "staff|staff|people.yaml:4|`usres` is not a field of a group; did you mean `users`?",
        ),
        (
            "Staff",
            "staff|staff|people.yaml:4|a group must be a mapping with a `name`",
        ),
    ] {
        let text = format!("users:\n- {{ username: ann, groups: [staff] }}\ngroups:\n- {group}\n");
        let expect = format!("rejected Group {expect}");
        check(
            "people.yaml",
            &text,
            &[
                "user ann|ann||||",
                "group staff|staff||ann||unknown",
                &expect,
            ],
        );
    }
    check(
        "people.yaml",
        "users: []\ngroups:\n- { description: x }\n",
        &["rejected Group ||people.yaml:3|`name` is missing"],
    );
}

#[test]
fn two_records_of_one_group_are_one() {
    check(
        "people.yaml",
        "users: [{ username: ann, groups: [staff] }]\ngroups:\n- name: staff\n- { name: STAFF, users: [ann] }\n",
        &["user ann|ann||||", "group staff|STAFF||ann|"],
    );
}

#[test]
fn names_that_yaml_takes_for_something_else_stay_names() {
    for name in [
        "007",
        "1_000",
        "no",
        "yes",
        "on",
        "2024-01-01",
        "'12'",
        "\"true\"",
        ".inf",
    ] {
        let records = read("people.yaml", &format!("users:\n- username: {name}\n"));
        assert_eq!(
            records.text(records.users[0].username),
            name.trim_matches(['\'', '"']),
            "{name}"
        );
    }
}

#[test]
fn aliases_and_merge_keys_repeat_what_they_name() {
    check(
        "people.yaml",
        "users:\n- &base\n  username: ann\n  groups: &all [staff]\n- { username: ben, groups: *all }\n- { <<: *base, username: cid }\n",
        &[
            "user ann|ann||||",
            "user ben|ben||||",
            "user cid|cid||||",
            "group staff|staff||ann+ben+cid|",
        ],
    );
}

#[test]
fn more_users_than_a_configuration_has_are_read() {
    let mut text = "users:\n- &first { username: a, groups: &all [b] }\n".to_owned();
    for number in 0..51_000 {
        writeln!(text, "- {{ username: u{number}, groups: *all }}").unwrap();
    }
    assert_eq!(read("people.yaml", &text).users.len(), 51_001);
}

#[test]
fn a_text_that_is_no_whole_document_is_no_directory() {
    for (text, expect) in [
        ("\n \n", "nothing but blanks"),
        (
            "users:\n- username: ann\n- username: be",
            "does not end in a newline",
        ),
        ("users:\n- username: ann\n- username: \"be\n", "line 4: "),
        ("users:\n- username: ann\n- { username: ben, \n", "line 3"),
        ("users:\n\t- username: ann\n", "line 2"),
        ("users:\n", "line 1: a list must stand here"),
        ("users:\ngroups: []\n", "line 1: a list must stand here"),
        ("users: ~\n", "line 1: a list must stand here"),
        ("users: {}\n", "line 1"),
        ("users: ann\n", "line 1"),
        ("[]\n", "line 1: a mapping must stand here"),
        ("ann\n", "line 1"),
        ("# nobody\n", "line 2: unexpected end of file"),
        ("groups: []\n", "`users` is missing"),
        (
            "user: []\n",
            "line 1: unknown key `user`; did you mean `users`?",
        ),
        ("users: []\nusers: []\n", "line 2: `users` stands twice"),
        ("users: []\n---\nusers: []\n", "document"),
        ("users: *x\n", "line 1"),
        ("{ users: [{ username: ann }", "line 1"),
        ("{ \"users\": [{ \"username\": \"ann\" }], \"gro", "line 1"),
        (
            "users: [[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]\n",
            "too complex",
        ),
    ] {
        check_fault("people.yaml", text, expect);
    }
    check_fault(
        "people.json",
        "[{\"username\": \"ann\"}",
        "does not end in a newline",
    );
    check_fault("people.json", "[{\"username\": \"ann\"}]\n", "line 1");
}

#[test]
fn faults_show_no_values() {
    for text in [
        "users: ann-secret\n",
        "users:\n- a\n\tann-secret\n",
        "users: { ann-secret: 1 }\n",
        "- ann-secret\n",
        "ann-secret\n",
    ] {
        let fault = convert(text, &form("people.yaml", &[]), NOW).unwrap_err();
        assert!(
            !fault.contains("secret") && !fault.contains('\n'),
            "{fault}"
        );
    }
}

#[test]
fn a_table_that_is_not_whole_is_no_directory() {
    let head = "username,display_name,groups\nann,Ann,staff\n";
    for (rows, expect) in [
        ("ben,Ben", "does not end in a newline"),
        (
            "ben,Ben\n",
            "line 3: the last row has 2 columns, the header 3: the file was cut",
        ),
        (
            "ben,Ben\n\n\r\n",
            "line 3: the last row has 2 columns, the header 3: the file was cut",
        ),
        (
            "ben,\"Ben,staff\ncid,Cid,staff\n",
            "line 3: a line break stands in `display_name`",
        ),
        (
            "ben,Ben,\"staff\ncid,Cid,staff\n",
            "line 3: a line break stands in `groups`",
        ),
        (
            "ben,\"Ben,staff\ncid,\"Cid\",staff\n",
            "line 3: a line break stands in `display_name`",
        ),
    ] {
        check_fault("people.csv", &format!("{head}{rows}"), expect);
    }
    for (header, expect) in [
        (
            "user_name,email",
            "line 1: unknown column `user_name`; did you mean `username`?",
        ),
        (
            "username,e-mail",
            "line 1: unknown column `e-mail`; did you mean `email`?",
        ),
        (
            "username;display_name",
            "line 1: unknown column `username;display_name`; columns are parted by commas",
        ),
        (
            "username,email,email",
            "line 1: the column `email` stands twice",
        ),
        ("email", "line 1: the column `username` is missing"),
    ] {
        check_fault("people.csv", &format!("{header}\n"), expect);
    }
}

#[test]
fn a_row_of_another_width_in_the_middle_shows_neither_a_name_nor_an_id() {
    check(
        "people.csv",
        "username,email,id\nann,x\nben,x,,,\ncid,x,9\n",
        &[
            "user 9|cid||||x",
            "rejected User ||people.csv:2|the row has 2 columns, the header 3",
            "rejected User ||people.csv:3|the row has 5 columns, the header 3",
        ],
    );
    // A comma that is not quoted shifts the cells; a quote that is closed too late swallows some.
    for (row, width) in [
        ("Berg, Anna,anna.b,a@x,staff", 5),
        ("anna.b,a@x,staff", 3),
        ("\"Berg,anna.b,\"a@x,staff", 2),
        ("Berg, \"Anna,anna.b,a@x,staff", 5),
    ] {
        check(
            "people.csv",
            &format!("display_name,username,email,groups\n{row}\n,cid,,\n"),
            &[
                "user cid|cid||||",
                &format!("rejected User ||people.csv:2|the row has {width} columns, the header 4"),
            ],
        );
    }
}

#[test]
fn an_ldif_that_is_not_whole_is_no_directory() {
    let ann = "dn: uid=ann,dc=x\nobjectClass: person\nuid: ann\n\n";
    check_fault(
        "people.ldif",
        &format!("{ann}dn: uid=ben,dc=x\nuid: be"),
        "the last line does not end",
    );
    check_fault(
        "people.ldif",
        &format!("{ann}dn: uid=ben,dc=x\n"),
        "nothing stands behind it: the file may be cut",
    );
    check_fault(
        "people.ldif",
        &format!("{ann}dn: uid=ben,dc=x\ncn:: QUJ\n"),
        "nothing stands behind it",
    );
    check_fault("people.ldif", "version: 2\n\n", "line 1");
    let config = serde_yaml::from_str::<FileConfig>("path: people.ldif").unwrap();
    let records = convert(
        &format!("dn: uid=ben,dc=x\nuid: ben\ncn:: QUJ\n\n{ann}"),
        &Form::new(Format::Ldif, &config, &[]),
        NOW,
    );
    assert_eq!(
        lines(&records.unwrap().records),
        [
            "user uid=ann,dc=x|ann||||",
            "rejected User uid=ben,dc=x|ben|people.ldif:1|line 3: the value of `cn` is not valid base64",
        ],
    );
}

#[test]
fn a_cut_within_a_line_is_never_read() {
    let csv = "username,display_name,groups\r\nann,\"Ann, Lee\",staff;admins\r\nben,Ben,staff\r\n";
    let ldif = "version: 1\n\ndn: uid=ann,dc=x\nobjectClass: person\nuid: ann\ncn:: QW5u\n w6k=\n\n# end\n";
    for (path, text) in [
        ("people.yaml", STAFF),
        ("people.csv", csv),
        ("people.ldif", ldif),
    ] {
        for cut in (1..text.len()).filter(|at| !text[..*at].ends_with('\n')) {
            assert!(
                convert(&text[..cut], &form_of(path), NOW).is_err(),
                "{path}: {}",
                &text[..cut]
            );
        }
    }
    let json = r#"{ "users": [{ "username": "ann", "groups": ["staff"] }] }"#;
    for cut in 1..json.len() {
        assert!(
            convert(&json[..cut], &form_of("people.json"), NOW).is_err(),
            "{}",
            &json[..cut]
        );
        let line = format!("{}\n", &json[..cut]);
        assert!(
            convert(&line, &form_of("people.json"), NOW).is_err(),
            "{line}"
        );
    }
}

/// A form without further attributes, which LDIF has no use for.
fn form_of(path: &str) -> Form {
    let config: FileConfig = serde_yaml::from_str(&format!("path: {path}")).unwrap();
    Form::new(config.format().unwrap(), &config, &[])
}
