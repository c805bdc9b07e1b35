//! What a domain controller says of passwords.

use std::fmt::Write as _;
use std::sync::Arc;

use usersyncd::clock::SystemClock;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::model::Verdict;
use usersyncd::secret::SecretRef;

use super::{ids, verify};
use crate::support::samba::{BASE, PASSWORD, READER, Samba};

/// In January 2001, as Active Directory counts.
const LONG_AGO: &str = "126227808000000000";
const RIGHT: &str = "correct horse 1";
/// Whoever is a user is active, so that the domain controller alone decides.
const NO_STATUS: &str = ", active: { attribute: objectClass, values: [user] }";

/// A unit with a user, to whose entry the lines are added once the password is set.
fn unit(samba: &Samba, unit: &str, users: &[(&str, &str)]) -> String {
    let unit = samba.unit(unit);
    for (name, lines) in users {
        let dn = format!("CN={name},OU=people,{unit}");
        samba.modify(&format!(
            "dn: {dn}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\nuserAccountControl: 514\n"
        ));
        samba.set_password(&dn, RIGHT);
        let mut change = format!("dn: {dn}\nchangetype: modify\nreplace: userAccountControl\n");
        let control = if *lines == "disabled" { 514 } else { 512 };
        let _ = write!(change, "userAccountControl: {control}\n-\n");
        if let Some((attribute, _)) = lines.split_once(':') {
            let _ = write!(change, "replace: {attribute}\n{lines}\n-\n");
        }
        samba.modify(&change);
    }
    unit
}

fn directory(url: &str, unit: &str, more: &str, further: &str) -> LdapDirectory {
    let yaml = format!(
        "urls: ['{url}']\nschema: active-directory\ninsecure: true\n\
         bind: {{ dn: '{READER}', password: {{ env: UNUSED }} }}\n\
         users: {{ base: 'OU=people,{unit}'{more} }}\n{further}\n"
    );
    let config: LdapConfig = serde_yaml::from_str(&yaml).unwrap();
    let password = Some(SecretRef::literal(PASSWORD));
    LdapDirectory::new(
        "x",
        &config,
        password,
        Vec::new(),
        Arc::new(SystemClock::new()),
    )
    .unwrap()
}

#[tokio::test]
async fn a_domain_controller_says_why_somebody_is_not_let_in() {
    let samba = Samba::shared();
    let never = "logonHours:: AAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let users = [
        ("p-sound", ""),
        ("p-disabled", "disabled"),
        ("p-expired", &format!("accountExpires: {LONG_AGO}")),
        ("p-change", "pwdLastSet: 0"),
        ("p-hours", never),
    ];
    let unit = unit(samba, "passwords", &users);
    let (asked, told) = (
        directory(&samba.url(), &unit, "", ""),
        directory(&samba.url(), &unit, NO_STATUS, ""),
    );
    let ids = ids(&asked).await;
    // What the entry says, and what the server says.
    for (name, asked_for, told_by) in [
        ("p-sound", Verdict::Accepted, Verdict::Accepted),
        ("p-disabled", Verdict::Inactive, Verdict::Inactive),
        ("p-expired", Verdict::Inactive, Verdict::Expired),
        ("p-change", Verdict::Expired, Verdict::Expired),
        ("p-hours", Verdict::Inactive, Verdict::Inactive),
    ] {
        assert_eq!(verify(&asked, &ids[name], RIGHT).await, asked_for, "{name}");
        assert_eq!(verify(&told, &ids[name], RIGHT).await, told_by, "{name}");
    }
    for name in ["p-sound", "p-change"] {
        assert_eq!(
            verify(&asked, &ids[name], "wrong").await,
            Verdict::Wrong,
            "{name}"
        );
    }
    assert_eq!(verify(&asked, &ids["p-sound"], "").await, Verdict::Wrong);
    let nobody = "9c004ef7-775a-414d-af24-0001020304ff";
    assert_eq!(verify(&asked, nobody, RIGHT).await, Verdict::Unknown);
    let of_another_server = "cn=p-sound,ou=people";
    assert_eq!(
        verify(&asked, of_another_server, RIGHT).await,
        Verdict::Unknown
    );
    let secured = format!("ca: {}", samba.ca_path().display());
    let secured = directory(&samba.ldaps_url(), &unit, "", &secured);
    assert_eq!(
        verify(&secured, &ids["p-sound"], RIGHT).await,
        Verdict::Accepted
    );
    assert_eq!(
        verify(&secured, &ids["p-sound"], "wrong").await,
        Verdict::Wrong
    );
}

#[tokio::test]
async fn whoever_bears_the_id_now_is_meant() {
    let samba = Samba::shared();
    let unit = unit(samba, "password-moves", &[("p-moved", "")]);
    let directory = directory(&samba.url(), &unit, "", "");
    let moved = &ids(&directory).await["p-moved"];
    samba.modify(&format!(
        "dn: CN=p-moved,OU=people,{unit}\nchangetype: modrdn\nnewrdn: CN=King\\, Ada \\2b 1\ndeleteoldrdn: 1\n"
    ));
    assert_eq!(verify(&directory, moved, RIGHT).await, Verdict::Accepted);
    samba.modify(&format!(
        "dn: CN=King\\, Ada \\2b 1,OU=people,{unit}\nchangetype: delete\n"
    ));
    assert_eq!(verify(&directory, moved, RIGHT).await, Verdict::Unknown);
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_an_account() {
    let samba = Samba::start();
    let unit = unit(&samba, "passwords", &[("p-locked", "")]);
    samba.modify(&format!(
        "dn: {BASE}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 3\n"
    ));
    let directory = directory(&samba.url(), &unit, "", "");
    let locked = &ids(&directory).await["p-locked"];
    for _ in 0..3 {
        assert_eq!(verify(&directory, locked, "wrong").await, Verdict::Wrong);
    }
    assert_eq!(verify(&directory, locked, RIGHT).await, Verdict::Inactive);
}
