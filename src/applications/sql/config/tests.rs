use super::*;

#[test]
fn a_database_url_is_a_sqlite_file_and_nothing_else() {
    fn check(text: &str, expect: Result<&str, &str>) {
        let found = text.parse::<DatabaseUrl>();
        let found = found.map(|url| url.path().display().to_string());
        let found = found.map_err(|fault| fault.to_string());
        match expect {
            Ok(path) => assert_eq!(found.as_deref(), Ok(path), "{text}"),
            Err(part) => assert!(
                found.clone().unwrap_err().contains(part),
                "{text}: {found:?}"
            ),
        }
    }
    check("sqlite:///var/lib/app.db", Ok("/var/lib/app.db"));
    check("sqlite:/var/lib/app.db", Ok("/var/lib/app.db"));
    check("sqlite://app.db", Ok("app.db"));
    check("sqlite:app.db", Ok("app.db"));
    check("/var/lib/app.db", Err("no database URL"));
    check("sqlite:", Err("names no file"));
    check("sqlite:///", Err("names no file"));
    check("sqlite::memory:", Err("names no file"));
    check("sqlite:///app.db?mode=ro", Err("options"));
    check(
        "postgres://reporting:secret@db/app",
        Err("`postgres:` databases are not supported: only SQLite is"),
    );
    check("mysql://db/app", Err("`mysql:` databases"));
    check("secret@db:5432", Err("no database URL"));
}

#[test]
fn no_error_about_a_url_repeats_its_password() {
    let fault = "postgres://reporting:secret@db/app"
        .parse::<DatabaseUrl>()
        .unwrap_err();
    assert!(!fault.to_string().contains("secret"));
}

#[test]
fn options_are_read_with_their_defaults() {
    let config = read(
        "url: sqlite:///app.db
tables:
  users:
    table: accounts
    key: login
    columns: { display_name: full_name }
    active: { column: enabled }
    fixed: { password: '', quota: 5, mail_on: true }",
    );
    let users = &config.tables.as_ref().unwrap().users;
    assert!(!config.create_tables);
    assert_eq!(users.columns.display_name.as_deref(), Some("full_name"));
    assert_eq!(users.columns.email, None);
    let active = users.active.as_ref().unwrap();
    assert_eq!(
        (&active.on, &active.off),
        (&Scalar::Number(1), &Scalar::Number(0))
    );
    assert_eq!(users.fixed["password"], Scalar::Text(String::new()));
    assert_eq!(users.fixed["quota"], Scalar::Number(5));
    assert_eq!(users.fixed["mail_on"], Scalar::Truth(true));
    assert_eq!(config.problems(), []);
}

#[test]
fn unknown_options_and_values_of_other_types_are_refused() {
    fn check(yaml: &str, part: &str) {
        let fault = serde_yaml::from_str::<SqlConfig>(yaml)
            .unwrap_err()
            .to_string();
        assert!(fault.contains(part), "{yaml}: {fault}");
    }
    check("{ url: 'sqlite:a.db', tabels: {} }", "tabels");
    check("{ create_tables: true }", "url");
    check(
        "{ url: 'sqlite:a.db', tables: { users: { table: a, key: b, fixed: { c: [1] } } } }",
        "a text, a whole number",
    );
    check("{ url: 'postgres://db/app' }", "not supported");
}

#[test]
fn every_problem_is_reported_at_its_option() {
    fn check(tables: &str, expect: &[(&str, &str)]) {
        let config = read(&format!("url: sqlite:a.db\ntables:\n{tables}"));
        let found = config.problems();
        let paths: Vec<&str> = found.iter().map(|it| it.path.as_str()).collect();
        let expected: Vec<&str> = expect.iter().map(|it| it.0).collect();
        assert_eq!(paths, expected, "{tables}: {found:?}");
        for (problem, (_, part)) in found.iter().zip(expect) {
            assert!(problem.text.contains(part), "{problem:?}");
        }
    }
    check("  users: { table: a, key: b }", &[]);
    check(
        "  users: { table: a, key: b }\n  groups: { table: c, key: d }",
        &[("tables", "go together")],
    );
    check(
        "  users: { table: a, key: b }\n  group_memberships: { table: c, parent: d, child: e }",
        &[("tables.group_memberships", "no table of groups")],
    );
    check(
        "  users: { table: a, key: b, active: { column: c, on: 1, off: '1' } }",
        &[("tables.users.active", "the same value")],
    );
    check(
        "  users: { table: '', key: b, columns: { email: B }, fixed: { '': 1 } }",
        &[
            ("tables.users.table", "empty"),
            ("tables.users.columns.email", "`B` has a meaning already"),
            ("tables.users.fixed.", "empty"),
        ],
    );
    check(
        "  users: { table: a, key: b }
  groups: { table: A, key: b }
  memberships: { table: c, group: d, user: d }",
        &[
            ("tables.groups.table", "has a meaning already"),
            ("tables.memberships.user", "has a meaning already"),
        ],
    );
}

#[test]
fn tables_do_not_go_with_making_the_default_ones() {
    let config = read(
        "{ url: 'sqlite:a.db', create_tables: true, tables: { users: { table: a, key: b } } }",
    );
    let problems = config.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "create_tables");
}

#[test]
fn one_file_has_one_target_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let target = |path: &str| {
        let text = format!("sqlite:{path}");
        let url = text.parse().unwrap();
        let config = SqlConfig {
            url,
            create_tables: true,
            tables: None,
        };
        config.anchored(folder.path()).target()
    };
    let plain = target("app.db");
    assert!(plain.ends_with("/app.db#users"), "{plain}");
    assert_eq!(target("./sub/../app.db"), plain);
    std::os::unix::fs::symlink(folder.path().join("app.db"), folder.path().join("link.db"))
        .unwrap();
    std::fs::write(folder.path().join("app.db"), "").unwrap();
    assert_eq!(target("link.db"), plain);
    assert_eq!(target("./sub/../app.db"), plain);
    assert_ne!(target("other.db"), plain);
}

#[test]
fn two_tables_of_users_in_one_file_are_two_targets() {
    let config = |table: &str| {
        read(&format!(
            "{{ url: 'sqlite:/a.db', tables: {{ users: {{ table: {table}, key: b }} }} }}"
        ))
    };
    assert_ne!(config("a").target(), config("b").target());
    assert_eq!(config("a").target(), config("A").target());
}

fn read(yaml: &str) -> SqlConfig {
    serde_yaml::from_str(yaml).unwrap()
}
