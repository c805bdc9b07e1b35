//! Servers that do what no real one can be brought to do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use usersyncd::model::Verdict;

use super::{LONG, ask, build, check_unavailable, directory, verify};
use crate::support::ldap_script::{self, Login, Question, Then};
use crate::support::slapd::{PASSWORD, READER, SUFFIX};

const ID: &str = "00000000-0000-4000-8000-000000000007";
const USER: &str = "uid=user7,ou=people,dc=load,dc=test";
const SPELLED: &str = "UID=User7, OU=People,dc=load,dc=test";
const SECRET: &str = "hunter2";

/// Who logged in, in order: the name, the password, and how many searches had come before on that connection.
type Logins = Arc<Mutex<Vec<(String, String, usize)>>>;

/// A server that gives `entries` to a search and answers as `user` says to a login that is not the reader's.
async fn server(
    entries: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static,
    user: impl Fn(&Login) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> (SocketAddr, Logins) {
    let logins = Logins::default();
    let seen = Arc::clone(&logins);
    let login = move |login: &Login| {
        let who = (login.name.clone(), login.password.clone(), login.searches);
        seen.lock().unwrap().push(who);
        if login.name == READER {
            return (ldap_script::accepted(login.id), Then::GoOn);
        }
        user(login)
    };
    let answer = move |question: &Question| (entries(question.id), Then::GoOn);
    (ldap_script::start_with_logins(answer, login).await, logins)
}

/// The entry with the id, and the end of the search.
fn one(id: u32) -> Vec<u8> {
    [ldap_script::user(id, 7), ldap_script::done(id, 0, None)].concat()
}

fn entry(id: u32, name: &str, uuid: &str) -> Vec<u8> {
    ldap_script::entry(id, name.as_bytes(), &[("entryUUID", &[uuid.as_bytes()])])
}

fn at(address: SocketAddr) -> String {
    format!("ldap://{address}")
}

/// The users who logged in, the reader left out.
fn users(logins: &Logins) -> Vec<String> {
    let logins = logins.lock().unwrap();
    let users = logins.iter().filter(|it| it.0 != READER);
    users.map(|it| it.0.clone()).collect()
}

#[tokio::test]
async fn the_password_goes_over_a_connection_of_its_own() {
    // As the server spells it: another one need not take that for the same name.
    let spelled = |id| [entry(id, SPELLED, ID), ldap_script::done(id, 0, None)].concat();
    let (address, logins) = server(spelled, |login| {
        let [control] = login.controls.as_slice() else {
            panic!("{:?}", login.controls);
        };
        assert_eq!(control.oid, "1.3.6.1.4.1.42.2.27.8.5.1");
        assert!(!control.critical);
        (ldap_script::accepted(login.id), Then::GoOn)
    })
    .await;
    let directory = directory(&[&at(address)], "");
    assert_eq!(verify(&directory, ID, SECRET).await, Verdict::Accepted);
    let expect = [(READER, PASSWORD, 0), (SPELLED, SECRET, 0)];
    let expect = expect.map(|it| (it.0.to_owned(), it.1.to_owned(), it.2));
    assert_eq!(*logins.lock().unwrap(), expect);
}

#[tokio::test]
async fn nobody_is_asked_for_a_password_that_is_none() {
    let (address, logins) =
        server(one, |login| (ldap_script::accepted(login.id), Then::GoOn)).await;
    let directory = directory(&[&at(address)], "");
    for password in ["", "\0", "hunter2\0"] {
        assert_eq!(verify(&directory, ID, password).await, Verdict::Wrong);
    }
    assert!(logins.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_is_meant_must_be_beyond_doubt() {
    async fn check(
        entries: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static,
        expect: Result<Verdict, &str>,
    ) {
        let entries = move |id| [entries(id), ldap_script::done(id, 0, None)].concat();
        let (address, logins) = server(entries, |login| {
            (ldap_script::accepted(login.id), Then::GoOn)
        })
        .await;
        let verdict = verify(&directory(&[&at(address)], ""), ID, SECRET).await;
        let accepted = verdict == Verdict::Accepted;
        match expect {
            Ok(expect) => assert_eq!(verdict, expect),
            Err(text) => check_unavailable(verdict, text),
        }
        assert_eq!(users(&logins).len(), usize::from(accepted));
    }
    let other = "uid=other,ou=people,dc=load,dc=test";
    let upper = ID.to_uppercase().replace("-4000-", "-4AAA-");
    check(|_| Vec::new(), Ok(Verdict::Unknown)).await;
    check(
        move |id| [entry(id, USER, ID), entry(id, other, ID)].concat(),
        Err("several entries bear the id"),
    )
    .await;
    // One entry twice is one.
    check(
        |id| [entry(id, USER, ID), entry(id, SPELLED, ID)].concat(),
        Ok(Verdict::Accepted),
    )
    .await;
    // What was not asked for is another one.
    check(move |id| entry(id, other, &upper), Ok(Verdict::Unknown)).await;
    check(
        |id| [entry(id, USER, ID), ldap_script::user(id, 8)].concat(),
        Ok(Verdict::Accepted),
    )
    .await;
    check(
        move |id| ldap_script::entry(id, other.as_bytes(), &[]),
        Err("does not show its id"),
    )
    .await;
    check(
        move |id| ldap_script::entry(id, other.as_bytes(), &[("uid", &[b"user7"])]),
        Err("does not show its id"),
    )
    .await;
    // With an empty name nobody logs in, and that succeeds.
    for name in ["", " "] {
        check(move |id| entry(id, name, ID), Err("name")).await;
    }
    check(|id| entry(id, "no name", ID), Err("is no DN")).await;
    check(
        |id| ldap_script::entry(id, b"uid=\xe9,dc=x", &[("entryUUID", &[ID.as_bytes()])]),
        Err("is no text"),
    )
    .await;
    let flood = |id| (0..20).flat_map(|it| ldap_script::user(id, it)).collect();
    check(flood, Err("more than 10 entries")).await;
}

#[tokio::test]
async fn whoever_comes_from_two_bases_under_one_name_is_one() {
    let (address, _) = server(one, |login| (ldap_script::accepted(login.id), Then::GoOn)).await;
    let bases = format!("users: {{ base: ['ou=people,{SUFFIX}', 'ou=odd,{SUFFIX}'] }}");
    let directory = build(&[&at(address)], &bases, Some(PASSWORD));
    assert_eq!(verify(&directory, ID, SECRET).await, Verdict::Accepted);
}

#[tokio::test]
async fn a_search_that_is_not_answered_wholly_tells_nothing() {
    for (code, text) in [
        (10, "another server"),
        (32, "check `base`"),
        (4, "size limit"),
        (51, "result code 51"),
    ] {
        let entries =
            move |id| [ldap_script::user(id, 7), ldap_script::done(id, code, None)].concat();
        let (address, logins) = server(entries, |login| {
            (ldap_script::accepted(login.id), Then::GoOn)
        })
        .await;
        check_unavailable(
            verify(&directory(&[&at(address)], ""), ID, SECRET).await,
            text,
        );
        assert!(users(&logins).is_empty(), "{code}");
    }
}

#[tokio::test]
async fn what_is_no_answer_to_the_password_is_not_taken_for_a_wrong_one() {
    async fn check(user: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static, then: Then, text: &str) {
        let (address, logins) = server(one, move |login| (user(login.id), then)).await;
        let (spare, unasked) =
            server(one, |login| (ldap_script::accepted(login.id), Then::GoOn)).await;
        let directory = directory(&[&at(address), &at(spare)], "timeout: 1s");
        let verdict = verify(&directory, ID, SECRET).await;
        if let Verdict::Unavailable(said) = &verdict {
            assert!(!said.contains(SECRET) && !said.contains("user7"), "{said}");
        }
        check_unavailable(verdict, text);
        // The password was sent, once, to one server.
        assert_eq!(users(&logins), [USER]);
        assert!(unasked.lock().unwrap().is_empty());
    }
    let code = |code| move |id| ldap_script::result(id, 0x61, code, "hunter2", &[]);
    check(code(51), Then::GoOn, "result code 51; it cannot answer").await;
    check(code(52), Then::GoOn, "result code 52").await;
    check(code(10), Then::GoOn, "another server").await;
    check(code(13), Then::GoOn, "encryption").await;
    check(code(14), Then::GoOn, "simple binds").await;
    check(code(53), Then::GoOn, "its log says why").await;
    check(code(1), Then::GoOn, "result code 1").await;
    check(|_| Vec::new(), Then::Close, "the connection ended").await;
    check(|_| Vec::new(), Then::GoOn, "no answer within 1 s").await;
    check(
        |_| ldap_script::notice(52, "going down"),
        Then::Close,
        "going down",
    )
    .await;
    // An extended response, another's answer, half a message, no LDAP at all.
    let extended = |id| ldap_script::result(id, 0x78, 0, "", &[]);
    check(extended, Then::GoOn, "checking a password").await;
    check(
        |id| ldap_script::accepted(id + 1),
        Then::GoOn,
        "checking a password",
    )
    .await;
    check(
        |id| ldap_script::done(id, 0, None),
        Then::GoOn,
        "checking a password",
    )
    .await;
    let half = |id| ldap_script::accepted(id)[..9].to_vec();
    check(half, Then::Close, "the connection ended").await;
    check(
        |_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        Then::Close,
        "checking a password",
    )
    .await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_is_no_success() {
    let broken = ldap_script::control("1.3.6.1.4.1.42.2.27.8.5.1", Some(b"\x30\x05\x81"));
    let user = move |login: &Login| {
        let result = [
            ldap_script::tlv(0x0a, &[0]),
            ldap_script::tlv(0x04, b""),
            ldap_script::tlv(0x04, b""),
        ];
        let operation = ldap_script::tlv(0x61, &result.concat());
        (
            ldap_script::message(login.id, &operation, &broken),
            Then::GoOn,
        )
    };
    let (address, _) = server(one, user).await;
    let verdict = verify(&directory(&[&at(address)], ""), ID, SECRET).await;
    check_unavailable(verdict, "not a sound LDAP answer");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_in_time() {
    let limit = Duration::from_millis(300);
    let silent = |_: &Question| (Vec::new(), Then::GoOn);
    let taking = |login: &Login| (ldap_script::accepted(login.id), Then::GoOn);
    let mute = |_: &Login| (Vec::new(), Then::GoOn);
    let searching = ldap_script::start_with_logins(silent, taking).await;
    let reading = ldap_script::start_with_logins(silent, mute).await;
    let (checking, _) = server(one, mute).await;
    for address in [searching, reading, checking] {
        let directory = directory(&[&at(address)], "");
        let verdict = tokio::time::timeout(LONG, ask(&directory, ID, SECRET, limit)).await;
        check_unavailable(verdict.unwrap(), "no answer within");
    }
}
