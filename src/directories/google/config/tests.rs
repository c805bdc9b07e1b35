use super::*;

const SMALLEST: &str = "key: { env: X }\n";

fn read(text: &str) -> Result<GoogleConfig, String> {
    serde_yaml::from_str(text).map_err(|it| it.to_string())
}

/// The smallest configuration with lines added.
fn with(lines: &str) -> GoogleConfig {
    read(&format!("{SMALLEST}{lines}\n")).unwrap()
}

fn said(problems: &[GoogleProblem]) -> Vec<String> {
    let said = problems.iter();
    said.map(|it| format!("{}: {}", it.path, it.text)).collect()
}

#[test]
fn a_key_is_enough() {
    let config = with("");
    assert_eq!((config.problems(), config.warnings()), (vec![], vec![]));
    assert_eq!(config.url.to_string(), "https://admin.googleapis.com");
    assert_eq!(config.username.to_string(), "{local}");
    assert_eq!(config.username, config.group_name);
    assert_eq!(config.timeout.as_seconds(), 60);
    assert_eq!(config.queries_per_minute, 1_200);
    assert!(config.members_every.is_zero() && !config.activity && !config.insecure);
    assert_eq!(config.customer_id(), "my_customer");
    assert!(config.folded_domains().is_empty() && config.groups.is_empty());
}

#[test]
fn everything_can_be_written() {
    let config = with(
        "subject: admin@example.com\ncustomer: C03az79cb\ngroups: ['Eng@example.com', 'support-*@*']\n\
         username: '{customSchemas.Employee.login}'\ngroup_name: '{name}'\nmembers_every: 1h\nactivity: true\n\
         queries_per_minute: 2400\nca: ca.pem\nproxy: http://proxy:3128\ntimeout: 5s",
    );
    assert_eq!((config.problems(), config.warnings()), (vec![], vec![]));
    assert_eq!(config.customer_id(), "C03az79cb");
    let domains = with("domains: [B.example, a.example, b.example]");
    assert_eq!(domains.folded_domains(), ["a.example", "b.example"]);
}

#[test]
fn what_cannot_work_is_said_at_once_and_where_it_stands() {
    fn check(lines: &str, path: &str, expect: &str) {
        let said = said(&with(lines).problems());
        let one = |it: &String| it.starts_with(&format!("{path}: ")) && it.contains(expect);
        assert!(said.len() == 1 && said.iter().all(one), "{lines}: {said:?}");
    }
    check("subject: admin", "subject", "admin@example.com");
    check("subject: '@example.com'", "subject", "no address");
    check("subject: 'a b@example.com'", "subject", "no address");
    check("subject: a@b@example.com", "subject", "no address");
    check("subject: ''", "subject", "no address");
    let account = "subject: usersyncd@project.iam.gserviceaccount.com";
    check(account, "subject", "cannot be its own subject");
    check("customer: example.com", "customer", "`C03az79cb`");
    check("customer: ''", "customer", "no customer's id");
    let both = "customer: C03az79cb\ndomains: [example.com]";
    check(both, "domains", "either");
    let domain = "domains: [a.example, '@example.com']";
    check(domain, "domains.1", "no domain");
    check("domains: ['*.example.com']", "domains.0", "no domain");
    check("domains: [C03az79cb]", "domains.0", "no domain");
    check("domains: [example.]", "domains.0", "no domain");
    check("groups: ['a@*', '[@x']", "groups.1", "is not a glob");
    check("groups: ['']", "groups.0", "it is empty");
    check("members_every: 61m", "members_every", "1h at most");
    check("queries_per_minute: 0", "queries_per_minute", "1 to 10000");
    check("queries_per_minute: 10001", "queries_per_minute", "10000");
    check("timeout: 0s", "timeout", "`60s`");
    check("url: 'https://a:b@h'", "url", "leave name and password");
    check("url: 'http://h'", "url", "`insecure: true`");
}

