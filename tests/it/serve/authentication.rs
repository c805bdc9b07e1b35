//! Passwords of users: who is asked, what each verdict becomes, and when nobody is asked.

use std::sync::Arc;

use usersyncd::clock::{ManualClock, SystemClock, Timestamp};
use usersyncd::model::Verdict;
use usersyncd::text::Span;

use crate::support::log::Log;
use crate::support::serving::{
    self, Ask, Citizen, DIRECTORY, ENTRY, Got, SECRET, Serving, Town, company,
};

fn ask(name: &str, password: &str) -> Ask {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let body = serde_json::json!({ "value": password }).to_string();
    Ask::new("POST", &format!("/authentication?username={name}"))
        .json()
        .send("application/json", body)
}

async fn login(serving: &Serving, name: &str, password: &str) -> Got {
    serving.ask(ask(name, password)).await
}

fn says(serving: &Serving, key: &str, verdict: Verdict) {
    let mut says = serving.vault.says.lock().unwrap();
    says.insert(format!("id of {key}"), verdict);
}

fn asked(serving: &Serving) -> usize {
    serving.vault.asked.lock().unwrap().len()
}

#[tokio::test]
async fn the_right_password_brings_the_user() {
    let serving = serving::start().await;
    let user = serving.json("/user?username=ben").await;
    let got = login(&serving, "BEN", "right").await;
    assert_eq!((got.status, got.json()), (200, user.json()));
    let xml = Ask::new("POST", "/authentication?username=ben");
    let body = "<?xml version=\"1.0\"?><password><value>right</value></password>";
    let xml = serving.ask(xml.send("application/xml", body)).await;
    assert_eq!(xml, serving.get("/user?username=ben").await);
    let asked = serving.vault.asked.lock().unwrap().clone();
    let ben = (DIRECTORY.to_owned(), "id of 1:b".to_owned());
    assert_eq!(asked, [ben.clone(), ben]);
}

#[tokio::test]
async fn each_verdict_has_its_reason() {
    let serving = serving::start().await;
    for (verdict, status, reason) in [
        (Verdict::Wrong, 400, "INVALID_USER_AUTHENTICATION"),
        (Verdict::Inactive, 400, "INACTIVE_ACCOUNT"),
        (Verdict::Expired, 400, "EXPIRED_CREDENTIAL"),
        (Verdict::Unknown, 400, "INACTIVE_ACCOUNT"),
        (
            Verdict::Unavailable("secret host".to_owned()),
            500,
            "OPERATION_FAILED",
        ),
    ] {
        says(&serving, "1:a", verdict.clone());
        let got = login(&serving, "ada", "right").await;
        assert_eq!(got.reason(), (status, reason.to_owned()), "{verdict:?}");
        assert!(!got.text().contains("secret host"), "{}", got.text());
        assert!(!got.text().contains("right"), "{}", got.text());
    }
}

#[tokio::test]
async fn nobody_is_asked_where_the_answer_is_plain() {
    let serving = serving::start().await;
    for (name, password, reason) in [
        ("nobody", "right", "USER_NOT_FOUND"),
        ("carl", "right", "INACTIVE_ACCOUNT"),
        ("ada", "", "INVALID_USER_AUTHENTICATION"),
        ("ada", "right\0", "INVALID_USER_AUTHENTICATION"),
        ("", "right", "ILLEGAL_ARGUMENT"),
    ] {
        let got = login(&serving, name, password).await;
        assert_eq!(
            got.reason(),
            (400, reason.to_owned()),
            "{name} {password:?}"
        );
    }
    let path = "/authentication?username=ada";
    for (media_type, body, status) in [
        ("application/json", "{\"value\":", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"value\":7}", 400),
        ("application/xml", "<password><value>right</value>", 400),
        (
            "application/xml",
            "<!DOCTYPE p [<!ENTITY e \"right\">]><password><value>&e;</value></password>",
            400,
        ),
        (
            "application/xml",
            "<password><value>&e;</value></password>",
            400,
        ),
        ("text/plain", "right", 415),
        ("application/x-www-form-urlencoded", "value=right", 415),
    ] {
        let got = serving
            .ask(Ask::new("POST", path).send(media_type, body))
            .await;
        assert_eq!(got.status, status, "{media_type} {body}: {}", got.text());
        let reason = if status == 400 {
            "ILLEGAL_ARGUMENT"
        } else {
            ""
        };
        assert_eq!(got.reason().1, reason, "{media_type} {body}");
    }
    assert_eq!(asked(&serving), 0);
}

#[tokio::test]
async fn wrong_passwords_are_few_and_then_one_a_minute() {
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let serving = serving::start_empty(serving::settings(), clock.clone()).await;
    serving.sets.publish(ENTRY, company().image());
    for _ in 0..5 {
        assert_eq!(login(&serving, "ada", "wrong").await.status, 400);
    }
    assert_eq!(asked(&serving), 5);
    // Not even the right one is tried now, in any spelling of the name.
    let got = login(&serving, "ADA", "right").await;
    assert_eq!(
        got.reason(),
        (400, "INVALID_USER_AUTHENTICATION".to_owned())
    );
    assert!(got.text().contains("retry in 60 seconds"), "{}", got.text());
    assert_eq!(login(&serving, "ben", "right").await.status, 200);
    assert_eq!(asked(&serving), 6);
    clock.advance(Span::minutes(1));
    assert_eq!(login(&serving, "ada", "wrong").await.status, 400);
    assert_eq!(login(&serving, "ada", "wrong").await.status, 400);
    assert_eq!(asked(&serving), 7);
    clock.advance(Span::minutes(1));
    assert_eq!(login(&serving, "ada", "right").await.status, 200);
    for _ in 0..5 {
        assert_eq!(login(&serving, "ada", "wrong").await.status, 400);
    }
    assert_eq!(asked(&serving), 13);
}

