//! Every call of the two APIs, once it is known who calls.

use std::ops::Bound;

use serde_json::Value;
use usersyncd::clock::Timestamp;

use super::answer::Answer;
use super::asked::{Asked, Call};
use super::fault::Fault;
use super::mask::Mask;
use super::page::{Cursor, Envelope};
use super::render::{self, Projection};
use super::state::{Activity, Group, Member, State, Who, domain_of, lower};

/// Parameters that would change an answer in a way that the double does not know.
const UNKNOWN_HERE: [&str; 9] = [
    "query",
    "orderBy",
    "sortOrder",
    "event",
    "userKey",
    "roles",
    "filters",
    "actorIpAddress",
    "groupIdFilter",
];

/// The body of a good answer, or a refusal.
type Answered = Result<Value, Answer>;

/// What is answered to somebody who may ask.
pub(super) fn answer(asked: &Asked, state: &State, fault: Option<&Fault>) -> Answered {
    if let Some(name) = UNKNOWN_HERE.iter().find(|it| asked.is(it).is_some()) {
        return Err(Answer::unknown_here(name));
    }
    let mask = asked.is("fields").map_or(Ok(Mask::All), Mask::read);
    let mask = mask.map_err(|it| Answer::refusal(400, "invalidParameter", &it))?;
    let call = Reading {
        asked,
        state,
        fault,
        mask: &mask,
    };
    match &asked.call {
        Call::Users => call.users(),
        Call::User(key) => call.user(key),
        Call::Groups => call.groups(),
        Call::Group(key) => Ok(render::group(call.group(key)?, &mask)),
        Call::Members(group) => call.members(group),
        Call::Member(group, key) => call.member(group, key),
        Call::Activities(user, application) => call.activities(user, application),
        Call::Token | Call::Unknown => Err(Answer::html(404)),
    }
}

struct Reading<'a> {
    asked: &'a Asked,
    state: &'a State,
    fault: Option<&'a Fault>,
    mask: &'a Mask,
}

impl<'a> Reading<'a> {
    fn users(&self) -> Answered {
        let (asked, state) = (self.asked, self.state);
        let projection = self.projection()?;
        let domain = self.scope()?;
        let size = asked.size(100, 500)?;
        let gone = asked.is("showDeleted") == Some("true");
        let listing = format!("users {gone} {}", domain.unwrap_or_default());
        let cursor = Cursor::new(asked, listing, self.fault)?;
        let all = if gone { &state.deleted } else { &state.users };
        let users = all
            .range::<str, _>(after(&cursor))
            .filter(|it| is_in(domain, &it.1.primary_email))
            .map(|(id, user)| (id.as_str(), user));
        let envelope = self.envelope("admin#directory#users", "users");
        Ok(envelope.page(&cursor, size, users, |user, mask| {
            if gone {
                render::deleted(user, mask)
            } else {
                render::user(user, state, &projection, mask)
            }
        }))
    }

    fn user(&self, key: &str) -> Answered {
        match self.state.find(key) {
            Some(Who::User(id)) => {
                let (user, projection) = (&self.state.users[&id], self.projection()?);
                Ok(render::user(user, self.state, &projection, self.mask))
            }
            Some(Who::Group(_)) => {
                let text = "Type not supported: userKey";
                Err(Answer::refusal(400, "badRequest", text))
            }
            Some(Who::Foreign(_)) => Err(Answer::forbidden()),
            None => Err(Answer::not_found("userKey")),
        }
    }

    fn groups(&self) -> Answered {
        let domain = self.scope()?;
        let size = self.asked.size(200, 200)?;
        let listing = format!("groups {}", domain.unwrap_or_default());
        let cursor = Cursor::new(self.asked, listing, self.fault)?;
        let groups = self
            .state
            .groups
            .range::<str, _>(after(&cursor))
            .filter(|it| is_in(domain, &it.1.email))
            .map(|(id, group)| (id.as_str(), group));
        let envelope = self.envelope("admin#directory#groups", "groups");
        Ok(envelope.page(&cursor, size, groups, render::group))
    }

