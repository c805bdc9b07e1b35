//! Section 4 of the design: when nothing is removed, what is held, and what waits.

use super::world::{Company, Directory, company, globs};
use crate::clock::Timestamp;
use crate::model::{HoldKey, HoldReason, Kind, Withheld};
use crate::reconcile::rules::{ApplicationRules, KindRule, Memberships, OnLeave, Seats};
use crate::text::Span;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|it| format!("u{it:03}")).collect()
}

fn people(count: usize) -> Company {
    company().directory("jira", |it| it.users(names(count)))
}

fn default_limits(it: &mut ApplicationRules) {
    it.limits = ApplicationRules::default().limits;
}

fn held(company: &Company, reason: HoldReason) -> usize {
    company.look(|_, plan| plan.held.iter().filter(|it| it.reason == reason).count())
}

fn two_directories() -> Company {
    company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
        })
        .directory("corporate", |it| it.users(["anna", "carla"]))
        .rules(|it| it.trust_usernames = true)
        .pushed()
}

#[test]
fn rule_4_1_a_stale_directory_keeps_and_does_not_surface() {
    let mut company = two_directories();
    company.edit("corporate", Directory::stale);
    company.edit("jira", |it| {
        it.without("anna");
        it.without("ben");
    });
    company.says("waiting  user anna: leave or relink (directory corporate is stale)");
    company.hours(100);
    company.holds("anna", "active staff");
    company.holds("ben", "active staff");
    company.edit("corporate", Directory::fresh);
    company.push();
    company.holds("anna", "active");
    company.holds("ben", "active staff");
    company.hours(25);
    company.holds("ben", "inactive staff");
}

#[test]
fn rule_4_1_a_stale_directory_takes_no_membership() {
    let mut company = two_directories();
    company.edit("jira", |it| {
        it.the_group("staff").members(&["anna"]);
        it.stale();
    });
    company.keeps_still();
    company.edit("jira", Directory::fresh);
    company.plans(&["members  group staff: -ben (memberships)"]);
}

#[test]
fn rule_4_1_a_stale_directory_still_switches_off() {
    let mut company = two_directories();
    company.edit("jira", |it| {
        it.the("ben").inactive();
        it.stale();
    });
    company.says("update   user ben: deactivate (inactive)");
}

#[test]
fn rule_4_1_under_aggregate_one_stale_directory_lets_no_membership_be_taken() {
    let mut company = two_directories().rules(|it| it.memberships = Memberships::Aggregate);
    company.edit("corporate", Directory::stale);
    company.edit("jira", |it| {
        it.the_group("staff").members(&["anna"]);
    });
    company.keeps_still();
}

#[test]
fn rule_4_1_a_directory_that_was_never_read_blocks_removals_and_the_names_below_it() {
    let mut company = company()
        .directory("high", |it| it.users(["anna"]))
        .directory("unread", Directory::unread)
        .directory("low", |it| it.users(["anna", "ben", "carla"]))
        .account("carla", |_| {});
    company.plans(&[
        "create   user anna (new)",
        "waiting  user ben: create (directory unread was never read completely)",
        "waiting  user carla: create (directory unread was never read completely)",
        "notice   directory unread: it was never read completely (removals_blocked)",
    ]);
    company.push();
    company.edit("high", |it| it.without("anna"));
    company.hours(100);
    company.holds("anna", "active");
    company.edit("unread", |it| {
        it.fresh();
        it.users(["ben"]);
    });
    company.says("create   user ben (new)");
    company.says("update   user carla: adopt (same_name)");
}

#[test]
fn rule_4_1_only_removing_a_directory_from_the_list_is_absence() {
    let mut company = two_directories();
    company.directories.remove(1);
    company.hours(30);
    company.holds("carla", "inactive");
    company.holds("anna", "active staff");
}

