//! 389 Directory Server, which says in every answer that it named what is left (`refreshDeletes` FALSE), also where it named
//! what is gone, or nothing. Whoever took it at its word would remove everybody.

use super::*;

const ROOT: &[(&str, &[&[u8]])] = &[
    ("objectClass", &[b"top"]),
    ("vendorName", &[b"389 Project"]),
    (
        "supportedControl",
        &[b"1.2.840.113556.1.4.319", b"1.3.6.1.4.1.4203.1.9.1.1"],
    ),
];

/// Starts a server that answers questions for changes like this.
async fn start(
    answer: impl Fn(&Question, About) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Server {
    Server::start_asked(move |question| {
        let finished = ldap_script::done(question.id, 0, None);
        let users = || [1, 2].map(|it| person(question, it, &[])).concat();
        let bytes = match (cookie(question), about(question)) {
            _ if question.is_root() => {
                [ldap_script::entry(question.id, b"", ROOT), finished].concat()
            }
            _ if begins(question) && question.names(b"organizationalUnit") => {
                end(question, Some(FIRST), false)
            }
            // Every entry, in truth; without attributes.
            _ if begins(question) => {
                let all = [1, 2].map(|it| bare(question, &state(ADD, it)));
                [all.concat(), end(question, Some(FIRST), false)].concat()
            }
            (_, Some(about)) => {
                let nothing = || end(question, Some(FIRST), false);
                answer(question, about).unwrap_or_else(nothing)
            }
            (..) if question.base.starts_with("ou=people") => [users(), finished].concat(),
            (..) => finished,
        };
        Some((bytes, Then::GoOn))
    })
    .await
}

fn directory(server: &Server) -> LdapDirectory {
    configured(&options(&server.url).replace("openldap", "389ds"))
}

/// A user with the id that this product gives.
fn person(question: &Question, number: u8, controls: &[u8]) -> Vec<u8> {
    let name = format!("user{number}");
    let id = sync::ns_unique_id(&uuid(number));
    let dn = format!("uid={name},ou=people,{SUFFIX}");
    let attributes: [(&str, &[&[u8]]); 2] = [
        ("uid", &[name.as_bytes()]),
        ("nsUniqueId", &[id.as_bytes()]),
    ];
    ldap_script::entry_with(question.id, dn.as_bytes(), &attributes, controls)
}

async fn told(server: &Server) -> (Read, Read) {
    let directory = directory(server);
    let first = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&first)), ["user1", "user2"]);
    let second = since(&directory, &first).await.unwrap();
    (first, second)
}

#[tokio::test]
async fn its_cookie_is_asked_for_with_the_question_itself_but_for_the_attributes() {
    let server = start(|_, _| None).await;
    let first = read(&directory(&server)).await.unwrap();
    assert!(first.cursor.is_some());
    let asked = server.asked();
    let begins: Vec<&Question> = asked.iter().filter(|it| begins(it)).collect();
    assert_eq!(begins.len(), 4);
    for it in &begins {
        assert_eq!(
            (it.scope, it.attributes.as_slice()),
            (2, &["1.1".to_owned()][..])
        );
    }
    let people = asked
        .iter()
        .filter(|it| it.base == begins[0].base && cookie(it).is_none());
    let filters: Vec<_> = people.map(|it| &it.filter).collect();
    assert_eq!(filters, [&begins[0].filter]);
}

#[tokio::test]
async fn an_answer_that_names_nothing_removes_nobody() {
    let server = start(|_, _| None).await;
    let (first, second) = told(&server).await;
    assert!(delta(&second).is_empty());
    assert_eq!(merged(&first, &second), ["user1", "user2"]);
    assert_eq!(first.cursor, second.cursor);
}

#[tokio::test]
async fn who_is_named_as_gone_is_gone_and_nobody_else() {
    for by_set in [true, false] {
        let server = start(move |question, about| {
            let gone = if by_set {
                id_set(question, true, &[1], None)
            } else {
                bare(question, &state(DELETE, 1))
            };
            let changed = person(question, 3, &state(ADD, 3));
            let end = end(question, Some(b"c1"), false);
            (about == About::Users).then(|| [changed, gone, end].concat())
        })
        .await;
        let (first, second) = told(&server).await;
        let id = sync::ns_unique_id(&uuid(1));
        assert_eq!(id, "00000000-00004000-80000000-00000001");
        assert_eq!(delta(&second).gone, [(RecordKind::User, id)]);
        assert!(delta(&second).remaining.is_empty());
        assert_eq!(merged(&first, &second), ["user2", "user3"]);
    }
}

#[tokio::test]
async fn a_full_answer_removes_nobody() {
    let server = start(|question, about| {
        let all = [1, 2].map(|it| person(question, it, &state(ADD, it)));
        let end = end(question, Some(b"c1"), false);
        (about == About::Users).then(|| [all.concat(), end].concat())
    })
    .await;
    let (first, second) = told(&server).await;
    assert!(delta(&second).gone.is_empty() && delta(&second).remaining.is_empty());
    assert_eq!(merged(&first, &second), ["user1", "user2"]);
}

#[tokio::test]
async fn a_cookie_that_it_refuses_leads_to_a_complete_read() {
    let server = start(|question, _| {
        let text = "Invalid session cookie";
        Some(ldap_script::done_with(question.id, 4_096, text, &[]))
    })
    .await;
    let (_, second) = told(&server).await;
    check_doubt(&second, "result code 4096");
}

#[tokio::test]
async fn an_id_that_is_not_the_one_it_synchronises_by_is_read_completely() {
    let server = start(|_, _| None).await;
    for schema in ["openldap", "freeipa"] {
        let directory = configured(&options(&server.url).replace("openldap", schema));
        let done = read(&directory).await.unwrap();
        complete(&done);
        assert_eq!(done.cursor, None, "{schema}");
    }
}
