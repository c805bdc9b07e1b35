//! Section 3 of the design: which account is whose, and what may be done to it.

use super::world::{Company, Directory, company, globs};
use crate::model::HoldReason;
use crate::reconcile::rules::Memberships;

fn with_anna(edit: impl FnOnce(&mut Directory)) -> Company {
    company().directory("jira", |it| {
        it.user("anna")
            .display_name("Anna")
            .mail("anna@example.com");
        edit(it);
    })
}

#[test]
fn rule_3_1_an_account_made_here_is_linked() {
    let mut company = with_anna(|_| {}).pushed();
    assert!(company.is_created("anna"));
    company.plans(&[]);
}

#[test]
fn rule_3_1_an_existing_account_of_the_same_pushed_name_is_adopted() {
    let mut company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .account("ANNA", |_| {});
    company.pushes(&[
        "create   group staff (new)",
        "update   user ANNA: name \"ANNA\" -> \"anna\", display_name \"\" -> \"Anna\", email \"\" -> \
         \"anna@example.com\", adopt (same_name)",
        "members  group staff: +ANNA (memberships)",
    ]);
    assert!(!company.is_created("anna"));
    company.holds("anna", "active staff");
}

#[test]
fn rule_3_1_adopt_nothing_holds_the_user_until_approved() {
    let mut company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .account("anna", |_| {})
    .group("staff", &[])
    .rules(|it| it.adopt_by_name = false);
    company.plans(&[
        "held     group staff: adopt (name_taken: a group of this name exists and `adopt` does not take \
         it over)",
        "held     user anna: adopt (name_taken: an account of this name exists and `adopt` does not take \
         it over)",
    ]);
    company.approve_all();
    company.push();
    company.holds("anna", "active staff");
}

#[test]
fn rule_3_1_an_existing_group_of_the_same_pushed_name_is_adopted() {
    let mut company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .account("ben", |_| {})
    .group("Staff", &["ben"])
    .pushed();
    company.holds("anna", "active staff");
    company.holds("ben", "active (staff)");
    company.hours(100);
    company.holds("ben", "active (staff)");
}

fn with_mail(name: &'static str, edit: impl FnOnce(&mut Company)) -> Company {
    let mut company = with_anna(|_| {})
        .account_with_mail(name, "Anna@Example.com")
        .rules(|it| it.adopt_by_mail = true);
    edit(&mut company);
    company
}

#[test]
fn rule_3_1_adopting_by_mail_takes_an_active_account_whose_mail_is_unique_on_both_sides() {
    let mut company = with_mail("old", |_| {});
    company.says("update   user old: ");
    company.push();
    company.holds("anna", "active");
    company.plans(&[]);

    let held = "held     user anna: create (mail_taken: ";
    let inactive = with_mail("old", |it| it.seen("old").active = false);
    inactive.says(held);
    let two_accounts = with_mail("old", |_| {}).account_with_mail("other", "anna@example.com");
    two_accounts.says(held);
    let mut two_users = with_mail("old", |_| {});
    two_users.edit("jira", |it| {
        it.user("berta").mail("anna@example.com");
    });
    two_users.says(held);
    two_users.says("held     user berta: create (mail_taken: ");
}

#[test]
fn rule_3_1_a_mail_on_a_linked_account_too_adopts_nobody() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").mail("anna@example.com");
        })
        .pushed();
    // One that goes on having it: an account that gets another mail in the same plan bears that one.
    company.edit("jira", |it| {
        it.without("anna");
        it.user("berta").mail("anna@example.com");
    });
    let company = company
        .account_with_mail("old", "anna@example.com")
        .rules(|it| it.adopt_by_mail = true);
    company.says("held     user berta: create (mail_taken: ");
}

#[test]
fn rule_3_1_an_unlinked_account_that_bears_the_mail_holds_the_creation() {
    let mut company =
        with_anna(|it| it.users(["ben"])).account_with_mail("old", "anna@example.com");
    company.pushes(&[
        "create   user ben (new)",
        "held     user anna: create (mail_taken: the account old bears the same mail address)",
    ]);
    company.plans(&[
        "held     user anna: create (mail_taken: the account old bears the same mail address)",
    ]);
    company.approve("user anna", HoldReason::MailTaken);
    company.push();
    company.holds("anna", "active");
    company.holds("old", "active");
}

