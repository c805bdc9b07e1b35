use super::*;

const NAMES: [&str; 8] = [
    "ada",
    "a+b & c",
    "100% <x>",
    "o'hara \"q\"",
    "grün/é",
    "日本",
    "a>b",
    "]]>",
];

/// What a document tells, in lines, when it comes in pieces of this size.
fn told(document: &[u8], piece: usize) -> Result<Vec<String>, XmlFault> {
    let mut reader = MembershipReader::new();
    let mut told = Vec::new();
    for piece in document.chunks(piece) {
        reader.feed(piece, |it| told.push(format!("{it:?}")))?;
    }
    reader.finish()?;
    Ok(told)
}

/// Writes one group with its direct members, as whoever serves the document does.
fn write_group<'a>(
    group: &str,
    users: impl Iterator<Item = &'a str>,
    children: impl Iterator<Item = &'a str>,
    out: &mut Vec<u8>,
) {
    pieces::begin_group(group, out);
    users.for_each(|it| pieces::write_user(it, out));
    pieces::end_users(out);
    children.for_each(|it| pieces::write_child(it, out));
    pieces::end_group(out);
}

fn written(groups: usize, users: usize) -> Vec<u8> {
    let mut out = Vec::new();
    begin(&mut out);
    for group in 0..groups {
        let name = format!("group {group} {}", NAMES[group % NAMES.len()]);
        let members: Vec<String> = (0..users).map(|it| format!("u{group}-{it}é")).collect();
        let children = NAMES.iter().copied().take(group % 3);
        write_group(
            &name,
            members.iter().map(String::as_str),
            children,
            &mut out,
        );
    }
    end(&mut out);
    out
}

#[test]
fn a_document_of_a_real_server_is_read() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
        <memberships>\n <membership group=\"parent\"><users><user name=\"u1\"/><user name='u2'></user></users>\n\
        <groups><group name=\"child\"/></groups></membership><membership group=\"empty\"><users/><groups/></membership>\
        </memberships>\n";
    let expect = [
        "Group(\"parent\")",
        "User(\"u1\")",
        "User(\"u2\")",
        "Child(\"child\")",
        "Group(\"empty\")",
    ];
    for piece in 1..40 {
        assert_eq!(told(document.as_bytes(), piece).unwrap(), expect, "{piece}");
    }
    assert_eq!(told(b"<memberships/>", 3), Ok(vec![]));
}

#[test]
fn what_is_written_is_read_again_whatever_the_names() {
    let mut out = Vec::new();
    begin(&mut out);
    for name in NAMES {
        write_group(name, NAMES.into_iter(), NAMES.into_iter().rev(), &mut out);
    }
    end(&mut out);
    let mut expect = Vec::new();
    for name in NAMES {
        expect.push(format!("{:?}", Membership::Group(name)));
        expect.extend(NAMES.iter().map(|it| format!("{:?}", Membership::User(it))));
        let children = NAMES.iter().rev();
        expect.extend(children.map(|it| format!("{:?}", Membership::Child(it))));
    }
    for piece in [1, 2, 7, 64, 1_000_000] {
        assert_eq!(told(&out, piece).unwrap(), expect);
    }
}

#[test]
fn a_document_that_is_cut_anywhere_is_never_a_shorter_one() {
    let document = written(60, 150);
    assert!(document.len() > 200_000, "{}", document.len());
    let mut reader = MembershipReader::new();
    let mut fed = 0;
    let last = document.len() - 20..document.len();
    for cut in (0..document.len()).step_by(1_000).chain(last) {
        reader.feed(&document[fed..cut], |_| ()).unwrap();
        fed = cut;
        assert_eq!(
            reader.clone().finish(),
            Err(XmlFault::Cut),
            "after {cut} bytes"
        );
    }
    reader.feed(&document[fed..], |_| ()).unwrap();
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn a_piece_that_is_missing_within_is_noticed_or_told() {
    // A proxy that loses bytes in the middle leaves tags that do not match.
    let document = written(3, 3);
    let end = document
        .windows(8)
        .position(|it| it == b"</users>")
        .unwrap();
    let broken = [&document[..end], &document[end + 8..]].concat();
    assert_eq!(
        told(&broken, 64),
        Err(XmlFault::NotXml("its tags do not match"))
    );
}

#[test]
fn elements_that_mean_nothing_are_passed_over() {
    let document = b"<memberships><link/><membership group='a'><link rel='self'/><users><y/><user name='u'><z/></user></users>\
        <!-- > <user name='no'/> --><groups></groups></membership></memberships>";
    let expect = ["Group(\"a\")", "User(\"u\")"];
    for piece in [1, 5, 500] {
        assert_eq!(told(document, piece).unwrap(), expect);
    }
}

#[test]
fn members_under_elements_that_are_not_known_are_refused() {
    for inner in [
        "<x><user name='a'/></x>",
        "<user name='a'/>",
        "<users><principal name='a'/></users>",
        "<groups><x><group name='a'/></x></groups>",
    ] {
        let document =
            format!("<memberships><membership group='a'>{inner}</membership></memberships>");
        for piece in [1, 5, 500] {
            assert_eq!(told(document.as_bytes(), piece), Err(UNKNOWN), "{inner}");
        }
    }
}

#[test]
fn what_is_not_such_a_document_is_refused() {
    fn check(document: &str, expect: &str) {
        for piece in [1, 10, 100_000] {
            let fault = told(document.as_bytes(), piece).unwrap_err().to_string();
            assert!(fault.contains(expect), "{document:.60}: {fault}");
        }
    }
    check("", "cut");
    check("no XML at all", "cut");
    check("{\"memberships\":[]}", "cut");
    check("<html><body>Log in</body></html>", "`html`");
    check("<!DOCTYPE html><html></html>", "document type");
    check(
        "<!DOCTYPE m [<!ENTITY a 'b'>]><memberships/>",
        "document type",
    );
    check("<error><reason>X</reason></error>", "`error`");
    check("<memberships></memberships><memberships/>", "follows");
    check("<memberships></memberships>504", "follows");
    check(
        "<memberships>504 Gateway time-out</memberships>",
        "text stands",
    );
    check(
        "<memberships><membership></membership></memberships>",
        "name of a group",
    );
    check(
        "<memberships><membership group='a'><users><user/></users></membership></memberships>",
        "name of a user",
    );
    check(
        "<memberships><membership group='a'><groups><group x='1'/></groups></membership></memberships>",
        "name of a child group",
    );
    check(
        "<memberships><membership group='&a;'/></memberships>",
        "entity",
    );
    check("<memberships></membership>", "do not match");
    check("</memberships>", "do not match");
    check(
        "<?xml version='1.0' encoding='ISO-8859-1'?><memberships/>",
        "encoding",
    );
    let inner = "<memberships><membership group='a'><users><user name='b'>".to_owned();
    check(&(inner + &"<a>".repeat(40)), "deep");
    check("<memberships><a><b/></a></memberships>", "not known");
}

#[test]
fn a_tag_that_does_not_end_is_not_waited_for() {
    let endless = "<memberships><membership group='".to_owned() + &"a".repeat(70_000);
    let fault = told(endless.as_bytes(), 8_192).unwrap_err();
    assert_eq!(fault, XmlFault::NotXml("a tag does not end"));
}

#[test]
fn what_is_not_utf_8_is_refused() {
    let fault = told(b"<memberships><membership group='\xff'/></memberships>", 9).unwrap_err();
    assert_eq!(fault, XmlFault::NotXml("it is not UTF-8"));
}