#[test]
fn rule_4_3_a_missing_group_that_the_configuration_names_blocks_removals() {
    fn check(edit: impl Fn(&mut Company), missing: bool) {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna", "ben"]);
                it.group("wiki", &["anna", "ben"]);
                it.group("staff", &["anna", "ben"]);
            })
            .pushed();
        edit(&mut company);
        company.edit("jira", |it| {
            it.without_group("wiki");
            it.without("ben");
            it.the_group("staff").members(&[]);
        });
        let notice =
            "notice   group wiki: the configuration names it and no listed directory has it";
        if missing {
            company.says(notice);
        } else {
            company.never_says(notice);
        }
        company.hours(100);
        let ben = if missing {
            "active staff wiki"
        } else {
            "inactive staff"
        };
        company.holds("ben", ben);
        company.holds(
            "anna",
            if missing {
                "active staff wiki"
            } else {
                "active"
            },
        );
    }
    check(|_| {}, false);
    check(|it| it.rules.members_of = globs(&["Wiki", "staff"]), true);
    check(|it| it.rules.exact = globs(&["wiki"]), true);
    check(|it| it.rules.exact = globs(&["wik*"]), false);
    check(
        |it| it.rules.rename_groups = vec![("wiki".to_owned(), "wiki".to_owned())],
        true,
    );
    let bots = |pattern| {
        let groups = globs(&[pattern]);
        let rule = KindRule {
            groups,
            ..KindRule::default()
        };
        vec![(Kind::Service, rule)]
    };
    let all_kinds = |it: &mut Company| it.rules.kinds = vec![Kind::Person, Kind::Service];
    check(
        |it| {
            all_kinds(it);
            it.directories[0].rules.classify = bots("wiki");
        },
        true,
    );
    check(
        |it| {
            all_kinds(it);
            it.directories[0].rules.classify = bots("wik?");
        },
        false,
    );
}

#[test]
fn rule_4_3_the_whole_application_is_kept_when_its_members_of_group_vanishes() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("wiki", &["anna"]);
        })
        .rules(|it| it.members_of = globs(&["wiki"]))
        .pushed();
    company.edit("jira", |it| it.without_group("wiki"));
    company.hours(100);
    company.holds("anna", "active wiki");
    assert!(company.look(|_, plan| plan.blocked));
}

#[test]
fn rule_4_3_kinds_may_name_a_group_that_the_directory_does_not_give() {
    let company = company().directory("jira", |it| {
        it.users(["anna"]);
        it.group("bots", &[]);
        it.rules.exclude_groups = globs(&["bots"]);
        let groups = globs(&["bots"]);
        let rule = KindRule {
            groups,
            ..KindRule::default()
        };
        it.rules.classify = vec![(Kind::Service, rule)];
    });
    company.never_says("notice");
}

fn first_plan() -> Company {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
        })
        .account("anna", |_| {});
    company.memory.first_applied_at = None;
    company
}

#[test]
fn rule_4_4_the_first_plan_for_an_application_that_holds_accounts_is_held_whole() {
    let mut company = first_plan();
    let changes = company.look(|_, plan| plan.changes.len());
    assert_eq!((changes, held(&company, HoldReason::FirstPlan)), (0, 4));
    company.approve_all();
    company.push();
    company.holds("anna", "active staff");
    company.holds("ben", "active staff");
    company.plans(&[]);
}

#[test]
fn rule_4_4_an_empty_application_has_nothing_to_lose() {
    let mut company = people(1);
    company.memory.first_applied_at = None;
    company.plans(&["create   user u000 (new)"]);
}

#[test]
fn rule_4_4_a_disposable_application_may_apply_its_first_plan() {
    let company = first_plan().rules(|it| it.approve_first = false);
    assert_eq!(held(&company, HoldReason::FirstPlan), 0);
}

#[test]
fn rule_4_4_what_came_after_the_approval_of_a_first_plan_stays_held() {
    let mut company = first_plan();
    company.approve_all();
    company.edit("jira", |it| {
        it.users(["carla"]);
        it.the_group("staff").members(&["anna", "carla"]);
        it.the("ben").inactive();
    });
    company.says("held     user carla: create (first_plan: ");
    company.says("create   user ben: inactive (new)");
    company.says("held     group staff: members ");
    company.never_says("members  group staff");
}

#[test]
fn rule_4_4_an_adoption_that_would_also_switch_off_is_not_covered_by_one_that_would_not() {
    let mut company = first_plan();
    company.approve_all();
    company.edit("jira", |it| {
        it.the("anna").inactive();
    });
    company.says("held     user anna: adopt and deactivate (first_plan: ");
}

#[test]
fn rule_4_4_an_account_that_is_off_as_well_is_released_by_both_approvals_in_any_order() {
    let off = || {
        let mut company = first_plan();
        company.seen("anna").active = false;
        company
    };
    let mut company = off();
    let first = "held     user anna: adopt (first_plan: ";
    company.says(first);
    company.says("held     user anna: activate (off_in_application: ");
    company.approve("user anna", HoldReason::OffInApplication);
    company.says(first);
    company.approve_all();
    company.push();
    company.holds("anna", "active staff");
    let mut company = off();
    company.approve("user anna", HoldReason::FirstPlan);
    company.push();
    company.holds("anna", "inactive");
    company.approve("user anna", HoldReason::OffInApplication);
    company.push();
    company.holds("anna", "active staff");
}

