//! Section 2 of the design: who wins a username, with which groups, and who is taken.

use super::world::{Company, company, globs};
use crate::model::{Kind, NameRules, Status};
use crate::reconcile::rules::{KindRule, Memberships, TrustMail};

fn aggregate(it: &mut crate::reconcile::rules::ApplicationRules) {
    it.memberships = Memberships::Aggregate;
}

#[test]
fn rule_2_1_usernames_are_joined_by_their_folded_key_and_pushed_in_the_winners_spelling() {
    let company = company()
        .directory("jira", |it| it.users(["Ämilie", "STRASSE"]))
        .directory("corporate", |it| {
            it.users(["a\u{308}milie", "Straße", "strasse"]);
        });
    company.roster_is(&["STRASSE@jira:", "Straße@corporate:", "Ämilie@jira:"]);
}

#[test]
fn rule_2_1_groups_are_joined_by_their_folded_key() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("Staff", &["anna"]);
        })
        .directory("corporate", |it| {
            it.users(["ben"]);
            it.group("STAFF", &["ben"]);
        });
    company.roster_is(&["anna@jira: Staff", "ben@corporate: Staff"]);
}

#[test]
fn rule_2_1_globs_match_the_folded_key() {
    let company = company()
        .directory("jira", |it| it.users(["Anna", "BEN", "Carla"]))
        .rules(|it| {
            it.include_users = globs(&["A*", "Ben"]);
            it.exclude_users = globs(&["ANNA"]);
        });
    company.roster_is(&["BEN@jira:"]);
}

#[test]
fn rule_2_2_the_first_listed_directory_that_has_a_username_wins_with_all_attributes() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").display_name("Anna of Jira");
        })
        .directory("corporate", |it| {
            it.user("anna")
                .display_name("Anna")
                .mail("anna@example.com");
            it.user("ben").mail("ben@example.com");
        });
    company.plans(&[
        "create   user anna: display_name \"Anna of Jira\" (new)",
        "create   user ben: email \"ben@example.com\" (new)",
    ]);
}

#[test]
fn rule_2_3_an_inactive_user_in_a_higher_directory_masks_an_active_one() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .directory("corporate", |it| it.users(["anna"]));
    company.roster_is(&["anna (inactive)@jira:"]);
    company.plans(&["create   user anna: inactive (new)"]);
}

#[test]
fn rule_2_3_inactive_falls_through_to_the_first_active_one() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .directory("corporate", |it| {
            it.user("anna").inactive();
        })
        .directory("google", |it| it.users(["anna"]))
        .directory("file", |it| it.users(["anna"]))
        .rules(|it| it.inactive_falls_through = true);
    company.roster_is(&["anna@google:"]);
}

#[test]
fn rule_2_3_where_nobody_is_active_the_first_directory_wins_all_the_same() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .directory("corporate", |it| {
            it.user("anna").inactive();
        })
        .rules(|it| it.inactive_falls_through = true);
    company.roster_is(&["anna (inactive)@jira:"]);
}

#[test]
fn rule_2_3_an_inactive_user_is_created_inactive_and_may_be_switched_on_later() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .pushed();
    company.holds("anna", "inactive");
    company.edit("jira", |it| {
        it.the("anna").active();
    });
    company.pushes(&["update   user anna: activate (active)"]);
    company.holds("anna", "active");
}

#[test]
fn rule_2_3_an_inactive_user_is_not_created_where_it_cannot_be_inactive() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .abilities(|it| it.deactivate = false);
    company.plans(&[]);
    company.edit("jira", |it| {
        it.the("anna").active();
    });
    company.plans(&["create   user anna (new)"]);
}

fn two_directories_with_groups() -> Company {
    company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("writers", &["anna"]).description("of jira");
            it.group("staff", &[]).groups(&["writers"]);
        })
        .directory("corporate", |it| {
            it.users(["anna", "ben"]);
            it.group("Writers", &["ben"]).description("of corporate");
            it.group("readers", &["anna"]);
            it.group("company", &[]).groups(&["Writers"]);
        })
}

