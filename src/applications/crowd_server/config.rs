//! What a user writes under `crowd_server:`: the programs that may poll the set of this application.

use serde::Deserialize;

use crate::secret::SecretRef;
use crate::text::Network;

/// An application that is served to others as a Crowd.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdServerConfig {
    /// Who may ask. The name with which a program logs in says whose set it gets, so a name stands in one entry only.
    pub clients: Vec<CrowdClient>,
}

/// A program that polls: in Crowd's words, an application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdClient {
    /// The application name that it logs in with.
    pub name: String,
    /// Its password, or the Argon2 hash of it as a PHC string (`$argon2id$…`).
    pub secret: SecretRef,
    /// From where it may ask: addresses and networks (`192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`).
    pub addresses: Vec<Network>,
}

/// Something in the block that is well-formed and cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrowdServerProblem {
    /// The option, as a path below `crowd_server`.
    pub path: String,
    /// What is wrong, and what to write.
    pub text: String,
}

impl CrowdServerConfig {
    /// Everything that cannot work.
    pub fn problems(&self) -> Vec<CrowdServerProblem> {
        let mut found = Vec::new();
        let mut add = |path: String, text: &str| {
            let text = text.to_owned();
            found.push(CrowdServerProblem { path, text });
        };
        if self.clients.is_empty() {
            let text = "nobody could ask: write a name, a secret and the addresses of at least one program";
            add("clients".to_owned(), text);
        }
        for (number, client) in self.clients.iter().enumerate() {
            let path = |option: &str| format!("clients.{number}.{option}");
            let bad = |it: char| it == ':' || it.is_control();
            if client.name.is_empty() || client.name.contains(bad) {
                let text = "a login by HTTP Basic (RFC 7617) takes a name that is not empty, without colons and control characters";
                add(path("name"), text);
            }
            if client.addresses.is_empty() {
                let text = "nobody could ask from anywhere: write the addresses of the program, or networks (`10.0.0.0/8`)";
                add(path("addresses"), text);
            }
        }
        found
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<CrowdServerProblem> {
        let everybody = |it: &CrowdClient| it.addresses.iter().any(Network::is_everything);
        let clients = self.clients.iter().enumerate();
        let open = clients.filter(|(_, client)| everybody(client));
        open.map(|(number, _)| CrowdServerProblem {
            path: format!("clients.{number}.addresses"),
            text: "everybody may ask who knows the secret: write the addresses of the program"
                .to_owned(),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CrowdServerConfig, String> {
        serde_yaml::from_str(text).map_err(|it| it.to_string())
    }

    fn problems(text: &str) -> Vec<String> {
        let problems = read(text).unwrap().problems().into_iter();
        problems.map(|it| it.path).collect()
    }

    #[test]
    fn what_nobody_could_ask_with_is_a_problem() {
        assert_eq!(problems("clients: []"), ["clients"]);
        let text = "clients: [{name: 'a:b', secret: x, addresses: []}]";
        assert_eq!(problems(text), ["clients.0.name", "clients.0.addresses"]);
    }

    #[test]
    fn an_open_door_is_warned_of() {
        let text = "clients: [{name: a, secret: x, addresses: ['0.0.0.0/0']}, {name: b, secret: x, addresses: ['10.0.0.0/8']}]";
        let warnings = read(text).unwrap().warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].path, "clients.0.addresses");
    }
}
