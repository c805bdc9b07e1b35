//! What has changed: what is asked, and when everything is read instead.

use usersyncd::directories::What;
use usersyncd::model::RecordKind;

use super::{assert_same, changes, complete, directory, fill, held, read, says, with_password};
use crate::support::crowd_double::fault::Scripted;
use crate::support::crowd_double::rules::Events;
use crate::support::crowd_double::{CrowdDouble, Fault, PASSWORD, Rules, State};

fn filled() -> CrowdDouble {
    let double = CrowdDouble::start(Rules::default());
    fill(&double);
    double
}

fn xml(body: &str) -> Fault {
    Fault::Answer(Scripted {
        status: 200,
        content_type: "application/xml",
        headers: Vec::new(),
        body: body.to_owned(),
    })
}

#[tokio::test]
async fn where_nothing_has_changed_one_question_is_enough() {
    let double = filled();
    let directory = directory(&double, "");
    let (_, cursor, _) = complete(&directory).await;
    double.take_requests();
    let (delta, next) = changes(&directory, cursor.clone()).await;
    assert!(delta.is_empty());
    assert_eq!(next, cursor);
    assert_eq!(double.take_operations(), ["GET /event/TOKEN"]);
}

#[tokio::test]
async fn only_those_concerned_are_asked_for() {
    let double = filled();
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    double.with(|it| {
        it.users.get_mut("ada").unwrap().email = "new@example.com".to_owned();
        it.touched_user("ada");
        it.add_member("none", "dora");
    });
    double.take_requests();
    let (delta, _) = changes(&directory, cursor).await;
    let asked = double.take_operations();
    assert!(
        !asked
            .iter()
            .any(|it| it.contains("search") || it.contains("membership")),
        "{asked:?}"
    );
    assert_same(
        &says(&old.merged(&delta).unwrap()),
        &held(&double, true),
        "merged",
    );
}

#[tokio::test]
async fn a_rename_is_told_by_the_key() {
    let double = filled();
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    let rules = Rules::default();
    double.with(|it| {
        // A ring of names, and a name that somebody new takes.
        it.rename_user("ada", "x", &rules).unwrap();
        it.rename_user("carl", "ada", &rules).unwrap();
        it.rename_user("x", "carl", &rules).unwrap();
        it.rename_user("ben", "benjamin", &rules).unwrap();
        it.add_user("ben");
        it.add_member("none", "ben");
    });
    let (delta, _) = changes(&directory, cursor).await;
    assert!(delta.gone.is_empty(), "{:?}", delta.gone);
    assert_same(
        &says(&old.merged(&delta).unwrap()),
        &held(&double, true),
        "merged",
    );
}

#[tokio::test]
async fn whoever_is_gone_is_told_by_id() {
    let double = filled();
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    let key = double.with(|it| it.users["ada"].key.clone());
    double.with(|it| {
        it.delete_user("ada").unwrap();
        it.delete_group("STAFF").unwrap();
        it.add_group("Staff");
        it.delete_group("crew").unwrap();
    });
    let (delta, _) = changes(&directory, cursor).await;
    let gone = [
        (RecordKind::User, key),
        (RecordKind::Group, "crew".to_owned()),
    ];
    assert_eq!(delta.gone, gone);
    assert_same(
        &says(&old.merged(&delta).unwrap()),
        &held(&double, true),
        "merged",
    );
}

#[tokio::test]
async fn a_membership_under_a_name_that_was_given_up_is_not_another_ones() {
    let double = filled();
    let directory = directory(&double, "");
    let rules = Rules::default();
    // The name is nobody's now, or somebody else's.
    for reused in [false, true] {
        let (old, cursor, _) = complete(&directory).await;
        double.with(|it| {
            it.take_member("staff", "c & d").unwrap();
            it.rename_user("c & d", "renamed", &rules).unwrap();
            if reused {
                it.add_user("c & d");
                it.add_member("staff", "c & d");
            }
        });
        let (delta, _) = changes(&directory, cursor).await;
        assert_same(
            &says(&old.merged(&delta).unwrap()),
            &held(&double, true),
            "merged",
        );
        double.with(|it| {
            if reused {
                it.delete_user("c & d").unwrap();
            }
            it.rename_user("renamed", "c & d", &rules).unwrap();
            it.add_member("staff", "c & d");
        });
    }
}

