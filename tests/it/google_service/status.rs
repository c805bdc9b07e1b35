//! Suspended, archived, and no word of either.

use super::*;
use crate::support::google_double::State;

#[test]
fn who_is_suspended_or_archived_is_switched_off_at_once_and_keeps_everything() {
    let town = Town::settled();
    town.double.with(|it| {
        it.suspend("anna@example.com");
        it.archive("ben@example.com");
    });
    town.passes("applied");
    assert_eq!(town.accounts(), ["anna|0", "ben|0", "carl|1", "dora|1"]);
    assert_eq!(town.members(), MEMBERSHIPS);
    town.double
        .with(|it| it.user("anna@example.com").suspended = Some(false));
    town.passes("applied");
    assert_eq!(town.accounts(), ["anna|1", "ben|0", "carl|1", "dora|1"]);
}

#[test]
fn a_missing_flag_leaves_the_account_as_it_was() {
    let town = Town::settled();
    town.double.with(|it| it.suspend("anna@example.com"));
    town.passes("applied");
    let silent = |it: &mut State| {
        it.user("anna@example.com").suspended = None;
        it.user("ben@example.com").suspended = None;
        it.user("carl@example.com").archived = None;
    };
    town.double.with(silent);
    for _ in 0..2 {
        let run = town.passes("in_sync");
        assert_eq!(town.accounts(), ["anna|0", "ben|1", "carl|1", "dora|1"]);
        assert!(run.named("record.rejected").is_empty());
    }
    // Archived counts without a word of the other.
    town.double.with(|it| it.archive("ben@example.com"));
    town.passes("applied");
    assert_eq!(town.accounts(), ["anna|0", "ben|0", "carl|1", "dora|1"]);
}

#[test]
fn nobody_of_whom_nothing_was_ever_said_gets_an_account() {
    let town = Town::settled();
    town.double.with(|it| {
        it.add_user("emil@example.com");
        it.user("emil@example.com").suspended = None;
    });
    let run = town.site.sync().ended(0);
    assert_eq!(town.accounts(), ["anna|1", "ben|1", "carl|1", "dora|1"]);
    let notes = run.one("directory.read")["notes"].to_string();
    assert!(notes.contains("does not say whether"), "{notes}");
    town.double
        .with(|it| it.user("emil@example.com").suspended = Some(false));
    town.passes("applied");
    assert_eq!(town.accounts()[4], "emil|1");
}
