//! Change numbers, where `DirSync` is not granted, and who may see what was deleted.

use super::*;

/// A server that tells changes by their numbers alone.
async fn start() -> Server {
    let server = Server::start().await;
    server.domain().grants_dir_sync = false;
    server
}

/// Whether the place to go on from is a change number.
fn counts(read: &Read) -> bool {
    read.cursor
        .as_ref()
        .is_some_and(|it| it.contains("\"usn\""))
}

#[tokio::test]
async fn where_dir_sync_is_not_granted_change_numbers_are_used() {
    let server = start().await;
    let first = server.read().await;
    assert!(counts(&first));
    let second = server.since(&first).await.unwrap();
    assert!(delta(&second).is_empty());
    assert!(
        !server.asked().iter().any(|it| it.base == DOMAIN),
        "nothing has changed"
    );
    server.domain().users[0].2.push(("mail", "ann@example.com"));
    server.domain().changed = vec![("ann", false)];
    count(&mut server.domain());
    let third = server.since(&second).await.unwrap();
    assert_eq!(delta(&third).upsert.users.len(), 1);
    let asked = server.asked();
    let search = asked.iter().find(|it| it.base == DOMAIN).unwrap();
    assert_eq!(search.filter, [&b"uSNChanged"[..], b"101"]);
    assert!(shows_deleted(search));
    let fourth = server.since(&third).await.unwrap();
    assert!(delta(&fourth).is_empty());
}

#[tokio::test]
async fn a_right_that_is_taken_away_leads_to_a_complete_read_and_then_to_change_numbers() {
    let server = Server::start().await;
    let (first, second) = server.told(|it| it.grants_dir_sync = false).await;
    assert!(!counts(&first));
    check_doubt(&second, "result code 50");
    assert!(counts(&second));
    let third = server.since(&second).await.unwrap();
    assert!(delta(&third).is_empty());
}

#[tokio::test]
async fn another_or_an_older_domain_controller_is_read_completely() {
    /// Makes it another one.
    type Change = fn(&mut Domain);
    let cases: [(&str, Change); 4] = [
        ("another domain controller", |it| {
            it.service = "CN=NTDS Settings,CN=DC2,CN=Configuration,DC=ad,DC=test";
        }),
        ("restored from a backup", |it| {
            it.invocation = b"another database";
        }),
        ("counts fewer changes than before", |it| {
            it.highest = Some(99);
        }),
        ("no longer shows how far it is", |it| it.highest = None),
    ];
    for (why, change) in cases {
        let server = start().await;
        let (_, second) = server.told(change).await;
        check_doubt(&second, why);
    }
}

#[tokio::test]
async fn a_reader_who_is_not_shown_what_was_deleted_reads_completely() {
    let server = start().await;
    server.domain().shows_deleted = false;
    assert_eq!(server.read().await.cursor, None);
    // Neither is one to whom the container is refused.
    for code in [1, 32, 50] {
        let server = Server::start_asked(move |question| {
            let deleted = question.base.starts_with("CN=Deleted Objects");
            deleted.then(|| (ldap_script::done(question.id, code, None), Then::GoOn))
        })
        .await;
        server.domain().grants_dir_sync = false;
        assert_eq!(server.read().await.cursor, None);
    }
}

#[tokio::test]
async fn a_reader_who_is_no_longer_shown_what_was_deleted_reads_completely() {
    let server = start().await;
    let (_, second) = server.told(|it| it.shows_deleted = false).await;
    check_doubt(&second, "no longer see what was deleted");
    assert_eq!(second.cursor, None);
}

#[tokio::test]
async fn active_directory_shows_by_dir_sync_what_was_deleted_and_samba_by_other_rights() {
    for is_samba in [false, true] {
        let server = Server::start().await;
        server.domain().is_samba = is_samba;
        server.domain().shows_deleted = false;
        assert_eq!(server.read().await.cursor.is_some(), !is_samba);
    }
    let server = Server::start().await;
    server.domain().is_samba = true;
    let (_, second) = server.told(|it| it.shows_deleted = false).await;
    check_doubt(&second, "no longer see what was deleted");
}

#[tokio::test]
async fn the_number_is_taken_before_everything_is_read() {
    let server = start().await;
    let first = read(&server.directory()).await.unwrap();
    let asked = server.asked();
    let number = asked.iter().position(|it| it.base == SERVICE).unwrap();
    let users = asked.iter().position(|it| it.base.starts_with("CN=Users"));
    assert!(number < users.unwrap());
    assert!(first.cursor.unwrap().contains("\"highest\":100"));
}
