//! What has changed since a token.
//!
//! Events are told differently by every server, and servers were known to tell them wrongly. So an event says only whom to ask
//! for: users by their key, groups by their name, each with their memberships as they are now. What was asked holds if nothing
//! has happened meanwhile; else everybody concerned is asked again. Whatever does not fit is a reason to read everything.

mod ask;
mod concerned;

use self::concerned::Concerned;
use crate::client::crowd::{CrowdFault, Session};
use crate::directories::ReadError;
use crate::model::Delta;
use crate::wire::crowd::Events;

/// How often everybody concerned is asked, while others go on changing them.
const ROUNDS_MAX: usize = 3;

/// What has changed, and from where to ask next.
#[derive(Debug)]
pub(super) struct Changes {
    pub delta: Delta,
    pub token: String,
    pub notes: Vec<String>,
}

/// Why there are no changes to be had.
#[derive(Debug)]
pub(super) enum Stop {
    /// Everything must be read; why.
    Doubt(String),
    /// The read has failed.
    Failed(ReadError),
}

impl From<CrowdFault> for Stop {
    /// A server that does not answer would not answer for everything either; one that answers strangely may.
    fn from(fault: CrowdFault) -> Stop {
        match fault {
            CrowdFault::Refused { .. } | CrowdFault::Moved(_) | CrowdFault::Unreadable(_) => {
                Stop::Doubt(format!("the server cannot tell what has changed: {fault}"))
            }
            other => Stop::Failed(other.into()),
        }
    }
}

/// Asks for everybody whom the events since a token concern. `extra` are the further attributes of users that are wanted.
///
/// # Errors
/// [`Stop`].
pub(super) async fn read(
    session: &Session,
    token: &str,
    extra: &[String],
) -> Result<Changes, Stop> {
    let mut changes = Changes {
        delta: Delta::default(),
        token: token.to_owned(),
        notes: Vec::new(),
    };
    let mut concerned = Concerned::default();
    for _ in 0..=ROUNDS_MAX {
        let events = session.events_since(&changes.token).await?;
        changes.notes.extend(check(&events)?);
        changes.token = events.token;
        if events.events.is_empty() {
            return Ok(changes);
        }
        for event in events.events {
            concerned.take(event)?;
        }
        changes.delta = ask::anew(session, &concerned, extra).await?;
    }
    Err(Stop::Doubt(
        "changes came faster than those concerned could be asked for".to_owned(),
    ))
}

/// Whether these events are all there is to know. What is passed over is told.
fn check(events: &Events) -> Result<Option<String>, Stop> {
    if events.available != Some(true) {
        let text = "the server says that it cannot tell what has changed";
        return Err(Stop::Doubt(text.to_owned()));
    }
    if events.token.is_empty() {
        let text = "the server does not say from where to ask next";
        return Err(Stop::Doubt(text.to_owned()));
    }
    // Aliases are no concern of ours. What else is not understood may hide anything.
    let (aliases, others): (Vec<&String>, Vec<&String>) =
        events.unknown.iter().partition(|it| it.contains("alias"));
    if let Some(kind) = others.first() {
        let kind: String = kind
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40)
            .collect();
        let text = format!("the server tells changes of an unknown kind, `{kind}`");
        return Err(Stop::Doubt(text));
    }
    let count = aliases.len();
    Ok((count > 0).then(|| format!("changes of aliases, passed over: {count}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_that_tell_all_are_enough() {
        fn check_one(change: impl FnOnce(&mut Events), expect: Result<Option<&str>, &str>) {
            let mut events = Events {
                token: "t".to_owned(),
                available: Some(true),
                ..Events::default()
            };
            change(&mut events);
            match (check(&events), expect) {
                (Ok(note), Ok(expect)) => assert_eq!(note.as_deref(), expect),
                (Err(Stop::Doubt(why)), Err(expect)) => assert!(why.contains(expect), "{why}"),
                (found, expect) => panic!("{found:?} instead of {expect:?}"),
            }
        }
        check_one(|_| (), Ok(None));
        check_one(|it| it.available = None, Err("cannot tell"));
        check_one(|it| it.available = Some(false), Err("cannot tell"));
        check_one(|it| it.token.clear(), Err("where to ask next"));
        check_one(
            |it| it.unknown.push("auditevent".to_owned()),
            Err("`auditevent`"),
        );
        let aliases = |it: &mut Events| it.unknown.push("aliasevent".to_owned());
        check_one(aliases, Ok(Some("changes of aliases, passed over: 1")));
    }
}
