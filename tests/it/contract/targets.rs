//! The worlds of the applications, and who works on them beside us.

use std::fs;

use futures_util::future::LocalBoxFuture;
use usersyncd::model::{Abilities, Batch, Fields};

use super::applications::{Operator, World};
use super::broken::{ApplicationFlaw, BrokenApplication};
use crate::crowd_application::world::{application, dump};
use crate::sql_application::mapped::{
    CLOUD, CLOUD_TABLES, MAIL, MAIL_TABLES, NUMBERED, NUMBERED_TABLES,
};
use crate::sql_application::world::Database;
use crate::support::crowd_double::{CrowdDouble, Rules};
use crate::support::fake_application::FakeApplication;
use crate::support::fake_server::{FakeServer, Ids};
use crate::support::line::Line;

/// The tables of a database.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tables {
    Default,
    Cloud,
    Mail,
    Numbered,
}

/// A database in a file.
pub(super) struct SqlTarget {
    database: Database,
    tables: Tables,
}

/// An application in memory, broken or not.
pub(super) struct FakeTarget {
    line: Line<FakeApplication>,
}

impl SqlTarget {
    pub(super) async fn world(tables: Tables) -> World {
        let (script, options) = match tables {
            Tables::Default => ("", "create_tables: true"),
            Tables::Cloud => (CLOUD, CLOUD_TABLES),
            Tables::Mail => (MAIL, MAIL_TABLES),
            Tables::Numbered => (NUMBERED, NUMBERED_TABLES),
        };
        let database = Database::with(script).await;
        World {
            application: Box::new(database.application(options)),
            operator: Box::new(SqlTarget { database, tables }),
        }
    }
}

impl Operator for SqlTarget {
    fn add_account<'a>(&'a mut self, name: &'a str, active: bool) -> LocalBoxFuture<'a, ()> {
        let (number, letter) = if active { (1, 'Y') } else { (0, 'N') };
        let insert = match self.tables {
            Tables::Default => format!(
                "INSERT INTO users(username, display_name, active) VALUES ('{name}', 'by hand', {number})"
            ),
            Tables::Cloud => {
                format!("INSERT INTO oc_users VALUES ('{name}', 'by hand', '3|hand', '{name}')")
            }
            Tables::Mail => format!(
                "INSERT INTO users VALUES ('{name}', 'example.com', '{{CRYPT}}h', '/by/hand', 1, 2, '{letter}')"
            ),
            Tables::Numbered => {
                format!("INSERT INTO people(login, enabled) VALUES ('{name}', {number})")
            }
        };
        Box::pin(async move { self.database.run(&insert).await })
    }

    fn remove_account<'a>(&'a mut self, name: &'a str) -> LocalBoxFuture<'a, ()> {
        let delete = match self.tables {
            Tables::Default => format!("DELETE FROM users WHERE username = '{name}'"),
            Tables::Cloud => format!("DELETE FROM oc_users WHERE uid = '{name}'"),
            Tables::Mail => format!("DELETE FROM users WHERE userid = '{name}'"),
            Tables::Numbered => format!(
                "DELETE FROM in_team WHERE person = (SELECT id FROM people WHERE login = '{name}');
                 DELETE FROM people WHERE login = '{name}'"
            ),
        };
        Box::pin(async move { self.database.run(&delete).await })
    }

    /// A folder stands where the file was.
    fn cut(&mut self) {
        let path = self.database.path();
        fs::rename(&path, path.with_extension("away")).unwrap();
        fs::create_dir(path).unwrap();
    }

    fn restore(&mut self) {
        let path = self.database.path();
        fs::remove_dir(&path).unwrap();
        fs::rename(path.with_extension("away"), path).unwrap();
    }

