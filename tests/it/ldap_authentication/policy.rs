//! What the password policies of slapd say (the overlay `ppolicy`).

use usersyncd::model::Verdict;

use super::{PEOPLE, directory, ids, verify};
use crate::support::slapd::{SUFFIX, Slapd};

/// Three wrong passwords lock an account.
const POLICIES: &str = "\
dn: ou=policies,dc=load,dc=test
changetype: add
objectClass: organizationalUnit
ou: policies

dn: cn=default,ou=policies,dc=load,dc=test
changetype: add
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdMustChange: TRUE

dn: cn=short,ou=policies,dc=load,dc=test
changetype: add
objectClass: device
objectClass: pwdPolicy
cn: short
pwdAttribute: userPassword
pwdMaxAge: 1

";

/// A server with these policies for the people; `told` says whether it tells who is locked.
fn server(told: bool) -> Slapd {
    let mut slapd = Slapd::start(PEOPLE);
    slapd.stop();
    slapd.configure("moduleload refint", "moduleload refint\nmoduleload ppolicy");
    let told = if told { "ppolicy_use_lockout" } else { "" };
    slapd.configure(
        "overlay    memberof",
        &format!(
            "overlay    memberof\noverlay    ppolicy\nppolicy_default \"cn=default,ou=policies,{SUFFIX}\"\n{told}"
        ),
    );
    slapd.start_again();
    slapd.modify(POLICIES);
    slapd
}

fn change(user: &str, change: &str) -> String {
    format!("dn: uid={user},ou=people,{SUFFIX}\nchangetype: modify\n{change}\n")
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_an_account() {
    for told in [true, false] {
        let slapd = server(told);
        let directory = directory(&[&slapd.url()], "");
        let ada = &ids(&directory).await["ada"];
        for _ in 0..3 {
            assert_eq!(verify(&directory, ada, "wrong").await, Verdict::Wrong);
        }
        // One that does not tell leaves it at that the password is refused.
        let locked = if told {
            Verdict::Inactive
        } else {
            Verdict::Wrong
        };
        assert_eq!(verify(&directory, ada, "correct horse").await, locked);
        slapd.modify(&change("ada", "delete: pwdAccountLockedTime\n"));
        assert_eq!(
            verify(&directory, ada, "correct horse").await,
            Verdict::Accepted
        );
    }
}

#[tokio::test]
async fn an_attempt_counts_once_against_the_account() {
    let slapd = server(true);
    let directory = directory(&[&slapd.url(), &slapd.url()], "");
    let ada = &ids(&directory).await["ada"];
    assert_eq!(verify(&directory, ada, "wrong").await, Verdict::Wrong);
    // Neither of these is sent.
    assert_eq!(verify(&directory, ada, "").await, Verdict::Wrong);
    assert_eq!(verify(&directory, ada, "\0").await, Verdict::Wrong);
    let entry = format!("uid=ada,ou=people,{SUFFIX}");
    let failures = || slapd.values(&entry, "pwdFailureTime").len();
    assert_eq!(failures(), 1);
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Accepted
    );
    assert_eq!(failures(), 0);
}

#[tokio::test]
async fn whom_an_administrator_locks_is_inactive() {
    let slapd = server(false);
    let directory = directory(&[&slapd.url()], "");
    let ada = &ids(&directory).await["ada"];
    let lock = "add: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n";
    slapd.modify(&change("ada", lock));
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Inactive
    );
}

#[tokio::test]
async fn a_password_that_must_be_changed_has_expired() {
    let slapd = server(true);
    let directory = directory(&[&slapd.url()], "");
    let ada = &ids(&directory).await["ada"];
    slapd.modify(&change("ada", "add: pwdReset\npwdReset: TRUE\n"));
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Expired
    );
    assert_eq!(verify(&directory, ada, "wrong").await, Verdict::Wrong);
}

#[tokio::test]
async fn an_old_password_has_expired() {
    let slapd = server(true);
    let directory = directory(&[&slapd.url()], "");
    let ada = &ids(&directory).await["ada"];
    let policy = format!("cn=short,ou=policies,{SUFFIX}");
    slapd.modify(&change(
        "ada",
        &format!("add: pwdPolicySubentry\npwdPolicySubentry: {policy}\n"),
    ));
    slapd.modify(&change(
        "ada",
        "replace: userPassword\nuserPassword: correct horse\n",
    ));
    let mut verdict = Verdict::Accepted;
    // It lives for a second.
    for _ in 0..1_000 {
        verdict = verify(&directory, ada, "correct horse").await;
        if verdict != Verdict::Accepted {
            break;
        }
    }
    assert_eq!(verdict, Verdict::Expired);
    assert_eq!(verify(&directory, ada, "wrong").await, Verdict::Wrong);
}
