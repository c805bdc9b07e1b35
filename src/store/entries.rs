//! Entries of the configuration that changed their id, and entries that are gone from it.
//!
//! An id is the identity of an entry: rows of an id that the configuration no longer names are reported and never removed,
//! since links and clocks in them cannot be had again.

mod rehearse;
mod unite;

use sqlx::Row as _;

use crate::store::dialect::{Connection, json, of_json, statement};
use crate::store::{Snapshot, Store, StoreError};

pub(super) use rehearse::rehearse;

/// What an entry of the configuration describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// An application.
    Application,
}

/// An entry of the configuration that had another id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// What it describes.
    pub kind: EntryKind,
    /// The id that it had.
    pub old: String,
    /// The id that it has.
    pub new: String,
}

/// What became of a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// The rows bear the new id now.
    Done,
    /// Nothing bears the old id: it was renamed before, or never used.
    NothingToDo,
    /// Both ids have rows, and neither was touched.
    BothExist,
}

impl Snapshot {
    /// Entries with rows that the configuration no longer names, sorted. `known` are the ids it names.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn unknown_entries(
        &mut self,
        known: &[(EntryKind, &str)],
    ) -> Result<Vec<(EntryKind, String)>, StoreError> {
        let answer = entries(&mut self.db).await;
        let mut all = self.done("reading which entries it knows", answer)?;
        all.retain(|(kind, id)| !known.contains(&(*kind, id)));
        Ok(all)
    }
}

impl Store {
    /// Gives the rows of an entry a new id: of a directory its records, its links in every application and what was pinned of
    /// it; of an application all that it holds.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn rename_entry(
        &self,
        kind: EntryKind,
        old: &str,
        new: &str,
    ) -> Result<Renamed, StoreError> {
        let mut writing = self.write("renaming an entry").await?;
        let work = rename(writing.db(), kind, old, new).await;
        writing.end(work).await
    }

    /// The same, also where passes ran under both ids, if what they left can be told apart. No job may be running.
    ///
    /// Of a directory the later records stay, with the links of both, unless two accounts of one application would be linked
    /// to one user. Of an application the old rows stay, unless something was linked under the new id.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn unite_entries(
        &self,
        kind: EntryKind,
        old: &str,
        new: &str,
    ) -> Result<Renamed, StoreError> {
        let mut writing = self.write("uniting two entries").await?;
        let work = take_over(writing.db(), kind, old, new).await;
        writing.end(work).await
    }
}

async fn entries(db: &mut Connection) -> sqlx::Result<Vec<(EntryKind, String)>> {
    let mut all = Vec::new();
    for (kind, ids) in [
        (EntryKind::Directory, "SELECT id FROM directory ORDER BY id"),
        (
            EntryKind::Application,
            "SELECT id FROM application ORDER BY id",
        ),
    ] {
        for row in statement(ids).fetch_all(&mut *db).await? {
            all.push((kind, row.try_get(0)?));
        }
    }
    Ok(all)
}

/// Gives the rows of an entry a new id, or unites them with those that bear it.
async fn take_over(
    db: &mut Connection,
    kind: EntryKind,
    old: &str,
    new: &str,
) -> sqlx::Result<Renamed> {
    match rename(db, kind, old, new).await? {
        Renamed::BothExist => unite::unite(db, kind, old, new).await,
        renamed => Ok(renamed),
    }
}

async fn rename(
    db: &mut Connection,
    kind: EntryKind,
    old: &str,
    new: &str,
) -> sqlx::Result<Renamed> {
    let all = entries(db).await?;
    let has = |id: &str| all.iter().any(|it| it.0 == kind && it.1 == id);
    match (has(old), has(new)) {
        (false, _) => return Ok(Renamed::NothingToDo),
        (true, true) => return Ok(Renamed::BothExist),
        (true, false) => {}
    }
    rename_row(db, kind, old, new).await?;
    if kind == EntryKind::Directory {
        rename_links(db, old, new).await?;
        rename_pinned(db, old, Some(new)).await?;
    }
    Ok(Renamed::Done)
}

async fn rename_row(
    db: &mut Connection,
    kind: EntryKind,
    old: &str,
    new: &str,
) -> sqlx::Result<()> {
    let rename = match kind {
        EntryKind::Directory => "UPDATE directory SET id = $2 WHERE id = $1",
        EntryKind::Application => "UPDATE application SET id = $2 WHERE id = $1",
    };
    let rename = statement(rename).bind(old.to_owned());
    rename.bind(new.to_owned()).execute(db).await?;
    Ok(())
}

