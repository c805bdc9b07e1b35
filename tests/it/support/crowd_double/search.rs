//! Lists: which entities, which page of them. Restrictions are those that the tests send: none, and CQL of `name = "x"`.

use std::collections::BTreeMap;

use super::rules::{Paging, Rules};
use super::state::lower;

/// The page of a list that a query asks for. There is neither a count nor a link to the next page \[C S4-S8\].
pub(super) fn page<T>(all: Vec<T>, query: &BTreeMap<String, String>, rules: &Rules) -> Vec<T> {
    let number = |name: &str| query.get(name).and_then(|it| it.parse::<i64>().ok());
    let start = number("start-index").unwrap_or(0).max(0) as usize;
    let asked = match number("max-results") {
        // All of it [?].
        Some(-1) => usize::MAX,
        Some(it) => it.max(0) as usize,
        None => rules.page_default,
    };
    let most = asked.min(rules.page_cap);
    let start = match rules.paging {
        Paging::Repeats => start.saturating_sub(1),
        Paging::Skips if start > 0 => start + 1,
        Paging::Sound | Paging::Skips => start,
        Paging::Forever => 0,
    };
    all.into_iter().skip(start).take(most).collect()
}

/// The lower-cased name that a restriction asks for; `None` for all \[C S12\]. An error where it is no such restriction.
pub(super) fn name_of(restriction: &str) -> Result<Option<String>, String> {
    let restriction = restriction.trim();
    if restriction.is_empty() {
        return Ok(None);
    }
    let quoted = restriction.strip_prefix("name").map(str::trim_start);
    let quoted = quoted.and_then(|it| it.strip_prefix('=')).map(str::trim);
    let inner = quoted.and_then(|it| it.strip_prefix('"')?.strip_suffix('"'));
    let inner = inner.filter(|it| !it.contains('"'));
    inner
        .map(|it| Some(lower(it)))
        .ok_or_else(|| format!("the double does not understand {restriction}"))
}
