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

use usersyncd::directories::ldap::LdapDirectory;
use usersyncd::directories::{Directory, Read, Since, What};
use usersyncd::model::Records;

use crate::support::slapd::SessionLog;
use facts::{difference, facts};
use flaws::{Comparing, Flaw};
use script::Script;
use server::{Server, Usernames};
use world::World;

/// How many rounds every run lives through, on each server.
const ROUNDS: usize = 200;

/// How many of them must be answered with changes alone, lest the law hold for want of any.
const ANSWERED_WITH_CHANGES: usize = 0;

#[tokio::test]
async fn what_has_changed_on_openldap_is_what_a_complete_read_shows() {
    let (world, directory) = Server::slapd(SessionLog::Kept);
    hold(world, &directory, ROUNDS).await;
}

#[tokio::test]
async fn the_same_without_a_session_log() {
    let (world, directory) = Server::slapd(SessionLog::None);
    hold(world, &directory, ROUNDS).await;
}

#[tokio::test]
async fn two_complete_reads_of_openldap_say_what_has_changed() {
    let (world, directory) = Server::slapd(SessionLog::Kept);
    let lived = live(world, &Comparing::new(directory, None), ROUNDS).await;
    let changes = lived.unwrap();
    assert!(changes > ROUNDS * 9 / 10, "{changes}");
}

#[tokio::test]
async fn the_law_sees_what_is_told_badly_of_openldap() {
    for flaw in [
        Flaw::DropsDeletes,
        Flaw::ForgetsRenames,
        Flaw::ForgetsMembers,
    ] {
        let (world, directory) = Server::slapd(SessionLog::Kept);
        let lived = live(world, &Comparing::new(directory, Some(flaw)), ROUNDS).await;
        assert!(lived.is_err(), "{flaw:?} was not seen");
    }
}

#[tokio::test]
async fn what_has_changed_on_a_domain_controller_is_what_a_complete_read_shows() {
    let (world, directory) = Server::samba("delta", Usernames::Account);
    hold(world, &directory, ROUNDS).await;
}

#[tokio::test]
async fn the_same_with_users_that_have_no_username_or_two() {
    let (world, directory) = Server::samba("delta-uid", Usernames::Uid);
    hold(world, &directory, ROUNDS).await;
}

#[tokio::test]
async fn two_complete_reads_of_a_domain_controller_say_what_has_changed() {
    let (world, directory) = Server::samba("delta-two", Usernames::Uid);
    let lived = live(world, &Comparing::new(directory, None), ROUNDS).await;
    let changes = lived.unwrap();
    assert!(changes > ROUNDS * 9 / 10, "{changes}");
}

/// Holds the law, and that it was put to the test.
async fn hold(world: World, directory: &LdapDirectory, rounds: usize) {
    match live(world, directory, rounds).await {
        Ok(changes) => assert!(changes >= ANSWERED_WITH_CHANGES, "{changes} of {ROUNDS}"),
        Err(broken) => panic!("{broken}"),
    }
}

/// Lives through so many rounds. Gives how many were answered with changes alone, or how the law was broken.
async fn live(mut world: World, directory: &dyn Directory, rounds: usize) -> Result<usize, String> {
    let seed = std::env::var("USERSYNCD_SEED").map_or(0, |it| it.parse().unwrap());
    let mut cursor = None;
    let mut records = Records::default();
    let mut changes = 0;
    for (round, edits) in Script::new(seed, rounds).enumerate() {
        let told = world.live(&edits);
        let read = directory.read(Since { cursor }).await;
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
                Ok(merged) => {
                    changes += 1;
                    let twice = merged.merged(&delta).map(|it| facts(&it));
                    if twice.as_ref() != Ok(&facts(&merged)) {
                        return Err(format!(
                            "round {round}: taken twice it is not the same\n{told}"
                        ));
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
        let difference = difference(&facts(&records), &facts(&complete));
        if !difference.is_empty() {
            return Err(format!(
                "seed {seed}, round {round} ({how}), {edits:?}\n{difference}after\n{told}"
            ));
        }
    }
    Ok(changes)
}
