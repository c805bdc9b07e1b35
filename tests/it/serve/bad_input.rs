//! What anybody gets who asks for something that there is not, or may not be.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::serving::{self, Ask, CLIENT, ENTRY};

#[tokio::test]
async fn every_write_is_refused_in_crowds_words() {
    let serving = serving::start().await;
    for (method, path) in [
        ("POST", "/user"),
        ("PUT", "/user?username=ada"),
        ("DELETE", "/user?username=ada"),
        ("POST", "/user/rename?username=ada"),
        ("PUT", "/user/password?username=ada"),
        ("DELETE", "/user/password?username=ada"),
        ("POST", "/user/mail/password?username=ada"),
        ("POST", "/user/mail/usernames?email=x"),
        ("POST", "/user/attribute?username=ada"),
        ("DELETE", "/user/attribute?username=ada&attributename=x"),
        ("POST", "/user/group/direct?username=ada"),
        ("DELETE", "/user/group/direct?username=ada&groupname=staff"),
        ("POST", "/group"),
        ("PUT", "/group?groupname=staff"),
        ("DELETE", "/group?groupname=staff"),
        ("POST", "/group/attribute?groupname=staff"),
        ("POST", "/group/user/direct?groupname=staff"),
        ("DELETE", "/group/user/direct?groupname=staff&username=ada"),
        ("POST", "/group/child-group/direct?groupname=staff"),
        (
            "DELETE",
            "/group/child-group/direct?groupname=all&child-groupname=staff",
        ),
        ("POST", "/group/parent-group/direct?groupname=staff"),
        ("POST", "/session"),
    ] {
        for ask in [Ask::new(method, path), Ask::new(method, path).json()] {
            let got = serving
                .ask(ask.send("application/json", "{\"name\":\"x\"}"))
                .await;
            let expect = (403, "APPLICATION_PERMISSION_DENIED".to_owned());
            assert_eq!(got.reason(), expect, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_resource_or_no_method_of_one_is_said() {
    let serving = serving::start().await;
    for (method, path, status) in [
        ("GET", "/users", 404),
        ("GET", "/non-existent/location", 404),
        ("GET", "/event/a/b", 404),
        ("POST", "/webhook", 404),
        ("GET", "", 404),
        ("PATCH", "/user?username=ada", 405),
        ("OPTIONS", "/search", 405),
        ("GET", "/authentication?username=ada", 405),
        ("POST", "/event", 405),
        ("DELETE", "/config/cookie", 405),
        ("POST", "/group/user/nested?groupname=staff", 405),
    ] {
        let got = serving.ask(Ask::new(method, path)).await;
        assert_eq!(got.status, status, "{method} {path}");
        assert_eq!(
            got.headers.contains_key("allow"),
            status == 405,
            "{method} {path}"
        );
    }
    let outside = [
        "/",
        "/crowd",
        "/rest/usermanagement/2/user",
        "/rest/usermanagement",
        "/../etc/passwd",
    ];
    for path in outside {
        let got = serving.ask(Ask::outside("GET", path)).await;
        assert_eq!(got.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_format_that_there_is_not_is_refused() {
    let serving = serving::start().await;
    let path = "/user?username=ada";
    for (accept, status, media_type) in [
        ("application/json", 200, "application/json"),
        ("text/html, application/xml;q=0.9", 200, "application/xml"),
        ("*/*", 200, "application/xml"),
        ("text/html", 406, "text/plain; charset=utf-8"),
        ("application/json;q=0", 406, "text/plain; charset=utf-8"),
    ] {
        let got = serving.ask(Ask::get(path).header("Accept", accept)).await;
        let found = (got.status, got.headers["content-type"].as_str());
        assert_eq!(found, (status, media_type), "{accept}");
    }
}

#[tokio::test]
async fn what_is_no_search_is_refused_with_a_reason() {
    let serving = serving::start().await;
    let deep = "[".repeat(10_000);
    let nested = "<boolean-search-restriction>".repeat(1_000);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><property-search-restriction>\
        <property><name>&b;</name></property></property-search-restriction>";
    let file = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>";
    for (media_type, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "", 415),
        ("application/json", "{\"restriction-type\":\"x\"}", 400),
        ("application/json", deep.as_str(), 400),
        ("application/xml", "<a>", 400),
        ("application/xml", "no xml", 400),
        ("application/xml", nested.as_str(), 400),
        ("application/xml", bomb, 400),
        ("application/xml", file, 400),
        ("application/yaml", "{}", 415),
    ] {
        let ask = Ask::new("POST", "/search?entity-type=user").json();
        // Without a body there is no length and no type.
        let ask = if body.is_empty() {
            ask
        } else {
            ask.send(media_type, body)
        };
        let got = serving.ask(ask).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!(got.status, status, "{media_type} {shown}: {}", got.text());
        let reason = if status == 400 {
            "ILLEGAL_ARGUMENT"
        } else {
            ""
        };
        assert_eq!(got.reason().1, reason, "{media_type} {shown}");
        assert!(!got.text().contains("root:"), "{}", got.text());
    }
    let cql = "(".repeat(5_000);
    let got = serving
        .json(&format!("/search?entity-type=user&restriction={cql}"))
        .await;
    assert_eq!(got.reason(), (400, "ILLEGAL_ARGUMENT".to_owned()));
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let serving = serving::start().await;
    let body = format!("{{\"value\":\"{}\"}}", "x".repeat(70 * 1024));
    let ask = Ask::new("POST", "/authentication?username=ada");
    let got = serving
        .ask(ask.clone().send("application/json", body))
        .await;
    assert_eq!(got.status, 413);
    // Nothing of two gigabytes is waited for.
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let head = ask
        .clone()
        .header("Content-Type", "application/json")
        .header("Content-Length", "2147483648");
    let got = serving::talk(&mut stream, &head).await;
    assert_eq!(got.status, 413);
    // Nor is a body believed that does not say how long it is.
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let head = ask
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked");
    stream.write_all(&head.bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..5 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert_eq!(serving::hear(&mut stream).await.unwrap().status, 413);
    // Nor a head without an end.
    let long = Ask::get(&format!("/user?username={}", "x".repeat(100_000)));
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let _ = stream.write_all(&long.bytes()).await;
    let got = serving::hear(&mut stream).await;
    assert!(got.is_none_or(|it| it.status == 414 || it.status == 431));
    let many = (0..200).fold(Ask::get("/event"), |ask, at| {
        ask.header(&format!("X-{at}"), "x")
    });
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let _ = stream.write_all(&many.bytes()).await;
    assert!(
        serving::hear(&mut stream)
            .await
            .is_none_or(|it| it.status == 431)
    );
}

#[tokio::test]
async fn what_is_no_http_ends_the_connection_and_nothing_else() {
    let serving = serving::start().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    assert_eq!(serving.get("/user?username=ada").await.status, 200);
}

#[tokio::test]
async fn the_host_that_a_client_names_cannot_break_out_of_a_link() {
    let serving = serving::start().await;
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let ask = Ask::get("/user?username=ada").bytes();
    let ask = String::from_utf8(ask)
        .unwrap()
        .replace("crowd.test:8095", "x\"/><evil>");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let got = serving::hear(&mut stream).await.unwrap();
    if got.status == 200 {
        assert!(
            got.text().contains("http://localhost/rest"),
            "{}",
            got.text()
        );
    }
    assert!(!got.text().contains("evil"), "{}", got.text());
}

#[tokio::test]
async fn until_there_is_a_set_everything_but_the_cookie_is_unavailable() {
    let clock = std::sync::Arc::new(usersyncd::clock::SystemClock::new());
    let serving = serving::start_empty(serving::settings(), clock).await;
    let all = [
        Ask::get("/user?username=ada"),
        Ask::get("/search?entity-type=user"),
        Ask::get("/search?entity-type=group").json(),
        Ask::get("/group/membership"),
        Ask::get("/event"),
        Ask::get("/event/x").json(),
        Ask::get("/group/user/direct?groupname=staff"),
        Ask::get("/nowhere"),
        Ask::new("POST", "/user"),
        Ask::new("POST", "/authentication?username=ada")
            .send("application/json", "{\"value\":\"x\"}"),
        Ask::new("POST", "/search?entity-type=user").send("application/json", "{}"),
    ];
    for round in 0..2 {
        for ask in &all {
            let got = serving.ask(ask.clone()).await;
            assert_eq!(
                got.reason(),
                (503, "OPERATION_FAILED".to_owned()),
                "{ask:?}"
            );
            assert!(got.headers.contains_key("retry-after"));
        }
        let cookie = serving.json("/config/cookie").await;
        assert_eq!(
            (cookie.status, &cookie.json()["name"]),
            (200, &"crowd.token_key".into())
        );
        // A set that is withdrawn is as good as none, and another entry's is none of this client's.
        if round == 0 {
            serving.sets.publish(ENTRY, serving::company().image());
            assert_eq!(serving.get("/user?username=ada").await.status, 200);
            serving.sets.withdraw(ENTRY);
            serving.sets.publish("other", serving::company().image());
        }
    }
    let stranger = Ask::outside("GET", "/rest/usermanagement/1/event").login(CLIENT, "wrong");
    assert_eq!(serving.ask(stranger).await.status, 401);
}

#[tokio::test]
async fn what_nobody_answers_for_is_not_served() {
    let serving = serving::start().await;
    let town = serving::company().user(serving::Citizen::new("stranger", "1:s").unlinked());
    serving.sets.publish(
        ENTRY,
        town.group("staff", &["ada", "stranger"], &[]).image(),
    );
    assert_eq!(serving.get("/user?username=stranger").await.status, 404);
    let members = serving
        .json("/group/user/direct?groupname=staff")
        .await
        .json();
    assert_eq!(members["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_search_by_dates_is_refused_rather_than_answered_with_nobody() {
    let serving = serving::start().await;
    for query in [
        "createdDate%20%3E%202010-12",
        "active%20%3D%20true%20and%20%28updatedDate%20%3E%202010%20or%20name%20%3D%20anna%29",
    ] {
        let path = format!("/search?entity-type=user&restriction={query}");
        let (status, reason) = serving.json(&path).await.reason();
        assert_eq!(
            (status, reason.as_str()),
            (400, "ILLEGAL_ARGUMENT"),
            "{query}"
        );
    }
}
