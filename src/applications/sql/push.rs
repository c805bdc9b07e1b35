//! One push: everything that is sent, in one transaction.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use crate::applications::sql::api::{self, Access};
use crate::applications::sql::convert::{Sent, Work, renames};
use crate::applications::sql::dialect;
use crate::applications::sql::fault::Fault;
use crate::applications::sql::layout::{Layout, Side};
use crate::applications::sql::phases::phases;
use crate::applications::sql::statements::Schema;
use crate::applications::sql::tables;
use crate::model::Refusal;

/// Where a push goes and what it may make there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) path: &'a Path,
    pub(super) layout: &'a Layout,
    /// Missing default tables are made, and the file with them.
    pub(super) create: bool,
}

/// What a push that was done has made: the place of the creation in what was sent, and the id of the row.
pub(super) type Made = Vec<(usize, String)>;

/// Why nothing was done, and by which of what was sent.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) at: usize,
    pub(super) refusal: Refusal,
}

impl Target<'_> {
    /// Does everything, or nothing.
    pub(super) async fn push(self, sent: &[Sent<'_>]) -> Result<Made, Failed> {
        let access = if self.create {
            Access::Create
        } else {
            Access::Write
        };
        let first = |fault: Fault| Failed {
            at: 0,
            refusal: fault.refusal(self.layout),
        };
        let mut connection = api::open(self.path, access).await.map_err(first)?;
        match self.whole(&mut connection, sent).await {
            Ok(Ok(made)) => {
                // The work is committed: that the connection closes badly changes nothing about it.
                let _ = sqlx::Connection::close(connection).await;
                Ok(made)
            }
            Ok(Err(failed)) => Err(failed),
            Err(fault) => {
                let late = fault.is_about_references();
                match fault.refusal(self.layout) {
                    refusal @ (Refusal::Refused(_) | Refusal::Stale(_)) => {
                        Err(self.find(&mut connection, sent, late, refusal).await)
                    }
                    refusal => Err(Failed { at: 0, refusal }),
                }
            }
        }
    }

    /// Does everything and commits it. A misfit is known by its place; any other fault is not.
    async fn whole(
        self,
        connection: &mut SqliteConnection,
        sent: &[Sent<'_>],
    ) -> Result<Result<Made, Failed>, Fault> {
        let mut transaction = api::begin(connection).await?;
        let schema = self.prepare(&mut transaction, sent).await?;
        let mut present = api::present(&mut transaction, self.layout, &schema).await?;
        if let Some((at, refusal)) = present.first_misfit(self.layout, sent) {
            transaction.rollback().await?;
            return Ok(Err(Failed { at, refusal }));
        }
        drop(present);
        self.write(&mut transaction, &schema, sent).await?;
        let made = self.made(&mut transaction, sent).await?;
        transaction.commit().await?;
        Ok(Ok(made))
    }

    /// Makes missing tables and sees to it that everything the layout names is there.
    async fn prepare(
        self,
        connection: &mut SqliteConnection,
        sent: &[Sent<'_>],
    ) -> Result<Schema, Fault> {
        let nesting = sent
            .iter()
            .any(|it| it.side == Side::Groups && matches!(it.work, Work::Members { .. }));
        if self.create {
            api::create_tables(connection, nesting).await?;
        }
        let schema = api::schema(connection, self.layout).await?;
        tables::complete(self.layout, &schema, nesting)?;
        Ok(schema)
    }

    async fn write(
        self,
        connection: &mut SqliteConnection,
        schema: &Schema,
        sent: &[Sent<'_>],
    ) -> Result<(), Fault> {
        let is_renaming =
            |it: &Sent<'_>| matches!(it.work, Work::Update { what, .. } if renames(what));
        if sent.iter().any(is_renaming) {
            // A row and what refers to it by name cannot change in one statement.
            api::run(connection, dialect::REFERENCES_LATE, None).await?;
        }
        for phase in phases(self.layout, schema, sent) {
            api::run_phase(connection, &phase).await?;
        }
        Ok(())
    }

    /// The ids of what was created.
    async fn made(
        self,
        connection: &mut SqliteConnection,
        sent: &[Sent<'_>],
    ) -> Result<Made, Fault> {
        let mut made = Vec::new();
        for side in [Side::Groups, Side::Accounts] {
            let created = sent.iter().enumerate().filter(|it| it.1.side == side);
            let mut created: Vec<(&str, usize)> = created
                .filter_map(|(at, it)| match &it.work {
                    Work::Create(values) => Some((values.name, at)),
                    _ => None,
                })
                .collect();
            let Some(entity) = self.layout.entity(side) else {
                continue;
            };
            if entity.id.is_none() {
                made.extend(created.iter().map(|&(name, at)| (at, name.to_owned())));
                continue;
            }
            created.sort_unstable();
            let names: Vec<&str> = created.iter().map(|it| it.0).collect();
            for (reference, name) in api::references(connection, entity, &names).await? {
                if let Ok(found) = created.binary_search_by_key(&name.as_str(), |it| it.0) {
                    made.push((created[found].1, reference));
                }
            }
        }
        made.sort_unstable();
        Ok(made)
    }

    /// Finds the first of what was sent that fails, after all of it together did. Nothing of it stays.
    ///
    /// If the first so many fail together then so do the first more, so halving finds it in a few attempts, and each of
    /// them is as quick as a push.
    async fn find(
        self,
        connection: &mut SqliteConnection,
        sent: &[Sent<'_>],
        late: bool,
        refusal: Refusal,
    ) -> Failed {
        let (mut good, mut bad) = (0, sent.len());
        let mut failed = Failed {
            at: bad - 1,
            refusal,
        };
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            match self.attempt(connection, &sent[..middle], late).await {
                Ok(()) => good = middle,
                Err(fault) => {
                    bad = middle;
                    failed.refusal = fault.refusal(self.layout);
                }
            }
            failed.at = bad - 1;
            if !matches!(failed.refusal, Refusal::Refused(_) | Refusal::Stale(_)) {
                break;
            }
        }
        failed
    }

    /// Does everything and takes it back.
    async fn attempt(
        self,
        connection: &mut SqliteConnection,
        sent: &[Sent<'_>],
        late: bool,
    ) -> Result<(), Fault> {
        let mut transaction = api::begin(connection).await?;
        let result = async {
            let schema = self.prepare(&mut transaction, sent).await?;
            if !late {
                return self.write(&mut transaction, &schema, sent).await;
            }
            let before = api::broken_references(&mut transaction).await?;
            self.write(&mut transaction, &schema, sent).await?;
            match api::broken_references(&mut transaction).await? {
                after if after > before => Err(Fault::References),
                _ => Ok(()),
            }
        }
        .await;
        transaction.rollback().await?;
        result
    }
}
