//! Reads that cannot be trusted: a record that is no good, a file that is gone, emptied, cut. What was known goes on serving,
//! and nobody is removed.

use std::fs;

use crate::support::site::{AT_ONCE, Person, Site, crowd, person, yaml};

/// A site that is in sync, with nothing between it and removals but what the reads are worth.
fn settled() -> (Site, Vec<Person>) {
    let people = crowd(20, "staff");
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 20);
    (site, people)
}

/// Runs a pass over what stands in `office.yaml` now: it is doubtful, and nothing changes in the application.
#[track_caller]
fn check(site: &Site, event: &str) {
    let (accounts, members) = (site.accounts(), site.members());
    for _ in 0..3 {
        let run = site.sync().ended(3);
        run.one(event);
        assert_eq!(run.one("pass.finished")["outcome"], "partial");
        assert_eq!(run.one("pass.finished")["accounts_deactivated"], 0);
    }
    assert_eq!(site.accounts(), accounts);
    assert_eq!(site.members(), members);
}

#[test]
fn a_file_that_is_gone_removes_nobody() {
    let (site, people) = settled();
    fs::remove_file(site.path("office.yaml")).unwrap();
    check(&site, "directory.failed");
    // When it is back with somebody new, the pass goes on from there.
    let more = [people, vec![person("zoe")]].concat();
    site.people(&more);
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 21);
}

#[test]
fn a_file_that_was_emptied_removes_nobody() {
    for (text, event) in [
        ("", "directory.failed"),
        ("users: []\n", "directory.suspect"),
        ("users:\n", "directory.failed"),
    ] {
        let (site, _) = settled();
        site.write("office.yaml", text);
        check(&site, event);
    }
}

#[test]
fn a_file_that_was_cut_removes_nobody() {
    let (site, people) = settled();
    let whole = yaml(&people);
    let half = whole.match_indices('\n').nth(10).unwrap().0 + 1;
    site.write("office.yaml", &whole[..half]);
    check(&site, "directory.suspect");
    site.write("office.yaml", &whole[..half + 40]);
    check(&site, "directory.failed");
    site.write("office.yaml", &whole);
    site.sync().ended(0);
}

#[test]
fn a_table_of_people_that_was_cut_removes_nobody() {
    let site = Site::empty();
    site.configure(AT_ONCE);
    let config = fs::read_to_string(site.path("config.yaml")).unwrap();
    site.write("config.yaml", &config.replace("office.yaml", "office.csv"));
    let mut lines = vec!["username,display_name,email,groups".to_owned()];
    lines.extend((1..=20).map(|it| format!("p{it:02},Person {it},p{it:02}@example.com,staff")));
    let whole = lines.join("\n") + "\n";
    site.write("office.csv", &whole);
    site.sync().ended(0);
    let half = whole.match_indices('\n').nth(10).unwrap().0 + 1;
    site.write("office.csv", &whole[..half]);
    check(&site, "directory.suspect");
    site.write("office.csv", &whole[..half + 12]);
    check(&site, "directory.failed");
    site.write("office.csv", "");
    check(&site, "directory.failed");
}

#[test]
fn a_row_whose_cells_are_shifted_removes_nobody() {
    let site = Site::empty();
    site.configure(AT_ONCE);
    let config = fs::read_to_string(site.path("config.yaml")).unwrap();
    site.write("config.yaml", &config.replace("office.yaml", "office.csv"));
    let mut lines = vec!["display_name,username,email,groups".to_owned()];
    lines.extend((1..=20).map(|it| format!("Person {it},p{it:02},p{it:02}@example.com,staff")));
    let write = |lines: &[String]| site.write("office.csv", &(lines.join("\n") + "\n"));
    write(&lines);
    site.sync().ended(0);
    let (accounts, members) = (site.accounts(), site.members());
    assert_eq!(accounts.len(), 20);
    // The cell that stands where the username should is somebody else's, or nobody's; and p19 has left.
    lines.remove(19);
    let sound = lines[5].clone();
    for row in [
        "Five, P07,p05,p05@example.com,staff",
        "p05,p05@example.com,staff",
        "\"Five,p05,\"p05@example.com,staff",
    ] {
        row.clone_into(&mut lines[5]);
        write(&lines);
        let run = site.sync().ended(3);
        run.one("record.rejected");
        let finished = run.one("pass.finished");
        assert_eq!(finished["accounts_deactivated"], 0, "{row}");
        assert_eq!(finished["accounts_frozen"], 0, "{row}");
        assert_eq!(site.accounts(), accounts, "{row}");
        assert_eq!(site.members(), members, "{row}");
    }
    lines[5] = sound;
    write(&lines);
    site.sync().ended(0);
    let accounts = site.accounts();
    assert!(accounts.contains(&"p19|0".to_owned()), "{accounts:?}");
    assert!(accounts.contains(&"p05|1".to_owned()), "{accounts:?}");
}

