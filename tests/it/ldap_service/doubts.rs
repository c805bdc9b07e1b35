//! Answers that are complete and cannot be true: lost rights, another schema, a filter that finds nobody; and logins that
//! are refused.

use super::{Place, Town, address, names};
use crate::support::samba::Samba;
use crate::support::site::next_second;
use crate::support::slapd::{READER, Slapd};

/// A site in sync with 20 people.
fn settled(
    place: Place,
    address: std::net::SocketAddr,
    prefix: &str,
    modify: impl Fn(&str),
) -> Town {
    let town = Town::new(place, address);
    let people = names(prefix, 20);
    let adds: String = people.iter().map(|it| town.place.add(it)).collect();
    modify(&(adds + &town.place.group(&format!("{prefix}-all"), &people)));
    town.read();
    assert_eq!(town.accounts().0.len(), 20);
    town
}

fn openldap() -> (Slapd, Town) {
    let server = Slapd::start("");
    let town = settled(Place::slapd(), address(&server), "p", |it| {
        server.modify(it);
    });
    (server, town)
}

/// With another configuration the read is kept aside, `status` says so, and with the old one all is well again.
fn check_suspect(town: &Town, block: &str) {
    town.configure_as("", block);
    for _ in 0..2 {
        let run = town.keeps("directory.suspect");
        let id = run.one("directory.suspect")["approve"].clone();
        let status = town.site.run(&["status"]).ended(0).out;
        let release = format!("(approve {})", id.as_str().unwrap());
        assert!(
            status.contains("suspect") && status.contains(&release),
            "{status}"
        );
    }
    town.configure("", "");
    town.site.sync().ended(0);
}

#[test]
fn a_schema_of_another_server_removes_nobody() {
    let (_server, town) = openldap();
    let block = town.place.block(&town.url(), "");
    for other in ["active-directory", "freeipa"] {
        check_suspect(&town, &block.replace("openldap", other));
    }
    town.configure_as("", &block.replace("openldap", "active-directory"));
    let said = town.site.run(&["check", "--connect"]).ended(3).out;
    assert!(said.contains("Write `schema: openldap`"), "{said}");
}

#[test]
fn a_filter_that_finds_nobody_removes_nobody() {
    let (_server, town) = openldap();
    let block = town.place.block(&town.url(), "");
    for filter in ["(employeeType=none)", "(noSuchAttribute=x)"] {
        let base = format!("base: '{}' ", town.place.people);
        let with = format!("{base}, filter: '{filter}' ");
        check_suspect(&town, &block.replace(&base, &with));
    }
}

#[test]
fn active_directory_is_no_other_in_that() {
    let server = Samba::shared();
    let place = Place::samba(server, "doubts");
    let at = (server.ip(), 389).into();
    let town = settled(place, at, "dt", |it| server.modify(it));
    let block = town.place.block(&town.url(), "");
    check_suspect(&town, &block.replace("active-directory", "openldap"));
    let base = format!("base: '{}' ", town.place.people);
    let with = format!("{base}, filter: '(employeeType=none)' ");
    check_suspect(&town, &block.replace(&base, &with));
    town.site.write("password", "wrong");
    let failed = town.keeps("directory.failed").one("directory.failed");
    assert_eq!(failed["kind"], "unauthorised", "{failed}");
}

/// A reader who may read everything may do only this from now on; then everything again. A complete read notices it. Changes
/// alone may not, since servers hide what one may not read; nobody is removed in either way.
fn check_rights(rights: &str, events: &[&str]) {
    let (mut server, town) = openldap();
    let all = format!("access to * by dn.exact=\"{READER}\" read");
    let mut allow = |from: &str, to: &str, name: &str| {
        server.stop();
        server.configure(from, to);
        server.start_again();
        server.modify(&town.place.call("p000", name));
    };
    allow(&all, rights, "Anna");
    let people = town.accounts();
    town.site.sync();
    assert_eq!(town.accounts().1, people.1, "{rights}");
    let active = |it: &&String| it.ends_with("|1");
    assert_eq!(town.accounts().0.iter().filter(active).count(), 20);
    town.configure("reread: 1s", "incremental: false");
    next_second();
    next_second();
    for _ in 0..2 {
        let before = town.accounts();
        let run = town.site.sync().ended(3);
        let told = events.iter().any(|it| !run.named(it).is_empty());
        assert!(told, "{}", run.err);
        assert_eq!(town.accounts(), before, "{rights}");
    }
    allow(rights, &all, "Berta");
    town.configure("", "");
    town.site.sync().ended(0);
    assert_eq!(town.accounts().0[0], "p000|Berta|1");
}

#[test]
fn a_reader_who_sees_nothing_any_more_removes_nobody() {
    let rights = format!("access to * by dn.exact=\"{READER}\" none");
    check_rights(&rights, &["directory.failed"]);
}

#[test]
fn a_reader_who_sees_no_entries_any_more_removes_nobody() {
    let rights = format!("access to * by dn.exact=\"{READER}\" search");
    check_rights(&rights, &["directory.failed", "directory.suspect"]);
}

#[test]
fn a_reader_who_sees_half_of_the_people_removes_nobody() {
    let hidden = "access to dn.regex=\"^uid=p01.,\" by * none\n";
    let rights = format!("{hidden}access to * by dn.exact=\"{READER}\" read");
    check_rights(&rights, &["directory.suspect"]);
}

#[test]
fn a_reader_who_sees_no_ids_any_more_removes_nobody() {
    let hidden = "access to attrs=entryUUID by * none\n";
    let rights = format!("{hidden}access to * by dn.exact=\"{READER}\" read");
    check_rights(&rights, &["directory.suspect", "record.rejected"]);
}

#[test]
fn a_password_that_was_changed_removes_nobody_and_the_new_one_serves_at_once() {
    let (server, town) = openldap();
    let change = |password: &str| {
        server.modify(&format!(
            "dn: {READER}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n\n"
        ));
    };
    change("another");
    let failed = town.keeps("directory.failed").one("directory.failed");
    assert_eq!(failed["kind"], "unauthorised", "{failed}");
    assert_eq!(failed["level"], "ERROR");
    let said = town.site.run(&["check", "--connect"]).ended(3).out;
    assert!(said.contains("bind: "), "{said}");
    server.modify(&town.place.call("p000", "Anna"));
    town.site.write("password", "another");
    let (whole, _) = town.read();
    assert!(!whole, "the login is the same");
    assert!(town.accounts().0[0].contains("Anna"));
}
