//! Where all searches are about one database of OpenLDAP, every cookie tells how far that is, and one answer that it has not
//! changed stands for all.

use super::*;

/// A server that holds the trees of these names.
async fn start(
    trees: &'static [&'static [u8]],
    answer: impl Fn(&Question, About) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Server {
    Server::start_asked(move |question| {
        if question.is_root() {
            let attributes = [OPENLDAP, &[("namingContexts", trees)]].concat();
            let entry = ldap_script::entry(question.id, b"", &attributes);
            let end = ldap_script::done(question.id, 0, None);
            return Some(([entry, end].concat(), Then::GoOn));
        }
        Some((answer(question, about(question)?)?, Then::GoOn))
    })
    .await
}

const ONE: &[&[u8]] = &[b"dc=load,dc=test"];
const TWO: &[&[u8]] = &[b"dc=load,dc=test", b"dc=other,dc=test"];

/// How often it was asked where changes begin, and how often for changes.
fn counts(server: &Server) -> (usize, usize) {
    let asked = server.asked();
    let begun = asked.iter().filter(|it| begins(it)).count();
    (begun, asked.iter().filter(|it| about(it).is_some()).count())
}

#[tokio::test]
async fn a_database_that_has_not_changed_is_asked_once() {
    // The places are looked at below each base in any case.
    for (trees, begins, questions) in [(ONE, 1 + 2, 1), (TWO, 2 + 2, 4), (&[], 2 + 2, 4)] {
        let server = start(trees, |_, _| None).await;
        let directory = server.directory();
        let first = read(&directory).await.unwrap();
        assert_eq!(counts(&server), (begins, 0));
        let second = since(&directory, &first).await.unwrap();
        assert!(delta(&second).is_empty());
        assert_eq!(second.cursor, first.cursor);
        assert_eq!(counts(&server), (0, questions));
    }
}

#[tokio::test]
async fn a_database_that_has_changed_is_asked_for_everything() {
    /// What the question about users is answered with; a change may concern none of them.
    type Said = fn(&Question) -> Vec<u8>;
    let answers: [Said; 4] = [
        |it| end(it, Some(b"c1"), true),
        |it| [user(it, 3, &[], &state(ADD, 3)), end(it, None, true)].concat(),
        |it| [id_set(it, true, &[2], None), end(it, None, true)].concat(),
        |it| [id_set(it, false, &[1, 2], None), end(it, None, true)].concat(),
    ];
    for said in answers {
        let server = start(ONE, move |question, about| match about {
            About::Users => Some(said(question)),
            About::Groups => {
                let gone = id_set(question, true, &[9], None);
                Some([gone, end(question, Some(b"c1"), true)].concat())
            }
            About::Places => None,
        })
        .await;
        let (first, second) = server.told().await;
        assert_eq!(counts(&server), (0, 4));
        let after = complete(&first).merged(delta(&second)).unwrap();
        assert!(after.groups.is_empty());
    }
}

#[tokio::test]
async fn cookies_that_differ_are_asked_each_until_they_are_one_again() {
    // The database changes after the users were asked for, and says so to whoever is asked then.
    let server = start(ONE, |question, about| {
        let newest = &b"c2"[..];
        let known = cookie(question)?;
        let told = if about == About::Users && known == FIRST {
            b"c1"
        } else {
            newest
        };
        (known != newest).then(|| end(question, Some(told), true))
    })
    .await;
    let (_, second) = server.told().await;
    assert_eq!(counts(&server), (0, 4));
    let directory = server.directory();
    let third = since(&directory, &second).await.unwrap();
    assert_eq!(counts(&server), (0, 4));
    let fourth = since(&directory, &third).await.unwrap();
    assert!(delta(&fourth).is_empty());
    assert_eq!(counts(&server), (0, 1));
}

#[tokio::test]
async fn an_answer_does_not_stand_for_searches_that_go_on_from_elsewhere() {
    let server = start(ONE, |question, about| {
        let first = about == About::Users && cookie(question)? == FIRST;
        first.then(|| end(question, Some(b"c1"), true))
    })
    .await;
    let (_, second) = server.told().await;
    server.asked();
    // The users have not changed since then; the groups are still asked for from before.
    since(&server.directory(), &second).await.unwrap();
    assert_eq!(counts(&server), (0, 4));
}
