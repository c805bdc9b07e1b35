//! A reader that does nothing but fetch the pages that our client has asked for, and parse them.

use std::path::Path;

use serde_json::Value;

use super::tenant;

/// The name by which this program is the bare reader, and nothing else.
pub(super) const BARE: &str = "google-bare";

/// As many as our own client has under way.
const IN_FLIGHT: usize = 8;

/// Fetches every page.
pub(super) fn fetch_all(folder: &Path) {
    let asked = tenant::asked(folder);
    let [token_url, assertion, pages @ ..] = &asked[..] else {
        panic!("a token was asked for first");
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(IN_FLIGHT);
    let client = client.build().expect("a client");
    super::reads::runtime().block_on(async {
        let request = client.post(token_url).body(assertion.clone());
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = fetch(request).await;
        let token = answer["access_token"].as_str().expect("a token");
        let readers = (0..IN_FLIGHT).map(|first| {
            let own: Vec<String> = pages
                .iter()
                .skip(first)
                .step_by(IN_FLIGHT)
                .cloned()
                .collect();
            let (client, token) = (client.clone(), token.to_owned());
            tokio::spawn(async move {
                for page in own {
                    let answer = fetch(client.get(page).bearer_auth(&token)).await;
                    assert!(answer.is_object(), "a page");
                }
            })
        });
        for reader in readers.collect::<Vec<_>>() {
            reader.await.expect("every page is there");
        }
    });
}

async fn fetch(request: reqwest::RequestBuilder) -> Value {
    let request = request.header("Accept", "application/json");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let body = answer.bytes().await.expect("a whole answer");
    serde_json::from_slice(&body).expect("JSON")
}
