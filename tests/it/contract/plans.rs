//! What is pushed while an application is held to its obligations, and what is looked at afterwards.

use anyhow::{Context as _, bail, ensure};
use usersyncd::applications::Application;
use usersyncd::model::{Abilities, Holding, Observed, Outcome, Records, Refusal, What};

use super::directories::Verdict;
use crate::support::push::{Push, directory};

/// Dora, Emil and Fritz come, with two groups where there are groups; Fritz is off where accounts can be.
pub(super) async fn settle(application: &dyn Application) -> Verdict {
    let able = application.abilities();
    let records = today(able);
    let mut push = Push::now(application, &records).await;
    if able.groups {
        push = push.create_group("makers").create_group("sellers");
    }
    push = push.create("dora").create("emil").create("fritz");
    if able.groups {
        push = push.members("makers", &["dora", "emil"], &[], &[]);
    }
    done(&push.send_in_portions(application).await).context("the company could not be made")
}

/// What the directory says at first.
pub(super) fn today(able: &Abilities) -> Records {
    let fritz = if able.deactivate {
        "Fritz Funk (off)"
    } else {
        "Fritz Funk"
    };
    directory(
        &[
            ("dora", "Dora Dunn", "dora@example.com"),
            ("emil", "Emil Ende", "emil@example.com"),
            ("fritz", fritz, "fritz@example.com"),
        ],
        &["makers", "sellers"],
    )
}

/// What it says later.
pub(super) fn tomorrow() -> Records {
    directory(
        &[
            ("dora", "Dorothea Dunn", "dorothea@example.com"),
            ("emil", "Emil Ende", "emil@example.com"),
            ("erna", "Erna Ende", "erna@example.com"),
            ("gerda", "Gerda Groll", "gerda@example.com"),
            ("hanna", "Hanna Hell", "hanna@example.com"),
            ("ilse", "Ilse Immer", "ilse@example.com"),
        ],
        &["crew", "new", "sellers"],
    )
}

/// Every field that the application holds.
pub(super) fn fields(able: &Abilities) -> What {
    let can = able.fields;
    let all = [
        (can.display_name, What::DISPLAY_NAME),
        (can.given_name, What::GIVEN_NAME),
        (can.family_name, What::FAMILY_NAME),
        (can.email, What::EMAIL),
        (can.directory, What::DIRECTORY),
        (can.external_id, What::EXTERNAL_ID),
    ];
    let held = all.into_iter().filter(|it| it.0);
    held.fold(What::default(), |what, it| what.with(it.1))
}

/// One thing of an account that can be changed, and how it is changed back.
pub(super) fn one_field(able: &Abilities) -> (What, What) {
    if able.fields.display_name {
        (What::DISPLAY_NAME, What::DISPLAY_NAME)
    } else if able.fields.email {
        (What::EMAIL, What::EMAIL)
    } else {
        (What::DEACTIVATE, What::ACTIVATE)
    }
}

/// Whether a refusal is about the change, not about the way to the application.
pub(super) fn is_of_the_change(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Refused(_) | Refusal::Stale(_))
}

pub(super) fn done(outcomes: &[Outcome]) -> Verdict {
    let is_done = |it: &Outcome| matches!(it, Outcome::Done { .. });
    ensure!(outcomes.iter().all(is_done), "{outcomes:?}");
    Ok(())
}

/// One change, that was refused for what it is or for what is there.
pub(super) fn not_made(outcomes: &[Outcome]) -> Verdict {
    let [Outcome::Failed(refusal)] = outcomes else {
        bail!("{outcomes:?}");
    };
    ensure!(is_of_the_change(refusal), "{refusal:?}");
    Ok(())
}

pub(super) fn external_id<'o>(observed: &'o Observed, name: &str) -> anyhow::Result<&'o str> {
    let mut accounts = observed.accounts.iter();
    let found = accounts.find(|it| observed.pool.get(it.name) == name);
    let found = found.with_context(|| format!("{name} is not listed"))?;
    Ok(observed.pool.get(found.external_id))
}

/// The names of all accounts, sorted.
pub(super) async fn accounts(application: &dyn Application) -> anyhow::Result<Vec<String>> {
    let observed = application.accounts(&Holding::default()).await?;
    let names = observed.accounts.iter();
    let mut names: Vec<String> = names
        .map(|it| observed.pool.get(it.name).to_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// What is gone and what has come.
pub(super) fn difference(before: &[String], after: &[String]) -> (Vec<String>, Vec<String>) {
    let without = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter()
            .filter(|it| !other.contains(it))
            .cloned()
            .collect()
    };
    (without(before, after), without(after, before))
}

pub(super) fn same(before: &[String], after: &[String]) -> Verdict {
    let (gone, come) = difference(before, after);
    ensure!(before == after, "{gone:?} became {come:?}");
    Ok(())
}
