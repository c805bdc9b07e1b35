//! Changed objects of Active Directory, asked for anew.
//!
//! What no longer answers the questions of a complete read is gone from here, whether it was deleted, moved, or lost what the
//! filter asks for.
//!
//! Memberships are links between objects: when one is renamed, moved or deleted, its groups name it rightly and have not
//! changed. So a changed record tells by `memberOf` and by its primary group which groups it is in, and a changed group is
//! asked for those whose primary group it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use ldap3::{Scope, ldap_escape};

use super::{Changed, NO_ATTRIBUTES, Stop, doubt, place_changed};
use crate::clock::Timestamp;
use crate::directories::ldap::api::{Query, Session};
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::cursor::Place;
use crate::directories::ldap::ranges;
use crate::directories::ldap::read::{Reader, with};
use crate::model::{Edge, RecordKind};
use crate::wire::ldap::ber::NotBer;
use crate::wire::ldap::dn;
use crate::wire::ldap::gather::{self, Attributes as _, Gatherer};
use crate::wire::ldap::ids;
use crate::wire::ldap::primary::{self, Primary};

/// How many objects may be named in one question.
pub(super) const AT_ONCE: usize = 100;
/// Beyond so many, asking for each costs more than reading everything.
const CHANGES_MAX: usize = 5_000;
/// The attributes by which an object is known, and is found to be deleted.
pub(super) const WHICH: [&str; 2] = [GUID, "isdeleted"];
const GUID: &str = "objectguid";
/// What a record is asked for beside its attributes, so that its groups are known.
const MEMBER_OF: &str = "memberof";
/// What else stands in the domain and takes along what is below it.
const PLACES: &str =
    "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))";

/// Objects by their `objectGUID`.
#[derive(Debug, Default)]
pub(super) struct Objects {
    changed: BTreeSet<Vec<u8>>,
    deleted: BTreeSet<Vec<u8>>,
}

/// What the changed records say of the groups that they are in, and what the changed groups are.
#[derive(Debug, Default)]
struct Said {
    found: BTreeSet<Vec<u8>>,
    /// Handle of the member, and the DN of a group as the server writes it.
    member_of: Vec<(String, String)>,
    /// Handle of the member, and the security identifier of its primary group.
    primary: Vec<(String, String)>,
    groups: Vec<Group>,
    /// A record is in more groups than the server names at once.
    cut: bool,
}

/// A group, however it is named.
#[derive(Debug)]
struct Group {
    id: String,
    handle: String,
    sid: String,
}

impl Objects {
    /// Notes an object that has changed.
    ///
    /// # Errors
    /// It shows no id.
    pub(super) fn take(&mut self, entry: &Entry<'_>) -> Result<(), NotBer> {
        let guid = entry.values(GUID).next().ok_or(NotBer)?.to_vec();
        if gather::is_tombstone(entry) {
            self.deleted.insert(guid);
        } else {
            self.changed.insert(guid);
        }
        Ok(())
    }
}

