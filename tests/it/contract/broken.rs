//! Fakes that are broken on purpose, one for each way to break an obligation, and the proof that the suite notices.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use usersyncd::applications::Application;
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::{
    Abilities, Batch, Change, Finding, Holding, Observed, Outcome, Records, Refusal, Step, View,
};

use super::sources::FakeSource;
use super::targets::FakeTarget;
use super::{applications, directories};
use crate::support::fake_application::FakeApplication;
use crate::support::fake_directory::FakeDirectory;
use crate::support::fake_server::Ids;
use crate::support::line::Line;

/// How a directory breaks an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DirectoryFlaw {
    TakesHalfForAll,
    AsksAgain,
    KnowsByName,
    LeavesBadOut,
    FailsAtBad,
    GivesNoReason,
    ForgetsBadId,
    TellsInNotes,
    Logs,
    StaysBusy,
    TakesUnknownForKnown,
    ForgetsWhoIsGone,
    ForgetsMembers,
    TakesAnyCursor,
}

/// How an application breaks an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplicationFlaw {
    LeavesInactiveOut,
    ListsNothingWhenCut,
    CreatesAgain,
    StoresTheName,
    CallsAllTransient,
    CallsAllDone,
    TidiesUp,
    WritesAsItGoes,
    GoesOnAfterFailure,
    StopsAtFailure,
}

/// A directory with a flaw.
#[derive(Debug)]
pub(super) struct BrokenDirectory {
    directory: FakeDirectory,
    flaw: DirectoryFlaw,
    busy: AtomicBool,
}

/// An application with a flaw.
#[derive(Debug)]
pub(super) struct BrokenApplication {
    line: Line<FakeApplication>,
    flaw: ApplicationFlaw,
}

#[tokio::test]
async fn every_flaw_of_a_directory_is_noticed() {
    use DirectoryFlaw as Flaw;
    for (number, flaw) in [
        ("D1", Flaw::TakesHalfForAll),
        ("D2", Flaw::AsksAgain),
        ("D3", Flaw::KnowsByName),
        ("D4", Flaw::LeavesBadOut),
        ("D4", Flaw::FailsAtBad),
        ("D4", Flaw::GivesNoReason),
        ("D4", Flaw::ForgetsBadId),
        ("D5", Flaw::TellsInNotes),
        ("D5", Flaw::Logs),
        ("D6", Flaw::StaysBusy),
        ("D7", Flaw::TakesUnknownForKnown),
        ("D8", Flaw::ForgetsWhoIsGone),
        ("D8", Flaw::ForgetsMembers),
        ("D9", Flaw::TakesAnyCursor),
    ] {
        let verdict = directories::check(number, FakeSource::world(Some(flaw))).await;
        assert!(verdict.is_err(), "{number} does not notice {flaw:?}");
    }
}

#[tokio::test]
async fn every_flaw_of_an_application_is_noticed() {
    use ApplicationFlaw as Flaw;
    for (number, batch, flaw) in [
        ("A1", Batch::One, Flaw::LeavesInactiveOut),
        ("A1", Batch::One, Flaw::ListsNothingWhenCut),
        ("A2", Batch::One, Flaw::CreatesAgain),
        ("A3", Batch::One, Flaw::StoresTheName),
        ("A4", Batch::One, Flaw::CallsAllTransient),
        ("A4", Batch::One, Flaw::CallsAllDone),
        ("A5", Batch::One, Flaw::TidiesUp),
        ("A6", Batch::Whole, Flaw::WritesAsItGoes),
        ("A7", Batch::Whole, Flaw::GoesOnAfterFailure),
        ("A7", Batch::One, Flaw::StopsAtFailure),
    ] {
        let world = FakeTarget::world(batch, Ids::Numbers, Some(flaw));
        let verdict = applications::check(number, world).await;
        assert!(verdict.is_err(), "{number} does not notice {flaw:?}");
    }
}

impl BrokenDirectory {
    pub(super) fn new(directory: FakeDirectory, flaw: DirectoryFlaw) -> BrokenDirectory {
        BrokenDirectory {
            directory,
            flaw,
            busy: AtomicBool::new(false),
        }
    }

    async fn read_badly(&self, since: Since) -> Result<Read, ReadError> {
        use DirectoryFlaw as Flaw;
        if self
            .busy
            .swap(self.flaw == Flaw::StaysBusy, Ordering::SeqCst)
        {
            return Err(ReadError::Unavailable("a read is under way".to_owned()));
        }
        let cursor = match self.flaw {
            Flaw::TakesAnyCursor => since.cursor.map(|it| self.own(&it)),
            _ => since.cursor,
        };
        let read = self
            .directory
            .read(Since {
                cursor,
                ..Since::default()
            })
            .await;
        self.busy.store(false, Ordering::SeqCst);
        match read {
            Ok(read) => self.spoil(read),
            Err(_) if self.flaw == Flaw::TakesHalfForAll => Ok(Read {
                what: What::Complete(Records::default()),
                cursor: None,
                notes: Vec::new(),
                requests: None,
            }),
            Err(_) if self.flaw == Flaw::AsksAgain => self.directory.read(Since::default()).await,
            Err(fault) => Err(fault),
        }
    }

