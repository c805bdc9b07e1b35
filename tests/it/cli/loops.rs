//! What appears in a directory and looks like an account that was made from here.

use crate::support::site::{Person, Site, crowd, person, yaml};

/// A first directory, and a second one that reads what came out of the application, by a detour.
const CONFIG: &str = "state: sqlite:state.db
directories:
  - name: office
    file: { path: office.yaml }
  - name: copies
    SKIP
    file: { path: copies.yaml }
applications:
  - name: wiki
    directories: [office, copies]
    first_pass: apply
    sql: { url: \"sqlite:wiki.db\", create_tables: true }
";

fn site(skip: &str, people: &[Person], copies: &[Person]) -> Site {
    let site = Site::empty();
    site.write("config.yaml", &CONFIG.replace("SKIP", skip));
    site.people(people);
    site.write("copies.yaml", &yaml(copies));
    site
}

#[test]
fn a_record_with_the_name_or_the_external_id_of_an_account_made_here_is_told_of_once() {
    let site = site("shrink_limit: 20%", &crowd(5, "staff"), &[person("zoe")]);
    let run = site.sync().ended(0);
    assert!(run.named("loop.suspected").is_empty(), "{}", run.err);
    // One under his name, one under another name by his id, one who is nobody's copy.
    let copies = [
        person("zoe"),
        person("p01").with_id("1"),
        person("other").with_id("id-p02"),
        person("new"),
    ];
    site.write("copies.yaml", &yaml(&copies));
    let told = site.sync().ended(0).one("loop.suspected");
    assert_eq!(told["level"], "WARN");
    assert_eq!(told["directory"], "copies");
    assert_eq!(told["application"], "wiki");
    assert_eq!(told["count"], 2);
    assert_eq!(told["users"], "other, p01");
    let again = site.sync().ended(0);
    assert!(again.named("loop.suspected").is_empty(), "{}", again.err);
}

#[test]
fn who_comes_back_is_left_out_or_came_first_is_no_loop() {
    let people = crowd(5, "staff");
    let site = site("users: { skip: [p02] }", &people, &[person("p01")]);
    site.sync().ended(0);
    let copies = [person("p01"), person("p02")];
    site.write("copies.yaml", &yaml(&copies));
    site.people(&people[..4]);
    let run = site.sync().ended(0);
    assert!(run.named("loop.suspected").is_empty(), "{}", run.err);
    site.people(&people);
    let run = site.sync().ended(0);
    assert!(run.named("loop.suspected").is_empty(), "{}", run.err);
}
