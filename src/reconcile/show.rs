//! Plans as text: every change with before, after and its reason; then what is held and what waits.

use std::fmt::Write as _;

use crate::model::{Account, Change, NONE, Plan, Step, StrId, Subject, View, WantedAccount, What};

/// A whole plan as text, one line a change. Empty when there is nothing to say.
pub fn show(view: View<'_>) -> String {
    let mut out = String::new();
    for change in &view.plan.changes {
        let _ = writeln!(out, "{}", show_change(view, change));
    }
    for it in &view.plan.held {
        let _ = writeln!(
            out,
            "held     {}: {} ({}: {})",
            it.subject,
            it.change,
            it.reason.word(),
            it.detail
        );
    }
    for it in &view.plan.waiting {
        let _ = writeln!(
            out,
            "waiting  {}: {} ({})",
            it.subject, it.change, it.reason
        );
    }
    for it in &view.plan.notices {
        let _ = writeln!(
            out,
            "notice   {}: {} ({})",
            it.subject,
            it.detail,
            it.kind.word()
        );
    }
    out
}

/// One change as one line.
pub fn show_change(view: View<'_>, change: &Change) -> String {
    let (subject, name) = match change.subject {
        Subject::Account(place) => ("user", view.account_name(place)),
        Subject::Group(place) => ("group", view.group_name(place)),
    };
    let word = match change.step {
        Step::Create => "create  ",
        Step::Update => "update  ",
        Step::Members => "members ",
        Step::Children => "children",
        Step::Delete => "delete  ",
    };
    let detail = match (change.step, change.subject) {
        (Step::Members, _) => members(view, change, |place| view.account_name(place)),
        (Step::Children, _) => members(view, change, |place| view.group_name(place)),
        (_, Subject::Account(place)) => account(view, change, place),
        (_, Subject::Group(place)) => group(view, change, place),
    };
    let gap = if detail.is_empty() { "" } else { ": " };
    format!(
        "{word} {subject} {name}{gap}{detail} ({})",
        change.reason.word()
    )
}

fn members<'a>(view: View<'a>, change: &Change, name: impl Fn(u32) -> &'a str) -> String {
    let signed = |sign: char, places: &[u32]| {
        let mut names: Vec<String> = places
            .iter()
            .map(|it| format!("{sign}{}", name(*it)))
            .collect();
        names.sort();
        names
    };
    let plan: &Plan = view.plan;
    let mut words = signed('+', plan.given(change));
    words.extend(signed('=', plan.owned(change)));
    words.extend(signed('-', plan.taken(change)));
    words.join(" ")
}

fn account(view: View<'_>, change: &Change, place: u32) -> String {
    let Some(wanted) = view.wanted_account(change) else {
        return change.what.words().join(", ");
    };
    let held = view.holding.accounts.get(place as usize);
    let mut parts = Vec::new();
    let all = change.step == Step::Create;
    for (bit, name, held_value, value) in fields(view, held, &wanted) {
        if change.what.has(bit) {
            parts.push(format!("{name} {held_value:?} -> {value:?}"));
        } else if all && !value.is_empty() && bit != What::SPELLING {
            parts.push(format!("{name} {value:?}"));
        }
    }
    for word in change.what.without(FIELDS).words() {
        parts.push(match word {
            "rename" => format!("rename -> {:?}", wanted.name),
            _ => word.to_owned(),
        });
    }
    if all && !wanted.active {
        parts.push("inactive".to_owned());
    }
    parts.join(", ")
}

const FIELDS: What = What(
    What::SPELLING.0
        | What::DISPLAY_NAME.0
        | What::GIVEN_NAME.0
        | What::FAMILY_NAME.0
        | What::EMAIL.0
        | What::DIRECTORY.0
        | What::EXTERNAL_ID.0,
);

fn fields<'a>(
    view: View<'a>,
    held: Option<&Account>,
    wanted: &WantedAccount<'a>,
) -> [(What, &'static str, &'a str, &'a str); 7] {
    let text = |field: fn(&Account) -> StrId| held.map_or("", |it| view.holding.text(field(it)));
    [
        (What::SPELLING, "name", text(|it| it.seen.name), wanted.name),
        (
            What::DISPLAY_NAME,
            "display_name",
            text(|it| it.seen.display_name),
            wanted.display_name,
        ),
        (
            What::GIVEN_NAME,
            "given_name",
            text(|it| it.seen.given_name),
            wanted.given_name,
        ),
        (
            What::FAMILY_NAME,
            "family_name",
            text(|it| it.seen.family_name),
            wanted.family_name,
        ),
        (What::EMAIL, "email", text(|it| it.seen.email), wanted.email),
        (
            What::DIRECTORY,
            "directory",
            text(|it| it.seen.directory),
            wanted.directory,
        ),
        (
            What::EXTERNAL_ID,
            "external_id",
            text(|it| it.seen.external_id),
            wanted.external_id,
        ),
    ]
}

fn group(view: View<'_>, change: &Change, place: u32) -> String {
    let wanted = view.wanted_group(change);
    let held = view.holding.groups.get(place as usize);
    let mut parts = Vec::new();
    for word in change.what.words() {
        parts.push(match (word, &wanted) {
            ("rename" | "spelling", Some(wanted)) => format!("{word} -> {:?}", wanted.name),
            ("description", Some(wanted)) => {
                let before = held.map_or("", |it| view.holding.text(it.seen.description));
                format!("description {before:?} -> {:?}", wanted.description)
            }
            _ => word.to_owned(),
        });
    }
    if change.step == Step::Create
        && let Some(wanted) = wanted
        && !wanted.description.is_empty()
    {
        parts.push(format!("description {:?}", wanted.description));
    }
    debug_assert!(change.wanted != NONE || wanted.is_none());
    parts.join(", ")
}