#[test]
fn rule_3_1_a_protected_account_that_bears_the_mail_holds_the_creation_too() {
    let company = with_anna(|_| {}).account_with_mail("daemon", "anna@example.com");
    company.says("held     user anna: create (mail_taken: ");
}

#[test]
fn rule_3_1_an_account_adopted_in_the_same_plan_holds_up_nobody() {
    let mut company = with_anna(|it| {
        it.user("aaron").mail("anna@example.com");
        it.user("zoe").mail("anna@example.com");
    })
    .account_with_mail("anna", "anna@example.com");
    company.never_says("held");
    company.push();
    company.never_says("create");
}

#[test]
fn rule_3_1_unlinked_accounts_and_groups_are_never_changed() {
    let mut company = with_anna(|_| {})
        .account("somebody", |_| {})
        .account("nobody", |it| it.seen.active = false)
        .group("lobby", &["somebody", "nobody"])
        .pushed();
    company.hours(100);
    company.holds("somebody", "active (lobby)");
    company.holds("nobody", "inactive (lobby)");
    company.plans(&[]);
}

#[test]
fn rule_3_1_the_external_id_rebuilds_a_link() {
    let mut company = with_anna(|_| {});
    let (id, name) = (
        company.holding.pool.add("anna"),
        company.holding.pool.add("jira"),
    );
    let mut company = company.account("old-anna", |it| {
        (it.seen.external_id, it.seen.directory) = (id, name);
    });
    company.pushes(&[
        "update   user old-anna: display_name \"\" -> \"Anna\", email \"\" -> \"anna@example.com\", adopt, \
         rename -> \"anna\" (same_id)",
    ]);
    company.plans(&[]);
    assert_eq!(company.holding.accounts.len(), 1);
}

/// Anna's account was made for a directory that then loses her, while another one has the username.
fn moved(old_mail: &str, new_mail: &str, edit: impl FnOnce(&mut Company)) -> Company {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").mail(old_mail).extra("number", "7");
        })
        .directory("corporate", |it| {
            it.user("anna").id("other").mail(new_mail).extra("nr", "7");
        })
        .pushed();
    edit(&mut company);
    company.edit("jira", |it| it.without("anna"));
    company
}

const CONFLICT: &str = "held     user anna: relink (identity_conflict: ";

#[test]
fn rule_3_2_an_equal_mail_that_is_unique_in_each_directory_proves_the_same_person() {
    let mut company = moved("Anna@example.com", "anna@example.com", |_| {});
    company.says("update   user anna: email \"Anna@example.com\" -> \"anna@example.com\", relink (same_person)");
    company.push();
    company.plans(&[]);
    moved("anna@example.com", "", |_| {}).says(CONFLICT);
    moved("", "", |_| {}).says(CONFLICT);
    moved("anna@example.com", "other@example.com", |_| {}).says(CONFLICT);
    let twice_in_the_new = |it: &mut Company| {
        it.edit("corporate", |it| {
            it.user("second").mail("anna@example.com");
        });
    };
    moved("anna@example.com", "anna@example.com", twice_in_the_new).says(CONFLICT);
    let twice_in_the_old = |it: &mut Company| {
        it.edit("jira", |it| {
            it.user("second")
                .mail("anna@example.com")
                .kind(crate::model::Kind::Service);
        });
    };
    moved("anna@example.com", "anna@example.com", twice_in_the_old).says(CONFLICT);
}

#[test]
fn rule_3_2_an_equal_mail_proves_nothing_between_records_of_a_directory_where_it_is_the_name() {
    let made_anew = |is_name: bool| {
        let mut company = with_anna(|_| {}).pushed();
        company.directories[0].rules.mail_is_name = is_name;
        company.edit("jira", |it| {
            it.without("anna");
            it.user("anna").id("new").mail("anna@example.com");
        });
        company
    };
    made_anew(true).says(CONFLICT);
    made_anew(false).says("update   user anna: display_name");
    // Who comes from another directory has it for proof.
    let is_name = |it: &mut Company| it.directories[1].rules.mail_is_name = true;
    moved("anna@example.com", "anna@example.com", is_name)
        .says("update   user anna: relink (same_person)");
}