#[tokio::test]
async fn what_changes_while_it_is_asked_for_is_asked_again() {
    let double = filled();
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    double.with(|it| it.touched_user("ada"));
    // The second look at the events finds another one.
    let told = double.with(|it| {
        it.users.get_mut("dora").unwrap().email = "late@example.com".to_owned();
        let key = it.users["dora"].key.clone();
        format!(r#"<events newEventToken="{}" incrementalSynchronisationAvailable="true"><userEvent><user name="dora"><key>{key}</key></user></userEvent></events>"#, it.token())
    });
    double.fail("GET /event/TOKEN", 2, xml(&told));
    let (delta, _) = changes(&directory, cursor.clone()).await;
    assert_same(
        &says(&old.merged(&delta).unwrap()),
        &held(&double, true),
        "merged",
    );
    // And where that does not end, everything is read.
    double.fail_always("GET /event/TOKEN", xml(&told));
    let read = read(&directory, cursor).await.unwrap();
    assert!(matches!(read.what, What::Complete(_)));
    assert!(read.notes[0].contains("came faster"), "{:?}", read.notes);
}

#[tokio::test]
async fn whatever_is_in_doubt_is_a_reason_to_read_everything() {
    async fn check(change: impl FnOnce(&CrowdDouble), expect: &str) {
        let double = filled();
        let directory = directory(&double, "");
        let (_, cursor, _) = complete(&directory).await;
        change(&double);
        let read = read(&directory, cursor).await.unwrap();
        let What::Complete(records) = read.what else {
            panic!("{expect}: changes");
        };
        assert_same(&says(&records), &held(&double, true), expect);
        let why = &read.notes[0];
        assert!(
            why.starts_with("everything was read: ") && why.contains(expect),
            "{why}"
        );
    }
    fn events(inner: &'static str) -> impl FnOnce(&CrowdDouble) {
        move |double| {
            let body = format!(
                r#"<events newEventToken="t" incrementalSynchronisationAvailable="true">{inner}</events>"#
            );
            double.fail_always("GET /event/TOKEN", xml(&body));
        }
    }
    for expired in [410, 400, 404] {
        let expire = |it: &CrowdDouble| {
            it.set(|it| it.events = Events::Served { expired });
            it.with(State::expire_tokens);
        };
        check(expire, "cannot tell what has changed").await;
    }
    check(
        |it| it.set(|it| it.events = Events::Absent),
        "cannot tell what has changed",
    )
    .await;
    check(
        |it| it.set(|it| it.incremental = None),
        "cannot tell what has changed",
    )
    .await;
    check(
        |it| it.set(|it| it.incremental = Some(false)),
        "cannot tell what has changed",
    )
    .await;
    check(
        |it| it.fail_always("GET /event/TOKEN", xml("<events/>")),
        "neither a token nor events",
    )
    .await;
    check(
        |it| it.fail_always("GET /event/TOKEN", xml("<events newEventToken='1'>")),
        "cut",
    )
    .await;
    check(
        |it| it.fail_always("GET /event/TOKEN", Fault::reason(500, "X")),
        "500",
    )
    .await;
    check(events("<strangeEvent/>"), "unknown kind, `strangeevent`").await;
    check(events("<userEvent><user/></userEvent>"), "whom").await;
    check(
        events(r#"<userEvent><user name="nobody"/></userEvent>"#),
        "whose key is not told",
    )
    .await;
    check(
        events(r#"<userMembershipEvent><childUser name="ada"/></userMembershipEvent>"#),
        "not which",
    )
    .await;
    check(|it| {
        let key = it.with(|it| it.users["ada"].key.clone());
        let body = format!(r#"<events newEventToken="t" incrementalSynchronisationAvailable="true"><userEvent><user name="a"><key>{key}x</key></user></userEvent></events>"#);
        it.fail_always("GET /event/TOKEN", xml(&body));
        it.fail("GET /user", 1, Fault::reason(400, "ILLEGAL_ARGUMENT"));
    }, "400").await;
    check(
        |it| {
            it.with(|it| {
                for number in 0..600 {
                    it.add_user(&format!("u{number}"));
                }
            });
        },
        "one by one",
    )
    .await;
}

#[tokio::test]
async fn a_server_that_fails_is_not_asked_for_everything_instead() {
    for fault in [
        Fault::login_page(),
        Fault::html(403, "Forbidden"),
        Fault::Closed,
    ] {
        let double = filled();
        let directory = directory(&double, "");
        let (_, cursor, _) = complete(&directory).await;
        double.with(|it| it.touched_user("ada"));
        for call in ["GET /event/TOKEN", "GET /user"] {
            double.mend();
            double.fail_always(call, fault.clone());
            double.take_requests();
            assert!(read(&directory, cursor.clone()).await.is_err());
            let asked = double.take_operations();
            assert!(!asked.iter().any(|it| it.contains("search")), "{asked:?}");
        }
    }
}

#[tokio::test]
async fn an_event_that_names_what_was_never_read_does_not_fit() {
    let double = filled();
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    double.with(|it| {
        // Came without an event.
        it.groups.insert(
            "late".to_owned(),
            crate::support::crowd_double::state::Group {
                name: "late".to_owned(),
                active: true,
                ..Default::default()
            },
        );
        it.add_member("late", "ada");
    });
    let (delta, _) = changes(&directory, cursor).await;
    assert!(old.merged(&delta).is_err());
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_questions_only() {
    let double = filled();
    let (_, cursor, _) = complete(&directory(&double, "")).await;
    let wanting = with_password(&double, "", PASSWORD, &["badge"]);
    let answer = read(&wanting, cursor.clone()).await.unwrap();
    assert!(matches!(answer.what, What::Complete(_)));
    assert!(
        answer.notes[0].contains("configuration has changed"),
        "{:?}",
        answer.notes
    );
    let complete_only = directory(&double, "incremental: false");
    let answer = read(&complete_only, cursor).await.unwrap();
    assert!(matches!(answer.what, What::Complete(_)));
    assert!(answer.notes.is_empty(), "{:?}", answer.notes);
}
