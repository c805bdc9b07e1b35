//! The command-line tools of OpenLDAP, by which the tests ask and change servers without the code that is tested.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether a server answers what everybody may ask.
pub(crate) fn answers(url: &str) -> bool {
    Command::new("ldapsearch")
        .args(["-x", "-H", url, "-s", "base", "-b", "", "supportedControl"])
        .args(["-o", "nettimeout=5"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("ldap-utils is not installed")
        .success()
}

/// Applies LDIF change records (`changetype: …`), all of them.
///
/// # Panics
///
/// When the server refuses one.
pub(crate) fn modify(url: &str, dn: &str, password: &str, changes: &str) {
    let mut client = Command::new("ldapmodify")
        .args(["-x", "-D", dn, "-w", password, "-H", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ldap-utils is not installed");
    let mut input = client.stdin.take().unwrap();
    // It stops reading at the first refusal, of which it tells better than the broken pipe does.
    let _ = input.write_all(changes.as_bytes());
    drop(input);
    let output = client.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "ldapmodify refused: {}\n{changes}",
        String::from_utf8_lossy(&output.stderr)
    );
}
