//! A Crowd in memory: the REST API of the reference's sections 1.1 to 1.7, to be read from and written into, with a script of
//! faults. It listens on loopback in a thread of its own, so that it goes on while a test waits, with the clock stopped or not.
//!
//! It shares no code with the product. Its rules cite the marks of the reference in [`rules`], and what is not confirmed there
//! is a switch that tests run both ways.

mod entities;
pub(crate) mod fault;
mod handle;
pub(crate) mod rules;
mod search;
mod server;
pub(crate) mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use fault::Fault;
pub(crate) use rules::Rules;
pub(crate) use state::State;

use super::listener::{Listener, Place};
use fault::Script;

/// The application that may call.
pub(crate) const APPLICATION: &str = "usersyncd";
/// Its password.
pub(crate) const PASSWORD: &str = "caller's secret";

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `POST /user`: the method, and the path below `/rest/usermanagement/1`.
    pub(crate) operation: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) body: String,
}

/// The double. It is gone when this value is.
#[derive(Debug)]
pub(crate) struct CrowdDouble {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
    listener: Listener,
}

#[derive(Debug)]
struct Inside {
    state: State,
    rules: Rules,
    script: Script,
    seen: Vec<Seen>,
    in_flight: usize,
    in_flight_max: usize,
}

impl CrowdDouble {
    /// Starts one that holds nothing.
    pub(crate) fn start(rules: Rules) -> CrowdDouble {
        let place = Place::new();
        let address = place.address();
        let inside = Arc::new(Mutex::new(Inside {
            state: State::default(),
            rules,
            script: Script::default(),
            seen: Vec::new(),
            in_flight: 0,
            in_flight_max: 0,
        }));
        let shared = Arc::clone(&inside);
        let listener = Listener::start(place, move |request| {
            let inside = Arc::clone(&shared);
            async move { server::answer(request, &inside).await }
        });
        CrowdDouble {
            address,
            inside,
            listener,
        }
    }

    /// Its base URL, with the context path.
    pub(crate) fn url(&self) -> String {
        let context = self.inside().rules.context;
        format!("http://{}{context}", self.address)
    }

    /// Looks at what it holds, or changes it by hand.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.inside().state)
    }

    /// Changes its rules.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.inside().rules);
    }

    /// The nth request of an operation from now on (the first is number 1; `*` is any operation) goes wrong.
    pub(crate) fn fail(&self, operation: &str, nth: usize, fault: Fault) {
        self.inside().script.add(operation, nth, 1, fault);
    }

    /// Every request of an operation goes wrong from now on.
    pub(crate) fn fail_always(&self, operation: &str, fault: Fault) {
        self.inside().script.add(operation, 1, usize::MAX, fault);
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn mend(&self) {
        self.inside().script.clear();
    }

    /// The requests since this was last called, in the order in which they came.
    pub(crate) fn take_requests(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inside().seen)
    }

    /// The operations since the requests were last taken, in the order in which they came.
    pub(crate) fn take_operations(&self) -> Vec<String> {
        let requests = self.take_requests().into_iter();
        requests.map(|it| it.operation).collect()
    }

    /// The most requests that were answered at one time.
    pub(crate) fn in_flight_max(&self) -> usize {
        self.inside().in_flight_max
    }

    /// Closes every connection and takes no more, until [`CrowdDouble::restore`].
    pub(crate) fn cut(&self) {
        self.listener.cut();
    }

    /// Takes connections again, at the same address.
    pub(crate) fn restore(&self) {
        self.listener.restore();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }
}