#[test]
fn rule_3_2_an_equal_person_key_proves_the_same_person() {
    let keys = |it: &mut Company, jira: &str, corporate: &str| {
        it.directories[0].rules.person_key = Some(jira.to_owned());
        it.directories[1].rules.person_key = Some(corporate.to_owned());
        // The link remembers the key.
        it.push();
    };
    let company = moved("", "", |it| keys(it, "number", "nr"));
    company.says("update   user anna: relink (same_person)");
    moved("", "", |it| keys(it, "number", "missing")).says(CONFLICT);
    moved("", "", |it| keys(it, "missing", "missing")).says(CONFLICT);
}

#[test]
fn rule_3_2_trusting_usernames_takes_an_equal_username_for_proof() {
    let company = moved("", "", |it| it.rules.trust_usernames = true);
    company.plans(&["update   user anna: relink (same_person)"]);
}

#[test]
fn rule_3_2_without_proof_the_account_counts_as_left_and_the_new_user_is_held() {
    let mut company = moved("", "", |_| {});
    company.plans(&[
        "held     user anna: relink (identity_conflict: the account was made for the record anna of directory \
         jira; nothing proves that the record other of directory corporate is the same person)",
        "waiting  user anna: leave (absent since 2027-01-15T08:00:00Z, due on 2027-01-16T08:00:00Z at the earliest)",
    ]);
    company.hours(30);
    company.holds("anna", "inactive");
    company.says(CONFLICT);
    company.approve("user anna", HoldReason::IdentityConflict);
    company.says("update   user anna: relink, activate, return (approved)");
    company.push();
    company.holds("anna", "active");
    company.memory.approved.clear();
    company.plans(&[]);
}

#[test]
fn rule_3_2_a_new_id_in_the_same_directory_needs_proof_too() {
    let mut company = with_anna(|_| {}).pushed();
    company.edit("jira", |it| {
        it.the("anna").id("another");
    });
    company.says("update   user anna: relink (same_person)");
    company.edit("jira", |it| {
        it.the("anna").mail("other@example.com");
    });
    company.says(CONFLICT);
    company.never_says("other@example.com");
}

#[test]
fn rule_3_2_a_higher_directory_takes_a_username_over_with_proof_only() {
    fn check(mail: &str, says: &str) {
        let mut company = company()
            .directory("jira", |_| {})
            .directory("corporate", |it| {
                it.user("anna").mail("anna@example.com");
            })
            .pushed();
        company.edit("jira", |it| {
            it.user("anna").id("7").mail(mail);
        });
        company.says(says);
    }
    check(
        "anna@example.com",
        "update   user anna: relink (same_person)",
    );
    check("other@example.com", CONFLICT);
}

#[test]
fn rule_3_2_an_authoritative_directory_never_lets_a_username_fall_to_a_lower_one() {
    let authoritative = |it: &mut Company| {
        it.directories[0].rules.authoritative = true;
        it.rules.trust_usernames = true;
    };
    let mut company = moved("", "", authoritative);
    company.says("waiting  user anna: leave ");
    company.hours(30);
    company.holds("anna", "inactive");
    company.never_says("relink");
    let anna = company.explain("anna").to_string();
    assert!(anna.contains("directory jira is authoritative"), "{anna}");

    let mut company = moved("", "", authoritative).rules(|it| it.inactive_falls_through = true);
    company.edit("jira", |it| {
        it.user("anna").inactive();
    });
    company.plans(&["update   user anna: deactivate (inactive)"]);
}

#[test]
fn rule_3_2_an_authoritative_directory_does_not_bar_names_that_it_never_won() {
    let mut company = company()
        .directory("jira", |it| it.rules.authoritative = true)
        .directory("corporate", |it| it.users(["anna"]));
    company.pushes(&["create   user anna (new)"]);
    company.plans(&[]);
}

