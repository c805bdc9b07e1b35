//! What is said about a person: fates and explanations.

use super::world::{company, globs};
use crate::model::{HoldReason, Kind, Status};
use crate::reconcile::rules::{Memberships, OnLeave};

#[test]
fn every_record_has_one_fate() {
    let mut company = company()
        .directory("high", |it| {
            it.rules.skip_users = globs(&["skipped"]);
            it.users([
                "unchanged",
                "changed",
                "skipped",
                "excluded",
                "outsider",
                "held",
            ]);
            it.user("held-by-mail").mail("taken@example.com");
            it.user("bot").kind(Kind::Service);
            it.user("frozen").unknown();
            it.user("twin").id("t1");
            it.user("Twin").id("t2");
            it.user("daemon");
            it.rejected("r1", "rejected");
            let staff = [
                "unchanged",
                "changed",
                "bot",
                "held",
                "held-by-mail",
                "daemon",
                "leaver",
            ];
            it.group("staff", &staff);
            it.user("leaver");
        })
        .directory("low", |it| {
            it.users(["unchanged", "frozen", "other"]);
        })
        .rules(|it| {
            it.members_of = globs(&["staff"]);
            it.exclude_users = globs(&["excluded"]);
            it.people = vec![(
                "changed".to_owned(),
                vec![("other".to_owned(), "low".to_owned())],
            )];
        })
        .account_with_mail("somebody", "taken@example.com")
        .account("daemon", |_| {})
        .pushed();
    company.seen("held").active = false;
    company.edit("high", |it| {
        it.the("changed").display_name("Changed");
        it.the_group("staff").members(&[
            "unchanged",
            "changed",
            "bot",
            "held",
            "held-by-mail",
            "daemon",
        ]);
    });
    let check = |directory, username, fate| {
        assert_eq!(
            company.fate(directory, username),
            fate,
            "{username}@{directory}"
        );
    };
    check("high", "unchanged", "unchanged");
    check("high", "changed", "changed");
    check("high", "skipped", "out_of_scope.skip");
    check("high", "excluded", "out_of_scope.exclude");
    check("high", "outsider", "out_of_scope.members_of");
    check("high", "leaver", "waiting");
    check("high", "held", "held");
    check("high", "held-by-mail", "held");
    check("high", "bot", "out_of_scope.kind");
    check("high", "frozen", "frozen");
    check("high", "twin", "rejected");
    check("high", "Twin", "rejected");
    check("high", "daemon", "protected");
    check("low", "unchanged", "shadowed");
    check("low", "frozen", "frozen");
    check("low", "other", "tied");
    let include = |it: &mut crate::reconcile::rules::ApplicationRules| {
        it.include_users = globs(&["held"]);
    };
    assert_eq!(company.rules(include).fate("high", "unchanged"), "waiting");
}

#[test]
fn an_inactive_user_without_account_is_not_created_where_accounts_cannot_be_switched_off() {
    let company = company()
        .directory("jira", |it| {
            it.user("anna").inactive();
        })
        .abilities(|it| it.deactivate = false);
    assert_eq!(company.fate("jira", "anna"), "not_created");
}

#[test]
fn what_a_guard_holds_has_the_fate_held() {
    let mut company = company().directory("jira", |it| it.users(["anna"]));
    company = company.account("ben", |_| {});
    company.memory.first_applied_at = None;
    assert_eq!(company.fate("jira", "anna"), "held");
    company.approve_all();
    assert_eq!(company.fate("jira", "anna"), "changed");
}

#[test]
fn an_explanation_tells_who_wins_and_what_is_shadowed() {
    let company = company()
        .directory("jira", |it| {
            it.user("Anna").id("7").inactive();
            it.group("staff", &["Anna"]);
        })
        .directory("corporate", |it| {
            it.user("anna").id("8");
        })
        .directory("google", |it| {
            it.stale();
        })
        .pushed();
    assert_eq!(
        company.explain("ANNA").to_string(),
        "\
directory jira: Anna (id 7): inactive, person, wins, unchanged
directory corporate: anna (id 8): active, person, shadowed, directory jira is the first that has it
directory google (stale): no such user
user Anna: directory jira is the first that has it; in the roster
  group staff: staff@jira
account Anna: inactive, linked to id 7 of directory jira; it is the account of anna
  member of staff
"
    );
}

