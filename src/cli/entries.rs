//! Entries of the configuration that got another id, and what the store remembers of those that are gone.

use crate::config::Config;
use crate::events;
use crate::store::{EntryKind, Renamed, Store, StoreError, TakeOver};

/// When a configuration comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Before any job runs.
    Start,
    /// While jobs of the last configuration may still run, under the ids that it had.
    Reload,
}

/// Follows every `renamed_from`, and tells of what is not followed and of what no entry names. Of one id in one line, so that
/// no two lines advise on it differently.
///
/// # Errors
/// [`StoreError`] when the store cannot be read or written.
pub(super) async fn take_over(
    config: &Config,
    store: &Store,
    when: When,
) -> Result<(), StoreError> {
    let mut known = entries(config);
    for (kind, old, new) in renamed(config) {
        let renamed = match when {
            When::Start => store.unite_entries(kind, old, new).await?,
            When::Reload => store.rename_entry(kind, old, new).await?,
        };
        if renamed == Renamed::BothExist {
            known.push((kind, old));
            events::config_warning(&both_exist(kind, old, new, when));
        }
    }
    for (kind, id) in store.snapshot().await?.unknown_entries(&known).await? {
        let kind = noun(kind);
        events::config_warning(&format!(
            "the store remembers the {kind} {id}, which the configuration no longer names; it is kept. If it was renamed, say \
             `renamed_from: {id}` at its entry."
        ));
    }
    Ok(())
}

/// What the next start will follow, for those who ask before it.
pub(super) fn take_overs(config: &Config) -> Vec<TakeOver> {
    let own = |(kind, old, new): (EntryKind, &str, &str)| TakeOver {
        kind,
        old: old.to_owned(),
        new: new.to_owned(),
    };
    renamed(config).into_iter().map(own).collect()
}

/// Every entry by kind and id.
fn entries(config: &Config) -> Vec<(EntryKind, &str)> {
    let directories = config.directories.iter();
    let directories = directories.map(|it| (EntryKind::Directory, it.id().as_str()));
    let applications = config.applications.iter();
    let applications = applications.map(|it| (EntryKind::Application, it.id().as_str()));
    directories.chain(applications).collect()
}

/// Every `renamed_from`: kind, old id, new id.
fn renamed(config: &Config) -> Vec<(EntryKind, &str, &str)> {
    let directories = config.directories.iter();
    let directories = directories.map(|it| (EntryKind::Directory, &it.renamed_from, it.id()));
    let applications = config.applications.iter();
    let applications = applications.map(|it| (EntryKind::Application, &it.renamed_from, it.id()));
    let all = directories.chain(applications);
    all.filter_map(|(kind, old, new)| Some((kind, old.as_ref()?.as_str(), new.as_str())))
        .collect()
}

fn both_exist(kind: EntryKind, old: &str, new: &str, when: When) -> String {
    let kind = noun(kind);
    match when {
        When::Reload => format!(
            "`renamed_from: {old}` at the {kind} {new} is not followed yet, since passes ran under both names: restart the \
             daemon"
        ),
        When::Start => format!(
            "`renamed_from: {old}` at the {kind} {new} is not followed, since accounts or groups were linked under both \
             names; it goes on as {new}. To go on with what is remembered of {old} instead, write `id: {old}` in its place."
        ),
    }
}

fn noun(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Directory => "directory",
        EntryKind::Application => "application",
    }
}