#[test]
fn names_are_made_of_fields_that_there_are() {
    fn check(lines: &str, path: &str, expect: &str) {
        let said = said(&with(lines).problems());
        let one = |it: &String| it.starts_with(&format!("{path}: ")) && it.contains(expect);
        assert!(said.len() == 1 && said.iter().all(one), "{lines}: {said:?}");
    }
    check("username: '{locale}'", "username", "`{local}`?");
    check(
        "username: '{name}'",
        "username",
        "there are `{local}`, `{dom",
    );
    let custom = "username: '{customSchemas.Employee}'";
    check(custom, "username", "`{customSchemas.SCHEMA.FIELD}`?");
    let custom = "group_name: '{customSchemas.A.b}'";
    check(custom, "group_name", "no field `{customSchemas.A.b}`");
    check("username: '{{local}}'", "username", "single braces");
    check("username: 'x-{domain}'", "username", "one name");
    check("group_name: staff", "group_name", "one name");
    for good in ["{address}", "{local}-{domain}", "{customSchemas.A.b}"] {
        assert_eq!(with(&format!("username: '{good}'")).problems(), []);
    }
    assert_eq!(with("group_name: '{name}@{domain}'").problems(), []);
}

#[test]
fn what_is_unwise_is_warned_about() {
    fn check(lines: &str, path: &str) {
        let config = with(lines);
        assert_eq!(config.problems(), [], "{lines}");
        let warnings = said(&config.warnings());
        let one = |it: &String| it.starts_with(&format!("{path}: "));
        assert!(
            warnings.len() == 1 && warnings.iter().all(one),
            "{lines}: {warnings:?}"
        );
    }
    check("groups: ['*', 'eng-*', eng]", "groups.2");
    check("activity: true", "activity");
    check("queries_per_minute: 2401", "queries_per_minute");
    check("url: 'http://h'\ninsecure: true", "insecure");
}

#[test]
fn a_pattern_that_is_none_is_an_error_and_no_warning_besides() {
    for lines in ["groups: ['[x']", "groups: ['']"] {
        let config = with(lines);
        assert_eq!(config.problems().len(), 1, "{lines}");
        assert_eq!(config.warnings(), [], "{lines}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    fn check(text: &str, expect: &str) {
        let fault = read(text).unwrap_err();
        assert!(fault.contains(expect), "{text}: {fault}");
    }
    check("subject: a@example.com\n", "missing field `key`");
    check("key: { env: X }\nkeys: 1\n", "unknown field `keys`");
    check("key: { env: X }\nusername: '{local'\n", "never closed");
    check("key: { env: X }\nurl: 'ldap://h'\n", "no address of HTTP");
    check("key: { env: X }\nmembers_every: 60\n", "no unit");
}

#[test]
fn the_basis_is_what_decides_which_records_are_read() {
    let base = with("").basis();
    let same = |lines: &str| assert_eq!(with(lines).basis(), base, "{lines}");
    same("customer: my_customer");
    same("members_every: 10m\nactivity: true\nqueries_per_minute: 10");
    same("ca: x.pem\nproxy: http://h\ntimeout: 1s\ninsecure: true");
    same("url: https://admin.googleapis.com/");
    let key = read("key: { file: other.json }\n").unwrap();
    assert_eq!(key.basis(), base);
    let other = |lines: &str| assert_ne!(with(lines).basis(), base, "{lines}");
    other("customer: C03az79cb");
    other("subject: admin@example.com");
    other("domains: [example.com]");
    other("groups: ['a@example.com']");
    other("username: '{address}'");
    other("group_name: '{name}'");
    other("url: https://elsewhere.example.com");
    let one = with("domains: [b.example, A.example]\ngroups: ['B@*', 'a@*', 'b@*']");
    let two = with("domains: [a.example, b.example, B.example]\ngroups: ['A@*', 'b@*']");
    assert_eq!(one.basis(), two.basis());
}

#[test]
fn whoever_spends_one_quota_is_one_tenant() {
    fn check(lines: &str, expect: &str) {
        assert_eq!(with(lines).tenant(), expect, "{lines}");
    }
    let subject = "subject: Admin@Example.com";
    check(subject, "domain example.com");
    check(&format!("{subject}\ncustomer: C1"), "customer C1");
    let mine = format!("{subject}\ncustomer: my_customer");
    check(&mine, "domain example.com");
    check("", "key environment variable `X`");
}

#[test]
fn paths_are_seen_from_the_folder_of_the_configuration() {
    let config = read("key: { file: google.json }\nca: ca.pem\n").unwrap();
    let anchored = config.anchored(Path::new("/etc/usersyncd"));
    let ca = anchored.ca.as_deref();
    assert_eq!(ca, Some(Path::new("/etc/usersyncd/ca.pem")));
    let key = anchored.key.to_string();
    assert!(key.contains("/etc/usersyncd/google.json"), "{key}");
}
