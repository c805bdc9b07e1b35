//! All direct memberships: by the one streamed document of `/group/membership`, or group by group where a server lacks it.

use super::session::Session;
use super::{CrowdFault, Listed};
use crate::wire::crowd::{Group, Membership, MembershipReader, User};

/// The longest document that is taken, in bytes: five million memberships with long names.
const DOCUMENT_MAX: u64 = 1 << 30;

/// By which way the memberships came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In one document.
    Document,
    /// By two calls a group: the server has no such document.
    GroupByGroup,
}

impl Session {
    /// All direct memberships. `groups` are the names of all groups, for a server that must be asked for each. What came before
    /// an error counts for nothing.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn memberships(
        &self,
        groups: impl Iterator<Item = &str>,
        mut each: impl FnMut(Membership<'_>),
    ) -> Result<Way, CrowdFault> {
        if self.membership_document(&mut each).await? {
            return Ok(Way::Document);
        }
        for group in groups {
            self.memberships_of(group, &mut each).await?;
        }
        Ok(Way::GroupByGroup)
    }

    /// Reads the one document; `false` where the server has none.
    async fn membership_document(
        &self,
        each: &mut impl FnMut(Membership<'_>),
    ) -> Result<bool, CrowdFault> {
        let operation = "list memberships";
        let opened = self
            .open(
                operation,
                "/group/membership",
                "application/xml",
                DOCUMENT_MAX,
            )
            .await;
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(fault) if is_lacking(&fault) => return Ok(false),
            Err(fault) => return Err(fault),
        };
        let mut reader = MembershipReader::new();
        let unsound =
            |it: &dyn std::fmt::Display| CrowdFault::Cut(format!("{operation}: {it}; {CUT}"));
        loop {
            let chunk = match stream.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    return Err(match CrowdFault::from(error) {
                        CrowdFault::Cut(text) => CrowdFault::Cut(format!("{text}; {CUT}")),
                        other => other,
                    });
                }
            };
            reader.feed(&chunk, &mut *each).map_err(|it| unsound(&it))?;
        }
        reader.finish().map_err(|it| unsound(&it))?;
        Ok(true)
    }

    /// The members of one group; of one that is gone meanwhile, none.
    async fn memberships_of(
        &self,
        group: &str,
        each: &mut impl FnMut(Membership<'_>),
    ) -> Result<(), CrowdFault> {
        each(Membership::Group(group));
        let mut broken = None;
        let users = self.members(group, |it: Listed<User>| match it {
            Ok(user) => each(Membership::User(&user.name)),
            Err(bad) => broken = Some(bad.reason),
        });
        if is_gone(users.await)? {
            return Ok(());
        }
        let children = self.children(group, |it: Listed<Group>| match it {
            Ok(child) => each(Membership::Child(&child.name)),
            Err(bad) => broken = Some(bad.reason),
        });
        is_gone(children.await)?;
        match broken {
            None => Ok(()),
            Some(reason) => Err(CrowdFault::Unreadable(format!(
                "list the members of a group: a member makes no sense: {reason}"
            ))),
        }
    }
}

/// What an administrator can do about a document that ends too early.
const CUT: &str = "a proxy between here and the server may end long answers: raise its time-out for `/rest/usermanagement`";

fn is_gone(listed: Result<(), CrowdFault>) -> Result<bool, CrowdFault> {
    match listed {
        Ok(()) => Ok(false),
        Err(fault) if fault.is_not_there() => Ok(true),
        Err(fault) => Err(fault),
    }
}

/// Whether a server says that it has no such document: older ones lack the call, and do not say so alike.
fn is_lacking(fault: &CrowdFault) -> bool {
    match fault {
        CrowdFault::Refused { status, reason, .. } => {
            matches!(status, 400 | 404 | 405 | 406 | 501)
                || (*status == 500 && reason == "UNSUPPORTED_OPERATION")
        }
        _ => false,
    }
}
