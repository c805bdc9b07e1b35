//! The obligations of a directory, each as a function of the directory and of whoever can change its world.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use futures_util::future::LocalBoxFuture;
use usersyncd::directories::{Directory, ReadError, Since, What};
use usersyncd::model::{RecordKind, Records};

use super::dropping;
use crate::support::company::{Company, told};
use crate::support::log::Log;

/// A directory, and whoever can change the world that it answers about.
pub(super) struct World {
    pub(super) directory: Box<dyn Directory>,
    pub(super) administrator: Box<dyn Administrator>,
}

/// Whoever can change the world that a directory answers about. It begins as [`company`].
pub(super) trait Administrator {
    /// A person comes, who is nobody that ever was there.
    fn add_user(&mut self, username: &str);

    /// A person gets another username.
    fn rename_user(&mut self, username: &str, new: &str);

    /// A person leaves.
    fn remove_user(&mut self, username: &str);

    /// A group gets another name; `false` where groups have no ids but their names.
    fn rename_group(&mut self, name: &str, new: &str) -> bool;

    /// The record of a person becomes one that makes no sense.
    fn spoil(&mut self, username: &str);

    /// The state of a person can no longer be read; `false` where such a thing cannot be.
    fn hide(&mut self, _username: &str) -> bool {
        false
    }

    /// The source is no longer all there.
    fn cut(&mut self, cut: Cut);

    /// The source is what it was before it was cut.
    fn restore(&mut self);

    /// How often the source was asked; `None` where nobody can tell.
    fn asked(&self) -> Option<usize> {
        None
    }

    /// A directory of other options over the same source; `None` where there are no cursors.
    fn under_other_options(&self) -> Option<Box<dyn Directory>>;
}

/// Ways in which a source is not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// There is no source.
    Gone,
    /// Its answer breaks off in the middle.
    Half,
}

pub(super) type Verdict = anyhow::Result<()>;

type Check =
    for<'a> fn(&'a dyn Directory, &'a mut dyn Administrator) -> LocalBoxFuture<'a, Verdict>;

/// Every obligation under its number.
const OBLIGATIONS: [(&str, Check); 9] = [
    ("D1", |it, admin| Box::pin(complete_or_an_error(it, admin))),
    ("D2", |it, admin| Box::pin(no_repetition(it, admin))),
    ("D3", |it, admin| Box::pin(stable_ids(it, admin))),
    ("D4", |it, admin| Box::pin(one_bad_record(it, admin))),
    ("D5", |it, admin| Box::pin(no_values_told(it, admin))),
    ("D6", |it, admin| Box::pin(dropped_anywhere(it, admin))),
    ("D7", |it, admin| Box::pin(unknown_is_marked(it, admin))),
    ("D8", |it, admin| Box::pin(idempotent_deltas(it, admin))),
    ("D9", |it, admin| Box::pin(bound_cursors(it, admin))),
];

/// Turns of the runtime after which a read is dropped: the last are more than any of these reads takes.
const TURNS: [usize; 12] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// The company that every directory begins with.
pub(super) fn company() -> Company {
    Company::of(
        &["ada", "ben", "carl"],
        &[("staff", &["ada", "ben"]), ("all", &["carl"])],
    )
}

