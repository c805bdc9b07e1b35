//! What goes wrong has a class and a text that says what to do, and leaves the tables as they were.

use futures_util::FutureExt as _;
use sqlx::Connection as _;
use usersyncd::applications::Application as _;
use usersyncd::model::{Finding, Holding, What};

use super::world::{Database, Push, directory, kind, refused};
use super::{DEFAULT, company};

#[tokio::test]
async fn the_change_that_fails_is_named_among_many() {
    let database = Database::none();
    let application = database.application(DEFAULT);
    let names: Vec<String> = (0..5_000).map(|it| format!("user{it:04}")).collect();
    let people: Vec<_> = names
        .iter()
        .map(|it| (it.as_str(), it.as_str(), ""))
        .collect();
    let records = directory(&people, &[]);
    Push::now(&application, &records)
        .await
        .create("user0000")
        .succeed(&application)
        .await;
    database
        .run(
            "CREATE TRIGGER refuse BEFORE INSERT ON users WHEN new.username IN ('user3210', 'user4321')
             BEGIN SELECT RAISE(ABORT, 'not on a Sunday'); END",
        )
        .await;
    let before = database.dump().await;
    let records = directory(&people[1..], &[]);
    let push = Push::now(&application, &records).await.create_all();
    let (kind, text) = refused(&push.send(&application).await, 3_209);
    assert_eq!(
        (kind, text.contains("not on a Sunday")),
        ("refused", true),
        "{text}"
    );
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_plan_that_rests_on_an_old_listing_is_stale() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(
        &[("ben", "B", ""), ("dora", "D", ""), ("Emil", "E", "")],
        &["new"],
    );
    let push = || async { Push::now(&application, &records).await };
    let pushes = [
        (push().await.update("ben", "ben", What::EMAIL), "not there"),
        (
            push().await.update("ben", "dora", What::RENAME),
            "not there",
        ),
        (
            push().await.members("staff", &["ben"], &[], &[]),
            "a member",
        ),
        (
            push().await.members("sales", &["Anna"], &[], &[]),
            "the group",
        ),
        (push().await.create("Emil"), "another spelling"),
        (
            push().await.update("carl", "Emil", What::RENAME),
            "another spelling",
        ),
        (push().await.create_group("new"), "another spelling"),
        (
            push().await.update_group("staff", "new", What::RENAME),
            "another spelling",
        ),
        (
            push().await.update_group("sales", "new", What::DESCRIPTION),
            "not there",
        ),
    ];
    database
        .run(
            "DELETE FROM users WHERE username = 'ben'; DELETE FROM groups WHERE name = 'sales';
             INSERT INTO users(username) VALUES ('EMIL'); INSERT INTO groups(name) VALUES ('NEW');",
        )
        .await;
    let before = database.dump().await;
    for (push, part) in pushes {
        let (kind, text) = refused(&push.send(&application).await, 0);
        assert_eq!(
            (kind, text.contains(part)),
            ("stale", true),
            "{part}: {text}"
        );
    }
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_row_that_no_statement_finds_by_its_name_is_not_called_done() {
    let database = Database::none();
    let application = company(&database).await;
    database
        .run("UPDATE users SET username = CAST(username AS BLOB) WHERE username = 'ben'")
        .await;
    let before = database.dump().await;
    let records = directory(&[("ben", "B", ""), ("Anna", "A", "")], &[]);
    let push = Push::now(&application, &records)
        .await
        .update("Anna", "Anna", What::DISPLAY_NAME)
        .update("ben", "ben", What::DISPLAY_NAME)
        .members("sales", &["Anna"], &[], &[]);
    let (kind, text) = refused(&push.send(&application).await, 1);
    assert_eq!(
        (kind, text.contains("1 row changed where 2 were meant")),
        ("stale", true),
        "{text}"
    );
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_ring_of_renames_is_refused_whole() {
    let database = Database::none();
    let application = company(&database).await;
    let before = database.dump().await;
    let records = directory(&[("ben", "", ""), ("Anna", "", "")], &[]);
    let push = Push::now(&application, &records)
        .await
        .update("Anna", "ben", What::RENAME)
        .update("ben", "Anna", What::RENAME);
    assert_eq!(refused(&push.send(&application).await, 0).0, "stale");
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_value_that_must_be_unique_is_refused_and_an_empty_one_is_none() {
    let database = Database::with(
        "CREATE TABLE people (login TEXT PRIMARY KEY, mail TEXT UNIQUE);
         INSERT INTO people VALUES ('anna', 'anna@example.com');",
    )
    .await;
    let application = database
        .application("tables: { users: { table: people, key: login, columns: { email: mail } } }");
    let records = directory(
        &[
            ("ben", "", ""),
            ("carl", "", ""),
            ("dora", "", "anna@example.com"),
        ],
        &[],
    );
    Push::now(&application, &records)
        .await
        .create("ben")
        .create("carl")
        .succeed(&application)
        .await;
    let push = Push::now(&application, &records)
        .await
        .update("ben", "ben", What::EMAIL)
        .create("dora");
    let (kind, text) = refused(&push.send(&application).await, 1);
    assert_eq!(
        (kind, text.contains("people.mail")),
        ("refused", true),
        "{text}"
    );
    assert!(!text.contains("anna@example.com"));
}

#[tokio::test]
async fn a_locked_database_is_unavailable() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(&[("dora", "D", "")], &[]);
    let push = Push::now(&application, &records)
        .await
        .update("Anna", "dora", What::ADOPT)
        .create("dora");
    let mut other = database.connection().await;
    let lock = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    let outcomes = push.send(&application).await;
    lock.rollback().await.unwrap();
    let (kind, text) = refused(&outcomes[1..], 0);
    assert_eq!(
        (kind, text.contains("locked")),
        ("unavailable", true),
        "{text}"
    );
    push.succeed(&application).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_unavailable() {
    let folder = Database::none();
    std::fs::create_dir(folder.path()).unwrap();
    let junk = Database::none();
    std::fs::write(
        junk.path(),
        "this is no database, however long it may be".repeat(100),
    )
    .unwrap();
    for (database, part) in [(folder, "cannot be opened"), (junk, "no SQLite database")] {
        let application = database.application(DEFAULT);
        let refusal = application.accounts(&Holding::default()).await.unwrap_err();
        assert_eq!(
            (kind(&refusal), refusal.to_string().contains(part)),
            ("unavailable", true),
            "{refusal}"
        );
        let records = directory(&[("dora", "D", "")], &[]);
        let push = Push::against(usersyncd::model::Observed::default(), &records).create("dora");
        let (kind, text) = refused(&push.send(&application).await, 0);
        assert_eq!((kind, text.contains(part)), ("unavailable", true), "{text}");
        let findings = application.check().await;
        assert!(findings.len() == 1 && !findings[0].good, "{findings:?}");
    }
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_listed_and_not_written() {
    let database = Database::none();
    let application = company(&database).await;
    let items = |findings: Vec<Finding>| -> Vec<(String, bool)> {
        findings.into_iter().map(|it| (it.item, it.good)).collect()
    };
    let all = ["reach", "tables", "rights"].map(str::to_owned);
    let good = all.each_ref().map(|it| (it.clone(), true));
    assert_eq!(items(application.check().await), good);

    // A file of a later format is read-only (SQLite file format, 1.3.3), to the superuser too.
    let mut bytes = std::fs::read(database.path()).unwrap();
    bytes[18] = 3;
    std::fs::write(database.path(), bytes).unwrap();
    assert_eq!(super::listed(&application).await.len(), 5);
    let [reach, tables, rights] = all;
    let expect = [(reach, true), (tables, true), (rights, false)];
    assert_eq!(items(application.check().await), expect);
    let records = directory(&[("dora", "D", "")], &[]);
    let push = Push::now(&application, &records).await.create("dora");
    let (kind, text) = refused(&push.send(&application).await, 0);
    assert_eq!(
        (kind, text.contains("read-only")),
        ("unavailable", true),
        "{text}"
    );
}

#[tokio::test]
async fn a_missing_file_is_not_made_unasked() {
    let database = Database::none();
    let application = database.application("create_tables: false");
    let records = directory(&[("dora", "D", "")], &[]);
    let push = Push::against(usersyncd::model::Observed::default(), &records).create("dora");
    assert_eq!(refused(&push.send(&application).await, 0).0, "unavailable");
    assert!(!database.path().exists());
    let findings = application.check().await;
    assert!(
        !findings[0].good && findings[0].text.contains("look at the path"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn what_lacks_is_named_all_at_once() {
    let database = Database::with(
        "CREATE TABLE users(username, email); CREATE TABLE groups(name, description);",
    )
    .await;
    for options in ["create_tables: true", "create_tables: false"] {
        let application = database.application(options);
        let text = application
            .accounts(&Holding::default())
            .await
            .unwrap_err()
            .to_string();
        let lacking = "table `users` lacks `display_name`, `given_name`, `family_name`, `directory`, `external_id`, `active`";
        assert!(text.contains(lacking), "{text}");
        assert_eq!(
            text.contains("no table `memberships`"),
            options.ends_with("false"),
            "{text}"
        );
        let findings = application.check().await;
        let tables = findings.iter().find(|it| it.item == "tables").unwrap();
        assert!(
            !tables.good && tables.text.contains(lacking),
            "{findings:?}"
        );
    }
}

#[tokio::test]
async fn references_of_other_tables_are_respected() {
    let database = Database::with(
        "CREATE TABLE people (login TEXT PRIMARY KEY);
         CREATE TABLE teams (name TEXT PRIMARY KEY);
         CREATE TABLE in_team (team TEXT REFERENCES teams(name), person TEXT REFERENCES people(login));
         CREATE TABLE posts (author TEXT REFERENCES people(login), text TEXT);
         INSERT INTO people VALUES ('anna'), ('ben'), ('carl');
         INSERT INTO teams VALUES ('staff');
         INSERT INTO in_team VALUES ('staff', 'anna'), ('staff', 'ben');
         INSERT INTO posts VALUES ('ben', 'hello');",
    )
    .await;
    let application = database.application(
        "
tables:
  users: { table: people, key: login }
  groups: { table: teams, key: name }
  memberships: { table: in_team, group: team, user: person }
",
    );
    let records = directory(
        &[
            ("dora", "", ""),
            ("emil", "", ""),
            ("fred", "", ""),
            ("gina", "", ""),
        ],
        &[],
    );
    Push::now(&application, &records)
        .await
        .update("anna", "dora", What::RENAME)
        .succeed(&application)
        .await;
    assert_eq!(
        database.table("in_team").await,
        ["in_team|'staff'|'ben'", "in_team|'staff'|'dora'"]
    );

    let before = database.dump().await;
    // The posts of ben refer to his name, and nothing lets them follow: found at the commit only.
    let rename = Push::now(&application, &records)
        .await
        .update("carl", "fred", What::RENAME)
        .update("ben", "emil", What::RENAME)
        .update("dora", "gina", What::RENAME);
    let delete = Push::now(&application, &records)
        .await
        .delete("carl")
        .delete("ben")
        .delete("dora");
    for push in [rename, delete] {
        let (kind, text) = refused(&push.send(&application).await, 1);
        assert_eq!(
            (kind, text.contains("FOREIGN KEY")),
            ("refused", true),
            "{text}"
        );
        assert_eq!(database.dump().await, before);
    }
}

#[tokio::test]
async fn a_push_that_is_dropped_leaves_all_or_nothing() {
    let database = Database::none();
    let application = company(&database).await;
    let before = database.dump().await;
    let records = directory(&[("dora", "D", ""), ("emil", "E", "")], &[]);
    let push = Push::now(&application, &records)
        .await
        .create("dora")
        .members("staff", &["dora"], &[], &[]);
    for polls in 1.. {
        let mut send = Box::pin(push.send(&application));
        let mut polled = 0;
        while polled < polls && send.as_mut().now_or_never().is_none() {
            tokio::task::yield_now().await;
            polled += 1;
        }
        drop(send);
        let after = database.dump().await;
        if after != before {
            // The row and its membership.
            assert_eq!(after.len(), before.len() + 2);
            break;
        }
    }
}

#[tokio::test]
async fn a_database_in_wal_mode_is_read_and_written() {
    let database = Database::none();
    let application = company(&database).await;
    database.run("PRAGMA journal_mode = WAL").await;
    let mut other = database.connection().await;
    let reading = other.begin().await.unwrap();
    let records = directory(&[("dora", "D", "")], &[]);
    Push::now(&application, &records)
        .await
        .create("dora")
        .succeed(&application)
        .await;
    assert_eq!(super::listed(&application).await.len(), 6);
    reading.rollback().await.unwrap();
    other.close().await.unwrap();
    assert_eq!(super::listed(&application).await.len(), 6);
}
