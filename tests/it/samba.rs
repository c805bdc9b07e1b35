//! The domain controller of the tests is what the tests take it for. Asked with the tools of OpenLDAP.

use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use crate::support::samba::{BASE, BLIND, COUNTER, PASSWORD, READER, SYNCER, Samba};
use crate::support::wait;

/// Tells the copy of this test that it is the one to be killed.
const VICTIM: &str = "USERSYNCD_TEST_SAMBA_VICTIM";

#[test]
fn it_answers_over_plain_text_and_over_tls() {
    let samba = Samba::shared();
    let unit = samba.unit("answers");
    samba.modify(&format!(
        "dn: CN=Ada,OU=people,{unit}\nchangetype: add\nobjectClass: user\nsAMAccountName: ada\nuserAccountControl: 512\n"
    ));
    for url in [samba.url(), samba.ldaps_url()] {
        let found = search(samba, &url, READER, &["-b", &unit, "(sAMAccountName=ada)"]);
        assert!(found.status.success(), "{url}: {found:?}");
        assert!(
            text(&found).contains("userAccountControl: 512"),
            "{url}: {found:?}"
        );
    }
}

#[test]
fn each_reader_has_its_own_rights() {
    let samba = Samba::shared();
    let unit = samba.unit("rights");
    samba.modify(&format!(
        "dn: CN=Gone,OU=people,{unit}\nchangetype: add\nobjectClass: user\nsAMAccountName: gone\n\n\
         dn: CN=Gone,OU=people,{unit}\nchangetype: delete\n"
    ));
    let check = |account, changes: bool, deleted: bool| {
        let ask = |control: &str| {
            let arguments = ["-E", control, "-b", BASE, "(cn=Gone*)", "cn"];
            let found = search(samba, &samba.url(), account, &arguments);
            (found.status.code(), text(&found).contains("DEL:"))
        };
        let expect = if changes { Some(0) } else { Some(50) };
        assert_eq!(ask("!dirSync=0/0").0, expect, "{account}");
        assert_eq!(
            ask("!1.2.840.113556.1.4.417"),
            (Some(0), deleted),
            "{account}"
        );
    };
    check(READER, false, false);
    check(SYNCER, true, true);
    check(COUNTER, false, true);
    check(BLIND, true, false);
}

#[test]
fn a_dropped_server_is_gone() {
    let samba = Samba::start();
    let (url, folder) = (samba.url(), samba.ca_path().parent().unwrap().to_owned());
    drop(samba);
    assert!(refuses(&url));
    assert!(!folder.exists());
}

/// Starts this test again in a process of its own, which is killed once its server runs.
#[test]
fn a_server_does_not_outlive_the_process_of_its_test() {
    if let Ok(file) = std::env::var(VICTIM) {
        let samba = Samba::start();
        std::fs::write(
            format!("{file}.new"),
            format!("{} {}", samba.url(), samba.ca_path().display()),
        )
        .unwrap();
        std::fs::rename(format!("{file}.new"), file).unwrap();
        // For longer than this process will live.
        wait::until("being killed", || None::<()>);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("up");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "samba::a_server_does_not_outlive_the_process_of_its_test",
        ])
        .env(VICTIM, &file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let up = wait::until("the other server is up", || {
        std::fs::read_to_string(&file).ok()
    });
    let (url, ca) = up.split_once(' ').unwrap();
    assert!(!refuses(url));
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait::until("the server is gone", || refuses(url).then_some(()));
    let ca = std::path::Path::new(ca);
    wait::until("its folder is gone", || {
        (!ca.parent().unwrap().exists()).then_some(())
    });
}

fn search(samba: &Samba, url: &str, account: &str, arguments: &[&str]) -> Output {
    Command::new("ldapsearch")
        .env("LDAPTLS_CACERT", samba.ca_path())
        .args(["-x", "-LLL", "-D", account, "-w", PASSWORD, "-H", url])
        .args(arguments)
        .output()
        .unwrap()
}

fn refuses(url: &str) -> bool {
    let host = url.strip_prefix("ldap://").unwrap();
    TcpStream::connect((host, 389)).is_err()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
