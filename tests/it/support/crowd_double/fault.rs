//! What goes wrong, by script: the nth request of an operation from now on, once or for ever.

use serde_json::json;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is done, and this is answered.
    Answer(Scripted),
    /// It is done, and this is answered: something between client and server makes an answer of its own.
    Instead(Scripted),
    /// It is done and answered, and the body breaks off after so many bytes: a proxy's time-out.
    CutBody(usize),
    /// Nothing is done, and nothing is answered.
    Hang,
    /// It is done, and the connection is closed before the answer.
    Lost,
    /// Nothing is done, and the connection is closed.
    Closed,
}

/// An answer as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scripted {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Fault {
    /// An error body of the protocol.
    pub(crate) fn reason(status: u16, reason: &str) -> Fault {
        let body = json!({ "reason": reason, "message": format!("scripted {reason}") });
        Fault::Answer(Scripted {
            status,
            content_type: "application/json",
            headers: Vec::new(),
            body: body.to_string(),
        })
    }

    /// A page for people.
    pub(crate) fn html(status: u16, title: &str) -> Fault {
        Fault::Answer(Scripted {
            status,
            content_type: "text/html;charset=UTF-8",
            headers: Vec::new(),
            body: format!(
                "<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
            ),
        })
    }

    /// A login page where an answer should be: of a proxy that asks for single sign-on.
    pub(crate) fn login_page() -> Fault {
        Fault::html(200, "Log in")
    }

    /// The way to somewhere else.
    pub(crate) fn redirect(location: &str) -> Fault {
        Fault::Answer(Scripted {
            status: 302,
            content_type: "text/html",
            headers: vec![("Location", location.to_owned())],
            body: String::new(),
        })
    }

    /// Not now, but in so many seconds.
    pub(crate) fn later(status: u16, seconds: u32) -> Fault {
        Fault::Answer(Scripted {
            status,
            content_type: "text/plain",
            headers: vec![("Retry-After", seconds.to_string())],
            body: "later".to_owned(),
        })
    }
}

/// When something goes wrong.
#[derive(Clone, Debug)]
struct Entry {
    /// `POST /user`: the method, and the path below `/rest/usermanagement/1`; `*` for every request.
    operation: String,
    /// How many such requests go well before.
    before: usize,
    /// How many such requests go wrong then.
    times: usize,
    fault: Fault,
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Script(Vec<Entry>);

impl Script {
    pub(super) fn add(&mut self, operation: &str, nth: usize, times: usize, fault: Fault) {
        assert!(nth > 0, "the first request is number 1");
        self.0.push(Entry {
            operation: operation.to_owned(),
            before: nth - 1,
            times,
            fault,
        });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to a request that has come in.
    pub(super) fn next(&mut self, operation: &str) -> Option<Fault> {
        let mut found = None;
        for entry in &mut self.0 {
            if entry.operation != "*" && entry.operation != operation {
                continue;
            }
            if entry.before > 0 {
                entry.before -= 1;
            } else if found.is_none() && entry.times > 0 {
                entry.times -= 1;
                found = Some(entry.fault.clone());
            }
        }
        self.0.retain(|it| it.times > 0);
        found
    }
}
