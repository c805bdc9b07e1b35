//! Many changes, long lists, and what ends an answer before its time.

use super::*;

/// The entry of an object that is told by its number.
fn numbered(question: &Question, number: usize) -> Vec<u8> {
    told(question, &format!("n{number}"), false)
}

#[tokio::test]
async fn more_changes_than_it_pays_to_ask_for_are_a_doubt() {
    for (changes, is_doubt) in [(5_000, false), (5_001, true)] {
        let server = Server::start_asked(move |question| {
            let changed = || (0..changes).flat_map(|it| numbered(question, it)).collect();
            let told: Option<Vec<u8>> = asks_for_changes(question).then(changed);
            Some(([told?, end(question, false, b"d1")].concat(), Then::GoOn))
        })
        .await;
        let (_, second) = server.told(|_| ()).await;
        let asked = server.asked();
        let named = asked
            .iter()
            .map(|it| it.filter.iter().filter(|it| it.starts_with(b"n")).count());
        if is_doubt {
            check_doubt(&second, "more than 5000 objects have changed");
            assert_eq!(named.max(), Some(0));
        } else {
            assert_eq!(delta(&second).gone.len(), 10_000);
            assert_eq!(named.max(), Some(100), "a question names so many at most");
        }
    }
}

/// Answers the question for a changed object below that base, and the domain the rest.
async fn start(
    base: &'static str,
    answer: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static,
) -> Server {
    Server::start_asked(move |question| {
        let asked = question.base.starts_with(base) && question.names(b"objectGUID");
        asked.then(|| {
            let end = ldap_script::done(question.id, 0, Some(b""));
            ([answer(question), end].concat(), Then::GoOn)
        })
    })
    .await
}

/// An object of which one attribute came with these values.
fn holding(question: &Question, name: &str, attribute: &str, values: &[&[u8]]) -> Vec<u8> {
    let dn = format!("CN={name},CN=Users,{DOMAIN}");
    let (guid, sid) = (guid(name), sid(1_200));
    let attributes: [(&str, &[&[u8]]); 4] = [
        ("sAMAccountName", &[name.as_bytes()]),
        ("objectGUID", &[&guid]),
        ("objectSid", &[&sid]),
        (attribute, values),
    ];
    ldap_script::entry(question.id, dn.as_bytes(), &attributes)
}

#[tokio::test]
async fn a_user_in_more_groups_than_come_at_once_is_a_doubt() {
    let server = start("CN=Users", |question| {
        let team = b"CN=team,CN=Users,DC=ad,DC=test";
        holding(question, "ann", "memberOf;range=0-0", &[team])
    })
    .await;
    let (_, second) = server.told(|it| it.changed = vec![("ann", false)]).await;
    check_doubt(&second, "in more groups than the server names at once");
}

const ANN: &[u8] = b"CN=ann,CN=Users,DC=ad,DC=test";
const BEN: &[u8] = b"CN=ben,CN=Users,DC=ad,DC=test";

/// A changed group of which one member comes at first, where `rest` answers the question for more.
async fn parted(rest: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static) -> (Read, Read) {
    let server = Server::start_asked(move |question| {
        let bytes = if question.base.starts_with("CN=team") {
            assert_eq!(question.attributes, ["member;range=1-*"]);
            rest(question)
        } else if question.base.starts_with("OU=Groups") && question.names(&guid("team")) {
            holding(question, "team", "member;range=0-0", &[ANN])
        } else {
            return None;
        };
        let end = ldap_script::done(question.id, 0, Some(b""));
        Some(([bytes, end].concat(), Then::GoOn))
    })
    .await;
    server.told(|it| it.changed = vec![("team", false)]).await
}

#[tokio::test]
async fn the_members_of_a_changed_group_that_come_in_parts_are_read_to_their_end() {
    let (first, second) =
        parted(|question| holding(question, "team", "member;range=1-*", &[BEN])).await;
    let after = merged(&first, &second);
    assert_eq!(
        memberships(&after),
        ["everybody: ann ben []", "team: ann ben []"]
    );
    assert!(after.groups.iter().all(|it| !it.unknown));
}

#[tokio::test]
async fn a_changed_group_whose_rest_does_not_come_is_unknown() {
    let (first, second) = parted(|_| Vec::new()).await;
    let after = merged(&first, &second);
    let unknown = after.groups.iter().filter(|it| it.unknown);
    let unknown: Vec<&str> = unknown.map(|it| after.text(it.name)).collect();
    assert_eq!(unknown, ["team"]);
}

