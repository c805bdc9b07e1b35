//! Every way in which a request can go wrong, and what follows for the change.

use std::time::Duration;

use usersyncd::applications::Application as _;
use usersyncd::model::{Holding, Outcome, What};

use super::ends;
use super::world::{application, both, company, dump, users};
use crate::support::crowd_double::fault::Scripted;
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};
use crate::support::push::{Push, directory, kind};

#[tokio::test]
async fn every_answer_to_a_change_is_classified() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("dora", "Dora", "")], &[]);
    let plain = |status: u16, body: &str| {
        Fault::Answer(Scripted {
            status,
            content_type: "text/plain",
            headers: Vec::new(),
            body: body.to_owned(),
        })
    };
    // A proxy that has lost patience while the server was at it.
    let instead = |status: u16| match plain(status, "") {
        Fault::Answer(scripted) => Fault::Instead(scripted),
        other => other,
    };
    let cases = [
        (Fault::reason(400, "INVALID_CREDENTIAL"), "refused", "400"),
        (Fault::reason(500, "INVALID_EMAIL"), "refused", "500"),
        (Fault::reason(500, "OPERATION_FAILED"), "transient", "500"),
        (plain(500, "oops"), "transient", "words that are not shown"),
        (
            Fault::reason(403, "APPLICATION_PERMISSION_DENIED"),
            "refused",
            "403",
        ),
        (Fault::html(403, "Blocked"), "refused", "a firewall"),
        (
            plain(401, "Application failed to authenticate"),
            "unauthorised",
            "`password`",
        ),
        (plain(404, "nothing here"), "refused", "lacks this call"),
        (Fault::html(501, "Not there"), "refused", "lacks this call"),
        (Fault::later(429, 1), "transient", "429"),
        (Fault::later(503, 1), "unavailable", "503"),
        (plain(502, ""), "transient", "502"),
        (Fault::login_page(), "unavailable", "an HTML page"),
        (
            Fault::redirect("https://sso.example.com/login?x"),
            "unavailable",
            "sso.example.com/login",
        ),
        (instead(502), "transient", "502"),
        (Fault::Lost, "transient", "create a user"),
        (Fault::Closed, "transient", "create a user"),
        (Fault::CutBody(3), "transient", "create a user"),
    ];
    for (fault, expect, text) in cases {
        double.fail("POST /user", 1, fault.clone());
        let push = Push::now(&application, &records).await.create("dora");
        let outcomes = push.send(&application).await;
        let Outcome::Failed(refusal) = &outcomes[0] else {
            panic!("{fault:?}: {outcomes:?}");
        };
        assert_eq!(kind(refusal), expect, "{fault:?}: {refusal}");
        assert!(refusal.to_string().contains(text), "{fault:?}: {refusal}");
        assert!(!refusal.to_string().contains("secret"), "{refusal}");
        let _ = double.with(|state| state.delete_user("dora"));
    }
}

#[tokio::test]
async fn a_server_that_is_silent_is_waited_for_and_no_longer() {
    let double = CrowdDouble::start(Rules::default());
    let application = application(&double, "timeout: 30s");
    let records = directory(&[("dora", "Dora", "")], &[]);
    let push = Push::now(&application, &records).await.create("dora");
    double.fail("POST /user", 1, Fault::Hang);
    let sent = tokio::time::timeout(Duration::from_secs(20), push.send(&application)).await;
    assert_eq!(ends(&sent.unwrap()), ["transient"]);
}

#[tokio::test]
async fn after_a_lost_answer_there_is_one_account() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let records = directory(&[("dora", "Dora", "")], &["makers"]);
        let push = Push::now(&application, &records).await;
        let push = push.create("dora").create_group("makers");
        double.fail("POST /user", 1, Fault::Lost);
        double.fail("POST /group", 1, Fault::Lost);
        assert_eq!(ends(&push.send(&application).await), ["transient"; 2]);
        assert_eq!(users(&double), ["Anna", "ben", "carl", "dora"]);
        let before = dump(&double);
        // Nobody sends it again without looking; if somebody did, nothing would come of it.
        let posts = double.take_operations();
        assert_eq!(posts.iter().filter(|it| it.starts_with("POST")).count(), 2);
        push.send(&application).await;
        assert_eq!(dump(&double), before);
    }
}

#[tokio::test]
async fn what_is_made_and_fails_afterwards_is_looked_at_again() {
    for made in [true, false] {
        let (double, application) = company(Rules::default()).await;
        let records = directory(&[("dora", "Dora Dunn", "")], &["makers"]);
        let push = Push::now(&application, &records).await;
        let push = push.create("dora").create_group("makers");
        let failed = Fault::reason(500, "OPERATION_FAILED");
        let fault = match failed {
            Fault::Answer(scripted) if made => Fault::Instead(scripted),
            other => other,
        };
        double.fail("POST /user", 1, fault.clone());
        double.fail("POST /group", 1, fault);
        if !made {
            double.with(|state| {
                state.add_user("dora").display_name = "Another Dora".to_owned();
                state.add_group("makers").description = "theirs".to_owned();
            });
        }
        // Its intent stays open, or it would be somebody else's from now on.
        let expect = if made { "transient" } else { "stale" };
        assert_eq!(ends(&push.send(&application).await), [expect; 2]);
    }
}

