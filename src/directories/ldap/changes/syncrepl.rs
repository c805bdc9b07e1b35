//! Content synchronisation (RFC 4533, `refreshOnly`), as OpenLDAP and 389 Directory Server really do it.
//!
//! The document leaves open how a server tells what is gone: by naming it, or by naming all that is left. What real servers
//! make of it differs further:
//!
//! * An end without a cookie means that nothing changed, and that the old cookie is to be kept.
//! * 389 Directory Server says in every answer that it named what is left, also where it named nothing. So what was not
//!   named counts as gone only where something was.
//! * OpenLDAP answers a cookie that it cannot read with everything, and gives an empty one: a doubt.
//! * Neither says that the set is whole when a limit ends it; the result code does, and is a doubt.

use std::collections::BTreeSet;

use ldap3::Scope;
use ldap3::controls::RawControl;

use super::stamps::Stamps;
use super::{Changed, NO_ATTRIBUTES, PLACES, Stop, Subject, doubt, place_changed, product, value};
use crate::clock::Timestamp;
use crate::directories::ldap::api::{Item, Query, Session};
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::cursor::{Cookies, Octets, Place};
use crate::directories::ldap::limits::Budget;
use crate::directories::ldap::read::Reader;
use crate::directories::ldap::root::{RootDse, Vendor};
use crate::model::RecordKind;
use crate::wire::ldap::ber::NotBer;
use crate::wire::ldap::gather::{Attributes as _, Gatherer};
use crate::wire::ldap::sync::{self, EntryState, SyncDone, SyncInfo, SyncState, SyncUuid};

/// The server answered the question where to begin, and named no place.
const NO_COOKIE: &str = "the server does not say by syncrepl how far it is: with OpenLDAP, configure the overlay `syncprov` on the \
    database; with 389 Directory Server, see whether the plug-ins work";

/// How many places a cursor holds: it is written after every read.
const PLACES_MAX: usize = 10_000;

/// What one search brought.
#[derive(Debug, Default)]
struct Synced {
    /// Entries that came whole.
    changed: u64,
    gone: Vec<SyncUuid>,
    /// Entries that are there as they were.
    present: Vec<SyncUuid>,
    /// All that is left was named, if only by saying so.
    listed: bool,
    /// The last word is that what is gone was named.
    refresh_deletes: bool,
    cookie: Option<Vec<u8>>,
    referrals: u64,
}

impl Reader {
    /// Where content synchronisation can begin, if the ids of the records are those that it names.
    pub(super) async fn begin_syncrepl(
        &self,
        session: &mut Session,
        root: &RootDse,
    ) -> Result<Place, Stop> {
        if !root.offers(sync::SYNC_REQUEST) {
            return Err(doubt(
                "the server offers no syncrepl (OpenLDAP: load the overlay `syncprov`; 389 Directory Server: switch the plug-ins \
                 Content Synchronization and Retro Changelog on)",
            ));
        }
        if !self.knows_by_uuid(root.vendor) {
            return Err(doubt(
                "syncrepl names records by another `id` than the mapped one: map `entryUUID` (OpenLDAP) or `nsUniqueId` (389 \
                 Directory Server)",
            ));
        }
        let of_one_database = root.vendor == Vendor::OpenLdap && root.naming_contexts.len() == 1;
        let mut each: Vec<Octets> = Vec::new();
        let mut places = BTreeSet::new();
        for (subject, query) in self.asked() {
            let known = each.first().filter(|_| of_one_database).cloned();
            let cookie = match (subject, known) {
                (Subject::Places, known) => {
                    let cookie = self
                        .begin_places(session, root, &query, &mut places)
                        .await?;
                    known.unwrap_or(cookie)
                }
                (Subject::Records(_), Some(known)) => known,
                (Subject::Records(_), None) => self.begin_one(session, root, &query).await?,
            };
            each.push(cookie);
        }
        if places.len() > PLACES_MAX {
            return Err(doubt(format!(
                "more than {PLACES_MAX} entries have others below them: narrow the bases"
            )));
        }
        Ok(Place::Syncrepl(Cookies {
            each,
            places: Octets(places.into_iter().flatten().collect()),
            of_one_database,
        }))
    }

    /// How far the server is with one of the searches for records.
    async fn begin_one(
        &self,
        session: &mut Session,
        root: &RootDse,
        query: &Query,
    ) -> Result<Octets, Stop> {
        let mut query = Query {
            attributes: vec![NO_ATTRIBUTES.to_owned()],
            ..query.clone()
        };
        // OpenLDAP's cookie tells how far the database is, whatever is asked. 389 Directory Server's holds the question, which
        // must therefore be the same; without attributes it is answered quickly.
        if root.vendor == Vendor::OpenLdap {
            query.scope = Scope::Base;
            "(objectClass=*)".clone_into(&mut query.filter);
        }
        let synced = self.sync(session, &query, None, |_, _| Ok(())).await;
        first_cookie(synced)
    }