#[test]
fn an_explanation_shows_the_path_that_gave_a_group() {
    let company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("everybody", &[]).groups(&["staff"]);
            it.group("staff", &[]).groups(&["writers"]);
            it.group("writers", &["anna"]);
            it.group("secret", &["anna"]);
        })
        .directory("corporate", |it| {
            it.user("anna");
            it.group("company", &[]).groups(&["writers"]);
            it.group("writers", &[]);
        })
        .rules(|it| {
            it.memberships = Memberships::Aggregate;
            it.exclude_groups = globs(&["secret"]);
            it.rename_groups = vec![("staff".to_owned(), "Colleagues".to_owned())];
            it.default_groups = vec!["users".to_owned()];
        });
    let text = company.explain("anna").users[0].to_string();
    assert_eq!(
        text,
        "\
user anna: directory jira is the first that has it; in the roster
  group users: default_groups
  group company: writers@jira -> company@corporate
  group everybody: writers@jira -> staff@jira -> everybody@jira
  group not pushed: secret@jira
  group Colleagues: writers@jira -> staff@jira
  group writers: writers@jira
"
    );
}

#[test]
fn paths_lead_to_exactly_the_groups_of_the_roster() {
    for memberships in [Memberships::First, Memberships::Aggregate] {
        let company = company()
            .directory("jira", |it| {
                it.users(["anna"]);
                it.group("a", &["anna"]).groups(&["c"]);
                it.group("b", &[]).groups(&["a"]);
                it.group("c", &[]).groups(&["b"]);
                it.group("d", &[]);
            })
            .directory("corporate", |it| {
                it.users(["anna"]);
                it.group("d", &[]).groups(&["b"]);
                it.group("b", &[]);
                it.group("e", &["anna"]);
                it.rules.may_fill = globs(&["d"]);
            })
            .rules(|it| it.memberships = memberships);
        let explained = company.explain("anna");
        let groups = explained.users[0].groups.iter();
        let explained: Vec<&str> = groups.map(|it| it.pushed_as.as_str()).collect();
        let roster = company.look(|context, _| {
            let roster = context.roster();
            let groups = roster.member_of.row(0).iter();
            let names = groups.map(|it| roster.groups[*it as usize].name.clone());
            names.collect::<Vec<_>>()
        });
        assert_eq!(explained, roster, "{memberships:?}");
    }
}

#[test]
fn an_explanation_tells_what_happens_and_what_does_not() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna", "ben"]);
            it.group("staff", &["ben"]);
        })
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").display_name("Anna");
        it.without("ben");
        it.the_group("staff").members(&["anna"]);
    });
    company.seen("anna").active = false;
    let anna = company.explain("anna").to_string();
    let expected = "\
update   user anna: display_name \"\" -> \"Anna\" (differs)
members  user anna: join staff
held     user anna: activate (off_in_application: somebody else switched the account off)
";
    assert!(anna.ends_with(expected), "{anna}");
    let ben = company.explain("ben").to_string();
    let expected = "\
directory jira: no such user
no listed directory has ben
account ben: active, linked to id ben of directory jira; its user left (absent)
  member of staff
waiting  user ben: leave (";
    assert!(ben.starts_with(expected), "{ben}");
    company.hours(25);
    let ben = company.explain("ben");
    assert_eq!(ben.changes, Vec::<String>::new());
    assert!(!ben.accounts[0].active);
}

