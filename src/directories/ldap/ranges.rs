//! Fetching what is missing of groups whose members came in part.

use std::sync::Mutex;

use ldap3::Scope;

use super::api::{Query, Session};
use super::limits::Limits;
use super::read::with;
use crate::directories::ReadError;
use crate::wire::ldap::gather::Gatherer;
use crate::wire::ldap::ranges::Cut;

/// Asks for the rest of every group of which the gatherer has a part, one question a part. A group that is gone meanwhile, that
/// the server does not give in full, or whose parts do not fit together, is left as it is: unknown.
///
/// # Errors
/// The connection failed, or there are more parts than pages may be.
pub(super) async fn complete(
    session: &mut Session,
    limits: &Limits,
    gatherer: &Mutex<Gatherer<'_>>,
) -> Result<(), ReadError> {
    let mut asked = 0;
    for cut in with(gatherer, |it| it.cuts()) {
        let mut next = Some(cut);
        while let Some(cut) = next {
            asked += 1;
            if asked > limits.pages {
                return Err(ReadError::Incomplete(format!(
                    "reading the members of groups: more than {} parts; the server sends parts without end",
                    limits.pages
                )));
            }
            next = part(session, limits, gatherer, &cut).await?;
        }
    }
    Ok(())
}

/// Asks for one part, and tells what is missing then.
async fn part(
    session: &mut Session,
    limits: &Limits,
    gatherer: &Mutex<Gatherer<'_>>,
    cut: &Cut,
) -> Result<Option<Cut>, ReadError> {
    let query = Query {
        subject: "members",
        base: cut.dn.clone(),
        scope: Scope::Base,
        filter: "(objectClass=*)".to_owned(),
        attributes: cut.asked(),
        page_size: 1,
    };
    let mut next = None;
    let mut entries = 0_u64;
    let answer = session
        .search_unpaged(&query, limits, |entry| {
            entries += 1;
            if entries == 1 {
                next = with(gatherer, |it| it.rest(cut, entry));
            }
        })
        .await;
    match answer {
        Ok(_) => Ok(next),
        Err(failure @ ReadError::Unavailable(_)) => Err(failure),
        // The server refused this one question, mostly since the group is gone.
        Err(_) => Ok(None),
    }
}
