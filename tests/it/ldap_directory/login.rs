//! Who asks.

use usersyncd::directories::ldap::config::Bind;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::{COMPANY, build, check_error, clock, complete, config, findings, read, usernames};
use crate::support::raw;
use crate::support::slapd::{PASSWORD, READER, Slapd};

#[tokio::test]
async fn a_password_is_read_at_every_login_and_one_that_is_gone_is_said() {
    let slapd = Slapd::start(COMPANY);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "wrong").unwrap();
    let config = config(&[&slapd.url()], READER, "");
    let password = Some(SecretRef::file(&file));
    let directory = LdapDirectory::new("x", &config, password, Vec::new(), clock()).unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "unauthorised", "result code 49");
    std::fs::write(&file, PASSWORD).unwrap();
    let users = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&users)), ["ada", "björn"]);
    std::fs::remove_file(&file).unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(
        &failed,
        "unauthorised",
        "must be readable for the daemon's user",
    );
    let findings = findings(&directory).await;
    assert!(
        findings[1].starts_with("BAD bind: bind.password: "),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_unauthorised_and_no_other_server_is_asked() {
    let slapd = Slapd::start("");
    let nowhere = "ldap://127.0.0.1:1";
    let urls = [slapd.url(), nowhere.to_owned()];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let failed = read(&build(&urls, READER, "", "wrong").unwrap())
        .await
        .unwrap_err();
    check_error(&failed, "unauthorised", "result code 49");
    assert!(!failed.to_string().contains(":1 "), "{failed}");
}

#[test]
fn a_password_in_plain_text_is_refused() {
    let config = config(&["ldap://localhost"], READER, "");
    let config = LdapConfig {
        insecure: false,
        ..config
    };
    let fault = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    );
    let text = fault.unwrap_err().to_string();
    assert!(text.contains("`insecure: true`"), "{text}");
}

#[tokio::test]
async fn the_system_can_say_who_asks() {
    let slapd = Slapd::start(COMPANY);
    let external = |url: &str| {
        let config = config(&[url], READER, "");
        let bind = Some(Bind::External);
        LdapDirectory::new(
            "x",
            &LdapConfig { bind, ..config },
            None,
            Vec::new(),
            clock(),
        )
    };
    let directory = external(&slapd.ldapi_url()).unwrap();
    let users = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&users)), ["ada", "björn"]);
    let found = findings(&directory).await;
    assert!(found[1].contains("SASL EXTERNAL"), "{found:?}");
    // Nobody can know it over the network.
    let fault = external(&slapd.url()).unwrap_err().to_string();
    assert!(fault.starts_with("bind.sasl: "), "{fault}");
}

#[tokio::test]
async fn an_empty_password_is_never_sent() {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let address = raw::start(move |mut client| {
        let told = told.clone();
        async move { told.send(raw::hear(&mut client).await).unwrap() }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "\n").unwrap();
    let config = config(&[&format!("ldap://{address}")], READER, "");
    let password = Some(SecretRef::file(&file));
    let directory = LdapDirectory::new("x", &config, password, Vec::new(), clock()).unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "unauthorised", "is empty");
    assert_eq!(heard.recv().await, Some(Vec::new()));
}
