use super::*;

fn ada() -> User {
    User {
        name: "Ada".to_owned(),
        first_name: "Augusta Ada".to_owned(),
        last_name: "O\"Hara (née) *".to_owned(),
        email: "ada@example.com".to_owned(),
        active: Some(true),
        attributes: vec![("badge".to_owned(), vec!["1".to_owned(), "2".to_owned()])],
        ..User::default()
    }
}

fn property(property: &str, mode: Match, value: &str) -> Restriction {
    Restriction::Property {
        property: property.to_owned(),
        mode,
        value: value.to_owned(),
    }
}

#[test]
fn a_query_finds_whom_it_describes() {
    fn check(query: &str, expect: bool) {
        let restriction = Restriction::from_cql(query).unwrap();
        assert_eq!(
            restriction.matches(&ada()),
            expect,
            "{query}: {restriction:?}"
        );
    }
    check("", true);
    check("  ", true);
    check("name = ada", true);
    check("name=\"ADA\"", true);
    check("name = 'ada'", true);
    check("name = ad", false);
    check("name = ad*", true);
    check("name = *da", true);
    check("name = *d*", true);
    check("name = \"*\"", true);
    check("name = *x*", false);
    check("firstName = \"Augusta Ada\"", true);
    check("firstName = Augusta*", true);
    check("lastName = \"O\\\"Hara (née) \\*\"", true);
    check("active = true", true);
    check("active = false", false);
    check("badge = 2", true);
    check("badge = 3", false);
    check("nothing = x", false);
    check("createdDate > 2010-12", false);
    check("badge > 1", true);
    check("badge < 1", false);
    check("name = x or name = ada and active = true", true);
    check("name = x or name = ada and active = false", false);
    check("name = ada or name = y and active = false", true);
    check("(name = ada or name = y) and active = false", false);
    check("((name = ada)) AND(active=true)", true);
    check("name = order OR email = *@example.com", true);
}

#[test]
fn a_query_that_breaks_the_rules_is_refused_with_its_place() {
    fn check(query: &str, at: usize, expect: &str) {
        match Restriction::from_cql(query).unwrap_err() {
            BadRestriction::Query { at: found, what } => {
                assert_eq!(found, at, "{query}: {what}");
                assert!(what.contains(expect), "{query}: {what}");
            }
            other => panic!("{query}: {other}"),
        }
    }
    check("name", 4, "expected `=`");
    check("name =", 6, "expected a value");
    check("= x", 0, "name of a property");
    check("name = x y", 9, "the end");
    check("name = x and", 9, "the end");
    check("name = x and ", 13, "name of a property");
    check("(name = x", 9, "`)`");
    check("name = x)", 8, "the end");
    check("name = \"x", 8, "not closed");
    check("name = \"x\\", 8, "not closed");
    check("name = a*b", 7, "a star");
    check("badge > 1*", 10, "a star");
    check("name == x", 6, "expected a value");
    check("é = x and", 7, "the end");
}

#[test]
fn what_is_too_large_is_refused() {
    let deep = "(".repeat(40) + "name = x" + &")".repeat(40);
    assert_eq!(Restriction::from_cql(&deep), Err(BadRestriction::TooLarge));
    let wide = vec!["name = x"; 1_001].join(" or ");
    assert_eq!(Restriction::from_cql(&wide), Err(BadRestriction::TooLarge));
    let long = format!("name = {}", "x".repeat(70_000));
    assert_eq!(Restriction::from_cql(&long), Err(BadRestriction::TooLarge));
    let open =
        r#"{"restriction-type":"boolean-search-restriction","boolean-logic":"or","restrictions":["#;
    let all = r#"{"restriction-type":"null-search-restriction"}"#;
    let deep = open.repeat(40) + all + &"]}".repeat(40);
    assert_eq!(
        Restriction::from_json(deep.as_bytes()),
        Err(BadRestriction::TooLarge)
    );
    let endless = open.repeat(500);
    assert!(Restriction::from_json(endless.as_bytes()).is_err());
    let tag = "<boolean-search-restriction boolean-logic='or'><restrictions>";
    let end = "</restrictions></boolean-search-restriction>";
    let deep = tag.repeat(33) + "<null-search-restriction/>" + &end.repeat(33);
    assert!(Restriction::from_xml(deep.as_bytes()).is_err());
}