/// Holds a directory to every obligation, each in a world of its own.
pub(super) async fn hold(world: impl AsyncFn() -> World) {
    let mut broken = Vec::new();
    for (number, _) in OBLIGATIONS {
        if let Err(fault) = check(number, world().await).await {
            broken.push(format!("{number}: {fault:#}"));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Holds a directory to one obligation.
pub(super) async fn check(number: &str, mut world: World) -> Verdict {
    let found = OBLIGATIONS.iter().find(|it| it.0 == number);
    let (_, check) = found.with_context(|| format!("there is no {number}"))?;
    check(&*world.directory, &mut *world.administrator).await
}

/// D1: a read is complete or an error, also one that could have gone on from a cursor.
async fn complete_or_an_error(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let (before, cursor) = complete(directory).await?;
    for cut in [Cut::Gone, Cut::Half] {
        administrator.cut(cut);
        for cursor in [None, cursor.clone()] {
            let read = directory
                .read(Since {
                    cursor,
                    ..Since::default()
                })
                .await;
            ensure!(read.is_err(), "what is cut ({cut:?}) is read all the same");
        }
        administrator.restore();
        let (after, _) = complete(directory).await?;
        same(&before, &after).context("the source is restored")?;
    }
    Ok(())
}

/// D2: a call that failed is not made again.
async fn no_repetition(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let Some(before) = administrator.asked() else {
        return Ok(());
    };
    complete(directory).await?;
    let enough = administrator.asked().unwrap_or_default() - before;
    for cut in [Cut::Gone, Cut::Half] {
        administrator.cut(cut);
        let before = administrator.asked().unwrap_or_default();
        fails(directory).await?;
        let asked = administrator.asked().unwrap_or_default() - before;
        ensure!(
            asked <= enough,
            "asked {asked} times where {enough} are enough"
        );
        administrator.restore();
    }
    Ok(())
}

/// D3: whoever is renamed keeps the id, and another person never gets it.
async fn stable_ids(directory: &dyn Directory, administrator: &mut dyn Administrator) -> Verdict {
    let (before, _) = complete(directory).await?;
    administrator.rename_user("ada", "countess");
    administrator.remove_user("ben");
    administrator.add_user("ben");
    let groups_have_ids = administrator.rename_group("staff", "crew");
    let (after, _) = complete(directory).await?;
    let (old, new) = (user_ids(&before), user_ids(&after));
    ensure!(new.len() == 3, "{new:?}");
    ensure!(old["ada"] == new["countess"], "a rename changed the id");
    ensure!(old["carl"] == new["carl"], "who stayed has another id");
    let reused = old.values().any(|it| *it == new["ben"]);
    ensure!(!reused, "the next ben has the id of somebody else");
    if groups_have_ids {
        let (old, new) = (group_ids(&before), group_ids(&after));
        ensure!(old["staff"] == new["crew"], "a rename changed a group's id");
    }
    Ok(())
}

/// D4: one bad record is rejected under its id and its name, with a reason, and the others are read.
async fn one_bad_record(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let (before, _) = complete(directory).await?;
    ensure!(before.rejected.is_empty(), "the company is sound");
    administrator.spoil("ben");
    let (after, _) = complete(directory).await?;
    let (old, new) = (user_ids(&before), user_ids(&after));
    let names: Vec<&str> = new.keys().copied().collect();
    ensure!(names == ["ada", "carl"], "{names:?}");
    ensure!(old["ada"] == new["ada"] && old["carl"] == new["carl"]);
    let mut rejected = after.rejected.iter();
    let Some(ben) = rejected.find(|it| after.text(it.key) == "ben") else {
        bail!("nothing is rejected under the name of the bad record");
    };
    ensure!(ben.what == RecordKind::User);
    ensure!(
        after.text(ben.id) == old["ben"],
        "it is not known by its id"
    );
    ensure!(!after.text(ben.label).is_empty(), "nobody can find it");
    ensure!(!after.text(ben.reason).is_empty(), "nobody knows why");
    Ok(())
}

/// D5: nothing is logged, and neither notes nor errors hold a person's values.
async fn no_values_told(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let log = Log::catch();
    administrator.spoil("ben");
    let mut words = directory.read(Since::default()).await?.notes;
    administrator.cut(Cut::Half);
    words.push(fails(directory).await?.to_string());
    let ours = |it: &serde_json::Value| it["target"] == "usersyncd";
    ensure!(!log.events().iter().any(ours), "a connector logs");
    for text in words {
        let mut words = text.split(|it: char| !it.is_alphanumeric());
        let value = words.find(|it| ["ada", "ben", "carl"].contains(it));
        ensure!(value.is_none(), "a value is told: {text}");
    }
    Ok(())
}

/// D6: a read that is dropped leaves nothing behind, wherever it stood.
async fn dropped_anywhere(
    directory: &dyn Directory,
    _administrator: &mut dyn Administrator,
) -> Verdict {
    let (before, _) = complete(directory).await?;
    for turns in TURNS {
        drop(dropping::after_turns(turns, directory.read(Since::default())).await);
        let (after, _) = complete(directory)
            .await
            .with_context(|| format!("after one that was dropped at turn {turns}"))?;
        same(&before, &after)?;
    }
    Ok(())
}

/// D7: what could not be read is marked, and nothing else is.
async fn unknown_is_marked(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    if !administrator.hide("ben") {
        return Ok(());
    }
    let (records, _) = complete(directory).await?;
    ensure!(user_ids(&records).len() == 3, "somebody is left out");
    for user in &records.users {
        let hidden = records.text(user.key) == "ben";
        ensure!(user.unknown == hidden, "{user:?}");
    }
    Ok(())
}

/// D8: a delta leads to what a complete read says, however often it is taken.
async fn idempotent_deltas(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let (old, cursor) = complete(directory).await?;
    let cursor = cursor.as_deref();
    if cursor.is_none() {
        return Ok(());
    }
    let unchanged = merged(directory, &old, cursor).await?;
    same(&old, &unchanged).context("nothing has changed")?;

    administrator.add_user("dora");
    administrator.rename_user("ada", "countess");
    administrator.remove_user("carl");
    administrator.rename_group("staff", "crew");
    let (new, _) = complete(directory).await?;
    let once = merged(directory, &old, cursor).await?;
    same(&new, &once).context("a delta is not what has changed")?;
    let twice = merged(directory, &once, cursor).await?;
    same(&new, &twice).context("a delta is not idempotent")
}

/// D9: a cursor that was made under other options, or by nobody, is good for nothing.
async fn bound_cursors(
    directory: &dyn Directory,
    administrator: &mut dyn Administrator,
) -> Verdict {
    let (_, cursor) = complete(directory).await?;
    for strange in ["", "1", "nonsense"] {
        let cursor = Some(strange.to_owned());
        let read = directory
            .read(Since {
                cursor,
                ..Since::default()
            })
            .await?;
        ensure!(is_complete(&read.what), "{strange:?} is taken for a cursor");
    }
    let other = administrator.under_other_options();
    if let (Some(cursor), Some(other)) = (cursor, other) {
        let cursor = Some(cursor);
        let read = other
            .read(Since {
                cursor,
                ..Since::default()
            })
            .await?;
        ensure!(is_complete(&read.what), "a cursor of other options is used");
    }
    Ok(())
}

async fn complete(directory: &dyn Directory) -> anyhow::Result<(Records, Option<String>)> {
    let read = directory.read(Since::default()).await?;
    match read.what {
        What::Complete(records) => Ok((records, read.cursor)),
        What::Delta(_) => bail!("a delta since nothing"),
    }
}

async fn fails(directory: &dyn Directory) -> anyhow::Result<ReadError> {
    match directory.read(Since::default()).await {
        Ok(_) => bail!("what is cut is read all the same"),
        Err(fault) => Ok(fault),
    }
}

/// Records after a read that goes on from a cursor.
async fn merged(
    directory: &dyn Directory,
    last: &Records,
    cursor: Option<&str>,
) -> anyhow::Result<Records> {
    let cursor = cursor.map(str::to_owned);
    match directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await?
        .what
    {
        What::Complete(records) => Ok(records),
        What::Delta(delta) => Ok(last.merged(&delta)?),
    }
}

fn is_complete(what: &What) -> bool {
    matches!(what, What::Complete(_))
}

fn same(one: &Records, other: &Records) -> Verdict {
    let (one, other) = (told(one), told(other));
    ensure!(one == other, "{one:#?} has become {other:#?}");
    Ok(())
}

fn user_ids(records: &Records) -> BTreeMap<&str, &str> {
    let users = records.users.iter();
    users
        .map(|it| (records.text(it.key), records.text(it.id)))
        .collect()
}

fn group_ids(records: &Records) -> BTreeMap<&str, &str> {
    let groups = records.groups.iter();
    groups
        .map(|it| (records.text(it.key), records.text(it.id)))
        .collect()
}
