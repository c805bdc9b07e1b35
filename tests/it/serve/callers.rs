//! Which applications are let in: by password, by address, through proxies; and what guessing costs.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use usersyncd::clock::{Clock as _, ManualClock, SystemClock, Timestamp};
use usersyncd::secret::SecretRef;
use usersyncd::serve::{Client, ServeFault, Server, Sets, Settings};
use usersyncd::text::Span;

use crate::support::log::Log;
use crate::support::serving::{
    self, API, Ask, CLIENT, ENTRY, Got, SECRET, Serving, client, company, settings,
};

fn cookie() -> Ask {
    Ask::outside("GET", &format!("{API}/config/cookie"))
}

async fn started(settings: Settings) -> Serving {
    serving::start_empty(settings, Arc::new(SystemClock::new())).await
}

/// A client whose secret is kept hashed, by a hash that takes little.
fn hashed(name: &str, secret: &str) -> Client {
    let params = Params::new(64, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(secret.as_bytes()).unwrap().to_string();
    client(name, &hash, &["127.0.0.1"])
}

#[tokio::test]
async fn only_name_and_password_together_open() {
    let mut settings = settings();
    settings.clients.push(hashed("wiki", "w1ki"));
    let serving = started(settings).await;
    for (name, secret, status) in [
        (CLIENT, SECRET, 200),
        ("wiki", "w1ki", 200),
        ("wiki", "w1ki", 200),
        ("wiki", SECRET, 401),
        (CLIENT, "w1ki", 401),
        (CLIENT, "", 401),
        ("Jira", SECRET, 401),
        ("nobody", SECRET, 401),
        ("", "", 401),
    ] {
        let got = serving.ask(cookie().login(name, secret)).await;
        assert_eq!(got.status, status, "{name} {secret}");
        assert_eq!(got.headers.contains_key("www-authenticate"), status == 401);
    }
    let hash = serving
        .ask(cookie().login("wiki", "$argon2id$v=19$m=64,t=1,p=1$x$x"))
        .await;
    assert_eq!(hash.status, 401);
    for header in [
        "Bearer x",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Basic /////w==",
        "Digest x",
    ] {
        let got = serving.ask(cookie().header("Authorization", header)).await;
        assert_eq!(got.status, 401, "{header}");
    }
    let none = serving.ask(cookie()).await;
    let wrong = serving.ask(cookie().login("nobody", "x")).await;
    let known = serving.ask(cookie().login(CLIENT, "x")).await;
    let without_date = |mut got: Got| {
        got.headers.remove("date");
        got
    };
    let wrong = without_date(wrong);
    assert_eq!(
        (without_date(none), without_date(known)),
        (wrong.clone(), wrong)
    );
}

#[tokio::test]
async fn a_verified_password_is_remembered_for_five_minutes_and_until_it_changes() {
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    // So dear that it shows whether it was computed.
    let argon2 = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(32 * 1024, 2, 1, None).unwrap(),
    );
    let hash = argon2.hash_password(b"w1ki").unwrap().to_string();
    let own = |secret: &str| Settings {
        clients: vec![client("wiki", secret, &["127.0.0.1"])],
        ..settings()
    };
    let serving = serving::start_empty(own(&hash), clock.clone()).await;
    let real = SystemClock::new();
    let took = async || {
        let before = real.monotonic();
        let got = serving.ask(cookie().login("wiki", "w1ki")).await;
        (got.status, real.monotonic().saturating_sub(before))
    };
    let (status, first) = took().await;
    assert_eq!(status, 200);
    let mut best = Duration::MAX;
    for _ in 0..10 {
        best = best.min(took().await.1);
    }
    assert!(best * 4 < first, "{best:?} {first:?}");
    clock.advance(Span::minutes(5));
    let (status, again) = took().await;
    assert!(status == 200 && best * 4 < again, "{best:?} {again:?}");
    serving.handle.reconfigure(own("other")).await.unwrap();
    assert_eq!(took().await.0, 401);
}

#[tokio::test]
async fn a_client_calls_from_its_addresses_only() {
    let proxied = |addresses: &[&str]| Settings {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        clients: vec![
            client(CLIENT, SECRET, addresses),
            client("far", "far", &["203.0.113.0/24"]),
        ],
        ..settings()
    };
    for (addresses, forwarded, status) in [
        (&["127.0.0.1"][..], None, 200),
        (&["127.0.0.0/8", "::1"], None, 200),
        (&["192.0.2.7"], None, 403),
        (&[], None, 403),
        (&["192.0.2.7"], Some("192.0.2.7"), 200),
        (&["192.0.2.0/24"], Some("10.0.0.1, 192.0.2.9"), 200),
        (&["192.0.2.7"], Some("192.0.2.7, 10.0.0.1"), 403),
        (&["127.0.0.1"], Some("10.0.0.1"), 403),
        (&["0.0.0.0/0"], Some("unknown"), 403),
        // The address is another client's.
        (&["192.0.2.7"], Some("203.0.113.5"), 403),
    ] {
        let serving = started(proxied(addresses)).await;
        let mut ask = cookie().login(CLIENT, SECRET);
        if let Some(forwarded) = forwarded {
            ask = ask.header("X-Forwarded-For", forwarded);
        }
        let got = serving.ask(ask).await;
        assert_eq!(got.status, status, "{addresses:?} {forwarded:?}");
        if status == 403 {
            assert_eq!(got.reason().1, "APPLICATION_ACCESS_DENIED");
        }
    }
    // Without a proxy that is trusted, nobody believes the header.
    let serving = started(settings()).await;
    let lies = cookie()
        .login(CLIENT, SECRET)
        .header("X-Forwarded-For", "10.0.0.1");
    assert_eq!(serving.ask(lies).await.status, 200);
    let other = Settings {
        clients: vec![client(CLIENT, SECRET, &["192.0.2.7"])],
        ..settings()
    };
    let serving = started(other).await;
    let lies = cookie()
        .login(CLIENT, SECRET)
        .header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(serving.ask(lies).await.status, 403);
}