#[test]
fn rule_4_5_removals_are_held_beyond_a_share_of_the_active_linked_accounts() {
    fn check(count: usize, leaving: usize, holds: bool) {
        let mut company = people(count).pushed();
        company = company.rules(default_limits);
        company.edit("jira", |it| {
            names(leaving).iter().for_each(|name| it.without(name));
        });
        company.hours(26);
        let expected = if holds { leaving } else { 0 };
        assert_eq!(
            held(&company, HoldReason::RemovalsLimit),
            expected,
            "{leaving} of {count}"
        );
        let inactive = company
            .holding
            .accounts
            .iter()
            .filter(|it| !it.seen.active)
            .count();
        assert_eq!(inactive, leaving - expected, "{leaving} of {count}");
    }
    check(1, 1, true);
    check(2, 1, true);
    check(3, 1, false);
    check(3, 2, true);
    check(11, 5, false);
    check(11, 6, true);
    check(100, 10, false);
    check(100, 11, true);
}

#[test]
fn rule_4_5_going_beyond_a_limit_holds_that_class_and_the_rest_goes_on() {
    let mut company = people(20)
        .pushed()
        .rules(default_limits)
        .rules(|it| it.grace = Span::ZERO);
    company.edit("jira", |it| {
        names(10).iter().for_each(|name| it.without(name));
        it.user("new");
        it.the("u019").inactive();
    });
    company.says("create   user new (new)");
    company.says("update   user u019: deactivate (inactive)");
    assert_eq!(held(&company, HoldReason::RemovalsLimit), 10);
    company.approve("user u003", HoldReason::RemovalsLimit);
    company.says("update   user u003: deactivate, leave (absent)");
    assert_eq!(held(&company, HoldReason::RemovalsLimit), 9);
}

#[test]
fn rule_4_5_losing_a_membership_counts_as_a_removal_and_each_account_once() {
    let members: Vec<String> = names(11);
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let mut company = people(11);
    company.edit("jira", |it| {
        it.group("a", &members);
        it.group("b", &members);
    });
    let mut company = company.pushed().rules(default_limits);
    company.edit("jira", |it| {
        it.the_group("a").members(&members[5..]);
        it.the_group("b").members(&members[5..]);
    });
    company.plans(&[
        "members  group a: -u000 -u001 -u002 -u003 -u004 (memberships)",
        "members  group b: -u000 -u001 -u002 -u003 -u004 (memberships)",
    ]);
    company.edit("jira", |it| {
        it.the_group("b").members(&members[6..]);
    });
    let changes = company.look(|_, plan| plan.changes.len());
    assert_eq!(
        (changes, held(&company, HoldReason::RemovalsLimit)),
        (0, 11)
    );
}

#[test]
fn rule_4_5_what_was_done_within_the_window_counts() {
    let mut company = people(11)
        .pushed()
        .rules(default_limits)
        .rules(|it| it.grace = Span::ZERO);
    company.edit("jira", |it| {
        names(5).iter().for_each(|name| it.without(name));
    });
    company.push();
    company.edit("jira", |it| it.without("u005"));
    company.says("held     user u005: leave (removals_limit: 6 within the window, 5 allowed)");
    // The window moves on.
    company.memory.window = crate::model::Window::default();
    company.plans(&["update   user u005: deactivate, leave (absent)"]);
}

#[test]
fn rule_4_5_the_base_is_what_was_there_when_the_window_opened() {
    let mut company = people(11)
        .pushed()
        .rules(default_limits)
        .rules(|it| it.grace = Span::ZERO);
    // Of 16 that were there when the window opened, 5 left: 7 may.
    company.memory.window.active_delta = -5;
    company.memory.window.removed = (100..105).collect();
    company.edit("jira", |it| {
        it.without("u000");
    });
    assert_eq!(held(&company, HoldReason::RemovalsLimit), 1);
    company.memory.window.removed = (100..104).collect();
    assert_eq!(held(&company, HoldReason::RemovalsLimit), 0);
    company.memory.window.active_delta = 6;
    assert_eq!(
        held(&company, HoldReason::RemovalsLimit),
        1,
        "of 5 at the opening, 2 may"
    );
}

