use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(input: &str, expect: &str) {
    assert_eq!(normalise(input).as_deref(), Ok(expect), "{input}");
    assert_eq!(normalise(expect).as_deref(), Ok(expect), "{expect}");
}

#[track_caller]
fn check_fault(input: &str, at: usize, cause: DnCause) {
    assert_eq!(normalise(input), Err(DnFault { at, cause }), "{input}");
}

#[test]
fn case_and_blanks_do_not_count() {
    check(
        "uid=user7,ou=people,dc=load,dc=test",
        "uid=user7,ou=people,dc=load,dc=test",
    );
    check(
        "UID=User055832, OU=People, DC=load, DC=test",
        "uid=user055832,ou=people,dc=load,dc=test",
    );
    check(" cn = Ann  van   Dam , dc = x ", "cn=ann van dam,dc=x");
    check("cn=ann\\20van\\ dam\\20,dc=x", "cn=ann van dam,dc=x");
    check("cn=ann\tvan,dc=x", "cn=ann van,dc=x");
    check("", "");
    check("  ", "");
}

#[test]
fn every_spelling_of_an_escape_is_one() {
    for input in [
        r"cn=Doe\, Jane,dc=x",
        r"cn=Doe\2C Jane,dc=x",
        r"cn=Doe\2c\20Jane,dc=x",
    ] {
        check(input, r"cn=doe\, jane,dc=x");
    }
    check(
        r"cn=Doe\2C Jane \2B Co \22q\22 #1",
        r#"cn=doe\, jane \+ co \"q\" #1"#,
    );
    check(r"cn=\#1", r"cn=\#1");
    check(r"cn=a\=b", "cn=a=b");
    check(r"cn=a=b", "cn=a=b");
    check(r"cn=a<b", r"cn=a\<b");
    check(r"cn=Gone\0ADEL:77,dc=x", "cn=gone del:77,dc=x");
    check(r"cn=a\00b", r"cn=a\00b");
    check(r"cn=\3Ca\3E\3B\5C", r"cn=\<a\>\;\\");
}

#[test]
fn letters_beyond_ascii_are_decoded_composed_and_lowered() {
    check(r"cn=Lu\C4\8Di\C4\87", "cn=lučić");
    check("cn=LUČIĆ", "cn=lučić");
    check("cn=Luc\u{30c}ic\u{301}", "cn=lučić");
    check("cn=Ann\u{a0}Lee", "cn=ann lee");
    check(r"cn=caf\E9", r"cn=\63\61\66\e9");
    check(r"cn=\E9 , dc=x", r"cn=\e9,dc=x");
    check(r"cn=\E9\ , dc=x", r"cn=\e9\20,dc=x");
}

#[test]
fn types_have_one_name() {
    check("commonName=a,domainComponent=b,userid=c", "cn=a,dc=b,uid=c");
    check("userid=c", "uid=c");
    check("OID.2.5.4.3=a", "cn=a");
    check("oid.1.2.3=A", "1.2.3=a");
    check("0.9.2342.19200300.100.1.25=x", "dc=x");
    check("employeeNumber=7", "employeenumber=7");
}

#[test]
fn multi_valued_levels_are_sorted() {
    check("uid=7+CN=Ann,dc=x", "cn=ann+uid=7,dc=x");
    check("CN=Ann + uid=7 ,dc=x", "cn=ann+uid=7,dc=x");
}

#[test]
fn encoded_values_are_kept() {
    check(
        "1.3.6.1.4.1.1466.0=#04024869",
        "1.3.6.1.4.1.1466.0=#04024869",
    );
    check(
        "1.3.6.1.4.1.1466.0= #0402AF69 ,dc=x",
        "1.3.6.1.4.1.1466.0=#0402af69,dc=x",
    );
}

#[test]
fn a_fault_says_where_and_why() {
    check_fault("ann", 3, DnCause::Equals);
    check_fault("cn=ann,", 7, DnCause::Type);
    check_fault("cn=ann,,dc=x", 7, DnCause::Type);
    check_fault("=ann", 0, DnCause::Type);
    check_fault("1..2=ann", 0, DnCause::Type);
    check_fault("cn=ann;dc=x", 6, DnCause::Unescaped(';'));
    check_fault("cn=\"ann\"", 3, DnCause::Unescaped('"'));
    check_fault("cn=a\\", 4, DnCause::Escape);
    check_fault("cn=a\\4", 4, DnCause::Escape);
    check_fault("cn=a\\zz", 4, DnCause::Escape);
    check_fault("cn=#0", 4, DnCause::Ber);
    check_fault("cn=#04zz", 4, DnCause::Ber);
    check_fault("cn=#", 4, DnCause::Ber);
}

#[test]
fn a_subtree_holds_its_base_and_all_below() {
    let dn = |text| Dn::parse(text).unwrap();
    let base = dn("OU=People,DC=x");
    for (input, expect) in [
        ("ou=people,dc=x", true),
        ("uid=a,ou=people, dc=X", true),
        ("uid=a,ou=more,ou=people,dc=x", true),
        ("ou=otherpeople,dc=x", false),
        ("dc=x", false),
        ("ou=people,dc=y", false),
    ] {
        assert_eq!(dn(input).is_under(&base), expect, "{input}");
    }
    assert!(base.is_under(&dn("")));
}