#[test]
fn rule_2_4_first_takes_the_groups_of_the_winning_directory_only() {
    let company = two_directories_with_groups();
    company.roster_is(&["anna@jira: staff writers", "ben@corporate: company writers"]);
}

#[test]
fn rule_2_4_aggregate_takes_the_groups_of_all_directories_shadowed_ones_included() {
    let company = two_directories_with_groups().rules(aggregate);
    company.roster_is(&[
        "anna@jira: company readers staff writers",
        "ben@corporate: company staff writers",
    ]);
}

#[test]
fn rule_2_4_name_and_description_of_a_group_come_from_the_highest_directory() {
    let company = two_directories_with_groups();
    company.says("create   group writers: description \"of jira\"");
    company.never_says("of corporate");
}

#[test]
fn rule_2_5_first_nests_inside_the_winning_directory_and_aggregate_over_the_merged_graph() {
    let company = || {
        company()
            .directory("jira", |it| {
                it.users(["anna"]);
                it.group("a", &["anna"]);
            })
            .directory("corporate", |it| {
                it.group("a", &[]);
                it.group("b", &[]).groups(&["a"]);
            })
            .directory("google", |it| {
                it.group("b", &[]);
                it.group("c", &[]).groups(&["b"]);
            })
    };
    company().roster_is(&["anna@jira: a"]);
    company().rules(aggregate).roster_is(&["anna@jira: a b c"]);
}

#[test]
fn rule_2_5_cycles_are_legal_and_end() {
    let company = || {
        company().directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("a", &["anna"]).groups(&["c"]);
            it.group("b", &["ben"]).groups(&["a"]);
            it.group("c", &[]).groups(&["b", "c"]);
        })
    };
    company().roster_is(&["anna@jira: a b c", "ben@jira: a b c"]);
    let company = company().rules(aggregate);
    company.roster_is(&["anna@jira: a b c", "ben@jira: a b c"]);
}

#[test]
fn rule_2_5_keep_pushes_groups_in_groups() {
    let mut company = two_directories_with_groups().rules(|it| {
        it.memberships = Memberships::Aggregate;
        it.keep_nesting = true;
    });
    company.pushes(&[
        "create   group company (new)",
        "create   group readers (new)",
        "create   group staff (new)",
        "create   group writers: description \"of jira\" (new)",
        "create   user anna (new)",
        "create   user ben (new)",
        "members  group readers: +anna (memberships)",
        "members  group writers: +anna +ben (memberships)",
        "children group company: +writers (memberships)",
        "children group staff: +writers (memberships)",
    ]);
    company.plans(&[]);
    company.edit("jira", |it| {
        it.the_group("staff").groups(&[]);
    });
    company.pushes(&["children group staff: -writers (memberships)"]);
    company.plans(&[]);
}

#[test]
fn rule_2_5_keep_flattens_edges_through_groups_out_of_scope_into_the_nearest_chosen_parent() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("top", &[]).groups(&["hidden"]);
            it.group("hidden", &["ben"]).groups(&["bottom"]);
            it.group("bottom", &["anna"]);
        })
        .rules(|it| {
            it.memberships = Memberships::Aggregate;
            it.keep_nesting = true;
            it.exclude_groups = globs(&["hidden"]);
        });
    company.plans(&[
        "create   group bottom (new)",
        "create   group top (new)",
        "create   user anna (new)",
        "create   user ben (new)",
        "members  group bottom: +anna (memberships)",
        "members  group top: +ben (memberships)",
        "children group top: +bottom (memberships)",
    ]);
}

