//! Limits of the server, and pages.

use super::{check_error, complete, page, paged, people, read, read_script};
use crate::support::ldap_script::Then;
use crate::support::slapd::{LIMITED, NOPAGE, READER, Slapd};

#[tokio::test]
async fn a_limited_read_is_incomplete_however_far_it_came() {
    let slapd = Slapd::start(&people(1_600));
    let done = read(&paged(&slapd.url(), READER, 200)).await.unwrap();
    assert_eq!(complete(&done).users.len(), 1_600);
    let failed = read(&paged(&slapd.url(), LIMITED, 200)).await.unwrap_err();
    check_error(&failed, "incomplete", "result code 4");
    let failed = read(&paged(&slapd.url(), NOPAGE, 200)).await.unwrap_err();
    check_error(&failed, "incomplete", "result code 11");
    check_error(&failed, "incomplete", "pages");
}

#[tokio::test]
async fn a_limit_on_any_page_makes_the_read_incomplete() {
    let failed = read_script(|_, id| (page(id, 0..120, 4, None), Then::GoOn)).await;
    check_error(&failed.unwrap_err(), "incomplete", "result code 4");
    // A page that was cut may offer to go on all the same.
    let answer = |search, id| match search {
        0 => (page(id, 0..5, 3, Some(b"more")), Then::GoOn),
        _ => (page(id, 5..9, 0, Some(b"")), Then::GoOn),
    };
    check_error(
        &read_script(answer).await.unwrap_err(),
        "incomplete",
        "result code 3",
    );
}

#[tokio::test]
async fn pages_without_end_are_incomplete() {
    let failed = read_script(|_, id| (page(id, 0..0, 0, Some(b"again")), Then::GoOn)).await;
    check_error(&failed.unwrap_err(), "incomplete", "pages without end");
}

#[tokio::test]
async fn paging_that_is_dropped_half_way_is_incomplete() {
    let answer = |search, id| match search {
        0 => (page(id, 0..5, 0, Some(b"more")), Then::GoOn),
        _ => (page(id, 5..9, 0, None), Then::GoOn),
    };
    check_error(
        &read_script(answer).await.unwrap_err(),
        "incomplete",
        "not a sound LDAP answer",
    );
}

#[tokio::test]
async fn a_server_that_does_not_page_is_read_in_one() {
    let done = read_script(|_, id| (page(id, 0..5, 0, None), Then::GoOn))
        .await
        .unwrap();
    assert_eq!(complete(&done).users.len(), 5);
}