#[test]
fn rule_3_3_a_rename_follows_the_stable_id_with_everything_the_account_owns() {
    let mut company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .pushed();
    company.edit("jira", |it| {
        it.the("anna").renamed("berta");
        it.the_group("staff").members(&["berta"]);
    });
    company.pushes(&["update   user anna: rename -> \"berta\" (renamed)"]);
    company.holds("berta", "active staff");
    company.plans(&[]);
}

#[test]
fn rule_3_3_another_spelling_is_a_field() {
    let mut company = with_anna(|_| {}).pushed();
    company.edit("jira", |it| {
        it.the("anna").renamed("Anna");
    });
    company.pushes(&["update   user anna: name \"anna\" -> \"Anna\" (differs)"]);
    company.plans(&[]);
}

#[test]
fn rule_3_3_a_link_by_id_comes_before_a_link_by_name() {
    let mut company = with_anna(|_| {}).pushed();
    company.edit("jira", |it| {
        it.the("anna").renamed("berta");
        it.user("anna").id("new");
    });
    company.pushes(&[
        "update   user anna: rename -> \"berta\" (renamed)",
        "create   user anna (new)",
    ]);
    company.plans(&[]);
}

fn abc() -> Company {
    company()
        .directory("jira", |it| it.users(["anna", "berta", "carla"]))
        .pushed()
}

fn rename(company: &mut Company, names: &[(&str, &str)]) {
    company.edit("jira", |it| {
        for (from, _) in names {
            it.the(from).renamed(&format!("{from}'"));
        }
        for (from, to) in names {
            it.the(&format!("{from}'")).renamed(to);
        }
    });
}

#[test]
fn rule_3_3_renames_are_ordered_so_that_names_are_freed_first() {
    let mut company = abc();
    rename(
        &mut company,
        &[("anna", "berta"), ("berta", "carla"), ("carla", "dora")],
    );
    company.pushes(&[
        "update   user carla: rename -> \"dora\" (renamed)",
        "update   user berta: rename -> \"carla\" (renamed)",
        "update   user anna: rename -> \"berta\" (renamed)",
    ]);
    company.plans(&[]);
}

#[test]
fn rule_3_3_rings_are_held_and_their_accounts_frozen() {
    let mut company = abc();
    rename(
        &mut company,
        &[("anna", "berta"), ("berta", "anna"), ("carla", "dora")],
    );
    company.edit("jira", |it| {
        it.the("anna").display_name("would change");
    });
    let ring = "the renames form a ring: give one of the users another name first";
    company.pushes(&[
        "update   user carla: rename -> \"dora\" (renamed)",
        &format!("held     user anna: rename to berta (rename_ring: {ring})"),
        &format!("held     user berta: rename to anna (rename_ring: {ring})"),
    ]);
    company.hours(100);
    company.holds("anna", "active");
    company.holds("berta", "active");
}

#[test]
fn rule_3_3_a_rename_onto_a_taken_name_is_held_and_both_accounts_frozen() {
    let mut company = abc();
    // Carla left, and her account is still there.
    company.edit("jira", |it| it.without("carla"));
    rename(&mut company, &[("berta", "carla"), ("anna", "berta")]);
    company.says("held     user berta: rename to carla (name_taken: ");
    company.says("held     user anna: rename to berta (name_taken: ");
    company.says(
        "held     user carla: leave (name_taken: its user left (absent), and the account stays as it is while the rename of \
         user berta onto its name is held)",
    );
    company.hours(100);
    for name in ["anna", "berta", "carla"] {
        company.holds(name, "active");
    }
}

#[test]
fn rule_3_3_a_rename_onto_the_name_of_an_unlinked_account_is_held() {
    let mut company = abc().account("dora", |_| {});
    rename(&mut company, &[("anna", "dora")]);
    company.plans(&[
        "held     user anna: rename to dora (name_taken: the application has another account named dora)",
    ]);
}

