//! The line to an application: what passes over it is counted, it can be cut, and something can happen at a call.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use usersyncd::applications::Application;
use usersyncd::model::{Abilities, Change, Finding, Holding, Observed, Outcome, Refusal, View};

use super::fake_application::is_sent;

type Strike = Box<dyn FnOnce() + Send>;

/// An application behind a line. Every call waits at its begin and at its end, so that it can be dropped there.
#[derive(Clone, Debug)]
pub(crate) struct Line<A> {
    pub(crate) application: A,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: bool,
    listings: usize,
    /// How many changes with an effect each call named.
    calls: Vec<usize>,
    strike: Option<(usize, Strike)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} listings, {:?}", self.listings, self.calls)
    }
}

impl<A: Application> Line<A> {
    /// A line that nothing has passed yet.
    pub(crate) fn to(application: A) -> Line<A> {
        Line {
            application,
            state: Arc::default(),
        }
    }

    /// Cuts the line, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        self.state().cut = cut;
    }

    /// How often everything was listed.
    pub(crate) fn listings(&self) -> usize {
        self.state().listings
    }

    /// How many changes each call sent that sent any.
    pub(crate) fn calls(&self) -> Vec<usize> {
        self.state().calls.clone()
    }

    /// This happens in the middle of the call after so many further ones.
    pub(crate) fn at_call(&self, further: usize, strike: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        state.strike = Some((state.calls.len() + further, Box::new(strike)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Notes a call; `false` when the line is cut.
    fn call(&self, sent: usize) -> bool {
        let mut state = self.state();
        if state.cut || sent == 0 {
            return !state.cut;
        }
        let number = state.calls.len();
        state.calls.push(sent);
        let strike = state.strike.take_if(|it| it.0 == number);
        drop(state);
        if let Some((_, strike)) = strike {
            strike();
        }
        true
    }
}

impl<A: Application> Application for Line<A> {
    fn name(&self) -> &str {
        self.application.name()
    }

    fn abilities(&self) -> &Abilities {
        self.application.abilities()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.application.check()
    }

    fn accounts<'a>(&'a self, last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            {
                let mut state = self.state();
                if state.cut {
                    return Err(unavailable());
                }
                state.listings += 1;
            }
            let observed = self.application.accounts(last).await;
            tokio::task::yield_now().await;
            observed
        })
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if !self.call(changes.iter().filter(|it| is_sent(it)).count()) {
                return changes.iter().map(not_reached).collect();
            }
            let outcomes = self.application.apply(changes, view).await;
            tokio::task::yield_now().await;
            outcomes
        })
    }
}

fn not_reached(change: &Change) -> Outcome {
    if is_sent(change) {
        Outcome::Failed(unavailable())
    } else {
        Outcome::Done { remote_id: None }
    }
}

fn unavailable() -> Refusal {
    Refusal::Unavailable("the line is cut".to_owned())
}
