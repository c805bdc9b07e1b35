//! The SQL application keeps its obligations on real SQLite files: plans written by hand are pushed, and another
//! connection looks at what became of the tables.

mod faults;
pub(crate) mod mapped;
pub(crate) mod world;

use usersyncd::applications::Application as _;
use usersyncd::applications::sql::SqlApplication;
use usersyncd::model::{Batch, Holding, Observed, Outcome, What};

use self::world::{Database, Push, directory, kind, refused};

const DEFAULT: &str = "create_tables: true";

/// Three people and two groups in the default tables.
async fn company(database: &Database) -> SqlApplication {
    let application = database.application(DEFAULT);
    let records = directory(
        &[
            ("Anna", "Anna Arden", "anna@example.com"),
            ("ben", "Ben Bold", "ben@example.com"),
            ("carl", "Carl Cole (off)", ""),
        ],
        &["staff", "sales"],
    );
    Push::now(&application, &records)
        .await
        .create_group("staff")
        .create_group("sales")
        .create("Anna")
        .create("ben")
        .create("carl")
        .members("staff", &["Anna", "ben", "carl"], &[], &[])
        .members("sales", &["Anna"], &[], &[])
        .succeed(&application)
        .await;
    application
}

/// What was listed, in words: accounts, then members by group.
fn told(observed: &Observed) -> Vec<String> {
    let text = |id| observed.pool.get(id);
    let accounts = observed.accounts.iter().map(|it| {
        let fields = [
            it.name,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
            it.directory,
            it.external_id,
        ];
        let fields: Vec<&str> = fields.into_iter().map(text).collect();
        let active = if it.active { "on" } else { "off" };
        format!("{} {active} #{}", fields.join("/"), text(it.remote_id))
    });
    let groups = observed.groups.iter().enumerate().map(|(at, group)| {
        let members = observed.members.iter().filter(|it| it.0 == at as u32);
        let members = members.map(|it| text(observed.accounts[it.1 as usize].name));
        let children = observed.children.iter().filter(|it| it.0 == at as u32);
        let children = children.map(|it| text(observed.groups[it.1 as usize].name));
        let mut all: Vec<&str> = members.chain(children).collect();
        all.sort_unstable();
        let (name, description) = (text(group.name), text(group.description));
        format!(
            "{name}/{description} #{}: {}",
            text(group.remote_id),
            all.join(" ")
        )
    });
    let mut told: Vec<String> = accounts.chain(groups).collect();
    told.sort();
    told
}

async fn listed(application: &SqlApplication) -> Vec<String> {
    told(&application.accounts(&Holding::default()).await.unwrap())
}

#[tokio::test]
async fn what_is_pushed_is_listed_again() {
    let database = Database::none();
    let application = company(&database).await;
    assert_eq!(
        listed(&application).await,
        [
            "Anna/Anna Arden/Anna//anna@example.com/corporate/id-anna on #Anna",
            "ben/Ben Bold/Ben//ben@example.com/corporate/id-ben on #ben",
            "carl/Carl Cole (off)/Carl///corporate/id-carl off #carl",
            "sales/All of sales #sales: Anna",
            "staff/All of staff #staff: Anna ben carl",
        ]
    );
    assert_eq!(
        database
            .rows("SELECT * FROM users WHERE username = 'carl'")
            .await,
        ["carl|Carl Cole (off)|Carl|||0|corporate|id-carl"]
    );
}

