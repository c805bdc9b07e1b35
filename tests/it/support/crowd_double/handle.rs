//! Every call of the API, by method and path.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::http::request::Parts;
use serde_json::Value;

use super::entities::{self, Expand, Shown};
use super::fault::Scripted;
use super::rules::{Events, Rules};
use super::search;
use super::state::{Fail, Group, State, User, lower};
use super::{APPLICATION, Inside, PASSWORD};

/// A request, read as far as it is one.
#[derive(Debug)]
pub(super) struct Asked {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    json: bool,
    login: Option<String>,
    body: Option<Value>,
}

impl Asked {
    pub(super) fn new(head: &Parts, body: &[u8]) -> Asked {
        let header = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok());
        let query = head.uri.query().unwrap_or_default();
        Asked {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            // XML where nothing is asked for [C S1, CWD-4819].
            json: header("accept").is_some_and(|it| it.contains("application/json")),
            login: header("authorization").map(str::to_owned),
            // A body counts only as what it is said to be [C S4].
            body: header("content-type")
                .filter(|it| it.starts_with("application/json"))
                .and_then(|_| serde_json::from_slice(body).ok()),
        }
    }

    /// The method, and the path below `/rest/usermanagement/1` or `/latest` \[C S1\]; all of the path where it lies elsewhere.
    pub(super) fn operation(&self, rules: &Rules) -> String {
        let path = self.path.strip_prefix(rules.context);
        let path = path.and_then(|it| it.strip_prefix("/rest/usermanagement"));
        let path = path.and_then(|it| it.strip_prefix("/1").or(it.strip_prefix("/latest")));
        let path = path.unwrap_or(&self.path);
        // A token is no part of the name of an operation.
        let path = match path.strip_prefix("/event/") {
            Some(_) => "/event/TOKEN",
            None => path,
        };
        format!("{} {path}", self.method)
    }

    fn is(&self, name: &str) -> Result<&str, Fail> {
        let value = self.query.get(name).map(String::as_str);
        value.ok_or_else(|| {
            let text = format!("the query lacks {name}");
            Fail(400, "ILLEGAL_ARGUMENT", text)
        })
    }

    fn body(&self) -> Result<&Value, Fail> {
        let text = "the body is no JSON".to_owned();
        self.body
            .as_ref()
            .ok_or(Fail(400, "ILLEGAL_ARGUMENT", text))
    }

    fn named(&self) -> Result<&str, Fail> {
        let name = self.body()?.get("name").and_then(Value::as_str);
        let text = "the body has no name".to_owned();
        name.ok_or(Fail(400, "ILLEGAL_ARGUMENT", text))
    }

    fn expand(&self) -> Expand {
        let words = self.query.get("expand").map_or("", String::as_str);
        let has = |it: &str| words.split(',').any(|word| word == it);
        Expand {
            entities: has("user") || has("group"),
            attributes: has("attributes"),
        }
    }
}

/// What the API answers, after what was asked for is done.
pub(super) fn handle(asked: &Asked, inside: &mut Inside) -> Scripted {
    let rules = inside.rules.clone();
    let show = |status: u16, shown: &Shown<'_>| {
        if asked.json {
            answer(status, "application/json", shown.json(&rules))
        } else {
            answer(status, "application/xml", shown.xml(&rules))
        }
    };
    // The application comes first, then its address [CC].
    let login = STANDARD.encode(format!("{APPLICATION}:{PASSWORD}"));
    if asked.login.as_deref() != Some(&format!("Basic {login}")) {
        let text = "Application failed to authenticate".to_owned();
        return answer(401, "text/plain", text);
    }
    if !rules.address_allowed {
        let page = "<html><head><title>Forbidden (403)</title></head><body>client.forbidden.exception</body></html>";
        return answer(403, "text/html;charset=UTF-8", page.to_owned());
    }
    let call = Call {
        asked,
        rules: &rules,
        show: &show,
    };
    let state = &mut inside.state;
    let operation = asked.operation(&rules);
    let done = match operation.split_once(' ').unwrap_or_default() {
        ("GET", path) => call.read(path, state),
        ("POST", "/authentication") => call.login(state),
        ("POST", "/search") => call.search(state),
        _ if !rules.writable => {
            let text = "the application may not do this".to_owned();
            Err(Fail(403, "APPLICATION_PERMISSION_DENIED", text))
        }
        (method, path) => call.write(method, path, state),
    };
    done.unwrap_or_else(|Fail(status, reason, message)| {
        show(status, &Shown::Error(reason, &message))
    })
}