#[test]
fn rule_2_5_nesting_that_is_no_longer_kept_is_taken_back() {
    let mut company = two_directories_with_groups()
        .rules(|it| {
            it.memberships = Memberships::Aggregate;
            it.keep_nesting = true;
        })
        .pushed()
        .rules(|it| it.keep_nesting = false);
    company.says("children group company: -writers (memberships)");
    company.says("children group staff: -writers (memberships)");
    company.push();
    company.plans(&[]);
}

#[test]
fn rule_2_5_keep_without_the_ability_to_nest_flattens() {
    let company = two_directories_with_groups()
        .rules(|it| {
            it.memberships = Memberships::Aggregate;
            it.keep_nesting = true;
        })
        .abilities(|it| it.nest = false);
    company.roster_is(&[
        "anna@jira: company readers staff writers",
        "ben@corporate: company staff writers",
    ]);
}

fn service(rule: KindRule) -> Vec<(Kind, KindRule)> {
    vec![(Kind::Service, rule)]
}

#[test]
fn rule_2_6_kinds_are_told_by_group_username_attribute_or_having_no_group() {
    fn check(rule: KindRule, persons: &[&str]) {
        let company = company().directory("jira", |it| {
            it.user("anna");
            it.user("bot-1");
            it.user("robot").extra("type", "machine");
            it.user("loner");
            it.user("nested");
            it.group("bots", &["robot"]).groups(&["more-bots"]);
            it.group("more-bots", &["nested"]);
            it.group("staff", &["anna", "bot-1"]);
            it.rules.classify = service(rule);
        });
        let persons: Vec<String> = persons.iter().map(|it| format!("{it}@jira:")).collect();
        let persons: Vec<&str> = persons.iter().map(String::as_str).collect();
        company
            .rules(|it| it.exclude_groups = globs(&["*"]))
            .roster_is(&persons);
    }
    let nothing = KindRule::default;
    check(nothing(), &["anna", "bot-1", "loner", "nested", "robot"]);
    let groups = globs(&["Bots"]);
    check(
        KindRule {
            groups,
            ..nothing()
        },
        &["anna", "bot-1", "loner"],
    );
    let users = globs(&["BOT-*"]);
    check(
        KindRule { users, ..nothing() },
        &["anna", "loner", "nested", "robot"],
    );
    let attributes = vec![("type".to_owned(), vec!["machine".to_owned()])];
    check(
        KindRule {
            attributes,
            ..nothing()
        },
        &["anna", "bot-1", "loner", "nested"],
    );
    let no_group = true;
    check(
        KindRule {
            no_group,
            ..nothing()
        },
        &["anna", "bot-1", "nested", "robot"],
    );
}

#[test]
fn rule_2_6_groups_that_the_directory_does_not_give_still_tell_the_kind() {
    let company = company().directory("jira", |it| {
        it.users(["anna", "robot"]);
        it.group("bots", &[]).groups(&["more-bots"]);
        it.group("more-bots", &["robot"]);
        it.rules.exclude_groups = globs(&["bots", "more-bots"]);
        let groups = globs(&["bots"]);
        it.rules.classify = service(KindRule {
            groups,
            ..KindRule::default()
        });
    });
    company.roster_is(&["anna@jira:"]);
    company.plans(&["create   user anna (new)"]);
}

#[test]
fn rule_2_6_an_application_takes_the_kinds_that_it_names() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna");
            it.user("bot").kind(Kind::Service);
            it.user("customer").kind(Kind::Customer);
        })
        .rules(|it| it.kinds = vec![Kind::Service, Kind::Person]);
    company.roster_is(&["anna@jira:", "bot@jira:"]);
}

#[test]
fn rule_2_6_becoming_a_customer_takes_the_memberships_made_here_and_leaves_the_account() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
        })
        .group("lobby", &[])
        .pushed();
    company.give_by_hand("lobby", "anna");
    company.edit("jira", |it| {
        it.the("anna").kind(Kind::Customer);
    });
    company.pushes(&["members  group staff: -anna (memberships)"]);
    company.holds("anna", "active (lobby)");
    company.hours(100);
    company.holds("anna", "active (lobby)");
    company.edit("jira", |it| {
        it.the("anna").kind(Kind::Person);
    });
    company.pushes(&["members  group staff: +anna (memberships)"]);
}

