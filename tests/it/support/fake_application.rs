//! The product in memory as an application: what the jobs are tested against, with faults by script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use usersyncd::applications::Application;
use usersyncd::model::{
    Abilities, Batch, Change, Finding, Holding, Observed, Outcome, Refusal, Step, View, What,
};

use super::fake_server::{ALL, FakeServer};

/// What happens to one change, or to one listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: it is made.
    None,
    /// It is not made, and this is the answer.
    Answer(Refusal),
    /// It is made, and this is the answer: the connection broke too late.
    Lost(Refusal),
    /// So many of its parts are made, and this is the answer.
    Cut(usize, Refusal),
}

/// An application in memory. Clones share what it holds.
#[derive(Clone, Debug)]
pub(crate) struct FakeApplication {
    name: String,
    abilities: Abilities,
    server: Arc<Mutex<FakeServer>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl FakeApplication {
    /// An application of a name over a product.
    pub(crate) fn new(name: &str, server: FakeServer) -> Self {
        FakeApplication {
            name: name.to_owned(),
            abilities: server.abilities.clone(),
            server: Arc::new(Mutex::new(server)),
            faults: Arc::default(),
        }
    }

    /// What it holds, to look at or to change by hand.
    pub(crate) fn server(&self) -> MutexGuard<'_, FakeServer> {
        self.server.lock().unwrap()
    }

    /// What happens to the next calls: one fault for each listing and for each change that is sent. Then all is well.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    fn next_fault(&self) -> Fault {
        self.faults
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Fault::None)
    }

    fn make(&self, change: &Change, view: View<'_>) -> Outcome {
        if !is_sent(change) {
            return Outcome::Done { remote_id: None };
        }
        let mut server = self.server();
        let answer = match self.next_fault() {
            Fault::None => server.make(change, view, ALL),
            Fault::Answer(refusal) => Err(refusal),
            Fault::Lost(refusal) => server.make(change, view, ALL).and(Err(refusal)),
            Fault::Cut(parts, refusal) => server.make(change, view, parts).and(Err(refusal)),
        };
        match answer {
            Ok(remote_id) => Outcome::Done { remote_id },
            Err(refusal) => Outcome::Failed(refusal),
        }
    }

    fn make_all(&self, changes: &[Change], view: View<'_>) -> Vec<Outcome> {
        let before = self.server().clone();
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(changes.len());
        let whole = self.abilities.batch == Batch::Whole;
        for change in changes {
            let outcome = self.make(change, view);
            let failed = matches!(outcome, Outcome::Failed(_));
            outcomes.push(outcome);
            if failed && whole {
                *self.server() = before;
                let at = outcomes.len() - 1;
                outcomes[..at].fill(Outcome::Skipped);
                outcomes.resize(changes.len(), Outcome::Skipped);
                return outcomes;
            }
        }
        outcomes
    }
}

impl Application for FakeApplication {
    fn name(&self) -> &str {
        &self.name
    }

    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        let finding = Finding {
            item: "reach".to_owned(),
            text: "it is in memory".to_owned(),
            good: true,
        };
        Box::pin(async move { vec![finding] })
    }

    fn accounts<'a>(&'a self, _last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(async move {
            match self.next_fault() {
                Fault::None => Ok(self.server().observe()),
                Fault::Answer(it) | Fault::Lost(it) | Fault::Cut(_, it) => Err(it),
            }
        })
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move { self.make_all(changes, view) })
    }
}

/// Whether a change has any effect outside.
pub(crate) fn is_sent(change: &Change) -> bool {
    match change.step {
        Step::Create | Step::Delete => true,
        Step::Members | Step::Children => change.give + change.take > 0,
        Step::Update => !change.what.without(What::REMEMBERED).is_empty(),
    }
}