#[test]
fn rule_3_3_whoever_would_get_a_name_that_stays_taken_is_held() {
    let mut company = abc().account("dora", |_| {});
    rename(&mut company, &[("anna", "dora")]);
    company.edit("jira", |it| {
        it.user("anna").id("9");
    });
    company.says(
        "held     user anna: create (name_taken: the account anna has this name and keeps it for now)",
    );
    company.says("held     user anna: rename to dora (name_taken: ");
}

#[test]
fn rule_3_3_a_rename_onto_a_name_of_a_lower_directory_is_held_and_both_accounts_frozen() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| {
            it.user("berta").id("1").mail("berta@example.com");
        })
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").renamed("berta");
    });
    company.says("held     user anna: rename to berta (name_in_lower_directory: ");
    company.says(
        "held     user berta: leave (name_in_lower_directory: its user is shadowed: directory jira wins berta, and the",
    );
    company.hours(100);
    company.holds("anna", "active");
    company.holds("berta", "active");
    company.edit("jira", |it| {
        it.the("berta").mail("berta@example.com");
    });
    company.says("held     user anna: rename to berta (name_taken: ");
}

#[test]
fn rule_3_3_a_rename_onto_a_name_of_a_lower_directory_without_account_may_be_approved() {
    let mut company = company()
        .directory("jira", |it| it.users(["anna"]))
        .directory("corporate", |it| {
            it.user("berta").kind(crate::model::Kind::Service);
        })
        .pushed();
    company.edit("jira", |it| {
        it.the("anna").renamed("berta");
    });
    company.says("held     user anna: rename to berta (name_in_lower_directory: ");
    company.approve("user anna", HoldReason::NameInLowerDirectory);
    company.pushes(&["update   user anna: rename -> \"berta\" (renamed)"]);
    company.memory.approved.clear();
    company.plans(&[]);
}

#[test]
fn rule_3_3_a_rename_onto_a_name_that_a_higher_directory_has_is_held() {
    let mut company = company()
        .directory("jira", |it| it.users(["berta"]))
        .directory("corporate", |it| {
            it.user("anna").id("1");
        })
        .pushed();
    company.edit("corporate", |it| {
        it.the("anna").renamed("berta");
    });
    company.plans(&["held     user anna: rename to berta (name_taken: directory jira has a user of the new name, who \
                     has another account or is not proven to be the same person)"]);
    company.hours(100);
    company.holds("anna", "active");
    company.holds("berta", "active");
}

#[test]
fn rule_3_3_a_rename_onto_a_name_that_a_higher_directory_has_for_the_same_person_moves_the_account()
{
    let mut company = company()
        .directory("jira", |_| {})
        .directory("corporate", |it| {
            it.user("anna").id("1").mail("anna@example.com");
        })
        .pushed();
    company.edit("jira", |it| {
        it.user("berta").id("7").mail("anna@example.com");
    });
    company.edit("corporate", |it| {
        it.the("anna").renamed("berta");
    });
    company.pushes(&["update   user anna: relink, rename -> \"berta\" (same_person)"]);
    company.plans(&[]);
}

#[test]
fn rule_3_3_where_accounts_cannot_be_renamed_the_old_name_goes_on() {
    let mut company = abc().abilities(|it| it.rename_accounts = false);
    rename(&mut company, &[("anna", "dora")]);
    company.plans(&[
        "held     user anna: rename to dora (rename_unsupported: the application cannot rename accounts)",
    ]);
    company.hours(100);
    company.holds("anna", "active");
}

fn with_groups() -> Company {
    company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("writers", &["anna"]);
            it.group("staff", &["anna"]);
        })
        .pushed()
}

#[test]
fn rule_3_3_groups_are_renamed_by_their_stable_id() {
    let mut company = with_groups();
    company.edit("jira", |it| {
        it.the_group("writers").renamed("authors");
        it.the_group("staff").renamed("Staff");
    });
    company.pushes(&[
        "update   group writers: rename -> \"authors\" (renamed)",
        "update   group staff: spelling -> \"Staff\" (differs)",
    ]);
    company.holds("anna", "active Staff authors");
    company.plans(&[]);
}

