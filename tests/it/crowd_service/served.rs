//! What a product is told, from the first start of the daemon on.

use super::{LISTEN, SECRET, SERVED, Served, indented};
use crate::support::site::{Person, Site, person, yaml};

/// A site over a file of people whose set is served, with further options of the application, one a line.
fn site(people: &[Person], options: &str) -> Site {
    let site = Site::empty();
    site.write("office.yaml", &yaml(people));
    site.write("client", SECRET);
    configure(&site, options);
    site
}

fn configure(site: &Site, options: &str) {
    let options = indented(options);
    let text = format!(
        "state: sqlite:state.db\n{LISTEN}directories:\n  - name: office\n    file: {{ path: office.yaml }}\n\
         applications:\n  - name: atlassian\n    directories: [office]\n{options}    {SERVED}\n"
    );
    site.write("config.yaml", &text);
}

fn people() -> Vec<Person> {
    vec![
        person("ada").within(&["staff"]),
        person("ben").within(&["staff"]),
        person("carl").inactive(),
    ]
}

#[test]
fn a_product_is_told_to_wait_until_the_first_plan_is_approved() {
    let site = site(&people(), "");
    let served = Served::start(&site);
    for path in [
        "user?username=ada",
        "search?entity-type=user",
        "group?groupname=staff",
        "event",
    ] {
        let (status, _) = served.get(path);
        assert_eq!(status, 503, "{path}");
    }
    assert_eq!(served.get("config/cookie").0, 200);
    site.approve();
    served.daemon.wait_for_nth("pass.finished", 1);
    assert_eq!(served.users(), ["(carl)", "ada", "ben"]);
    let (_, ada) = served.get("user?username=ADA");
    assert_eq!(ada["key"], "office:id-ada");
    assert_eq!(ada["email"], "ada@example.com");
    served.daemon.stop().ended(0);
}

#[test]
fn a_restart_serves_what_was_committed_and_knows_the_tokens_that_it_gave_for_that() {
    let site = site(&people(), "");
    let served = Served::start(&site);
    site.approve();
    served.daemon.wait_for_nth("pass.finished", 1);
    let token = served.token();
    served.daemon.stop().ended(0);

    // Nothing can be read any more, and what was committed is served all the same.
    std::fs::rename(site.path("office.yaml"), site.path("elsewhere.yaml")).unwrap();
    let served = Served::start(&site);
    assert_eq!(served.users(), ["(carl)", "ada", "ben"]);
    let (status, answer) = served.get(&format!("event/{token}"));
    assert_eq!(
        (status, answer["events"].as_array().map(Vec::len)),
        (200, Some(0)),
        "{answer}"
    );
    assert_eq!(answer["newEventToken"], served.token().as_str());
    served.daemon.stop().ended(0);

    // After a change that it did not see, a token is good for nothing.
    std::fs::rename(site.path("elsewhere.yaml"), site.path("office.yaml")).unwrap();
    let mut more = people();
    more.push(person("dora"));
    site.write("office.yaml", &yaml(&more));
    site.sync().ended(0);
    let served = Served::start(&site);
    assert_eq!(served.users(), ["(carl)", "ada", "ben", "dora"]);
    let (status, answer) = served.get(&format!("event/{token}"));
    assert_ne!(status, 200, "{answer}");
    assert_eq!(answer["reason"], "EVENT_TOKEN_EXPIRED");
}

#[test]
fn a_change_is_told_by_events_and_a_mass_removal_is_not() {
    let names: Vec<Person> = (10..40).map(|it| person(&format!("p{it}"))).collect();
    let site = site(&names, "grace: 0s");
    let served = Served::start(&site);
    site.approve();
    served.daemon.wait_for_nth("pass.finished", 1);
    let (token, before) = (served.token(), served.users());
    // A fifth is what a directory may lose in a day, and a tenth what a set may.
    site.write("office.yaml", &yaml(&names[..24]));
    site.sync().ended(3);
    assert_eq!(served.users(), before);
    let (status, answer) = served.get(&format!("event/{token}"));
    assert_eq!(
        (status, answer["events"].as_array().map(Vec::len)),
        (200, Some(0)),
        "{answer}"
    );

    let mut more = names.clone();
    more.push(person("zoe"));
    site.write("office.yaml", &yaml(&more));
    site.sync().ended(0);
    assert_eq!(served.users().len(), 31);
    let (_, answer) = served.get(&format!("event/{token}"));
    assert!(answer["events"].to_string().contains("zoe"), "{answer}");
    assert!(!answer["events"].to_string().contains("p10"), "{answer}");
}

#[test]
fn a_reload_changes_who_may_ask_and_cuts_nobody_off() {
    let site = site(&people(), "first_pass: apply");
    let served = Served::start(&site);
    assert_eq!(served.users().len(), 3);
    site.write("client", "another secret");
    served.daemon.signal("HUP");
    served.daemon.wait_for("config.reloaded");
    assert_eq!(served.get("user?username=ada").0, 401);
    site.write("client", SECRET);
    served.daemon.signal("HUP");
    served.daemon.wait_for_nth("config.reloaded", 1);
    assert_eq!(served.users().len(), 3);

    // A configuration that is no good changes nothing.
    site.write("config.yaml", "state: sqlite:state.db\n");
    served.daemon.signal("HUP");
    served.daemon.wait_for("config.rejected");
    assert_eq!(served.users().len(), 3);
    served.daemon.stop().ended(0);
}

#[test]
fn an_address_that_is_taken_is_told_at_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let site = site(&people(), "first_pass: apply");
    let text = std::fs::read_to_string(site.path("config.yaml")).unwrap();
    site.write("config.yaml", &text.replace("127.0.0.1:0", &address));
    let run = site.run(&[]).ended(1);
    assert!(run.complaints().contains(&address), "{}", run.err);
    // What is pushed by itself needs no listener.
    site.sync().ended(0);
}