#[tokio::test]
async fn a_listing_writes_nowhere() {
    let database = Database::none();
    let application = database.application(DEFAULT);
    assert_eq!(
        told(&application.accounts(&Holding::default()).await.unwrap()).len(),
        0
    );
    assert!(!database.path().exists());
    assert!(application.check().await.iter().all(|it| it.good));
    assert!(!database.path().exists());

    let database =
        Database::with("CREATE TABLE other(a); INSERT INTO other VALUES (x'00ff');").await;
    let before = std::fs::read(database.path()).unwrap();
    let application = database.application(DEFAULT);
    assert_eq!(
        told(&application.accounts(&Holding::default()).await.unwrap()).len(),
        0
    );
    assert!(application.check().await.iter().all(|it| it.good));
    assert_eq!(std::fs::read(database.path()).unwrap(), before);
    assert_eq!(
        std::fs::read_dir(database.path().parent().unwrap())
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn tables_are_made_in_the_transaction_that_fills_them() {
    let database = Database::with("CREATE TABLE other(a); INSERT INTO other VALUES (1);").await;
    let application = database.application(DEFAULT);
    let before = database.dump().await;
    let records = directory(&[("anna", "Anna", ""), ("ANNA", "Anna", "")], &[]);
    let push = Push::now(&application, &records).await;
    let outcomes = push.create("anna").create("ANNA").send(&application).await;
    assert_eq!(refused(&outcomes, 1).0, "stale");
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn only_the_named_columns_change() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(&[("ben", "Ben New", "new@example.com")], &["sales"]);
    Push::now(&application, &records)
        .await
        .update("ben", "ben", What::EMAIL)
        .update_group("sales", "sales", What::DESCRIPTION)
        .succeed(&application)
        .await;
    assert_eq!(
        database
            .rows("SELECT * FROM users WHERE username = 'ben'")
            .await,
        ["ben|Ben Bold|Ben||new@example.com|1|corporate|id-ben"]
    );
}

#[tokio::test]
async fn adoption_writes_only_what_it_names() {
    let database = Database::none();
    let application = company(&database).await;
    database
        .run("INSERT INTO users(username, active) VALUES ('dora', 1), ('emil', 1)")
        .await;
    let before = database.dump().await;
    let records = directory(
        &[("dora", "Dora", "dora@example.com"), ("emil", "Emil", "")],
        &[],
    );
    Push::now(&application, &records)
        .await
        .update("dora", "dora", What::ADOPT)
        .update("emil", "emil", What::ADOPT)
        .members("staff", &[], &["Anna"], &[])
        .succeed(&application)
        .await;
    assert_eq!(database.dump().await, before);

    let what = What::ADOPT.with(What::EXTERNAL_ID).with(What::DIRECTORY);
    Push::now(&application, &records)
        .await
        .update("dora", "dora", what)
        .succeed(&application)
        .await;
    assert_eq!(
        database
            .rows("SELECT * FROM users WHERE username >= 'dora' ORDER BY 1")
            .await,
        ["dora|||||1|corporate|id-dora", "emil|||||1||"]
    );
}

#[tokio::test]
async fn a_rename_takes_its_memberships_along() {
    let database = Database::none();
    let application = company(&database).await;
    // A membership of another origin belongs to the account as well.
    database
        .run("INSERT INTO memberships VALUES ('unlisted', 'ben')")
        .await;
    let records = directory(&[("bernd", "Ben Bold", "ben@example.com")], &["everybody"]);
    Push::now(&application, &records)
        .await
        .update_group("staff", "everybody", What::RENAME)
        .update("ben", "bernd", What::RENAME.with(What::EXTERNAL_ID))
        .members("staff", &[], &[], &["carl"])
        .members("sales", &["ben"], &[], &[])
        .succeed(&application)
        .await;
    assert_eq!(
        database.table("memberships").await,
        [
            "memberships|'everybody'|'Anna'",
            "memberships|'everybody'|'bernd'",
            "memberships|'sales'|'Anna'",
            "memberships|'sales'|'bernd'",
            "memberships|'unlisted'|'bernd'",
        ]
    );
    assert_eq!(
        database
            .rows("SELECT username, display_name, external_id FROM users ORDER BY 1")
            .await,
        [
            "Anna|Anna Arden|id-anna",
            "bernd|Ben Bold|id-bernd",
            "carl|Carl Cole (off)|id-carl"
        ]
    );
}

#[tokio::test]
async fn a_chain_of_renames_frees_each_name_before_it_is_used() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(
        &[
            ("dora", "D", ""),
            ("carl", "C", ""),
            ("ben", "B", ""),
            ("anna", "A", ""),
        ],
        &[],
    );
    // carl becomes dora, ben becomes carl, Anna becomes ben, and a new anna comes.
    Push::now(&application, &records)
        .await
        .update("carl", "dora", What::RENAME)
        .update("ben", "carl", What::RENAME)
        .update("Anna", "ben", What::RENAME)
        .create("anna")
        .members("sales", &["carl", "anna"], &[], &[])
        .succeed(&application)
        .await;
    assert_eq!(
        database
            .rows("SELECT username, display_name FROM users ORDER BY 1")
            .await,
        [
            "anna|A",
            "ben|Anna Arden",
            "carl|Ben Bold",
            "dora|Carl Cole (off)"
        ]
    );
    assert_eq!(
        database
            .rows("SELECT group_name || ' ' || username FROM memberships ORDER BY 1")
            .await,
        [
            "sales anna",
            "sales ben",
            "sales dora",
            "staff ben",
            "staff carl",
            "staff dora"
        ]
    );
}

#[tokio::test]
async fn another_spelling_is_no_other_account() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(&[("ANNA", "Anna", "")], &["Staff"]);
    Push::now(&application, &records)
        .await
        .update("Anna", "ANNA", What::SPELLING)
        .update_group("staff", "Staff", What::SPELLING)
        .succeed(&application)
        .await;
    assert_eq!(
        database
            .rows("SELECT group_name || ' ' || username FROM memberships ORDER BY 1")
            .await,
        ["Staff ANNA", "Staff ben", "Staff carl", "sales ANNA"]
    );
}