#[test]
fn rule_3_3_group_names_are_freed_first() {
    let mut company = with_groups();
    company.edit("jira", |it| {
        it.the_group("staff").renamed("company");
        it.the_group("writers").renamed("staff");
        it.group("writers", &["anna"]).id("new");
    });
    company.pushes(&[
        "update   group staff: rename -> \"company\" (renamed)",
        "update   group writers: rename -> \"staff\" (renamed)",
        "create   group writers (new)",
        "members  group writers: +anna (memberships)",
    ]);
    company.holds("anna", "active company staff writers");
    company.plans(&[]);
}

#[test]
fn rule_3_3_where_groups_cannot_be_renamed_the_old_one_goes_on() {
    let mut company = with_groups().abilities(|it| it.rename_groups = false);
    company.edit("jira", |it| {
        it.users(["ben"]);
        it.the_group("writers").renamed("authors").members(&["ben"]);
    });
    company.plans(&[
        "create   user ben (new)",
        "members  group writers: +ben -anna (memberships)",
        "held     group writers: rename to authors (rename_unsupported: the application cannot rename groups; \
         the old one goes on)",
    ]);
}

#[test]
fn rule_3_3_a_group_rename_onto_a_taken_name_is_held() {
    let mut company = with_groups().group("authors", &[]);
    company.edit("jira", |it| {
        it.the_group("writers").renamed("authors");
    });
    company.plans(&["held     group writers: rename to authors (name_taken: the application has another group of \
                     the new name, or protects it; both are left as they are)"]);
}

#[test]
fn rule_3_3_a_group_that_left_is_kept_while_the_rename_of_another_onto_its_name_is_held() {
    let mut company = with_groups();
    company.edit("jira", |it| {
        it.without_group("staff");
        it.the_group("writers").renamed("staff");
    });
    company.says("held     group writers: rename to staff (name_taken: ");
    company.plans(&[
        "held     group staff: leave (name_taken: it left, and stays as it is while the rename of group writers onto its \
         name is held)",
        "held     group writers: rename to staff (name_taken: the application has another group of the new name, or \
         protects it; both are left as they are)",
    ]);
}

#[test]
fn rule_3_4_a_wanted_membership_that_is_there_already_is_owned() {
    let mut company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .account("anna", |_| {})
    .group("staff", &["anna"]);
    company.says("members  group staff: =anna (memberships)");
    company.push();
    company.holds("anna", "active staff");
    company.edit("jira", |it| {
        it.the_group("staff").members(&[]);
    });
    company.pushes(&["members  group staff: -anna (memberships)"]);
}

#[test]
fn rule_3_4_memberships_given_by_hand_are_never_removed() {
    let mut company = with_anna(|it| {
        it.group("staff", &[]);
    })
    .account("somebody", |_| {})
    .group("staff", &["somebody"])
    .pushed();
    company.give_by_hand("staff", "anna");
    company.plans(&[]);
    company.hours(100);
    company.holds("anna", "active (staff)");
    company.holds("somebody", "active (staff)");
}

/// Anna, who is to be in `staff` and not in `visitors`, and an application that puts accounts into groups by itself.
fn with_defaults() -> Company {
    with_anna(|it| {
        it.group("staff", &["anna"]);
        it.group("visitors", &[]);
    })
    .abilities(|it| it.gives_groups = true)
}

#[test]
fn rule_3_4_what_the_product_gives_a_new_account_by_itself_is_owned_from_the_first_listing() {
    let mut company = with_defaults().group("defaults", &[]).pushed();
    company.give_by_hand("visitors", "anna");
    company.give_by_hand("defaults", "anna");
    company.plans(&[]);
    company.list();
    company.pushes(&["members  group visitors: -anna (memberships)"]);
    // In a group that is not ours nothing is.
    company.holds("anna", "active (defaults) staff");
    company.list();
    company.keeps_still();
}

#[test]
fn rule_3_4_what_is_given_by_hand_after_the_first_listing_is_never_removed() {
    let mut company = with_defaults().pushed();
    company.list();
    company.give_by_hand("visitors", "anna");
    company.list();
    company.keeps_still();
    company.holds("anna", "active (visitors) staff");
}

