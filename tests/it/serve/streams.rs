//! Large answers: one image to their end, whatever is published meanwhile, and no more memory than a piece.

use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use usersyncd::serve::Image;
use usersyncd::wire::crowd::{Membership, MembershipReader};

use crate::support::serving::{self, Ask, Citizen, ENTRY, Town};

const USERS: usize = 20_000;

fn names() -> Vec<String> {
    (0..USERS).map(|at| format!("user{at:05} & <co>")).collect()
}

fn city() -> Town {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let town = names
        .iter()
        .enumerate()
        .fold(Town::default(), |town, (at, name)| {
            town.user(Citizen::new(name, &format!("1:{at}")))
        });
    let town = town.group("everybody", &names, &["some", "none"]);
    town.group("some", &names[..700], &[])
        .group("none", &[], &[])
}

#[tokio::test]
async fn an_answer_shows_one_image_whatever_is_published_meanwhile() {
    let serving = serving::start().await;
    serving.sets.publish(ENTRY, city().image());
    let token = serving.json("/event").await.json()["newEventToken"].clone();
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let ask = Ask::get("/search?entity-type=user&expand=user&max-results=-1").json();
    stream.write_all(&ask.bytes()).await.unwrap();
    stream.peek(&mut [0]).await.unwrap();
    // The answer has begun, and most of it is not made yet: the client reads none of it.
    let before: Arc<Image> = serving.sets.image(ENTRY).unwrap();
    assert!(
        Arc::strong_count(&before) > 2,
        "somebody still makes an answer of it"
    );
    serving.sets.publish(ENTRY, serving::company().image());
    assert_ne!(serving.json("/event").await.json()["newEventToken"], token);
    assert_eq!(
        serving
            .get("/user?username=user00000+%26+%3Cco%3E")
            .await
            .status,
        404
    );
    let got = serving::hear(&mut stream).await.unwrap();
    let json = got.json();
    let users = json["users"].as_array().unwrap();
    let found: Vec<&str> = users
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(found, names());
    // Once it is sent, nobody holds the old image any more.
    drop(stream);
    while Arc::strong_count(&before) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_memberships_of_a_large_group_are_whole() {
    let serving = serving::start().await;
    serving.sets.publish(ENTRY, city().image());
    let got = serving.get("/group/membership").await;
    assert_eq!(got.headers["transfer-encoding"], "chunked");
    let mut reader = MembershipReader::new();
    let mut told: Vec<String> = Vec::new();
    let each = |it: Membership<'_>| told.push(format!("{it:?}"));
    reader.feed(&got.body, each).unwrap();
    reader.finish().unwrap();
    let mut expect = vec![format!("{:?}", Membership::Group("everybody"))];
    let names = names();
    expect.extend(names.iter().map(|it| format!("{:?}", Membership::User(it))));
    expect.extend(["none", "some"].map(|it| format!("{:?}", Membership::Child(it))));
    expect.push(format!("{:?}", Membership::Group("none")));
    expect.push(format!("{:?}", Membership::Group("some")));
    expect.extend(
        names[..700]
            .iter()
            .map(|it| format!("{:?}", Membership::User(it))),
    );
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_list_that_is_read_in_pages_is_of_one_image() {
    let serving = serving::start().await;
    let names = ["anna", "berta", "carla", "dora", "emil"];
    let town = |names: &[&str]| {
        let users = names.iter().map(|it| Citizen::new(it, &format!("1:{it}")));
        users.fold(Town::default(), Town::user)
    };
    serving.sets.publish(ENTRY, town(&names).image());
    let page = async |start: usize| {
        let path = format!("/search?entity-type=user&max-results=2&start-index={start}");
        let page = serving.json(&path).await.json();
        let users = page["users"].as_array().unwrap().iter();
        users
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut read = page(0).await;
    // Anna goes, so that everybody behind her moves up by one.
    serving.sets.publish(ENTRY, town(&names[1..]).image());
    for start in [2, 4, 6] {
        read.extend(page(start).await);
    }
    assert_eq!(read, names);
    assert_eq!(
        page(0).await,
        ["berta", "carla"],
        "who begins anew reads the new one"
    );
}