#[tokio::test]
async fn switching_off_and_on_touches_nothing_else() {
    let database = Database::none();
    let application = company(&database).await;
    let before = database.dump().await;
    let records = directory(&[("ben", "Other", "other@example.com")], &[]);
    // Nobody is wanted there, so there is no mail to write.
    let left = What::DEACTIVATE.with(What::LEAVE).with(What::EMAIL);
    Push::now(&application, &records)
        .await
        .leave("ben", left)
        .succeed(&application)
        .await;
    let off = database.dump().await;
    assert_eq!(
        database
            .rows("SELECT * FROM users WHERE username = 'ben'")
            .await,
        ["ben|Ben Bold|Ben||ben@example.com|0|corporate|id-ben"]
    );
    assert_eq!(off.iter().filter(|it| !before.contains(it)).count(), 1);

    let back = What::ACTIVATE.with(What::RETURN);
    Push::now(&application, &records)
        .await
        .update("ben", "ben", back)
        .succeed(&application)
        .await;
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_deletion_takes_its_own_rows_and_no_others() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(&[], &[]);
    Push::now(&application, &records)
        .await
        .delete("Anna")
        .delete_group("staff")
        .succeed(&application)
        .await;
    assert_eq!(
        listed(&application).await,
        [
            "ben/Ben Bold/Ben//ben@example.com/corporate/id-ben on #ben",
            "carl/Carl Cole (off)/Carl///corporate/id-carl off #carl",
            "sales/All of sales #sales: ",
        ]
    );
    assert_eq!(database.table("memberships").await.len(), 0);
}

#[tokio::test]
async fn groups_in_groups_have_a_table_once_there_are_some() {
    let database = Database::none();
    let application = company(&database).await;
    assert!(
        !database
            .dump()
            .await
            .iter()
            .any(|it| it.contains("group_memberships"))
    );
    assert!(application.abilities().nest);
    let records = directory(&[], &["everybody"]);
    let push = Push::now(&application, &records).await;
    push.children("staff", &["sales"], &[])
        .succeed(&application)
        .await;
    assert!(
        listed(&application)
            .await
            .contains(&"staff/All of staff #staff: Anna ben carl sales".to_owned())
    );

    Push::now(&application, &records)
        .await
        .update_group("sales", "everybody", What::RENAME)
        .succeed(&application)
        .await;
    assert_eq!(
        database.table("group_memberships").await,
        ["group_memberships|'staff'|'everybody'"]
    );
    let push = Push::now(&application, &records).await;
    push.children("staff", &[], &["everybody"])
        .succeed(&application)
        .await;
    assert_eq!(database.table("group_memberships").await.len(), 0);
}

