//! What has changed is read alone, and where it is not the log says why.

use super::{Place, Town, address, names};
use crate::support::samba::Samba;
use crate::support::site::next_second;
use crate::support::slapd::{SessionLog, Slapd};
use crate::support::wait;

/// Goes from the first pass to whatever makes a pass read everything. `prefix` begins every name.
fn check(town: &Town, prefix: &str, modify: impl Fn(&str), offered: &str) {
    let place = &town.place;
    let people = names(prefix, 20);
    let adds: String = people.iter().map(|it| place.add(it)).collect();
    modify(&(adds + &place.group(&format!("{prefix}-all"), &people[..10])));
    // Samba shows that a reader may see what was deleted by something that was.
    modify(&(place.add(&format!("{prefix}-gone")) + &place.delete(&format!("{prefix}-gone"))));
    let said = town.site.run(&["check", "--connect"]).ended(0).out;
    assert!(said.contains(offered), "{said}");
    assert_eq!(town.read(), (true, String::new()));
    assert_eq!(town.accounts().0.len(), 20);
    assert_eq!(town.accounts().1.len(), 10);

    // Nothing new, somebody new with a name changed, somebody gone: each is read alone.
    let debug = ["--sync-now", "--log-level", "debug"];
    let idle = town.site.run(&debug).ended(0);
    assert_eq!(
        idle.one("directory.unchanged")["notes"],
        serde_json::Value::Null
    );
    modify(&(place.add(&format!("{prefix}-zoe")) + &place.call(&people[0], "Another")));
    assert_eq!(town.read(), (false, String::new()));
    let (accounts, _) = town.accounts();
    assert_eq!(accounts[0], format!("{prefix}-zoe|{prefix}-zoe|1"));
    assert_eq!(accounts[1], format!("{}|Another|1", people[0]));
    modify(&place.delete(&people[15]));
    assert!(!town.read().0);
    let (accounts, _) = town.accounts();
    assert!(accounts[16].ends_with("|0"), "{accounts:?}");

    // A doubt says why everything was read.
    let below = format!("OU={prefix}-inner,{}", place.people);
    let unit = format!("dn: {below}\nchangetype: add\nobjectClass: organizationalUnit\n\n");
    modify(&(unit + &place.call(&people[0], "Anna")));
    let (whole, notes) = town.read();
    assert!(whole);
    let why = "everything was read: a part of the tree was added, renamed or moved";
    assert!(notes.starts_with(why), "{notes}");

    // So does a changed login or question; a complete read that was due says nothing.
    modify(&place.call(&people[0], "Berta"));
    assert!(!town.read().0);
    town.configure("reread: 1s", "");
    next_second();
    next_second();
    modify(&place.call(&people[0], "Carla"));
    assert_eq!(town.read(), (true, String::new()));
    town.configure("", "incremental: false");
    for name in ["Dora", "Emma"] {
        modify(&place.call(&people[0], name));
        assert_eq!(town.read(), (true, String::new()));
    }
    let said = town.site.run(&["check", "--connect"]).ended(0).out;
    let never = "changes: every poll reads everything, as `incremental: false` wants it";
    assert!(said.contains(never), "{said}");
}

#[test]
fn openldap_tells_what_has_changed() {
    let server = Slapd::start("");
    let town = Town::new(Place::slapd(), address(&server));
    let offered = "changes: polls read only what has changed (syncrepl, RFC 4533)";
    check(&town, "p", |it| server.modify(it), offered);
}

#[test]
fn samba_tells_what_has_changed() {
    let server = Samba::shared();
    let place = Place::samba(server, "service");
    let town = Town::new(place, (server.ip(), 389).into());
    let offered = "changes: polls read only what has changed: by DirSync";
    check(&town, "sv", |it| server.modify(it), offered);
}

#[test]
fn groups_that_the_server_rewrites_without_telling_are_asked_for() {
    let server = Slapd::start_logging("", SessionLog::KeptBesideRefint);
    let town = Town::new(Place::slapd(), address(&server));
    let place = &town.place;
    let people = ["ada", "ben", "cid"].map(str::to_owned);
    let adds: String = people.iter().map(|it| place.add(it)).collect();
    server.modify(&(adds + &place.group("staff", &people)));
    assert!(town.read().0);
    assert_eq!(town.accounts().1, ["staff|ada", "staff|ben", "staff|cid"]);

    let rename = format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: uid=eve\ndeleteoldrdn: 1\n\n",
        place.person("ada")
    );
    server.modify(&(rename + &place.delete("ben")));
    let staff = format!("cn=staff,{}", place.groups);
    wait::until("the group is rewritten", || {
        let members = server.values(&staff, "member");
        (members == [place.person("cid"), place.person("eve")]
            || members == [place.person("eve"), place.person("cid")])
        .then_some(())
    });
    assert!(!town.read().0);
    assert_eq!(town.accounts().1, ["staff|ben", "staff|cid", "staff|eve"]);
    // Somebody else under the name of who is gone is in none of his groups; what Ben had stays with his account.
    server.modify(&place.add("ben"));
    assert!(!town.read().0);
    let said = town.site.run(&["explain", "ben"]).ended(0).out;
    assert!(!said.contains("staff@corporate"), "{said}");
}
