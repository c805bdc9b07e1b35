//! What has changed since the last read, instead of everything once more.
//!
//! Servers tell of changes in ways that differ, and none of them tells everything. Whatever cannot be told for certain is a
//! *doubt*, and a doubt ends in a complete read that says why; a failure of the connection is a failure. Three things are
//! common to all ways:
//!
//! * The place to go on from is taken *before* a complete read begins, so that what changes during it is told again.
//! * A changed record is always taken whole, as a complete read takes it, so that there is one reading of an entry.
//! * A part of the tree that is renamed takes the entries below it along, of which servers say nothing. So the changes of
//!   such *places* are asked for too, and one of them is a doubt.

mod active_directory;
mod groups;
mod objects;
pub(super) mod stamps;
mod syncrepl;

use ldap3::controls::Control;

pub(super) use self::objects::narrowed;

use super::api::{Query, Session};
use super::cursor::{Cursor, Place};
use super::read::{Login, Reader, notes};
use super::root::{RootDse, Vendor};
use super::url::LdapUrl;
use crate::clock::Timestamp;
use crate::directories::{Read, ReadError, What};
use crate::model::{Delta, Edge, RecordKind, Records};
use crate::wire::ldap::computed;
use crate::wire::ldap::dn::Dn;
use crate::wire::ldap::gather::Gatherer;
use crate::wire::ldap::mapping::Names;

/// What came of asking for changes.
pub(super) enum Changes {
    /// They are known.
    Read(Box<Read>),
    /// Everything must be read, and why.
    Doubt(String),
}

/// Why changes cannot be told.
pub(super) enum Stop {
    /// Everything must be read, and why.
    Doubt(String),
    /// Nothing can be read.
    Failed(ReadError),
}

/// What one of the searches is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Records(RecordKind),
    /// What stands between the base and the records.
    Places,
}

/// Everything that changed, before the records make sense of it.
struct Changed<'a> {
    gatherer: Gatherer<'a>,
    gone: Vec<(RecordKind, String)>,
    remaining: Vec<(RecordKind, Vec<String>)>,
    members: Vec<Edge>,
    moves_follow: bool,
    place: Place,
    referrals: u64,
}

impl From<ReadError> for Stop {
    /// A server that cannot be reached cannot be read completely either; anything else may be the way of asking.
    fn from(error: ReadError) -> Stop {
        match error {
            ReadError::Unavailable(_) | ReadError::Unauthorised(_) => Stop::Failed(error),
            ReadError::Incomplete(text) | ReadError::Configuration(text) => Stop::Doubt(text),
        }
    }
}

impl Reader {
    /// Where a complete read that begins now can be gone on from; `None` where none is wanted, or where no way of such a server
    /// is known.
    ///
    /// # Errors
    /// A doubt: why there is no such place. Whoever refuses this may answer the plain questions, and says the same there if
    /// not. Or the connection failed.
    pub(super) async fn begin(
        &self,
        session: &mut Session,
        root: &RootDse,
    ) -> Result<Option<Place>, Stop> {
        if !self.incremental {
            return Ok(None);
        }
        if let (true, Some(why)) = (root.vendor != Vendor::Other, self.untold()) {
            return Err(doubt(why));
        }
        match root.vendor {
            Vendor::OpenLdap | Vendor::Ds389 => self.begin_syncrepl(session, root).await.map(Some),
            Vendor::ActiveDirectory => self.begin_active_directory(session, root).await.map(Some),
            Vendor::Other => Ok(None),
        }
    }