#[tokio::test]
async fn applying_twice_is_applying_once() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(
        &[
            ("Anna", "Anna", "a@example.com"),
            ("bernd", "B", ""),
            ("dora", "D", ""),
        ],
        &["staff"],
    );
    let push = || async { Push::now(&application, &records).await };
    let repeatable = push()
        .await
        .update("Anna", "Anna", What::EMAIL.with(What::DEACTIVATE))
        .members("sales", &["ben"], &[], &["Anna"])
        .delete("carl");
    let others = [
        push().await.create("dora"),
        push().await.update("ben", "bernd", What::RENAME),
    ];
    repeatable.succeed(&application).await;
    let once = database.dump().await;
    repeatable.succeed(&application).await;
    assert_eq!(database.dump().await, once);

    // What cannot be told from another's work is refused, and changes nothing either.
    for other in others {
        other.succeed(&application).await;
        let once = database.dump().await;
        assert_eq!(refused(&other.send(&application).await, 0).0, "stale");
        assert_eq!(database.dump().await, once);
    }
}

#[tokio::test]
async fn many_rows_are_pushed_and_listed_in_portions() {
    let database = Database::none();
    let application = database.application(DEFAULT);
    let names: Vec<String> = (0..25_000).map(|it| format!("user{it:05}")).collect();
    let people: Vec<_> = names
        .iter()
        .map(|it| (it.as_str(), it.as_str(), ""))
        .collect();
    let records = directory(&people, &["all", "few"]);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut push = Push::now(&application, &records)
        .await
        .create_group("all")
        .create_group("few");
    push = push.create_all();
    push.members_by_place("all", 0..25_000)
        .members("few", &all[..3], &[], &[])
        .succeed(&application)
        .await;
    let observed = application.accounts(&Holding::default()).await.unwrap();
    assert_eq!(observed.accounts.len(), 25_000);
    assert_eq!(observed.members.len(), 25_003);

    let renamed: Vec<String> = names[..3_000]
        .iter()
        .map(|it| format!("new-{it}"))
        .collect();
    let people: Vec<_> = renamed
        .iter()
        .map(|it| (it.as_str(), it.as_str(), ""))
        .collect();
    let records = directory(&people, &[]);
    let mut push = Push::against(observed, &records);
    for (old, new) in names.iter().zip(&renamed) {
        push = push.update(old, new, What::RENAME);
    }
    push.succeed(&application).await;
    let follow = "SELECT count(*) FROM memberships WHERE username LIKE 'new-%'";
    assert_eq!(database.rows(follow).await, ["3003"]);
}

#[test]
fn what_the_default_tables_can_hold() {
    let database = Database::none();
    let application = database.application(DEFAULT);
    let able = application.abilities();
    assert_eq!(application.name(), "reporting");
    assert_eq!(able.batch, Batch::Whole);
    assert!(able.deactivate && able.groups && able.describe_groups && able.rename_groups);
    assert!(able.fields.directory && able.fields.external_id && able.fields.email);
}

#[tokio::test]
async fn what_is_only_remembered_needs_no_database() {
    let database = Database::none();
    let application = company(&database).await;
    let records = directory(&[("Anna", "A", "")], &[]);
    let push = Push::now(&application, &records)
        .await
        .update("Anna", "Anna", What::RELINK);
    std::fs::remove_file(database.path()).unwrap();
    assert_eq!(
        push.send(&application).await,
        [Outcome::Done { remote_id: None }]
    );
    assert!(!database.path().exists());
}

#[tokio::test]
async fn two_spellings_of_one_name_are_listed_as_they_are() {
    let database = Database::none();
    let application = company(&database).await;
    database
        .run("INSERT INTO users(username) VALUES ('ANNA')")
        .await;
    let names = listed(&application).await;
    assert!(names[0].starts_with("ANNA/"), "{names:?}");
    assert!(names[1].starts_with("Anna/"), "{names:?}");
    assert_eq!(names.len(), 6);
}

#[tokio::test]
async fn an_error_of_a_listing_has_a_class() {
    let database = Database::none();
    let missing = database
        .application("create_tables: false")
        .accounts(&Holding::default())
        .await
        .unwrap_err();
    assert_eq!(kind(&missing), "unavailable");
    assert!(
        missing.to_string().contains("there is no such file"),
        "{missing}"
    );
}
