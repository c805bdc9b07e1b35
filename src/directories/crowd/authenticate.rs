//! Whether a password is a user's: the server is asked, once.
//!
//! The username is looked up by the key at this moment, since the user may have been renamed after the last read, and whoever was
//! let in must have that key: between the two questions the name may have become another's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use super::api;
use super::convert::user_id;
use crate::client::crowd::{Crowd, CrowdFault, Session, Who};
use crate::clock::Clock;
use crate::directories::Authenticator;
use crate::model::Verdict;
use crate::secret;
use crate::wire::crowd::User;

/// Asks a Crowd for passwords.
pub(super) struct CrowdAuthenticator {
    pub crowd: Crowd,
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for CrowdAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CrowdAuthenticator { crowd, clock: _ } = self;
        f.debug_struct("CrowdAuthenticator")
            .field("crowd", crowd)
            .finish_non_exhaustive()
    }
}

impl Authenticator for CrowdAuthenticator {
    fn verify<'a>(
        &'a self,
        id: &'a str,
        password: &'a SecretString,
        limit: Duration,
    ) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            if !secret::may_be_tried(password) {
                return Verdict::Wrong;
            }
            tokio::select! {
                biased;
                verdict = self.ask(id, password) => verdict,
                () = self.clock.sleep(limit) => Verdict::Unavailable(format!(
                    "the server did not say within {} ms whether the password is right",
                    limit.as_millis()
                )),
            }
        })
    }
}

impl CrowdAuthenticator {
    async fn ask(&self, id: &str, password: &SecretString) -> Verdict {
        let session = match self.crowd.session() {
            Ok(session) => session,
            Err(fault) => return unavailable(&fault),
        };
        let user = match look_up(&session, id).await {
            Ok(Some(user)) => user,
            Ok(None) => return Verdict::Unknown,
            Err(fault) => return unavailable(&fault),
        };
        if user.active == Some(false) {
            return Verdict::Inactive;
        }
        match session.authenticate(&user.name, password).await {
            Ok(let_in) if user_id(&let_in) == id => Verdict::Accepted,
            Ok(_) => Verdict::Unavailable(
                "try a password: the server let in somebody else than was asked for".to_owned(),
            ),
            Err(fault) => verdict(&fault),
        }
    }
}

/// The user with an id: a key, or the name of one who has no key.
async fn look_up(session: &Session, id: &str) -> Result<Option<User>, CrowdFault> {
    let by_key = api::user(session, Who::Key(id)).await;
    match by_key {
        Ok(Some(user)) if user.key == id => return Ok(Some(user)),
        // A server that shows no keys knows no question for them either.
        Ok(_) | Err(CrowdFault::Refused { status: 400, .. }) => {}
        Err(fault) => return Err(fault),
    }
    let user = api::user(session, Who::Name(id)).await?;
    Ok(user.filter(|it| user_id(it) == id))
}

/// What a refusal says of the password; anything but the four reasons says nothing of it.
fn verdict(fault: &CrowdFault) -> Verdict {
    match fault.reason() {
        "INVALID_USER_AUTHENTICATION" => Verdict::Wrong,
        "INACTIVE_ACCOUNT" => Verdict::Inactive,
        "EXPIRED_CREDENTIAL" => Verdict::Expired,
        "USER_NOT_FOUND" => Verdict::Unknown,
        _ => unavailable(fault),
    }
}

fn unavailable(fault: &CrowdFault) -> Verdict {
    Verdict::Unavailable(fault.to_string())
}
