//! How `DirSync` is asked, and what it may say at its end.

use super::*;

/// Answers the questions for changes, of which the first has number 0.
async fn start(answer: impl Fn(&Question, usize) -> Vec<u8> + Send + Sync + 'static) -> Server {
    let round = Mutex::new(0);
    Server::start_asked(move |question| {
        if !asks_for_changes(question) {
            return None;
        }
        let mut round = round.lock().unwrap();
        *round += 1;
        Some((answer(question, *round - 1), Then::GoOn))
    })
    .await
}

#[tokio::test]
async fn no_changes_cost_one_question() {
    let server = Server::start().await;
    let (_, second) = server.told(|_| ()).await;
    assert!(delta(&second).is_empty());
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(cookie(&asked[0]), b"d0");
    server.since(&second).await.unwrap();
    assert_eq!(cookie(&server.asked()[0]), b"d1");
}

#[tokio::test]
async fn it_is_asked_of_the_whole_domain_and_for_all_that_may_show_a_change() {
    let server = Server::start().await;
    let options =
        options(&server.url).replacen(" }\ngroups", ", filter: '(department=IT)' }\ngroups", 1);
    let first = read(&configured(&options)).await.unwrap();
    server.asked();
    let cursor = first.cursor.clone();
    configured(&options)
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!((asked[0].base.as_str(), asked[0].scope), (DOMAIN, 2));
    assert!(asked[0].controls.iter().all(|it| it.critical));
    // What records are made of, what the filters look at, a rename, and a deletion.
    for name in [
        "mail",
        "member",
        "department",
        "objectclass",
        "name",
        "cn",
        "objectguid",
        "isdeleted",
    ] {
        assert!(asked[0].attributes.iter().any(|it| it == name), "{name}");
    }
}

#[tokio::test]
async fn it_is_asked_until_there_is_no_more() {
    let server = start(|question, round| match round {
        0 => {
            assert_eq!(cookie(question), b"d0");
            [told(question, "ann", true), end(question, true, b"more")].concat()
        }
        1 => {
            assert_eq!(cookie(question), b"more");
            // A round may bring nothing.
            end(question, true, b"still more")
        }
        2 => {
            assert_eq!(cookie(question), b"still more");
            [told(question, "cid", false), end(question, false, b"last")].concat()
        }
        _ => {
            assert_eq!(cookie(question), b"last");
            end(question, false, b"last")
        }
    })
    .await;
    let (first, second) = server
        .told(|domain| {
            domain.users.remove(0);
            domain.users.push(Object("cid", 1_106, Vec::new()));
        })
        .await;
    assert_eq!(usernames(&merged(&first, &second)), ["ben", "cid"]);
    let third = server.since(&second).await.unwrap();
    assert!(delta(&third).is_empty());
}

#[tokio::test]
async fn changes_without_end_are_a_doubt() {
    let server = start(|question, _| end(question, true, b"again")).await;
    let (_, second) = server.told(|_| ()).await;
    check_doubt(&second, "tells of changes without end");
    let rounds = server.asked().into_iter().filter(asks_for_changes).count();
    assert_eq!(rounds, 1_000);
}

#[tokio::test]
async fn an_end_that_is_missing_or_broken_is_a_doubt() {
    let broken = |value| {
        move |question: &Question, _| {
            let control = ldap_script::control(sync::DIR_SYNC, value);
            let changed = told(question, "ann", true);
            [
                changed,
                ldap_script::done_with(question.id, 0, "", &control),
            ]
            .concat()
        }
    };
    for value in [None, Some(&b""[..]), Some(b"\x30\x03\x02\x01\x00")] {
        let server = start(broken(value)).await;
        let (_, second) = server.told(|_| ()).await;
        check_doubt(&second, "the end of the changes is missing");
    }
    let server = start(|question, _| ldap_script::done(question.id, 0, None)).await;
    let (_, second) = server.told(|_| ()).await;
    check_doubt(&second, "the end of the changes is missing");
}

#[tokio::test]
async fn a_cookie_that_is_refused_or_a_right_that_was_taken_is_a_doubt() {
    for code in [1, 12, 50, 53] {
        // In the first round, and with some of the changes told already.
        for after in [0, 1] {
            let server = start(move |question, round| {
                if round < after {
                    return [told(question, "ann", true), end(question, true, b"more")].concat();
                }
                ldap_script::done(question.id, code, None)
            })
            .await;
            let (_, second) = server.told(|_| ()).await;
            check_doubt(&second, &format!("result code {code}"));
            assert_eq!(usernames(complete(&second)), ["ann", "ben"]);
            assert!(second.cursor.is_some());
        }
    }
}

#[tokio::test]
async fn records_that_stand_in_several_domains_or_are_known_otherwise_are_read_completely() {
    let server = Server::start().await;
    let usual = options(&server.url);
    for other in [
        usual.replace("OU=Groups,DC=ad,DC=test", "OU=Groups,DC=other,DC=test"),
        usual.replacen(
            " }\ngroups",
            ", attributes: { id: sAMAccountName } }\ngroups",
            1,
        ),
    ] {
        assert_ne!(usual, other);
        let done = read(&configured(&other)).await.unwrap();
        complete(&done);
        assert_eq!(done.cursor, None);
    }
}

#[tokio::test]
async fn a_domain_that_the_server_no_longer_holds_is_a_doubt() {
    let gone = Arc::new(Mutex::new(false));
    let is_gone = Arc::clone(&gone);
    let server = Server::start_asked(move |question| {
        let hidden = question.is_root() && *is_gone.lock().unwrap();
        hidden.then(|| (ldap_script::done(question.id, 0, None), Then::GoOn))
    })
    .await;
    let first = server.read().await;
    *gone.lock().unwrap() = true;
    let second = server.since(&first).await.unwrap();
    check_doubt(&second, "no longer says which domain it holds");
    assert_eq!(second.cursor, None);
}

#[tokio::test]
async fn the_referral_that_the_top_of_a_domain_brings_is_no_failure() {
    for grants_dir_sync in [true, false] {
        let server = Server::start_asked(|question| {
            let elsewhere =
                ldap_script::tlv(0x04, b"ldap://127.0.0.1:1/CN=Configuration,DC=ad,DC=test");
            let referral =
                ldap_script::message(question.id, &ldap_script::tlv(0x73, &elsewhere), &[]);
            let end = if asks_for_changes(question) {
                end(question, false, b"d1")
            } else if question.base == DOMAIN && shows_deleted(question) {
                ldap_script::done(question.id, 0, Some(b""))
            } else {
                return None;
            };
            let changed = told(question, "ann", true);
            Some(([changed, referral, end].concat(), Then::GoOn))
        })
        .await;
        server.domain().grants_dir_sync = grants_dir_sync;
        let (first, second) = server.told(count).await;
        assert_eq!(usernames(&merged(&first, &second)), ["ben"]);
    }
}
