use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Vec<Result<Entry, Broken>> {
    parse(text.as_bytes()).unwrap().collect()
}

fn entry(line: usize, dn: &str, attributes: &[(&str, &[&str])]) -> Entry {
    let attributes = attributes
        .iter()
        .map(|(name, values)| {
            (
                (*name).to_owned(),
                values
                    .iter()
                    .map(|value| value.as_bytes().to_vec())
                    .collect(),
            )
        })
        .collect();
    Entry {
        dn: dn.to_owned(),
        attributes,
        line,
    }
}

#[track_caller]
fn check(text: &str, expect: &[Entry]) {
    let found: Vec<Entry> = read(text).into_iter().map(Result::unwrap).collect();
    assert_eq!(found, expect);
    let windows: Vec<Entry> = read(&text.replace('\n', "\r\n"))
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(windows, expect, "with CRLF");
}

/// The only fault of a text, as (line, cause, ends the file).
#[track_caller]
fn check_fault(text: &str, line: usize, cause: LdifCause, ends_file: bool) {
    let faults: Vec<Broken> = read(text).into_iter().filter_map(Result::err).collect();
    let found: Vec<_> = faults
        .iter()
        .map(|it| (it.fault.clone(), it.ends_file))
        .collect();
    assert_eq!(found, [(LdifFault { line, cause }, ends_file)], "{text}");
}

#[test]
fn records_are_parted_by_empty_lines() {
    check(
        "version: 1\n\ndn: uid=a,dc=x\nuid: a\nobjectClass: top\nobjectclass: person\n\n\ndn: uid=b,dc=x\nuid: b\n",
        &[
            entry(
                3,
                "uid=a,dc=x",
                &[("uid", &["a"]), ("objectclass", &["top", "person"])],
            ),
            entry(9, "uid=b,dc=x", &[("uid", &["b"])]),
        ],
    );
    check("", &[]);
    check("\n\n", &[]);
    check("version: 1\n", &[]);
    check(
        "version:1\ndn: dc=x\ndc: x\n",
        &[entry(2, "dc=x", &[("dc", &["x"])])],
    );
}

#[test]
fn a_line_goes_on_behind_a_blank() {
    check(
        "dn: uid=a,\n dc=x\nuid:\n  a\ndescription: one \n two\n  three\n",
        &[entry(
            1,
            "uid=a,dc=x",
            &[("uid", &["a"]), ("description", &["one two three"])],
        )],
    );
    check(
        "dn: dc=x\ndc: x\n \n",
        &[entry(1, "dc=x", &[("dc", &["x"])])],
    );
}

#[test]
fn comments_are_left_out_folded_ones_too() {
    check(
        "# a\n#  long\n  comment\n\n# another\ndn: dc=x\n# inside\n  and on\ndc: x\n# end\n",
        &[entry(6, "dc=x", &[("dc", &["x"])])],
    );
}

#[test]
fn values_may_be_base64_empty_or_optioned() {
    check(
        "dn:: ZGM9w6k=\ncn:: QW5u\n w6k=\nCN;Lang-DE: Anne\ndescription:\nuserCertificate;binary:: AAH/\n",
        &[Entry {
            dn: "dc=é".to_owned(),
            attributes: vec![
                ("cn".to_owned(), vec!["Anné".into()]),
                ("cn;lang-de".to_owned(), vec![b"Anne".to_vec()]),
                ("description".to_owned(), vec![Vec::new()]),
                ("usercertificate;binary".to_owned(), vec![vec![0, 1, 255]]),
            ],
            line: 1,
        }],
    );
}

#[test]
fn additions_are_entries() {
    check(
        "dn: dc=x\nchangetype: add\ndc: x\n",
        &[entry(1, "dc=x", &[("dc", &["x"])])],
    );
}

#[test]
fn an_entry_answers_by_name() {
    let entry = entry(1, "dc=x", &[("cn", &["a", "b"]), ("cn;lang-de", &["c"])]);
    assert_eq!(entry.values("cn"), [b"a".to_vec(), b"b".to_vec()]);
    assert_eq!(entry.first_text("cn"), Some("a"));
    assert_eq!(entry.first_text("cn;lang-de"), Some("c"));
    assert_eq!(entry.first_text("sn"), None);
    assert!(entry.values("sn").is_empty());
    let binary = Entry {
        attributes: vec![("cn".to_owned(), vec![vec![0xe9]])],
        ..Entry::default()
    };
    assert_eq!(binary.first_text("cn"), None);
}