#[test]
fn rule_2_7_users_are_chosen_by_include_exclude_and_members_of() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben", "carla", "dora", "emil"]);
            it.group("wiki", &["ben"]).groups(&["staff"]);
            it.group("staff", &["anna", "carla", "dora"]);
        })
        .rules(|it| {
            it.include_users = globs(&["a*", "b*", "c*", "e*"]);
            it.exclude_users = globs(&["carla"]);
            it.members_of = globs(&["Wiki"]);
        });
    company.roster_is(&["anna@jira: staff wiki", "ben@jira: wiki"]);
}

#[test]
fn rule_2_7_members_of_sees_groups_that_are_not_pushed() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("wiki-users", &["anna"]);
        })
        .rules(|it| {
            it.members_of = globs(&["wiki-users"]);
            it.exclude_groups = globs(&["wiki-*"]);
        });
    company.roster_is(&["anna@jira:"]);
    company.plans(&["create   user anna (new)"]);
}

#[test]
fn rule_2_7_groups_are_chosen_renamed_and_exist_even_when_empty() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben", "carla"]);
            it.group("app-staff", &["anna"]);
            it.group("app-people", &["ben"]);
            it.group("app-empty", &[]);
            it.group("app-secret", &["carla"]);
            it.group("other", &["carla"]);
        })
        .rules(|it| {
            it.include_groups = globs(&["app-*"]);
            it.exclude_groups = globs(&["*-secret"]);
            it.rename_groups = vec![
                ("app-staff".to_owned(), "Colleagues".to_owned()),
                ("app-people".to_owned(), "colleagues".to_owned()),
            ];
        });
    company.plans(&[
        "create   group app-empty (new)",
        "create   group colleagues (new)",
        "create   user anna (new)",
        "create   user ben (new)",
        "create   user carla (new)",
        "members  group colleagues: +anna +ben (memberships)",
    ]);
}

#[test]
fn rule_2_7_the_directorys_own_rules_come_before_resolution() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
            it.group("admins", &["anna"]);
            it.group("secret", &["anna"]);
            it.rules.skip_users = globs(&["Ben"]);
            it.rules.exclude_groups = globs(&["secret"]);
            it.rules.may_fill = globs(&["staff", "secret"]);
        })
        .directory("corporate", |it| {
            it.users(["ben"]);
            it.group("admins", &["ben"]);
        });
    company.roster_is(&["anna@jira: staff", "ben@corporate: admins"]);
    company.never_says("secret");
}

#[test]
fn rule_2_7_a_group_that_may_not_be_filled_passes_nothing_on() {
    let company = company().directory("jira", |it| {
        it.users(["anna"]);
        it.group("staff", &["anna"]);
        it.group("middle", &[]).groups(&["staff"]);
        it.group("top", &[]).groups(&["middle"]);
        it.rules.may_fill = globs(&["staff", "top"]);
    });
    company.roster_is(&["anna@jira: staff"]);
}

#[test]
fn rule_2_7_default_groups_are_given_to_everybody_in_the_roster() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.user("bot").kind(Kind::Service);
        })
        .rules(|it| it.default_groups = vec!["Users".to_owned()]);
    company.pushes(&[
        "create   group Users (new)",
        "create   user anna (new)",
        "members  group Users: +anna (memberships)",
    ]);
    company.plans(&[]);
}

fn one_unknown(unknown: impl Fn(&mut super::world::Directory)) {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").display_name("Anna");
            it.group("staff", &["anna"]);
        })
        .directory("corporate", |it| {
            it.user("anna").display_name("Somebody");
        })
        .rules(|it| it.trust_usernames = true)
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").display_name("Changed");
        unknown(it);
    });
    company.keeps_still();
    company.hours(100);
    company.holds("anna", "active staff");
    assert_eq!(company.look(|_, plan| plan.frozen_accounts()), 1);
}

