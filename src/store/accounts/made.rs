//! Accounts that were made here, found by name or external id over all applications.

use sqlx::Row as _;

use crate::model::{Appeared, MadeAccount};
use crate::store::dialect::{Connection, LISTED, json, statement};
use crate::store::{Snapshot, StoreError};

/// One walk over all accounts, for as many records as there are: they appear seldom, so that no index is kept for them.
const MADE: &str = "SELECT application.id, account.key, account.directory, account.external_id
    FROM account JOIN application ON application.number = account.application
    WHERE account.origin = 'created' AND account.present = 1 AND (account.key IN (SELECT value FROM EACH($1))
    OR account.external_id IN (SELECT value FROM EACH($2))) ORDER BY application.id, account.serial";

impl Snapshot {
    /// The accounts of all applications that were made here and bear the name or, as external id, the id of one of these
    /// records.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn made_accounts(
        &mut self,
        records: &[Appeared<'_>],
    ) -> Result<Vec<MadeAccount>, StoreError> {
        let answer = made(&mut self.db, records).await;
        self.done("reading which accounts were made here", answer)
    }
}

async fn made(db: &mut Connection, records: &[Appeared<'_>]) -> sqlx::Result<Vec<MadeAccount>> {
    let mut all = Vec::new();
    for some in records.chunks(LISTED) {
        let keys: Vec<&str> = some.iter().map(|it| it.key).collect();
        let ids: Vec<&str> = some.iter().map(|it| it.id).collect();
        let rows = statement(MADE).bind(json(&keys)?).bind(json(&ids)?);
        for row in rows.fetch_all(&mut *db).await? {
            all.push(MadeAccount {
                application: row.try_get(0)?,
                key: row.try_get(1)?,
                directory: row.try_get(2)?,
                external_id: row.try_get(3)?,
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::store::ApplicationState;
    use crate::store::testing::{commit, holding, store};

    #[tokio::test]
    async fn only_accounts_made_here_are_found_by_name_and_by_external_id() {
        let (_folder, store) = store().await;
        let mut wiki = holding(&["Anna", "ben", "carl", "dora", "eve"]);
        let id = wiki.pool.add("id-9");
        wiki.accounts[1].seen.external_id = id;
        for (place, link) in [(2, None), (3, Some(Origin::Adopted))] {
            let account = &mut wiki.accounts[place];
            account.link = account.link.take().zip(link).map(|(mut it, origin)| {
                it.origin = origin;
                it
            });
        }
        let state = ApplicationState::default();
        for (application, holding) in [("wiki", &wiki), ("chat", &holding(&["anna"]))] {
            let commit = commit(None, holding, &state);
            store.commit_push(application, commit).await.unwrap();
        }
        let records = [("1", "anna"), ("id-9", "x"), ("3", "carl"), ("4", "dora")];
        let records = records.map(|(id, key)| Appeared { id, key });
        let mut snapshot = store.snapshot().await.unwrap();
        let made = snapshot.made_accounts(&records).await.unwrap();
        let made: Vec<_> = made
            .iter()
            .map(|it| (&*it.application, &*it.key, &*it.directory, &*it.external_id))
            .collect();
        let expect = [
            ("chat", "anna", "corporate", ""),
            ("wiki", "anna", "corporate", ""),
            ("wiki", "ben", "corporate", "id-9"),
        ];
        assert_eq!(made, expect);
        assert!(snapshot.made_accounts(&[]).await.unwrap().is_empty());
    }
}
