use ldap3::asn1::{PL, StructureTag, Tag, parse_tag};
use ldap3::{LdapResult, parse_refs};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const SMALL: GuardLimits = GuardLimits {
    message: 1_000,
    total: 4_000,
    elements: 60,
};
/// The ids of the questions that are open in these tests.
const BIND: u8 = 1;
const SEARCH: u8 = 2;
const EXTENDED: u8 = 3;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match length {
        0..0x80 => vec![length as u8],
        0x80..0x100 => vec![0x81, length as u8],
        _ => vec![
            0x83,
            (length >> 16) as u8,
            (length >> 8) as u8,
            length as u8,
        ],
    };
    [&[tag], length.as_slice(), content].concat()
}

fn octets(content: &str) -> Vec<u8> {
    tlv(0x04, content.as_bytes())
}

fn message(id: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let id = tlv(0x02, &[id]);
    tlv(0x30, &[id, parts.concat()].concat())
}

fn result(tag: u8, code: u8, text: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let parts = [tlv(0x0a, &[code]), octets(""), octets(text), more.concat()];
    tlv(tag, &parts.concat())
}

fn entry(values: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|it| octets(it)).collect();
    let attribute = tlv(0x30, &[octets("cn"), tlv(0x31, &values)].concat());
    tlv(0x64, &[octets("dc=x"), tlv(0x30, &attribute)].concat())
}

fn control(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0xa0, &tlv(0x30, &parts.concat()))
}

fn nested(depth: usize, tag: u8) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| tlv(tag, &inner))
}

/// A guard that awaits an answer to a bind, a search and an extended operation.
fn guard(limits: GuardLimits) -> Guard {
    let mut guard = Guard::new(limits);
    for (id, tag) in [(BIND, 0x60), (SEARCH, 0x63), (EXTENDED, 0x77)] {
        guard.asked(&message(id, &[tlv(tag, &[0; 20])]));
    }
    guard
}

/// The verdict on the bytes, which is the same in one piece and byte by byte.
fn verdict(limits: GuardLimits, bytes: &[u8]) -> Result<(), GuardFault> {
    let at_once = guard(limits).check(bytes);
    let mut guard = guard(limits);
    let mut slowly = Ok(());
    for byte in bytes {
        slowly = slowly.and(guard.check(&[*byte]));
    }
    assert_eq!(at_once, slowly, "{bytes:02x?}");
    assert_eq!(at_once, guard.check(&[]), "a fault stays");
    at_once
}

fn accepts(bytes: &[u8]) {
    assert_eq!(verdict(SMALL, bytes), Ok(()), "{bytes:02x?}");
    let mut guard = guard(SMALL);
    assert_eq!(guard.check(bytes), Ok(()));
    assert!(guard.is_between_messages(), "{bytes:02x?}");
    assert!(library_takes(bytes));
}

fn refuses(bytes: &[u8], expect: &GuardFault) {
    assert_eq!(verdict(SMALL, bytes).as_ref(), Err(expect), "{bytes:02x?}");
}

/// Parses messages as the LDAP library does, which panics where a part is missing.
fn library_takes(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let (rest, message) = parse_tag(bytes).expect("it is complete");
        bytes = rest;
        let PL::C(mut parts) = message.payload else {
            panic!("no sequence");
        };
        let mut last = parts.pop().expect("an element");
        if matches!(
            last,
            StructureTag {
                class: ldap3::asn1::TagClass::Context,
                id: 10,
                ..
            }
        ) {
            last = parts.pop().expect("an element");
        } else if parts.len() == 2 {
            controls(last);
            last = parts.pop().expect("an element");
        }
        match last.id {
            1 | 5 | 24 => drop(LdapResult::from(Tag::StructureTag(last))),
            19 => drop(parse_refs(last)),
            4 | 25 => {}
            other => panic!("unrecognized op id: {other}"),
        }
        parts
            .pop()
            .and_then(StructureTag::expect_primitive)
            .expect("message id");
    }
    true
}

