//! The directory behind Crowd's REST API, against the Crowd in memory in all its variants: what is read is what it holds, and
//! whatever goes wrong is an error or a rejected record, never fewer users.

mod bad_input;
mod changes;
mod check;
mod delta;
mod merged_view;
mod passwords;
mod reading;

use std::sync::Arc;

use usersyncd::clock::SystemClock;
use usersyncd::directories::crowd::{CrowdConfig, CrowdDirectory};
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::{Delta, Records};
use usersyncd::secret::SecretRef;

use crate::support::company::told;
use crate::support::crowd_double::rules::{ChildEvents, Events, Paging};
use crate::support::crowd_double::{APPLICATION, CrowdDouble, PASSWORD, Rules};

/// A directory over the double, with further options.
pub(crate) fn directory(double: &CrowdDouble, options: &str) -> CrowdDirectory {
    with_password(double, options, PASSWORD, &[])
}

pub(crate) fn with_password(
    double: &CrowdDouble,
    options: &str,
    password: &str,
    extra: &[&str],
) -> CrowdDirectory {
    let url = double.url();
    let text = format!(
        "url: '{url}'\napplication: {APPLICATION}\npassword: {{ env: UNUSED }}\ninsecure: true\n{options}"
    );
    let config: CrowdConfig = serde_yaml::from_str(&text).unwrap();
    let password = SecretRef::literal(password);
    let extra = extra.iter().map(|it| (*it).to_owned()).collect();
    let clock = Arc::new(SystemClock::new());
    CrowdDirectory::new("jira", &config, password, extra, clock).unwrap()
}

/// Servers as they may be, each with its name.
fn variants() -> Vec<(&'static str, Rules)> {
    let sound = Rules::default;
    vec![
        ("a present Crowd", sound()),
        ("another product", Rules::other()),
        (
            "a Jira without a context path",
            Rules {
                context: "",
                ..sound()
            },
        ),
        (
            "without keys",
            Rules {
                keys: false,
                ..sound()
            },
        ),
        (
            "the other list of attributes",
            Rules {
                attribute_list: "attribute",
                ..sound()
            },
        ),
        (
            "active as a text",
            Rules {
                active_as_text: true,
                ..sound()
            },
        ),
        (
            "small pages",
            Rules {
                page_cap: 3,
                ..sound()
            },
        ),
        (
            "pages of one",
            Rules {
                page_cap: 1,
                ..sound()
            },
        ),
        (
            "repeats under paging",
            Rules {
                page_cap: 4,
                paging: Paging::Repeats,
                ..sound()
            },
        ),
        (
            "no document of memberships",
            Rules {
                membership_list: false,
                ..sound()
            },
        ),
        (
            "no events",
            Rules {
                events: Events::Absent,
                ..sound()
            },
        ),
        (
            "no flag for events",
            Rules {
                incremental: None,
                ..sound()
            },
        ),
        (
            "no increments",
            Rules {
                incremental: Some(false),
                ..sound()
            },
        ),
        (
            "child events by child",
            Rules {
                child_events: ChildEvents::ByChild,
                ..sound()
            },
        ),
        (
            "may not write",
            Rules {
                writable: false,
                ..sound()
            },
        ),
    ]
}

/// Names that are awkward in a query, in XML or in JSON.
const AWKWARD: [&str; 8] = [
    "a+b",
    "c & d",
    "e/f?g#h",
    "100%25",
    "o\"brien'<x>",
    "grüße",
    "日本 語",
    "semi;colon=x",
];

/// People, groups in groups and memberships, with awkward names.
fn fill(double: &CrowdDouble) {
    double.with(|it| {
        for name in ["Ada", "ben", "carl", "dora", "emil"]
            .into_iter()
            .chain(AWKWARD)
        {
            let user = it.add_user(name);
            "someone@example.com".clone_into(&mut user.email);
            user.first_name = format!("first {name}");
            user.attributes
                .insert("badge".to_owned(), vec![format!("b {name}")]);
        }
        it.users.get_mut("ben").unwrap().active = false;
        for name in ["Staff", "crew", "none"].into_iter().chain(AWKWARD) {
            it.add_group(name).description = format!("about {name}");
        }
        for name in AWKWARD {
            it.add_member("staff", name);
            it.add_member(name, "ada");
            it.add_child("crew", name);
        }
        it.add_member("staff", "ben");
        it.add_child("staff", "crew");
        // A ring, and a group that is its own child.
        it.add_child("crew", "staff");
        it.add_child("crew", "crew");
    });
}

async fn read(directory: &CrowdDirectory, cursor: Option<String>) -> Result<Read, ReadError> {
    directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
}

async fn complete(directory: &CrowdDirectory) -> (Records, Option<String>, Vec<String>) {
    let Read {
        what,
        cursor,
        notes,
        requests: _,
    } = read(directory, None).await.unwrap();
    match what {
        What::Complete(records) => (records, cursor, notes),
        What::Delta(_) => panic!("changes since nothing"),
    }
}

async fn changes(directory: &CrowdDirectory, cursor: Option<String>) -> (Delta, Option<String>) {
    let Read {
        what,
        cursor,
        notes,
        requests: _,
    } = read(directory, cursor).await.unwrap();
    match what {
        What::Delta(delta) => (delta, cursor),
        What::Complete(_) => panic!("everything was read: {notes:?}"),
    }
}

/// What the double holds, as records tell it. `keys`: whether users show them.
fn held(double: &CrowdDouble, keys: bool) -> Vec<String> {
    double.with(|it| {
        let users = it.users.iter().map(|(key, user)| {
            let id = if keys { &user.key } else { key };
            let fields = [id, key, &user.name, &user.display_name, &user.email];
            let status = if user.active { "Active" } else { "Inactive" };
            format!("user {fields:?} {status} false")
        });
        let groups = it.groups.iter().map(|(key, group)| {
            let mut members: Vec<&String> = group.members.iter().chain(&group.children).collect();
            members.sort_unstable();
            format!("group {:?} {members:?}", [key, key, &group.name])
        });
        let mut lines: Vec<String> = users.chain(groups).collect();
        lines.sort();
        lines
    })
}

fn assert_same(found: &[String], expect: &[String], which: &str) {
    assert!(found == expect, "{which}: {found:#?} is not {expect:#?}");
}

/// What records say.
fn says(records: &Records) -> Vec<String> {
    told(records)
}
