//! The Google directory against the Google Workspace in memory: what is read is what it holds, and whatever goes wrong is an error,
//! an unknown group or one rejected record, never fewer users.

mod completeness;
mod polling;
mod reading;

use std::sync::Arc;

use usersyncd::clock::{Clock, SystemClock};
use usersyncd::directories::google::{GoogleConfig, GoogleDirectory};
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::{Records, Status};
use usersyncd::pace::Pace;

use crate::support::google_double::{ADMIN, GoogleDouble};
use crate::support::leaping_clock::{FOR_EVER, LeapingClock};

/// Options under which a clock that leaps over every wait ends no request.
pub(crate) const PATIENT: &str = "timeout: 40000d";

/// A directory over the double, with further options. It is as fast as the double.
pub(crate) fn directory(double: &GoogleDouble, options: &str) -> GoogleDirectory {
    at(double, options, &[], Arc::new(SystemClock::new()))
}

/// A directory with further attributes that keeps the time of this clock.
pub(crate) fn at(
    double: &GoogleDouble,
    options: &str,
    extra: &[&str],
    clock: Arc<dyn Clock>,
) -> GoogleDirectory {
    let (url, key) = (double.url(), serde_json::Value::from(double.key()));
    let subject = if options.contains("subject:") {
        ""
    } else {
        ADMIN
    };
    let subject = if subject.is_empty() {
        String::new()
    } else {
        format!("subject: {subject}\n")
    };
    let text = format!("url: '{url}'\nkey: {key}\n{subject}insecure: true\n{options}");
    let config: GoogleConfig = serde_yaml::from_str(&text).unwrap();
    let extra = extra.iter().map(|it| (*it).to_owned()).collect();
    let pace = Arc::new(Pace::new(None, 8, Arc::clone(&clock)));
    GoogleDirectory::new("google", &config, extra, pace, clock).unwrap()
}

/// A poll that goes on from what was accepted before.
struct Poll {
    records: Arc<Records>,
    cursor: Option<String>,
    notes: Vec<String>,
    requests: u64,
}

impl Poll {
    /// The first.
    async fn first(directory: &GoogleDirectory) -> Poll {
        poll(directory, None).await.unwrap()
    }

    /// The next.
    async fn next(&self, directory: &GoogleDirectory) -> Result<Poll, ReadError> {
        poll(directory, Some(self)).await
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.records)
    }
}

async fn poll(directory: &GoogleDirectory, last: Option<&Poll>) -> Result<Poll, ReadError> {
    let since = Since {
        cursor: last.and_then(|it| it.cursor.clone()),
        last: last.map(|it| Arc::clone(&it.records)),
    };
    let Read {
        what,
        cursor,
        notes,
        requests,
    } = directory.read(since).await?;
    let What::Complete(records) = what else {
        panic!("there are no deltas of Google");
    };
    Ok(Poll {
        records: Arc::new(records),
        cursor,
        notes,
        requests: requests.unwrap(),
    })
}

/// Everything that stands in records, a line for each thing, sorted.
fn lines(records: &Records) -> Vec<String> {
    let text = |it| records.text(it);
    let unknown = |it: bool| if it { " unknown" } else { "" };
    let mut lines = Vec::new();
    for user in &records.users {
        let status = match user.status {
            Status::Active => "",
            Status::Inactive => " inactive",
            Status::Unknown => " status?",
        };
        lines.push(format!(
            "{}{status}{}",
            text(user.username),
            unknown(user.unknown)
        ));
    }
    for (at, group) in records.groups.iter().enumerate() {
        let users = records.members.row(at).iter();
        let mut members: Vec<String> = users
            .map(|it| text(records.users[*it as usize].username).to_owned())
            .collect();
        let groups = records.children.row(at).iter();
        members.extend(groups.map(|it| format!("+{}", text(records.groups[*it as usize].name))));
        let references = records
            .references
            .iter()
            .filter(|it| it.group as usize == at);
        let references = references.map(|it| text(it.handle));
        // Who is everybody is seen by the users.
        let references = references.filter(|it| !it.starts_with("customer "));
        members.extend(references.map(|it| format!("?{it}")));
        members.sort();
        lines.push(format!(
            "{}{}: {}",
            text(group.name),
            unknown(group.unknown),
            members.join(" ")
        ));
    }
    for it in &records.rejected {
        lines.push(format!("rejected {}: {}", text(it.label), text(it.reason)));
    }
    lines.sort();
    lines
}
