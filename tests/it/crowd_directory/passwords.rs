//! Whether a password is a user's, as the upstream Crowd says.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use usersyncd::directories::{Authenticator, Directory};
use usersyncd::model::Verdict;

use super::{directory, fill, variants, with_password};
use crate::support::crowd_double::fault::Scripted;
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};

const LIMIT: Duration = Duration::from_secs(5);

struct World {
    double: CrowdDouble,
    asked: Arc<dyn Authenticator>,
}

impl World {
    fn new(rules: Rules) -> World {
        let double = CrowdDouble::start(rules);
        fill(&double);
        double.with(|it| {
            for user in it.users.values_mut() {
                user.password = Some("right \"ü\"".to_owned());
            }
        });
        let asked = directory(&double, "").authenticator().unwrap();
        World { double, asked }
    }

    fn id(&self, name: &str) -> String {
        self.double.with(|it| it.users[name].key.clone())
    }

    async fn verify(&self, id: &str, password: &str) -> Verdict {
        let password = SecretString::from(password);
        self.asked.verify(id, &password, LIMIT).await
    }
}

#[tokio::test]
async fn every_verdict_is_told_on_every_server() {
    for (which, rules) in variants() {
        let keys = rules.keys;
        let world = World::new(rules);
        let id = |name: &str| {
            if keys {
                world.id(name)
            } else {
                name.to_owned()
            }
        };
        for name in ["ada", "c & d", "grüße"] {
            assert_eq!(
                world.verify(&id(name), "right \"ü\"").await,
                Verdict::Accepted,
                "{which}"
            );
            assert_eq!(
                world.verify(&id(name), "wrong").await,
                Verdict::Wrong,
                "{which}"
            );
        }
        assert_eq!(
            world.verify(&id("ben"), "right \"ü\"").await,
            Verdict::Inactive,
            "{which}"
        );
        assert_eq!(
            world.verify("nobody", "x").await,
            Verdict::Unknown,
            "{which}"
        );
        world
            .double
            .with(|it| it.users.get_mut("carl").unwrap().expired = true);
        assert_eq!(
            world.verify(&id("carl"), "right \"ü\"").await,
            Verdict::Expired,
            "{which}"
        );
    }
}

#[tokio::test]
async fn an_empty_password_and_one_with_nul_are_wrong_without_asking() {
    let world = World::new(Rules::default());
    let id = world.id("ada");
    world.double.take_requests();
    for password in ["", "\0", "right\0"] {
        assert_eq!(world.verify(&id, password).await, Verdict::Wrong);
    }
    assert_eq!(world.double.take_operations(), [] as [&str; 0]);
}

#[tokio::test]
async fn whoever_is_inactive_is_not_tried() {
    let world = World::new(Rules::default());
    let id = world.id("ben");
    world.double.take_requests();
    assert_eq!(world.verify(&id, "wrong").await, Verdict::Inactive);
    assert_eq!(world.double.take_operations(), ["GET /user"]);
}

#[tokio::test]
async fn a_user_is_found_by_key_under_any_name_and_the_name_alone_lets_nobody_in() {
    let world = World::new(Rules::default());
    let id = world.id("ada");
    world.double.with(|it| {
        it.rename_user("ada", "countess", &Rules::default())
            .unwrap();
        it.add_user("ada").password = Some("other".to_owned());
    });
    assert_eq!(world.verify(&id, "right \"ü\"").await, Verdict::Accepted);
    assert_eq!(world.verify(&id, "other").await, Verdict::Wrong);
    assert_eq!(
        world.verify("ada", "other").await,
        Verdict::Unknown,
        "a name is no key here"
    );
}