    /// A cursor of anybody as one of this directory.
    fn own(&self, cursor: &str) -> String {
        let number = cursor.rsplit(' ').next().unwrap();
        format!("{} {number}", self.directory.options())
    }

    fn spoil(&self, mut read: Read) -> Result<Read, ReadError> {
        use DirectoryFlaw as Flaw;
        match self.flaw {
            Flaw::TellsInNotes => read.notes.push("ben makes no sense".to_owned()),
            Flaw::Logs => tracing::info!(target: "usersyncd", "read"),
            _ => {}
        }
        match &mut read.what {
            What::Complete(records) => self.spoil_records(records)?,
            What::Delta(delta) => match self.flaw {
                Flaw::ForgetsWhoIsGone => delta.gone.clear(),
                Flaw::ForgetsMembers => delta.members.clear(),
                _ => {}
            },
        }
        Ok(read)
    }

    fn spoil_records(&self, records: &mut Records) -> Result<(), ReadError> {
        use DirectoryFlaw as Flaw;
        let nothing = records.pool.add("");
        match self.flaw {
            Flaw::KnowsByName => records.users.iter_mut().for_each(|it| it.id = it.key),
            Flaw::LeavesBadOut => records.rejected.clear(),
            Flaw::FailsAtBad if !records.rejected.is_empty() => {
                return Err(ReadError::Incomplete("a record makes no sense".to_owned()));
            }
            Flaw::GivesNoReason => records
                .rejected
                .iter_mut()
                .for_each(|it| it.reason = nothing),
            Flaw::ForgetsBadId => records.rejected.iter_mut().for_each(|it| it.id = nothing),
            Flaw::TakesUnknownForKnown => {
                records.users.iter_mut().for_each(|it| it.unknown = false);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Directory for BrokenDirectory {
    fn name(&self) -> &str {
        self.directory.name()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.directory.check()
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(self.read_badly(since))
    }
}

impl BrokenApplication {
    pub(super) fn new(line: Line<FakeApplication>, flaw: ApplicationFlaw) -> BrokenApplication {
        BrokenApplication { line, flaw }
    }

    async fn apply_badly(&self, changes: &[Change], view: View<'_>) -> Vec<Outcome> {
        use ApplicationFlaw as Flaw;
        if matches!(self.flaw, Flaw::WritesAsItGoes | Flaw::GoesOnAfterFailure) {
            let mut outcomes = Vec::new();
            for change in changes {
                outcomes.extend(self.line.apply(std::slice::from_ref(change), view).await);
            }
            return outcomes;
        }
        let mut outcomes = self.line.apply(changes, view).await;
        let mut server = self.line.application.server();
        for (change, outcome) in changes.iter().zip(&mut outcomes) {
            let Outcome::Failed(refusal) = outcome else {
                continue;
            };
            match self.flaw {
                Flaw::CallsAllTransient => {
                    *outcome = Outcome::Failed(Refusal::Transient(refusal.to_string()));
                }
                Flaw::CallsAllDone => *outcome = Outcome::Done { remote_id: None },
                Flaw::CreatesAgain if change.step == Step::Create => {
                    server.add_account("another");
                    *outcome = Outcome::Done { remote_id: None };
                }
                Flaw::StopsAtFailure => self.line.cut(true),
                _ => {}
            }
        }
        for account in server.accounts.values_mut() {
            match self.flaw {
                Flaw::StoresTheName => account.external_id.clone_from(&account.name),
                Flaw::TidiesUp => account.display_name.make_ascii_uppercase(),
                _ => {}
            }
        }
        outcomes
    }

    async fn list_badly(&self, last: &Holding) -> Result<Observed, Refusal> {
        match (self.line.accounts(last).await, self.flaw) {
            (Ok(mut observed), ApplicationFlaw::LeavesInactiveOut) => {
                observed.members.clear();
                observed.accounts.retain(|it| it.active);
                Ok(observed)
            }
            (Err(_), ApplicationFlaw::ListsNothingWhenCut) => Ok(Observed::default()),
            (answer, _) => answer,
        }
    }
}

impl Application for BrokenApplication {
    fn name(&self) -> &str {
        self.line.name()
    }

    fn abilities(&self) -> &Abilities {
        self.line.abilities()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.line.check()
    }

    fn accounts<'a>(&'a self, last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(self.list_badly(last))
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(self.apply_badly(changes, view))
    }
}