/// ldap3 0.12.1, `controls_impl.rs`, `parse_controls`.
fn controls(list: StructureTag) {
    for control in list.expect_constructed().expect("result sequence") {
        let mut parts = control
            .expect_constructed()
            .expect("components")
            .into_iter();
        let name = parts.next().expect("element").expect_primitive();
        String::from_utf8(name.expect("octet string")).expect("control type");
        let value = match parts.next() {
            Some(StructureTag {
                id: 1,
                payload: PL::P(flag),
                ..
            }) => {
                assert!(!flag.is_empty(), "flag");
                parts.next()
            }
            Some(value @ StructureTag { id: 4, .. }) => Some(value),
            Some(_) => panic!("decoding error"),
            None => None,
        };
        value.map(|it| it.expect_primitive().expect("octet string"));
    }
}

#[test]
fn the_answers_of_servers_pass() {
    accepts(&message(BIND, &[result(0x61, 0, "", &[])]));
    accepts(&message(
        BIND,
        &[result(0x61, 14, "", &[tlv(0x87, b"creds")])],
    ));
    accepts(&message(SEARCH, &[entry(&["a", "\u{fc}", ""])]));
    accepts(&message(SEARCH, &[entry(&[])]));
    accepts(&message(SEARCH, &[tlv(0x73, &octets("ldap://other/"))]));
    accepts(&message(
        SEARCH,
        &[tlv(0x79, &[tlv(0x80, b"1.3"), tlv(0x81, b"\xff")].concat())],
    ));
    let referral = tlv(0xa3, &octets("ldap://other/"));
    accepts(&message(
        SEARCH,
        &[result(0x65, 10, "go there", &[referral])],
    ));
    // What a later version of LDAP may add.
    accepts(&message(
        SEARCH,
        &[result(0x65, 0, "", &[tlv(0x84, b"x"), nested(3, 0xa5)])],
    ));
    let name = tlv(0x8a, b"1.3.6.1.4.1.1466.20037");
    accepts(&message(
        EXTENDED,
        &[result(0x78, 0, "", &[name, tlv(0x8b, b"u:x")])],
    ));
    // An unsolicited notice that is none of disconnection.
    accepts(&message(0, &[result(0x78, 0, "", &[tlv(0x8a, b"1.2.3")])]));
    for parts in [
        vec![octets("1.2")],
        vec![octets("1.2"), octets("value")],
        vec![octets("1.2"), tlv(0x01, &[0xff])],
        vec![octets("1.2"), tlv(0x01, &[0]), octets("")],
    ] {
        accepts(&message(SEARCH, &[entry(&["a"]), control(&parts)]));
    }
    // Lengths that are longer than need be, as Active Directory writes them.
    let parts = [0x02, 1, 2, 0x65, 0x84, 0, 0, 0, 7, 0x0a, 1, 0, 4, 0, 4, 0];
    accepts(&[&[0x30, 0x84, 0, 0, 0, parts.len() as u8], parts.as_slice()].concat());
}

#[test]
fn another_protocol_is_named() {
    refuses(b"HTTP/1.1 400 Bad Request\r\n", &GuardFault::NotLdap(b'H'));
    refuses(b"* OK IMAP4rev1\r\n", &GuardFault::NotLdap(b'*'));
    // An alert of TLS, and the beginning of a handshake.
    refuses(&[0x15, 3, 3, 0, 2, 2, 80], &GuardFault::Tls);
    refuses(&[0x16, 3, 3], &GuardFault::Tls);
    // Also in the middle of a connection.
    let answer = message(SEARCH, &[entry(&["a"])]);
    refuses(
        &[answer.as_slice(), b"\0"].concat(),
        &GuardFault::NotLdap(0),
    );
}

#[test]
fn lengths_that_lead_astray_are_refused_before_anything_is_awaited() {
    // 2 GB, before a byte of it came.
    let announced = GuardFault::MessageSize {
        bytes: 0x7fff_ffff,
        limit: 1_000,
    };
    refuses(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], &announced);
    refuses(&[0x30, 0x85], &GuardFault::LengthForm);
    refuses(&[0x30, 0x80], &GuardFault::LengthForm);
    refuses(&[0x30, 5, 0x02, 0x80], &GuardFault::LengthForm);
    refuses(&[0x30, 9, 0x02, 1, 2, 0x7f], &GuardFault::LongTag);
    // An element that is longer than what it lies in, by one byte.
    refuses(&[0x30, 5, 0x02, 1, 2, 0x65, 1], &GuardFault::InnerLength);
    refuses(&[0x30, 5, 0x02, 4], &GuardFault::InnerLength);
    // A header that the end of its parent cuts, in its length and behind its tag.
    refuses(
        &[0x30, 6, 0x02, 1, 2, 0x65, 0x81, 0x01],
        &GuardFault::InnerLength,
    );
    refuses(&[0x30, 4, 0x02, 1, 2, 0x65], &GuardFault::InnerLength);
}

