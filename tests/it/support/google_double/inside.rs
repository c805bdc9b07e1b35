//! What the server and the test share, behind one lock.

use std::collections::BTreeMap;

use hyper::body::Bytes;

use super::answer::Answer;
use super::asked::Asked;
use super::discovery::Discovery;
use super::fault::{Fault, Script};
use super::state::State;
use super::token::Granted;
use super::{Seen, handle, token};

pub(super) struct Inside {
    pub(super) state: State,
    pub(super) script: Script,
    pub(super) seen: Vec<Seen>,
    pub(super) in_flight: usize,
    pub(super) in_flight_max: usize,
    pub(super) violations: Vec<String>,
    /// The access tokens that were given out.
    pub(super) granted: BTreeMap<String, Granted>,
    pub(super) token_uri: String,
    checks: Option<&'static Discovery>,
    /// Bodies of what was well answered since the state last changed, by path and query: whoever measures a client must not
    /// measure this server.
    answered: BTreeMap<String, Bytes>,
}

impl Inside {
    pub(super) fn new(token_uri: String, checks: Option<&'static Discovery>) -> Inside {
        Inside {
            state: State::new(),
            script: Script::default(),
            seen: Vec::new(),
            in_flight: 0,
            in_flight_max: 0,
            violations: Vec::new(),
            granted: BTreeMap::new(),
            token_uri,
            checks,
            answered: BTreeMap::new(),
        }
    }

    /// Has somebody look at the state, who may change it.
    pub(super) fn change<T>(&mut self, look: impl FnOnce(&mut State) -> T) -> T {
        let seen = look(&mut self.state);
        self.answered.clear();
        self.state.touched();
        seen
    }

    /// Notes a request that has come in, makes the changes that wait for it, and says what goes wrong with it.
    pub(super) fn arrive(&mut self, asked: &Asked) -> Option<Fault> {
        self.seen.push(asked.seen());
        self.in_flight += 1;
        self.in_flight_max = self.in_flight_max.max(self.in_flight);
        let operation = asked.operation();
        for change in self.script.changes(&operation) {
            self.change(change);
        }
        if let Some(checks) = self.checks.filter(|_| !asked.is_for_token()) {
            let faults = checks.request(&asked.method, &asked.target);
            self.violations.extend(faults);
        }
        let fault = self.script.next(&operation, &asked.target);
        if matches!(fault, Some(Fault::ExpireTokens)) {
            self.granted.clear();
        }
        fault
    }

    /// What is answered; a fault may have changed what a listing shows.
    pub(super) fn answer(&mut self, asked: &Asked, fault: Option<&Fault>) -> Answer {
        self.state.settle();
        if asked.is_for_token() {
            return token::answer(asked, self);
        }
        if let Err(refusal) = token::admit(asked, self) {
            return refusal;
        }
        if fault.is_none()
            && let Some(body) = self.answered.get(&asked.target)
        {
            return Answer::json(200, body.clone());
        }
        let body = match handle::answer(asked, &self.state, fault) {
            Err(refusal) => return refusal,
            Ok(body) => body,
        };
        if let Some(checks) = self.checks {
            let faults = checks.response(&asked.method, &asked.target, &body);
            self.violations.extend(faults);
        }
        let body = Bytes::from(body.to_string());
        if fault.is_none() {
            self.answered.insert(asked.target.clone(), body.clone());
        }
        Answer::json(200, body)
    }
}
