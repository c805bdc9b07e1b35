//! Users below several bases: each is asked of its own, and their answers must fit together.

use super::*;

/// Users below two bases, of which the second has users 5 and 6.
async fn start(
    answer: impl Fn(&Question, bool) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (Server, LdapDirectory) {
    let server = Server::start_asked(move |question| {
        let guests = question.base.starts_with("ou=guests");
        let bytes = match (cookie(question), about(question)) {
            (None, _) if guests => {
                let users = [5, 6].map(|it| user(question, it, &[], &[]));
                let end = ldap_script::done(question.id, 0, Some(b""));
                Some([users.concat(), end].concat())
            }
            (_, Some(About::Users)) => answer(question, guests),
            _ => None,
        };
        Some((bytes?, Then::GoOn))
    })
    .await;
    let people = format!("'ou=people,{SUFFIX}'");
    let both = format!("[{people}, 'ou=guests,{SUFFIX}']");
    let directory = configured(&options(&server.url).replace(&people, &both));
    (server, directory)
}

#[tokio::test]
async fn one_base_that_names_what_is_gone_and_one_what_is_left_are_a_doubt() {
    for which in [false, true] {
        let (_server, directory) = start(move |question, guests| {
            let (gone, end) = if guests == which {
                (false, end(question, Some(b"c1"), false))
            } else {
                (true, end(question, Some(b"c1"), true))
            };
            let number = if guests { 5 } else { 1 };
            Some([id_set(question, gone, &[number], None), end].concat())
        })
        .await;
        let first = read(&directory).await.unwrap();
        let second = since(&directory, &first).await.unwrap();
        check_doubt(&second, "of one base the server named what is gone");
    }
}

#[tokio::test]
async fn one_base_that_names_what_is_left_and_one_without_changes_are_a_doubt() {
    let (_server, directory) = start(|question, guests| {
        let left = id_set(question, false, &[5], None);
        guests.then(|| [left, end(question, Some(b"c1"), false)].concat())
    })
    .await;
    let first = read(&directory).await.unwrap();
    let second = since(&directory, &first).await.unwrap();
    check_doubt(&second, "of one base the server named what is gone");
}

#[tokio::test]
async fn what_is_left_below_all_bases_is_what_is_left() {
    let (_server, directory) = start(|question, guests| {
        let left = id_set(question, false, &[if guests { 6 } else { 1 }], None);
        Some([left, end(question, Some(b"c1"), false)].concat())
    })
    .await;
    let first = read(&directory).await.unwrap();
    assert_eq!(
        usernames(complete(&first)),
        ["user1", "user2", "user5", "user6"]
    );
    let second = since(&directory, &first).await.unwrap();
    assert_eq!(merged(&first, &second), ["user1", "user6"]);
}

#[tokio::test]
async fn each_base_goes_on_from_its_own_cookie() {
    let (server, directory) = start(|question, guests| {
        let own = if guests { &b"guests"[..] } else { b"people" };
        Some(end(question, Some(own), true))
    })
    .await;
    let first = read(&directory).await.unwrap();
    let second = since(&directory, &first).await.unwrap();
    server.asked();
    since(&directory, &second).await.unwrap();
    let asked = server.asked();
    let sent = asked
        .iter()
        .map(|it| (it.base.as_str(), cookie(it).unwrap()));
    let sent: Vec<(&str, Vec<u8>)> = sent.collect();
    let [people, guests, groups] =
        ["people", "guests", "groups"].map(|it| format!("ou={it},{SUFFIX}"));
    let first = FIRST.to_vec();
    let expect = [
        (people.as_str(), b"people".to_vec()),
        (&guests, b"guests".to_vec()),
        (&groups, first.clone()),
        // The places.
        (&people, first.clone()),
        (&guests, first.clone()),
        (&groups, first),
    ];
    assert_eq!(sent, expect);
}

#[tokio::test]
async fn places_are_asked_for_once_where_one_base_stands_below_another() {
    let server = Server::start(|_, _| None).await;
    let below = options(&server.url).replace("ou=groups", "ou=groups,ou=people");
    let directory = configured(&below);
    let first = read(&directory).await.unwrap();
    server.asked();
    since(&directory, &first).await.unwrap();
    let asked = server.asked();
    let places = asked.iter().filter(|it| about(it) == Some(About::Places));
    let bases: Vec<&str> = places.map(|it| it.base.as_str()).collect();
    assert_eq!(bases, [format!("ou=people,{SUFFIX}")]);
}
