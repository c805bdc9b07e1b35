//! Keys, rights and scopes that are not what they should be: one clear error, and nobody is removed.

use super::*;
use crate::support::google_double::{CLIENT_EMAIL, Fault, GROUP_SCOPE, USER_SCOPE};

/// After this change of a site in sync, two passes change nothing and tell one error with these words; once it is taken back,
/// all is well again.
fn check(kind: &str, words: &[&str], change: impl Fn(&Town), back: impl Fn(&Town)) {
    let town = Town::settled();
    change(&town);
    // What would be done if it could be read.
    town.double.with(|it| it.remove("dora@example.com"));
    for _ in 0..2 {
        let before = town.tables();
        let run = town.is_partial();
        assert_eq!(town.tables(), before);
        let failed = run.one("directory.failed");
        assert_eq!(failed["kind"], kind, "{failed}");
        // An error is what needs a person.
        let level = match kind {
            "unauthorised" | "configuration" => "ERROR",
            _ => "WARN",
        };
        assert_eq!(failed["level"], level, "{failed}");
        let error = failed["error"].as_str().unwrap();
        for word in words {
            assert!(error.contains(word), "no `{word}`: {error}");
        }
        assert!(!run.err.contains("PRIVATE KEY"), "{}", run.err);
        let errors = run.events().into_iter().filter(|it| it["level"] == "ERROR");
        let errors: Vec<Value> = errors.collect();
        assert!(
            errors.iter().all(|it| it["event"] == "directory.failed"),
            "{errors:?}"
        );
    }
    back(&town);
    town.passes("applied");
    assert_eq!(town.accounts(), ["anna|1", "ben|1", "carl|1", "dora|0"]);
}

/// The same with another key file.
fn check_key(content: &str, words: &[&str]) {
    let own = |it: &Town| it.site.write("key.json", &it.double.key());
    check(
        "unauthorised",
        words,
        |it| it.site.write("key.json", content),
        own,
    );
}

fn subject(town: &Town, subject: &str) {
    town.configure("", &format!("subject: {subject}"));
}

#[test]
fn a_key_file_that_is_none_removes_nobody() {
    check_key(
        "-----BEGIN RSA PRIVATE KEY-----\n",
        &["no JSON", "Keys > Add key"],
    );
    let client =
        r#"{"installed": {"client_id": "1.apps.googleusercontent.com", "client_secret": "s"}}"#;
    check_key(client, &["OAuth client ID", "make a service account"]);
    let person = r#"{"type": "authorized_user", "client_id": "1", "refresh_token": "r"}"#;
    check_key(person, &["login of a person", "make a service account"]);
    check_key(
        r#"{"type": "service_account"}"#,
        &["`client_id` is missing"],
    );
}

/// What can be seen without asking anybody is a matter of the configuration: nothing is read and nothing is written.
#[test]
fn what_the_configuration_shows_is_refused_before_anybody_is_asked() {
    let check = |change: &dyn Fn(&Town), words: &str| {
        let town = Town::settled();
        let before = town.tables();
        town.double.with(|it| it.remove("dora@example.com"));
        town.double.forget_requests();
        change(&town);
        let run = town.site.sync().ended(78);
        assert!(run.complaints().contains(words), "{}", run.err);
        assert_eq!(town.tables(), before);
        assert_eq!(town.double.requests(), []);
    };
    check(&|it| it.site.write("key.json", ""), "`key.json` is empty");
    let gone = |it: &Town| std::fs::remove_file(it.site.path("key.json")).unwrap();
    check(&gone, "must be readable for the daemon's user");
    check(&|it| subject(it, CLIENT_EMAIL), "cannot be its own subject");
}

/// A daemon that runs meets it all the same.
#[test]
fn a_key_file_that_goes_while_the_daemon_runs_removes_nobody() {
    let town = Town::settled();
    town.configure("schedule: '* * * * * *'", "");
    let before = town.tables();
    // It has a token for an hour, and needs another one as soon as that is taken no more.
    std::fs::write(town.site.path("spare"), town.double.key()).unwrap();
    let daemon = town.site.daemon();
    std::fs::remove_file(town.site.path("key.json")).unwrap();
    town.double.fault(USERS, Fault::ExpireTokens);
    town.double.with(|it| it.remove("dora@example.com"));
    let failed = daemon.wait_for_value("directory.failed", "kind", "unauthorised");
    let error = failed["error"].as_str().unwrap();
    assert!(
        error.contains("`key`") && error.contains("key.json"),
        "{error}"
    );
    assert_eq!(town.tables(), before);
    std::fs::rename(town.site.path("spare"), town.site.path("key.json")).unwrap();
    daemon.wait_for_value("pass.finished", "outcome", "applied");
    assert_eq!(town.accounts(), ["anna|1", "ben|1", "carl|1", "dora|0"]);
    daemon.stop();
}

#[test]
fn a_key_that_was_revoked_removes_nobody() {
    let own = |it: &Town| it.site.write("key.json", &it.double.key());
    let other = |it: &Town| it.site.write("key.json", &it.double.other_key());
    check(
        "unauthorised",
        &["Invalid JWT Signature", "make a new key"],
        other,
        own,
    );
}

#[test]
fn a_scope_that_is_missing_removes_nobody() {
    for scope in [GROUP_SCOPE, USER_SCOPE] {
        check(
            "unauthorised",
            &["unauthorized_client", "Domain-wide delegation", scope],
            |it| it.double.with(|it| assert!(it.scopes.remove(scope))),
            |it| {
                it.double
                    .with(|it| assert!(it.scopes.insert(scope.to_owned())));
            },
        );
    }
}

#[test]
fn a_subject_who_is_nobody_or_no_administrator_removes_nobody() {
    let own = |it: &Town| it.configure("", "");
    let words = ["no administrator", "Admin roles"];
    check(
        "unauthorised",
        &words,
        |it| subject(it, "anna@example.com"),
        own,
    );
    let words = [
        "Invalid email or User ID",
        "primary address of an active administrator",
    ];
    check(
        "unauthorised",
        &words,
        |it| subject(it, "nobody@example.com"),
        own,
    );
    // Who was one.
    check(
        "unauthorised",
        &["no administrator"],
        |it| {
            it.double.with(|it| {
                it.admins.clear();
                it.add_user(ADMIN);
            });
        },
        |it| {
            it.double.with(|it| {
                it.remove(ADMIN);
                it.admins.insert(ADMIN.to_owned());
            });
        },
    );
}

#[test]
fn an_api_that_is_not_enabled_removes_nobody() {
    check(
        "configuration",
        &["`accessNotConfigured`", "APIs & Services > Library"],
        |it| it.double.fault_times(USERS, 99, not_enabled()),
        |it| it.double.mend(),
    );
}

#[test]
fn google_that_cannot_be_reached_removes_nobody() {
    check(
        "unavailable",
        &["could not be sent"],
        |it| it.double.cut(),
        |it| it.double.restore(),
    );
}

/// The first read, of which nothing is known yet.
#[test]
fn where_nothing_was_ever_read_nothing_is_made() {
    let town = Town::new();
    subject(&town, "anna@example.com");
    let run = town.site.sync();
    assert_ne!(run.code, Some(0));
    run.one("directory.failed");
    assert_eq!(town.accounts().len(), 0);
    town.configure("", "");
    town.passes("applied");
    assert_eq!(town.accounts().len(), 4);
}
