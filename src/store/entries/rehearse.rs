//! Entries that got another id, as those see them who only ask before a pass has followed it.
//!
//! The same statements run as for good, but on copies of the tables that they write. SQLite looks a table up among the temporary
//! ones of its connection first, so everything that is asked afterwards sees the copies. They are made in the transaction of
//! the snapshot, which is never committed: they go with it.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Row as _};

use crate::store::dialect::{Connection, statement};
use crate::store::entries::{EntryKind, TakeOver, entries, take_over, unite};

/// Tables that are written when an entry gets another id, those that others point to first.
const OF_RENAME: [&str; 4] = ["directory", "application", "account", "app_group"];

/// Follows every take-over that the next start would follow.
pub(in crate::store) async fn rehearse(
    db: &mut Connection,
    take_overs: &[TakeOver],
) -> sqlx::Result<()> {
    let all = entries(db).await?;
    let has = |kind: EntryKind, id: &str| all.iter().any(|it| it.0 == kind && it.1 == id);
    let due = take_overs.iter().filter(|it| has(it.kind, &it.old));
    let due: Vec<&TakeOver> = due.collect();
    if due.is_empty() {
        return Ok(());
    }
    let both_exist = due.iter().any(|it| has(it.kind, &it.new));
    // It stands for the files of the store and the copies alike.
    statement("PRAGMA query_only = OFF")
        .execute(&mut *db)
        .await?;
    let done = follow(db, &due, both_exist).await;
    statement("PRAGMA query_only = ON").execute(db).await?;
    done
}

async fn follow(db: &mut Connection, due: &[&TakeOver], both_exist: bool) -> sqlx::Result<()> {
    let mut copied = BTreeSet::new();
    let united: &[&str] = if both_exist { &unite::TABLES } else { &[] };
    for table in OF_RENAME.iter().chain(united) {
        if copied.insert(*table) {
            copy(db, table).await?;
        }
    }
    for it in due {
        take_over(db, it.kind, &it.old, &it.new).await?;
    }
    Ok(())
}

/// Lays a copy of a table, with its keys, over it.
async fn copy(db: &mut Connection, table: &'static str) -> sqlx::Result<()> {
    let made = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = $1";
    let made = statement(made).bind(table).fetch_one(&mut *db).await?;
    let made: String = made.try_get(0)?;
    let copy = made.replacen("CREATE TABLE", "CREATE TEMPORARY TABLE", 1);
    let fill = format!("INSERT INTO temp.{table} SELECT * FROM main.{table}");
    for text in [copy, fill] {
        let text = sqlx::query(AssertSqlSafe(text));
        text.execute(&mut *db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, commit, holding, read, records, store};
    use crate::store::{ApplicationState, Reader, Slot, Snapshot, Store};

    fn take_over(kind: EntryKind, old: &str, new: &str) -> TakeOver {
        let (old, new) = (old.to_owned(), new.to_owned());
        TakeOver { kind, old, new }
    }

    async fn asking(url: &str, take_overs: Vec<TakeOver>) -> Reader {
        let reader = Store::open_for_reading(url).await.unwrap().unwrap();
        reader.following(take_overs)
    }

    async fn linked(snapshot: &mut Snapshot, application: &str) -> String {
        let holding = snapshot.holding(application).await.unwrap().unwrap();
        let link = holding.accounts[0].link.as_ref().unwrap();
        holding.text(link.directory).to_owned()
    }

    /// What somebody who asks sees of a renamed directory and a renamed application, beside a writer or without one.
    async fn check(closed: bool, passed_under_both: bool) {
        let (_folder, store) = store().await;
        let some = records(&["u1"], &[]);
        store
            .accept("corporate", None, &some, read(at(0)))
            .await
            .unwrap();
        if passed_under_both {
            let few = records(&[], &[]);
            store.accept("main", None, &few, read(at(1))).await.unwrap();
            let state = ApplicationState::default();
            store.save_application("docs", &state).await.unwrap();
        }
        let state = ApplicationState {
            pinned: [("corporate".to_owned(), 1)].into(),
            ..ApplicationState::default()
        };
        let anna = holding(&["anna"]);
        store
            .commit_push("wiki", commit(None, &anna, &state))
            .await
            .unwrap();
        let url = format!("sqlite://{}", store.path().display());
        let writer = if closed {
            store.close().await;
            None
        } else {
            Some(store)
        };
        let renamed = vec![
            take_over(EntryKind::Directory, "corporate", "main"),
            take_over(EntryKind::Application, "wiki", "docs"),
            take_over(EntryKind::Application, "nobody", "docs"),
        ];
        let reader = asking(&url, renamed).await;
        for _ in 0..2 {
            let mut snapshot = reader.snapshot().await.unwrap();
            assert!(snapshot.directory("corporate").await.unwrap().is_none());
            let kept = snapshot.records("main", Slot::Accepted).await.unwrap();
            let users = kept.unwrap().records.users.len();
            assert_eq!(users, usize::from(!passed_under_both));
            assert_eq!(linked(&mut snapshot, "docs").await, "main");
            assert!(snapshot.holding("wiki").await.unwrap().is_none());
        }
        reader.close().await;
        drop(writer);
        // Nobody else sees it, and nothing was written.
        let reader = asking(&url, Vec::new()).await;
        let mut snapshot = reader.snapshot().await.unwrap();
        assert!(snapshot.directory("corporate").await.unwrap().is_some());
        assert_eq!(linked(&mut snapshot, "wiki").await, "corporate");
    }

    #[tokio::test]
    async fn who_asks_sees_a_renamed_entry_under_its_new_id() {
        check(false, false).await;
        check(true, false).await;
    }

    #[tokio::test]
    async fn who_asks_sees_entries_united_after_passes_under_both_ids() {
        check(false, true).await;
        check(true, true).await;
    }
}