#[test]
fn each_fault_is_told_with_its_line() {
    let after = "\n\ndn: dc=y\ndc: y\n";
    for (record, line, cause) in [
        ("uid: a\ncn: a", 1, LdifCause::MissingDn),
        ("dn: dc=x\ndc: x\ndn: dc=z\ndc: z", 3, LdifCause::SecondDn),
        ("dn:: 6Q==\ndc: x", 1, LdifCause::DnText),
        ("dn: dc=x", 1, LdifCause::Empty),
        ("dn: dc=x\nchangetype: add", 1, LdifCause::Empty),
        ("dn: dc=x\nchangetype: delete", 2, LdifCause::Change),
        (
            "dn: dc=x\nchangetype: modify\nreplace: cn\ncn: b\n-",
            2,
            LdifCause::Change,
        ),
        (
            "dn: dc=x\ncontrol: 1.2.840 true\nchangetype: delete",
            2,
            LdifCause::Change,
        ),
        ("dn: dc=x\ndc x\ncn: x", 2, LdifCause::Form),
        ("dn: dc=x\n: x", 2, LdifCause::Form),
        ("dn: dc=x\nd c: x", 2, LdifCause::Form),
        (" dc=x\ndc: x", 1, LdifCause::Continuation),
        (
            "dn: dc=x\ncn:: !\ndc: x",
            2,
            LdifCause::Base64("cn".to_owned()),
        ),
        (
            "dn: dc=x\ncn:: QQ\ndc: x",
            2,
            LdifCause::Base64("cn".to_owned()),
        ),
        (
            "dn: dc=x\nPhoto:< file:///etc/passwd\ndc: x",
            2,
            LdifCause::Url("photo".to_owned()),
        ),
    ] {
        check_fault(&format!("{record}{after}"), line, cause, false);
    }
}

#[test]
fn a_bad_record_keeps_what_is_sound_and_stops_nobody() {
    let text = "dn: dc=x\ndc: x\n\ndn: uid=a\nphoto:: !\nuid: a\n\ndn: dc=y\ndc: y\n";
    let records = read(text);
    assert_eq!(records[0], Ok(entry(1, "dc=x", &[("dc", &["x"])])));
    let broken = records[1].as_ref().unwrap_err();
    assert_eq!(broken.known, entry(4, "uid=a", &[("uid", &["a"])]));
    assert_eq!(&text[broken.span.clone()], "dn: uid=a\nphoto:: !\nuid: a\n");
    assert_eq!(records[2], Ok(entry(8, "dc=y", &[("dc", &["y"])])));
}

#[test]
fn a_record_without_a_name_keeps_all_its_lines() {
    let records = read("uid: a\ncn: b\n");
    assert_eq!(
        records[0].as_ref().unwrap_err().known,
        entry(1, "", &[("uid", &["a"]), ("cn", &["b"])])
    );
}

#[test]
fn an_unfinished_last_line_may_be_a_cut() {
    let base64 = || LdifCause::Base64("cn".to_owned());
    check_fault("dn: dc=x\ncn:: QUJD\n RE\n", 2, base64(), true);
    check_fault("dn: dc=x\ncn:: QUJD\n RE\n\n", 2, base64(), false);
    check_fault("dn: dc=x\ncn:: QUJD\n RE\ndc: x\n", 2, base64(), false);
    check_fault("dn: dc=y\ndc: y\n\ndn: dc=x\n", 4, LdifCause::Empty, true);
    check_fault(
        "dn: dc=y\ndc: y\n\ndn: dc=x\n\n",
        4,
        LdifCause::Empty,
        false,
    );
}

#[test]
fn a_last_line_without_newline_is_a_cut_file() {
    for text in ["dn: dc=x\ndc: x", "dn: dc=x\ndc: x\r", "version: 1\n\ndn"] {
        let line = text.matches('\n').count() + 1;
        assert_eq!(
            parse(text.as_bytes()).unwrap_err(),
            LdifFault {
                line,
                cause: LdifCause::Cut
            },
            "{text}"
        );
    }
}