#[test]
fn rule_2_8_an_unknown_user_freezes_its_username_and_nobody_surfaces() {
    one_unknown(|it| {
        it.the("anna").unknown();
    });
    one_unknown(|it| {
        it.the("anna").status(Status::Unknown);
    });
    one_unknown(|it| {
        it.without("anna");
        it.rejected("", "anna");
    });
    one_unknown(|it| {
        it.user("Anna").id("other");
        it.the("anna").id("another");
    });
}

#[test]
fn rule_2_8_a_rejected_record_with_a_known_id_freezes_the_account_linked_to_it() {
    one_unknown(|it| {
        it.without("anna");
        it.rejected("anna", "");
    });
}

#[test]
fn rule_2_8_a_record_without_a_name_keeps_the_name_of_the_account_of_its_id() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| it.users(["anna", "ben"]))
        .rules(|it| it.adopt_by_name = true)
        .pushed();
    company.edit("jira", |it| {
        it.without("anna");
        it.rejected("anna", "");
    });
    company.edit("corporate", |it| {
        it.the("ben").renamed("anna");
        it.without("anna");
    });
    company.keeps_still();
}

#[test]
fn rule_2_8_of_two_records_of_one_id_both_are_unknown_when_one_was_rejected() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").inactive();
        it.rejected("anna", "");
    });
    company.keeps_still();
}

#[test]
fn rule_2_8_an_unknown_user_without_an_account_is_not_created() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").unknown();
            it.rejected("7", "ben");
        })
        .directory("corporate", |it| it.users(["anna", "ben", "carla"]));
    company.plans(&["create   user carla (new)"]);
}

#[test]
fn rule_2_8_an_unknown_user_below_the_winner_changes_nothing() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| it.users(["anna"]))
        .pushed();
    company.edit("corporate", |it| {
        it.the("anna").unknown();
    });
    company.edit("jira", |it| {
        it.the("anna").display_name("Anna");
    });
    company.plans(&["update   user anna: display_name \"\" -> \"Anna\" (differs)"]);
}

#[test]
fn rule_2_8_under_aggregate_an_unknown_user_below_the_winner_takes_no_membership_away() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| {
            it.users(["anna"]);
            it.group("staff", &["anna"]);
        })
        .rules(aggregate)
        .pushed();
    company.edit("corporate", |it| {
        it.the("anna").unknown();
    });
    company.plans(&[]);
}

#[test]
fn rule_2_8_inactive_falls_through_stops_at_an_unknown_user() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| it.users(["anna"]))
        .directory("google", |it| it.users(["anna"]))
        .rules(|it| it.inactive_falls_through = true)
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").inactive();
    });
    company.edit("corporate", |it| {
        it.the("anna").unknown();
    });
    company.plans(&[]);
}

#[test]
fn rule_2_8_an_unknown_group_and_every_group_above_it_takes_nothing_and_still_gives() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben", "carla"]);
            it.group("top", &[]).groups(&["staff"]);
            it.group("staff", &["anna"]);
            it.group("other", &["anna"]);
        })
        .pushed();
    company.edit("jira", |it| {
        it.the_group("staff").unknown().members(&["ben"]);
        it.the_group("other").members(&["ben"]);
    });
    company.pushes(&[
        "members  group other: +ben -anna (memberships)",
        "members  group staff: +ben (memberships)",
        "members  group top: +ben (memberships)",
    ]);
}

#[test]
fn rule_2_8_a_rejected_group_takes_nothing_and_never_leaves() {
    fn check(id: &'static str, key: &'static str) {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna"]);
                it.group("top", &[]).groups(&["staff"]);
                it.group("staff", &["anna"]);
            })
            .pushed();
        company.edit("jira", |it| {
            it.without_group("staff");
            it.rejected_group(id, key);
        });
        company.hours(100);
        company.holds("anna", "active staff top");
    }
    check("staff", "staff");
    check("", "staff");
}

