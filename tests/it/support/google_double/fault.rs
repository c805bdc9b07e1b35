//! What goes wrong, by script: the next requests of an operation, and changes that happen right before one.

use serde_json::Value;

use super::answer::Answer;
use super::asked::decoded;
use super::state::State;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The listing that is asked for shows only its first so many objects, on all of its pages, and nothing else says so.
    Truncate(usize),
    /// 403 `userRateLimitExceeded`.
    Throttle,
    /// 403 `quotaExceeded`.
    Quota,
    /// 429 `rateLimitExceeded`, with the seconds of a `Retry-After` if there is one.
    TooMany(Option<u32>),
    /// 403 `forbidden`.
    Forbidden,
    /// 404 `notFound`.
    NotFound,
    /// This status with a page for people.
    Html(u16),
    /// The token for the next page is the one that leads to this page.
    RepeatToken,
    /// All access tokens expire as the request comes in, its own too.
    ExpireTokens,
    /// 200 without the key of the collection; all else is as it would be.
    MissingKey,
    /// The connection ends in the middle of the body.
    Cut,
    /// Nothing is answered, and the connection stays.
    Hang,
    /// This status with this body, which is not held against the description of the API.
    Answer(u16, Value),
}

impl Fault {
    /// What is answered instead of looking at what is asked for.
    pub(super) fn answer(&self) -> Option<Answer> {
        let answer = match self {
            Fault::Throttle => {
                let text = "User-rate limit exceeded. Retry after a while.";
                Answer::refusal(403, "userRateLimitExceeded", text)
            }
            Fault::Quota => Answer::refusal(403, "quotaExceeded", "Quota exceeded."),
            Fault::TooMany(seconds) => {
                let text = "Too many concurrent requests.";
                let answer = Answer::refusal(429, "rateLimitExceeded", text);
                match seconds {
                    None => answer,
                    Some(seconds) => answer.with("Retry-After", seconds.to_string()),
                }
            }
            Fault::Forbidden => Answer::forbidden(),
            Fault::NotFound => Answer::not_found("scripted"),
            Fault::Html(status) => Answer::html(*status),
            Fault::Answer(status, body) => Answer::of(*status, body),
            Fault::Truncate(_)
            | Fault::RepeatToken
            | Fault::ExpireTokens
            | Fault::MissingKey
            | Fault::Cut
            | Fault::Hang => return None,
        };
        Some(answer)
    }
}

/// What is done to the state.
pub(super) type Change = Box<dyn FnOnce(&mut State) + Send>;

/// The faults and changes that are still to come.
#[derive(Default)]
pub(super) struct Script {
    faults: Vec<Entry>,
    changes: Vec<Planned>,
}

struct Entry {
    operation: String,
    /// What path and query must contain.
    text: String,
    times: usize,
    fault: Fault,
}

struct Planned {
    operation: String,
    /// How many requests of the operation come before.
    after: usize,
    change: Change,
}

impl Script {
    pub(super) fn add(&mut self, operation: &str, text: &str, times: usize, fault: Fault) {
        self.faults.push(Entry {
            operation: operation.to_owned(),
            text: text.to_owned(),
            times,
            fault,
        });
    }

    pub(super) fn before(&mut self, operation: &str, nth: usize, change: Change) {
        assert!(nth > 0, "the first request is number 1");
        self.changes.push(Planned {
            operation: operation.to_owned(),
            after: nth - 1,
            change,
        });
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
        self.changes.clear();
    }

    /// The changes that wait for a request of this operation, which has come in.
    pub(super) fn changes(&mut self, operation: &str) -> Vec<Change> {
        let is_due = |it: &mut Planned| {
            let own = it.operation == operation;
            if own && it.after > 0 {
                it.after -= 1;
                return false;
            }
            own
        };
        let due = self.changes.extract_if(.., is_due);
        due.map(|it| it.change).collect()
    }

    /// What goes wrong with a request that has come in: what was planned first.
    pub(super) fn next(&mut self, operation: &str, target: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|it| {
            let said = target.contains(&it.text) || decoded(target).contains(&it.text);
            it.operation == operation && it.times > 0 && said
        })?;
        let entry = &mut self.faults[at];
        entry.times -= 1;
        Some(entry.fault.clone())
    }
}
