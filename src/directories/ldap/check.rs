//! What an administrator wants to know before the first read: can it be reached, may we log in, is what we need to be seen.
//!
//! Everything is read once as a read would do it, since limits and rights show only then. What is not good says what to do.

mod records;
mod server;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use ldap3::Scope;
use tokio::time::timeout;

use self::records::Survey;
use super::api::{Query, Session};
use super::changes::Stop;
use super::changes::stamps::Stamps;
use super::read::Reader;
use super::root::RootDse;
use super::tls::Tls;
use super::url::LdapUrl;
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::model::Finding;
use crate::wire::ldap::sync::SYNC_REQUEST;

/// Asks every server, then reads everything from the first that answers, in the time that a whole read may take.
pub(super) async fn check(reader: &Reader, limit: Duration, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if timeout(limit, ask(reader, now, &mut findings))
        .await
        .is_err()
    {
        findings.push(Finding {
            item: "read".to_owned(),
            text: format!(
                "not complete after {} s; raise `read_timeout`, or ask for less",
                limit.as_secs()
            ),
            good: false,
        });
    }
    findings
}

async fn ask(reader: &Reader, now: Timestamp, findings: &mut Vec<Finding>) {
    let Some(mut session) = reach(reader, findings).await else {
        return;
    };
    if let Err(failure) = reader.log_in(&mut session).await {
        findings.push(bad("bind", &failure));
        return;
    }
    let root = match session.root().await {
        Ok(root) => root,
        Err(failure) => {
            findings.push(bad("server", &failure));
            return;
        }
    };
    session.set_paged(root.takes_pages());
    findings.push(server::login(&mut session, reader, &root).await);
    findings.extend(server::offers(reader, &root));
    let (changes, stamps) = changes(&mut session, reader, &root).await;
    let at = findings.len();
    findings.push(changes);
    let mut survey = Survey::new(reader, stamps, now);
    let users = reader.users.iter().map(|it| ("users", it));
    let groups = reader.groups.iter().map(|it| ("groups", it));
    for (item, query) in users.chain(groups) {
        let base = base(&mut session, &format!("{item} base"), query, reader, &root).await;
        let readable = base.good;
        findings.push(base);
        if readable {
            findings.push(survey.read(&mut session, item, query).await);
        }
    }
    if let Err(failure) = survey.complete(&mut session).await {
        findings.push(bad("groups", &failure));
    }
    if let Err(why) = survey.stamps() {
        findings[at] = untold(&why);
    }
    findings.extend(survey.findings());
    session.close().await;
}

/// How a poll learns what has changed, and what every entry must show for that.
async fn changes(session: &mut Session, reader: &Reader, root: &RootDse) -> (Finding, Stamps) {
    let begun = reader.begin(session, root).await;
    let stamps = Stamps::needed_by(begun.as_ref().ok().and_then(Option::as_ref), root.vendor);
    let finding = match begun {
        Ok(place) => {
            let text = server::changes(reader.incremental, place.as_ref());
            good("changes", text)
        }
        Err(Stop::Failed(failure)) => bad("changes", &failure),
        Err(Stop::Doubt(why)) => Finding {
            // A server that offers it and does not do it lacks something.
            good: reader.untold().is_some()
                || !(root.offers(SYNC_REQUEST) && reader.knows_by_uuid(root.vendor)),
            ..untold(&why)
        },
    };
    (finding, stamps)
}

fn untold(why: &str) -> Finding {
    Finding {
        item: "changes".to_owned(),
        text: format!("every poll reads everything: {why}"),
        good: false,
    }
}

/// A connection to the first server that answers, and a finding for each of them.
async fn reach(reader: &Reader, findings: &mut Vec<Finding>) -> Option<Session> {
    let mut session = None;
    for url in &reader.urls {
        match Session::open(url, reader.tls.as_ref(), reader.timeout).await {
            Ok(opened) => {
                let secured = secured(url, reader.tls.as_ref());
                findings.push(good("reach", format!("{url} answers{secured}")));
                session.get_or_insert(opened);
            }
            Err(failure) => findings.push(bad("reach", &failure)),
        }
    }
    session
}

/// What protects a connection that was made, behind `… answers`.
fn secured(url: &LdapUrl, tls: Option<&Tls>) -> &'static str {
    if url.is_socket() {
        " on a socket of this machine"
    } else if url.is_tls() {
        ", and its certificate is trusted"
    } else if tls.is_some_and(|it| it.starttls) {
        " and began TLS (StartTLS), and its certificate is trusted"
    } else {
        " in plain text"
    }
}

/// Whether the base itself can be read.
async fn base(
    session: &mut Session,
    item: &str,
    query: &Query,
    reader: &Reader,
    root: &RootDse,
) -> Finding {
    let itself = Query {
        scope: Scope::Base,
        filter: "(objectClass=*)".to_owned(),
        // RFC 4511, section 4.5.1.8: no attributes.
        attributes: vec!["1.1".to_owned()],
        ..query.clone()
    };
    match session
        .search_unpaged(&itself, &reader.limits, |_| {})
        .await
    {
        Ok(answered) if answered.entries == 0 => Finding {
            item: item.to_owned(),
            text: format!(
                "`{}` is hidden from this login: give it the right to read",
                query.base
            ),
            good: false,
        },
        Ok(_) => good(item, format!("`{}` can be read", query.base)),
        Err(failure) => {
            let mut finding = bad(item, &failure);
            if !root.naming_contexts.is_empty() {
                let held = root.naming_contexts.join("`, `");
                let _ = write!(finding.text, "; the server holds `{held}`");
            }
            finding
        }
    }
}

fn good(item: &str, text: impl Into<Cow<'static, str>>) -> Finding {
    Finding {
        item: item.to_owned(),
        text: text.into().into_owned(),
        good: true,
    }
}

fn bad(item: &str, failure: &ReadError) -> Finding {
    Finding {
        item: item.to_owned(),
        text: failure.to_string(),
        good: false,
    }
}