#[tokio::test]
async fn changes_that_a_limit_cuts_are_a_doubt() {
    for grants_dir_sync in [true, false] {
        for code in [3, 4, 11] {
            let server = Server::start_asked(move |question| {
                let changes = question.base == DOMAIN && shows_deleted(question);
                (changes || asks_for_changes(question)).then(|| {
                    let some = told(question, "ann", true);
                    let cut = ldap_script::done(question.id, code, None);
                    ([some, cut].concat(), Then::GoOn)
                })
            })
            .await;
            server.domain().grants_dir_sync = grants_dir_sync;
            let (_, second) = server.told(count).await;
            check_doubt(&second, &format!("result code {code}"));
            assert_eq!(usernames(complete(&second)), ["ann", "ben"]);
        }
    }
}

#[tokio::test]
async fn changed_objects_that_a_limit_cuts_are_a_doubt() {
    let server = Server::start_asked(|question| {
        let cut = || ldap_script::done(question.id, 4, None);
        question.names(b"objectGUID").then(|| (cut(), Then::GoOn))
    })
    .await;
    let (_, second) = server.told(|it| it.changed = vec![("ann", false)]).await;
    check_doubt(&second, "result code 4");
}

#[tokio::test]
async fn pages_of_changes_are_read_to_their_end_and_not_without_one() {
    let page = |endless: bool| {
        let pages = Mutex::new(0);
        Server::start_asked(move |question| {
            if question.base != DOMAIN || !shows_deleted(question) {
                return None;
            }
            let mut page = pages.lock().unwrap();
            *page += 1;
            let (entries, cookie) = match *page {
                _ if endless => (Vec::new(), &b"again"[..]),
                1 => (told(question, "ann", true), &b"more"[..]),
                _ => (told(question, "ben", true), &b""[..]),
            };
            let end = ldap_script::done(question.id, 0, Some(cookie));
            Some(([entries, end].concat(), Then::GoOn))
        })
    };
    let server = page(false).await;
    server.domain().grants_dir_sync = false;
    let (first, second) = server.told(count).await;
    assert!(usernames(&merged(&first, &second)).is_empty());
    let server = page(true).await;
    server.domain().grants_dir_sync = false;
    let (_, second) = server.told(count).await;
    check_doubt(&second, "pages without end");
}

#[tokio::test]
async fn a_connection_that_fails_amid_changes_fails_the_read() {
    /// Whether the question is the one that fails.
    type Fails = fn(&Question) -> bool;
    let cases: [(bool, Fails); 5] = [
        (true, asks_for_changes),
        (true, |it| it.names(b"objectGUID")),
        (true, |it| it.names(b"distinguishedName")),
        (false, |it| it.base == DOMAIN && shows_deleted(it)),
        (false, |it| it.base.starts_with("CN=Deleted Objects")),
    ];
    for (grants_dir_sync, fails) in cases {
        for (code, text) in [(None, "the connection ended"), (Some(52), "result code 52")] {
            let begun = Arc::new(Mutex::new(false));
            let has_begun = Arc::clone(&begun);
            let server = Server::start_asked(move |question| {
                if !*has_begun.lock().unwrap() || !fails(question) {
                    return None;
                }
                Some(match code {
                    Some(code) => (ldap_script::done(question.id, code, None), Then::GoOn),
                    None => (Vec::new(), Then::Close),
                })
            })
            .await;
            server.domain().grants_dir_sync = grants_dir_sync;
            let first = server.read().await;
            *begun.lock().unwrap() = true;
            server.domain().changed = vec![("ann", false)];
            count(&mut server.domain());
            let failed = server.since(&first).await.unwrap_err();
            check_error(&failed, "unavailable", text);
            let all = |it: &Question| it.base.starts_with("CN=Users") && !it.names(b"objectGUID");
            assert!(!server.asked().iter().any(all), "everything was asked for");
        }
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_amid_changes_fails_the_read() {
    let server = Server::start_asked(|question| {
        asks_for_changes(question).then(|| (told(question, "ann", true), Then::GoOn))
    })
    .await;
    let directory = configured(&options(&server.url).replace("5s", "1s"));
    let cursor = read(&directory).await.unwrap().cursor;
    let failed = directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
        .unwrap_err();
    check_error(&failed, "unavailable", "no answer within 1 s");
}
