//! Who can log in through a served set: whom a directory knows a password of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assemble;
use crate::cli::Fault;
use crate::config::Config;
use crate::model::{Account, Finding, Holding};
use crate::store::Store;
use crate::sync::{ApplicationPart, DirectoryPart};
use crate::text::counted;

/// What is found of the logins of a served application: of each listed directory that knows no passwords, how many of the
/// active accounts are its users'. Nothing of other applications.
///
/// # Errors
/// [`Fault`] when there is a store and it cannot be read.
pub(super) async fn findings(
    config: &Config,
    part: &ApplicationPart,
) -> Result<Vec<Finding>, Fault> {
    if !part.application.abilities().served {
        return Ok(Vec::new());
    }
    let store = Store::open_for_reading(&assemble::store_url(config)).await?;
    let holding = match store {
        Some(store) => {
            let holding = store.snapshot().await?.holding(&part.id).await?;
            store.close().await;
            holding
        }
        None => None,
    };
    let users = holding.as_ref().map(users_by_directory);
    let without = part.directories.iter().filter(|it| !knows_passwords(it));
    Ok(without.map(|it| finding(it, users.as_ref())).collect())
}

fn finding(directory: &Arc<DirectoryPart>, users: Option<&BTreeMap<&str, u64>>) -> Finding {
    let who = match users {
        Some(users) => {
            let count = users.get(directory.id.as_str()).copied().unwrap_or(0);
            format!(
                "{} of directory `{}`",
                counted(count, "active user"),
                directory.name
            )
        }
        None => format!("the users of directory `{}`", directory.name),
    };
    let why = if directory.directory.is_some() {
        "knows no passwords"
    } else {
        "is disabled"
    };
    Finding {
        item: "logins".to_owned(),
        text: format!("{who} cannot log in through this set: the directory {why}"),
        good: true,
    }
}

fn knows_passwords(part: &DirectoryPart) -> bool {
    let directory = part.directory.as_ref();
    directory.is_some_and(|it| it.authenticator().is_some())
}

/// How many of the active accounts are whose, by the id of the directory's entry.
fn users_by_directory(holding: &Holding) -> BTreeMap<&str, u64> {
    let there = |it: &&Account| it.exists && it.seen.active;
    let mut users = BTreeMap::new();
    for account in holding.accounts.iter().filter(there) {
        if let Some(link) = &account.link {
            *users.entry(holding.text(link.directory)).or_default() += 1;
        }
    }
    users
}