    fn group(&self, key: &str) -> Result<&'a Group, Answer> {
        match self.state.find(key) {
            Some(Who::Group(id)) => Ok(&self.state.groups[&id]),
            Some(Who::Foreign(_)) => Err(Answer::forbidden()),
            Some(Who::User(_)) | None => Err(Answer::not_found("groupKey")),
        }
    }

    fn members(&self, key: &str) -> Answered {
        if self.asked.is("includeDerivedMembership") == Some("true") {
            return Err(Answer::unknown_here("includeDerivedMembership"));
        }
        let group = self.group(key)?;
        let size = self.asked.size(200, 200)?;
        let cursor = Cursor::new(self.asked, format!("members {}", group.id), self.fault)?;
        let members = group.members[begin(&group.members, &cursor)..].iter();
        let members = members.map(|it| (it.id.as_str(), it));
        let envelope = self.envelope("admin#directory#members", "members");
        Ok(envelope.page(&cursor, size, members, render::member))
    }

    fn member(&self, group: &str, key: &str) -> Answered {
        let members = &self.group(group)?.members;
        let id = match self.state.find(key) {
            Some(Who::User(id) | Who::Group(id) | Who::Foreign(id)) => id,
            None => key.to_owned(),
        };
        let member = members.iter().find(|it| it.id == id);
        let member = member.ok_or_else(|| Answer::not_found("memberKey"))?;
        Ok(render::member(member, self.mask))
    }

    /// The latest come first.
    fn activities(&self, user: &str, application: &str) -> Answered {
        let (asked, state) = (self.asked, self.state);
        if user != "all" {
            return Err(Answer::unknown_here("activities of one user"));
        }
        let (begin, end) = (self.moment("startTime")?, self.moment("endTime")?);
        if begin.is_some_and(|it| it >= end.unwrap_or(state.now())) {
            return Err(Answer::invalid("startTime"));
        }
        let event = asked.is("eventName");
        let is_wanted = |it: &&Activity| {
            it.application == application
                && begin.is_none_or(|begin| it.time >= begin)
                && end.is_none_or(|end| it.time <= end)
                && event.is_none_or(|event| has_event(it, event))
        };
        let mut found: Vec<&Activity> = state.activities.iter().filter(is_wanted).collect();
        found.sort_by_key(|it| std::cmp::Reverse((it.time, it.unique)));
        let found: Vec<(String, &Activity)> = found
            .into_iter()
            .map(|it| (it.unique.to_string(), it))
            .collect();
        let size = asked.size(1000, 1000)?;
        let cursor = Cursor::new(asked, format!("activities {application}"), self.fault)?;
        let last = found.iter().position(|it| it.0 == cursor.after);
        let rest = found[last.map_or(0, |it| it + 1)..].iter();
        let rest = rest.map(|(key, activity)| (key.as_str(), *activity));
        let envelope = self.envelope("admin#reports#activities", "items");
        Ok(envelope.page(&cursor, size, rest, |it, mask| {
            render::activity(it, state, mask)
        }))
    }

    fn envelope(&self, kind: &'static str, key: &'static str) -> Envelope<'a> {
        Envelope {
            kind,
            key,
            mask: self.mask,
            fault: self.fault,
        }
    }

    /// Which domain is listed: `None` is the whole account. One of both selectors is needed; what Google does with both is not
    /// known, so that is refused.
    fn scope(&self) -> Result<Option<&'a str>, Answer> {
        let (asked, state) = (self.asked, self.state);
        match (asked.is("customer"), asked.is("domain")) {
            (Some(customer), None) => {
                if customer == "my_customer" || customer == state.customer {
                    Ok(None)
                } else {
                    Err(Answer::invalid("customer"))
                }
            }
            (None, Some(domain)) if domain == state.customer => Err(Answer::invalid("domain")),
            (None, Some(domain)) if !state.domains.contains(domain) => {
                let text = "Domain not found.";
                Err(Answer::refusal(404, "notFound", text))
            }
            (None, Some(domain)) => Ok(Some(domain)),
            (None, None) | (Some(_), Some(_)) => {
                let text = "Bad Request";
                Err(Answer::refusal(400, "badRequest", text))
            }
        }
    }

    fn projection(&self) -> Result<Projection, Answer> {
        if self.asked.is("viewType") == Some("domain_public") {
            return Err(Answer::unknown_here("viewType"));
        }
        Projection::of(self.asked).ok_or_else(|| Answer::invalid("projection"))
    }

    /// A moment of the query, in seconds since the epoch.
    fn moment(&self, name: &str) -> Result<Option<i64>, Answer> {
        let Some(text) = self.asked.is(name) else {
            return Ok(None);
        };
        let moment = Timestamp::parse_rfc3339(text).map_err(|_| Answer::invalid(name))?;
        Ok(Some(moment.0))
    }
}

/// The ids after a cursor.
fn after(cursor: &Cursor) -> (Bound<&str>, Bound<&str>) {
    let begin = match cursor.after.as_str() {
        "" => Bound::Unbounded,
        last => Bound::Excluded(last),
    };
    (begin, Bound::Unbounded)
}

/// Where a page of members begins: after the last one that was shown. Where that one has gone since, the next stands in its
/// place.
fn begin(members: &[Member], cursor: &Cursor) -> usize {
    let Some(last) = cursor.seen.checked_sub(1) else {
        return 0;
    };
    let is_last = |it: &Member| it.id == cursor.after;
    if members.get(last).is_some_and(is_last) {
        return cursor.seen;
    }
    let at = members.iter().position(is_last).map(|it| it + 1);
    at.unwrap_or(last).min(members.len())
}

fn is_in(domain: Option<&str>, address: &str) -> bool {
    domain.is_none_or(|it| lower(it) == lower(domain_of(address)))
}

fn has_event(activity: &Activity, name: &str) -> bool {
    let mut events = activity.events.as_array().into_iter().flatten();
    events.any(|it| it["name"] == name)
}
