//! Active Directory: which objects have changed, and what they are now.
//!
//! Both of its ways of telling changes serve here for one thing only: to learn *which* objects changed. `DirSync` brings the
//! changed attributes alone, and change numbers say nothing of them at all; so every changed object is asked for anew, with
//! the questions of a complete read, by its `objectGUID`. What no longer answers them is gone from here.
//!
//! * **`DirSync`** needs the right *Replicating Directory Changes*. Its flag for readers without it is not used: such a
//!   reader is not shown what was deleted. Samba shows that by the rights to the container of deleted objects even then.
//! * **Change numbers** (`uSNChanged`) are counted by each domain controller for itself and begin anew when it is restored.
//!   Deleted objects are shown to who may read their container.

use std::collections::BTreeSet;

use ldap3::Scope;
use ldap3::controls::RawControl;

use super::objects::{Objects, WHICH, domain_query};
use super::{Changed, NO_ATTRIBUTES, Stop, doubt, value};
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::directories::ldap::api::{Item, Query, Session};
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::cursor::{Octets, Place, Usn};
use crate::directories::ldap::limits::Budget;
use crate::directories::ldap::read::Reader;
use crate::directories::ldap::root::{RootDse, SHOW_DELETED, Vendor};
use crate::wire::ldap::ber::NotBer;
use crate::wire::ldap::dn::Dn;
use crate::wire::ldap::filter;
use crate::wire::ldap::gather::Attributes as _;
use crate::wire::ldap::ranges;
use crate::wire::ldap::sync::{self, DirSyncDone};

/// How often `DirSync` may say that there is more.
const ROUNDS_MAX: usize = 1_000;

impl Reader {
    /// Where changes can be told from, from now on.
    pub(super) async fn begin_active_directory(
        &self,
        session: &mut Session,
        root: &RootDse,
    ) -> Result<Place, Stop> {
        let Some(domain) = self.domain(root) else {
            return Err(doubt(
                "changes of Active Directory are told of records that stand in one domain and are known by `objectGUID`: map that \
                 as `id`, and make each domain a directory of its own",
            ));
        };
        let shows_deleted = self.shows_deleted(session, &domain).await?;
        if root.offers(sync::DIR_SYNC) && (shows_deleted || !root.is_samba) {
            // Whatever is asked for, the cookie tells how far the domain is.
            let nothing = domain_query(
                &domain,
                "(objectClass=domainDNS)",
                WHICH.map(str::to_owned).to_vec(),
            );
            match self
                .dir_sync(session, &nothing, Vec::new(), |_| Ok(()))
                .await
            {
                Ok(cookie) => return Ok(Place::DirSync(Octets(cookie))),
                Err(Stop::Failed(error)) => return Err(Stop::Failed(error)),
                // The reader lacks the right.
                Err(Stop::Doubt(_)) => {}
            }
        }
        if !shows_deleted {
            return Err(doubt(if root.is_samba {
                "this login is not shown what was deleted (or nothing ever was): let it read `CN=Deleted Objects`, without which \
                 Samba tells of no deletion"
            } else {
                "this login has neither the right `Replicating Directory Changes` nor is it shown what was deleted: give it that \
                 right, or let it read `CN=Deleted Objects`"
            }));
        }
        let last = self.last_change(session, root).await?;
        last.map(Place::Usn).ok_or_else(|| {
            doubt("the domain controller does not show how far it is: let this login read `invocationId` of its settings")
        })
    }

