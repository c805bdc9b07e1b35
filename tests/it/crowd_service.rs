//! The program as the Crowd of others: what a product is told before the first plan is approved, after it, through a reload
//! and a restart; who may log in; and a second usersyncd that polls the first.

mod chain;
mod logins;
mod served;

use secrecy::SecretString;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::site::{Running, Site};

/// The client of every site here, and its secret.
const CLIENT: &str = "wiki";
const SECRET: &str = "cl1ent secret";

/// The options at the top of a configuration and of the application by which its set is served to the one client.
const LISTEN: &str = "serve: { listen: \"127.0.0.1:0\" }\n";
const SERVED: &str =
    "crowd_server: { clients: [{ name: wiki, secret: { file: client }, addresses: [127.0.0.1] }] }";

/// Lines as options of an entry.
fn indented(text: &str) -> String {
    text.lines().flat_map(|it| ["    ", it, "\n"]).collect()
}

/// A daemon that serves.
struct Served {
    daemon: Running,
    /// `http://127.0.0.1:PORT`
    url: String,
    client: reqwest::Client,
    runtime: Runtime,
}

impl Served {
    /// Starts the daemon of a site and waits until its first pass is over.
    fn start(site: &Site) -> Served {
        let daemon = site.daemon();
        let started = daemon.wait_for("serve.started");
        Served {
            url: format!("http://{}", started["address"].as_str().unwrap()),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            runtime: Runtime::new().unwrap(),
            daemon,
        }
    }

    /// Asks as the client. Gives the status and the answer, which is null where it is no JSON.
    fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/rest/usermanagement/1/{path}", self.url);
        self.send(self.client.get(url))
    }

    /// Tries a password.
    fn log_in(&self, name: &str, password: &SecretString) -> (u16, Value) {
        use secrecy::ExposeSecret as _;
        let url = format!(
            "{}/rest/usermanagement/1/authentication?username={name}",
            self.url
        );
        let body = serde_json::json!({ "value": password.expose_secret() }).to_string();
        let request = self.client.post(url).body(body);
        self.send(request.header("Content-Type", "application/json"))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let request = request.header("Accept", "application/json");
        let request = request.basic_auth(CLIENT, Some(SECRET));
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.text().await.unwrap();
            (status, serde_json::from_str(&body).unwrap_or_default())
        })
    }

    /// The names of all users, sorted; those that are off in brackets.
    #[track_caller]
    fn users(&self) -> Vec<String> {
        let (status, answer) =
            self.get("search?entity-type=user&restriction=&expand=user&max-results=-1");
        assert_eq!(status, 200, "{answer}");
        let users = answer["users"].as_array().unwrap();
        let name = |it: &Value| {
            let name = it["name"].as_str().unwrap();
            let active = it["active"].as_bool().unwrap();
            if active {
                name.to_owned()
            } else {
                format!("({name})")
            }
        };
        let mut names: Vec<String> = users.iter().map(name).collect();
        names.sort();
        names
    }

    /// The token of the present set.
    #[track_caller]
    fn token(&self) -> String {
        let (status, answer) = self.get("event");
        assert_eq!(status, 200, "{answer}");
        answer["newEventToken"].as_str().unwrap().to_owned()
    }
}