#[test]
fn rule_2_8_a_rejected_group_without_a_name_keeps_the_group_of_its_id() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("staff", &["anna"]);
        })
        .pushed();
    company.edit("jira", |it| {
        it.without_group("staff");
        it.rejected_group("staff", "");
    });
    company.hours(100);
    company.holds("anna", "active staff");
}

#[test]
fn rule_2_8_an_unknown_group_takes_no_scope_away() {
    fn check(edit: impl Fn(&mut super::world::Directory)) {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna", "ben", "carla"]);
                it.group("wiki-a", &["anna"]);
                it.group("wiki-b", &["ben"]);
            })
            .rules(|it| it.members_of = globs(&["wiki-*"]))
            .pushed();
        company.edit("jira", edit);
        company.hours(100);
        company.holds("anna", "active wiki-a");
        company.holds("ben", "active wiki-b");
        assert_eq!(company.fate("jira", "carla"), "out_of_scope.members_of");
    }
    check(|it| {
        it.the_group("wiki-a").unknown().members(&[]);
    });
    check(|it| {
        it.without_group("wiki-a");
        it.rejected_group("wiki-a", "");
    });
}

#[test]
fn rule_2_8_a_kind_that_depends_on_an_unknown_group_is_unknown() {
    fn check(rule: KindRule, edit: impl Fn(&mut super::world::Directory)) {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna", "bot"]);
                it.group("bots", &["bot"]);
                it.group("staff", &["anna"]);
                it.rules.classify = service(rule);
            })
            .pushed();
        company.plans(&[]);
        company.edit("jira", edit);
        company.hours(100);
        company.keeps_still();
        company.holds("anna", "active staff");
        assert_eq!(company.holding.accounts.len(), 1);
    }
    let groups = || KindRule {
        groups: globs(&["bots"]),
        ..KindRule::default()
    };
    check(groups(), |it| {
        it.the_group("bots").unknown().members(&[]);
    });
    let no_group = || KindRule {
        groups: globs(&["bot*"]),
        no_group: true,
        ..KindRule::default()
    };
    check(no_group(), |it| {
        it.the_group("staff").unknown().members(&[]);
    });
    check(groups(), |it| {
        it.without_group("bots");
        it.rejected_group("bots", "");
        it.the("anna").display_name("would change");
    });
}

#[test]
fn rule_2_8_of_two_records_with_one_key_the_linked_one_stays_valid() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").display_name("Anna");
        it.user("Anna").id("other");
    });
    company.pushes(&["update   user anna: display_name \"\" -> \"Anna\" (differs)"]);
    company.edit("jira", |it| {
        it.rejected("", "anna");
        it.the("anna").display_name("Anna B");
    });
    company.says("update   user anna: display_name \"Anna\" -> \"Anna B\" (differs)");
}

#[test]
fn rule_2_8_a_rejected_record_beside_a_valid_one_of_its_key_leaves_open_who_is_meant() {
    let company = company().directory("jira", |it| {
        it.users(["anna", "ben"]);
        it.rejected("other", "anna");
    });
    company.plans(&["create   user ben (new)"]);
    assert_eq!(company.fate("jira", "anna"), "rejected");
}

#[test]
fn rule_2_8_two_groups_of_one_key_are_both_unknown() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna"]);
            it.group("doubled", &["ben"]).id("1");
            it.group("Doubled", &["anna"]).id("2");
        })
        .pushed();
    company.plans(&[]);
    company.holds("ben", "active");
    company.edit("jira", |it| {
        it.group("STAFF", &["ben"]).id("other");
        it.the_group("staff").members(&[]);
    });
    company.pushes(&["members  group staff: -anna (memberships)"]);
}