#[test]
fn rule_3_4_only_new_accounts_of_products_that_give_groups_have_memberships_of_the_product() {
    let mut adopted = with_defaults().account("anna", |_| {}).pushed();
    let mut without = with_defaults()
        .abilities(|it| it.gives_groups = false)
        .pushed();
    for company in [&mut adopted, &mut without] {
        company.give_by_hand("visitors", "anna");
        company.list();
        company.keeps_still();
        company.holds("anna", "active (visitors) staff");
    }
}

#[test]
fn rule_3_4_an_exact_group_holds_exactly_the_members_of_the_roster() {
    let mut company = with_anna(|it| {
        it.users(["ben"]);
        it.group("staff", &["ben"]);
    })
    .account("somebody", |_| {})
    .account("daemon", |_| {})
    .group("staff", &["somebody", "daemon"])
    .rules(|it| it.exact = globs(&["Staff"]))
    .pushed();
    company.give_by_hand("staff", "anna");
    company.pushes(&["members  group staff: -anna (memberships)"]);
    company.holds("somebody", "active");
    company.holds("daemon", "active (staff)");
    company.holds("ben", "active staff");
}

#[test]
fn rule_3_4_an_exact_group_keeps_the_account_of_a_user_who_is_held() {
    let company = with_anna(|it| {
        it.group("staff", &["anna"]);
    })
    .account("anna", |_| {})
    .account("somebody", |_| {})
    .group("staff", &["anna", "somebody"])
    .rules(|it| {
        it.exact = globs(&["staff"]);
        it.adopt_by_name = false;
    });
    company.never_says("-anna");
}

#[test]
fn rule_3_4_an_exact_group_may_be_named_as_in_the_directory_or_as_pushed() {
    for name in ["staff", "colleagues"] {
        let company = with_anna(|it| {
            it.group("staff", &["anna"]);
        })
        .account("somebody", |_| {})
        .group("Colleagues", &["somebody"])
        .rules(|it| {
            it.rename_groups = vec![("staff".to_owned(), "Colleagues".to_owned())];
            it.exact = globs(&[name]);
        });
        company.says("members  group Colleagues: +anna -somebody (memberships)");
    }
}

#[test]
fn rule_3_4_an_exact_group_takes_nothing_while_something_is_unproven() {
    let mut company = with_anna(|it| {
        it.group("staff", &[]);
    })
    .account("somebody", |_| {})
    .group("staff", &["somebody"])
    .rules(|it| it.exact = globs(&["staff"]));
    company.edit("jira", |it| {
        it.the_group("staff").unknown();
    });
    company.never_says("-somebody");
    company.edit("jira", Directory::stale);
    company.never_says("-somebody");
}

#[test]
fn rule_3_4_memberships_move_with_the_winner() {
    let mut company = company()
        .directory("jira", |_| {})
        .directory("corporate", |it| {
            it.user("anna").mail("anna@example.com");
            it.group("readers", &["anna"]);
            it.group("lobby", &[]);
        })
        .pushed();
    company.give_by_hand("lobby", "anna");
    company.edit("jira", |it| {
        it.user("anna").id("7").mail("anna@example.com");
        it.group("writers", &["anna"]);
    });
    company.push();
    company.holds("anna", "active (lobby) writers");
    let mut company = company.rules(|it| it.memberships = Memberships::Aggregate);
    company.push();
    company.holds("anna", "active (lobby) readers writers");
}

#[test]
fn rule_3_5_protected_accounts_are_neither_adopted_nor_written() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("anna").display_name("Anna");
            it.user("daemon").display_name("Daemon");
            it.user("root").display_name("Root").inactive();
            it.user("deputy").display_name("Deputy");
            it.group("staff", &["anna", "daemon", "root", "deputy"]);
        })
        .account("daemon", |_| {})
        .account("root", |_| {})
        .account("deputy", |_| {})
        .group("Administrators", &["deputy"])
        .rules(|it| it.protect_users = globs(&["ROOT"]));
    company.pushes(&[
        "create   group staff (new)",
        "create   user anna: display_name \"Anna\" (new)",
        "members  group staff: +anna (memberships)",
    ]);
    company.plans(&[]);
    let mut company = company.rules(|it| it.protect_defaults = false);
    company.says("update   user deputy: ");
    company.push();
    company.holds("deputy", "active (Administrators) staff");
}

