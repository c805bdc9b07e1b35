//! What stands behind the question mark.

use std::borrow::Cow;

use url::form_urlencoded;

use super::reply::Refusal;

/// How many entities a list holds unless the client says otherwise, as Crowd has it.
const RESULTS_DEFAULT: usize = 1_000;

/// The parameters of a request. Of several with one name the first counts.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// How many are left out at the beginning.
    pub(super) start: usize,
    /// At most so many are shown; `usize::MAX` for all.
    pub(super) results: usize,
}

impl Page {
    /// Where the next page begins.
    pub(super) fn end(self) -> usize {
        self.start.saturating_add(self.results)
    }

    /// Whether this is the first page of a list so long, and others follow.
    pub(super) fn begins(self, length: usize) -> bool {
        self.start == 0 && self.results < length
    }
}

impl<'a> Query<'a> {
    pub(super) fn read(query: Option<&'a str>) -> Query<'a> {
        Query(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// A parameter without which the request means nothing.
    pub(super) fn must(&self, name: &str) -> Result<&str, Refusal> {
        let value = self.get(name).filter(|it| !it.is_empty());
        value.ok_or_else(|| Refusal::argument(format!("The parameter {name} is missing.")))
    }

    /// Whether something is to be shown with all its fields.
    pub(super) fn expands(&self, what: &str) -> bool {
        let expand = self.get("expand").unwrap_or_default();
        expand
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case(what))
    }

    /// Everything but which part of a list is wanted, in one spelling.
    pub(super) fn but_for_page(&self) -> String {
        let pages = ["start-index", "max-results"];
        let rest = self.0.iter().filter(|(key, _)| !pages.contains(&&**key));
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(rest).finish()
    }

    /// The part of a list that is wanted.
    pub(super) fn page(&self) -> Result<Page, Refusal> {
        let number = |name: &str| match self.get(name) {
            None | Some("") => Ok(None),
            Some(text) => text.trim().parse::<i64>().map(Some).map_err(|_| {
                Refusal::argument(format!("The parameter {name} must be a whole number."))
            }),
        };
        let start = usize::try_from(number("start-index")?.unwrap_or(0));
        let start = start.map_err(|_| Refusal::argument("start-index must not be negative."))?;
        let results = match number("max-results")? {
            None => RESULTS_DEFAULT,
            Some(-1) => usize::MAX,
            Some(it) => usize::try_from(it)
                .map_err(|_| Refusal::argument("max-results must not be negative, but for -1."))?,
        };
        Ok(Page { start, results })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::read(Some("username=a%2Bb+c%26%C3%A9&username=other&empty=&flag"));
        assert_eq!(query.get("username"), Some("a+b c&é"));
        assert_eq!(
            (query.get("empty"), query.get("flag")),
            (Some(""), Some(""))
        );
        assert_eq!(query.get("none"), None);
        assert!(query.must("empty").is_err());
        assert_eq!(Query::read(None).get("x"), None);
    }

    #[test]
    fn a_list_is_expanded_where_it_says_so() {
        let query = Query::read(Some("expand=user,%20attributes"));
        assert!(query.expands("user") && query.expands("attributes"));
        assert!(!query.expands("group"));
    }

    #[test]
    fn a_list_is_known_by_everything_but_its_page() {
        let query = Query::read(Some(
            "entity-type=user&start-index=3&restriction=a%26b&max-results=5",
        ));
        assert_eq!(query.but_for_page(), "entity-type=user&restriction=a%26b");
    }

    #[test]
    fn a_page_is_a_thousand_unless_told() {
        fn check(query: &str, expect: Option<(usize, usize)>) {
            let page = Query::read(Some(query)).page();
            let page = page.ok().map(|it| (it.start, it.results));
            assert_eq!(page, expect, "{query}");
        }
        check("", Some((0, 1_000)));
        check("start-index=5&max-results=7", Some((5, 7)));
        check("start-index=&max-results=", Some((0, 1_000)));
        check("max-results=-1", Some((0, usize::MAX)));
        check("max-results=0", Some((0, 0)));
        check("max-results=99999", Some((0, 99_999)));
        check("max-results=-2", None);
        check("start-index=-1", None);
        check("start-index=x", None);
        check("max-results=99999999999999999999", None);
    }
}
