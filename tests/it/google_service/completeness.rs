//! Lists that lack somebody, groups that are refused, patterns that fit nothing: nobody loses anything by them.

use super::*;
use crate::support::google_double::Fault;

#[test]
fn a_list_that_lacks_somebody_changes_nothing() {
    for (operation, left) in [(USERS, 3), (USERS, 0), (GROUPS, 1), (GROUPS, 0)] {
        let town = Town::settled();
        // What else has changed does not arrive either.
        town.double.with(|it| {
            it.suspend("carl@example.com");
            it.add_user("emil@example.com");
        });
        town.double.fault_times(operation, 9, Fault::Truncate(left));
        let shown = format!("{operation} {left}");
        for _ in 0..2 {
            let failed = town.keeps("directory.failed");
            assert_eq!(failed["kind"], "incomplete", "{shown}: {failed}");
        }
        town.double.mend();
        town.passes("applied");
        let expect = ["anna|1", "ben|1", "carl|0", "dora|1", "emil|1"];
        assert_eq!(town.accounts(), expect, "{shown}");
        assert_eq!(town.members(), MEMBERSHIPS, "{shown}");
    }
}

#[test]
fn a_list_that_lacks_members_takes_no_membership_and_stops_nothing_else() {
    for (group, left) in [("eng", 1), ("eng", 0), ("all", 0)] {
        let town = Town::settled();
        town.double.with(|it| it.suspend("carl@example.com"));
        town.double
            .fault_on(MEMBERS, &town.id(group), 9, Fault::Truncate(left));
        let run = town.site.sync().ended(3);
        let unknown = run.one("records.unknown");
        assert_eq!(unknown["groups"], 1, "{group} {left}: {unknown}");
        let expect = ["anna|1", "ben|1", "carl|0", "dora|1"];
        assert_eq!(town.accounts(), expect, "{group} {left}");
        assert_eq!(town.members(), MEMBERSHIPS, "{group} {left}");
    }
}

#[test]
fn a_group_that_cannot_be_read_keeps_its_memberships_and_stops_nothing_else() {
    for fault in [Fault::Forbidden, Fault::NotFound] {
        let town = Town::settled();
        town.double.with(|it| {
            it.remove_member("eng@example.com", "ben@example.com");
            it.remove_member("support@example.com", "carl@example.com");
            it.add_user("emil@example.com");
            it.add_member("all@example.com", "emil@example.com");
        });
        town.double.fault_on(MEMBERS, &town.id("eng"), 9, fault);
        let run = town.site.sync().ended(3);
        let expect = [
            "all|anna", "all|ben", "all|dora", "all|emil", "eng|anna", "eng|ben",
        ];
        assert_eq!(town.members(), expect, "{}", run.err);
        let notes = run.one("directory.read")["notes"].to_string();
        assert!(notes.contains(&town.id("eng")), "{notes}");
        // Nothing is new, and nothing is forgotten.
        let again = town.site.sync().ended(3);
        assert_eq!(again.one("pass.finished")["records_unknown"], 1);
        assert_eq!(town.site.status()["directories"][0]["unknown"], 1);
        let text = town.site.run(&["status"]).out;
        assert!(text.contains("of 1 record could not be read"), "{text}");
        town.double.mend();
        town.passes("applied");
        let expect = ["all|anna", "all|dora", "all|emil", "eng|anna"];
        assert_eq!(town.members(), expect);
    }
}

#[test]
fn a_group_that_was_deleted_and_is_named_takes_nothing_with_it() {
    for (name, pattern) in [
        ("{local}", "support@example.com"),
        ("{address}", "Support@example.com"),
    ] {
        let town = Town::new();
        let options = format!("groups: [eng@example.com, {pattern}]\ngroup_name: '{name}'");
        town.configure(UNGUARDED, &options);
        town.passes("applied");
        let before = town.members();
        assert_eq!(before.len(), 3);
        town.double.with(|it| {
            it.remove("support@example.com");
            it.add_user("emil@example.com");
        });
        let rejected = town.is_partial().one("record.rejected");
        assert_eq!(rejected["record"], format!("`groups`: {pattern}"));
        assert_eq!(town.members(), before);
        assert_eq!(town.accounts().len(), 5, "all else is done");
        for _ in 0..2 {
            town.is_partial();
            assert_eq!(town.members(), before);
        }
    }
}

#[test]
fn a_pattern_that_never_fitted_is_reported_at_each_pass() {
    let town = Town::settled();
    town.configure(
        "",
        "groups: [eng@example.com, all@example.com, support@example.com, 'nobody-*@example.com']",
    );
    let rejected = town.is_partial().one("record.rejected");
    assert_eq!(rejected["record"], "`groups`: nobody-*@example.com");
    let finished = town.is_partial().one("pass.finished");
    assert_eq!(finished["records_rejected"], 1, "{finished}");
    assert_eq!(town.members(), MEMBERSHIPS);
}