#[test]
fn sizes_have_limits() {
    let value = "x".repeat(900);
    accepts(&message(SEARCH, &[entry(&[&value])]));
    let four = message(SEARCH, &[entry(&[&value])]).repeat(4);
    accepts(&four);
    refuses(
        &[four.as_slice(), &four].concat(),
        &GuardFault::TotalSize(4_000),
    );
    // A fault before the limit comes first.
    let fault = [four.as_slice(), &[0], &[0; 1_000]].concat();
    refuses(&fault, &GuardFault::NotLdap(0));
    let values = vec![""; 53];
    accepts(&message(SEARCH, &[entry(&values)]));
    refuses(
        &message(SEARCH, &[entry(&vec![""; 54])]),
        &GuardFault::Elements(60),
    );
}

#[test]
fn a_long_text_is_refused_and_a_long_value_is_not() {
    let limits = GuardLimits::default();
    let long = "x".repeat(11 << 20);
    let told = message(SEARCH, &[result(0x65, 0, &long, &[])]);
    let mut guard = guard(limits);
    assert_eq!(guard.check(&message(SEARCH, &[entry(&[&long])])), Ok(()));
    assert!(
        guard
            .check(&told)
            .is_err_and(|it| matches!(it, GuardFault::TextSize(_)))
    );
}

#[test]
fn elements_that_lie_too_deep_are_refused() {
    for (bytes, expect) in [
        (nested(10_000, 0x30), GuardFault::MessageId),
        (
            message(SEARCH, &[result(0x65, 0, "", &[nested(10_000, 0xa5)])]),
            GuardFault::Depth,
        ),
    ] {
        assert_eq!(guard(GuardLimits::default()).check(&bytes), Err(expect));
    }
    let deep = |depth| message(SEARCH, &[result(0x65, 0, "", &[nested(depth, 0xa5)])]);
    accepts(&deep(DEPTH_MAX - 2));
    refuses(&deep(DEPTH_MAX - 1), &GuardFault::Depth);
}

#[test]
fn only_answers_to_what_was_asked_pass() {
    let done = || result(0x65, 0, "", &[]);
    refuses(
        &message(SEARCH, &[tlv(0x6b, b"")]),
        &GuardFault::UnknownOperation(0x6b),
    );
    refuses(
        &message(SEARCH, &[tlv(0x30, b"")]),
        &GuardFault::UnknownOperation(0x30),
    );
    // The right operation in primitive form.
    refuses(
        &message(SEARCH, &[tlv(0x44, b"")]),
        &GuardFault::UnknownOperation(0x44),
    );
    refuses(&message(9, &[done()]), &GuardFault::Unasked(0x65));
    refuses(&message(0, &[done()]), &GuardFault::Unasked(0x65));
    refuses(&message(BIND, &[done()]), &GuardFault::Unasked(0x65));
    refuses(
        &message(SEARCH, &[result(0x61, 0, "", &[])]),
        &GuardFault::Unasked(0x61),
    );
    refuses(
        &message(BIND, &[result(0x78, 0, "", &[])]),
        &GuardFault::Unasked(0x78),
    );
    refuses(
        &message(EXTENDED, &[entry(&[])]),
        &GuardFault::Unasked(0x64),
    );
    // What is answered is no longer open.
    refuses(
        &message(SEARCH, &[done()]).repeat(2),
        &GuardFault::Unasked(0x65),
    );
    refuses(
        &message(BIND, &[result(0x61, 0, "", &[])]).repeat(2),
        &GuardFault::Unasked(0x61),
    );
}

#[test]
fn an_extended_response_in_place_of_a_searchs_end_is_named() {
    let code = 12;
    let text = "Unsupported critical extension".to_owned();
    let bytes = message(SEARCH, &[result(0x78, code as u8, &text, &[])]);
    refuses(&bytes, &GuardFault::ExtendedResponse { code, text });
}

#[test]
fn a_notice_of_disconnection_is_named() {
    let name = || tlv(0x8a, DISCONNECTION.as_bytes());
    let expect = GuardFault::Disconnected {
        code: 52,
        text: "bye".to_owned(),
    };
    refuses(&message(0, &[result(0x78, 52, "bye", &[name()])]), &expect);
    // As Active Directory writes it: the name stands behind the operation.
    refuses(
        &message(0, &[result(0x78, 52, "bye", &[]), name()]),
        &expect,
    );
}

