//! Tables that exist already, in the style of two products: what the configuration does not name stays as it is.

use usersyncd::applications::Application as _;
use usersyncd::applications::sql::SqlApplication;
use usersyncd::model::{Holding, Outcome, What};

use super::listed;
use super::world::{Database, Push, directory, refused};

/// In the style of Nextcloud: names are the keys, passwords must not be null, and a column repeats the name.
pub(crate) const CLOUD: &str = "
    CREATE TABLE oc_users (
        uid VARCHAR(64) NOT NULL DEFAULT '' PRIMARY KEY,
        displayname VARCHAR(64) DEFAULT NULL,
        password VARCHAR(255) NOT NULL,
        uid_lower VARCHAR(64) DEFAULT ''
    );
    CREATE INDEX user_uid_lower ON oc_users (uid_lower);
    CREATE TABLE oc_groups (gid VARCHAR(64) NOT NULL DEFAULT '' PRIMARY KEY, displayname VARCHAR(255) NOT NULL DEFAULT 'name');
    CREATE TABLE oc_group_user (gid VARCHAR(64) NOT NULL, uid VARCHAR(64) NOT NULL, PRIMARY KEY (gid, uid));
    CREATE TABLE oc_accounts (uid VARCHAR(64) NOT NULL PRIMARY KEY, data CLOB NOT NULL);
    INSERT INTO oc_users VALUES ('admin', NULL, '3|$argon2id$v=19$admin', 'admin'), ('Anna', 'Anna A', '3|anna', 'anna'),
        ('ben', NULL, '3|ben', 'ben');
    INSERT INTO oc_groups VALUES ('admin', 'admin'), ('staff', 'Staff');
    INSERT INTO oc_group_user VALUES ('admin', 'admin'), ('staff', 'Anna'), ('staff', 'ldap-user'), ('gone', 'ben');
    INSERT INTO oc_accounts VALUES ('admin', '{}'), ('Anna', '{\"x\": 1}'), ('ldap-user', x'00ff');
";
pub(crate) const CLOUD_TABLES: &str = "
tables:
  users: { table: oc_users, key: uid, lower_key: uid_lower, columns: { display_name: displayname }, fixed: { password: '' } }
  groups: { table: oc_groups, key: gid, description: displayname }
  memberships: { table: oc_group_user, group: gid, user: uid }
";

/// In the style of Dovecot: users only, and a letter that says who may log in.
pub(crate) const MAIL: &str = "
    CREATE TABLE users (
        userid VARCHAR(128) NOT NULL,
        domain VARCHAR(128) NOT NULL,
        password VARCHAR(64) NOT NULL,
        home VARCHAR(255) NOT NULL,
        uid INTEGER NOT NULL,
        gid INTEGER NOT NULL,
        active CHAR(1) DEFAULT 'Y' NOT NULL
    );
    INSERT INTO users VALUES ('anna', 'example.com', '{CRYPT}a', '/mail/anna', 5000, 5000, 'Y'),
        ('ben', 'example.com', '{CRYPT}b', '/mail/ben', 5000, 5000, 'N');
    CREATE TABLE aliases (source TEXT, destination TEXT);
    INSERT INTO aliases VALUES ('info', 'anna'), (NULL, x'ff');
";
pub(crate) const MAIL_TABLES: &str = "
tables:
  users:
    table: users
    key: userid
    active: { column: active, on: 'Y', off: 'N' }
    fixed: { domain: example.com, password: '!', home: /mail, uid: 5000, gid: 5000 }
";

/// Rows have numbers by which other tables refer to them.
pub(crate) const NUMBERED: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE COLLATE NOCASE, mail TEXT UNIQUE, enabled);
    CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
    CREATE TABLE in_team (
        team INTEGER NOT NULL REFERENCES teams(id), person INTEGER NOT NULL REFERENCES people(id),
        role TEXT NOT NULL, PRIMARY KEY (team, person)
    );
    CREATE TABLE team_in_team (outer_team INTEGER REFERENCES teams(id), inner_team INTEGER REFERENCES teams(id));
    CREATE TABLE notes (person INTEGER, text TEXT);
    INSERT INTO people VALUES (7, 'Anna', 'anna@example.com', 1), (9, 'ben', NULL, 0);
    INSERT INTO teams VALUES (3, 'staff'), (4, 'sales');
    INSERT INTO in_team VALUES (3, 7, 'owner'), (3, 9, 'guest');
    INSERT INTO notes VALUES (7, 'likes tea'), (NULL, x'00');