#[test]
fn rule_3_5_members_of_groups_in_an_administrators_group_are_administrators() {
    let mut company = company()
        .directory("jira", |it| {
            it.user("deputy").display_name("Deputy");
        })
        .account("deputy", |_| {})
        .group("administrators", &[])
        .group("deputies", &["deputy"]);
    company.holding.groups[0].children = vec![crate::model::Membership::new(1, false)];
    company.plans(&[]);
}

#[test]
fn rule_3_5_a_linked_account_that_became_protected_is_left_alone() {
    fn check(edit: impl Fn(&mut Directory), notice: bool) {
        let mut company = company()
            .directory("jira", |it| {
                it.users(["anna"]);
                it.group("staff", &["anna"]);
            })
            .pushed()
            .rules(|it| it.protect_users = globs(&["anna"]));
        company.edit("jira", edit);
        for _ in 0..2 {
            let left = "notice   user anna: its user left, and the account is protected";
            let expected = [format!("{left} (protected_left)")];
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            company.plans(if notice { &expected } else { &[] });
            company.hours(50);
            company.holds("anna", "active staff");
        }
    }
    check(
        |it| {
            it.the("anna").inactive().display_name("changed");
        },
        false,
    );
    check(
        |it| {
            it.the("anna").renamed("berta");
        },
        false,
    );
    check(
        |it| {
            it.the_group("staff").members(&[]);
        },
        false,
    );
    check(|it| it.without("anna"), true);
    check(|it| it.rules.skip_users = globs(&["anna"]), true);
}

#[test]
fn rule_3_5_a_protected_account_whose_user_is_out_of_scope_left() {
    let company = with_anna(|_| {}).pushed().rules(|it| {
        it.protect_users = globs(&["anna"]);
        it.exclude_users = globs(&["anna"]);
    });
    company.says("notice   user anna: its user left, and the account is protected");
}

#[test]
fn rule_3_5_protected_groups_are_neither_adopted_nor_filled() {
    let mut company = company()
        .directory("jira", |it| {
            it.users(["anna"]);
            it.group("administrators", &["anna"]);
            it.group("secret", &["anna"]);
            it.group("hidden", &["anna"]);
        })
        .group("Secret", &[])
        .rules(|it| it.protect_groups = globs(&["secret", "hidden"]));
    company.pushes(&["create   user anna (new)"]);
    company.plans(&[]);
}

#[test]
fn rule_3_6_an_account_that_somebody_else_switched_off_stays_off() {
    let mut company = with_anna(|_| {}).pushed();
    company.seen("anna").active = false;
    let held =
        "held     user anna: activate (off_in_application: somebody else switched the account off)";
    company.plans(&[held]);
    company.hours(50);
    company.holds("anna", "inactive");
    company.edit("jira", |it| {
        it.the("anna").display_name("Other");
    });
    company.plans(&[
        "update   user anna: display_name \"Anna\" -> \"Other\" (differs)",
        held,
    ]);
    company.approve("user anna", HoldReason::OffInApplication);
    company.push();
    company.holds("anna", "active");
}

#[test]
fn rule_3_6_an_adopted_account_that_is_off_stays_off() {
    let company = with_anna(|_| {}).account("anna", |it| it.seen.active = false);
    company.says("held     user anna: activate (off_in_application: ");
    company.never_says(", activate");
}

#[test]
fn rule_3_6_an_account_that_was_off_before_its_user_left_stays_off_when_it_comes_back() {
    let mut company = with_anna(|_| {}).pushed();
    company.seen("anna").active = false;
    company.edit("jira", |it| it.without("anna"));
    company.hours(50);
    company.edit("jira", |it| {
        it.user("anna").mail("anna@example.com");
    });
    company.push();
    company.holds("anna", "inactive");
    company.says("held     user anna: activate (off_in_application: ");
}