#[test]
fn parts_that_are_missing_or_wrong_are_refused() {
    let shape = |bytes: &[u8], of| refuses(bytes, &GuardFault::Shape(of));
    shape(&[0x30, 0], "a message");
    shape(&message(SEARCH, &[]), "a message");
    refuses(&tlv(0x30, &tlv(0x65, b"")), &GuardFault::MessageId);
    refuses(&tlv(0x30, &tlv(0x02, b"")), &GuardFault::MessageId);
    refuses(
        &tlv(0x30, &tlv(0x02, &[0, 0, 0, 0, 2])),
        &GuardFault::MessageId,
    );
    refuses(&tlv(0x30, &tlv(0x02, &[0xff; 4])), &GuardFault::MessageId);
    let done = result(0x65, 0, "", &[]);
    shape(&message(SEARCH, &[done.clone(), octets("")]), "a message");
    shape(
        &message(SEARCH, &[done.clone(), tlv(0x80, b"")]),
        "a message",
    );
    shape(
        &message(
            SEARCH,
            &[done, control(&[octets("1")]), control(&[octets("1")])],
        ),
        "a message",
    );

    let results: [&[Vec<u8>]; 9] = [
        &[],
        &[tlv(0x0a, &[0])],
        &[tlv(0x0a, &[0]), octets("")],
        &[tlv(0x02, &[0]), octets(""), octets("")],
        &[tlv(0x0a, b""), octets(""), octets("")],
        &[tlv(0x0a, &[0; 5]), octets(""), octets("")],
        &[tlv(0x0a, &[0]), tlv(0x24, b""), octets("")],
        &[tlv(0x0a, &[0]), octets(""), octets(""), tlv(0x83, b"")],
        &[tlv(0x0a, &[0]), octets(""), octets(""), tlv(0xa7, b"")],
    ];
    for parts in results {
        shape(&message(SEARCH, &[tlv(0x65, &parts.concat())]), "a result");
    }
    shape(&message(SEARCH, &[tlv(0x64, &octets("dc=x"))]), "an entry");
    shape(
        &message(SEARCH, &[tlv(0x64, &[octets("dc=x"), octets("")].concat())]),
        "an entry",
    );
    for attribute in [octets("cn"), [octets("cn"), octets("a")].concat()] {
        let list = tlv(0x30, &tlv(0x30, &attribute));
        let entry = tlv(0x64, &[octets("dc=x"), list].concat());
        shape(&message(SEARCH, &[entry]), "an attribute");
    }
    let address = tlv(0x73, &tlv(0x24, b""));
    shape(&message(SEARCH, &[address]), "a reference to other servers");
    let intermediate = tlv(0x79, &tlv(0x82, b""));
    shape(&message(SEARCH, &[intermediate]), "an intermediate answer");
    let controls: [&[Vec<u8>]; 5] = [
        &[],
        &[tlv(0x02, &[1])],
        &[octets("1.2"), tlv(0x01, b"")],
        &[octets("1.2"), tlv(0x24, b"")],
        &[octets("1.2"), octets(""), tlv(0x01, &[0])],
    ];
    for parts in controls {
        shape(&message(SEARCH, &[entry(&[]), control(parts)]), "a control");
    }
}

#[test]
fn what_must_be_text_is() {
    let latin = |tag| tlv(tag, b"jos\xe9");
    let told = [tlv(0x0a, &[0]), octets(""), latin(0x04)].concat();
    refuses(
        &message(SEARCH, &[tlv(0x65, &told)]),
        &GuardFault::NotText("a message for people"),
    );
    let matched = [tlv(0x0a, &[0]), latin(0x04), octets("")].concat();
    refuses(
        &message(SEARCH, &[tlv(0x65, &matched)]),
        &GuardFault::NotText("a name"),
    );
    refuses(
        &message(SEARCH, &[tlv(0x73, &latin(0x04))]),
        &GuardFault::NotText("a name"),
    );
    refuses(
        &message(EXTENDED, &[result(0x78, 0, "", &[latin(0x8a)])]),
        &GuardFault::NotText("a name"),
    );
    refuses(
        &message(SEARCH, &[entry(&[]), control(&[latin(0x04)])]),
        &GuardFault::NotText("a name"),
    );
    // Names and values of entries may be anything: that is for each record to judge.
    let odd = tlv(
        0x64,
        &[
            latin(0x04),
            tlv(
                0x30,
                &tlv(0x30, &[latin(0x04), tlv(0x31, &latin(0x04))].concat()),
            ),
        ]
        .concat(),
    );
    accepts(&message(SEARCH, &[odd]));
}

