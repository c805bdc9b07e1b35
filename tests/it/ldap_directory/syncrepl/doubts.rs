//! Answers that leave open what has changed: everything is read instead, and the operator is told why.

use super::*;
use crate::support::slapd::{LIMITED, Slapd};

/// Answers the question for the changes of users, and looks for the reason of the complete read.
async fn check(why: &str, answer: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static) {
    let server =
        Server::start(move |question, about| (about == About::Users).then(|| answer(question)))
            .await;
    let (_, second) = server.told().await;
    check_doubt(&second, why);
    // What was told before the doubt is no part of what was read.
    assert_eq!(usernames(complete(&second)), ["user1", "user2"]);
}

#[tokio::test]
async fn a_present_phase_that_names_nobody_is_a_doubt() {
    let why = "named all that is left, and named nothing";
    check(why, |it| end(it, Some(b"c1"), false)).await;
    check(why, |it| {
        let changed = user(it, 3, &[], &state(ADD, 3));
        [changed, end(it, Some(b"c1"), false)].concat()
    })
    .await;
    check(why, |it| {
        let cookie = info(it, 0x80, b"c1");
        [cookie, end(it, None, false)].concat()
    })
    .await;
}

#[tokio::test]
async fn a_cookie_that_is_refused_is_a_doubt() {
    let refused = |code, text: &'static str| {
        move |it: &Question| ldap_script::done_with(it.id, code, text, &[])
    };
    let newer = "consumer state is newer than provider!";
    check(newer, refused(53, newer)).await;
    check("result code 53", refused(53, "")).await;
    // e-syncRefreshRequired: a cookie that 389 Directory Server cannot use.
    check("result code 4096", refused(4_096, "Invalid session cookie")).await;
    check("result code 2", refused(2, "bad control value")).await;
    check("result code 12", refused(12, "")).await;
    check("result code 50", refused(50, "")).await;
}

#[tokio::test]
async fn changes_that_a_limit_cuts_are_a_doubt() {
    for (code, why) in [
        (3, "result code 3"),
        (4, "result code 4"),
        (11, "result code 11"),
    ] {
        check(why, move |it| {
            let changed = user(it, 3, &[], &state(ADD, 3));
            [changed, ldap_script::done(it.id, code, None)].concat()
        })
        .await;
    }
}

#[tokio::test]
async fn an_empty_cookie_is_a_doubt() {
    // So OpenLDAP answers a cookie that it cannot read: with everything, and this.
    check("no longer knows how far the last read came", |it| {
        let all = [1, 2].map(|number| user(it, number, &[], &state(ADD, number)));
        [all.concat(), end(it, Some(b""), true)].concat()
    })
    .await;
}

#[tokio::test]
async fn an_entry_whose_state_is_missing_or_broken_is_a_doubt() {
    let why = "not a sound LDAP answer";
    check(why, |it| {
        [user(it, 3, &[], &[]), end(it, Some(b"c1"), true)].concat()
    })
    .await;
    check(why, |it| {
        let other = ldap_script::control("1.2.3", Some(b"x"));
        [user(it, 3, &[], &other), end(it, Some(b"c1"), true)].concat()
    })
    .await;
    for broken in [None, Some(&b"\x30\x03\x0a\x01"[..]), Some(b"")] {
        check(why, move |it| {
            let state = ldap_script::control(sync::SYNC_STATE, broken);
            [user(it, 3, &[], &state), end(it, Some(b"c1"), true)].concat()
        })
        .await;
    }
    check(why, |it| {
        [user(it, 3, &[], &state(4, 3)), end(it, Some(b"c1"), true)].concat()
    })
    .await;
}

#[tokio::test]
async fn an_entry_whose_id_is_another_than_the_server_says_is_a_doubt() {
    check("not a sound LDAP answer", |it| {
        [user(it, 3, &[], &state(ADD, 4)), end(it, Some(b"c1"), true)].concat()
    })
    .await;
}

#[tokio::test]
async fn a_message_or_an_end_that_makes_no_sense_is_a_doubt() {
    check("not a sound LDAP answer", |it| {
        [info(it, 0xa4, b""), end(it, Some(b"c1"), true)].concat()
    })
    .await;
    check("not a sound LDAP answer", |it| {
        let short = ber::write(ber::SET, &ber::write(ber::OCTETS, b"short"));
        [info(it, 0xa3, &short), end(it, Some(b"c1"), true)].concat()
    })
    .await;
    check("the end of the changes", |it| {
        let broken = ldap_script::control(sync::SYNC_DONE, Some(b"\x30\x05\x04"));
        ldap_script::done_with(it.id, 0, "", &broken)
    })
    .await;
}

#[tokio::test]
async fn an_entry_without_an_id_cannot_be_merged() {
    let server = Server::start(|question, about| {
        let dn = format!("uid=user3,ou=people,{SUFFIX}");
        let attributes: [(&str, &[&[u8]]); 1] = [("uid", &[b"user3"])];
        let controls = state(ADD, 3);
        let entry = ldap_script::entry_with(question.id, dn.as_bytes(), &attributes, &controls);
        (about == About::Users).then(|| [entry, end(question, Some(b"c1"), true)].concat())
    })
    .await;
    let (first, second) = server.told().await;
    let merged = complete(&first).merged(delta(&second));
    assert!(merged.unwrap_err().to_string().contains("without an id"));
}

#[tokio::test]
async fn a_part_of_the_tree_that_was_added_or_renamed_is_a_doubt() {
    let server = Server::start(|question, about| {
        assert_eq!(question.scope, 2);
        if about != About::Places {
            return None;
        }
        assert!(question.names(b"organizationalUnit"));
        let unit = bare(question, &state(ADD, 7));
        Some([unit, end(question, Some(b"c1"), true)].concat())
    })
    .await;
    let (_, second) = server.told().await;
    check_doubt(&second, "a part of the tree was added, renamed or moved");
}

#[tokio::test]
async fn a_part_of_the_tree_that_is_gone_or_left_takes_nobody_along() {
    for left in [false, true] {
        let server = Server::start(move |question, about| {
            let said = id_set(question, !left, &[1, 2, 9], None);
            (about == About::Places).then(|| [said, end(question, Some(b"c1"), !left)].concat())
        })
        .await;
        let (first, second) = server.told().await;
        assert_eq!(merged(&first, &second), ["user1", "user2"]);
        assert!(delta(&second).is_empty());
    }
}

#[tokio::test]
async fn more_changes_than_slapd_tells_at_once_are_a_doubt_and_none_are_not() {
    const PEOPLE: usize = 520;
    // In pages this account may read 1,500 entries, at once 500.
    let slapd = Slapd::start(&people(PEOPLE));
    let directory = paged(&slapd.url(), LIMITED, 200);
    let first = read(&directory).await.unwrap();
    let second = since(&directory, &first).await.unwrap();
    assert!(delta(&second).is_empty());
    let changes = (0..PEOPLE).map(|it| {
        format!(
            "dn: uid=user{it},ou=people,{SUFFIX}\nchangetype: modify\nreplace: sn\nsn: Other\n\n"
        )
    });
    slapd.modify(&changes.collect::<String>());
    let third = since(&directory, &second).await.unwrap();
    check_doubt(&third, "result code 4");
    assert_eq!(complete(&third).users.len(), PEOPLE);
    let fourth = since(&directory, &third).await.unwrap();
    assert!(delta(&fourth).is_empty());
}