#[tokio::test]
async fn whatever_is_lost_is_done_once_when_it_is_made_again() {
    for rules in both() {
        let keys = rules.keys;
        let (double, application) = company(rules).await;
        let records = directory(&[("bernd", "Bernd", "b@example.com")], &["staff"]);
        let operations = [
            "POST /user/rename",
            "PUT /user",
            "POST /group/user/direct",
            "DELETE /group/user/direct",
            "POST /group/child-group/direct",
            "DELETE /group/child-group/direct",
            "DELETE /user",
            "DELETE /group",
        ];
        double.with(|state| {
            state.add_group("makers");
        });
        let push = || async {
            let push = Push::now(&application, &records).await;
            let old = if users(&double).contains(&"ben".to_owned()) {
                "ben"
            } else {
                "bernd"
            };
            push.update(old, "bernd", What::RENAME.with(What::EMAIL))
                .members("sales", &["Anna"], &[], &[])
                .members("staff", &[], &[], &["Anna"])
                .children("makers", &["staff"], &["sales"])
        };
        for operation in &operations[..6] {
            double.fail(operation, 1, Fault::Lost);
        }
        double.with(|state| state.add_child("makers", "sales"));
        let mut rounds = 0;
        loop {
            let ends = ends(&push().await.send(&application).await);
            rounds += 1;
            if ends == ["done"; 4] {
                break;
            }
            assert!(rounds < 6, "{ends:?}");
            assert!(
                ends.iter().all(|it| ["done", "transient"].contains(it)),
                "{ends:?}"
            );
        }
        double.with(|state| {
            assert_eq!(state.users["bernd"].email, "b@example.com");
            assert_eq!(state.groups["sales"].members.len(), 1);
            assert_eq!(state.groups["staff"].members.len(), 2);
            assert_eq!(state.groups["makers"].children.len(), 1);
        });
        for operation in &operations[6..] {
            double.fail(operation, 1, Fault::Lost);
        }
        let push = Push::now(&application, &records).await;
        let push = push.delete("carl").delete_group("sales");
        assert_eq!(ends(&push.send(&application).await), ["transient"; 2]);
        push.succeed(&application).await;
        assert_eq!(users(&double), ["Anna", "bernd"], "keys: {keys}");
    }
}

#[tokio::test]
async fn when_nothing_can_be_reached_nothing_more_is_sent() {
    let double = CrowdDouble::start(Rules::default());
    let application = application(&double, "in_flight: 1");
    let names: Vec<String> = (0..8).map(|it| format!("user{it}")).collect();
    let people: Vec<_> = names.iter().map(|it| (it.as_str(), "", "")).collect();
    let records = directory(&people, &[]);
    let cases = [
        (Fault::later(503, 0), "unavailable", 2),
        // The last one asks whether it is this request alone.
        (Fault::html(403, "Forbidden"), "unauthorised", 3),
        (Fault::html(404, "Nothing here"), "unavailable", 3),
    ];
    for (fault, expect, requests) in cases {
        let push = Push::now(&application, &records).await.create_all();
        double.take_requests();
        double.fail("POST /user", 2, fault.clone());
        double.fail_always("GET /config/cookie", fault);
        let ends = ends(&push.send(&application).await);
        assert_eq!(ends[..2], ["done", expect]);
        assert_eq!(ends[2..], ["skipped"; 6]);
        assert_eq!(double.take_requests().len(), requests);
        double.with(|state| state.users.clear());
        double.mend();
    }
    let push = Push::now(&application, &records).await.create_all();
    double.cut();
    let ends = ends(&push.send(&application).await);
    // The connection of the listing may break under the first one before its end is noticed.
    let cut = usize::from(ends[0] == "transient");
    assert_eq!(ends[cut], "unavailable");
    assert_eq!(ends[cut + 1..], ["skipped"; 7][cut..]);
    double.restore();
    push.succeed(&application).await;
}

#[tokio::test]
async fn a_request_that_alone_is_refused_stops_no_other() {
    for (fault, advice) in [
        (Fault::html(404, "Not found"), "lacks this call"),
        (Fault::html(403, "Blocked"), "a firewall"),
        (Fault::html(405, "Not allowed"), "405"),
        (Fault::html(501, "Not there"), "lacks this call"),
    ] {
        for operation in ["POST /user/rename", "GET /user"] {
            let double = CrowdDouble::start(Rules::default());
            double.with(|state| state.add_user("o'brien").active = true);
            let application = application(&double, "in_flight: 1");
            let people = [("brian", "", ""), ("x", "", ""), ("y", "", "")];
            let records = directory(&people, &["staff"]);
            let push = Push::now(&application, &records).await;
            let push = push.update("o'brien", "brian", What::RENAME);
            let push = push.create("x").create_group("staff").create("y");
            double.fail(operation, 1, fault.clone());
            let outcomes = push.send(&application).await;
            let expect = ["refused", "done", "done", "done"];
            assert_eq!(ends(&outcomes), expect, "{fault:?} {operation}");
            let text = format!("{:?}", outcomes[0]);
            assert!(text.contains(advice), "{text}");
            assert!(!text.contains("remote addresses"), "{text}");
            assert!(!text.contains("context path"), "{text}");
        }
    }
}

