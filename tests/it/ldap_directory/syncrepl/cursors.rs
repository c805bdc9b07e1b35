//! Where a read goes on from, and when it must not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use usersyncd::model::Status;

use super::*;
use crate::support::slapd::Slapd;

#[tokio::test]
async fn a_server_that_offers_no_synchronisation_is_read_completely() {
    let quiet: &[(&str, &[&[u8]])] = &[("objectClass", &[b"top", b"OpenLDAProotDSE"])];
    let other: &[(&str, &[&[u8]])] = &[
        ("objectClass", &[b"top"]),
        ("supportedControl", &[b"1.3.6.1.4.1.4203.1.9.1.1"]),
    ];
    for root in [quiet, other, &[]] {
        let server = Server::start_asked(move |question| {
            let entry = ldap_script::entry(question.id, b"", root);
            let end = ldap_script::done(question.id, 0, None);
            question
                .is_root()
                .then(|| ([entry, end].concat(), Then::GoOn))
        })
        .await;
        let done = read(&server.directory()).await.unwrap();
        assert_eq!(usernames(complete(&done)), ["user1", "user2"]);
        assert_eq!(done.cursor, None);
        assert!(server.asked().iter().all(|it| cookie(it).is_none()));
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_begin_or_gives_no_cookie_is_read_completely() {
    /// Answers the question where to begin.
    type Begin = fn(&Question) -> Vec<u8>;
    let answers: [Begin; 4] = [
        |it| ldap_script::done(it.id, 50, None),
        |it| ldap_script::done(it.id, 0, None),
        |it| end(it, Some(b""), true),
        |it| [user(it, 1, &[], &[]), end(it, Some(FIRST), true)].concat(),
    ];
    for answer in answers {
        let server = Server::start_asked(move |question| {
            begins(question).then(|| (answer(question), Then::GoOn))
        })
        .await;
        let done = read(&server.directory()).await.unwrap();
        assert_eq!(usernames(complete(&done)), ["user1", "user2"]);
        assert_eq!(done.cursor, None);
        let said = done.notes.join("; ");
        let why = said.strip_prefix("the next read must read everything: ");
        assert!(why.is_some_and(|it| !it.is_empty()), "{said}");
    }
}

#[tokio::test]
async fn records_that_are_known_by_another_id_are_read_completely() {
    let server = Server::start(|_, _| None).await;
    let by_name = "attributes: { id: uid } }";
    let directory = configured(&options(&server.url).replacen(
        " }\ngroups",
        &format!(", {by_name}\ngroups"),
        1,
    ));
    let done = read(&directory).await.unwrap();
    assert_eq!((complete(&done).users.len(), done.cursor), (2, None));
    assert!(server.asked().iter().all(|it| cookie(it).is_none()));
}

#[tokio::test]
async fn what_changes_during_a_complete_read_is_told_by_the_next() {
    // The server counts its changes; somebody is added as soon as all users were handed out.
    let changes = Arc::new(Mutex::new(0));
    let server = Server::start_asked(move |question| {
        let mut changes = changes.lock().unwrap();
        let now = changes.to_string();
        let end = end(question, Some(now.as_bytes()), true);
        let bytes = match cookie(question) {
            Some(_) if begins(question) => {
                // Quickly answered: the database tells how far it is, whatever is asked. Only the places must be named.
                let quick = (question.scope, question.attributes.as_slice());
                assert!(
                    quick == (0, &["1.1".to_owned()]) || quick.1 == ["entrycsn"],
                    "{quick:?}"
                );
                end
            }
            Some(known) if about(question) == Some(About::Users) => {
                let added = if known == now.as_bytes() {
                    Vec::new()
                } else {
                    user(question, 3, &[], &state(ADD, 3))
                };
                [added, end].concat()
            }
            Some(_) => return None,
            None => {
                // The question for no attribute is whether the login sees `entryCSN`, and hands nobody out.
                if question.base.starts_with("ou=people") && question.attributes != ["1.1"] {
                    *changes += 1;
                }
                return None;
            }
        };
        Some((bytes, Then::GoOn))
    })
    .await;
    let (first, second) = server.told().await;
    assert_eq!(usernames(complete(&first)), ["user1", "user2"]);
    assert_eq!(merged(&first, &second), ["user1", "user2", "user3"]);
    let third = since(&server.directory(), &second).await.unwrap();
    assert!(delta(&third).is_empty());
}

#[tokio::test]
async fn another_server_that_answers_is_read_completely() {
    let (one, other) = tokio::join!(Server::start(|_, _| None), Server::start(|_, _| None));
    let both = |first: &Server, second: &Server| {
        let urls = format!("'{}', '{}'", first.url, second.url);
        configured(&options("X").replace("'X'", &urls))
    };
    let first = read(&both(&one, &other)).await.unwrap();
    let same = since(&both(&one, &other), &first).await.unwrap();
    assert!(delta(&same).is_empty());
    let second = since(&both(&other, &one), &first).await.unwrap();
    check_doubt(&second, "another server answers than the last time");
    // From then on it is the one that is asked for changes.
    let third = since(&both(&other, &one), &second).await.unwrap();
    assert!(delta(&third).is_empty());
}

#[tokio::test]
async fn a_cursor_serves_no_other_question_and_no_other_login() {
    let server = Server::start(|_, _| None).await;
    let usual = options(&server.url);
    let first = read(&configured(&usual)).await.unwrap();
    let others = [
        usual.replace("cn=reader", "cn=other"),
        usual.replace("ou=people", "ou=people,ou=all"),
        usual.replace("ou=groups", "ou=teams"),
        usual.replacen(" }\ngroups", ", filter: '(uid=u*)' }\ngroups", 1),
        usual.replacen(
            " }\ngroups",
            ", attributes: { email: otherMail } }\ngroups",
            1,
        ),
        usual.replace(&format!("groups: {{ base: 'ou=groups,{SUFFIX}' }}"), ""),
        usual.replace("bind: { dn: 'cn=reader', password: { env: UNUSED } }\n", ""),
    ];
    for other in others {
        assert_ne!(other, usual);
        let second = since(&configured(&other), &first).await.unwrap();
        check_doubt(&second, "the configuration or the login has changed");
        server.asked();
        // The new one serves the new question.
        let third = since(&configured(&other), &second).await.unwrap();
        assert!(delta(&third).is_empty(), "{other}");
    }
    // What changes no answer changes no question.
    let second = since(&configured(&usual.replace("5s", "7s")), &first)
        .await
        .unwrap();
    assert!(delta(&second).is_empty());
}

#[tokio::test]
async fn a_cursor_of_another_version_leads_to_a_complete_read() {
    let server = Server::start(|_, _| None).await;
    for cursor in ["", "rid=000", "{}", "{\"basis\":\"x\"}"] {
        let since = Since {
            cursor: Some(cursor.to_owned()),
            last: None,
        };
        let done = server.directory().read(since).await.unwrap();
        check_doubt(&done, "made by another version");
    }
}

const DAY: i64 = 86_400;

/// A day in the value of `shadowExpire`, and its first second.
fn day(after: i64) -> (String, Timestamp) {
    let day = NOW.0 / DAY + after;
    (day.to_string(), Timestamp(day * DAY))
}

fn status(records: &Records, name: &str) -> Status {
    let is = |it: &&usersyncd::model::UserRecord| records.text(it.username) == name;
    records.users.iter().find(is).unwrap().status
}

#[tokio::test]
async fn an_account_that_expires_is_read_completely_at_its_time() {
    let (days, time) = day(2);
    let server = Server::start_asked(move |question| {
        let users = question.base.starts_with("ou=people");
        let expires: [&[u8]; 1] = [days.as_bytes()];
        let plain = cookie(question).is_none() && users;
        plain.then(|| {
            let user = user(question, 1, &[("shadowExpire", &expires)], &[]);
            let end = ldap_script::done(question.id, 0, Some(b""));
            ([user, end].concat(), Then::GoOn)
        })
    })
    .await;
    let clock = Arc::new(ManualClock::new(NOW));
    let directory = timed(&options(&server.url), Arc::clone(&clock));
    let first = read(&directory).await.unwrap();
    assert_eq!(status(complete(&first), "user1"), Status::Active);
    clock.set(Timestamp(time.0 - 1));
    let second = since(&directory, &first).await.unwrap();
    assert!(delta(&second).is_empty());
    clock.set(time);
    let third = since(&directory, &second).await.unwrap();
    check_doubt(&third, "an account has expired since");
    assert_eq!(status(complete(&third), "user1"), Status::Inactive);
    // It does not expire twice.
    let fourth = since(&directory, &third).await.unwrap();
    assert!(delta(&fourth).is_empty());
}

#[tokio::test]
async fn the_earliest_expiry_counts_whether_it_came_with_everything_or_with_changes() {
    for (all, changed, time) in [(3, 2, day(2).1), (2, 3, day(2).1)] {
        let (all, changed) = (day(all).0, day(changed).0);
        let server = Server::start_asked(move |question| {
            let expires = |it: &str, controls: &[u8]| {
                user(question, 1, &[("shadowExpire", &[it.as_bytes()])], controls)
            };
            let bytes = match about(question) {
                Some(About::Users) => [
                    expires(&changed, &state(ADD, 1)),
                    end(question, Some(b"c1"), true),
                ],
                None if cookie(question).is_none() && question.base.starts_with("ou=people") => [
                    expires(&all, &[]),
                    ldap_script::done(question.id, 0, Some(b"")),
                ],
                _ => return None,
            };
            Some((bytes.concat(), Then::GoOn))
        })
        .await;
        let clock = Arc::new(ManualClock::new(NOW));
        let directory = timed(&options(&server.url), Arc::clone(&clock));
        let first = read(&directory).await.unwrap();
        let second = since(&directory, &first).await.unwrap();
        delta(&second);
        clock.set(Timestamp(time.0 - 1));
        let third = since(&directory, &second).await.unwrap();
        delta(&third);
        clock.set(time);
        let fourth = since(&directory, &third).await.unwrap();
        check_doubt(&fourth, "an account has expired since");
    }
}

/// The cursor with other cookies.
fn with_cookies(read: &Read, change: impl Fn(&str) -> String) -> Since {
    let mut cursor: serde_json::Value =
        serde_json::from_str(read.cursor.as_ref().unwrap()).unwrap();
    for cookie in cursor["place"]["syncrepl"]["each"].as_array_mut().unwrap() {
        let old = STANDARD.decode(cookie.as_str().unwrap()).unwrap();
        let new = change(&String::from_utf8(old).unwrap());
        *cookie = STANDARD.encode(new).into();
    }
    Since {
        cursor: Some(cursor.to_string()),
        last: None,
    }
}

#[tokio::test]
async fn a_cookie_that_slapd_cannot_read_leads_to_a_complete_read() {
    let slapd = Slapd::start(COMPANY);
    let directory = directory(&slapd.url(), READER);
    let first = read(&directory).await.unwrap();
    let since = with_cookies(&first, |_| "nonsense".to_owned());
    let second = directory.read(since).await.unwrap();
    check_doubt(&second, "no longer knows how far the last read came");
}

#[tokio::test]
async fn a_slapd_that_was_set_back_is_read_completely() {
    let slapd = Slapd::start(COMPANY);
    let directory = directory(&slapd.url(), READER);
    let first = read(&directory).await.unwrap();
    // As if the cookie had been given before an older backup was brought back.
    let later = |cookie: &str| {
        let at = cookie.find("csn=").unwrap() + 4;
        format!("{}2099{}", &cookie[..at], &cookie[at + 4..])
    };
    let second = directory.read(with_cookies(&first, later)).await.unwrap();
    check_doubt(&second, "consumer state is newer than provider");
}