#[test]
fn a_username_that_yaml_takes_for_a_number_removes_nobody() {
    let mut people = crowd(20, "staff");
    people.push(person("0x1f"));
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    let accounts = site.accounts();
    let text = yaml(&people).replace("username: \"0x1f\", id: \"id-0x1f\"", "username: 0x1F");
    assert!(text.contains("username: 0x1F"));
    site.write("office.yaml", &text);
    site.sync().ended(3).one("record.rejected");
    assert_eq!(site.accounts(), accounts);
}

#[test]
fn a_malformed_record_is_rejected_with_its_reason_and_the_rest_goes_on() {
    let (site, mut people) = settled();
    // Somebody leaves, somebody comes, and one record has no username any more but its id.
    people.retain(|it| it.name != "p20");
    people.push(person("zoe"));
    let text = yaml(&people).replace("username: \"p05\"", "username: \"p\\u000705\"");
    site.write("office.yaml", &text);
    let run = site.sync().ended(3);
    let rejected = run.one("record.rejected");
    assert_eq!(rejected["directory"], "office");
    assert!(rejected["reason"].as_str().unwrap().len() > 5, "{rejected}");
    assert_eq!(run.one("pass.finished")["records_rejected"], 1);
    let accounts = site.accounts();
    assert!(accounts.contains(&"p05|1".to_owned()), "{accounts:?}");
    assert!(accounts.contains(&"zoe|1".to_owned()), "{accounts:?}");
    assert!(accounts.contains(&"p20|0".to_owned()), "{accounts:?}");
    assert!(site.members().contains(&"staff|p05".to_owned()));
    // It stays so, and is told each time.
    let run = site.sync().ended(3);
    assert_eq!(run.one("pass.finished")["records_rejected"], 1);
    site.people(&people);
    site.sync().ended(0);
    site.sync().ended(0);
}

#[test]
fn two_records_of_one_username_are_both_rejected_unless_one_is_linked() {
    let (site, mut people) = settled();
    people.push(person("P05").with_id("another"));
    people.extend([person("new"), person("new").with_id("id-second")]);
    site.people(&people);
    let run = site.sync().ended(3);
    assert!(
        run.one("pass.finished")["records_rejected"]
            .as_u64()
            .unwrap()
            >= 2
    );
    let accounts = site.accounts();
    assert!(accounts.contains(&"p05|1".to_owned()), "{accounts:?}");
    assert_eq!(accounts.len(), 20, "nobody is made out of two");
}

#[test]
fn a_suspect_read_is_approved_and_serves_from_then_on() {
    let (site, people) = settled();
    site.people(&people[..8]);
    let run = site.sync().ended(3);
    let suspect = run.one("directory.suspect");
    let id = suspect["approve"].as_str().unwrap();
    let status = site.status();
    assert_eq!(status["directories"][0]["suspect"]["approve"], id);
    let approved = site.run(&["approve", id]).ended(0);
    assert!(approved.out.contains("a read of this directory"));
    site.run(&["approve", id, "--only", "p20"]).ended(2);
    site.sync().ended(0);
    let active = "SELECT username FROM users WHERE active = 1";
    assert_eq!(site.rows("wiki.db", active).len(), 8);
    site.sync().ended(0);
}

#[test]
fn the_rejected_records_of_a_suspect_read_are_told_once_and_counted() {
    let (site, people) = settled();
    let broken = |name: &str| {
        let people = yaml(&people[..8]);
        site.write("office.yaml", &format!("{people}  - {{ email: {name} }}\n"));
    };
    broken("one");
    let run = site.sync().ended(3);
    run.one("directory.suspect");
    assert_eq!(run.one("record.rejected")["directory"], "office");
    assert_eq!(run.one("pass.finished")["records_rejected"], 1);
    // The same once more, and then another one.
    let run = site.sync().ended(3);
    run.one("directory.suspect");
    assert!(run.named("record.rejected").is_empty(), "{}", run.err);
    assert_eq!(run.one("pass.finished")["records_rejected"], 1);
    site.people(&people[..7]);
    let run = site.sync().ended(3);
    assert_eq!(run.one("pass.finished")["records_rejected"], 0);
}