#[test]
fn questions_are_known_however_they_are_cut() {
    let question = message(7, &[tlv(0x63, &[0; 200])]);
    for cut in 0..question.len() {
        let mut guard = Guard::new(SMALL);
        guard.asked(&question[..cut]);
        guard.asked(&question[cut..]);
        guard.asked(&message(8, &[tlv(0x42, b"")]));
        assert_eq!(guard.check(&message(7, &[entry(&[])])), Ok(()), "{cut}");
    }
}

#[test]
fn only_so_many_questions_are_kept_open() {
    let answer = |id| {
        let mut guard = Guard::new(SMALL);
        for asked in 1..=65 {
            guard.asked(&message(asked, &[tlv(0x63, b"")]));
        }
        guard.check(&message(id, &[entry(&[])]))
    };
    assert_eq!(answer(65), Ok(()));
    assert_eq!(answer(2), Ok(()));
    assert_eq!(answer(1), Err(GuardFault::Unasked(0x64)));
}

#[test]
fn answers_to_searches_are_counted() {
    let mut guard = guard(SMALL);
    let bind = message(BIND, &[result(0x61, 0, "", &[])]);
    let bytes = [
        bind,
        message(SEARCH, &[entry(&["a"])]),
        message(SEARCH, &[result(0x65, 4, "no", &[])]),
    ]
    .concat();
    guard.check(&bytes[..bytes.len() - 1]).unwrap();
    assert_eq!((guard.items(), guard.is_between_messages()), (1, false));
    guard.check(&bytes[bytes.len() - 1..]).unwrap();
    assert_eq!((guard.items(), guard.total()), (2, bytes.len() as u64));
    assert_eq!(
        guard.answer(),
        &Answer {
            code: 4,
            text: "no".to_owned()
        }
    );
}

/// Any of the answers that a server may give, in the order in which questions stay open.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let text = "[a-z\u{e4}]{0,4}";
    let one = prop_oneof![
        prop::collection::vec(text, 0..4)
            .prop_map(|it| entry(&it.iter().map(String::as_str).collect::<Vec<_>>())),
        text.prop_map(|it| tlv(0x73, &octets(&it))),
        Just(tlv(0x79, &tlv(0x81, b"\xff\x00"))),
    ];
    let control = prop::option::of(any::<bool>().prop_map(|flag| {
        let flag = if flag { tlv(0x01, &[1]) } else { Vec::new() };
        control(&[octets("1.2"), flag, octets("v")])
    }));
    let item = (one, control)
        .prop_map(|(one, control)| message(SEARCH, &[one, control.unwrap_or_default()]));
    (prop::collection::vec(item, 0..5), any::<u8>(), text).prop_map(|(items, code, text)| {
        let end = message(SEARCH, &[result(0x65, code & 0x7f, &text, &[])]);
        [items.concat(), end].concat()
    })
}

proptest! {
    #[test]
    fn sound_answers_pass_and_any_change_is_refused_or_harmless(
        bytes in answers(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
        cut in any::<Index>(),
    ) {
        let mut bytes = bytes;
        let sound = changes.is_empty();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let mut pieces = guard(SMALL);
        let (one, two) = bytes.split_at(cut.index(bytes.len()));
        let split = pieces.check(one).and_then(|()| pieces.check(two));
        let whole = verdict(SMALL, &bytes);
        prop_assert_eq!(&split, &whole);
        prop_assert!(!sound || whole.is_ok(), "{:?}", whole);
        if whole.is_ok() && pieces.is_between_messages() {
            prop_assert!(library_takes(&bytes));
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(
        prop_oneof![Just(0x30_u8), Just(0x02), Just(0x04), Just(0x65), 0_u8..16, any::<u8>()], 0..64)
    ) {
        let passed = verdict(SMALL, &bytes).is_ok();
        let mut guard = guard(SMALL);
        if passed && guard.check(&bytes).is_ok() && guard.is_between_messages() {
            prop_assert!(library_takes(&bytes));
        }
    }
}
