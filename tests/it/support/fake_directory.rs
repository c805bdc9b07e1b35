//! A directory in memory: it answers with what a company is at that moment, or as a script says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::Finding;

use super::company::Company;

/// How a read ends badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody answers.
    Unavailable,
    /// A part of the answer is missing.
    Incomplete,
    /// The configuration does not fit.
    Configuration,
    /// The connector panics.
    Panic,
}

/// A directory in memory. Clones share what it holds.
#[derive(Clone, Debug)]
pub(crate) struct FakeDirectory {
    name: String,
    /// Its options: a cursor is good for these only.
    options: String,
    deltas: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    company: Company,
    /// What was answered so far, by the numbers in the cursors.
    answered: Vec<Company>,
    /// What the next reads come to.
    script: VecDeque<Fault>,
    /// What every read comes to.
    cut: Option<Fault>,
    reads: usize,
}

impl FakeDirectory {
    /// A directory that always answers with everything.
    pub(crate) fn new(company: Company) -> FakeDirectory {
        let state = State {
            company,
            ..State::default()
        };
        FakeDirectory {
            name: "fake".to_owned(),
            options: "plain".to_owned(),
            deltas: false,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The same directory; from now on it gives cursors and answers with what has changed since.
    pub(crate) fn with_deltas(self) -> FakeDirectory {
        FakeDirectory {
            deltas: true,
            ..self
        }
    }

    /// The same company under other options.
    pub(crate) fn with_options(&self, options: &str) -> FakeDirectory {
        FakeDirectory {
            options: options.to_owned(),
            ..self.clone()
        }
    }

    /// Its options, as they stand in its cursors.
    pub(crate) fn options(&self) -> &str {
        &self.options
    }

    /// Changes the world.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Company)) {
        change(&mut self.state().company);
    }

    /// The next reads come to this, one after the other. Then all is well.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().script.extend(faults);
    }

    /// Every read comes to this, until it is `None` again.
    pub(crate) fn cut(&self, fault: Option<Fault>) {
        self.state().cut = fault;
    }

    /// How often it was asked.
    pub(crate) fn reads(&self) -> usize {
        self.state().reads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answer(&self, since: &Since) -> Result<Read, ReadError> {
        let mut state = self.state();
        state.reads += 1;
        match state.script.pop_front().or(state.cut) {
            None => {}
            Some(Fault::Unavailable) => {
                return Err(ReadError::Unavailable("nobody answers".to_owned()));
            }
            Some(Fault::Incomplete) => {
                return Err(ReadError::Incomplete("a part is missing".to_owned()));
            }
            Some(Fault::Configuration) => {
                return Err(ReadError::Configuration("nothing is there".to_owned()));
            }
            Some(Fault::Panic) => {
                drop(state);
                panic!("as the test wants it");
            }
        }
        let last = since.cursor.as_deref().and_then(|it| self.number_of(it));
        let last = last.and_then(|it| state.answered.get(it));
        let what = match last {
            Some(last) => What::Delta(state.company.delta_since(last)),
            None => What::Complete(state.company.records()),
        };
        let company = state.company.clone();
        state.answered.push(company);
        let cursor = format!("{} {}", self.options, state.answered.len() - 1);
        Ok(Read {
            what,
            cursor: self.deltas.then_some(cursor),
            notes: Vec::new(),
            requests: None,
        })
    }

    /// The number in a cursor that was made under these options.
    fn number_of(&self, cursor: &str) -> Option<usize> {
        let (options, number) = cursor.split_once(' ')?;
        (options == self.options).then_some(number)?.parse().ok()
    }
}

impl Directory for FakeDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        let finding = Finding {
            item: "reach".to_owned(),
            text: "it is in memory".to_owned(),
            good: true,
        };
        Box::pin(async move { vec![finding] })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let answer = self.answer(&since);
            tokio::task::yield_now().await;
            answer
        })
    }
}
