//! What fails on the way to changes fails the read: whoever cannot be asked for changes cannot be asked for everything.

use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::support::raw;

/// Answers the question for the changes of users, and looks for the failure and for the want of any further question.
async fn check(
    word: &str,
    text: &str,
    answer: impl Fn(&Question) -> (Vec<u8>, Then) + Send + Sync + 'static,
) {
    let server = Server::start_asked(move |question| {
        (about(question) == Some(About::Users)).then(|| answer(question))
    })
    .await;
    let directory = configured(&options(&server.url).replace("5s", "1s"));
    let first = read(&directory).await.unwrap();
    server.asked();
    let failed = since(&directory, &first).await.unwrap_err();
    check_error(&failed, word, text);
    assert_eq!(server.asked().len(), 1, "{text}");
}

#[tokio::test]
async fn a_connection_that_ends_amid_changes_fails_the_read() {
    let text = "the connection ended before the answer was complete";
    check("unavailable", text, |_| (Vec::new(), Then::Close)).await;
    check("unavailable", text, |it| {
        (user(it, 3, &[], &state(ADD, 3)), Then::Close)
    })
    .await;
    check("unavailable", text, |it| {
        let left = id_set(it, false, &[2], None);
        (left[..left.len() - 3].to_vec(), Then::Close)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_falls_silent_amid_changes_fails_the_read() {
    check("unavailable", "no answer within 1 s", |it| {
        (user(it, 3, &[], &state(ADD, 3)), Then::GoOn)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_has_no_time_or_goes_away_fails_the_read() {
    for code in [51, 52, 80] {
        check("unavailable", &format!("result code {code}"), move |it| {
            (ldap_script::done(it.id, code, None), Then::GoOn)
        })
        .await;
    }
    check("unavailable", "shutting down", |it| {
        let changed = user(it, 3, &[], &state(ADD, 3));
        let goodbye = ldap_script::notice(52, "shutting down");
        ([changed, goodbye].concat(), Then::Close)
    })
    .await;
}

#[tokio::test]
async fn a_login_that_is_refused_is_refused_once() {
    let server = Server::start(|_, _| None).await;
    let first = read(&server.directory()).await.unwrap();
    let logins = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&logins);
    let address = raw::start(move |mut client| {
        let seen = Arc::clone(&seen);
        async move {
            raw::hear(&mut client).await;
            *seen.lock().unwrap() += 1;
            let refusal = ldap_script::result(1, 0x61, 49, "", &[]);
            let _ = client.write_all(&refusal).await;
        }
    })
    .await;
    let directory = configured(&options(&format!("ldap://{address}")));
    let failed = since(&directory, &first).await.unwrap_err();
    check_error(&failed, "unauthorised", "result code 49");
    // A second one would lock the account the sooner.
    assert_eq!(*logins.lock().unwrap(), 1);
}