#[test]
fn rule_4_5_a_hundred_percent_switches_a_limit_off() {
    let mut company = people(4).pushed().rules(|it| it.grace = Span::ZERO);
    company.edit("jira", |it| {
        names(4).iter().for_each(|name| it.without(name));
    });
    assert_eq!(company.look(|_, plan| plan.changes.len()), 4);
}

#[test]
fn rule_4_5_deactivations_are_held_beyond_a_share_but_five_are_always_allowed() {
    fn check(count: usize, inactive: usize, holds: bool) {
        let mut company = people(count).pushed().rules(default_limits);
        company.edit("jira", |it| {
            for name in names(inactive) {
                it.the(&name).inactive().display_name("changed");
            }
        });
        let expected = if holds { inactive } else { 0 };
        let found = held(&company, HoldReason::DeactivationsLimit);
        assert_eq!(found, expected, "{inactive} of {count}");
        // What else changes goes on.
        assert_eq!(company.look(|_, plan| plan.changes.len()), inactive);
    }
    check(1, 1, false);
    check(5, 5, false);
    check(6, 6, true);
    check(40, 8, false);
    check(40, 9, true);
}

#[test]
fn rule_4_5_additions_are_held_beyond_a_share_but_fifty_are_always_allowed() {
    fn check(before: usize, after: usize, holds: bool) {
        let mut company = people(before).pushed().rules(default_limits);
        company.memory.window = crate::model::Window::default();
        company.edit("jira", |it| {
            it.users(names(after).split_off(before));
        });
        let expected = if holds { after - before } else { 0 };
        assert_eq!(
            held(&company, HoldReason::AdditionsLimit),
            expected,
            "{before} to {after}"
        );
    }
    check(0, 50, false);
    check(0, 51, true);
    check(600, 660, false);
    check(600, 661, true);
}

#[test]
fn rule_4_5_what_is_held_by_the_additions_limit_gets_no_membership() {
    let mut company = people(0).pushed().rules(default_limits);
    let members = names(51);
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    company.edit("jira", |it| {
        it.users(&members);
        it.group("staff", &members);
    });
    company.says("create   group staff (new)");
    company.never_says("members  ");
}

fn one_group(members: usize) -> (Company, Vec<String>) {
    let mut company = people(100);
    let all = names(100);
    company.edit("jira", |it| {
        let members: Vec<&str> = all[..members].iter().map(String::as_str).collect();
        it.group("staff", &members);
    });
    (company.pushed(), all)
}

#[test]
fn rule_4_5_a_group_that_would_lose_more_than_half_and_at_least_twenty_is_held_by_itself() {
    fn check(before: usize, after: usize, holds: bool) {
        let (mut company, all) = one_group(before);
        company.edit("jira", |it| {
            let members: Vec<&str> = all[..after].iter().map(String::as_str).collect();
            it.the_group("staff").members(&members);
            it.group("other", &["u000"]);
        });
        let expected = if holds { before - after } else { 0 };
        assert_eq!(
            held(&company, HoldReason::GroupLimit),
            expected,
            "{before} to {after}"
        );
        company.says("members  group other: +u000 (memberships)");
    }
    check(19, 0, false);
    check(20, 0, true);
    check(40, 20, false);
    check(41, 20, true);
    check(38, 19, false);
}

#[test]
fn rule_4_5_the_group_limit_counts_over_the_window_and_ours_only() {
    let (mut company, all) = one_group(40);
    company.add_account("somebody", |_| {});
    company.give_by_hand("staff", "somebody");
    let mut members: Vec<&str> = all[..20].iter().map(String::as_str).collect();
    company.edit("jira", |it| {
        it.the_group("staff").members(&members);
    });
    assert_eq!(held(&company, HoldReason::GroupLimit), 0);
    company.push();
    company.memory.window.groups.insert(0, (0, 20));
    members.pop();
    company.edit("jira", |it| {
        it.the_group("staff").members(&members);
    });
    company.says(
        "held     user u019: leave staff (group_limit: the group would lose 21 of its 40 members",
    );
    company.approve("user u019", HoldReason::GroupLimit);
    company.says("members  group staff: -u019 (memberships)");
}

#[test]
fn rule_4_5_the_group_limit_does_not_count_whom_others_put_in() {
    let (mut company, all) = one_group(30);
    for name in names(60).split_off(30) {
        company.give_by_hand("staff", &name);
    }
    let members: Vec<&str> = all[..20].iter().map(String::as_str).collect();
    company.edit("jira", |it| {
        it.the_group("staff").members(&members);
    });
    let company = company.rules(|it| it.exact = globs(&["staff"]));
    // Ten of thirty are ours; the thirty others go because the group shall be exact.
    assert_eq!(held(&company, HoldReason::GroupLimit), 0);
}

