//! Tables of an SQL database as an application: its accounts are rows.
//!
//! A push is one transaction: all of it happens or none, and what is in the tables that the configuration does not name
//! stays as it is, row by row and byte by byte. Statements do many rows at once, since a statement a row costs minutes
//! where one for all costs seconds. SQLite is the one database so far; what is particular to it stands in `dialect`.

mod api;
pub mod config;
mod convert;
mod dialect;
mod fault;
mod layout;
mod listing;
mod phases;
mod present;
mod push;
mod statements;
mod tables;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use sqlx::Connection as _;

use crate::applications::Application;
use crate::applications::sql::api::Access;
use crate::applications::sql::fault::Fault;
use crate::applications::sql::layout::Layout;
use crate::applications::sql::push::{Failed, Made, Target};
use crate::applications::sql::statements::Schema;
use crate::model::{Abilities, Change, Finding, Holding, Observed, Outcome, Refusal, View};
use crate::text::counted;

pub use self::config::{SqlConfig, SqlProblem};

/// An application whose accounts are rows of tables.
#[derive(Debug)]
pub struct SqlApplication {
    name: String,
    path: PathBuf,
    create: bool,
    layout: Layout,
    abilities: Abilities,
}

/// Options that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentences())]
pub struct BadSqlConfig {
    /// What is wrong, at least one thing.
    pub problems: Vec<SqlProblem>,
}

impl BadSqlConfig {
    fn sentences(&self) -> String {
        let problems = self.problems.iter();
        let sentences: Vec<String> = problems
            .map(|it| format!("`{}`: {}", it.path, it.text))
            .collect();
        sentences.join("; ")
    }
}

