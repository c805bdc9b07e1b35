//! The calls: connect, bind, search in pages. No policy but that an answer is whole or an error.
//!
//! ldap3 has an adapter for paging; it is not used, since it goes on over a page whose result code is not 0 and, after a
//! failure between two pages, its stream ends with the success of the page before. Here each page is a search of its own:
//! its entries are taken, then its result code must be 0, then its cookie says whether another page follows. The first
//! thing that is wrong ends the read.

mod login;

use std::time::Duration;

use ldap3::controls::{Control, PagedResults, RawControl};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, StdStream};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::convert::{self, Entry};
use super::fault::{self, Step};
use super::limits::{Budget, Limits};
use super::root::PAGED_RESULTS;
use super::tls::Tls;
use super::transport::{Ending, Transport};
use super::url::LdapUrl;
use crate::directories::ReadError;
use crate::wire::ldap::ber::NotBer;
use crate::wire::ldap::sync;

/// How long the driver of a connection may take to say why it ended, once it has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// What the library is told of where it is connected: one end of a socket pair.
const NEAR: &str = "ldapi:///";

/// One connection to one server. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Session {
    ldap: Ldap,
    driver: AbortOnDropHandle<ldap3::result::Result<()>>,
    transport: Transport,
    server: String,
    timeout: Duration,
    /// Whether pages are asked for.
    paged: bool,
}

/// What is asked, below which base.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// What it is about, for messages: `users`.
    pub subject: &'static str,
    /// The entry to start from.
    pub base: String,
    /// That entry alone, or everything below it too.
    pub scope: Scope,
    /// Which entries, as in RFC 4515.
    pub filter: String,
    /// Which attributes of them.
    pub attributes: Vec<String>,
    /// How many entries a page may hold.
    pub page_size: u32,
}

/// What a search brought beside its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    /// Entries handed out.
    pub entries: u64,
    /// References to other servers, which are never followed: they would be sent the bind password.
    pub referrals: u64,
}

/// One thing that a search brings.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    /// An entry, with what the server says beside it.
    Entry(Entry<'a>, &'a [Control]),
    /// An intermediate message (RFC 4511, section 4.13): its name and its value.
    Info(&'a [u8], &'a [u8]),
}

/// How one search ended: with success.
pub(super) struct Page {
    pub entries: u64,
    pub referrals: u64,
    pub result: LdapResult,
}

impl Item<'_> {
    fn size(&self) -> usize {
        match self {
            Item::Entry(entry, _) => entry.size(),
            Item::Info(_, value) => value.len(),
        }
    }

    /// As how many entries it counts: a message that names entries by their ids, as all that could stand in it.
    fn entries(&self) -> u64 {
        match self {
            Item::Info(name, value) if *name == sync::SYNC_INFO.as_bytes() => {
                (value.len() / sync::SYNC_UUID_BYTES).max(1) as u64
            }
            Item::Entry(..) | Item::Info(..) => 1,
        }
    }
}