impl Reader {
    /// Asks for every changed object anew.
    pub(super) async fn fetch(
        &self,
        session: &mut Session,
        domain: &str,
        objects: &Objects,
        now: Timestamp,
        place: Place,
    ) -> Result<Changed<'_>, Stop> {
        let changed = objects.changed.difference(&objects.deleted);
        let changed: Vec<&[u8]> = changed.map(Vec::as_slice).collect();
        if changed.len() > CHANGES_MAX {
            return Err(doubt(format!(
                "more than {CHANGES_MAX} objects have changed"
            )));
        }
        let gatherer = Mutex::new(self.gatherer(now));
        let mut said = Said::default();
        for some in changed.chunks(AT_ONCE) {
            self.fetch_some(session, some, &gatherer, &mut said).await?;
        }
        if said.cut {
            return Err(doubt(
                "a record is in more groups than the server names at once",
            ));
        }
        ranges::complete(session, &self.limits, &gatherer).await?;
        let lost = changed.into_iter().filter(|it| !said.found.contains(*it));
        let lost: Vec<&[u8]> = lost.collect();
        self.no_places(session, domain, &lost).await?;
        let mut members = self.groups_of(session, &said).await?;
        members.extend(self.primary_members(session, &said.groups).await?);
        let gone = objects.deleted.iter().map(Vec::as_slice).chain(lost);
        let gone = gone.filter_map(|it| ids::text(GUID, it).ok());
        // Nobody knows of what kind it was.
        let kinds = [RecordKind::User, RecordKind::Group];
        let gone = gone
            .flat_map(|id| kinds.map(|kind| (kind, id.to_string())))
            .collect();
        let gatherer = gatherer.into_inner();
        Ok(Changed {
            gatherer: gatherer.unwrap_or_else(PoisonError::into_inner),
            gone,
            remaining: Vec::new(),
            members,
            moves_follow: true,
            place,
            referrals: 0,
        })
    }

    async fn fetch_some(
        &self,
        session: &mut Session,
        guids: &[&[u8]],
        gatherer: &Mutex<Gatherer<'_>>,
        said: &mut Said,
    ) -> Result<(), Stop> {
        let those = any_of(guids);
        for (kind, query) in self.records() {
            let mut query = narrowed(query, &those, &query.attributes);
            query.attributes.push(MEMBER_OF.to_owned());
            let take = |entry: &Entry<'_>| {
                said.take(kind, entry);
                with(gatherer, |it| self.gather(kind, entry, it));
            };
            session.search(&query, &self.limits, take).await?;
        }
        Ok(())
    }

    /// Makes sure that none of the objects has others below it.
    async fn no_places(
        &self,
        session: &mut Session,
        domain: &str,
        guids: &[&[u8]],
    ) -> Result<(), Stop> {
        for some in guids.chunks(AT_ONCE) {
            let places = domain_query(domain, PLACES, vec![NO_ATTRIBUTES.to_owned()]);
            let query = narrowed(&places, &any_of(some), &places.attributes);
            if session.search(&query, &self.limits, |_| {}).await?.entries > 0 {
                return Err(place_changed());
            }
        }
        Ok(())
    }

    /// The memberships that changed records tell of, in groups that are read here.
    async fn groups_of(&self, session: &mut Session, said: &Said) -> Result<Vec<Edge>, Stop> {
        let names: BTreeSet<&str> = said.member_of.iter().map(|it| it.1.as_str()).collect();
        let sids: BTreeSet<&str> = said.primary.iter().map(|it| it.1.as_str()).collect();
        let names = names
            .into_iter()
            .map(|it| format!("(distinguishedName={})", ldap_escape(it)));
        let sids = sids.into_iter().map(|it| format!("(objectSid={it})"));
        let named: Vec<String> = names.chain(sids).collect();
        let attributes = [GUID, primary::SID].map(str::to_owned);
        let mut groups: Vec<Group> = Vec::new();
        for some in named.chunks(AT_ONCE) {
            for query in &self.groups {
                let query = narrowed(query, &format!("(|{})", some.concat()), &attributes);
                let take = |entry: &Entry<'_>| groups.extend(Group::of(entry));
                session.search(&query, &self.limits, take).await?;
            }
        }
        let by_handle = by(&groups, |it| &it.handle);
        let by_sid = by(&groups, |it| &it.sid);
        let mut edges = Vec::new();
        for (member, name) in &said.member_of {
            let name = dn::normalise(name).unwrap_or_default();
            edges.extend(all(&by_handle, &name).map(|it| edge(it, member)));
        }
        for (member, sid) in &said.primary {
            edges.extend(all(&by_sid, sid).map(|it| edge(it, member)));
        }
        Ok(edges)
    }

    /// The users whose primary group one of the groups is.
    async fn primary_members(
        &self,
        session: &mut Session,
        groups: &[Group],
    ) -> Result<Vec<Edge>, Stop> {
        let attributes = primary::ATTRIBUTES.map(str::to_owned);
        let mut edges = Vec::new();
        for some in groups.chunks(AT_ONCE) {
            let by_sid = by(some, |it| &it.sid);
            let numbers = some.iter().filter_map(|it| it.sid.rsplit_once('-'));
            let numbers: Vec<String> = numbers
                .map(|it| format!("(primaryGroupID={})", it.1))
                .collect();
            for query in self.users.iter().filter(|_| !numbers.is_empty()) {
                let query = narrowed(query, &format!("(|{})", numbers.concat()), &attributes);
                let take = |entry: &Entry<'_>| {
                    if let (Some(handle), Primary::Group(sid)) =
                        (handle(entry), primary::of_user(entry))
                    {
                        edges.extend(all(&by_sid, &sid).map(|it| edge(it, &handle)));
                    }
                };
                session.search(&query, &self.limits, take).await?;
            }
        }
        Ok(edges)
    }
}