fn tied(company: Company) -> Company {
    company.rules(|it| {
        let anne = ("anne".to_owned(), "corporate".to_owned());
        it.people = vec![("anna".to_owned(), vec![anne])];
    })
}

fn anna_and_anne() -> Company {
    company()
        .directory("jira", |it| {
            it.user("anna").display_name("Anna").mail("a@example.com");
            it.group("writers", &["anna"]);
        })
        .directory("corporate", |it| {
            it.user("anne").display_name("Anne").mail("a@example.com");
            it.group("readers", &["anne"]);
        })
}

#[test]
fn rule_2_9_users_of_different_usernames_with_one_mail_are_reported_always() {
    let notice = "notice   anna@jira, anne@corporate: these users have one mail address";
    anna_and_anne().says(notice);
    let mut company = anna_and_anne().pushed();
    company.says(notice);
    company.edit("corporate", |it| {
        it.the("anne").mail("A@Example.com");
    });
    company.says(notice);
    company.edit("corporate", |it| {
        it.the("anne").mail("other@example.com");
    });
    company.never_says("notice");
}

#[test]
fn rule_2_9_tied_users_enter_the_roster_once() {
    let company = tied(anna_and_anne());
    company.roster_is(&["anna@jira: writers"]);
    company.never_says("notice");
    company
        .rules(aggregate)
        .roster_is(&["anna@jira: readers writers"]);
}

#[test]
fn rule_2_9_a_tie_names_one_directory_only() {
    let company = tied(anna_and_anne().directory("google", |it| it.users(["anne"])));
    company.roster_is(&["anna@jira: writers", "anne@google:"]);
}

#[test]
fn rule_2_9_the_name_of_tied_users_is_the_one_already_linked() {
    let mut company = company()
        .directory("jira", |_| {})
        .directory("corporate", |it| {
            it.user("anne").display_name("Anne");
        })
        .pushed();
    company.edit("jira", |it| {
        it.user("anna").display_name("Anna");
    });
    let mut company = tied(company);
    for _ in 0..3 {
        company.push();
        company.plans(&[]);
    }
    let display_name = company.seen("anne").display_name;
    assert_eq!(company.holding.text(display_name), "Anna");
}

#[test]
fn rule_2_9_mail_ties_among_directories_that_trust_it_only() {
    fn check(trust: [TrustMail; 2], ties: bool, edit: impl Fn(&mut Company)) {
        let mut company = anna_and_anne().rules(|it| it.link_by_email = true);
        for (directory, trust) in company.directories.iter_mut().zip(trust) {
            directory.rules.trust_mail = trust;
        }
        edit(&mut company);
        let users = company.look(|context, _| context.roster().users.len());
        assert_eq!(users == 1, ties);
    }
    let as_it_is = |_: &mut Company| {};
    let domain = |it: &str| TrustMail::Domains(vec![it.to_owned()]);
    check([TrustMail::Always, TrustMail::Always], true, as_it_is);
    check([TrustMail::Always, TrustMail::Never], false, as_it_is);
    check([domain("example.com"), TrustMail::Always], true, as_it_is);
    check([domain("example.org"), TrustMail::Always], false, as_it_is);
    check([TrustMail::Always, TrustMail::Always], false, |it| {
        it.rules.link_by_email = false;
    });
    let always = || [TrustMail::Always, TrustMail::Always];
    check(always(), false, |it| {
        it.rules.kinds.push(Kind::Service);
        it.edit("corporate", |it| {
            it.the("anne").kind(Kind::Service);
        });
    });
}

