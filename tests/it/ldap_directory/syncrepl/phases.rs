//! What has changed, what is gone, and what is left.

use super::*;

#[tokio::test]
async fn an_end_without_a_cookie_keeps_the_old_one() {
    /// Makes the end of an answer.
    type End = fn(&Question) -> Vec<u8>;
    let ends: [End; 3] = [
        |question| ldap_script::done(question.id, 0, None),
        |question| end(question, None, false),
        |question| end(question, None, true),
    ];
    for said in ends {
        let server = Server::start(move |question, _| Some(said(question))).await;
        let directory = server.directory();
        let mut last = read(&directory).await.unwrap();
        server.asked();
        for _ in 0..3 {
            let next = since(&directory, &last).await.unwrap();
            assert!(delta(&next).is_empty());
            assert_eq!(next.cursor, last.cursor);
            // The users, the groups, and the two places that they stand below.
            let sent: Vec<_> = server.asked().iter().map(cookie).collect();
            assert_eq!(sent, vec![Some(FIRST.to_vec()); 4]);
            last = next;
        }
    }
}

#[tokio::test]
async fn what_was_added_changed_or_renamed_comes_whole_under_its_id() {
    let server = Server::start(|question, about| {
        let entries = match about {
            About::Users => [
                named(question, 1, "renamed", &[], &state(MODIFY, 1)),
                user(question, 3, &[], &state(ADD, 3)),
            ]
            .concat(),
            About::Groups => team(question, &state(ADD, 9)),
            About::Places => Vec::new(),
        };
        Some([entries, end(question, Some(b"c1"), true)].concat())
    })
    .await;
    let (first, second) = server.told().await;
    assert_eq!(merged(&first, &second), ["renamed", "user2", "user3"]);
    let told = delta(&second);
    assert_eq!(told.filled, [text_of(9)]);
    assert!(told.gone.is_empty() && told.remaining.is_empty());
    // It names whom it named before: on such servers the group is another change.
    let records = complete(&first).merged(told).unwrap();
    let expect = format!("team: user2 [] + uid=user1,ou=people,{SUFFIX}");
    assert_eq!(memberships(&records), [expect]);
}

#[tokio::test]
async fn what_is_named_as_gone_is_gone_and_nobody_else() {
    let server = Server::start(|question, about| {
        let gone = match about {
            About::Users => id_set(question, true, &[1], None),
            About::Groups => bare(question, &state(DELETE, 9)),
            About::Places => Vec::new(),
        };
        Some([gone, end(question, Some(b"c1"), true)].concat())
    })
    .await;
    let (first, second) = server.told().await;
    let expect = [
        (RecordKind::User, text_of(1)),
        (RecordKind::Group, text_of(9)),
    ];
    assert_eq!(delta(&second).gone, expect);
    assert!(delta(&second).remaining.is_empty());
    assert_eq!(merged(&first, &second), ["user2"]);
}

#[tokio::test]
async fn what_is_not_named_where_all_that_is_left_is_named_is_gone() {
    /// Names user 2.
    type Left = fn(&Question) -> Vec<u8>;
    let ways: [(&str, Left); 3] = [
        ("a set of ids", |it| id_set(it, false, &[2], None)),
        ("an entry that is present", |it| {
            bare(it, &state(PRESENT, 2))
        }),
        ("both, and the word for it", |it| {
            [
                bare(it, &state(PRESENT, 2)),
                id_set(it, false, &[2], None),
                refresh_present(it, None),
            ]
            .concat()
        }),
    ];
    for (what, left) in ways {
        let server = Server::start(move |question, about| {
            if about != About::Users {
                return None;
            }
            let changed = user(question, 3, &[], &state(ADD, 3));
            Some([changed, left(question), end(question, Some(b"c1"), false)].concat())
        })
        .await;
        let (first, second) = server.told().await;
        let told = delta(&second);
        assert_eq!(told.remaining.len(), 1, "{what}");
        let (kind, ids) = &told.remaining[0];
        assert_eq!(*kind, RecordKind::User, "{what}");
        assert!(ids.iter().all(|it| *it == text_of(2)), "{what}");
        assert_eq!(merged(&first, &second), ["user2", "user3"], "{what}");
    }
}

#[tokio::test]
async fn a_server_that_says_that_nothing_is_left_is_taken_at_its_word() {
    let server = Server::start(|question, about| {
        let said = refresh_present(question, None);
        (about == About::Users).then(|| [said, end(question, Some(b"c1"), false)].concat())
    })
    .await;
    let (first, second) = server.told().await;
    assert_eq!(
        delta(&second).remaining,
        [(RecordKind::User, Vec::new())],
        "the guard on the loss of everybody judges that"
    );
    assert!(merged(&first, &second).is_empty());
}

#[tokio::test]
async fn the_last_cookie_that_came_is_kept_wherever_it_came() {
    /// Brings a cookie before the end.
    type Before = fn(&Question) -> Vec<u8>;
    let befores: [Before; 4] = [
        |it| info(it, 0x80, b"mid"),
        |it| info(it, 0xa1, &octets(Some(b"mid"))),
        |it| id_set(it, true, &[2], Some(b"mid")),
        |it| {
            let bare = info(it, 0xa1, &[]);
            [id_set(it, true, &[2], Some(b"mid")), bare].concat()
        },
    ];
    for before in befores {
        for (at_end, expect) in [(None, &b"mid"[..]), (Some(&b"c1"[..]), b"c1")] {
            let server = Server::start(move |question, about| {
                (about == About::Users)
                    .then(|| [before(question), end(question, at_end, true)].concat())
            })
            .await;
            let (_, second) = server.told().await;
            server.asked();
            since(&server.directory(), &second).await.unwrap();
            let users = server.asked().into_iter();
            let mut users = users.filter(|it| about(it) == Some(About::Users));
            let sent = users.next().and_then(|it| cookie(&it));
            assert_eq!(sent, Some(expect.to_vec()));
        }
    }
}

#[tokio::test]
async fn other_intermediate_messages_and_referrals_are_passed_over() {
    let server = Server::start(|question, about| {
        let other = ldap_script::intermediate(question.id, "1.2.3", b"whatever");
        let elsewhere = ldap_script::tlv(0x04, b"ldap://127.0.0.1:1/dc=other");
        let referral = ldap_script::tlv(0x73, &elsewhere);
        let referral = ldap_script::message(question.id, &referral, &[]);
        let end = end(question, Some(b"c1"), true);
        (about == About::Users).then(|| [other, referral, end].concat())
    })
    .await;
    let (_, second) = server.told().await;
    assert!(delta(&second).is_empty());
    assert_eq!(
        second.notes,
        ["references to other servers, not followed: 1"]
    );
}