impl Said {
    fn take(&mut self, kind: RecordKind, entry: &Entry<'_>) {
        self.found
            .extend(entry.values(GUID).next().map(<[u8]>::to_vec));
        self.cut |= entry.part(MEMBER_OF).is_some_and(|it| it.range.is_some());
        let Some(handle) = handle(entry) else {
            return;
        };
        let names = entry
            .values(MEMBER_OF)
            .filter_map(|it| std::str::from_utf8(it).ok());
        self.member_of
            .extend(names.map(|it| (handle.clone(), it.to_owned())));
        match (kind, primary::of_user(entry)) {
            (RecordKind::User, Primary::Group(sid)) => self.primary.push((handle, sid)),
            (RecordKind::User, _) => {}
            (RecordKind::Group, _) => self.groups.extend(Group::of(entry)),
        }
    }
}

impl Group {
    fn of(entry: &Entry<'_>) -> Option<Group> {
        let first = |name| entry.values(name).next();
        let sid = first(primary::SID).and_then(|it| ids::sid(it).ok());
        Some(Group {
            id: ids::text(GUID, first(GUID)?).ok()?.into_owned(),
            handle: handle(entry)?,
            sid: sid.unwrap_or_default(),
        })
    }
}

/// The groups by one of their names. Two searches may bring the same one.
fn by<'a>(
    groups: &'a [Group],
    name: impl Fn(&'a Group) -> &'a str,
) -> BTreeMap<&'a str, Vec<&'a Group>> {
    let mut named: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
    for group in groups {
        named.entry(name(group)).or_default().push(group);
    }
    named
}

fn all<'a>(
    groups: &'a BTreeMap<&str, Vec<&'a Group>>,
    name: &str,
) -> impl Iterator<Item = &'a Group> {
    groups.get(name).into_iter().flatten().copied()
}

/// A question about the domain itself.
pub(super) fn domain_query(base: &str, filter: &str, attributes: Vec<String>) -> Query {
    Query {
        subject: "changes",
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: filter.to_owned(),
        attributes,
        page_size: 1_000,
    }
}

/// The question about those of its entries that answer another filter too.
pub(in crate::directories::ldap) fn narrowed(
    query: &Query,
    filter: &str,
    attributes: &[String],
) -> Query {
    Query {
        filter: format!("(&{}{filter})", query.filter),
        attributes: attributes.to_vec(),
        ..query.clone()
    }
}

fn handle(entry: &Entry<'_>) -> Option<String> {
    dn::normalise(std::str::from_utf8(entry.dn()).ok()?).ok()
}

fn edge(group: &Group, member: &str) -> Edge {
    Edge {
        group: group.id.clone(),
        kind: None,
        handle: member.to_owned(),
        added: true,
    }
}

/// A filter for the objects of these ids.
fn any_of(guids: &[&[u8]]) -> String {
    let mut filter = "(|".to_owned();
    for guid in guids {
        filter.push_str("(objectGUID=");
        for byte in *guid {
            let _ = write!(filter, "\\{byte:02x}");
        }
        filter.push(')');
    }
    filter + ")"
}