#[test]
fn rule_4_5_groups_that_left_are_limited_too() {
    let (mut company, _) = one_group(30);
    company.edit("jira", |it| it.without_group("staff"));
    company.hours(30);
    assert_eq!(held(&company, HoldReason::GroupLimit), 30);
    company.approve_all();
    company.push();
    company.holds("u000", "active");
}

fn seats(groups: &[&str], max: u64) -> impl FnOnce(&mut ApplicationRules) {
    let groups = groups.iter().map(|it| (*it).to_owned()).collect();
    move |it| it.seats.push(Seats { groups, max })
}

#[test]
fn rule_4_6_a_step_that_would_exceed_the_seats_is_held() {
    let mut company = people(3).account("somebody", |_| {}).rules(seats(&[], 3));
    let full = "held     user u002: create (seats: all 3 seats of active accounts are taken)";
    company.pushes(&["create   user u000 (new)", "create   user u001 (new)", full]);
    company.plans(&[full]);
    company.edit("jira", |it| {
        it.the("u002").inactive();
    });
    company.pushes(&["create   user u002: inactive (new)"]);
    company.edit("jira", |it| {
        it.the("u002").active();
    });
    company
        .plans(&["held     user u002: activate (seats: all 3 seats of active accounts are taken)"]);
    company.approve("user u002", HoldReason::Seats);
    company.plans(&["update   user u002: activate (active)"]);
}

#[test]
fn rule_4_6_freed_seats_are_used_in_the_same_plan_and_freed_first() {
    let mut company = people(3).rules(seats(&[], 2)).pushed();
    company.edit("jira", |it| {
        it.the("u000").inactive();
    });
    company.pushes(&[
        "update   user u000: deactivate (inactive)",
        "create   user u002 (new)",
    ]);
    let mut company = company.rules(|it| it.grace = Span::ZERO);
    company.edit("jira", |it| {
        it.without("u001");
        it.user("zoe");
    });
    company.pushes(&[
        "update   user u001: deactivate, leave (absent)",
        "create   user zoe (new)",
    ]);
    company.plans(&[]);
}

#[test]
fn rule_4_6_the_queue_is_by_first_seen_time() {
    let mut company = people(1).rules(seats(&[], 1)).pushed();
    company.edit("jira", |it| {
        it.user("zoe");
    });
    company.push();
    company.skip(Span::hours(1));
    company.edit("jira", |it| {
        it.user("anna");
    });
    company.push();
    company.edit("jira", |it| {
        it.the("u000").inactive();
    });
    company.says("create   user zoe (new)");
    company.says("held     user anna: create (seats: ");
}

#[test]
fn rule_4_6_a_group_that_is_renamed_into_seats_takes_them() {
    let mut company = people(3);
    company.edit("jira", |it| {
        it.group("builders", &["u000", "u001", "u002"]).id("7");
    });
    let mut company = company.rules(seats(&["jira-users"], 2)).pushed();
    company.edit("jira", |it| {
        it.the_group("builders").renamed("jira-users");
    });
    company.pushes(&["held     group builders: rename to jira-users (seats: its members would take more than the 2 seats of jira-users)"]);
    company.approve("group builders", HoldReason::Seats);
    company.pushes(&["update   group builders: rename -> \"jira-users\" (renamed)"]);
    company.plans(&[]);
}

#[test]
fn rule_4_6_what_was_approved_comes_first_in_the_queue() {
    let mut company = people(1).rules(seats(&["a", "b"], 0)).pushed();
    company.edit("jira", |it| {
        it.group("a", &["u000"]);
        it.group("b", &["u000"]);
    });
    company.push();
    let of_b = |it: &HoldKey| it.change == "join b";
    let keys: Vec<HoldKey> = company.look(|_, plan| plan.held.iter().map(Withheld::key).collect());
    company
        .memory
        .approved
        .extend(keys.into_iter().filter(of_b));
    company.plans(&[
        "members  group a: +u000 (memberships)",
        "members  group b: +u000 (memberships)",
    ]);
}