#[tokio::test]
async fn a_name_that_becomes_anothers_between_the_questions_lets_nobody_in() {
    let world = World::new(Rules::default());
    let id = world.id("ada");
    let body = r#"{"name":"ada","key":"another","active":true}"#;
    let fault = crate::support::crowd_double::fault::Scripted {
        status: 200,
        content_type: "application/json",
        headers: Vec::new(),
        body: body.to_owned(),
    };
    world
        .double
        .fail("POST /authentication", 1, Fault::Answer(fault));
    let verdict = world.verify(&id, "right \"ü\"").await;
    assert!(
        matches!(&verdict, Verdict::Unavailable(it) if it.contains("somebody else")),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn what_says_nothing_of_the_password_is_never_a_wrong_one() {
    let faults = [
        Fault::reason(500, "OPERATION_FAILED"),
        Fault::reason(400, "ILLEGAL_ARGUMENT"),
        Fault::reason(403, "APPLICATION_ACCESS_DENIED"),
        Fault::html(401, "no"),
        Fault::html(403, "Forbidden"),
        Fault::html(404, "Not found"),
        Fault::login_page(),
        Fault::redirect("https://sso.example.com/"),
        Fault::Closed,
        Fault::Lost,
        Fault::CutBody(10),
    ];
    for fault in faults {
        for call in ["POST /authentication", "GET /user"] {
            let world = World::new(Rules::default());
            let id = world.id("ada");
            world.double.fail_always(call, fault.clone());
            let verdict = world.verify(&id, "right \"ü\"").await;
            let Verdict::Unavailable(text) = verdict else {
                panic!("{call}, {fault:?}: {verdict:?}");
            };
            for secret in ["right", "ada", "caller"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
    let world = World::new(Rules::default());
    let wrong = with_password(&world.double, "", "wrong", &[])
        .authenticator()
        .unwrap();
    let verdict = wrong
        .verify(&world.id("ada"), &SecretString::from("x"), LIMIT)
        .await;
    assert!(matches!(verdict, Verdict::Unavailable(_)), "{verdict:?}");
}

#[tokio::test]
async fn a_password_is_sent_once_whatever_happens() {
    for fault in [
        Fault::Closed,
        Fault::Lost,
        Fault::reason(503, "X"),
        Fault::reason(400, "INVALID_USER_AUTHENTICATION"),
    ] {
        let world = World::new(Rules::default());
        world.double.fail_always("POST /authentication", fault);
        let id = world.id("ada");
        world.verify(&id, "right \"ü\"").await;
        let sent = world.double.take_operations();
        let sent = sent
            .iter()
            .filter(|it| *it == "POST /authentication")
            .count();
        assert_eq!(sent, 1);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_as_long_as_was_said() {
    let world = World::new(Rules::default());
    let id = world.id("ada");
    world
        .double
        .fail_always("POST /authentication", Fault::Hang);
    let password = SecretString::from("right");
    let verdict = world
        .asked
        .verify(&id, &password, Duration::from_millis(300))
        .await;
    assert!(
        matches!(&verdict, Verdict::Unavailable(it) if it.contains("300 ms")),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn no_text_holds_a_password_that_the_server_repeats() {
    let world = World::new(Rules::default());
    for (status, content_type, body) in [
        (
            500,
            "application/json",
            r#"{"status-code":500,"message":"token at (String)\"{\"value\":\"hunter2-secret\"}\""}"#,
        ),
        (400, "text/plain", "value=hunter2-secret is suspicious"),
        (
            500,
            "application/json",
            r#"{"reason":"hunter2-secret","message":"hunter2-secret"}"#,
        ),
        (
            403,
            "text/html",
            "<html><title>blocked: hunter2-secret</title></html>",
        ),
        (
            200,
            "text/html",
            "<html><title>blocked: hunter2-secret</title></html>",
        ),
    ] {
        let answer = Scripted {
            status,
            content_type,
            headers: Vec::new(),
            body: body.to_owned(),
        };
        world
            .double
            .fail_always("POST /authentication", Fault::Answer(answer));
        let verdict = world.verify(&world.id("ada"), "hunter2-secret").await;
        let told = format!("{verdict:?}");
        assert!(told.starts_with("Unavailable"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        world.double.mend();
    }
    world.double.fail_always(
        "POST /authentication",
        Fault::reason(500, "OPERATION_FAILED"),
    );
    let verdict = world.verify(&world.id("ada"), "hunter2-secret").await;
    let told = format!("{verdict:?}");
    assert!(told.contains("OPERATION_FAILED"), "{told}");
}