#[test]
fn an_explanation_names_rejected_and_unknown_records() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").id("7");
            it.user("ben").status(Status::Unknown);
        })
        .pushed();
    company.edit("jira", |it| {
        it.without("anna");
        it.rejected("7", "");
    });
    let anna = company.explain("anna");
    assert_eq!(anna.directories[0].records[0].why, "it is broken");
    assert_eq!(
        anna.accounts[0].state,
        "nothing changes until its user is known: its record in directory jira is not"
    );
    let ben = company.explain("ben");
    assert_eq!(ben.directories[0].records[0].fate, "frozen");
    assert!(ben.users[0].why.contains("its record is unknown"));
}

/// The state of the account of a name, as an explanation of that name tells it.
#[track_caller]
fn account_is(company: &super::world::Company, name: &str, state: &str) {
    let accounts = company.explain(name).accounts;
    let found = accounts.iter().find(|it| it.name == name);
    assert_eq!(found.map(|it| it.state.as_str()), Some(state));
}

#[test]
fn an_explanation_tells_which_held_rename_keeps_an_account_as_it_is() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").id("1");
            it.user("berta").id("2");
        })
        .pushed();
    company.edit("jira", |it| {
        it.without("berta");
        it.the("anna").renamed("berta");
    });
    account_is(&company, "anna", "nothing changes while its rename is held");
    account_is(
        &company,
        "berta",
        "its user left (absent); nothing changes while the rename of user anna onto its name is held",
    );
    let text = company.explain("berta").to_string();
    let held = "held     user berta: leave (name_taken: its user left (absent), ";
    assert!(text.contains(held), "{text}");
    let instead = "no approval releases it: resolve the rename onto its name";
    assert!(text.contains(instead), "{text}");
    let frozen = company.look(|_, plan| plan.frozen.clone());
    let frozen: Vec<_> = frozen.iter().map(|it| (it.0.word(), *it.1)).collect();
    assert_eq!(frozen, [("rename_held", 1), ("name_wanted", 1)]);
    // Whoever was switched off before keeps nothing, and where nobody leaves there is nothing to tell.
    let kept = company.rules(|it| it.on_leave = OnLeave::Keep);
    kept.never_says("user berta: leave");
}

#[test]
fn the_user_of_a_shadowed_record_is_not_called_absent() {
    let mut company = company()
        .directory("jira", |it| it.users(["carla"]))
        .directory("corporate", |it| {
            it.user("anna").id("7");
        })
        .pushed();
    company.edit("jira", |it| {
        it.user("anna").id("1");
    });
    account_is(
        &company,
        "anna",
        "its user is shadowed: directory jira wins anna",
    );
    company.edit("jira", |it| it.without("anna"));
    account_is(&company, "anna", "it is the account of anna");
    company.edit("corporate", |it| it.without("anna"));
    account_is(&company, "anna", "its user left (absent)");
}

#[test]
fn the_user_of_a_tied_record_is_not_called_absent() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| it.users(["a.smith"]))
        .pushed();
    company = company.rules(|it| {
        let other = ("a.smith".to_owned(), "corporate".to_owned());
        it.people = vec![("anna".to_owned(), vec![other])];
    });
    company.approve("user a.smith", HoldReason::Tie);
    account_is(&company, "a.smith", "its user is tied to anna");
    let explained = company.explain("a.smith");
    let why = &explained.directories[1].records[0].why;
    let expected = "it is tied to anna, and directory jira is the first that has it";
    assert_eq!(why, expected);
}

#[test]
fn the_user_of_a_skipped_record_is_not_called_absent() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .pushed();
    company.edit("jira", |it| it.rules.skip_users = globs(&["anna"]));
    account_is(
        &company,
        "anna",
        "its user left (users.skip of directory jira names it)",
    );
    let text = company.explain("anna").to_string();
    assert!(
        text.contains("no record gives the application anna\n"),
        "{text}"
    );
}

#[test]
fn an_explanation_is_also_json() {
    let company = company().directory("jira", |it| it.users(["anna"]));
    let json = serde_json::to_value(company.explain("anna")).unwrap();
    assert_eq!(json["directories"][0]["records"][0]["fate"], "changed");
    assert_eq!(json["users"][0]["directory"], "jira");
}
