//! The command-line tools of OpenLDAP, by which the tests ask and change servers without the code that is tested.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

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
    modify_by(
        &mut Command::new("ldapmodify"),
        url,
        (dn, password),
        changes,
    );
}

/// The same with an `ldapmodify` that is prepared already.
pub(crate) fn modify_by(client: &mut Command, url: &str, login: (&str, &str), changes: &str) {
    let (dn, password) = login;
    let mut client = client
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

/// The values of an attribute of one entry, none if it has none.
pub(crate) fn values(url: &str, login: (&str, &str), entry: &str, attribute: &str) -> Vec<String> {
    let (dn, password) = login;
    let output = Command::new("ldapsearch")
        .args(["-x", "-LLL", "-o", "ldif-wrap=no", "-D", dn, "-w", password])
        .args(["-H", url, "-s", "base", "-b", entry, attribute])
        .output()
        .expect("ldap-utils is not installed");
    assert!(output.status.success(), "{entry}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|it| it.split_once(':'));
    let found = lines.filter(|it| it.0.eq_ignore_ascii_case(attribute));
    let values = found.map(|(_, value)| match value.strip_prefix(':') {
        Some(encoded) => {
            String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).unwrap()).unwrap()
        }
        None => value.trim().to_owned(),
    });
    values.collect()
}