#[test]
fn rule_2_9_a_mail_on_two_users_of_one_directory_ties_nobody() {
    fn check(third: &'static str, trusted: bool) {
        let mut company = anna_and_anne()
            .directory("google", |_| {})
            .rules(|it| it.link_by_email = true);
        for it in &mut company.directories {
            it.rules.trust_mail = TrustMail::Always;
        }
        company.directories[2].rules.trust_mail = if trusted {
            TrustMail::Always
        } else {
            TrustMail::Never
        };
        company.edit(third, |it| {
            it.user("x1").mail("a@example.com");
            it.user("x2").mail("a@example.com");
        });
        let users = company.look(|context, _| context.roster().users.len());
        assert_eq!(users, 4, "{third} {trusted}");
    }
    check("corporate", true);
    check("google", true);
    check("google", false);
}

#[test]
fn rule_2_9_a_tie_that_appears_over_two_accounts_is_held_and_nobody_leaves() {
    let mut company = tied(anna_and_anne().pushed());
    company.says("held     user anne: leave (tie: ");
    company.hours(100);
    company.holds("anna", "active writers");
    company.holds("anne", "active readers");
    company.approve("user anne", crate::model::HoldReason::Tie);
    company.push();
    company.holds("anne", "inactive readers");
    company.memory.approved.clear();
    company.plans(&[]);
}

#[test]
fn rule_2_9_a_tie_that_ends_lets_nobody_leave() {
    let mut company = tied(anna_and_anne()).pushed();
    company.rules.people.clear();
    company.hours(100);
    company.holds("anna", "active writers");
    company.holds("anne", "active readers");
}

#[test]
fn rule_2_9_a_tie_that_ends_renames_nobody() {
    let mut company = company()
        .directory("jira", |_| {})
        .directory("corporate", |it| it.users(["anne"]))
        .pushed();
    company.edit("jira", |it| it.users(["anna"]));
    let mut company = tied(company);
    company.push();
    company.rules.people.clear();
    company.says("held     user anne: rename to anna (tie: ");
    company.hours(100);
    company.holds("anne", "active");
}

#[test]
fn rule_2_9_the_account_of_tied_users_stays_when_one_of_them_goes() {
    let mut company = tied(anna_and_anne()).pushed();
    company.edit("jira", |it| it.without("anna"));
    company.says("update   user anna: ");
    company.push();
    company.holds("anne", "active readers");
    assert_eq!(company.holding.accounts.len(), 1);
    company.plans(&[]);
}

#[test]
fn rule_2_9_the_account_of_users_tied_by_mail_is_not_made_twice_when_one_of_them_goes() {
    let mut company = anna_and_anne().rules(|it| it.link_by_email = true);
    for it in &mut company.directories {
        it.rules.trust_mail = TrustMail::Always;
    }
    company.push();
    company.edit("jira", |it| it.without("anna"));
    company.hours(100);
    assert_eq!(company.holding.accounts.len(), 1);
    company.holds("anna", "active writers");
}

#[test]
fn rule_2_10_where_names_are_lower_cased_the_pushed_name_is() {
    let company = company()
        .directory("jira", |it| {
            it.users(["Anna"]);
            it.group("Staff", &["Anna"]);
        })
        .abilities(|it| it.names = NameRules::LowerCased)
        .pushed();
    company.holds("anna", "active staff");
    company.plans(&[]);
}

#[test]
fn rule_2_10_one_user_that_matches_two_accounts_is_held() {
    let company = company()
        .directory("jira", |it| it.users(["anna"]))
        .account("Anna", |_| {})
        .account("ANNA", |_| {});
    company.plans(&[
        "held     user anna: adopt (ambiguous: 2 accounts of the application have this \
                     name in different spelling)",
    ]);
}

#[test]
fn rule_2_10_two_users_with_one_pushed_name_are_held() {
    // The tied person keeps the name of its account, which is also the name of somebody else.
    let mut company = company()
        .directory("jira", |_| {})
        .directory("corporate", |it| it.users(["anne"]))
        .directory("google", |it| it.users(["anne"]))
        .pushed();
    company.edit("jira", |it| it.users(["anna"]));
    let company = tied(company);
    company.says("held     user anne: create (ambiguous: ");
    company.never_says("create   ");
}