#[test]
fn another_version_is_no_file_of_ours() {
    let fault = parse(b"# a\nversion: 2\n\ndn: dc=x\ndc: x\n").unwrap_err();
    assert_eq!(
        fault,
        LdifFault {
            line: 2,
            cause: LdifCause::Version
        }
    );
}

#[test]
fn a_record_has_a_limit_of_attributes() {
    let mut text = "dn: dc=x\n".to_owned();
    for number in 0..=ATTRIBUTES_MAX {
        writeln!(text, "a{number}: x").unwrap();
    }
    check_fault(
        &text,
        ATTRIBUTES_MAX + 2,
        LdifCause::TooManyAttributes,
        false,
    );
}

/// Writes records the way servers do: base64 where RFC 2849 asks for it, lines folded at `width`.
fn write(entries: &[Entry], width: usize) -> String {
    let mut text = "version: 1\n".to_owned();
    for entry in entries {
        text.push('\n');
        write_line(&mut text, "dn", entry.dn.as_bytes(), width);
        for (name, values) in &entry.attributes {
            for value in values {
                write_line(&mut text, name, value, width);
            }
        }
    }
    text
}

fn write_line(text: &mut String, name: &str, value: &[u8], width: usize) {
    let safe = value
        .iter()
        .all(|byte| matches!(byte, 1..=9 | 11 | 12 | 14..=127));
    let starts = value
        .first()
        .is_none_or(|byte| !matches!(byte, b' ' | b':' | b'<'));
    let line = if safe && starts {
        format!("{name}: {}", String::from_utf8_lossy(value))
    } else {
        format!("{name}:: {}", STANDARD.encode(value))
    };
    let letters: Vec<char> = line.chars().collect();
    let folded: Vec<String> = letters.chunks(width).map(String::from_iter).collect();
    writeln!(text, "{}", folded.join("\n ")).unwrap();
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        "[ :<#a-z\t]{0,12}".prop_map(String::into_bytes),
    ];
    let attributes = proptest::collection::btree_map(
        "a[a-z;-]{0,4}",
        proptest::collection::vec(value, 1..4),
        1..4,
    );
    let entry = ("[ :<#=,a-zé]{0,12}", attributes).prop_map(|(dn, attributes)| Entry {
        dn,
        attributes: attributes.into_iter().collect(),
        line: 0,
    });
    proptest::collection::vec(entry, 0..4)
}

proptest! {
    #[test]
    fn what_was_written_is_read(entries in entries(), width in 1_usize..40) {
        let text = write(&entries, width);
        let found: Vec<Entry> = read(&text).into_iter().map(|record| Entry { line: 0, ..record.unwrap() }).collect();
        prop_assert_eq!(found, entries);
    }

    #[test]
    fn a_cut_spoils_nothing_but_the_last_record(
        entries in entries(),
        width in 1_usize..40,
        cut in any::<proptest::sample::Index>(),
    ) {
        let text = write(&entries, width);
        let head = &text.as_bytes()[..cut.index(text.len())];
        let Ok(records) = parse(head) else {
            // The version line may be cut too, so only a head without its newline must be refused.
            return Ok(());
        };
        prop_assert!(head.is_empty() || head.ends_with(b"\n"));
        let found: Vec<_> = records.collect();
        for (index, (record, original)) in found.iter().zip(&entries).enumerate() {
            match record {
                Ok(entry) if index + 1 < found.len() => prop_assert_eq!(&entry.attributes, &original.attributes),
                Ok(entry) => prop_assert_eq!(&entry.dn, &original.dn),
                Err(broken) => prop_assert!(index + 1 == found.len() && broken.ends_file),
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(
        prop_oneof![Just(b'\n'), Just(b' '), Just(b':'), Just(b'#'), Just(b'a'), any::<u8>()], 0..64,
    )) {
        let mut bytes = bytes;
        bytes.push(b'\n');
        if let Ok(records) = parse(&bytes) {
            for broken in records.filter_map(Result::err) {
                prop_assert!(broken.span.end <= bytes.len());
            }
        }
    }
}
