//! A configuration that chooses fewer: nobody has left, so nobody is removed without a person's word.

use super::*;

/// After this change of the configuration nothing is taken away, something is held, and with the old one all is as it was.
fn check(town: &Town, google: &str) {
    let before = town.tables();
    town.configure(UNGUARDED, google);
    for _ in 0..3 {
        town.is_partial();
        assert_eq!(town.tables(), before, "{google}");
        assert_eq!(town.held(), ["configuration_changed"], "{google}");
    }
    town.configure(UNGUARDED, "");
    town.site.sync().ended(0);
    assert_eq!(town.tables(), before, "{google}");
}

#[test]
fn fewer_groups_in_the_configuration_take_nothing_away() {
    check(&Town::settled(), "groups: [eng@example.com]");
    check(
        &Town::settled(),
        "groups: ['e*@example.com', support@example.com]",
    );
}

#[test]
fn fewer_domains_in_the_configuration_take_nothing_away() {
    let town = Town::new();
    town.double.with(|it| {
        it.add_user("emil@example.org");
        it.add_member("support@example.com", "emil@example.org");
        it.add_group("partners@example.org");
        it.add_member("partners@example.org", "emil@example.org");
    });
    town.passes("applied");
    check(&town, "domains: [example.com]");
    check(&town, "domains: [example.org]");
}

#[test]
fn what_much_less_is_read_under_another_configuration_is_kept_aside() {
    let town = Town::settled();
    town.configure("", "groups: [support@example.com]");
    town.keeps("directory.suspect");
    town.configure("", "");
    town.site.sync().ended(0);
}
