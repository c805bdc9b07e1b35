//! Servers that are killed, frozen or restarted at any point of a read: the pass ends partial, the last records serve, and
//! the next pass is in sync.

use std::sync::{Arc, Mutex};

use super::{Place, Town, address, names, signal};
use crate::support::samba::Samba;
use crate::support::slapd::Slapd;

const PEOPLE: usize = 200;

/// Small pages, so that there are many points, and little patience with a server that hangs.
const OPTIONS: &str = "page_size: 20\ntimeout: 2s";

/// Strikes after the first answer, and after a quarter, a half and three quarters of what a pass over so many changes is
/// answered.
fn check(
    town: &Town,
    prefix: &str,
    options: &str,
    modify: impl Fn(&str),
    arm: impl Fn(usize),
    mend: impl Fn(),
) {
    let place = &town.place;
    town.configure("", options);
    let people = names(prefix, PEOPLE);
    let adds: String = people.iter().map(|it| place.add(it)).collect();
    modify(&(adds + &place.group(&format!("{prefix}-all"), &people[..5])));
    town.read();
    assert_eq!(town.accounts().0.len(), PEOPLE);
    let rename = |name: &str| {
        let changes: String = people[..100]
            .iter()
            .map(|it| place.call(it, name))
            .collect();
        modify(&changes);
    };
    rename("Undisturbed");
    let before = town.tap.answered();
    let (whole, _) = town.read();
    assert_eq!(whole, options.contains("incremental: false"));
    let answered = town.tap.answered() - before;
    for quarter in 0..4 {
        let name = format!("Quarter {quarter}");
        rename(&name);
        arm(answered / 4 * quarter);
        let run = town.keeps("directory.failed");
        assert!(!town.tap.is_armed(), "quarter {quarter}: nothing happened");
        let failed = run.one("directory.failed");
        assert_eq!(failed["kind"], "unavailable", "quarter {quarter}: {failed}");
        mend();
        town.read();
        let (accounts, _) = town.accounts();
        let named = accounts.iter().filter(|it| it.contains(&name));
        assert_eq!(named.count(), 100, "quarter {quarter}");
        assert!(accounts.iter().all(|it| it.ends_with("|1")));
        town.site.sync().ended(0);
    }
}

#[derive(Clone, Copy)]
enum Harm {
    Kill,
    Freeze,
    Restart,
}

fn check_slapd(harm: Harm, options: &str) {
    let server = Arc::new(Mutex::new(Slapd::start("")));
    let town = Town::new(Place::slapd(), address(&server.lock().unwrap()));
    let arm = |bytes: usize| {
        let server = Arc::clone(&server);
        town.tap.strike_after(bytes, move || {
            let mut server = server.lock().unwrap();
            match harm {
                Harm::Kill => server.stop(),
                Harm::Freeze => signal(server.pid(), "STOP"),
                Harm::Restart => {
                    server.stop();
                    server.start_again();
                }
            }
        });
    };
    let mend = || {
        let mut server = server.lock().unwrap();
        match harm {
            Harm::Kill => server.start_again(),
            Harm::Freeze => signal(server.pid(), "CONT"),
            Harm::Restart => {}
        }
    };
    let modify = |it: &str| server.lock().unwrap().modify(it);
    check(&town, "p", options, modify, arm, mend);
}

#[test]
fn a_server_killed_while_everything_is_read_removes_nobody() {
    check_slapd(Harm::Kill, &format!("{OPTIONS}\nincremental: false"));
}

#[test]
fn a_server_killed_while_changes_are_read_removes_nobody() {
    check_slapd(Harm::Kill, OPTIONS);
}

#[test]
fn a_server_frozen_while_everything_is_read_removes_nobody() {
    check_slapd(Harm::Freeze, &format!("{OPTIONS}\nincremental: false"));
}

#[test]
fn a_server_frozen_while_changes_are_read_removes_nobody() {
    check_slapd(Harm::Freeze, OPTIONS);
}

#[test]
fn a_server_restarted_while_everything_is_read_removes_nobody() {
    check_slapd(Harm::Restart, &format!("{OPTIONS}\nincremental: false"));
}

#[test]
fn a_server_restarted_while_changes_are_read_removes_nobody() {
    check_slapd(Harm::Restart, OPTIONS);
}

#[test]
fn a_server_that_is_down_removes_nobody() {
    let mut server = Slapd::start("");
    let town = Town::new(Place::slapd(), address(&server));
    server.modify(&town.place.add("anna"));
    town.read();
    server.stop();
    for _ in 0..2 {
        let failed = town.keeps("directory.failed").one("directory.failed");
        assert_eq!(failed["kind"], "unavailable", "{failed}");
    }
    server.start_again();
    town.site.sync().ended(0);
}

#[test]
fn a_domain_controller_that_freezes_or_hangs_up_removes_nobody() {
    let server = Samba::start();
    let place = Place::samba(&server, "outages");
    let town = Town::new(place, (server.ip(), 389).into());
    // Samba shows that a reader may see what was deleted by something that was.
    server.modify(&(town.place.add("gone") + &town.place.delete("gone")));
    let pid = server.pid();
    let modify = |it: &str| server.modify(it);
    let freeze = |bytes| town.tap.strike_after(bytes, move || signal(pid, "STOP"));
    check(&town, "f", OPTIONS, modify, freeze, || signal(pid, "CONT"));
    let whole = format!("{OPTIONS}\nincremental: false");
    let other = Place::samba(&server, "cuts");
    let town = Town::new(other, (server.ip(), 389).into());
    let cut = |bytes| town.tap.break_after(bytes);
    let mend = || town.tap.break_after(usize::MAX);
    check(&town, "c", &whole, modify, cut, mend);
}