    /// What the records stand below, and how far the server is with that. Changes of it must be told to this login.
    async fn begin_places(
        &self,
        session: &mut Session,
        root: &RootDse,
        query: &Query,
        places: &mut BTreeSet<SyncUuid>,
    ) -> Result<Octets, Stop> {
        let stamps = Stamps::of(root.vendor);
        let take = |entry: &Entry<'_>, uuid: &SyncUuid| {
            stamps.take(entry);
            places.insert(*uuid);
            Ok(())
        };
        // Without the others, for which OpenLDAP would have to look at every entry.
        let query = Query {
            filter: PLACES.to_owned(),
            ..stamps.asked(query)
        };
        let synced = self.sync(session, &query, None, take).await;
        let cookie = first_cookie(synced)?;
        stamps.result().map_err(Stop::Doubt)?;
        Ok(cookie)
    }

    /// Everything that changed since the cookies were given.
    pub(super) async fn synced(
        &self,
        session: &mut Session,
        cookies: &Cookies,
        now: Timestamp,
    ) -> Result<Changed<'_>, Stop> {
        let asked = self.asked();
        if asked.len() != cookies.each.len() {
            return Err(doubt("the searches are others than the last time"));
        }
        let mut gatherer = self.gatherer(now);
        let mut all = Vec::new();
        for ((subject, query), cookie) in asked.iter().zip(&cookies.each) {
            let synced = self
                .sync(session, query, Some(&cookie.0), |entry, uuid| {
                    self.take(*subject, entry, uuid, &mut gatherer)
                })
                .await?;
            self.is_sound(*subject, &synced)?;
            if synced.gone.iter().any(|it| cookies.hold_place(it)) {
                return Err(place_changed());
            }
            let nothing = all.is_empty() && synced.says_nothing();
            all.push((*subject, synced));
            if nothing && cookies.are_one() {
                break;
            }
        }
        let mut each = cookies.each.clone();
        for (old, (_, synced)) in each.iter_mut().zip(&all) {
            if let Some(cookie) = &synced.cookie {
                *old = Octets(cookie.clone());
            }
        }
        let place = Place::Syncrepl(Cookies {
            each,
            ..cookies.clone()
        });
        let referrals = all.iter().map(|it| it.1.referrals).sum();
        let (mut gone, mut remaining) = (Vec::new(), Vec::new());
        for kind in [RecordKind::User, RecordKind::Group] {
            let of_kind: Vec<&Synced> = all
                .iter()
                .filter(|it| it.0 == Subject::Records(kind))
                .map(|it| &it.1)
                .collect();
            let ids =
                |uuids: &[SyncUuid]| uuids.iter().map(|it| self.id_of(it)).collect::<Vec<_>>();
            gone.extend(
                of_kind
                    .iter()
                    .flat_map(|it| ids(&it.gone))
                    .map(|id| (kind, id)),
            );
            if of_kind.iter().any(|it| it.listed) {
                if !of_kind.iter().all(|it| it.listed) {
                    return Err(doubt(
                        "of one base the server named what is gone, of another what is left",
                    ));
                }
                remaining.push((
                    kind,
                    of_kind.iter().flat_map(|it| ids(&it.present)).collect(),
                ));
            }
        }
        let members = Vec::new();
        Ok(Changed {
            gatherer,
            gone,
            remaining,
            members,
            moves_follow: false,
            place,
            referrals,
        })
    }

    /// One search with the control.
    async fn sync(
        &self,
        session: &mut Session,
        query: &Query,
        cookie: Option<&[u8]>,
        mut changed: impl FnMut(&Entry<'_>, &SyncUuid) -> Result<(), NotBer> + Send,
    ) -> Result<Synced, Stop> {
        let control = RawControl {
            ctype: sync::SYNC_REQUEST.to_owned(),
            crit: true,
            val: Some(sync::sync_request(cookie)),
        };
        let what = session.reading(query);
        let mut budget = Budget::new(self.limits);
        let mut synced = Synced::default();
        let mut take = |item: Item<'_>| synced.take(item, &mut changed);
        let page = session
            .answers(query, &what, vec![control], &mut budget, &mut take)
            .await?;
        let done = value(&page.result.ctrls, sync::SYNC_DONE);
        let done = done.map_or(Ok(SyncDone::default()), SyncDone::read);
        let done =
            done.map_err(|fault| doubt(format!("{what}: the end of the changes: {fault}")))?;
        synced.cookie = done.cookie.or(synced.cookie);
        synced.refresh_deletes = done.refresh_deletes;
        synced.referrals = page.referrals;
        Ok(synced)
    }

    fn take(
        &self,
        subject: Subject,
        entry: &Entry<'_>,
        uuid: &SyncUuid,
        gatherer: &mut Gatherer<'_>,
    ) -> Result<(), NotBer> {
        let Subject::Records(kind) = subject else {
            return Ok(());
        };
        let ids = self.ids(kind);
        let mut shown = ids.iter().flat_map(|it| entry.values(it));
        if shown.any(|it| !it.eq_ignore_ascii_case(self.id_of(uuid).as_bytes())) {
            return Err(NotBer);
        }
        self.gather(kind, entry, gatherer);
        Ok(())
    }

    /// Whether what one search brought can be believed.
    fn is_sound(&self, subject: Subject, synced: &Synced) -> Result<(), Stop> {
        if synced.cookie.as_ref().is_some_and(Vec::is_empty) {
            return Err(doubt(
                "the server no longer knows how far the last read came",
            ));
        }
        if subject == Subject::Places && synced.changed > 0 {
            return Err(place_changed());
        }
        let silent = synced.cookie.is_some()
            && !synced.refresh_deletes
            && !synced.listed
            && synced.gone.is_empty();
        if silent && self.known_by() == Vendor::OpenLdap {
            return Err(doubt(
                "the server says that it named all that is left, and named nothing",
            ));
        }
        Ok(())
    }

    /// Whether records are known by the id by which this product's changes name them.
    pub(in crate::directories::ldap) fn knows_by_uuid(&self, vendor: Vendor) -> bool {
        matches!(vendor, Vendor::OpenLdap | Vendor::Ds389) && self.known_by() == vendor
    }

    fn id_of(&self, uuid: &SyncUuid) -> String {
        match product(&self.mapping.users.id) {
            Vendor::Ds389 => sync::ns_unique_id(uuid),
            _ => sync::entry_uuid(uuid),
        }
    }
}

