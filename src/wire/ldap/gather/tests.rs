use super::*;

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