    /// Asks what has changed since the cursor was given.
    ///
    /// # Errors
    /// The server cannot be reached or refuses the login.
    pub(super) async fn changes(&self, cursor: &str, now: Timestamp) -> Result<Changes, ReadError> {
        match self.changes_or_stop(cursor, now).await {
            Ok(read) => Ok(Changes::Read(Box::new(read))),
            Err(Stop::Doubt(why)) => Ok(Changes::Doubt(why)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    async fn changes_or_stop(&self, cursor: &str, now: Timestamp) -> Result<Read, Stop> {
        let mut cursor = Cursor::read(cursor, &self.basis()).map_err(doubt)?;
        if cursor.has_expired(now) {
            return Err(doubt("an account has expired since"));
        }
        let (mut session, url) = self.connect().await?;
        if cursor.server != url.to_string() {
            return Err(doubt("another server answers than the last time"));
        }
        let changed = match &cursor.place {
            Place::Syncrepl(cookies) => self.synced(&mut session, cookies, now).await?,
            Place::DirSync(cookie) => self.dir_synced(&mut session, cookie, now).await?,
            Place::Usn(last) => self.since_change(&mut session, last, now).await?,
        };
        session.close().await;
        let expiry = changed.gatherer.next_expiry().map(|it| it.0);
        cursor.expires = [cursor.expires, expiry].into_iter().flatten().min();
        cursor.names_members |= changed.gatherer.names_members();
        cursor.place = changed.place;
        let oddities = changed.gatherer.oddities();
        let upsert = changed.gatherer.finish();
        // Members that did not change are not among the changes.
        let notes = notes(changed.referrals, &oddities, 0);
        let delta = Delta {
            filled: ids_of_groups(&upsert),
            gone: changed.gone,
            members: changed.members,
            shared_handles: true,
            by_username: cursor.names_members,
            moves_follow: changed.moves_follow,
            one_bearer: false,
            remaining: changed.remaining,
            upsert,
        };
        Ok(Read {
            what: What::Delta(delta),
            cursor: cursor.write(),
            notes,
            requests: None,
        })
    }

    /// The cursor of a complete read.
    pub(super) fn cursor(
        &self,
        url: &LdapUrl,
        place: Place,
        gatherer: &Gatherer<'_>,
    ) -> Option<String> {
        let cursor = Cursor {
            basis: self.basis(),
            server: url.to_string(),
            expires: gatherer.next_expiry().map(|it| it.0),
            names_members: gatherer.names_members(),
            place,
        };
        cursor.write()
    }

    /// What no server tells changes of, among what is asked for.
    pub(super) fn untold(&self) -> Option<String> {
        self.records().find_map(|(_, query)| {
            let shown = query.attributes.iter().map(String::as_str);
            let why = computed::untold(&query.filter, shown)?;
            Some(format!("{}: {why}", query.subject))
        })
    }

    /// The questions and who asks them.
    fn basis(&self) -> String {
        let login = self.login.as_ref().map_or("nobody", Login::name);
        let queries = self.records().map(|(_, query)| {
            let Query {
                base,
                filter,
                attributes,
                ..
            } = query;
            format!("below {base} {filter} {}", attributes.join(","))
        });
        let queries: Vec<String> = queries.collect();
        format!("{login} asks {}", queries.join("; "))
    }

    /// The searches of a complete read.
    fn records(&self) -> impl Iterator<Item = (RecordKind, &Query)> {
        let users = self.users.iter().map(|it| (RecordKind::User, it));
        users.chain(self.groups.iter().map(|it| (RecordKind::Group, it)))
    }

    /// By which attribute records are known.
    pub(super) fn ids(&self, kind: RecordKind) -> &Names {
        match kind {
            RecordKind::User => &self.mapping.users.id,
            RecordKind::Group => &self.mapping.groups.id,
        }
    }

    /// By whose ids all records are known.
    fn known_by(&self) -> Vendor {
        let product = product(&self.mapping.users.id);
        let all = self
            .records()
            .all(|(kind, _)| product == self::product(self.ids(kind)));
        if all { product } else { Vendor::Other }
    }

    /// What other entries stand below. OpenLDAP tells it of whatever has entries below it, records too; elsewhere, and for who
    /// may not read that, it is told by the usual classes.
    fn places(&self) -> String {
        match self.known_by() {
            Vendor::OpenLdap => format!("(|(hasSubordinates=TRUE){PLACES})"),
            _ => PLACES.to_owned(),
        }
    }

    /// Every search that content synchronisation is asked of, in the order in which a cursor has them.
    fn asked(&self) -> Vec<(Subject, Query)> {
        let records = self
            .records()
            .map(|(kind, query)| (Subject::Records(kind), query.clone()));
        let mut asked: Vec<(Subject, Query)> = records.collect();
        let mut tops: Vec<(Dn, &Query)> = Vec::new();
        let mut bases: Vec<(Dn, &Query)> = asked
            .iter()
            .filter_map(|(_, query)| Some((Dn::parse(&query.base).ok()?, query)))
            .collect();
        bases.sort_by_key(|(base, _)| base.rdns().len());
        for (base, query) in bases {
            if !tops.iter().any(|(top, _)| base.is_under(top)) {
                tops.push((base, query));
            }
        }
        let places = tops.into_iter().map(|(_, query)| {
            let filter = self.places();
            let attributes = vec![NO_ATTRIBUTES.to_owned()];
            (
                Subject::Places,
                Query {
                    subject: "the tree",
                    filter,
                    attributes,
                    ..query.clone()
                },
            )
        });
        let places: Vec<_> = places.collect();
        asked.extend(places);
        asked
    }
}

/// RFC 4511, section 4.5.1.8.
const NO_ATTRIBUTES: &str = "1.1";

/// What other entries stand below, besides records themselves.
const PLACES: &str = "(|(objectClass=organizationalUnit)(objectClass=organization)(objectClass=domain)\
    (objectClass=dcObject)(objectClass=locality)(objectClass=country)(objectClass=container)(objectClass=nsContainer))";

/// Whose ids these are: the one stable id that a product gives every entry, and names it by when it tells changes.
fn product(ids: &Names) -> Vendor {
    let mut names = ids.iter();
    match (names.next(), names.next()) {
        (Some("entryuuid"), None) => Vendor::OpenLdap,
        (Some("nsuniqueid"), None) => Vendor::Ds389,
        (Some("objectguid"), None) => Vendor::ActiveDirectory,
        _ => Vendor::Other,
    }
}

fn doubt(why: impl Into<String>) -> Stop {
    Stop::Doubt(why.into())
}

fn place_changed() -> Stop {
    doubt("a part of the tree was added, renamed or moved, and what stands below it moves along")
}

fn ids_of_groups(records: &Records) -> Vec<String> {
    let ids = records
        .groups
        .iter()
        .map(|it| records.text(it.id).to_owned());
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids
}

/// The value of the control of that name.
fn value<'a>(controls: &'a [Control], name: &str) -> Option<&'a [u8]> {
    let mut named = controls
        .iter()
        .map(|it| &it.1)
        .filter(|it| it.ctype == name);
    named.next()?.val.as_deref()
}