#[test]
fn rule_4_6_seats_of_groups_count_active_members_together() {
    let mut company = people(4);
    company.edit("jira", |it| {
        it.the("u003").inactive();
        it.group("jira-users", &["u000", "u001", "u003"]);
        it.group("jira-admins", &["u001", "u002"]);
    });
    let mut company = company.rules(seats(&["jira-users", "jira-admins"], 2));
    company.says("create   user u002 (new)");
    company.says("members  group jira-users: +u000 +u001 +u003 (memberships)");
    company.says("members  group jira-admins: +u001 (memberships)");
    company.says("held     user u002: join jira-admins (seats: all 2 seats of jira-users, jira-admins are taken)");
    company.push();
    company.edit("jira", |it| {
        it.the_group("jira-users").members(&["u001", "u003"]);
    });
    company.plans(&[
        "members  group jira-users: -u000 (memberships)",
        "members  group jira-admins: +u002 (memberships)",
    ]);
    company.push();
    company.edit("jira", |it| {
        it.the("u003").active();
    });
    company.plans(&[
        "held     user u003: activate (seats: all 2 seats of jira-users, jira-admins are taken)",
    ]);
}

fn one_leaves(edit: impl FnOnce(&mut ApplicationRules)) -> Company {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
        })
        .group("lobby", &[])
        .rules(edit)
        .pushed();
    company.give_by_hand("lobby", "anna");
    company.edit("jira", |it| it.without("anna"));
    company
}

#[test]
fn rule_4_7_who_left_is_deactivated_after_the_grace_and_keeps_the_memberships() {
    let mut company = one_leaves(|_| {});
    let waits = "waiting  user anna: leave (absent since 2027-01-15T08:00:00Z, due on \
                 2027-01-16T08:00:00Z at the earliest)";
    company.plans(&[waits]);
    assert_eq!(
        company.look(|_, plan| plan.due_at),
        Some(company.now.plus(Span::hours(24)))
    );
    company.push();
    company.hours(23);
    company.holds("anna", "active (lobby) staff");
    company.plans(&[waits]);
    company.hours(1);
    company.holds("anna", "inactive (lobby) staff");
    company.plans(&[]);
}

#[test]
fn rule_4_7_who_comes_back_in_time_never_left() {
    let mut company = one_leaves(|_| {});
    company.hours(23);
    company.edit("jira", |it| {
        it.user("anna");
    });
    company.hours(1);
    company.edit("jira", |it| it.without("anna"));
    company.hours(23);
    company.holds("anna", "active (lobby) staff");
}

#[test]
fn rule_4_7_coming_back_is_whole() {
    let mut company = one_leaves(|_| {});
    company.hours(30);
    company.edit("jira", |it| {
        it.user("anna");
    });
    company.pushes(&["update   user anna: activate, return (active)"]);
    company.holds("anna", "active (lobby) staff");
    company.plans(&[]);
}

#[test]
fn rule_4_7_every_directory_must_be_read_twice_since() {
    let mut company = one_leaves(|_| {}).directory("corporate", |_| {});
    company.push();
    for _ in 0..30 {
        company.skip(Span::hours(1));
        company.push();
    }
    company.says("waiting  user anna: leave (absent since 2027-01-15T08:00:00Z; every listed directory must be read");
    company.read();
    company.says("waiting  user anna: leave ");
    company.skip(Span::hours(1));
    company.read();
    company.says("update   user anna: deactivate, leave (absent)");
}

#[test]
fn rule_4_7_no_grace_acts_on_the_first_read() {
    let company = one_leaves(|it| it.grace = Span::ZERO);
    company.plans(&["update   user anna: deactivate, leave (absent)"]);
}

#[test]
fn rule_4_7_a_stale_directory_stops_the_clock() {
    let mut company = one_leaves(|_| {}).directory("corporate", |_| {});
    company.push();
    company.hours(12);
    company.edit("corporate", Directory::stale);
    company.hours(100);
    company.edit("corporate", Directory::fresh);
    company.hours(10);
    company.holds("anna", "active (lobby) staff");
    company.hours(3);
    company.holds("anna", "inactive (lobby) staff");
}

#[test]
fn rule_4_7_a_leaping_clock_makes_nothing_due() {
    let mut company = one_leaves(|_| {});
    company.push();
    company.skip(Span::hours(24 * 365));
    company.read();
    company.push();
    company.holds("anna", "active (lobby) staff");
    company.now = Timestamp(company.now.0 - 24 * 365 * 3_600);
    company.hours(3);
    company.holds("anna", "active (lobby) staff");
}