fn answer(status: u16, content_type: &'static str, body: String) -> Scripted {
    Scripted {
        status,
        content_type,
        headers: Vec::new(),
        body,
    }
}

/// 204 has neither a body nor a type.
fn nothing() -> Scripted {
    answer(204, "", String::new())
}

fn unknown() -> Scripted {
    let page = "<html><head><title>Not found (404)</title></head></html>";
    answer(404, "text/html", page.to_owned())
}

struct Call<'a> {
    asked: &'a Asked,
    rules: &'a Rules,
    show: &'a dyn Fn(u16, &Shown<'_>) -> Scripted,
}

type Answered = Result<Scripted, Fail>;

impl Call<'_> {
    fn read(&self, path: &str, state: &State) -> Answered {
        let asked = self.asked;
        match path {
            "/user" => {
                // By name or by key [C S2].
                let user = match (asked.query.get("username"), asked.query.get("key")) {
                    (None, Some(key)) if self.rules.keys => match self.rules.no_key_lookup {
                        None => state.user_by_key(key)?,
                        Some(404) => state.user("")?,
                        Some(status) => {
                            let text = "the query lacks username".to_owned();
                            return Err(Fail(status, "ILLEGAL_ARGUMENT", text));
                        }
                    },
                    _ => state.user(asked.is("username")?)?,
                };
                Ok((self.show)(200, &Shown::User(user, asked.expand())))
            }
            "/user/attribute" => {
                let user = state.user(asked.is("username")?)?;
                Ok((self.show)(200, &Shown::Attributes(&user.attributes)))
            }
            "/group" => {
                let group = state.group(asked.is("groupname")?)?;
                Ok((self.show)(200, &Shown::Group(group, asked.expand())))
            }
            "/group/attribute" => {
                let group = state.group(asked.is("groupname")?)?;
                Ok((self.show)(200, &Shown::Attributes(&group.attributes)))
            }
            "/search" => self.search(state),
            "/config/cookie" => Ok((self.show)(200, &Shown::Cookie)),
            "/group/membership" if !self.rules.membership_list => Ok(unknown()),
            // XML only [CC]; the status for whoever asks for JSON is [K].
            "/group/membership" if asked.json => Ok(answer(406, "text/html", String::new())),
            "/group/membership" => {
                let body = entities::memberships_xml(state);
                Ok(answer(200, "application/xml", body))
            }
            "/event" | "/event/TOKEN" => self.events(path, state),
            _ => self.edges(path, state),
        }
    }

    fn events(&self, path: &str, state: &State) -> Answered {
        let Events::Served { expired } = self.rules.events else {
            return Ok(unknown());
        };
        let available = self.rules.incremental;
        if path == "/event" {
            return Ok((self.show)(200, &Shown::Token(state.token(), available)));
        }
        let token = self.asked.path.rsplit('/').next().unwrap_or_default();
        let at = state.at_token(token).ok_or_else(|| {
            let text = "the token is not known".to_owned();
            Fail(expired, "EVENT_TOKEN_EXPIRED", text)
        })?;
        let events = &state.events[at..];
        Ok((self.show)(200, &Shown::Events(state, events, available)))
    }

    /// Members, children and parents, direct and nested. With a name it is a test: 200 or 404 \[CC\].
    fn edges(&self, path: &str, state: &State) -> Answered {
        let asked = self.asked;
        let group = || Ok::<_, Fail>(lower(&state.group(asked.is("groupname")?)?.name));
        match path {
            "/group/user/direct" => self.users(state, &state.groups[&group()?].members),
            "/group/user/nested" => {
                let below = state.below(&group()?);
                let groups = below.iter().filter_map(|it| state.groups.get(it));
                self.users(state, &groups.flat_map(|it| it.members.clone()).collect())
            }
            "/user/group/direct" | "/user/group/nested" => {
                let user = state.user(asked.is("username")?)?;
                let mut names = state.groups_of(&user.name);
                if path.ends_with("nested") {
                    names = names.iter().flat_map(|it| state.above(it)).collect();
                }
                self.groups(state, &names, "groupname")
            }
            "/group/child-group/direct" => {
                let names = state.groups[&group()?].children.clone();
                self.groups(state, &names, "child-groupname")
            }
            "/group/child-group/nested" => {
                let start = group()?;
                let names = without(state.below(&start), &start);
                self.groups(state, &names, "child-groupname")
            }
            "/group/parent-group/direct" => {
                let names = state.parents(&group()?);
                self.groups(state, &names, "parent-groupname")
            }
            "/group/parent-group/nested" => {
                let start = group()?;
                let names = without(state.above(&start), &start);
                self.groups(state, &names, "parent-groupname")
            }
            _ => Ok(unknown()),
        }
    }

    fn users(&self, state: &State, names: &BTreeSet<String>) -> Answered {
        let expand = self.asked.expand();
        if let Some(one) = self.asked.query.get("username") {
            let user = names.get(&lower(one)).and_then(|it| state.users.get(it));
            let text = || Fail(404, "MEMBERSHIP_NOT_FOUND", "no member".to_owned());
            return Ok((self.show)(
                200,
                &Shown::User(user.ok_or_else(text)?, expand),
            ));
        }
        let users: Vec<&User> = names.iter().filter_map(|it| state.users.get(it)).collect();
        let users = search::page(users, &self.asked.query, self.rules);
        Ok((self.show)(200, &Shown::Users(users, expand)))
    }

    fn groups(&self, state: &State, names: &BTreeSet<String>, test: &str) -> Answered {
        let expand = self.asked.expand();
        if let Some(one) = self.asked.query.get(test) {
            let group = names.get(&lower(one)).and_then(|it| state.groups.get(it));
            let text = || Fail(404, "MEMBERSHIP_NOT_FOUND", "no member".to_owned());
            return Ok((self.show)(
                200,
                &Shown::Group(group.ok_or_else(text)?, expand),
            ));
        }
        let groups: Vec<&Group> = names.iter().filter_map(|it| state.groups.get(it)).collect();
        let groups = search::page(groups, &self.asked.query, self.rules);
        Ok((self.show)(200, &Shown::Groups(groups, expand)))
    }

    fn search(&self, state: &State) -> Answered {
        let asked = self.asked;
        let restriction = asked.query.get("restriction").map_or("", String::as_str);
        let name = search::name_of(restriction).map_err(|it| Fail(400, "ILLEGAL_ARGUMENT", it))?;
        let wanted = |it: &str| name.as_deref().is_none_or(|name| name == it);
        // The kind in any case of letters [C S12].
        match asked.is("entity-type")?.to_lowercase().as_str() {
            "user" => {
                let users = state.users.iter().filter(|it| wanted(it.0));
                let users = users.map(|it| it.1).collect();
                let users = search::page(users, &asked.query, self.rules);
                let expand = if self.rules.expands {
                    asked.expand()
                } else {
                    Expand::default()
                };
                Ok((self.show)(200, &Shown::Users(users, expand)))
            }
            "group" => {
                let groups = state.groups.iter().filter(|it| wanted(it.0));
                let groups = groups.map(|it| it.1).collect();
                let groups = search::page(groups, &asked.query, self.rules);
                Ok((self.show)(200, &Shown::Groups(groups, asked.expand())))
            }
            other => {
                let text = format!("{other} is no kind of entity");
                Err(Fail(400, "ILLEGAL_ARGUMENT", text))
            }
        }
    }

    /// A person's password. 401 would speak of the application \[CC S4, S5\].
    fn login(&self, state: &State) -> Answered {
        let name = self.asked.is("username")?;
        let fail = |reason| Fail(400, reason, format!("{name} is not let in"));
        let user = state.users.get(&lower(name)).ok_or_else(|| {
            let Fail(_, reason, text) = fail("USER_NOT_FOUND");
            Fail(self.rules.login_unknown, reason, text)
        })?;
        let given = self.asked.body()?.get("value").and_then(Value::as_str);
        if user.password.is_none() || given != user.password.as_deref() {
            return Err(fail("INVALID_USER_AUTHENTICATION"));
        }
        if !user.active {
            return Err(fail("INACTIVE_ACCOUNT"));
        }
        if user.expired {
            return Err(fail("EXPIRED_CREDENTIAL"));
        }
        Ok((self.show)(200, &Shown::User(user, self.asked.expand())))
    }

    fn write(&self, method: &str, path: &str, state: &mut State) -> Answered {
        match path.split('/').nth(1) {
            Some("user") => self.write_user(method, path, state),
            Some("group") => self.write_group(method, path, state),
            _ => Ok(unknown()),
        }
    }

    fn write_user(&self, method: &str, path: &str, state: &mut State) -> Answered {
        let (asked, rules) = (self.asked, self.rules);
        let wrong = |it| Fail(400, "ILLEGAL_ARGUMENT", it);
        match (method, path) {
            ("POST", "/user") => {
                let user = entities::user_of(asked.body()?).map_err(wrong)?;
                let name = user.name.clone();
                state.create_user(user, rules)?;
                Ok(self.created(&Shown::User(state.user(&name)?, Expand::default())))
            }
            ("PUT", "/user") => {
                let user = entities::user_of(asked.body()?).map_err(wrong)?;
                state.update_user(asked.is("username")?, user, rules)?;
                Ok(nothing())
            }
            ("DELETE", "/user") => {
                state.delete_user(asked.is("username")?)?;
                Ok(nothing())
            }
            ("POST", "/user/rename") => {
                // `new-name`, not `newName` [CC CWD-4819, S4].
                let new = asked.body()?.get("new-name").and_then(Value::as_str);
                let new = new.ok_or_else(|| wrong("the body has no new-name".to_owned()))?;
                state.rename_user(asked.is("username")?, new, rules)?;
                let user = state.user(new)?;
                Ok((self.show)(200, &Shown::User(user, Expand::default())))
            }
            ("PUT" | "DELETE", "/user/password") => {
                let name = asked.is("username")?;
                state.user(name)?;
                let user = state.users.get_mut(&lower(name)).unwrap();
                user.password = match method {
                    "PUT" => asked.body()?["value"].as_str().map(str::to_owned),
                    _ => None,
                };
                Ok(nothing())
            }
            ("POST" | "DELETE", "/user/attribute") => {
                let name = asked.is("username")?;
                state.user(name)?;
                let user = state.users.get_mut(&lower(name)).unwrap();
                self.attributes(method, &mut user.attributes)
            }
            ("POST", "/user/group/direct") => {
                state.give_member(asked.named()?, asked.is("username")?, rules)?;
                Ok(answer(201, "", String::new()))
            }
            ("DELETE", "/user/group/direct") => {
                state.take_member(asked.is("groupname")?, asked.is("username")?)?;
                Ok(nothing())
            }
            _ => Ok(unknown()),
        }
    }

    fn write_group(&self, method: &str, path: &str, state: &mut State) -> Answered {
        let (asked, rules) = (self.asked, self.rules);
        let wrong = |it| Fail(400, "ILLEGAL_ARGUMENT", it);
        match (method, path) {
            ("POST", "/group") => {
                let group = entities::group_of(asked.body()?).map_err(wrong)?;
                let name = group.name.clone();
                state.create_group(group, rules)?;
                Ok(self.created(&Shown::Group(state.group(&name)?, Expand::default())))
            }
            ("PUT", "/group") => {
                let group = entities::group_of(asked.body()?).map_err(wrong)?;
                let name = asked.is("groupname")?;
                state.update_group(name, group, rules)?;
                // 200 with a body, unlike users [CC S2, S5].
                let group = state.group(name)?;
                Ok((self.show)(200, &Shown::Group(group, Expand::default())))
            }
            ("DELETE", "/group") => {
                state.delete_group(asked.is("groupname")?)?;
                Ok(nothing())
            }
            ("POST" | "DELETE", "/group/attribute") => {
                let group = state.group_mut(asked.is("groupname")?)?;
                self.attributes(method, &mut group.attributes)
            }
            ("POST", "/group/user/direct") => {
                state.give_member(asked.is("groupname")?, asked.named()?, rules)?;
                Ok(answer(201, "", String::new()))
            }
            ("DELETE", "/group/user/direct") => {
                state.take_member(asked.is("groupname")?, asked.is("username")?)?;
                Ok(nothing())
            }
            ("POST", "/group/child-group/direct") => {
                state.give_child(asked.is("groupname")?, asked.named()?, rules)?;
                Ok(answer(201, "", String::new()))
            }
            ("DELETE", "/group/child-group/direct") => {
                state.take_child(asked.is("groupname")?, asked.is("child-groupname")?)?;
                Ok(nothing())
            }
            ("POST", "/group/parent-group/direct") => {
                state.give_child(asked.named()?, asked.is("groupname")?, rules)?;
                Ok(answer(201, "", String::new()))
            }
            ("DELETE", "/group/parent-group/direct") => {
                state.take_child(asked.is("parent-groupname")?, asked.is("groupname")?)?;
                Ok(nothing())
            }
            _ => Ok(unknown()),
        }
    }

    fn created(&self, shown: &Shown<'_>) -> Scripted {
        if self.rules.create_shows {
            (self.show)(201, shown)
        } else {
            answer(201, "", String::new())
        }
    }

    fn attributes(&self, method: &str, list: &mut BTreeMap<String, Vec<String>>) -> Answered {
        if method == "POST" {
            list.extend(entities::attributes_of(Some(self.asked.body()?)));
        } else {
            list.remove(self.asked.is("attributename")?);
        }
        Ok(nothing())
    }
}

fn without(mut names: BTreeSet<String>, one: &str) -> BTreeSet<String> {
    names.remove(one);
    names
}