";
pub(crate) const NUMBERED_TABLES: &str = "
tables:
  users: { table: people, key: login, id: id, columns: { email: mail }, active: { column: enabled } }
  groups: { table: teams, key: name, id: id }
  memberships: { table: in_team, group: team, user: person, fixed: { role: member } }
  group_memberships: { table: team_in_team, parent: outer_team, child: inner_team }
";

/// The rows that were and no longer are, and those that are and were not.
fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|it| !after.contains(it));
    let come = after.iter().filter(|it| !before.contains(it));
    gone.map(|it| format!("- {it}"))
        .chain(come.map(|it| format!("+ {it}")))
        .collect()
}

async fn push(database: &Database, application: &SqlApplication, push: Push<'_>) -> Vec<String> {
    let before = database.dump().await;
    push.succeed(application).await;
    difference(&before, &database.dump().await)
}

#[tokio::test]
async fn tables_in_the_style_of_nextcloud_are_listed() {
    let database = Database::with(CLOUD).await;
    let application = database.application(CLOUD_TABLES);
    assert_eq!(
        listed(&application).await,
        [
            "Anna/Anna A///// on #Anna",
            "admin/////// on #admin"
                .replace("///////", "//////")
                .as_str(),
            "admin/admin #admin: admin",
            "ben////// on #ben",
            "staff/Staff #staff: Anna",
        ]
    );
    let able = application.abilities();
    assert!(!able.deactivate && !able.nest && !able.fields.email);
    assert!(able.describe_groups && able.fields.display_name);
}

#[tokio::test]
async fn tables_in_the_style_of_nextcloud_keep_what_is_not_named() {
    let database = Database::with(CLOUD).await;
    let application = database.application(CLOUD_TABLES);
    let records = directory(
        &[("Dora", "Dora D", "d@example.com"), ("Bernd", "", "")],
        &["sales"],
    );
    let plan = Push::now(&application, &records)
        .await
        .create_group("sales")
        .update("ben", "Bernd", What::RENAME.with(What::DISPLAY_NAME))
        .create("Dora")
        .members("staff", &["Dora", "ben"], &[], &["Anna"])
        .members("sales", &["Dora"], &[], &[])
        .delete("Anna");
    assert_eq!(
        push(&database, &application, plan).await,
        [
            "- oc_group_user|'gone'|'ben'",
            "- oc_group_user|'staff'|'Anna'",
            "- oc_users|'Anna'|'Anna A'|'3|anna'|'anna'",
            "- oc_users|'ben'|NULL|'3|ben'|'ben'",
            "+ oc_group_user|'gone'|'Bernd'",
            "+ oc_group_user|'sales'|'Dora'",
            "+ oc_group_user|'staff'|'Bernd'",
            "+ oc_group_user|'staff'|'Dora'",
            "+ oc_groups|'sales'|'All of sales'",
            "+ oc_users|'Bernd'|NULL|'3|ben'|'bernd'",
            "+ oc_users|'Dora'|'Dora D'|''|'dora'",
        ]
    );
}