#[tokio::test]
async fn what_does_not_show_its_switch_is_not_switched_off() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("ben", "Benno", "")], &["staff"]);
    let key = double.with(|state| {
        "by hand".clone_into(&mut state.groups.get_mut("staff").unwrap().description);
        state.users["ben"].key.clone()
    });
    for active in ["", r#","active":null"#] {
        let shown = |entity: String| {
            Fault::Answer(Scripted {
                status: 200,
                content_type: "application/json",
                headers: Vec::new(),
                body: format!("{{{entity}{active}}}"),
            })
        };
        let push = Push::now(&application, &records).await;
        let push = push.update("ben", "ben", What::DISPLAY_NAME);
        let push = push.update_group("staff", "staff", What::DESCRIPTION);
        double.fail(
            "GET /user",
            1,
            shown(format!(r#""name":"ben","key":"{key}""#)),
        );
        double.fail("GET /group", 1, shown(r#""name":"staff""#.to_owned()));
        let before = dump(&double);
        assert_eq!(ends(&push.send(&application).await), ["refused"; 2]);
        assert_eq!(dump(&double), before);
        // Whoever is to be switched is, whatever the server shows.
        let push = Push::now(&application, &records).await;
        let push = push.leave("ben", What::DEACTIVATE);
        double.fail(
            "GET /user",
            1,
            shown(format!(r#""name":"ben","key":"{key}""#)),
        );
        push.succeed(&application).await;
        double.with(|state| {
            let ben = state.users.get_mut("ben").unwrap();
            assert!(!std::mem::replace(&mut ben.active, true));
        });
    }
}

#[tokio::test]
async fn a_member_that_is_refused_stops_no_other() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[], &[]);
    let push = Push::now(&application, &records).await;
    let push = push.members("sales", &["Anna", "ben", "carl"], &[], &[]);
    double.fail(
        "POST /group/user/direct",
        2,
        Fault::reason(400, "INVALID_USER"),
    );
    // What was done must be seen before it is known what is left.
    assert_eq!(ends(&push.send(&application).await), ["stale"]);
    assert_eq!(double.with(|state| state.groups["sales"].members.len()), 2);
    double.fail_always(
        "POST /group/user/direct",
        Fault::reason(400, "INVALID_USER"),
    );
    let push = Push::now(&application, &records).await;
    let push = push.members("sales", &["ben"], &[], &[]);
    assert_eq!(ends(&push.send(&application).await), ["refused"]);
    double.mend();
}

#[tokio::test]
async fn a_rename_with_an_update_that_is_refused_is_looked_at_again() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("bernd", "Bernd", "no mail")], &[]);
    let push = Push::now(&application, &records).await;
    let push = push.update("ben", "bernd", What::RENAME.with(What::EMAIL));
    double.fail("PUT /user", 1, Fault::reason(400, "INVALID_EMAIL"));
    assert_eq!(ends(&push.send(&application).await), ["stale"]);
    let push = Push::now(&application, &records).await;
    let push = push.update("bernd", "bernd", What::EMAIL);
    double.fail("PUT /user", 1, Fault::reason(400, "INVALID_EMAIL"));
    assert_eq!(ends(&push.send(&application).await), ["refused"]);
}

#[tokio::test]
async fn a_server_that_makes_an_inactive_account_active_is_corrected() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[("dora", "Dora (off)", "")], &[]);
    let push = || async { Push::now(&application, &records).await.create("dora") };
    for (refused, expect) in [(false, "done"), (true, "transient")] {
        let push = push().await;
        double.set(|rules| rules.creates_active = true);
        if refused {
            double.fail("PUT /user", 1, Fault::reason(400, "INVALID_USER"));
        }
        assert_eq!(ends(&push.send(&application).await), [expect]);
        assert_eq!(double.with(|state| state.users["dora"].active), refused);
        double.with(|state| state.delete_user("dora").unwrap());
    }
}

#[tokio::test]
async fn an_address_that_the_server_does_not_let_in_is_named() {
    let double = CrowdDouble::start(Rules::default());
    let application = application(&double, "requests_per_second: 1000");
    double.set(|rules| rules.address_allowed = false);
    let refusal = application.accounts(&Holding::default()).await.unwrap_err();
    assert_eq!(kind(&refusal), "unauthorised");
    assert!(
        refusal.to_string().contains("remote addresses"),
        "{refusal}"
    );
    let findings = application.check().await;
    assert!(findings.iter().any(|it| !it.good), "{findings:?}");
}