/// Escapes a value as RFC 4514 section 2.4 does, each character in one of the ways it allows.
fn escape(value: &str, hex: &[bool]) -> String {
    let mut text = String::new();
    for (index, letter) in value.chars().enumerate() {
        let special = "\"+,;<>\\ #=".contains(letter);
        if hex.get(index).copied().unwrap_or(letter.is_control()) {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                write!(text, "\\{byte:02X}").unwrap();
            }
        } else if special {
            text.push('\\');
            text.push(letter);
        } else {
            text.push(letter);
        }
    }
    text
}

/// Letters that collide: cases, composed and not, blanks of several kinds, everything reserved.
fn value() -> impl Strategy<Value = String> {
    let letters = vec![
        'a', 'A', 'é', 'É', 'e', '\u{301}', 'ß', 'İ', 'Σ', 'ς', ' ', '\u{a0}', '\t', '\n', '\0',
        '\u{7f}', '\u{85}', '"', '+', ',', ';', '<', '>', '\\', '#', '=', '7',
    ];
    proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(letters), 1 => any::<char>()],
        0..8,
    )
    .prop_map(String::from_iter)
}

/// Texts that are nearly names.
fn text() -> impl Strategy<Value = String> {
    let parts = vec![
        "cn",
        "CN",
        "OID.",
        "2.5.4.3",
        "=",
        "==",
        ",",
        "+",
        " ",
        "  ",
        "#",
        "04",
        "0",
        "\\",
        "\\C3",
        "\\A9",
        "\\E9",
        "\\2c",
        "a",
        "B",
        "é",
        "\"",
        ";",
        "\0",
        "commonName",
    ];
    proptest::collection::vec(proptest::sample::select(parts), 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn an_escaped_value_is_read_back(value in value(), hex in proptest::collection::vec(any::<bool>(), 0..8)) {
        // A control character cannot stand bare, so the list of what is written as digits ends at the first one.
        let bare = value.chars().position(char::is_control).unwrap_or(hex.len()).min(hex.len());
        let text = format!("cn={}", escape(&value, &hex[..bare]));
        let dn = Dn::parse(&text).unwrap();
        prop_assert_eq!(&dn.rdns()[0].pairs[0].value, &Value::Text(prepare(&value)));
    }

    #[test]
    fn normalising_twice_changes_nothing(text in prop_oneof![text(), value().prop_map(|it| format!("cn={}", escape(&it, &[])))]) {
        if let Ok(normal) = normalise(&text) {
            let again = normalise(&normal);
            prop_assert_eq!(again.as_ref(), Ok(&normal));
            let parsed = Dn::parse(&normal);
            prop_assert_eq!(parsed, Dn::parse(&text));
        }
    }

    #[test]
    fn equal_spellings_are_one_name(values in proptest::collection::vec(value(), 1..4)) {
        let dn = |spell: &dyn Fn(&str) -> String| {
            let rdns: Vec<String> = values.iter().map(|value| format!("cn={}", spell(value))).collect();
            rdns.join(",")
        };
        let plain = normalise(&dn(&|value| escape(value, &[])));
        prop_assert_eq!(&normalise(&dn(&|value| escape(value, &[true; 8]))), &plain);
        let shouted = dn(&|value| format!("  {} ", escape(value, &[]))).replace("cn=", " OID.2.5.4.3 =");
        prop_assert_eq!(&normalise(&shouted), &plain);
    }

    #[test]
    fn a_name_that_was_printed_is_read_back(values in proptest::collection::vec((value(), value()), 1..4)) {
        let rdns = values.iter().map(|(one, other)| {
            let pair = |kind: &str, value: &str| Pair { kind: kind.to_owned(), value: Value::Text(prepare(value)) };
            Rdn { pairs: vec![pair("cn", one), pair("uid", other)] }
        });
        let dn = Dn { rdns: rdns.collect() };
        prop_assert_eq!(Dn::parse(&dn.to_string()), Ok(dn));
    }

    #[test]
    fn the_order_and_the_case_of_a_level_do_not_count(one in value(), other in value(), hex in any::<bool>()) {
        let digits: &[bool] = if hex { &[true; 8] } else { &[] };
        let spell = |value: &str| escape(value, digits);
        let plain = format!("cn={}+uid={},dc=x", escape(&one, &[]), escape(&other, &[]));
        let turned = format!("UID = {} + commonName={} , DC=X", spell(&other), spell(&one));
        prop_assert_eq!(normalise(&turned), normalise(&plain));
        // Letters of ASCII alone: others may have several capitals.
        let shouted = normalise(&plain.to_ascii_uppercase());
        prop_assert_eq!(shouted, normalise(&plain));
    }

    #[test]
    fn the_short_way_agrees_with_the_parser(text in text()) {
        if let Some(normal) = normalise_plain(&text) {
            prop_assert_eq!(Dn::parse(&text).map(|dn| dn.to_string()), Ok(normal));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(fault) = normalise(&text) {
            prop_assert!(fault.at <= text.len());
        }
    }
}