#[test]
fn json_and_xml_mean_the_same() {
    fn check(json: &str, xml: &str, expect: Restriction) {
        assert_eq!(
            Restriction::from_json(json.as_bytes()),
            Ok(expect.clone()),
            "{json}"
        );
        assert_eq!(Restriction::from_xml(xml.as_bytes()), Ok(expect), "{xml}");
    }
    let all = r#"{"restriction-type":"null-search-restriction"}"#;
    check(all, "<null-search-restriction/>", Restriction::All);
    let mail = r#"{"restriction-type":"property-search-restriction","property":{"name":"email","type":"STRING"},"match-mode":"CONTAINS","value":"Bob@"}"#;
    let mail_xml = "<property-search-restriction><property><name>email</name><type>STRING</type></property><match-mode>CONTAINS</match-mode><value>Bob@</value></property-search-restriction>";
    let expect = || property("email", Match::Contains, "bob@");
    check(mail, mail_xml, expect());
    let both = format!(
        r#"{{"restriction-type":"boolean-search-restriction","boolean-logic":"AND","restrictions":[{mail},{all}]}}"#
    );
    let both_xml = format!(
        "<?xml version='1.0'?><boolean-search-restriction boolean-logic=\"and\"><restrictions>{mail_xml}<null-search-restriction/></restrictions></boolean-search-restriction>"
    );
    let expect = Restriction::And(vec![expect(), Restriction::All]);
    check(&both, &both_xml, expect);
    let active = r#"{"restriction-type":"property-search-restriction","property":{"name":"active","type":"BOOLEAN"},"match-mode":"EXACTLY_MATCHES","value":true}"#;
    let active_xml = "<property-search-restriction><property><name>active</name></property><match-mode>EXACTLY_MATCHES</match-mode><value>true</value></property-search-restriction>";
    check(
        active,
        active_xml,
        property("active", Match::Exactly, "true"),
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    fn check(json: &str, expect: &str) {
        let fault = Restriction::from_json(json.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(fault.contains(expect), "{json}: {fault}");
    }
    check("", "no JSON");
    check("[]", "restriction-type");
    check("{}", "restriction-type");
    check(r#"{"restriction-type":"x"}"#, "unknown");
    check(
        r#"{"restriction-type":"boolean-search-restriction"}"#,
        "restrictions",
    );
    check(
        r#"{"restriction-type":"boolean-search-restriction","boolean-logic":"or","restrictions":[]}"#,
        "joins nothing",
    );
    check(
        r#"{"restriction-type":"boolean-search-restriction","boolean-logic":"xor","restrictions":[{"restriction-type":"null-search-restriction"}]}"#,
        "boolean-logic",
    );
    check(
        r#"{"restriction-type":"property-search-restriction","match-mode":"CONTAINS","value":"x"}"#,
        "property",
    );
    check(
        r#"{"restriction-type":"property-search-restriction","property":{"name":"a"},"value":"x"}"#,
        "match-mode",
    );
    check(
        r#"{"restriction-type":"property-search-restriction","property":{"name":"a"},"match-mode":"CONTAINS","value":null}"#,
        "value",
    );
    let fault = |xml: &str| {
        Restriction::from_xml(xml.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert!(fault("<a/>").contains("unknown name"));
    assert!(
        fault("<!DOCTYPE a [<!ENTITY b 'c'>]><null-search-restriction/>").contains("document type")
    );
    assert!(fault("<boolean-search-restriction/>").contains("restrictions"));
}

#[test]
fn groups_are_found_by_their_fields() {
    let staff = Group {
        name: "Staff".to_owned(),
        description: "All of us".to_owned(),
        active: Some(false),
        ..Group::default()
    };
    let matches = |query| Restriction::from_cql(query).unwrap().matches(&staff);
    assert!(matches(
        "name = staff and description = *us and active = false"
    ));
    assert!(!matches("email = *"));
}
