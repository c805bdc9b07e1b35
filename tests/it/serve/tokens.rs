//! Event tokens: what they lead to, also after a restart, and when they lead nowhere.

use crate::support::serving::{self, Ask, Citizen, ENTRY, Serving, Town, company};

async fn token(serving: &Serving) -> String {
    let json = serving.json("/event").await.json();
    assert_eq!(json["incrementalSynchronisationAvailable"], true);
    assert_eq!(json["events"].as_array().unwrap().len(), 0);
    json["newEventToken"].as_str().unwrap().to_owned()
}

/// What has happened since a token, one line an event, in both formats alike.
async fn since(serving: &Serving, token: &str) -> Vec<String> {
    let path = format!("/event/{token}");
    let json = serving.json(&path).await;
    assert_eq!(json.status, 200, "{}", json.text());
    let xml = serving.get(&path).await;
    let read = usersyncd::wire::crowd::events::Events::read(&json.body).unwrap();
    assert_eq!(
        usersyncd::wire::crowd::events::Events::read(&xml.body).unwrap(),
        read
    );
    assert_eq!(json.json()["newEventToken"], self::token(serving).await);
    let name = |it: &serde_json::Value| it["name"].as_str().unwrap_or_default().to_owned();
    let names = |it: &serde_json::Value| {
        let names = it.as_array().into_iter().flatten().map(name);
        names.collect::<Vec<_>>().join(",")
    };
    let line = |it: &serde_json::Value| {
        let operation = it["operation"].as_str().unwrap();
        if it["user"].is_object() {
            format!("{operation} user {}", name(&it["user"]))
        } else if it["childUser"].is_object() {
            format!(
                "{operation} {} in {}",
                name(&it["childUser"]),
                names(&it["parentGroups"])
            )
        } else if it["childGroups"].is_array() {
            format!(
                "{operation} {} above {}",
                name(&it["group"]),
                names(&it["childGroups"])
            )
        } else {
            format!("{operation} group {}", name(&it["group"]))
        }
    };
    json.json()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

/// Insists that nothing has happened since a token, and gives the one to ask with from now on.
async fn nothing_since(serving: &Serving, token: &str) -> String {
    assert_eq!(since(serving, token).await, [""; 0]);
    self::token(serving).await
}

fn publish(serving: &Serving, town: &Town) {
    serving.sets.publish(ENTRY, town.image());
}

async fn expired(serving: &Serving, token: &str) {
    for ask in [
        Ask::get(&format!("/event/{token}")),
        Ask::get(&format!("/event/{token}")).json(),
    ] {
        let got = serving.ask(ask).await;
        assert_eq!(
            got.reason(),
            (410, "EVENT_TOKEN_EXPIRED".to_owned()),
            "{}",
            got.text()
        );
    }
}

#[tokio::test]
async fn nothing_has_changed_since_the_present_token() {
    let serving = serving::start().await;
    let now = token(&serving).await;
    assert_eq!(since(&serving, &now).await, [""; 0]);
    publish(&serving, &company());
    assert_eq!(token(&serving).await, now);
    let xml = serving.get("/event").await;
    let text = xml.text().to_owned();
    assert!(text.contains(&format!("newEventToken=\"{now}\"")), "{text}");
}

#[tokio::test]
async fn every_change_is_told_once_with_the_present_state() {
    let serving = serving::start().await;
    let first = token(&serving).await;
    let town = company()
        .without("zoe")
        .changed("ada", |it| it.active = false)
        .user(Citizen::new("new", "1:n"))
        .group("leads", &["carl", "new"], &[])
        .group("empty", &[], &["staff"])
        .group("more", &["ada"], &[])
        .without_group("café & bar");
    publish(&serving, &town);
    let told = since(&serving, &first).await;
    insta::assert_snapshot!(told.join("\n"));
    // Later changes come on top. Who came and went may have been read in between.
    let second = token(&serving).await;
    let town = town.user(Citizen::new("fleeting", "1:f"));
    publish(
        &serving,
        &town.clone().group("more", &["ada", "fleeting"], &[]),
    );
    let town = town
        .without("fleeting")
        .changed("ada", |it| it.email = "other@example.com".to_owned());
    publish(&serving, &town);
    assert_eq!(
        since(&serving, &second).await,
        ["DELETED user fleeting", "UPDATED user ada"]
    );
    let all = since(&serving, &first).await;
    let known = all.iter().filter(|it| *it != "DELETED user fleeting");
    assert_eq!(known.collect::<Vec<_>>(), told.iter().collect::<Vec<_>>());
    let json = serving.json(&format!("/event/{first}")).await.json();
    let ada = json["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["user"]["name"] == "ada");
    assert_eq!(ada.unwrap()["user"]["email"], "other@example.com");
}

#[tokio::test]
async fn what_changed_and_came_back_is_told_to_whoever_may_have_read_it_in_between() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    let between = company()
        .without("zoe")
        .group("staff", &["Ben", "carl"], &["leads"])
        .without_group("empty");
    publish(&serving, &between);
    publish(&serving, &company());
    assert_ne!(token(&serving).await, before);
    let told = since(&serving, &before).await;
    insta::assert_snapshot!(told.join("\n"));
    // Somebody else bore the name in between: reading everything tells who is who.
    let before = token(&serving).await;
    publish(
        &serving,
        &company().changed("zoe", |it| it.key = "1:other".to_owned()),
    );
    publish(&serving, &company());
    expired(&serving, &before).await;
}

#[tokio::test]
async fn a_token_outlives_a_restart_if_the_set_does() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    let again = serving::start().await;
    let now = token(&again).await;
    assert_eq!(nothing_since(&again, &before).await, now);
    let other = serving::start().await;
    publish(&other, &company().without("zoe"));
    let changed = token(&other).await;
    expired(&again, &changed).await;
    // A set that was made anew gives everybody another key.
    let anew = serving::start().await;
    publish(
        &anew,
        &company().changed("ada", |it| it.key = "2:a".to_owned()),
    );
    let anew = serving::start().await;
    anew.sets.withdraw(ENTRY);
    publish(
        &anew,
        &company().changed("ada", |it| it.key = "2:a".to_owned()),
    );
    expired(&anew, &before).await;
}

