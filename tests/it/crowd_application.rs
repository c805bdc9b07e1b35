//! The application that fills a Crowd, on the one in memory: plans written by hand are pushed, and what the double holds is
//! looked at past the connector. Whatever the reference does not confirm runs both ways.

mod faults;
mod lists;
mod names;
pub(crate) mod world;

use serde_json::json;
use usersyncd::applications::Application as _;
use usersyncd::model::{Holding, Observed, Outcome, Records, What};

use self::world::{application, both, company, dump, listed, users};
use crate::support::crowd_double::rules::{Again, CreateAgain};
use crate::support::crowd_double::{CrowdDouble, Rules};
use crate::support::push::{Push, directory, kind};

/// The kinds of refusal, `done` and `skipped`, one for each change.
fn ends(outcomes: &[Outcome]) -> Vec<&'static str> {
    let end = |it: &Outcome| match it {
        Outcome::Done { .. } => "done",
        Outcome::Skipped => "skipped",
        Outcome::Failed(refusal) => kind(refusal),
    };
    outcomes.iter().map(end).collect()
}

#[tokio::test]
async fn what_is_made_is_listed() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let expect = [
            "Anna/Anna Arden/Anna//anna@example.com on",
            "ben/Ben Bold/Ben//ben@example.com on",
            "carl/Carl Cole (off)/Carl//carl@example.com off",
            "sales/All of sales: ",
            "staff/All of staff: Anna ben carl sales",
        ];
        assert_eq!(listed(&application).await, expect);
        let passwords = double.with(|state| {
            let passwords = state.users.values().map(|it| it.password.clone());
            passwords.collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(passwords.len(), 3, "one password for several");
    }
}

#[tokio::test]
async fn an_account_is_found_by_its_key_where_there_is_one() {
    let shy = Rules {
        create_shows: false,
        ..Rules::default()
    };
    for rules in both().into_iter().chain([shy]) {
        let keys = rules.keys;
        let (double, application) = company(rules).await;
        let records = directory(&[("dora", "Dora Dunn", "dora@example.com")], &[]);
        let push = Push::now(&application, &records).await.create("dora");
        let outcomes = push.send(&application).await;
        let key = double.with(|state| state.users["dora"].key.clone());
        let id = if keys { key } else { "dora".to_owned() };
        assert_eq!(
            outcomes,
            [Outcome::Done {
                remote_id: Some(id)
            }]
        );
    }
}

#[tokio::test]
async fn an_update_leaves_what_is_foreign() {
    for rules in both() {
        let (double, application) = company(rules).await;
        double.with(|state| {
            let ben = state.users.get_mut("ben").unwrap();
            let values = vec!["v 1".to_owned(), "v 2".to_owned()];
            ben.attributes.insert("theirs".to_owned(), values);
            ben.foreign
                .insert("created-date".to_owned(), json!(1_700_000_000));
            ben.last_name = "by hand".to_owned();
            let staff = state.groups.get_mut("staff").unwrap();
            staff
                .attributes
                .insert("owner".to_owned(), vec!["x".to_owned()]);
        });
        let mut expect = double.with(|state| state.clone());
        let records = directory(&[("ben", "Benno B", "benno@example.com")], &["staff"]);
        let what = What::DISPLAY_NAME.with(What::EMAIL).with(What::DEACTIVATE);
        Push::now(&application, &records)
            .await
            .update("ben", "ben", what)
            .update_group("staff", "staff", What::DESCRIPTION)
            .succeed(&application)
            .await;
        let ben = expect.users.get_mut("ben").unwrap();
        ben.display_name = "Benno B".to_owned();
        ben.email = "benno@example.com".to_owned();
        ben.active = false;
        double.with(|state| {
            assert_eq!(state.users, expect.users);
            assert_eq!(state.groups, expect.groups);
        });
    }
}

#[tokio::test]
async fn what_is_as_wanted_is_not_written() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("ben", "Ben Bold", "ben@example.com")], &["staff"]);
    let push = Push::now(&application, &records).await;
    let push = push.update("ben", "ben", What::EMAIL.with(What::ACTIVATE));
    let push = push.update_group("staff", "staff", What::DESCRIPTION);
    double.take_requests();
    push.succeed(&application).await;
    assert_eq!(double.take_operations(), ["GET /user", "GET /group"]);
}

