use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::wire::ldap::presets::Preset;
use crate::wire::ldap::status::ActiveRule;

/// What an LDIF text gives by the OpenLDAP mapping; labels are line numbers.
fn gather(text: &str, further: &[&str]) -> Records {
    let mapping = Mapping::openldap();
    let further: Vec<String> = further.iter().map(|it| (*it).to_owned()).collect();
    let mut gatherer = Gatherer::new(&mapping, &further, Timestamp(0));
    for record in ldif::parse(text.as_bytes()).unwrap() {
        match record {
            Err(broken) => gatherer.broken(
                &broken.known,
                &broken.known.line.to_string(),
                &broken.fault.to_string(),
            ),
            Ok(entry) => {
                for kind in gatherer.kinds(&entry) {
                    match kind {
                        RecordKind::User => gatherer.user(&entry, &entry.line.to_string()),
                        RecordKind::Group => gatherer.group(&entry, &entry.line.to_string()),
                    }
                }
            }
        }
    }
    gatherer.finish()
}

fn users(records: &Records) -> Vec<String> {
    let text = |id| records.text(id);
    let line = |it: &crate::model::UserRecord| {
        let fields = [
            it.id,
            it.username,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
            it.handle,
        ];
        fields.map(text).join("|")
    };
    records.users.iter().map(line).collect()
}

