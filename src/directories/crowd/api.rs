//! Which kind of failed read a fault of the client is, and one look-up as whatever was found. No policy.

use crate::client::crowd::{CrowdFault, Session, Who};
use crate::directories::ReadError;
use crate::wire::crowd::{Group, User, json};

impl From<CrowdFault> for ReadError {
    fn from(fault: CrowdFault) -> ReadError {
        let text = fault.to_string();
        match fault {
            CrowdFault::Unreachable(_) | CrowdFault::Busy { .. } => ReadError::Unavailable(text),
            CrowdFault::Cut(_) | CrowdFault::Moved(_) | CrowdFault::Unreadable(_) => {
                ReadError::Incomplete(text)
            }
            CrowdFault::Password(_) | CrowdFault::Address(_) => ReadError::Unauthorised(text),
            CrowdFault::Astray(_) | CrowdFault::Alone(_) => ReadError::Configuration(text),
            CrowdFault::Refused { status, reason, .. } => match status {
                403 => ReadError::Unauthorised(text),
                404 if reason.is_empty() => ReadError::Configuration(text),
                500.. => ReadError::Unavailable(text),
                _ => ReadError::Incomplete(text),
            },
        }
    }
}

/// A user as it is at this moment; `None` where there is none.
///
/// # Errors
/// [`CrowdFault`].
pub(super) async fn user(session: &Session, who: Who<'_>) -> Result<Option<User>, CrowdFault> {
    let Some(body) = session.user(who).await? else {
        return Ok(None);
    };
    let user = json::read_user(&body);
    let user = user.map_err(|it| CrowdFault::Unreadable(format!("look up a user: {it}")))?;
    Ok(Some(user))
}

/// A group as it is at this moment; `None` where there is none.
///
/// # Errors
/// [`CrowdFault`].
pub(super) async fn group(session: &Session, name: &str) -> Result<Option<Group>, CrowdFault> {
    let Some(body) = session.group(name).await? else {
        return Ok(None);
    };
    let group = json::read_group(&body);
    let group = group.map_err(|it| CrowdFault::Unreadable(format!("look up a group: {it}")))?;
    Ok(Some(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_kind_of_failed_read_it_is() {
        fn check(fault: CrowdFault, expect: &str) {
            let text = fault.to_string();
            let error = ReadError::from(fault);
            assert_eq!(error.word(), expect, "{text}");
            assert_eq!(error.to_string(), text);
        }
        let text = || "t".to_owned();
        let refused = |status, reason: &str| CrowdFault::Refused {
            status,
            reason: reason.to_owned(),
            text: text(),
        };
        check(CrowdFault::Unreachable(text()), "unavailable");
        check(
            CrowdFault::Busy {
                status: 503,
                text: text(),
            },
            "unavailable",
        );
        check(CrowdFault::Cut(text()), "incomplete");
        check(CrowdFault::Moved(text()), "incomplete");
        check(CrowdFault::Unreadable(text()), "incomplete");
        check(CrowdFault::Password(text()), "unauthorised");
        check(CrowdFault::Address(text()), "unauthorised");
        check(CrowdFault::Astray(text()), "configuration");
        check(
            refused(403, "APPLICATION_PERMISSION_DENIED"),
            "unauthorised",
        );
        check(refused(404, ""), "configuration");
        check(refused(404, "USER_NOT_FOUND"), "incomplete");
        check(refused(400, "ILLEGAL_ARGUMENT"), "incomplete");
        check(refused(500, ""), "unavailable");
    }
}