#[test]
fn a_directory_that_was_never_read_blocks_removals_and_new_names_below_it() {
    let site = Site::empty();
    let two = "state: sqlite:state.db
directories:
  - name: high
    file: { path: high.yaml }
  - name: low
    file: { path: low.yaml }
applications:
  - name: wiki
    directories: [high, low]
    grace: 0s
    sql: { url: \"sqlite:wiki.db\", create_tables: true }
";
    site.write("config.yaml", two);
    site.write("low.yaml", &yaml(&crowd(3, "staff")));
    let run = site.sync().ended(3);
    let failed = run.one("directory.failed");
    let text = failed["message"].as_str().unwrap();
    assert!(text.contains("its last complete read, if there was one"));
    let why = ", 1 directory failed, 1 application with blocked removals, 1 entry stale\n";
    assert!(run.out.ends_with(why), "{}", run.out);
    let status = site.run(&["status"]).ended(0).out;
    let why = "  removals are blocked: directory high: it was never read completely\n";
    assert!(status.contains(why), "{status}");
    assert_eq!(site.accounts().len(), 0, "any of them may be another above");
    site.write("high.yaml", &yaml(&[person("boss")]));
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 4);
}

#[test]
fn a_directory_that_is_switched_off_keeps_and_changes_no_code() {
    let (site, _) = settled();
    site.configure_with("enabled: false", AT_ONCE);
    let accounts = site.accounts();
    fs::remove_file(site.path("office.yaml")).unwrap();
    let run = site.sync().ended(0);
    assert!(run.named("removals.blocked").is_empty(), "{}", run.err);
    site.sync().ended(0);
    assert_eq!(site.accounts(), accounts);
    let status = site.run(&["status"]).ended(0).out;
    let why = "  removals are blocked: directory office: it is disabled: enable it, or remove it from the application's \
               `directories`\n";
    assert!(status.contains(why), "{status}");
    let explained = site.run(&["explain", "p01"]).ended(0).out;
    assert!(explained.contains("disabled"), "{explained}");
}

#[test]
fn a_group_that_the_configuration_names_and_nobody_has_blocks_removals_at_every_pass() {
    let people = crowd(20, "staff");
    let options = format!("{AT_ONCE}\ngroups: {{ exact: [stuff] }}");
    let site = Site::new(&people, &options);
    // Also when nobody leaves, and nothing has changed.
    for _ in 0..2 {
        let run = site.sync().ended(3);
        let blocked = run.one("removals.blocked");
        assert!(blocked["detail"].as_str().unwrap().contains("stuff"));
        assert_eq!(run.one("pass.finished")["removals_blocked"], 1);
        assert!(
            run.out.ends_with(", 1 application with blocked removals\n"),
            "{}",
            run.out
        );
        let status = site.run(&["status"]).ended(0).out;
        assert!(
            status.contains("  removals are blocked: group stuff: "),
            "{status}"
        );
    }
    site.people(&people[..19]);
    site.sync().ended(3);
    assert!(site.accounts().contains(&"p20|1".to_owned()));
}

#[test]
fn records_of_one_name_are_told_at_every_pass() {
    let (site, mut people) = settled();
    people.push(person("new"));
    people.push(person("New").with_id("id-second"));
    let groups = "groups: [{ name: lab, id: one }, { name: Lab, id: two }]\n";
    site.write("office.yaml", &(yaml(&people) + groups));
    for _ in 0..2 {
        let run = site.sync().ended(3);
        let rejected = run.named("record.rejected");
        let records: Vec<_> = rejected.iter().map(|it| &it["record"]).collect();
        assert_eq!(
            records,
            ["id-new", "id-second", "one", "two"],
            "{}",
            run.err
        );
    }
    let groups = site.rows("wiki.db", "SELECT name FROM groups");
    assert_eq!(groups, ["staff"]);
    site.run(&["--sync-now", "--dry-run"]).ended(3);
}
