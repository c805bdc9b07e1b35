//! *Delta = complete*, on real servers: whatever happens to a directory between two reads, what has changed since the first,
//! merged into what was known, is what a complete read shows.
//!
//! A world of people and groups is changed at random through `ldapmodify`, a few changes a round. After each round the directory
//! is asked for what has changed and for everything, and the two must say the same. What is merged is carried on from round to
//! round, so that nothing wrong is mended by a later answer. `USERSYNCD_SEED=7` lives through another world.

mod facts;
mod flaws;
mod script;
mod server;
mod world;

use usersyncd::directories::{Directory, Read, Since, What};
use usersyncd::model::Records;

use crate::support::samba::{BLIND, COUNTER, READER, SYNCER};
use crate::support::slapd::SessionLog;
use facts::{difference, facts, is_loose};
use flaws::{Comparing, Flaw};
use script::Script;
use server::{Groups, Server, Usernames};
use world::World;

/// How many rounds every run lives through, on each server.
const ROUNDS: usize = 200;

/// How many rounds of other runs.
const SOME_ROUNDS: usize = 60;

/// How many percent of the rounds must be answered with changes alone, lest the law hold for want of any. The others ask for
/// a complete read: where a unit was renamed, and after the first.
const ANSWERED_WITH_CHANGES: usize = 60;

#[tokio::test]
async fn what_has_changed_on_openldap_is_what_a_complete_read_shows() {
    let (world, directory) = Server::slapd(SessionLog::Kept, Groups::ByDn);
    let changes = live(world, &directory, ROUNDS).await;
    check_changes(changes, ROUNDS);
}

#[tokio::test]
async fn what_has_changed_on_openldap_without_a_session_log_is_too() {
    let (world, directory) = Server::slapd(SessionLog::None, Groups::ByDn);
    let changes = live(world, &directory, ROUNDS).await;
    check_changes(changes, ROUNDS);
}

#[tokio::test]
async fn groups_that_name_members_by_username_are_read_rightly() {
    let (world, directory) = Server::slapd(SessionLog::Kept, Groups::Mixed);
    live(world, &directory, SOME_ROUNDS).await.unwrap();
}

#[tokio::test]
async fn what_has_changed_on_a_domain_controller_is_what_a_complete_read_shows() {
    let (world, directory) = Server::samba("sync", SYNCER, Usernames::Account);
    let changes = live(world, &directory, ROUNDS).await;
    check_changes(changes, ROUNDS);
}

#[tokio::test]
async fn what_has_changed_by_change_numbers_is_too() {
    let (world, directory) = Server::samba("count", COUNTER, Usernames::Uid);
    let changes = live(world, &directory, ROUNDS).await;
    check_changes(changes, ROUNDS);
}

#[tokio::test]
async fn a_reader_who_is_not_told_what_was_deleted_reads_rightly() {
    for (name, reader) in [("blind", BLIND), ("read", READER)] {
        let (world, directory) = Server::samba(name, reader, Usernames::Account);
        live(world, &directory, SOME_ROUNDS / 2).await.unwrap();
    }
}

#[tokio::test]
async fn two_complete_reads_say_what_has_changed() {
    let (world, directory) = Server::slapd(SessionLog::Kept, Groups::Mixed);
    let changes = live(world, &Comparing::new(directory, None), ROUNDS).await;
    check_changes(changes, ROUNDS);
    let (world, directory) = Server::samba("two", READER, Usernames::Uid);
    let changes = live(world, &Comparing::new(directory, None), SOME_ROUNDS).await;
    check_changes(changes, SOME_ROUNDS);
}

#[tokio::test]
async fn the_law_sees_what_is_told_badly() {
    for flaw in [
        Flaw::DropsDeletes,
        Flaw::ForgetsRenames,
        Flaw::ForgetsMembers,
    ] {
        let (world, directory) = Server::slapd(SessionLog::Kept, Groups::Mixed);
        let lived = live(world, &Comparing::new(directory, Some(flaw)), ROUNDS).await;
        assert!(lived.is_err(), "{flaw:?} was not seen");
    }
}

/// That the law held, and was put to the test.
fn check_changes(lived: Result<usize, String>, rounds: usize) {
    let changes = lived.unwrap_or_else(|broken| panic!("{broken}"));
    let least = rounds * ANSWERED_WITH_CHANGES / 100;
    assert!(
        changes >= least,
        "{changes} of {rounds} rounds were answered with changes"
    );
}

/// Lives through so many rounds. Gives how many were answered with changes alone, or how the law was broken.
async fn live(mut world: World, directory: &dyn Directory, rounds: usize) -> Result<usize, String> {
    let seed = std::env::var("USERSYNCD_SEED").map_or(0, |it| it.parse().unwrap());
    let mut cursor = None;
    let mut records = Records::default();
    let mut changes = 0;
    for (round, edits) in Script::new(seed, rounds).enumerate() {
        let told = world.live(&edits);
        let read = directory
            .read(Since {
                cursor,
                ..Since::default()
            })
            .await;
        let Read {
            what, cursor: next, ..
        } = read.map_err(|fault| fault.to_string())?;
        cursor = next;
        let how = match &what {
            What::Complete(_) => "complete",
            What::Delta(_) => "changes",
        };
        match what {
            What::Complete(complete) => records = complete,
            What::Delta(delta) => match records.merged(&delta) {
                Ok(mut merged) => {
                    changes += 1;
                    let twice = merged.merged(&delta).map(|it| facts(&it));
                    if twice.as_ref() != Ok(&facts(&merged)) {
                        return Err(format!(
                            "round {round}: taken twice it is not the same\n{told}"
                        ));
                    }
                    let doubtful = records.left_in_doubt(&delta, &merged, None);
                    if !doubtful.is_empty() {
                        let groups = directory.groups(doubtful).await;
                        let groups = groups.map_err(|fault| fault.to_string())?;
                        match merged.merged(&groups) {
                            Ok(settled) => merged = settled,
                            Err(_) => cursor = None,
                        }
                    }
                    records = merged;
                }
                // It asks for a complete read.
                Err(_) => cursor = None,
            },
        }
        let complete = directory.read(Since::default()).await;
        let What::Complete(complete) = complete.map_err(|fault| fault.to_string())?.what else {
            return Err("a complete read was asked for".to_owned());
        };
        if cursor.is_none() {
            records = complete;
            continue;
        }
        let [mut merged, mut whole] = [&records, &complete].map(facts);
        if world.is_of_links() {
            merged.retain(|it| !is_loose(it));
            whole.retain(|it| !is_loose(it));
        }
        let difference = difference(&merged, &whole);
        if !difference.is_empty() {
            return Err(format!(
                "seed {seed}, round {round} ({how}), {edits:?}\n{difference}after\n{told}"
            ));
        }
    }
    Ok(changes)
}