impl SqlApplication {
    /// An application of a name, on the tables that the options name. Nothing is opened yet.
    ///
    /// # Errors
    /// [`BadSqlConfig`] with everything that [`SqlConfig::problems`] finds.
    pub fn new(name: impl Into<String>, config: SqlConfig) -> Result<SqlApplication, BadSqlConfig> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(BadSqlConfig { problems });
        }
        let path = config.url.path().to_owned();
        let create = config.create_tables;
        let layout = Layout::new(config);
        Ok(SqlApplication {
            name: name.into(),
            path,
            create,
            abilities: layout.abilities(),
            layout,
        })
    }

    async fn observe(&self) -> Result<Observed, Refusal> {
        if self.is_missing() {
            return self.observe_nothing();
        }
        let listing = self.read().await;
        let listing = listing.map_err(|fault| self.said(fault.refusal(&self.layout)))?;
        if listing.odd_switches > 0 {
            let column = self.layout.users.active.as_ref();
            return Err(self.said(Refusal::Refused(format!(
                "table `{}`: in {} the column `{}` holds neither the value of `on` nor that of `off`: correct \
                 the rows, or the values under `tables.users.active`",
                self.layout.users.table,
                counted(listing.odd_switches, "row"),
                column.map_or("", |it| &it.column),
            ))));
        }
        Ok(listing.finish())
    }

    /// Whether there is no file, for certain: one that cannot be looked at may well be there, and so may one whose folder is
    /// gone, with the disk that it is on.
    fn is_missing(&self) -> bool {
        let folder = self.path.parent().filter(|it| *it != Path::new(""));
        match std::fs::metadata(&self.path) {
            Ok(_) => false,
            Err(fault) => {
                fault.kind() == ErrorKind::NotFound && folder.is_none_or(std::path::Path::is_dir)
            }
        }
    }

    /// What a file that is not there holds: nothing, if the first push makes it.
    fn observe_nothing(&self) -> Result<Observed, Refusal> {
        if self.create {
            return Ok(Observed::default());
        }
        Err(self.said(Refusal::Unavailable(
            "there is no such file: look at the path, or let `create_tables: true` make it".into(),
        )))
    }

    async fn read(&self) -> Result<listing::Listing, Fault> {
        let mut connection = api::open(&self.path, Access::Read).await?;
        let schema = api::schema(&mut connection, &self.layout).await?;
        self.fits(&schema)?;
        let listing = api::observe(&mut connection, &self.layout, &schema).await?;
        connection.close().await?;
        Ok(listing)
    }

    /// Whether everything is there that the next push does not make.
    fn fits(&self, schema: &Schema) -> Result<(), Refusal> {
        if self.create {
            return tables::fitting(&self.layout, schema);
        }
        tables::complete(&self.layout, schema, false)
    }

    async fn push(&self, changes: &[Change], view: View<'_>) -> Vec<Outcome> {
        let sent = convert::sent(&self.layout, changes, view);
        let mut outcomes = vec![Outcome::Done { remote_id: None }; changes.len()];
        if sent.is_empty() {
            return outcomes;
        }
        let target = Target {
            path: &self.path,
            layout: &self.layout,
            create: self.create,
        };
        match target.push(&sent).await {
            Ok(made) => note_made(&mut outcomes, &sent, made),
            Err(Failed { at, refusal }) => {
                for it in &sent {
                    outcomes[it.at] = Outcome::Skipped;
                }
                outcomes[sent[at].at] = Outcome::Failed(self.said(refusal));
            }
        }
        outcomes
    }

    /// A refusal that names the database.
    fn said(&self, refusal: Refusal) -> Refusal {
        let path = self.path.display();
        let said = |text: String| format!("database {path}: {text}");
        match refusal {
            Refusal::Transient(text) => Refusal::Transient(said(text)),
            Refusal::Refused(text) => Refusal::Refused(said(text)),
            Refusal::Stale(text) => Refusal::Stale(said(text)),
            Refusal::Unauthorised(text) => Refusal::Unauthorised(said(text)),
            Refusal::Unavailable(text) => Refusal::Unavailable(said(text)),
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        if self.is_missing() {
            return vec![self.finding_of_no_file()];
        }
        let reach = |text: String, good| Finding {
            item: "reach".to_owned(),
            text,
            good,
        };
        let path = self.path.display();
        // A connection alone does not read the file yet: the tables are the first thing that does.
        let opened = async {
            let mut connection = api::open(&self.path, Access::Write).await?;
            let schema = api::schema(&mut connection, &self.layout).await?;
            Ok::<_, Fault>((connection, schema))
        };
        let (mut connection, schema) = match opened.await {
            Ok(opened) => opened,
            Err(fault) => {
                let refusal = self.said(fault.refusal(&self.layout));
                return vec![reach(refusal.to_string(), false)];
            }
        };
        let mut findings = vec![reach(format!("the database {path} was opened"), true)];
        let fit = self.fits(&schema);
        let fits = fit.is_ok();
        findings.push(finding(
            "tables",
            fit,
            "every table and column is there, or will be made",
        ));
        if fits && schema.has(&self.layout.users.table) {
            let right = self.may_write(&mut connection).await;
            let right = right.map_err(|fault| fault.refusal(&self.layout));
            findings.push(finding("rights", right, "the tables may be written"));
        }
        findings
    }

    fn finding_of_no_file(&self) -> Finding {
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let has_folder = folder.is_none_or(Path::is_dir);
        let path = self.path.display();
        let text = match (self.create, has_folder) {
            (true, true) => format!("the database {path} will be made at the first push"),
            (true, false) => format!("the folder of the database {path} does not exist: make it"),
            (false, _) => format!(
                "there is no database {path}: look at the path, or let `create_tables: true` make it"
            ),
        };
        Finding {
            item: "reach".to_owned(),
            text,
            good: self.create && has_folder,
        }
    }

    /// Begins to write, changes no row, and takes it back.
    async fn may_write(&self, connection: &mut sqlx::SqliteConnection) -> Result<(), Fault> {
        let mut transaction = api::begin(connection).await?;
        let touch = statements::touch(&self.layout.users);
        let touched = api::run(&mut transaction, &touch, None).await;
        transaction.rollback().await?;
        touched.map(|_| ())
    }
}

impl Application for SqlApplication {
    fn name(&self) -> &str {
        &self.name
    }

    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.findings())
    }

    fn accounts<'a>(&'a self, _last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(self.observe())
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(self.push(changes, view))
    }
}

fn finding(item: &str, result: Result<(), Refusal>, good: &str) -> Finding {
    let is_good = result.is_ok();
    Finding {
        item: item.to_owned(),
        text: result.map_or_else(|refusal| refusal.to_string(), |()| good.to_owned()),
        good: is_good,
    }
}

fn note_made(outcomes: &mut [Outcome], sent: &[convert::Sent<'_>], made: Made) {
    for (at, id) in made {
        outcomes[sent[at].at] = Outcome::Done {
            remote_id: Some(id),
        };
    }
}
