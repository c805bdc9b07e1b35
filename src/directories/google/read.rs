//! A read: everything, or an error.
//!
//! Google tells neither what has changed nor whether a list is whole. So users and groups are listed at every poll and held
//! against the last accepted records: what is missing is asked for. Members are one list a group, and the only costly part;
//! between two times at which all are asked for only groups are that seem to have moved.

use super::activity::{self, Moved};
use super::api::{Api, Calls};
use super::confirm::{self, Found};
use super::convert::{self, Naming};
use super::cursor::Cursor;
use super::known::Known;
use super::last::{CUSTOMER, Last, Missing};
use super::listed::Listed;
use super::lists::{self, UserFields};
use super::members::{self, Start, Walked};
use super::scope::Scope;
use super::selection::Selection;
use crate::clock::Timestamp;
use crate::directories::{Read, ReadError, Since, What};
use crate::model::{RecordKind, Records, RecordsBuilder, Status};
use crate::text::{self, Span};
use crate::wire::google::{Group, User};

/// Reads a customer.
#[derive(Debug)]
pub(super) struct Reader {
    pub api: Api,
    pub selection: Selection,
    pub scope: Scope,
    pub naming: Naming,
    pub fields: UserFields,
    /// How often the members of every group are asked for.
    pub members_every: Span,
    /// Whether the audit log is asked which groups have moved.
    pub activity: bool,
    /// What decides which records are read and what stands in them.
    pub basis: String,
}

/// The users that were listed.
#[derive(Default)]
pub(super) struct People {
    pub builder: RecordsBuilder,
    pub listed: Listed,
    pub count: usize,
}

/// The groups that were listed.
#[derive(Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    pub listed: Listed,
}

/// What is missing in the lists and of which nobody can say whether it is gone.
#[derive(Default)]
struct Unsure<'a> {
    users: Vec<Missing<'a>>,
    groups: Vec<Missing<'a>>,
}

/// From when members are known.
struct MembersSince {
    /// When those of every group were read.
    at: Timestamp,
    /// What is known to have moved since; `None` when all are to be read.
    moved: Option<Moved>,
}