#[tokio::test]
async fn only_wrong_passwords_count() {
    let serving = serving::start().await;
    for verdict in [
        Verdict::Unavailable(String::new()),
        Verdict::Inactive,
        Verdict::Unknown,
    ] {
        says(&serving, "1:a", verdict);
        for _ in 0..7 {
            login(&serving, "ada", "x").await;
        }
    }
    assert_eq!(asked(&serving), 21);
    serving.vault.says.lock().unwrap().clear();
    assert_eq!(login(&serving, "ada", "right").await.status, 200);
}

#[tokio::test]
async fn tries_at_the_same_time_are_counted_too() {
    let serving = Arc::new(serving::start().await);
    let tries = (0..20).map(|_| {
        let serving = serving.clone();
        tokio::spawn(async move { login(&serving, "ada", "wrong").await.status })
    });
    for it in tries.collect::<Vec<_>>() {
        assert_eq!(it.await.unwrap(), 400);
    }
    assert_eq!(asked(&serving), 5);
}

#[tokio::test]
async fn the_right_password_is_right_however_often_it_is_asked_about_at_once() {
    let serving = Arc::new(serving::start().await);
    let logins = (0..20).map(|_| {
        let serving = serving.clone();
        tokio::spawn(async move { login(&serving, "ada", "right").await.status })
    });
    for it in logins.collect::<Vec<_>>() {
        assert_eq!(it.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_asked_is_told_once_a_minute_and_passwords_never() {
    let log = Log::catch();
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let serving = serving::start_empty(serving::settings(), clock.clone()).await;
    serving.sets.publish(ENTRY, company().image());
    says(
        &serving,
        "1:a",
        Verdict::Unavailable("no server answers".to_owned()),
    );
    for _ in 0..3 {
        login(&serving, "ada", "hunter2").await;
    }
    let told = log.named("serve.unverified");
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["directory"], &told[0]["count"]),
        (&DIRECTORY.into(), &1.into())
    );
    clock.advance(Span::minutes(1));
    login(&serving, "ada", "hunter2").await;
    assert_eq!(log.named("serve.unverified")[1]["count"], 3);
    let all: Vec<String> = log.events().iter().map(ToString::to_string).collect();
    assert!(!all.join("\n").contains("hunter2"));
}

#[tokio::test]
async fn a_user_has_so_many_tries_in_all_whatever_it_is_called_and_wherever_it_is_served() {
    let mut settings = serving::settings();
    let mut other = serving::client("wiki", SECRET, &["127.0.0.1"]);
    other.entry = "other".to_owned();
    settings.clients.push(other);
    let serving = serving::start_empty(settings, Arc::new(SystemClock::new())).await;
    let ada = |name: &str| Town::default().user(Citizen::new(name, "1:a")).image();
    serving.sets.publish(ENTRY, ada("ada"));
    serving.sets.publish("other", ada("ada"));
    for _ in 0..3 {
        assert_eq!(login(&serving, "ada", "wrong").await.status, 400);
        let got = serving.ask(ask("ada", "wrong").login("wiki", SECRET)).await;
        assert_eq!(got.status, 400);
    }
    assert_eq!(asked(&serving), 5);
    serving.sets.publish(ENTRY, ada("ada.lovelace"));
    let got = login(&serving, "ada.lovelace", "right").await;
    assert_eq!(got.status, 400);
    assert_eq!(asked(&serving), 5);
}

#[tokio::test]
async fn a_silent_directory_keeps_others_users_from_nothing_and_its_own_not_for_ever() {
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let serving = serving::start_empty(serving::settings(), clock.clone()).await;
    let serving = Arc::new(serving);
    // One more than are asked about at a time.
    let town = (0..65).fold(company(), |town, at| {
        let mut user = Citizen::new(&format!("user{at}"), &format!("2:{at}"));
        user.directory = "dead";
        town.user(user)
    });
    serving.sets.publish(ENTRY, town.image());
    *serving.vault.silent.lock().unwrap() = Some("dead".to_owned());
    let log_in = |at: usize| {
        let serving = serving.clone();
        tokio::spawn(async move {
            login(&serving, &format!("user{at}"), "right")
                .await
                .reason()
        })
    };
    let mut hanging: Vec<_> = (0..64).map(log_in).collect();
    while asked(&serving) < 64 {
        tokio::task::yield_now().await;
    }
    hanging.push(log_in(64));
    for _ in 0..3 {
        assert_eq!(login(&serving, "ada", "right").await.status, 200);
    }
    clock.advance(Span::seconds(12));
    // It leaves the line, and nobody was asked about it.
    let failed = (500, "OPERATION_FAILED".to_owned());
    assert_eq!(hanging.pop().unwrap().await.unwrap(), failed);
    assert_eq!(asked(&serving), 67);
    clock.advance(Span::seconds(3));
    for it in hanging {
        assert_eq!(it.await.unwrap(), failed);
    }
}