#[test]
fn rule_4_7_strip_takes_the_memberships_made_here_too() {
    let mut company = one_leaves(|it| it.on_leave = OnLeave::Strip);
    company.hours(30);
    company.holds("anna", "inactive (lobby)");
    company.edit("jira", |it| {
        it.user("anna");
    });
    company.push();
    company.holds("anna", "active (lobby) staff");
}

#[test]
fn rule_4_7_keep_does_nothing() {
    let mut company = one_leaves(|it| it.on_leave = OnLeave::Keep);
    company.plans(&[]);
    company.hours(100);
    company.holds("anna", "active (lobby) staff");
}

#[test]
fn rule_4_7_where_accounts_cannot_be_switched_off_all_memberships_but_protected_ones_are_taken() {
    let mut company = one_leaves(|it| it.protect_groups = globs(&["vault"]))
        .group("vault", &["anna"])
        .abilities(|it| it.deactivate = false);
    company.hours(30);
    company.holds("anna", "active (vault)");
    company.plans(&[
        "notice   user anna: its user left and the application cannot switch accounts off (access_remains)",
    ]);
}

#[test]
fn rule_4_7_what_left_and_was_switched_on_by_hand_is_switched_off_again() {
    let mut company = one_leaves(|_| {});
    company.hours(30);
    company.seen("anna").active = true;
    company.link("anna").off_by_us = false;
    company.pushes(&["update   user anna: deactivate (absent)"]);
    company.plans(&[]);
    company.holds("anna", "inactive (lobby) staff");
}

#[test]
fn rule_4_7_only_accounts_created_here_are_deleted() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna", "ben"]))
        .account("ben", |_| {})
        .rules(|it| it.delete_after = Some(Span::hours(48)))
        .pushed();
    company.edit("jira", |it| {
        it.without("anna");
        it.without("ben");
    });
    company.hours(40);
    company.holds("anna", "inactive");
    company.says("waiting  user anna: delete (it left on ");
    company.never_says("user ben");
    company.hours(40);
    assert!(
        !company
            .holding
            .accounts
            .iter()
            .any(|it| { it.exists && company.holding.text(it.seen.name) == "anna" })
    );
    company.holds("ben", "inactive");
    company.plans(&[]);
}

#[test]
fn rule_4_7_nothing_is_deleted_while_a_directory_is_stale() {
    let mut company = one_leaves(|it| it.delete_after = Some(Span::hours(48)));
    company.hours(30);
    company.edit("jira", Directory::stale);
    company.hours(60);
    company.says("waiting  user anna: delete (directory jira: it is stale");
}

#[test]
fn rule_4_7_being_inactive_is_proof_and_acts_at_once() {
    let mut company = people(1).pushed();
    company.edit("jira", |it| {
        it.the("u000").inactive();
    });
    company.pushes(&["update   user u000: deactivate (inactive)"]);
    company.plans(&[]);
}

#[test]
fn rule_4_7_who_is_no_longer_chosen_leaves_likewise() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("wiki", &["anna"]);
        })
        .rules(|it| it.members_of = globs(&["wiki"]))
        .pushed();
    company.edit("jira", |it| {
        it.the_group("wiki").members(&[]);
    });
    company.says("waiting  user anna: leave ");
    company.hours(23);
    company.holds("anna", "active wiki");
    company.hours(2);
    company.holds("anna", "inactive wiki");
}

#[test]
fn rule_4_7_a_group_that_left_waits_then_loses_the_memberships_made_here() {
    fn gone(delete: bool) -> Company {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna"]);
                it.group("staff", &["anna"]);
                it.group("empty", &[]);
            })
            .account("somebody", |_| {})
            .rules(|it| it.delete_groups = delete)
            .pushed();
        company.give_by_hand("staff", "somebody");
        company.edit("jira", |it| {
            it.without_group("staff");
            it.without_group("empty");
        });
        company.says("waiting  group staff: leave (absent since ");
        company.hours(23);
        company.holds("anna", "active staff");
        company.hours(10);
        company.holds("anna", "active");
        company.holds("somebody", "active (staff)");
        company.plans(&[]);
        company
    }
    let there = |company: Company| {
        let groups = company.holding.groups.iter().filter(|it| it.exists);
        groups
            .map(|it| company.holding.text(it.seen.name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(there(gone(false)), ["empty", "staff"]);
    assert_eq!(there(gone(true)), ["staff"]);
}

#[test]
fn rule_4_7_a_group_that_comes_back_gets_its_members_again() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("staff", &["anna"]);
        })
        .pushed();
    company.edit("jira", |it| it.without_group("staff"));
    company.hours(40);
    company.edit("jira", |it| {
        it.group("staff", &["anna"]);
    });
    company.push();
    company.holds("anna", "active staff");
    company.plans(&[]);
}

