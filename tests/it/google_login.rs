//! What becomes of a Google directory that is not let in, or no longer: an error that says what to do, in a read and in a check,
//! and no request more than it takes to know. Against the Google Workspace in memory.

use std::sync::Arc;

use serde_json::{Value, json};
use usersyncd::clock::{Clock, ManualClock, SystemClock, Timestamp};
use usersyncd::directories::google::{GoogleConfig, GoogleDirectory};
use usersyncd::directories::{Directory, ReadError, Since};
use usersyncd::pace::Pace;

use crate::support::google_double::{ADMIN, Fault, GROUP_SCOPE, GoogleDouble, State};

const USERS: &str = "directory.users.list";
const GROUPS: &str = "directory.groups.list";

/// A directory with this key, in the name of this subject.
fn directory(double: &GoogleDouble, key: &str, subject: Option<&str>) -> GoogleDirectory {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = json!({
        "url": double.url(), "key": key, "subject": subject, "insecure": true,
    });
    let config: GoogleConfig = serde_yaml::from_str(&config.to_string()).unwrap();
    let pace = Arc::new(Pace::new(None, 8, Arc::clone(&clock)));
    GoogleDirectory::new("google", &config, Vec::new(), pace, clock).unwrap()
}

fn workspace() -> GoogleDouble {
    let double = GoogleDouble::start();
    double.with(|it| {
        it.add_user("anna@example.com");
        it.add_group("staff@example.com");
        it.add_member("staff@example.com", "anna@example.com");
    });
    double
}

async fn read(directory: &GoogleDirectory) -> Result<(), ReadError> {
    directory.read(Since::default()).await.map(drop)
}

/// What a read and a check say where nobody is let in: in these words, of that kind and under that item.
async fn check(
    double: &GoogleDouble,
    directory: &GoogleDirectory,
    (word, item): (&str, &str),
    piece: &str,
) {
    let error = read(directory).await.unwrap_err();
    assert_eq!(error.word(), word, "{error}");
    let asked = double.count("token");
    let again = read(directory).await.unwrap_err();
    assert_eq!(double.count("token"), asked, "asked for a token again");
    let findings = directory.check().await;
    let bad = findings.iter().find(|it| !it.good).unwrap();
    assert_eq!(bad.item, item);
    // Users and groups are listed at once, and either may be refused first.
    for text in [error.to_string(), again.to_string(), bad.text.clone()] {
        assert!(text.contains(piece), "{text}");
    }
}

/// As [`check`], where Google is as `change` makes it and gives no token.
async fn check_token(change: impl FnOnce(&mut State), subject: &str, piece: &str) {
    let double = workspace();
    double.with(change);
    let directory = directory(&double, &double.key(), Some(subject));
    check(&double, &directory, ("unauthorised", "token"), piece).await;
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn an_account_that_gets_no_token_is_told_why() {
    check_token(
        |it| it.scopes.clear(),
        ADMIN,
        "the service account is not authorised in the domain of `subject`",
    )
    .await;
    check_token(
        |it| {
            it.scopes.remove(GROUP_SCOPE);
        },
        ADMIN,
        "or with other scopes",
    )
    .await;
    check_token(
        |_| {},
        "nobody@example.com",
        "nobody active has the address in `subject`",
    )
    .await;
    let wrong = Arc::new(ManualClock::new(Timestamp(0)));
    check_token(
        |it| it.clock = wrong,
        ADMIN,
        "the clock of this machine is wrong",
    )
    .await;
}

#[tokio::test]
async fn a_key_that_was_revoked_is_told_and_not_tried_again() {
    let double = workspace();
    let directory = directory(&double, &double.other_key(), Some(ADMIN));
    let piece = "the key was deleted or disabled, or it has expired";
    check(&double, &directory, ("unauthorised", "token"), piece).await;
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn a_key_file_that_is_none_asks_nobody() {
    async fn check_key(key: &str, subject: &str, piece: &str) {
        let double = workspace();
        let directory = directory(&double, key, Some(subject));
        check(&double, &directory, ("unauthorised", "key"), piece).await;
        assert_eq!(double.requests().len(), 0);
    }
    check_key("none", ADMIN, "it is no JSON").await;
    check_key(r#"{"web":{}}"#, ADMIN, "an OAuth client ID").await;
    let person = r#"{"type":"authorized_user"}"#;
    check_key(person, ADMIN, "the login of a person").await;
    let double = workspace();
    let mut file: Value = serde_json::from_str(&double.key()).unwrap();
    file["private_key"] = "-----BEGIN PRIVATE KEY-----".into();
    check_key(&file.to_string(), ADMIN, "no RSA key in PEM").await;
}

#[tokio::test]
async fn whoever_may_not_read_the_lists_is_told_what_role_is_missing() {
    async fn check_rights(subject: Option<&str>) {
        let double = workspace();
        let directory = directory(&double, &double.key(), subject);
        let piece = "is no administrator, or its role may not read this";
        check(&double, &directory, ("unauthorised", "users"), piece).await;
    }
    check_rights(Some("anna@example.com")).await;
    check_rights(None).await;
}

#[tokio::test]
async fn a_project_or_a_customer_that_is_not_set_up_is_a_fault_of_the_configuration() {
    async fn check_setup(status: u16, reason: &str, message: &str, piece: &str) {
        let double = workspace();
        let body = json!({"error": {
            "code": status, "message": message, "errors": [{"reason": reason, "message": message}],
        }});
        double.fault_times(USERS, 9, Fault::Answer(status, body));
        let directory = directory(&double, &double.key(), Some(ADMIN));
        check(&double, &directory, ("configuration", "users"), piece).await;
    }
    let piece = "the Admin SDK API is not enabled in the project of the service account";
    check_setup(403, "accessNotConfigured", "m", piece).await;
    let piece = "access over APIs is switched off";
    check_setup(403, "domainCannotUseApis", "m", piece).await;
    let piece = "belongs to no domain of a Google Workspace";
    check_setup(404, "notFound", "Domain not found.", piece).await;
    let piece = "is of the wrong kind";
    check_setup(400, "badRequest", "Invalid Input", piece).await;
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_read_is_replaced() {
    let double = workspace();
    double.fault(GROUPS, Fault::ExpireTokens);
    let directory = directory(&double, &double.key(), Some(ADMIN));
    read(&directory).await.unwrap();
    assert_eq!((double.count("token"), double.count(GROUPS)), (2, 2));
    read(&directory).await.unwrap();
    assert_eq!(double.count("token"), 2);
}

#[tokio::test]
async fn what_is_mended_counts_with_the_next_key() {
    let double = workspace();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    std::fs::write(&path, double.other_key()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = json!({
        "url": double.url(), "key": {"file": path}, "subject": ADMIN, "insecure": true,
    });
    let config: GoogleConfig = serde_yaml::from_str(&config.to_string()).unwrap();
    let pace = Arc::new(Pace::new(None, 8, Arc::clone(&clock)));
    let directory = GoogleDirectory::new("google", &config, Vec::new(), pace, clock).unwrap();
    read(&directory).await.unwrap_err();
    std::fs::write(&path, double.key()).unwrap();
    read(&directory).await.unwrap();
}