async fn rename_links(db: &mut Connection, old: &str, new: &str) -> sqlx::Result<()> {
    for text in [
        "UPDATE account SET directory = $2 WHERE directory = $1 AND origin IS NOT NULL",
        "UPDATE app_group SET directory = $2 WHERE directory = $1 AND origin IS NOT NULL",
    ] {
        let rename = statement(text).bind(old.to_owned());
        rename.bind(new.to_owned()).execute(&mut *db).await?;
    }
    Ok(())
}

/// What was pinned of a directory is pinned under the new id, or under none.
async fn rename_pinned(db: &mut Connection, old: &str, new: Option<&str>) -> sqlx::Result<()> {
    let all = statement("SELECT number, pinned FROM application");
    for row in all.fetch_all(&mut *db).await? {
        let number: i64 = row.try_get(0)?;
        let mut pinned: std::collections::BTreeMap<String, u64> = of_json(row.try_get(1)?)?;
        let Some(revision) = pinned.remove(old) else {
            continue;
        };
        pinned.extend(new.map(|it| (it.to_owned(), revision)));
        let keep = statement("UPDATE application SET pinned = $2 WHERE number = $1");
        let keep = keep.bind(number).bind(json(&pinned)?);
        keep.execute(&mut *db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, commit, holding, read, records, store};
    use crate::store::{ApplicationState, Slot};

    #[tokio::test]
    async fn a_renamed_directory_keeps_records_links_and_pins() {
        let (_folder, store) = store().await;
        let some = records(&["u1"], &[]);
        store
            .accept("corporate", None, &some, read(at(0)))
            .await
            .unwrap();
        let state = ApplicationState {
            pinned: [("corporate".to_owned(), 4), ("hr".to_owned(), 2)].into(),
            ..ApplicationState::default()
        };
        let anna = holding(&["anna"]);
        store
            .commit_push("wiki", commit(None, &anna, &state))
            .await
            .unwrap();
        let rename = store
            .rename_entry(EntryKind::Directory, "corporate", "main")
            .await;
        assert_eq!(rename.unwrap(), Renamed::Done);

        let mut snapshot = store.snapshot().await.unwrap();
        assert!(snapshot.directory("corporate").await.unwrap().is_none());
        assert!(
            snapshot
                .records("main", Slot::Accepted)
                .await
                .unwrap()
                .is_some()
        );
        let state = snapshot.application("wiki").await.unwrap().unwrap();
        let expect = [("hr".to_owned(), 2), ("main".to_owned(), 4)].into();
        assert_eq!(state.pinned, expect);
        let holding = snapshot.holding("wiki").await.unwrap().unwrap();
        let link = holding.accounts[0].link.as_ref().unwrap();
        assert_eq!(holding.text(link.directory), "main");
        drop(snapshot);
        let again = store
            .rename_entry(EntryKind::Directory, "corporate", "main")
            .await;
        assert_eq!(again.unwrap(), Renamed::NothingToDo);
    }

    #[tokio::test]
    async fn two_ids_that_both_have_rows_are_left_alone() {
        let (_folder, store) = store().await;
        let state = ApplicationState::default();
        let holdings = ["anna", "ben"].map(|it| holding(&[it]));
        for (id, holding) in ["wiki", "chat"].iter().zip(&holdings) {
            store
                .commit_push(id, commit(None, holding, &state))
                .await
                .unwrap();
        }
        let rename = store
            .rename_entry(EntryKind::Application, "wiki", "chat")
            .await;
        assert_eq!(rename.unwrap(), Renamed::BothExist);
        let rename = store
            .rename_entry(EntryKind::Application, "wiki", "docs")
            .await;
        assert_eq!(rename.unwrap(), Renamed::Done);
        let mut snapshot = store.snapshot().await.unwrap();
        let docs = snapshot.holding("docs").await.unwrap().unwrap();
        assert_eq!(docs.account_name(0), "anna");
        assert!(snapshot.holding("wiki").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn entries_that_the_configuration_no_longer_names_are_listed() {
        let (_folder, store) = store().await;
        let some = records(&["u1"], &[]);
        for id in ["hr", "wiki"] {
            store.accept(id, None, &some, read(at(0))).await.unwrap();
        }
        let state = ApplicationState::default();
        for id in ["wiki", "chat"] {
            store.save_application(id, &state).await.unwrap();
        }
        let known = [
            (EntryKind::Directory, "hr"),
            (EntryKind::Application, "wiki"),
        ];
        let mut snapshot = store.snapshot().await.unwrap();
        let unknown = snapshot.unknown_entries(&known).await.unwrap();
        let expect = [
            (EntryKind::Directory, "wiki".to_owned()),
            (EntryKind::Application, "chat".to_owned()),
        ];
        assert_eq!(unknown, expect);
    }
}