impl Session {
    /// Dials the server and, with TLS, makes sure who it is.
    ///
    /// # Errors
    /// Unavailable, or a certificate that is not trusted ([`ReadError::Configuration`]).
    pub(super) async fn open(
        url: &LdapUrl,
        tls: Option<&Tls>,
        limit: Duration,
    ) -> Result<Session, ReadError> {
        let server = url.to_string();
        let what = format!("connecting to {server}");
        let connected = Transport::connect(url, tls, limit).await;
        let (transport, near) =
            connected.map_err(|fault| fault::not_connected(&what, limit.as_secs(), &fault))?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(near));
        let library = LdapConnAsync::with_settings(settings, NEAR).await;
        let (connection, ldap) = library
            .map_err(|error| fault::failed(Step::Connect, &what, limit.as_secs(), &error))?;
        Ok(Session {
            ldap,
            driver: AbortOnDropHandle::new(tokio::spawn(connection.drive())),
            transport,
            server,
            timeout: limit,
            paged: true,
        })
    }

    /// Asks for pages or not, from now on. A server must refuse a critical control that it does not offer, and some end the
    /// connection at any.
    pub(super) fn set_paged(&mut self, paged: bool) {
        self.paged = paged;
    }

    /// Hands every entry that answers the query to `each`, page by page.
    ///
    /// # Errors
    /// Anything that makes the answer doubtful or incomplete, limits included.
    pub(super) async fn search(
        &mut self,
        query: &Query,
        limits: &Limits,
        each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        self.search_with(query, limits, &[], each).await
    }

    /// The same with further controls.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub(super) async fn search_with(
        &mut self,
        query: &Query,
        limits: &Limits,
        further: &[RawControl],
        mut each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        let what = self.reading(query);
        let mut budget = Budget::new(*limits);
        let mut answered = Answered::default();
        let mut cookie = Vec::new();
        loop {
            let mut controls = further.to_vec();
            if self.paged {
                controls.push(page_of(query, cookie.clone()));
            }
            let page = self
                .answers(query, &what, controls, &mut budget, &mut entries(&mut each))
                .await?;
            answered.entries += page.entries;
            answered.referrals += page.referrals;
            let first = cookie.is_empty();
            cookie = match next_cookie(&page.result) {
                Ok(Some(next)) => next,
                // A server without paging leaves the control away from its first answer, not from a later one.
                Ok(None) if first => return Ok(answered),
                Ok(None) | Err(NotBer) => return Err(fault::senseless(&what)),
            };
            if cookie.is_empty() {
                return Ok(answered);
            }
            budget
                .page(page.entries)
                .map_err(|over| ReadError::Incomplete(format!("{what}: {over}")))?;
        }
    }

    /// Hands the entries of the first page alone to `each`, asked for with these controls and that of paging.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub(super) async fn first_page_with(
        &mut self,
        query: &Query,
        limits: &Limits,
        mut controls: Vec<RawControl>,
        mut each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        let what = self.reading(query);
        let mut budget = Budget::new(*limits);
        if self.paged {
            controls.push(page_of(query, Vec::new()));
        }
        let page = self
            .answers(query, &what, controls, &mut budget, &mut entries(&mut each))
            .await?;
        Ok(Answered {
            entries: page.entries,
            referrals: page.referrals,
        })
    }

    /// Hands every entry that answers the query to `each`, without asking for pages: for few entries, or one.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub(super) async fn search_unpaged(
        &mut self,
        query: &Query,
        limits: &Limits,
        mut each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        let what = self.reading(query);
        let mut budget = Budget::new(*limits);
        let page = self
            .answers(
                query,
                &what,
                Vec::new(),
                &mut budget,
                &mut entries(&mut each),
            )
            .await?;
        Ok(Answered {
            entries: page.entries,
            referrals: page.referrals,
        })
    }

    /// Says goodbye and closes. Whatever goes wrong with that is of no interest: the answers are there.
    pub(super) async fn close(self) {
        let Session {
            mut ldap,
            driver,
            transport,
            ..
        } = self;
        let goodbye = async {
            let _ = ldap.unbind().await;
            drop(driver);
            transport.closed().await;
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }

    pub(super) fn reading(&self, query: &Query) -> String {
        let Query { subject, base, .. } = query;
        format!("reading {subject} below `{base}` from {}", self.server)
    }

    /// One search and everything that it brings.
    pub(super) async fn answers(
        &mut self,
        query: &Query,
        what: &str,
        controls: Vec<RawControl>,
        budget: &mut Budget,
        each: &mut (impl FnMut(Item<'_>) -> Result<(), NotBer> + Send),
    ) -> Result<Page, ReadError> {
        self.ldap.with_timeout(self.timeout).with_controls(controls);
        let (base, filter) = (&query.base, &query.filter);
        let attributes = query.attributes.as_slice();
        let started = self
            .ldap
            .streaming_search(base, query.scope, filter, attributes)
            .await;
        let mut stream = match started {
            Ok(stream) => stream,
            Err(error) => return Err(self.explain(Step::Search, what, &error).await),
        };
        let (mut entries, mut referrals) = (0, 0);
        loop {
            let item = stream.next().await;
            self.transport.took();
            let item = match item {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(error) => return Err(self.explain(Step::Search, what, &error).await),
            };
            if item.is_ref() {
                referrals += 1;
                continue;
            }
            let answer = if item.is_intermediate() {
                convert::intermediate(&item.0).map(|(name, value)| Item::Info(name, value))
            } else {
                Entry::of(&item.0).map(|it| Item::Entry(it, &item.1))
            };
            let answer = answer.ok_or_else(|| fault::senseless(what))?;
            budget
                .entries(answer.entries(), answer.size())
                .map_err(|over| ReadError::Incomplete(format!("{what}: {over}")))?;
            entries += u64::from(matches!(answer, Item::Entry(..)));
            each(answer).map_err(|NotBer| fault::senseless(what))?;
        }
        let result = stream.finish().await;
        if result.rc != 0 {
            return Err(fault::refused(Step::Search, what, &result));
        }
        Ok(Page {
            entries,
            referrals,
            result,
        })
    }

    /// Why a call failed; when the connection ended, what its driver has to say about that.
    async fn explain(&mut self, step: Step, what: &str, error: &LdapError) -> ReadError {
        let ended = matches!(
            error,
            LdapError::EndOfStream
                | LdapError::OpSend { .. }
                | LdapError::ResultRecv { .. }
                | LdapError::IdScrubSend { .. }
        );
        if !ended {
            return fault::failed(step, what, self.timeout.as_secs(), error);
        }
        let last_words = timeout(LAST_WORDS, &mut self.driver).await;
        match self.transport.ending() {
            Some(Ending::Refused(fault)) => return fault::guarded(step, what, fault),
            Some(Ending::Failed(cause)) => return fault::lost(step, what, Some(cause)),
            Some(Ending::Closed) | None => {}
        }
        match last_words {
            // ldap3 panics at what it does not know; the guard lets nothing of that pass that is known to do it.
            Ok(Err(panicked)) if panicked.is_panic() => fault::senseless(what),
            _ => fault::lost(step, what, None),
        }
    }
}

/// Takes the entries alone.
fn entries(
    each: &mut (impl FnMut(&Entry<'_>) + Send),
) -> impl FnMut(Item<'_>) -> Result<(), NotBer> + Send {
    |item| {
        if let Item::Entry(entry, _) = item {
            each(&entry);
        }
        Ok(())
    }
}

/// Asks for the page that a cookie stands for; for the first one if it is empty.
fn page_of(query: &Query, cookie: Vec<u8>) -> RawControl {
    let size = query.page_size.cast_signed();
    RawControl::from(PagedResults { size, cookie })
}

/// The cookie under which the next page can be had, empty after the last one; `None` when the server does not page.
fn next_cookie(result: &LdapResult) -> Result<Option<Vec<u8>>, NotBer> {
    let mut controls = result.ctrls.iter().map(|control| &control.1);
    let Some(control) = controls.find(|it| it.ctype == PAGED_RESULTS) else {
        return Ok(None);
    };
    let value = control.val.as_deref().ok_or(NotBer)?;
    sync::paging_cookie(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ldap::ber;

    #[test]
    fn a_message_that_names_entries_counts_as_many() {
        fn check(name: &str, ids: usize, at_least: u64, at_most: u64) {
            let ids = ber::write(ber::OCTETS, &[7; 16]).repeat(ids);
            let set = ber::write(0xa3, &ber::write(ber::SET, &ids));
            let counted = Item::Info(name.as_bytes(), &set).entries();
            assert!((at_least..=at_most).contains(&counted), "{counted}");
        }
        check(sync::SYNC_INFO, 0, 1, 1);
        check(sync::SYNC_INFO, 1, 1, 2);
        check(sync::SYNC_INFO, 10_000, 10_000, 10_001);
        check("1.2", 10_000, 1, 1);
    }
}