fn groups(records: &Records) -> Vec<String> {
    let line = |index: usize| {
        let it = &records.groups[index];
        let names = |row: &[u32], name: &dyn Fn(usize) -> StrId| {
            row.iter()
                .map(|at| records.text(name(*at as usize)).to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        let users = names(records.members.row(index), &|at| records.users[at].key);
        let children = names(records.children.row(index), &|at| records.groups[at].key);
        let unknown = if it.unknown { "|unknown" } else { "" };
        format!(
            "{}|{}|{users}|{children}{unknown}",
            records.text(it.name),
            records.text(it.description)
        )
    };
    (0..records.groups.len()).map(line).collect()
}

fn rejected(records: &Records) -> Vec<String> {
    let text = |id| records.text(id);
    let line = |it: &crate::model::Rejected| {
        let fields = [it.id, it.key, it.handle, it.label, it.reason]
            .map(text)
            .join("|");
        format!("{:?}|{fields}", it.what)
    };
    records.rejected.iter().map(line).collect()
}

const ANN: &str =
    "dn: UID=Ann, OU=People,dc=x\nobjectClass: inetOrgPerson\nuid: Ann\ncn: Ann Lee\n";

#[test]
fn a_user_is_read_by_the_mapping() {
    let records = gather(
        &format!(
            "{ANN}displayName: Ann L.\ngivenName: Ann\nsn: Lee\nmail: ann@x\nmail: lee@x\nentryUUID: 77\n"
        ),
        &[],
    );
    assert_eq!(
        users(&records),
        ["77|Ann|Ann L.|Ann|Lee|ann@x|uid=ann,ou=people,dc=x"]
    );
}

#[test]
fn what_is_missing_has_a_stand_in_or_is_empty() {
    let records = gather(&format!("{ANN}displayName:: IA==\n"), &[]);
    assert_eq!(
        users(&records),
        ["uid=ann,ou=people,dc=x|Ann|Ann Lee||||uid=ann,ou=people,dc=x"]
    );
}

#[test]
fn members_are_found_by_any_spelling_of_their_name() {
    let records = gather(
        &format!(
            "{ANN}\ndn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: Staff\ndescription: All\n\
             member: uid = ANN,ou=people,dc=x\nmember: cn=devs,dc=x\nmember: cn=gone,dc=y\nmember:\n\n\
             dn: cn=Devs,dc=x\nobjectClass: groupOfUniqueNames\ncn: devs\n\
             uniqueMember: uid=ann,ou=people,dc=x#'0101'B\n",
        ),
        &[],
    );
    assert_eq!(groups(&records), ["Staff|All|ann|devs", "devs||ann|"]);
    assert_eq!(records.references.len(), 1);
    assert_eq!(records.text(records.references[0].handle), "cn=gone,dc=y");
}

#[test]
fn members_may_be_named_by_username() {
    let records = gather(
        &format!(
            "dn: cn=staff,dc=x\nobjectClass: posixGroup\ncn: staff\nmemberUid: ANN\nmemberUid: ben\nmemberUid: two\nmemberUid: cid\n\n{ANN}\n\
             dn: cn=two,dc=x\nobjectClass: account\nuid: two\nuid: too\n\n\
             dn: cn=cid,dc=x\nobjectClass: account\nuid: cid\ncn:: !\n\n",
        ),
        &[],
    );
    assert_eq!(groups(&records), ["staff||ann|"]);
    let mut references: Vec<&str> = records
        .references
        .iter()
        .map(|it| records.text(it.handle))
        .collect();
    references.sort_unstable();
    assert_eq!(references, ["ben", "cn=cid,dc=x", "cn=two,dc=x"]);
}

#[test]
fn a_user_with_two_usernames_is_unknown_under_both() {
    let records = gather(
        "dn: cn=a,dc=x\nobjectClass: account\nuid: two\nuid: Too\nentryUUID: 7\n",
        &[],
    );
    assert!(records.users.is_empty());
    assert_eq!(
        rejected(&records),
        [
            "User|7|two|cn=a,dc=x|1|`uid` has 2 values; one is needed",
            "User|7|too|cn=a,dc=x|1|`uid` has 2 values; one is needed",
        ],
    );
}

#[test]
fn a_name_that_is_none_shows_whose_record_it_is() {
    let records = gather("dn: cn=a\nobjectClass: account\nuid: Ann \n", &[]);
    assert_eq!(
        rejected(&records),
        ["User|cn=a|ann|cn=a|1|`uid`: the name begins or ends with white space"],
    );
}

#[test]
fn a_record_that_cannot_be_taken_keeps_what_is_known() {
    for (text, expect) in [
        (
            "dn: cn=a,dc=x\nobjectClass: account\ncn: a\n",
            "User|cn=a,dc=x||cn=a,dc=x|1|`uid` is missing",
        ),
        (
            "dn: a\nobjectClass: account\nuid: a\nentryUUID: 7\n",
            "User|7|a||1|`dn`: not a distinguished name, at byte 1: `=` must follow the attribute type",
        ),
        (
            "dn: cn=a\nobjectClass: account\nuid: a\nmail:: 6Q==\n",
            "User|cn=a|a|cn=a|1|`mail` is not valid UTF-8",
        ),
        (
            "dn: cn=a\nobjectClass: account\nuid:: 6Q==\n",
            "User|cn=a||cn=a|1|`uid` is not valid UTF-8",
        ),
        (
            "dn: cn=a\nobjectClass: account\nuid: a\nnr:: 6Q==\n",
            "User|cn=a|a|cn=a|1|`nr` is not valid UTF-8",
        ),
        (
            "dn: cn=a\nobjectClass: groupOfNames\ncn: a\ncn: b\n",
            "Group|cn=a|a|cn=a|1|`cn` has 2 values; one is needed;Group|cn=a|b|cn=a|1|`cn` has 2 values; one is needed",
        ),
        (
            "dn: cn=a\nobjectClass: groupOfNames\n",
            "Group|cn=a||cn=a|1|`cn` is missing",
        ),
        (
            "dn: cn=a\nobjectClass: account\nuid: a\nphoto:< file:///x\n\n",
            "User|cn=a|a|cn=a|1|line 4: the value of `photo` is a URL (`:<`), which is not followed; write the value itself",
        ),
        (
            "dn: cn=a\nobjectClass:: !\n\n",
            "User|cn=a||cn=a|1|line 2: the value of `objectclass` is not valid base64;Group|cn=a||cn=a|1|line 2: the value of `objectclass` is not valid base64",
        ),
    ] {
        let records = gather(text, &["nr"]);
        assert!(
            records.users.is_empty() && records.groups.is_empty(),
            "{text}"
        );
        assert_eq!(rejected(&records).join(";"), expect, "{text}");
    }
}

#[test]
fn a_group_with_an_unreadable_member_is_unknown() {
    let group =
        "dn: cn=staff,dc=x\nobjectClass: posixGroup\nobjectClass: groupOfNames\ncn: staff\n";
    for bad in [
        "member: ann",
        "member:: 6Q==",
        "memberUid: ' \nmemberUid:: IA==",
    ] {
        let records = gather(
            &format!("{ANN}\n{group}member: uid=ann,ou=people,dc=x\n{bad}\n"),
            &[],
        );
        assert_eq!(groups(&records), ["staff||ann||unknown"], "{bad}");
    }
}

#[test]
fn entries_without_object_class_are_told_by_what_they_hold() {
    let records = gather(
        "dn: cn=a\nuid: a\n\ndn: cn=g\ncn: g\nmember: cn=a\n\ndn: ou=x\nou: x\n",
        &[],
    );
    assert_eq!(
        (users(&records).len(), groups(&records)),
        (1, vec!["g||a|".to_owned()])
    );
    assert!(records.rejected.is_empty());
}

#[test]
fn further_attributes_come_under_the_name_that_was_asked_for() {
    let records = gather(
        &format!("{ANN}employeeNumber: 7\nroomNumber: 1\nroomNumber: 2\n"),
        &["employeeNumber", "roomNumber", "x"],
    );
    assert_eq!(
        records
            .extra_values(0, "employeeNumber")
            .collect::<Vec<_>>(),
        ["7"]
    );
    assert_eq!(
        records.extra_values(0, "roomNumber").collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(records.extra.len(), 3);
}

/// What entries of an Active Directory give, as LDIF text; the moment is 2026-11-21T22:00:00Z.
fn gather_from_active_directory(text: &str) -> (Records, Oddities, Option<Timestamp>) {
    let mapping = Preset::active_directory().mapping;
    let mut gatherer = Gatherer::new(&mapping, &[], NOW).requiring_ids();
    for entry in ldif::parse(text.as_bytes()).unwrap() {
        let entry = entry.unwrap();
        for kind in gatherer.kinds(&entry) {
            match kind {
                RecordKind::User => gatherer.user(&entry, "user"),
                RecordKind::Group => gatherer.group(&entry, "group"),
            }
        }
    }
    let (oddities, expiry) = (gatherer.oddities(), gatherer.next_expiry());
    (gatherer.finish(), oddities, expiry)
}

const NOW: Timestamp = Timestamp(1_795_298_400);

/// An account of a domain; its id and its security identifier end in `number`.
fn account(class: &str, name: &str, number: u8, more: &str) -> String {
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    let guid = [b'0'; 15].iter().copied().chain([number]);
    let guid = encode(&guid.collect::<Vec<u8>>());
    let head = [1, 3, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 7, 0, 0, 0];
    let sid = encode(&[&head[..], &[number, 0, 0, 0]].concat());
    format!(
        "dn: CN={name},DC=x\nobjectClass: {class}\nsAMAccountName: {name}\nobjectGUID:: {guid}\nobjectSid:: {sid}\n{more}\n"
    )
}

#[test]
fn an_account_of_active_directory_has_its_guid_and_its_status() {
    let (records, oddities, expiry) = gather_from_active_directory(
        &[
            account("user", "Ann", b'1', "userAccountControl: 512\n"),
            account("user", "ben", b'2', "userAccountControl: 514\n"),
            account("user", "cid", 3, ""),
            account(
                "user",
                "dan",
                4,
                "userAccountControl: 512\naccountExpires: 134397720010000000\n",
            ),
            account(
                "user",
                "eve",
                5,
                "userAccountControl: 512\naccountExpires: 134397720000000000\n",
            ),
        ]
        .concat(),
    );
    let status = |at: usize| records.users[at].status;
    let told: Vec<Status> = (0..5).map(status).collect();
    assert_eq!(
        told,
        [
            Status::Active,
            Status::Inactive,
            Status::Unknown,
            Status::Active,
            Status::Inactive
        ]
    );
    assert_eq!(
        records.text(records.users[0].id),
        "30303030-3030-3030-3030-303030303031"
    );
    assert_eq!(expiry, Some(Timestamp(NOW.0 + 1)));
    assert_eq!(oddities.unread_statuses, 1);
}

#[test]
fn a_primary_group_holds_its_users_if_it_was_read() {
    let text = [
        account("user", "ann", 1, "primaryGroupID: 20\n"),
        account("group", "Domain Users", 20, ""),
        account("user", "ben", 2, "primaryGroupID: 21\n"),
        account("user", "cid", 3, "primaryGroupID: many\n"),
    ];
    let (records, oddities, _) = gather_from_active_directory(&text.concat());
    assert_eq!(groups(&records), ["Domain Users||ann|"]);
    let unknown: Vec<bool> = records.users.iter().map(|it| it.unknown).collect();
    assert_eq!(unknown, [false, false, true]);
    assert_eq!(oddities.unread_primaries, 1);
    assert!(records.references.is_empty());
}

#[test]
fn what_is_left_of_a_deleted_entry_is_no_record() {
    for (dn, more) in [
        ("CN=a\\0ADEL:77,CN=Deleted Objects,DC=x", ""),
        ("CN=a\\0adel:77,CN=Deleted Objects,DC=x", ""),
        ("CN=a,DC=x", "isDeleted: TRUE\n"),
        ("nsuniqueid=7,CN=a,DC=x", "objectClass: nsTombstone\n"),
    ] {
        for class in ["user", "group"] {
            let account = account(class, "a", 1, more).replace("CN=a,DC=x", dn);
            let (records, ..) = gather_from_active_directory(&account);
            assert!(
                records.users.is_empty() && records.groups.is_empty(),
                "{dn}"
            );
            assert!(records.rejected.is_empty(), "{dn}");
        }
    }
}

#[test]
fn an_id_that_is_not_one_rejects_its_record() {
    let wrong = account("user", "ann", 1, "").replace("objectGUID:: ", "objectGUID: ");
    let (records, ..) = gather_from_active_directory(&wrong);
    assert_eq!(
        rejected(&records),
        ["User|cn=ann,dc=x|ann|cn=ann,dc=x|user|`objectguid` is not 16 bytes long, as a GUID is"]
    );
}

#[test]
fn a_value_that_is_too_long_rejects_its_record_and_nothing_else() {
    let long = "x".repeat(10_000_000);
    let records = gather(
        &format!(
            "dn: uid=a,dc=x\nobjectClass: account\nuid: a\ncn: {long}\n\n{ANN}\n\
             dn: cn=g,dc=x\nobjectClass: groupOfNames\ncn: g\nmember: cn={long},dc=x\nmember: uid=ann,ou=people,dc=x\n"
        ),
        &[],
    );
    assert_eq!(users(&records).len(), 1);
    assert_eq!(
        rejected(&records),
        ["User|uid=a,dc=x|a|uid=a,dc=x|1|`cn` has a value of 10000000 bytes, more than 65536"]
    );
    assert_eq!(groups(&records), ["g||ann||unknown"]);
}

#[test]
fn a_group_whose_rest_nobody_fetched_is_unknown() {
    let group = "dn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: staff\n";
    for (members, expect) in [
        ("member;range=0-*: uid=ann,ou=people,dc=x", "staff||ann|"),
        (
            "member;range=0-0: uid=ann,ou=people,dc=x",
            "staff||ann||unknown",
        ),
        (
            "member;range=0-1: uid=ann,ou=people,dc=x",
            "staff||ann||unknown",
        ),
        (
            "member;range=1-*: uid=ann,ou=people,dc=x",
            "staff||ann||unknown",
        ),
        (
            "member;range=x: uid=ann,ou=people,dc=x",
            "staff||ann||unknown",
        ),
    ] {
        let records = gather(&format!("{ANN}\n{group}{members}\n"), &[]);
        assert_eq!(groups(&records), [expect], "{members}");
    }
}

#[test]
fn the_rest_of_a_group_is_taken_part_by_part() {
    let mapping = Mapping::openldap();
    let mut gatherer = Gatherer::new(&mapping, &[], NOW);
    let entry = |text: &str| {
        let text = format!("dn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: staff\n{text}\n");
        let entry = ldif::parse(text.as_bytes()).unwrap().next();
        entry.unwrap().unwrap()
    };
    gatherer.group(&entry("member;range=0-1: cn=a\nmember;range=0-1: cn=b"), "");
    let [cut] = gatherer.cuts().try_into().unwrap();
    assert_eq!((cut.dn.as_str(), cut.next), ("cn=staff,dc=x", 2));
    // Not the part that was asked for.
    assert_eq!(gatherer.rest(&cut, &entry("member;range=1-*: cn=x")), None);
    assert_eq!(gatherer.rest(&cut, &entry("")), None);
    assert_eq!(gatherer.oddities().unread_members, 1);
    let next = gatherer
        .rest(&cut, &entry("member;range=2-2: cn=c"))
        .unwrap();
    assert_eq!(next.asked(), ["member;range=3-*"]);
    assert_eq!(gatherer.rest(&next, &entry("member;range=3-*: cn=d")), None);
    assert_eq!(gatherer.oddities(), Oddities::default());
    let records = gatherer.finish();
    assert!(!records.groups[0].unknown);
    let mut named: Vec<&str> = records
        .references
        .iter()
        .map(|it| records.text(it.handle))
        .collect();
    named.sort_unstable();
    assert_eq!(named, ["cn=a", "cn=b", "cn=c", "cn=d"]);
}

#[test]
fn a_group_that_changes_between_two_parts_is_unknown() {
    let mapping = Mapping::openldap();
    let rest = |version: &str| {
        let mut gatherer = Gatherer::new(&mapping, &[], NOW);
        let entry = |text: &str| {
            let text = format!("dn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: staff\n{text}\n");
            ldif::parse(text.as_bytes())
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
        };
        gatherer.group(&entry("uSNChanged: 7\nmember;range=0-0: cn=a"), "");
        let [cut] = gatherer.cuts().try_into().unwrap();
        let last = entry(&format!("uSNChanged: {version}\nmember;range=1-*: cn=b"));
        assert_eq!(gatherer.rest(&cut, &last), None);
        gatherer.finish().groups[0].unknown
    };
    assert!(!rest("7"));
    assert!(rest("8"));
}

#[test]
fn a_user_of_whom_a_part_came_is_rejected() {
    let records = gather(
        "dn: cn=a\nobjectClass: account\nuid: a\nmail;range=0-0: a@x\n",
        &[],
    );
    assert_eq!(
        rejected(&records),
        ["User|cn=a|a|cn=a|1|`mail` has so many values that the server gave a part of them"]
    );
}

#[test]
fn the_sites_own_rule_goes_before_the_products() {
    let mapping = Mapping {
        active: Some(ActiveRule {
            attribute: "employeeType".to_owned(),
            values: vec!["staff".to_owned()],
        }),
        ..Mapping::openldap()
    };
    let mut gatherer = Gatherer::new(&mapping, &[], NOW);
    let text = "dn: cn=a\nuid: a\nemployeeType: Staff\nshadowExpire: 1\n\ndn: cn=b\nuid: b\nemployeeType: gone\n\n\
                dn: cn=c\nuid: c\n";
    for entry in ldif::parse(text.as_bytes()).unwrap() {
        gatherer.user(&entry.unwrap(), "");
    }
    assert_eq!(gatherer.oddities().unread_statuses, 1);
    let records = gatherer.finish();
    let told: Vec<Status> = records.users.iter().map(|it| it.status).collect();
    assert_eq!(told, [Status::Active, Status::Inactive, Status::Unknown]);
}

#[test]
fn groups_in_a_ring_and_a_large_group_are_read() {
    let mut text = String::new();
    for at in 0..2_000 {
        let next = (at + 1) % 2_000;
        let _ = write!(
            text,
            "dn: cn=g{at},dc=x\nobjectClass: groupOfNames\ncn: g{at}\nmember: cn=g{next},dc=x\n\n"
        );
    }
    text += "dn: cn=all,dc=x\nobjectClass: groupOfNames\ncn: all\n";
    for at in 0..100_000 {
        let _ = writeln!(text, "member: uid=u{at},dc=x");
    }
    let records = gather(&text, &[]);
    assert_eq!(records.groups.len(), 2_001);
    assert!((0..2_000).all(|at| records.children.row(at).len() == 1));
    assert_eq!(records.references.len(), 100_000);
}