    fn accounts(&mut self) -> LocalBoxFuture<'_, Vec<(String, bool)>> {
        let select = match self.tables {
            Tables::Default => "SELECT username, active FROM users",
            Tables::Cloud => "SELECT uid, 1 FROM oc_users",
            Tables::Mail => "SELECT userid, active = 'Y' FROM users",
            Tables::Numbered => "SELECT login, enabled FROM people",
        };
        Box::pin(async move {
            let rows = self.database.rows(select).await.into_iter();
            rows.map(|row| {
                let (name, active) = row.rsplit_once('|').unwrap();
                (name.to_owned(), active == "1")
            })
            .collect()
        })
    }

    fn dump(&mut self) -> LocalBoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            let mut lines = self.database.dump().await;
            // The database's own count of rows that were ever made.
            lines.retain(|it| !it.starts_with("sqlite_sequence|"));
            lines.sort();
            lines
        })
    }
}

/// A Crowd in memory.
pub(super) struct CrowdTarget {
    double: CrowdDouble,
}

impl CrowdTarget {
    pub(super) fn world(rules: Rules) -> World {
        let double = CrowdDouble::start(rules);
        World {
            application: Box::new(application(&double, "")),
            operator: Box::new(CrowdTarget { double }),
        }
    }
}

impl Operator for CrowdTarget {
    fn add_account<'a>(&'a mut self, name: &'a str, active: bool) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            self.double
                .with(|state| state.add_user(name).active = active);
        })
    }

    fn remove_account<'a>(&'a mut self, name: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move { self.double.with(|state| state.delete_user(name).unwrap()) })
    }

    fn cut(&mut self) {
        self.double.cut();
    }

    fn restore(&mut self) {
        self.double.restore();
    }

    fn accounts(&mut self) -> LocalBoxFuture<'_, Vec<(String, bool)>> {
        Box::pin(async move {
            self.double.with(|state| {
                let users = state.users.values();
                users.map(|it| (it.name.clone(), it.active)).collect()
            })
        })
    }

    fn dump(&mut self) -> LocalBoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            let mut lines = dump(&self.double);
            lines.sort();
            lines
        })
    }
}

impl FakeTarget {
    pub(super) fn world(batch: Batch, ids: Ids, flaw: Option<ApplicationFlaw>) -> World {
        let server = FakeServer::new(everything(batch), ids);
        let line = Line::to(FakeApplication::new("fake", server));
        World {
            application: match flaw {
                None => Box::new(line.clone()),
                Some(flaw) => Box::new(BrokenApplication::new(line.clone(), flaw)),
            },
            operator: Box::new(FakeTarget { line }),
        }
    }
}

impl Operator for FakeTarget {
    fn add_account<'a>(&'a mut self, name: &'a str, active: bool) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let mut server = self.line.application.server();
            let number = server.add_account(name).unwrap();
            let account = server.accounts.get_mut(&number).unwrap();
            account.active = active;
            "by hand".clone_into(&mut account.display_name);
        })
    }

    fn remove_account<'a>(&'a mut self, name: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let mut server = self.line.application.server();
            let number = server.account_named(name).unwrap();
            server.remove_account(number);
        })
    }

    fn cut(&mut self) {
        self.line.cut(true);
    }

    fn restore(&mut self) {
        self.line.cut(false);
    }

    fn accounts(&mut self) -> LocalBoxFuture<'_, Vec<(String, bool)>> {
        Box::pin(async move {
            let server = self.line.application.server();
            let accounts = server.accounts.values();
            accounts.map(|it| (it.name.clone(), it.active)).collect()
        })
    }

    fn dump(&mut self) -> LocalBoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            let server = self.line.application.server();
            let accounts = server.accounts.values().map(|it| format!("{it:?}"));
            let groups = server.groups.values().map(|it| format!("{it:?}"));
            let mut lines: Vec<String> = accounts.chain(groups).collect();
            lines.sort();
            lines
        })
    }
}

/// An application that is able to do everything.
pub(crate) fn everything(batch: Batch) -> Abilities {
    Abilities {
        fields: Fields {
            display_name: true,
            given_name: true,
            family_name: true,
            email: true,
            directory: true,
            external_id: true,
        },
        deactivate: true,
        delete_accounts: true,
        rename_accounts: true,
        groups: true,
        describe_groups: true,
        rename_groups: true,
        delete_groups: true,
        nest: true,
        batch,
        ..Abilities::default()
    }
}
