//! Searching: everybody, or whoever a restriction fits.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::StatusCode;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Question, lists};
use crate::serve::image::{Image, ServedGroup, ServedUser};
use crate::serve::reply::{Answer, Refusal};
use crate::wire::crowd::restriction::{BadRestriction, Match, Restriction, Searched};
use crate::wire::crowd::{Format, Kind};

/// How many searches look through a set at a time: each takes a core.
const SEARCHES_MAX: usize = 2;
/// Properties that Crowd has and that nobody can be found by here.
const DATES: [&str; 2] = ["createdDate", "updatedDate"];
/// How many are looked at between two looks at whether anybody still waits.
const LOOKS_AT_ONCE: u32 = 1_024;

/// Whoever looks through the sets.
pub(in crate::serve) struct Searches(Arc<Semaphore>);

impl Default for Searches {
    fn default() -> Self {
        Searches(Arc::new(Semaphore::new(SEARCHES_MAX)))
    }
}

/// Answers a search.
pub(in crate::serve) async fn search(
    question: &Question<'_>,
    searches: &Searches,
) -> Result<Answer, Refusal> {
    let kind = kind(question.query.must("entity-type")?)?;
    let restriction = restriction(question)?;
    let image = &question.image;
    if restriction == Restriction::All {
        return question.list(kind, 0..lists::count(image, kind));
    }
    if let Some(name) = one_name(&restriction) {
        let found = lists::find(image, kind, name);
        return question.list(kind, found.into_iter());
    }
    // One more than is shown tells whether another page follows.
    let wanted = question.query.page()?.end().saturating_add(1);
    let found = searches.find(image, kind, restriction, wanted).await;
    let found = found.ok_or_else(|| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::new(status, "OPERATION_FAILED", "The search failed.")
    })?;
    question.list(kind, found.into_iter())
}

impl Searches {
    /// The first so many whom the restriction fits. Looking through everybody is no work for a thread that answers others; it
    /// ends when nobody waits for it any more.
    async fn find(
        &self,
        image: &Arc<Image>,
        kind: Kind,
        restriction: Restriction,
        wanted: usize,
    ) -> Option<Vec<u32>> {
        let permit = self.0.clone().acquire_owned().await.ok()?;
        let image = image.clone();
        let left = CancellationToken::new();
        let _waiting = left.clone().drop_guard();
        let look = move || {
            let _permit = permit;
            let fits = |&place: &u32| match kind {
                Kind::Users => restriction.matches(&image.user(place)),
                Kind::Groups => restriction.matches(&image.group(place)),
            };
            let waited_for =
                |place: &u32| !place.is_multiple_of(LOOKS_AT_ONCE) || !left.is_cancelled();
            let looked_at = (0..lists::count(&image, kind)).take_while(waited_for);
            looked_at.filter(fits).take(wanted).collect()
        };
        tokio::task::spawn_blocking(look).await.ok()
    }
}

fn kind(text: &str) -> Result<Kind, Refusal> {
    if text.eq_ignore_ascii_case("user") {
        Ok(Kind::Users)
    } else if text.eq_ignore_ascii_case("group") {
        Ok(Kind::Groups)
    } else {
        Err(Refusal::argument("entity-type must be user or group."))
    }
}

/// What is searched for: the body's restriction, if one was posted.
fn restriction(question: &Question<'_>) -> Result<Restriction, Refusal> {
    let read = match question.sent {
        Some((Format::Json, body)) => Restriction::from_json(body),
        Some((Format::Xml, body)) => Restriction::from_xml(body),
        None => Restriction::from_cql(question.query.get("restriction").unwrap_or_default()),
    };
    let restriction = read.map_err(|fault: BadRestriction| Refusal::argument(fault.to_string()))?;
    // Nobody would be found, and who asks for what has changed would take that for no changes.
    if DATES.iter().any(|it| restriction.asks_for(it)) {
        let text = "This Crowd keeps no dates: ask for events, or for everybody.";
        return Err(Refusal::argument(text));
    }
    Ok(restriction)
}

/// The name that is asked for, if that is all that is asked.
fn one_name(restriction: &Restriction) -> Option<&str> {
    match restriction {
        Restriction::Property {
            property,
            mode: Match::Exactly,
            value,
        } if property == "name" => Some(value),
        _ => None,
    }
}

impl Searched for ServedUser<'_> {
    fn values<'a>(&'a self, property: &str) -> Vec<Cow<'a, str>> {
        let field = match property {
            "name" => self.name,
            "email" => self.email,
            "firstName" => self.given_name,
            "lastName" => self.family_name,
            "displayName" => self.display_name,
            "active" if self.active => "true",
            "active" => "false",
            _ => return Vec::new(),
        };
        vec![Cow::Borrowed(field)]
    }
}

impl Searched for ServedGroup<'_> {
    fn values<'a>(&'a self, property: &str) -> Vec<Cow<'a, str>> {
        let field = match property {
            "name" => self.name,
            "description" => self.description,
            "active" => "true",
            _ => return Vec::new(),
        };
        vec![Cow::Borrowed(field)]
    }
}