#[tokio::test]
async fn names_may_hold_any_letters() {
    const NAMES: [&str; 12] = [
        "a+b",
        "a&b=c",
        "a/b",
        "100%",
        "%41",
        "say \"hi\"",
        "o'neil",
        "jürgen",
        "名前",
        "a b",
        "a#b?c",
        "<x>",
    ];
    for rules in both() {
        let double = CrowdDouble::start(rules);
        let application = application(&double, "");
        let people = NAMES.map(|it| (it, "Some One", "some@example.com"));
        let renamed = NAMES.map(|it| format!("{it}+2"));
        let later = renamed.iter().map(|it| (it.as_str(), "Some One", ""));
        let (today, later) = (
            directory(&people, &NAMES),
            directory(&later.collect::<Vec<_>>(), &[]),
        );
        let mut push = Push::now(&application, &today).await.create_all();
        for name in NAMES {
            push = push.create_group(name);
        }
        for name in NAMES {
            push = push.members(name, &NAMES, &[], &[]);
        }
        push.succeed(&application).await;
        double.with(|state| {
            assert_eq!(state.users.len(), NAMES.len());
            assert!(
                state
                    .groups
                    .values()
                    .all(|it| it.members.len() == NAMES.len())
            );
        });

        let mut push = Push::now(&application, &later).await;
        for (name, new) in NAMES.iter().zip(&renamed) {
            push = push.update(name, new, What::RENAME);
        }
        for name in NAMES {
            push = push.members(name, &[], &[], &[name]);
        }
        push.succeed(&application).await;
        double.with(|state| {
            assert!(renamed.iter().all(|it| state.users.contains_key(it)));
            assert!(
                state
                    .groups
                    .values()
                    .all(|it| it.members.len() == NAMES.len() - 1)
            );
        });

        let mut push = Push::now(&application, &later).await;
        for (name, new) in NAMES.iter().zip(&renamed) {
            push = push.delete(new).delete_group(name);
        }
        push.succeed(&application).await;
        assert_eq!(dump(&double), [""; 0]);
    }
}

#[tokio::test]
async fn a_chain_of_renames_and_a_new_account_keep_their_order() {
    for rules in both() {
        let keys = rules.keys;
        let (double, application) = company(rules).await;
        let ids = double.with(|state| {
            (
                state.users["anna"].key.clone(),
                state.users["ben"].key.clone(),
            )
        });
        let records = directory(
            &[
                ("ben", "Ben B", "anna@example.com"),
                ("berta", "Berta B", "ben@example.com"),
                ("Anna", "Anna New", "new@example.com"),
            ],
            &[],
        );
        let push = Push::now(&application, &records)
            .await
            .update("ben", "berta", What::RENAME.with(What::DISPLAY_NAME))
            .update("Anna", "ben", What::RENAME)
            .create("Anna")
            .members("sales", &["Anna", "ben"], &[], &[]);
        let outcomes = push.send(&application).await;
        assert_eq!(ends(&outcomes), ["done"; 4]);
        double.with(|state| {
            assert_eq!(state.users["berta"].key, ids.1);
            assert_eq!(state.users["ben"].key, ids.0);
            assert_eq!(state.users["anna"].display_name, "Anna New");
            // The members were named by what they were called before.
            let members: Vec<&String> = state.groups["sales"].members.iter().collect();
            assert_eq!(members, ["ben", "berta"]);
            assert_eq!(state.groups["staff"].members.len(), 3);
        });
        let id = (!keys).then(|| "berta".to_owned());
        assert_eq!(outcomes[0], Outcome::Done { remote_id: id });
    }
}

#[tokio::test]
async fn a_ring_of_renames_changes_nothing() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let before = dump(&double);
        let records = directory(&[("ben", "", ""), ("Anna", "", "")], &[]);
        let push = Push::now(&application, &records)
            .await
            .update("ben", "Anna", What::RENAME)
            .update("Anna", "ben", What::RENAME);
        assert_eq!(ends(&push.send(&application).await), ["stale"; 2]);
        assert_eq!(dump(&double), before);
    }
}

#[tokio::test]
async fn a_spelling_is_changed() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let records = directory(&[("BEN", "", "")], &[]);
        let push = Push::now(&application, &records).await;
        push.update("ben", "BEN", What::SPELLING)
            .succeed(&application)
            .await;
        assert_eq!(users(&double), ["Anna", "BEN", "carl"]);
    }
}

#[tokio::test]
async fn what_was_made_beside_us_is_neither_changed_nor_taken_over() {
    for create_again in [
        CreateAgain::Invalid,
        CreateAgain::Conflict,
        CreateAgain::Silent,
    ] {
        for create_shows in [true, false] {
            let (double, application) = company(Rules {
                create_again,
                create_shows,
                ..Rules::default()
            })
            .await;
            let records = directory(&[("dora", "Dora Dunn", "dora@example.com")], &["makers"]);
            let push = Push::now(&application, &records).await;
            let push = push.create("dora").create_group("makers");
            double.with(|state| {
                state.add_user("Dora").email = "somebody@else.example.com".to_owned();
                state.add_group("Makers").description = "theirs".to_owned();
            });
            let before = dump(&double);
            let ends = ends(&push.send(&application).await);
            assert_eq!(ends, ["stale"; 2], "{create_again:?} {create_shows}");
            assert_eq!(dump(&double), before);
        }
    }
}

