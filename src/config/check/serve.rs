//! What is served, where, and to whom.

use std::collections::BTreeMap;

use super::super::application::{ApplicationEntry, ApplicationType};
use super::super::directory::DirectoryType;
use super::super::spot::{Report, Spot};
use super::Draft;

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    let spot = draft.root.key("serve");
    if let Some(serve) = &draft.written.serve {
        for problem in serve.problems() {
            report.error(&spot.key(problem.path), problem.text, None);
        }
        for warning in serve.warnings() {
            report.warning(&spot.key(warning.path), warning.text, None);
        }
    }
    check_listener(draft, &spot, report);
    check_clients(draft, report);
    check_loops(draft, report);
}

/// A served set can be had somewhere, and whatever listens has something to serve.
fn check_listener(draft: &Draft<'_, '_>, spot: &Spot<'_>, report: &mut Report) {
    let mut served = draft.applications.iter().filter(|it| is_served(it.0));
    match (served.next(), spot.node) {
        (Some((_, entry)), None) => {
            let what = "nobody could reach it: nothing says where to listen";
            let hint = "write `serve: { listen: \"127.0.0.1:8095\" }` at the top of the file";
            report.error(&entry.key("crowd_server"), what, Some(hint));
        }
        (None, Some(_)) if spot.is_whole() => {
            let what = "there is no `crowd_server` application whose set could be had there";
            report.warning(spot, what, Some("add one, or leave `serve` out"));
        }
        _ => {}
    }
}

/// A client's name says whose set it gets.
fn check_clients(draft: &Draft<'_, '_>, report: &mut Report) {
    let mut names = BTreeMap::new();
    for (application, spot) in &draft.applications {
        let Some(ApplicationType::CrowdServer(served)) = application.connector() else {
            continue;
        };
        let items = spot.key("crowd_server").key("clients").items();
        for (client, item) in served.clients.iter().zip(items) {
            if let Some(first) = names.insert(client.name.as_str(), &application.name) {
                let what = format!(
                    "application `{first}` has a client `{}` already",
                    client.name
                );
                let hint = "the name says whose set a program gets: give each its own";
                report.error(&item.key("name"), what, Some(hint));
            }
        }
    }
}

/// A directory must not poll what is served from here (design, section 4.12). The name of a machine tells nothing; its client's
/// does.
fn check_loops(draft: &Draft<'_, '_>, report: &mut Report) {
    let served = draft.applications.iter().filter_map(|(application, _)| {
        let Some(ApplicationType::CrowdServer(served)) = application.connector() else {
            return None;
        };
        Some((&application.name, served))
    });
    let clients = served.flat_map(|(entry, it)| it.clients.iter().map(move |it| (&it.name, entry)));
    let clients: BTreeMap<&String, _> = clients.collect();
    let listen = draft.written.serve.as_ref().map(|it| it.listen.port());
    for (directory, spot) in &draft.directories {
        let Some(DirectoryType::Crowd(crowd)) = directory.connector() else {
            continue;
        };
        if let (Some(entry), true) = (clients.get(&crowd.application), crowd.url.port() == listen) {
            let what = format!("it reads what is served here for application `{entry}`");
            let hint = "what one writes must be neither written nor read by another";
            report.error(&spot.key("crowd"), what, Some(hint));
        }
    }
}

fn is_served(application: &ApplicationEntry) -> bool {
    matches!(
        application.connector(),
        Some(ApplicationType::CrowdServer(_))
    )
}
