//! All direct memberships: by the one streamed document of `/group/membership`, or group by group where a server lacks it.

use hashbrown::HashSet;

use super::session::Session;
use super::{CrowdFault, Listed};
use crate::text;
use crate::wire::crowd::{Group, Membership, MembershipReader, User, XmlFault};

/// The longest document that is taken, in bytes: five million memberships with long names.
const DOCUMENT_MAX: u64 = 1 << 30;

/// By which way the memberships came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In one document, but for so many groups that it lacks: two calls each.
    Document(usize),
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
        let mut named = HashSet::new();
        let mut note = |it: Membership<'_>| {
            if let Membership::Group(name) = it {
                named.insert(text::fold(name));
            }
            each(it);
        };
        if !self.membership_document(&mut note).await? {
            for group in groups {
                self.memberships_of(group, &mut each).await?;
            }
            return Ok(Way::GroupByGroup);
        }
        // A group that the document does not name has not lost its members by that.
        let mut lacking = 0;
        for group in groups.filter(|it| !named.contains(text::folded(it).as_ref())) {
            self.memberships_of(group, &mut each).await?;
            lacking += 1;
        }
        Ok(Way::Document(lacking))
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
        let unsound = |it: XmlFault| match it {
            XmlFault::Cut => CrowdFault::Cut(format!("{operation}: {it}; {CUT}")),
            it => CrowdFault::Unreadable(format!("{operation}: {it}")),
        };
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
            reader.feed(&chunk, &mut *each).map_err(unsound)?;
        }
        reader.finish().map_err(unsound)?;
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
