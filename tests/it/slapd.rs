//! The LDAP server of the tests is what the tests take it for: it serves what it was given, limits whom it should
//! limit, and ends with the test. Asked with the tools of OpenLDAP.

use std::net::TcpStream;
use std::process::{Command, Output};

use crate::support::slapd::{LIMITED, NOPAGE, PASSWORD, READER, SessionLog, Slapd};
use crate::support::wait;

const ONE_USER: &str = "\
dn: uid=ada,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace

dn: cn=hidden,ou=odd,dc=load,dc=test
objectClass: organizationalRole
cn: hidden
";

#[test]
fn what_was_loaded_is_found_over_plain_text_and_over_tls() {
    let slapd = Slapd::start(ONE_USER);
    for url in [slapd.url(), slapd.ldaps_url()] {
        let output = search(
            &slapd,
            &url,
            READER,
            &["-b", "ou=people,dc=load,dc=test", "(uid=ada)", "sn"],
        );
        assert!(
            output.status.success(),
            "{url}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            text(&output).contains("sn: Lovelace"),
            "{url}: {}",
            text(&output)
        );
    }
}

#[test]
fn the_user_who_runs_the_tests_is_the_reader_over_the_socket() {
    let slapd = Slapd::start("");
    let output = Command::new("ldapwhoami")
        .args(["-Q", "-Y", "EXTERNAL", "-H", &slapd.ldapi_url()])
        .output()
        .unwrap();
    assert_eq!(text(&output).trim(), format!("dn:{READER}"), "{output:?}");
}

#[test]
fn a_server_without_a_session_log_does_not_tell_what_was_deleted() {
    let deleted = |log| {
        let slapd = Slapd::start_logging(ONE_USER, log);
        let people = "ou=people,dc=load,dc=test";
        let cookie = |output: &Output| {
            let said = text(output);
            let line = said.lines().find(|it| it.starts_with("# cookie: "));
            line.map(|it| it.trim_start_matches("# cookie: ").to_owned())
        };
        let sync = |cookie: &str| {
            let control = format!("!sync=ro{cookie}");
            let output = Command::new("ldapsearch")
                .args(["-x", "-D", READER, "-w", PASSWORD, "-H", &slapd.url()])
                .args(["-o", "ldif-wrap=no", "-E", &control, "-b", people, "uid"])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            output
        };
        let first = sync("");
        slapd.modify(&format!("dn: uid=ada,{people}\nchangetype: delete\n"));
        let cookie = cookie(&first).unwrap();
        text(&sync(&format!("/{cookie}")))
    };
    let kept = deleted(SessionLog::Kept);
    assert!(kept.contains("refreshDeletes=1"), "{kept}");
    let lost = deleted(SessionLog::None);
    assert!(lost.contains("refreshDeletes=0"), "{lost}");
}

#[test]
fn each_account_has_its_own_limits() {
    let slapd = Slapd::start(ONE_USER);
    let check = |account, arguments: &[&str], code: i32, entries: usize| {
        let output = search(&slapd, &slapd.url(), account, arguments);
        let found = text(&output)
            .lines()
            .filter(|line| line.starts_with("dn:"))
            .count();
        assert_eq!(
            (output.status.code(), found),
            (Some(code), entries),
            "{account} {arguments:?}"
        );
    };
    let odd = ["-b", "ou=odd,dc=load,dc=test", "(cn=hidden)", "cn"];
    check(READER, &odd, 0, 1);
    check(LIMITED, &odd, 0, 0);
    let paged = [
        "-E",
        "pr=100/noprompt",
        "-b",
        "ou=people,dc=load,dc=test",
        "(uid=ada)",
        "cn",
    ];
    check(READER, &paged, 0, 1);
    check(NOPAGE, &paged, 11, 0);
}

#[test]
fn changes_survive_a_stop_and_the_ports_stay() {
    let mut slapd = Slapd::start(ONE_USER);
    let url = slapd.url();
    slapd.modify(
        "dn: uid=ada,ou=people,dc=load,dc=test\nchangetype: modify\nreplace: sn\nsn: King\n",
    );
    slapd.stop();
    assert!(refuses(&url));
    slapd.start_again();
    let output = search(
        &slapd,
        &url,
        READER,
        &["-b", "dc=load,dc=test", "(uid=ada)", "sn"],
    );
    assert!(text(&output).contains("sn: King"), "{}", text(&output));
}

#[test]
fn a_dropped_server_is_gone() {
    let slapd = Slapd::start("");
    let (url, folder) = (slapd.url(), slapd.ca_path().parent().unwrap().to_owned());
    drop(slapd);
    assert!(refuses(&url));
    assert!(!folder.exists());
}

#[test]
fn a_server_does_not_outlive_a_thread_that_forgot_it() {
    let forget = || {
        let slapd = Slapd::start("");
        let (url, folder) = (slapd.url(), slapd.ca_path().parent().unwrap().to_owned());
        // Nothing is dropped here, as in a test that gets SIGKILL.
        std::mem::forget(slapd);
        (url, folder)
    };
    let (url, folder) = std::thread::spawn(forget).join().unwrap();
    wait::until("the port is free again", || refuses(&url).then_some(()));
    std::fs::remove_dir_all(folder).unwrap();
}

fn search(slapd: &Slapd, url: &str, account: &str, arguments: &[&str]) -> Output {
    Command::new("ldapsearch")
        .env("LDAPTLS_CACERT", slapd.ca_path())
        .args(["-x", "-LLL", "-D", account, "-w", PASSWORD, "-H", url])
        .args(arguments)
        .output()
        .unwrap()
}

fn refuses(url: &str) -> bool {
    let address = url.strip_prefix("ldap://").unwrap();
    TcpStream::connect(address).is_err()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