#[tokio::test]
async fn what_is_there_is_given_and_what_is_gone_is_taken() {
    for again in [Again::Conflict, Again::Silent] {
        let (double, application) = company(Rules {
            membership_again: again,
            ..Rules::default()
        })
        .await;
        let records = directory(&[], &[]);
        let before = application.accounts(&Holding::default()).await.unwrap();
        let push = Push::against(before.clone(), &records)
            .members("staff", &["ben"], &[], &[])
            .children("staff", &["sales"], &[])
            .members("sales", &[], &[], &["Anna", "carl"])
            .children("sales", &[], &["staff"])
            .delete("carl")
            .delete_group("sales");
        double.with(|state| state.delete_user("carl").unwrap());
        push.succeed(&application).await;
        assert_eq!(users(&double), ["Anna", "ben"]);
        let gone = double.take_operations();
        assert!(gone.contains(&"DELETE /group".to_owned()));
        push_of_what_is_gone(&before, &records)
            .succeed(&application)
            .await;
    }
}

/// What can only be taken and deleted, of what was listed once.
fn push_of_what_is_gone<'a>(before: &Observed, records: &'a Records) -> Push<'a> {
    Push::against(before.clone(), records)
        .members("sales", &[], &[], &["Anna", "carl"])
        .children("staff", &[], &["sales"])
        .delete("carl")
        .delete_group("sales")
}

#[tokio::test]
async fn whoever_took_the_name_of_an_account_is_left_alone() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("ben", "Benno", ""), ("carl", "", "")], &[]);
    let push = Push::now(&application, &records).await;
    let push = push.update("ben", "ben", What::DISPLAY_NAME).delete("carl");
    double.with(|state| {
        let rules = Rules::default();
        state.rename_user("ben", "bernd", &rules).unwrap();
        state.add_user("ben");
        state.delete_user("carl").unwrap();
        state.add_user("carl");
    });
    let others = double.with(|state| [state.users["ben"].clone(), state.users["carl"].clone()]);
    push.succeed(&application).await;
    double.with(|state| {
        assert_eq!(
            others,
            [state.users["ben"].clone(), state.users["carl"].clone()]
        );
        assert_eq!(state.users["bernd"].display_name, "Benno");
    });
}

#[tokio::test]
async fn an_account_that_is_gone_is_not_made_again() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let records = directory(&[("ben", "Benno", "")], &["sales"]);
        let push = Push::now(&application, &records).await;
        let push = push
            .update("ben", "ben", What::DISPLAY_NAME)
            .update_group("sales", "sales", What::DESCRIPTION)
            .members("staff", &["ben"], &[], &[])
            .members("sales", &["Anna"], &[], &[]);
        double.with(|state| {
            state.delete_user("ben").unwrap();
            state.delete_group("sales").unwrap();
        });
        let before = dump(&double);
        assert_eq!(ends(&push.send(&application).await), ["stale"; 4]);
        assert_eq!(dump(&double), before);
    }
}

#[tokio::test]
async fn so_many_requests_are_under_way_and_no_more() {
    let double = CrowdDouble::start(Rules::default());
    let application = application(&double, "in_flight: 4");
    let names: Vec<String> = (0..60).map(|it| format!("user{it}")).collect();
    let people: Vec<_> = names.iter().map(|it| (it.as_str(), "", "")).collect();
    let records = directory(&people, &["all"]);
    let push = Push::now(&application, &records).await;
    push.create_all()
        .create_group("all")
        .succeed(&application)
        .await;
    let push = Push::now(&application, &records).await;
    push.members_by_place("all", 0..60)
        .succeed(&application)
        .await;
    assert_eq!(double.with(|state| state.groups["all"].members.len()), 60);
    let most = double.in_flight_max();
    assert!((2..=4).contains(&most), "{most}");
}

#[tokio::test]
async fn what_frees_seats_comes_first() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("dora", "", ""), ("emil", "", "")], &[]);
    let push = Push::now(&application, &records).await;
    let push = push
        .leave("Anna", What::DEACTIVATE)
        .delete("ben")
        .create("dora")
        .create("emil");
    double.take_requests();
    push.succeed(&application).await;
    let writes = double.take_operations();
    let writes: Vec<&String> = writes.iter().filter(|it| !it.starts_with("GET")).collect();
    let mut first = writes[..2].to_vec();
    first.sort();
    assert_eq!(first, ["DELETE /user", "PUT /user"]);
    assert_eq!(writes[2..], ["POST /user", "POST /user"]);
}

#[tokio::test]
async fn groups_that_the_product_gives_are_seen_at_the_next_listing() {
    let double = CrowdDouble::start(Rules {
        default_groups: vec!["everybody".to_owned()],
        ..Rules::default()
    });
    double.with(|state| {
        state.add_group("everybody");
    });
    let application = application(&double, "");
    assert!(application.abilities().gives_groups);
    let records = directory(&[("dora", "Dora", "")], &[]);
    let push = Push::now(&application, &records).await;
    push.create("dora").succeed(&application).await;
    assert_eq!(listed(&application).await[1], "everybody/: dora");
}
