use proptest::prelude::*;

use super::*;

const SMALL: &str = "\
state: sqlite:state.db
directories:
  - name: office
    file: { path: office.yaml }
  - name: lab
    file: { path: lab.csv }
applications:
  - name: intranet
    directories: [office, lab]
    sql: { url: \"sqlite:intranet.db\" }
";

fn read(text: &str) -> Config {
    match parse(text, "config.yaml", Path::new("/etc/usersyncd")) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The configuration with lines added to the first directory and to the application.
fn with(directory: &str, application: &str) -> Config {
    let text = SMALL
        .replacen(
            "office.yaml }\n",
            &format!("office.yaml }}\n    {directory}\n"),
            1,
        )
        .replacen(
            "[office, lab]\n",
            &format!("[office, lab]\n    {application}\n"),
            1,
        );
    read(&text)
}

fn basis_of(config: &Config) -> String {
    basis(&config.applications[0], &config.directories)
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = read(SMALL);
    assert_eq!(
        config.state,
        State::Sqlite("/etc/usersyncd/state.db".into())
    );
    assert_eq!(config.timezone, Tz::UTC);
    assert_eq!(config.history_keep.to_string(), "180d");
    let office = &config.directories[0];
    assert_eq!(config.schedule_of(office).to_string(), "*/15 * * * *");
    assert_eq!(office.id(), &office.name);
    assert!(matches!(office.connector(), Some(DirectoryType::File(_))));
    assert!(office.further_attributes().is_empty());
    let intranet = &config.applications[0];
    assert_eq!(intranet.memberships(), Memberships::First);
    assert!(matches!(
        intranet.connector(),
        Some(ApplicationType::Sql(_))
    ));
    assert_eq!(intranet.adopt, [AdoptBy::Username]);
    assert!(intranet.protect.defaults);
}

#[test]
fn an_absolute_state_stays_where_it_is() {
    let config = read(&SMALL.replace("sqlite:state.db", "sqlite:///var/lib/state.db"));
    assert_eq!(config.state, State::Sqlite("/var/lib/state.db".into()));
}

#[test]
fn names_are_found_in_any_spelling() {
    let config = read(&SMALL.replace("[office, lab]", "[OFFICE, Lab]"));
    let listed = &config.applications[0].directories;
    let found: Vec<_> = listed
        .iter()
        .map(|it| &config.directory(it).unwrap().name)
        .collect();
    assert_eq!(
        found,
        [&config.directories[0].name, &config.directories[1].name]
    );
    assert!(config.application(&config.applications[0].name).is_some());
}

#[test]
fn a_directory_with_a_schedule_of_its_own_keeps_to_it() {
    let text = SMALL.replacen("file:", "schedule: \"@daily\"\n    file:", 1);
    let config = read(&format!("timezone: Asia/Tokyo\n{text}"));
    let schedule = config.schedule_of(&config.directories[0]);
    assert_eq!(schedule.to_string(), "@daily");
    let next = schedule.next_after(crate::clock::Timestamp(0)).unwrap();
    assert_eq!(next.to_string(), "1970-01-01T15:00:00Z");
    assert_eq!(
        config.schedule_of(&config.directories[1]).to_string(),
        "*/15 * * * *"
    );
}

#[test]
fn a_list_is_a_rule_for_usernames() {
    let short = with("classify: { service: [\"bot-*\"] }", "");
    let long = with("classify: { service: { users: [\"bot-*\"] } }", "");
    let patterns = |config: &Config| {
        config.directories[0]
            .classify
            .service
            .users
            .patterns()
            .to_vec()
    };
    assert_eq!(patterns(&short), ["bot-*"]);
    assert_eq!(patterns(&short), patterns(&long));
    assert!(
        short.directories[0]
            .classify
            .service
            .users
            .globs()
            .is_match("bot-7")
    );
}

#[test]
fn the_attributes_that_options_name_are_told() {
    let rules = "classify: { service: { attribute: { kind: [bot] } }, customer: { attribute: { type: [x], kind: [y] } } }";
    let config = with(&format!("{rules}\n    person_key: employeeNumber"), "");
    assert_eq!(
        config.directories[0].further_attributes(),
        ["employeeNumber", "kind", "type"]
    );
}

#[test]
fn a_bare_number_may_be_a_name() {
    let config = with("", "users: { include: [007, 1e3, true] }");
    assert_eq!(
        config.applications[0].users.include.patterns(),
        ["007", "1e3", "true"]
    );
}

#[test]
fn mail_is_trusted_by_domain() {
    let trust = |written: &str| {
        with(&format!("trust_mail: {written}"), "").directories[0]
            .trust_mail
            .clone()
    };
    assert_eq!(trust("true"), TrustMail::Yes);
    assert_eq!(trust("false"), TrustMail::No);
    let domains = vec!["a.example".to_owned(), "b.example".to_owned()];
    assert_eq!(
        trust("[B.example, a.example, b.EXAMPLE]"),
        TrustMail::Domains(domains)
    );
}

#[test]
fn what_decides_who_is_in_changes_the_basis() {
    let base = basis_of(&read(SMALL));
    assert_eq!(base.len(), 32);
    let check = |directory: &str, application: &str| {
        assert_ne!(
            basis_of(&with(directory, application)),
            base,
            "{directory} {application}"
        );
    };
    check("id: other", "");
    check("classify: { service: [bot] }", "");
    check("classify: { customer: { no_group: true } }", "");
    check("users: { skip: [x] }", "");
    check("groups: { include: [x] }", "");
    check("groups: { exclude: [x] }", "");
    check("groups: { may_fill: [x] }", "");
    check("trust_mail: true", "");
    check("trust_mail: []", "");
    check("trust_mail: [example.com]", "");
    check("person_key: number", "");
    check("authoritative: true", "");
    check("", "memberships: aggregate");
    check("", "inactive_falls_through: true");
    check("", "memberships: aggregate\n    nested_groups: keep");
    check("", "kinds: [person, customer]");
    check("", "users: { include: [x] }");
    check("", "users: { exclude: [x] }");
    check("", "users: { members_of: [x] }");
    check("", "groups: { include: [x] }");
    check("", "groups: { exclude: [x] }");
    check("", "groups: { exact: [x] }");
    check("", "groups: { rename: { a: b } }");
    check("", "people: { anna: [anna@office, a@lab] }");
    check("", "link_by_email: true");
    check("", "default_groups: [x]");
    assert_ne!(
        basis_of(&with("trust_mail: []", "")),
        basis_of(&with("trust_mail: true", ""))
    );
    let check = |from: &str, to: &str| {
        assert_ne!(basis_of(&read(&SMALL.replace(from, to))), base, "{to}");
    };
    check("[office, lab]", "[lab, office]");
    check("office.yaml", "other.yaml");
}

#[test]
fn what_decides_only_when_and_how_much_leaves_the_basis_alone() {
    let base = basis_of(&read(SMALL));
    let check = |directory: &str, application: &str| {
        assert_eq!(
            basis_of(&with(directory, application)),
            base,
            "{directory} {application}"
        );
    };
    check("enabled: false", "");
    check("schedule: \"@daily\"", "");
    check(
        "shrink_limit: 5%\n    window: 1h\n    reread: 1h\n    stale_after: 1h\n    read_timeout: 1m",
        "",
    );
    check("renamed_from: old", "");
    check("", "enabled: false");
    check("", "mode: plan\n    first_pass: apply");
    check("", "adopt: []\n    trust_usernames: true");
    check(
        "",
        "grace: 0s\n    on_leave: strip\n    delete_after: 90d\n    delete_groups: true",
    );
    check(
        "",
        "limits: { window: 1h, removals: 1%, deactivations: 1%, additions: 1% }",
    );
    check(
        "",
        "seats: [{ max: 3 }]\n    protect: { users: [root], groups: [wheel], defaults: false }",
    );
    check("", "reread: 1h\n    stale_after: 1h\n    id: other");
    // What is written in another way and means the same is the same.
    check("", "memberships: first\n    kinds: [person, person]");
    let one = with("", "users: { include: [a, B, \"c*\"] }");
    let other = with("", "users: { include: [\"C*\", b, a, b] }");
    assert_eq!(basis_of(&one), basis_of(&other));
    let renamed = SMALL
        .replace("name: office", "name: staff\n    id: office")
        .replace("[office", "[staff");
    assert_eq!(basis_of(&read(&renamed)), base);
}

#[test]
fn a_digest_stays_what_it_is_between_versions() {
    assert_eq!(basis_of(&read(SMALL)), "b8c8b12802516966b22bb3c074c0a5f9");
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let folder = tempfile::tempdir().unwrap();
    let missing = load(&folder.path().join("missing.yaml")).unwrap_err();
    assert_eq!(missing.len(), 1);
    assert!(
        missing[0].what.starts_with("cannot be read: "),
        "{}",
        missing[0]
    );

    let latin = folder.path().join("latin.yaml");
    std::fs::write(&latin, b"state: x\nname: B\xc3\xbcro, \xfc").unwrap();
    let problems = load(&latin).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].place,
        Some(Place {
            line: 2,
            column: 13
        })
    );
}

