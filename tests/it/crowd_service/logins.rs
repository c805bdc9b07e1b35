//! Who may log in through a served set: the directory that won the user is asked, and no other.

use secrecy::SecretString;

use super::{LISTEN, SECRET, SERVED, Served};
use crate::support::site::{Site, person, yaml};
use crate::support::slapd::{self, Slapd};

fn user(name: &str, password: &str) -> String {
    format!(
        "dn: uid={name},ou=people,{}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
         displayName: {name}\nuserPassword: {password}\n\n",
        slapd::SUFFIX
    )
}

/// Two directories: people of a file, who come first, and those of a server.
fn site(server: &Slapd) -> Site {
    let site = Site::empty();
    site.write("office.yaml", &yaml(&[person("olga"), person("both")]));
    site.write("client", SECRET);
    site.write("password", slapd::PASSWORD);
    let text = format!(
        "state: sqlite:state.db\n{LISTEN}directories:\n  - name: office\n    file: {{ path: office.yaml }}\n  \
         - name: corporate\n    ldap:\n      urls: ['{}']\n      schema: openldap\n      insecure: true\n      \
         bind: {{ dn: '{}', password: {{ file: password }} }}\n      \
         users: {{ base: 'ou=people,{}' }}\n      timeout: 2s\n\
         applications:\n  - name: atlassian\n    directories: [office, corporate]\n    first_pass: apply\n    {SERVED}\n",
        server.url(),
        slapd::READER,
        slapd::SUFFIX,
    );
    site.write("config.yaml", &text);
    site
}

#[test]
fn the_directory_that_won_a_user_is_asked_and_no_other() {
    let mut server = Slapd::start(&(user("anna", "geheim") + &user("both", "lower")));
    let site = site(&server);
    let served = Served::start(&site);
    let log_in = |name: &str, password: &str| {
        let (status, answer) = served.log_in(name, &SecretString::from(password.to_owned()));
        let reason = answer["reason"].as_str().unwrap_or_default();
        (status, reason.to_owned())
    };
    assert_eq!(log_in("anna", "geheim"), (200, String::new()));
    assert_eq!(log_in("ANNA", "geheim"), (200, String::new()));
    for wrong in ["Geheim", "", "geheim\0"] {
        let expect = (400, "INVALID_USER_AUTHENTICATION".to_owned());
        assert_eq!(log_in("anna", wrong), expect, "{wrong:?}");
    }
    assert_eq!(log_in("nobody", "x").1, "USER_NOT_FOUND");
    // The file won her, and knows no passwords; that the server would let her in does not count.
    assert_eq!(log_in("both", "lower").1, "OPERATION_FAILED");
    assert_eq!(log_in("olga", "x").1, "OPERATION_FAILED");

    let check = site.run(&["check", "--connect"]);
    let counted = "2 active users of directory `office` cannot log in through this set";
    assert!(check.out.contains(counted), "{}", check.out);

    server.stop();
    assert_eq!(
        log_in("anna", "geheim").1,
        "OPERATION_FAILED",
        "never a wrong password"
    );
    server.start_again();
    assert_eq!(log_in("anna", "geheim"), (200, String::new()));

    let run = served.daemon.stop().ended(0);
    for secret in ["geheim", SECRET] {
        assert!(!run.err.contains(secret), "{}", run.err);
    }
}

#[test]
fn a_renamed_entry_is_found_by_its_id_and_wrong_passwords_are_slowed_down() {
    let server = Slapd::start(&user("anna", "geheim"));
    let site = site(&server);
    let served = Served::start(&site);
    let log_in = |password: &str| served.log_in("anna", &SecretString::from(password.to_owned()));
    server.modify(&format!(
        "dn: uid=anna,ou=people,{0}\nchangetype: modrdn\nnewrdn: uid=anne\ndeleteoldrdn: 1\n",
        slapd::SUFFIX
    ));
    // The set still has the old name, and the entry has another one.
    assert_eq!(log_in("geheim").0, 200);
    for _ in 0..5 {
        assert_eq!(log_in("wrong").1["reason"], "INVALID_USER_AUTHENTICATION");
    }
    // Now not even the right one is tried, so that nobody can go on guessing.
    assert_eq!(log_in("geheim").1["reason"], "INVALID_USER_AUTHENTICATION");
}