fn reconfigured() -> Company {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("wiki", &["anna", "ben"]);
            it.group("staff", &["anna", "ben"]);
            it.group("old", &["anna"]);
        })
        .pushed();
    company.edit("jira", |it| it.without("ben"));
    company.push();
    company.memory.basis_changed = true;
    company.rules.exclude_users = globs(&["anna"]);
    company.rules.exclude_groups = globs(&["old"]);
    company
}

#[test]
fn rule_4_8_absences_first_seen_after_the_configuration_changed_stay_held_until_approved() {
    let mut company = reconfigured();
    let anna = "held     user anna: leave (configuration_changed: it is absent since the configuration changed)";
    company.says(anna);
    company.says("held     group old: leave (configuration_changed: ");
    company.hours(100);
    assert!(
        !company.memory.basis_changed,
        "a push was made from complete reads"
    );
    company.holds("anna", "active old staff wiki");
    company.says(anna);
    company.approve("user anna", HoldReason::ConfigurationChanged);
    company.push();
    company.holds("anna", "inactive old staff wiki");
    company.approve("group old", HoldReason::ConfigurationChanged);
    company.push();
    company.memory.approved.clear();
    company.push();
    company.plans(&[]);
}

#[test]
fn rule_4_8_an_absence_that_was_seen_before_goes_on_waiting() {
    let mut company = reconfigured();
    company.says("waiting  user ben: leave ");
    company.never_says("held     user ben");
    company.hours(30);
    company.holds("ben", "inactive staff wiki");
}

#[test]
fn rule_4_8_absences_seen_later_wait_as_always() {
    let mut company = reconfigured();
    company.push();
    company.edit("jira", |it| {
        it.user("ben");
    });
    company.push();
    company.edit("jira", |it| it.without("ben"));
    company.says("waiting  user ben: leave ");
}

#[test]
fn rule_4_8_until_a_push_from_complete_reads_what_is_missed_is_held() {
    let mut company = reconfigured();
    company.edit("jira", Directory::stale);
    company.push();
    assert!(company.memory.basis_changed);
    company.edit("jira", |it| {
        it.fresh();
        it.the_group("staff").members(&[]);
    });
    company.rules.exclude_users = globs(&[]);
    company.says("held     user anna: leave staff (configuration_changed: ");
    company.hours(50);
    company.holds("anna", "active old staff wiki");
    company.approve("user anna", HoldReason::ConfigurationChanged);
    company.push();
    company.holds("anna", "active old wiki");
}

#[test]
fn rule_4_8_what_is_wanted_again_is_held_no_longer() {
    let mut company = reconfigured();
    company.push();
    company.rules.exclude_users = globs(&[]);
    company.never_says("user anna: leave");
    company.push();
    company.edit("jira", |it| it.without("anna"));
    company.says("waiting  user anna: leave ");
}

#[test]
fn rule_4_8_switching_off_is_no_absence() {
    let mut company = reconfigured();
    company.rules.exclude_users = globs(&[]);
    company.edit("jira", |it| {
        it.the("anna").inactive();
    });
    company.says("update   user anna: deactivate (inactive)");
}

#[test]
fn rule_4_9_an_approval_covers_one_change_for_one_reason() {
    let mut company = people(11)
        .pushed()
        .rules(default_limits)
        .rules(|it| it.grace = Span::ZERO);
    company.edit("jira", |it| {
        names(6).iter().for_each(|name| it.without(name));
    });
    company.approve_all();
    company.edit("jira", |it| {
        // What is no longer wanted is dropped, what is new stays held.
        it.user("u000");
        it.without("u006");
    });
    company.never_says("user u000");
    company.says("held     user u006: leave (removals_limit: ");
    company.says("update   user u001: deactivate, leave (absent)");
    let changes = company.look(|_, plan| plan.changes.len());
    assert_eq!(changes, 5);
}

#[test]
fn rule_4_9_an_approval_stands_for_the_clock_and_not_for_the_proof() {
    let mut company = reconfigured();
    company.push();
    company.approve("user anna", HoldReason::ConfigurationChanged);
    company.edit("jira", Directory::stale);
    company.says("waiting  user anna: leave (directory jira: it is stale");
    company.edit("jira", Directory::fresh);
    company.says("update   user anna: deactivate, leave (out_of_scope)");
}