impl Reader {
    /// Reads everything, held against what was read last.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn read(&self, since: &Since, now: Timestamp) -> Result<Read, ReadError> {
        let calls = self.api.calls();
        calls.login().await?;
        let both = futures_util::future::try_join(self.people(&calls), self.groups(&calls));
        let (mut people, groups) = both.await?;
        let last = since.last.as_deref().map(Last::of);
        let last = last.as_ref();
        let unsure = match last {
            None => Unsure::default(),
            Some(last) => self.confirm(&calls, (&people, &groups), last, now).await?,
        };
        let mut notes = Vec::new();
        let since_members = self.members_since(since, now, &calls, &mut notes).await;
        let mut builder = std::mem::take(&mut people.builder);
        if let Some(last) = last {
            for user in &unsure.users {
                if user.is_rejected {
                    let rejected = &last.records.rejected[user.at as usize];
                    last.records.reject_again(rejected, &mut builder);
                } else {
                    convert::keep_user(last.records, user.at, &mut builder);
                }
            }
        }
        let (chosen, unfit) = self.scope.choose(&groups.all);
        for pattern in &unfit {
            self.naming.reject_pattern(pattern, &mut builder);
        }
        let known = Known {
            people: &people.listed,
            groups: &groups.all,
            listed: &groups.listed,
            places: groups
                .all
                .iter()
                .map(|it| it.id.as_str())
                .zip(0..)
                .collect(),
            last,
            moved: since_members.moved.as_ref(),
        };
        let start = Start {
            chosen,
            unsure: &unsure.groups,
            is_doubtful: !unfit.is_empty(),
        };
        let walked = members::walk(&calls, &self.naming, &known, start, &mut builder).await?;
        let records = builder.finish();
        notes.extend(told(&known, &unsure, &walked, &records));
        let cursor = Cursor {
            basis: self.basis.clone(),
            members_at: since_members.at.0,
            read_at: now.0,
        };
        Ok(Read {
            what: What::Complete(records),
            cursor: cursor.write(),
            notes,
            requests: Some(calls.requests()),
        })
    }

    /// Lists the users.
    ///
    /// # Errors
    /// [`ReadError`], also where there is not one user: whoever asks is one.
    pub(super) async fn people(&self, calls: &Calls) -> Result<People, ReadError> {
        let mut people = People::default();
        let each = |user: User| {
            people.count += 1;
            people
                .listed
                .add(&user.id, &user.primary_email, &user.aliases);
            self.naming.add_user(&user, &mut people.builder);
        };
        lists::users(calls, &self.selection, &self.fields, each).await?;
        if people.count == 0 {
            return Err(ReadError::Incomplete(
                "list users: Google answered without a single user, and no customer is without one: are `customer` or \
                 `domains` right, and may the subject see users? Nothing of this answer is taken"
                    .to_owned(),
            ));
        }
        Ok(people)
    }

    /// Lists the groups.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn groups(&self, calls: &Calls) -> Result<Groups, ReadError> {
        let mut groups = Groups::default();
        let each = |group: Group| {
            groups.listed.add(&group.id, &group.email, &group.aliases);
            groups.all.push(group);
        };
        lists::groups(calls, &self.selection, each).await?;
        Ok(groups)
    }

    /// Asks for whatever was there and is in no list.
    async fn confirm<'a>(
        &self,
        calls: &Calls,
        (people, groups): (&People, &Groups),
        last: &Last<'a>,
        now: Timestamp,
    ) -> Result<Unsure<'a>, ReadError> {
        let turn = now.0.unsigned_abs() as usize / 60;
        let lost_users = last.users_without(|id| people.listed.has(id), turn);
        let lost_groups = last.groups_without(|id| groups.listed.has(id), turn);
        let found = |is_there| if is_there { Found::There } else { Found::Gone };
        let user = async |it: Missing<'a>| {
            let user = match lists::user(calls, it.id).await {
                Err(fault) if fault.is_not_there() => return Ok(Found::Gone),
                answer => answer?,
            };
            let address = text::fold(&user.primary_email);
            Ok(found(!user.is_deleted && self.selection.covers(&address)))
        };
        let group = async |it: Missing<'a>| {
            let group = match lists::group(calls, it.id).await {
                Err(fault) if fault.is_not_there() => return Ok(Found::Gone),
                answer => answer?,
            };
            Ok(found(self.selection.covers(&text::fold(&group.email))))
        };
        Ok(Unsure {
            users: confirm::unsure("list users", &lost_users, user).await?,
            groups: confirm::unsure("list groups", &lost_groups, group).await?,
        })
    }

    /// Which groups have moved since the members were read, and when that was.
    async fn members_since(
        &self,
        since: &Since,
        now: Timestamp,
        calls: &Calls,
        notes: &mut Vec<String>,
    ) -> MembersSince {
        let all = MembersSince {
            at: now,
            moved: None,
        };
        let cursor = since.cursor.as_deref();
        let cursor = cursor.and_then(|it| Cursor::read(it, &self.basis));
        let cursor = cursor.filter(|it| !it.is_due(now, self.members_every.as_seconds()));
        let Some(cursor) = cursor.filter(|_| since.last.is_some()) else {
            return all;
        };
        let moved = if self.activity {
            match activity::since(calls, cursor.read_at).await {
                Ok(moved) => moved,
                Err(why) => {
                    notes.push(format!(
                        "the members of all groups were read, since the audit log could not be: {why}"
                    ));
                    return all;
                }
            }
        } else {
            Moved::default()
        };
        MembersSince {
            at: Timestamp(cursor.members_at),
            moved: Some(moved),
        }
    }
}

/// What an operator may want to know of a read: counts, never values.
fn told(known: &Known<'_>, unsure: &Unsure<'_>, walked: &Walked, records: &Records) -> Vec<String> {
    let strangers = |is_group: bool| {
        let of_kind = records.references.iter();
        let of_kind = of_kind.filter(|it| (it.kind == Some(RecordKind::Group)) == is_group);
        // Whoever was listed and rejected is told elsewhere.
        let strange = of_kind.map(|it| records.text(it.handle));
        let strange = strange.filter(|it| !known.people.has(it) && !known.listed.has(it));
        strange.filter(|it| !it.starts_with(CUSTOMER)).count()
    };
    let without_status = records
        .users
        .iter()
        .filter(|it| it.status == Status::Unknown);
    let counts = [
        (
            strangers(false),
            "memberships of users who are in no list, of other organisations mostly",
        ),
        (
            strangers(true),
            "groups in groups that are in no list, taken for empty ones",
        ),
        (
            unsure.users.len() + unsure.groups.len() + walked.unsure,
            "users, groups and memberships that are missing and of which nobody can say yet that they are gone, so that they \
             stay as they were",
        ),
        (
            walked.kept,
            "groups that were in scope before and stay as they were while one of `groups` fits nothing",
        ),
        (
            without_status.count(),
            "users of whom Google does not say whether they are suspended or archived, who stay as they were",
        ),
        (
            walked.carried,
            "groups whose members were not read again, since nothing said that they had moved",
        ),
    ];
    let some = counts.iter().filter(|it| it.0 > 0);
    let some = some.map(|(count, what)| format!("{what}: {count}"));
    let frozen = walked.why_frozen.as_ref().map(|why| {
        format!(
            "groups whose members could not be read, which keep their last ones: {} (the first: {why})",
            walked.frozen
        )
    });
    frozen.into_iter().chain(some).collect()
}