/// The cookie of an answer to the question where to begin.
fn first_cookie(synced: Result<Synced, Stop>) -> Result<Octets, Stop> {
    match synced {
        Ok(synced) => match synced.cookie {
            Some(cookie) if !cookie.is_empty() => Ok(Octets(cookie)),
            _ => Err(doubt(NO_COOKIE)),
        },
        Err(Stop::Doubt(why)) => Err(doubt(format!("{NO_COOKIE} ({why})"))),
        Err(failed @ Stop::Failed(_)) => Err(failed),
    }
}

impl Cookies {
    /// Whether all searches go on from one place in one database.
    fn are_one(&self) -> bool {
        self.of_one_database && self.each.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Whether it is one of the places, which are sorted.
    fn hold_place(&self, uuid: &SyncUuid) -> bool {
        let (places, _) = self.places.0.as_chunks();
        places.binary_search(uuid).is_ok()
    }
}

impl Synced {
    /// Whether nothing has changed, not even how far the server is.
    fn says_nothing(&self) -> bool {
        self.changed == 0 && self.gone.is_empty() && !self.listed && self.cookie.is_none()
    }

    fn take(
        &mut self,
        item: Item<'_>,
        changed: &mut impl FnMut(&Entry<'_>, &SyncUuid) -> Result<(), NotBer>,
    ) -> Result<(), NotBer> {
        match item {
            Item::Entry(entry, controls) => {
                let SyncState { state, uuid } =
                    SyncState::read(value(controls, sync::SYNC_STATE).ok_or(NotBer)?)?;
                match state {
                    EntryState::Changed => {
                        self.changed += 1;
                        changed(&entry, &uuid)?;
                    }
                    EntryState::Gone => self.gone.push(uuid),
                    EntryState::Present => {
                        self.listed = true;
                        self.present.push(uuid);
                    }
                }
            }
            Item::Info(name, info) if name == sync::SYNC_INFO.as_bytes() => {
                match SyncInfo::read(info)? {
                    SyncInfo::NewCookie(cookie) => self.cookie = Some(cookie),
                    SyncInfo::RefreshDelete { cookie } => self.go_on(cookie),
                    SyncInfo::RefreshPresent { cookie } => {
                        self.listed = true;
                        self.go_on(cookie);
                    }
                    SyncInfo::IdSet {
                        cookie,
                        gone: true,
                        uuids,
                    } => {
                        self.gone.extend(uuids);
                        self.go_on(cookie);
                    }
                    SyncInfo::IdSet {
                        cookie,
                        gone: false,
                        uuids,
                    } => {
                        self.listed = true;
                        self.present.extend(uuids);
                        self.go_on(cookie);
                    }
                }
            }
            Item::Info(..) => {}
        }
        Ok(())
    }

    fn go_on(&mut self, cookie: Option<Vec<u8>>) {
        self.cookie = cookie.or(self.cookie.take());
    }
}
