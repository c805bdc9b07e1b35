//! Listings, page by page. A token says after which object a page begins, so that a change in between neither repeats nor skips
//! another object.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::asked::Asked;
use super::fault::Fault;
use super::mask::Mask;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// What is listed; a token is no good for another listing.
    listing: String,
    /// The key of the last object before; empty on the first page.
    pub(super) after: String,
    /// How many objects came before.
    pub(super) seen: usize,
    /// How many objects the listing shows in all; see [`Fault::Truncate`].
    limit: usize,
}

impl Cursor {
    /// Where the page that is asked for begins.
    pub(super) fn new(
        asked: &Asked,
        listing: String,
        fault: Option<&Fault>,
    ) -> Result<Cursor, Answer> {
        let mut cursor = match asked.is("pageToken") {
            None => Cursor {
                listing,
                after: String::new(),
                seen: 0,
                limit: usize::MAX,
            },
            Some(token) => Cursor::read(token)
                .filter(|it| it.listing == listing)
                .ok_or_else(|| Answer::invalid("pageToken"))?,
        };
        if let Some(Fault::Truncate(count)) = fault {
            cursor.limit = *count;
        }
        Ok(cursor)
    }

    fn read(token: &str) -> Option<Cursor> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let parts: Vec<&str> = text.split('\n').collect();
        let [listing, after, seen, limit] = parts[..] else {
            return None;
        };
        Some(Cursor {
            listing: listing.to_owned(),
            after: after.to_owned(),
            seen: seen.parse().ok()?,
            limit: limit.parse().ok()?,
        })
    }

    fn token(&self) -> String {
        let Cursor {
            listing,
            after,
            seen,
            limit,
        } = self;
        URL_SAFE_NO_PAD.encode(format!("{listing}\n{after}\n{seen}\n{limit}"))
    }
}

/// The envelope of a listing.
pub(super) struct Envelope<'a> {
    pub(super) kind: &'static str,
    /// The key of the collection.
    pub(super) key: &'static str,
    pub(super) mask: &'a Mask,
    pub(super) fault: Option<&'a Fault>,
}

impl Envelope<'_> {
    /// One page of what comes after the cursor, by the key of each object. `show` gets what is wanted of an object.
    pub(super) fn page<'o, T: 'o>(
        &self,
        cursor: &Cursor,
        size: usize,
        mut objects: impl Iterator<Item = (&'o str, &'o T)>,
        show: impl Fn(&T, &Mask) -> Value,
    ) -> Value {
        let size = size.min(cursor.limit.saturating_sub(cursor.seen));
        let mut next = cursor.clone();
        let mut shown = Vec::with_capacity(size);
        for (key, object) in objects.by_ref().take(size) {
            key.clone_into(&mut next.after);
            next.seen += 1;
            if let Some(mask) = self.mask.of(self.key) {
                shown.push(show(object, mask));
            }
        }
        let more = next.seen < next.limit && objects.next().is_some();
        let token = match self.fault {
            Some(Fault::RepeatToken) => Some(cursor.token()),
            _ => more.then(|| next.token()),
        };
        self.wrap(shown, token)
    }

    /// Google leaves out the key of an empty collection, and the token that the mask does not ask for.
    fn wrap(&self, shown: Vec<Value>, token: Option<String>) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| {
            if self.mask.of(name).is_some() {
                fields.insert(name.to_owned(), value);
            }
        };
        put("kind", self.kind.into());
        put("etag", format!("\"page/{}\"", shown.len()).into());
        if !shown.is_empty() && self.fault != Some(&Fault::MissingKey) {
            put(self.key, shown.into());
        }
        if let Some(token) = token {
            put("nextPageToken", token.into());
        }
        Value::Object(fields)
    }
}