#[tokio::test]
async fn a_rename_is_no_list_of_events() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    let renamed = company().changed("ada", |it| it.name = "ada.lovelace".to_owned());
    publish(&serving, &renamed);
    expired(&serving, &before).await;
    let after = token(&serving).await;
    publish(&serving, &renamed.without("zoe"));
    assert_eq!(since(&serving, &after).await, ["DELETED user zoe"]);
    expired(&serving, &before).await;
}

#[tokio::test]
async fn a_name_that_is_somebody_elses_now_is_no_list_of_events() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    publish(&serving, &company().without("zoe"));
    let between = token(&serving).await;
    publish(
        &serving,
        &company()
            .without("zoe")
            .user(Citizen::new("Zoe", "1:other")),
    );
    expired(&serving, &before).await;
    assert_eq!(since(&serving, &between).await, ["CREATED user Zoe"]);
    // Renamed by way of being away for a while.
    let before = token(&serving).await;
    publish(&serving, &company().without("zoe").without("ada"));
    publish(
        &serving,
        &company()
            .without("zoe")
            .without("ada")
            .user(Citizen::new("lovelace", "1:a")),
    );
    expired(&serving, &before).await;
}

#[tokio::test]
async fn another_spelling_is_a_change_of_the_same_user() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    let respelled = company().changed("ada", |it| it.name = "Ada".to_owned());
    let respelled = respelled.group("staff", &["Ada", "Ben"], &["leads"]);
    publish(
        &serving,
        &respelled.group("leads", &["Ada", "carl"], &["all"]),
    );
    assert_eq!(since(&serving, &before).await, ["UPDATED user Ada"]);
}

#[tokio::test]
async fn a_set_that_is_withdrawn_has_no_tokens() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    publish(&serving, &company().without("zoe"));
    serving.sets.withdraw(ENTRY);
    assert_eq!(serving.json(&format!("/event/{before}")).await.status, 503);
    publish(&serving, &company().without("zoe"));
    expired(&serving, &before).await;
}

#[tokio::test]
async fn who_is_too_far_behind_reads_everything() {
    let serving = serving::start().await;
    let before = token(&serving).await;
    let many = (0..1_200).fold(company(), |town, at| {
        town.user(Citizen::new(&format!("user{at:04}"), &format!("1:{at}")))
    });
    publish(&serving, &many);
    expired(&serving, &before).await;
}