#[tokio::test]
async fn each_client_is_shown_the_set_of_its_entry() {
    let mut settings = settings();
    settings.clients.push(Client {
        entry: "other".to_owned(),
        ..client("wiki", "w", &["127.0.0.1"])
    });
    let serving = started(settings).await;
    serving.sets.publish(ENTRY, company().image());
    serving
        .sets
        .publish("other", company().without("ada").image());
    let ask = |path: &str| Ask::outside("GET", &format!("{API}{path}"));
    let ada = "/user?username=ada";
    assert_eq!(
        serving.ask(ask(ada).login(CLIENT, SECRET)).await.status,
        200
    );
    assert_eq!(serving.ask(ask(ada).login("wiki", "w")).await.status, 404);
    let own = serving.json("/event").await.json();
    let token = format!("/event/{}", own["newEventToken"].as_str().unwrap());
    assert_eq!(
        serving.ask(ask(&token).login("wiki", "w")).await.status,
        410
    );
}

#[tokio::test]
async fn guessing_is_slow_and_whoever_is_right_is_never_locked_out() {
    let log = Log::catch();
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let mut settings = settings();
    settings.clients.push(hashed("wiki", "w1ki"));
    let serving = serving::start_empty(settings, clock.clone()).await;
    for _ in 0..20 {
        assert_eq!(
            serving.ask(cookie().login(CLIENT, "wrong")).await.status,
            401
        );
    }
    let guess = serving.ask(cookie().login("nobody", "wrong"));
    let mut guess = std::pin::pin!(guess);
    // It waits for a second that only the clock can bring.
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut guess).await;
    assert!(waited.is_err());
    clock.advance(Span::seconds(1));
    let got = guess.await;
    assert_eq!(got.status, 429);
    assert!(got.headers.contains_key("retry-after"));
    assert_eq!(
        serving.ask(cookie().login(CLIENT, SECRET)).await.status,
        200
    );
    assert_eq!(
        serving.ask(cookie().login("wiki", "w1ki")).await.status,
        200
    );
    let told = log.named("serve.refused");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["client"], &told[0]["reason"]),
        (&CLIENT.into(), &"password".into())
    );
    clock.advance(Span::minutes(1));
    assert_eq!(
        serving.ask(cookie().login("nobody", "wrong")).await.status,
        401
    );
    let told = log.named("serve.refused");
    assert_eq!((told.len(), &told[1]["count"]), (2, &21.into()));
    assert!(told[1].get("client").is_none());
    let all: Vec<String> = log.events().iter().map(ToString::to_string).collect();
    assert!(!all.join("\n").contains("wrong\""), "{all:?}");
}

#[tokio::test]
async fn a_secret_that_cannot_be_used_is_said_with_the_clients_name() {
    let check = async |secret: SecretRef, expect: &str| {
        let settings = Settings {
            clients: vec![Client {
                secret,
                ..client(CLIENT, "x", &["127.0.0.1"])
            }],
            ..settings()
        };
        let vault = Arc::new(serving::Vault::default());
        let server = Server::bind(
            settings,
            Arc::new(Sets::default()),
            vault,
            Arc::new(SystemClock::new()),
        );
        let Err(fault @ ServeFault::Secret { .. }) = server.await else {
            panic!("{expect}");
        };
        let text = usersyncd::events::chain(&fault);
        assert!(text.contains("`jira`") && text.contains(expect), "{text}");
        assert!(!text.contains("c2FsdA"), "{text}");
    };
    let hash = |params: &str| {
        SecretRef::literal(format!(
            "$argon2id$v=19${params}$c2FsdHNhbHQ$eP4eyR+zqlZX1y5xCFTkw9m5GYx0L5YWwvCFvtlbLow"
        ))
    };
    check(
        SecretRef::file("/nowhere/secret"),
        "cannot read /nowhere/secret",
    )
    .await;
    check(
        SecretRef::literal("$argon2id$v=19$m=64".to_owned()),
        "no argon2 PHC string",
    )
    .await;
    check(
        SecretRef::literal("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ".to_owned()),
        "no argon2 PHC string",
    )
    .await;
    check(hash("m=1048576,t=1,p=1"), "at most 262144 KiB").await;
    check(hash("m=64,t=100,p=1"), "16 rounds").await;
}