    /// What changed since the cookie was given.
    pub(super) async fn dir_synced(
        &self,
        session: &mut Session,
        cookie: &Octets,
        now: Timestamp,
    ) -> Result<Changed<'_>, Stop> {
        let root = session.root().await?;
        let domain = self.domain(&root).ok_or_else(no_domain)?;
        if root.is_samba && !self.shows_deleted(session, &domain).await? {
            return Err(hides_deleted());
        }
        let queries = self.users.iter().chain(&self.groups);
        // What no attribute that is asked for shows is not told: of a record that comes to answer a filter, the attribute in
        // the filter; of a rename, the name.
        let mut asked: BTreeSet<String> = queries
            .flat_map(|it| [it.attributes.clone(), filter::attributes(&it.filter)].concat())
            .collect();
        asked.extend([WHICH[0], WHICH[1], "name", "cn"].map(str::to_owned));
        asked.remove(ranges::VERSION);
        let query = domain_query(&domain, "(objectClass=*)", asked.into_iter().collect());
        let mut objects = Objects::default();
        let cookie = self
            .dir_sync(session, &query, cookie.0.clone(), |entry| {
                objects.take(entry)
            })
            .await?;
        self.fetch(
            session,
            &domain,
            &objects,
            now,
            Place::DirSync(Octets(cookie)),
        )
        .await
    }

    /// What changed since that change of that domain controller.
    pub(super) async fn since_change(
        &self,
        session: &mut Session,
        last: &Usn,
        now: Timestamp,
    ) -> Result<Changed<'_>, Stop> {
        let root = session.root().await?;
        let domain = self.domain(&root).ok_or_else(no_domain)?;
        if !self.shows_deleted(session, &domain).await? {
            return Err(hides_deleted());
        }
        let newest = self.last_change(session, &root).await?;
        let newest = newest.ok_or_else(|| doubt("the server no longer shows how far it is"))?;
        if (&newest.service, &newest.invocation) != (&last.service, &last.invocation) {
            return Err(doubt(
                "another domain controller answers than the last time, or it was restored from a backup",
            ));
        }
        if newest.highest < last.highest {
            return Err(doubt(
                "the domain controller counts fewer changes than before",
            ));
        }
        let mut objects = Objects::default();
        if newest.highest > last.highest {
            let filter = format!("(uSNChanged>={})", last.highest + 1);
            let attributes = WHICH.map(str::to_owned).to_vec();
            let query = domain_query(&domain, &filter, attributes);
            let query = Query {
                page_size: self.users[0].page_size,
                ..query
            };
            let mut nameless = false;
            let take = |entry: &Entry<'_>| nameless |= objects.take(entry).is_err();
            session
                .search_with(&query, &self.limits, &[show_deleted()], take)
                .await?;
            if nameless {
                return Err(doubt("a changed object shows no objectGUID"));
            }
        }
        self.fetch(session, &domain, &objects, now, Place::Usn(newest))
            .await
    }

    /// The last change of the domain controller that answers; `None` where it does not show all that is needed.
    async fn last_change(
        &self,
        session: &mut Session,
        root: &RootDse,
    ) -> Result<Option<Usn>, Stop> {
        let (Some(highest), service) = (root.highest_committed_usn, &root.ds_service_name) else {
            return Ok(None);
        };
        let settings = Query {
            scope: Scope::Base,
            ..domain_query(service, "(objectClass=*)", vec!["invocationid".to_owned()])
        };
        let mut invocation = None;
        let take = |entry: &Entry<'_>| {
            invocation = entry.values("invocationid").next().map(<[u8]>::to_vec);
        };
        let read = session.search_unpaged(&settings, &self.limits, take).await;
        unless_unavailable(read.map(|_| ()))?;
        let usn = |invocation| Usn {
            service: service.clone(),
            invocation: Octets(invocation),
            highest,
        };
        Ok(invocation.map(usn))
    }

    /// Whether this login is shown what was deleted. The container of it is visible to many who do not see what is in there, so
    /// only something that was deleted proves it; where nothing ever was, nothing is proven.
    async fn shows_deleted(&self, session: &mut Session, domain: &str) -> Result<bool, Stop> {
        let base = format!("CN=Deleted Objects,{domain}");
        let one = Query {
            scope: Scope::OneLevel,
            page_size: 1,
            ..domain_query(&base, "(isDeleted=TRUE)", vec![NO_ATTRIBUTES.to_owned()])
        };
        let mut shown = false;
        let read = session
            .first_page_with(&one, &self.limits, vec![show_deleted()], |_| shown = true)
            .await;
        unless_unavailable(read.map(|_| ()))?;
        Ok(shown)
    }

    /// Searches with the control until the server has told everything, and gives the cookie.
    async fn dir_sync(
        &self,
        session: &mut Session,
        query: &Query,
        mut cookie: Vec<u8>,
        mut each: impl FnMut(&Entry<'_>) -> Result<(), NotBer> + Send,
    ) -> Result<Vec<u8>, Stop> {
        let what = session.reading(query);
        let mut budget = Budget::new(self.limits);
        for _ in 0..ROUNDS_MAX {
            let control = RawControl {
                ctype: sync::DIR_SYNC.to_owned(),
                crit: true,
                val: Some(sync::dir_sync_request(&cookie)),
            };
            let mut take = |item: Item<'_>| match item {
                Item::Entry(entry, _) => each(&entry),
                Item::Info(..) => Ok(()),
            };
            let page = session
                .answers(query, &what, vec![control], &mut budget, &mut take)
                .await?;
            let done = value(&page.result.ctrls, sync::DIR_SYNC);
            let done = done.and_then(|it| DirSyncDone::read(it).ok());
            let done =
                done.ok_or_else(|| doubt(format!("{what}: the end of the changes is missing")))?;
            cookie = done.cookie;
            if !done.more {
                return Ok(cookie);
            }
        }
        Err(doubt(format!(
            "{what}: the server tells of changes without end"
        )))
    }

    /// The domain in which all records stand; `None` where their ids are not those of Active Directory, or where they stand in
    /// several.
    fn domain(&self, root: &RootDse) -> Option<String> {
        if self.known_by() != Vendor::ActiveDirectory {
            return None;
        }
        let bases: Option<Vec<Dn>> = self
            .records()
            .map(|(_, it)| Dn::parse(&it.base).ok())
            .collect();
        let bases = bases?;
        let held =
            |it: &&String| Dn::parse(it).is_ok_and(|top| bases.iter().all(|it| it.is_under(&top)));
        let mut domains = root.naming_contexts.iter().filter(held).collect::<Vec<_>>();
        // One below the other are two domains; the records stand in the lower one.
        domains.sort_by_key(|it| it.len());
        domains.pop().cloned()
    }
}

fn show_deleted() -> RawControl {
    RawControl {
        ctype: SHOW_DELETED.to_owned(),
        crit: true,
        val: None,
    }
}

fn hides_deleted() -> Stop {
    doubt("this login may no longer see what was deleted")
}

fn no_domain() -> Stop {
    doubt("the server no longer says which domain it holds")
}

/// A refusal is an answer here: what was asked for is not shown.
fn unless_unavailable(read: Result<(), ReadError>) -> Result<(), Stop> {
    match read {
        Err(error @ ReadError::Unavailable(_)) => Err(Stop::Failed(error)),
        _ => Ok(()),
    }
}