#[tokio::test]
async fn a_column_that_must_have_a_value_is_named_with_the_remedy() {
    let database = Database::with(CLOUD).await;
    let application = database.application(&CLOUD_TABLES.replace(", fixed: { password: '' }", ""));
    let before = database.dump().await;
    let records = directory(&[("dora", "Dora", ""), ("emil", "Emil", "")], &["sales"]);
    let outcomes = Push::now(&application, &records)
        .await
        .create_group("sales")
        .update("Anna", "dora", What::DISPLAY_NAME)
        .create("emil")
        .create("dora")
        .send(&application)
        .await;
    let (kind, text) = refused(&outcomes, 2);
    assert_eq!(kind, "refused");
    assert!(
        text.contains("table `oc_users`: the column `password` must have a value"),
        "{text}"
    );
    assert!(text.contains("`tables.users.fixed`"), "{text}");
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn tables_in_the_style_of_dovecot_keep_what_is_not_named() {
    let database = Database::with(MAIL).await;
    let application = database.application(MAIL_TABLES);
    assert_eq!(
        listed(&application).await,
        ["anna////// on #anna", "ben////// off #ben"]
    );
    assert!(!application.abilities().groups);
    let records = directory(
        &[("anna", "A", ""), ("ben", "B", ""), ("carl", "C (off)", "")],
        &[],
    );
    let plan = Push::now(&application, &records)
        .await
        .update("anna", "anna", What::DEACTIVATE)
        .update("ben", "ben", What::ACTIVATE.with(What::EMAIL))
        .create("carl");
    assert_eq!(
        push(&database, &application, plan).await,
        [
            "- users|'anna'|'example.com'|'{CRYPT}a'|'/mail/anna'|5000|5000|'Y'",
            "- users|'ben'|'example.com'|'{CRYPT}b'|'/mail/ben'|5000|5000|'N'",
            "+ users|'anna'|'example.com'|'{CRYPT}a'|'/mail/anna'|5000|5000|'N'",
            "+ users|'ben'|'example.com'|'{CRYPT}b'|'/mail/ben'|5000|5000|'Y'",
            "+ users|'carl'|'example.com'|'!'|'/mail'|5000|5000|'N'",
        ]
    );
}

#[tokio::test]
async fn a_switch_that_is_neither_on_nor_off_fails_the_listing() {
    let database = Database::with(MAIL).await;
    database.run("UPDATE users SET active = 'X'").await;
    let refusal = database
        .application(MAIL_TABLES)
        .accounts(&Holding::default())
        .await
        .unwrap_err();
    let text = refusal.to_string();
    assert!(
        text.contains("table `users`: in 2 rows the column `active` holds neither"),
        "{text}"
    );
}

#[tokio::test]
async fn one_name_on_two_rows_is_never_written() {
    let database = Database::with(MAIL).await;
    let double =
        "INSERT INTO users SELECT userid, 'example.org', 'x', home, uid, gid, active FROM users";
    database.run(double).await;
    let application = database.application(MAIL_TABLES);
    let before = database.dump().await;
    let records = directory(&[("ben", "B", "")], &[]);
    let pushes = [
        Push::now(&application, &records)
            .await
            .update("ben", "ben", What::ACTIVATE),
        Push::now(&application, &records).await.delete("ben"),
    ];
    for push in pushes {
        let (kind, text) = refused(&push.send(&application).await, 0);
        assert_eq!(kind, "refused");
        assert!(text.contains("has 2 rows of that very name"), "{text}");
        assert_eq!(database.dump().await, before);
    }
}

#[tokio::test]
async fn references_by_number_need_no_rewriting() {
    let database = Database::with(NUMBERED).await;
    let application = database.application(NUMBERED_TABLES);
    assert_eq!(
        listed(&application).await,
        [
            "Anna////anna@example.com// on #7",
            "ben////// off #9",
            "sales/ #4: ",
            "staff/ #3: Anna ben",
        ]
    );
    let records = directory(
        &[
            ("ANNA", "", ""),
            ("bernd", "", ""),
            ("dora", "", ""),
            ("emil", "", ""),
        ],
        &["everybody", "new"],
    );
    let plan = Push::now(&application, &records)
        .await
        .create_group("new")
        .update_group("staff", "everybody", What::RENAME)
        .update("Anna", "ANNA", What::SPELLING)
        .update("ben", "bernd", What::RENAME)
        .create("dora")
        .create("emil")
        .members("staff", &["dora", "Anna"], &[], &["ben"])
        .members("new", &["ben"], &[], &[])
        .children("staff", &["new", "sales"], &[]);
    assert_eq!(
        push(&database, &application, plan).await,
        [
            "- in_team|3|9|'guest'",
            "- people|7|'Anna'|'anna@example.com'|1",
            "- people|9|'ben'|NULL|0",
            "- sqlite_sequence|'teams'|4",
            "- teams|3|'staff'",
            "+ in_team|3|10|'member'",
            "+ in_team|5|9|'member'",
            "+ people|10|'dora'|NULL|1",
            "+ people|11|'emil'|NULL|1",
            "+ people|7|'ANNA'|'anna@example.com'|1",
            "+ people|9|'bernd'|NULL|0",
            "+ sqlite_sequence|'teams'|5",
            "+ team_in_team|3|4",
            "+ team_in_team|3|5",
            "+ teams|3|'everybody'",
            "+ teams|5|'new'",
        ]
    );
}

#[tokio::test]
async fn what_is_made_comes_back_with_its_number() {
    let database = Database::with(NUMBERED).await;
    let application = database.application(NUMBERED_TABLES);
    let records = directory(&[("dora", "", ""), ("emil", "", "")], &["new"]);
    let push = Push::now(&application, &records).await;
    let push = push
        .create_group("new")
        .update("ben", "dora", What::ACTIVATE)
        .create("emil")
        .create("dora");
    let done = |id: Option<&str>| Outcome::Done {
        remote_id: id.map(str::to_owned),
    };
    let expect = [
        done(Some("5")),
        done(None),
        done(Some("10")),
        done(Some("11")),
    ];
    assert_eq!(push.send(&application).await, expect);
}

#[tokio::test]
async fn a_row_of_another_number_is_another_row() {
    let database = Database::with(NUMBERED).await;
    let application = database.application(NUMBERED_TABLES);
    let records = directory(&[("ben", "", "")], &[]);
    let update = Push::now(&application, &records)
        .await
        .update("ben", "ben", What::ACTIVATE);
    let delete = Push::now(&application, &records).await.delete("ben");
    database
        .run("PRAGMA foreign_keys = OFF; UPDATE people SET id = 33 WHERE id = 9")
        .await;
    let before = database.dump().await;
    for push in [update, delete] {
        let (kind, text) = refused(&push.send(&application).await, 0);
        assert_eq!(
            (kind, text.contains("another row by now")),
            ("stale", true),
            "{text}"
        );
    }
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn deletions_by_number_take_the_pairs_along() {
    let database = Database::with(NUMBERED).await;
    database
        .run("INSERT INTO team_in_team VALUES (3, 4), (4, 3)")
        .await;
    let application = database.application(NUMBERED_TABLES);
    let records = directory(&[], &[]);
    let plan = Push::now(&application, &records)
        .await
        .delete("Anna")
        .delete_group("sales");
    assert_eq!(
        push(&database, &application, plan).await,
        [
            "- in_team|3|7|'owner'",
            "- people|7|'Anna'|'anna@example.com'|1",
            "- team_in_team|3|4",
            "- team_in_team|4|3",
            "- teams|4|'sales'",
        ]
    );
}

#[tokio::test]
async fn a_table_without_rowids_and_with_odd_names_works_like_any_other() {
    let script = r#"
        CREATE TABLE "order" ("key ""of"" it" TEXT PRIMARY KEY, "select" TEXT, "grüße" TEXT) WITHOUT ROWID;
        CREATE TABLE pushed (c0 TEXT PRIMARY KEY);
        CREATE TABLE "from" (c0 TEXT, c1 TEXT);
        INSERT INTO "order" VALUES ('anna', '"; DROP TABLE x; --', 'ü');
    "#;
    let database = Database::with(script).await;
    let application = database.application(
        r#"
tables:
  users: { table: ORDER, key: 'key "of" it', columns: { display_name: SELECT } }
  groups: { table: pushed, key: C0 }
  memberships: { table: from, group: c0, user: c1 }
"#,
    );
    let odd = "O'Neil \"x\" \u{1f600} \\ \u{7f}";
    let records = directory(
        &[("anna", odd, ""), ("o'neil", odd, ""), ("emil", "", "")],
        &["it's"],
    );
    Push::now(&application, &records)
        .await
        .create_group("it's")
        .update("anna", "anna", What::DISPLAY_NAME)
        .create("o'neil")
        .members("it's", &["anna", "o'neil"], &[], &[])
        .succeed(&application)
        .await;
    Push::now(&application, &records)
        .await
        .update("anna", "emil", What::RENAME)
        .succeed(&application)
        .await;
    assert_eq!(
        listed(&application).await,
        [
            format!("emil/{odd}///// on #emil"),
            "it's/ #it's: emil o'neil".to_owned(),
            format!("o'neil/{odd}///// on #o'neil"),
        ]
    );
}