#[test]
fn editors_of_other_systems_may_write_the_file() {
    let dos = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    assert_eq!(read(&dos).directories.len(), 2);
}

#[test]
fn there_is_an_end_of_problems() {
    let wrong = (0..500)
        .map(|it| format!("key{it}: 1"))
        .collect::<Vec<_>>()
        .join("\n");
    let problems = parse(&wrong, "config.yaml", Path::new(".")).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_MAX + 1);
    assert_eq!(
        problems[PROBLEMS_MAX].what,
        "there are more problems than these 100"
    );
}

#[test]
fn what_is_shown_cannot_steer_a_terminal() {
    let text = "\"a\\e[2Jb\\nc\": 1";
    let problems = parse(text, "config.yaml", Path::new(".")).unwrap_err();
    let shown = lines(&problems);
    assert!(shown.contains("a\\u{1b}[2Jb\\u{a}c"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_is_too_odd(text in "[-a-z:&*\\[\\]{}, \"'#|>!\n]{0,80}") {
        let _ = parse(&text, "config.yaml", Path::new("."));
    }

    /// A line taken away, doubled, moved in or mangled gives a configuration or problems with their places, by place.
    #[test]
    fn a_mangled_file_is_answered_in_order(line in 0..120_usize, how in 0..6, at in 0..40_usize) {
        let example = include_str!("../../config.example.yaml");
        let mut all: Vec<String> = example
            .lines()
            .filter(|it| !it.trim_start().starts_with("# ") && !it.is_empty())
            .map(str::to_owned)
            .collect();
        let index = line % all.len();
        let mangled = &mut all[index];
        let place = mangled.char_indices().nth(at).map_or(0, |(place, _)| place);
        match how {
            0 => mangled.clear(),
            1 => *mangled = format!("{mangled}\n{mangled}"),
            2 => mangled.insert_str(0, "  "),
            3 => mangled.insert(place, ':'),
            4 => mangled.truncate(place),
            _ => *mangled = mangled.replacen('#', "", 1),
        }
        if let Err(problems) = parse(&all.join("\n"), "config.yaml", Path::new(".")) {
            prop_assert!(problems.iter().any(|it| it.severity == Severity::Error));
            prop_assert!(problems.is_sorted_by_key(|it| it.place));
            prop_assert!(problems.iter().all(|it| it.place.is_some()));
        }
    }
}

#[test]
fn the_usual_mistakes_in_yaml_get_a_hint() {
    fn check(text: &str, line: u64, expect: &str) {
        let problems = parse(text, "config.yaml", Path::new(".")).unwrap_err();
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!(problems[0].place.map(|it| it.line), Some(line), "{text}");
        let hint = problems[0].hint.as_deref().unwrap_or_default();
        assert!(hint.contains(expect), "{text}: {}", problems[0]);
    }
    check("schedule: */15 * * * *\n", 1, "quotes around");
    check("schedule: * * * * *\n", 1, "quotes around");
    check("schedule: @hourly\n", 1, "quotes around");
    check("a:\n  - b\n\tc: d\n", 2, "never with tabs");
    check("a:\n  - name:b\n    c: d\n", 3, "behind its colon");
    check("a: \"b\nc: d\n", 2, "not closed");
    check("a:\n  - b: 1\n   c: 1\n", 3, "in one column");
    check("a: [b\nc: d\n", 2, "not closed");
    check("a: b\n---\na: b\n", 3, "`---`");
}
