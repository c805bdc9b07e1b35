//! slapd, a usersyncd that serves its people as a Crowd, and another one that polls it into a database: two configurations.
//! What arrives is what the server has, whether everything is read or only what has changed.

use serde_json::Value;

use super::{LISTEN, SECRET, SERVED, Served, indented};
use crate::support::site::{AT_ONCE, Site};
use crate::support::slapd::{self, SessionLog, Slapd};

fn user(name: &str) -> String {
    format!(
        "dn: uid={name},ou=people,{}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: Of {name}\n\
         displayName: {name} of the chain\nmail: {name}@example.com\n\n",
        slapd::SUFFIX
    )
}

fn group(name: &str, members: &[&str]) -> String {
    let member = |it: &&str| format!("member: uid={it},ou=people,{}\n", slapd::SUFFIX);
    let members: String = members.iter().map(member).collect();
    let escaped = name.replace('+', "\\+");
    format!(
        "dn: cn={escaped},ou=groups,{}\nobjectClass: groupOfNames\ncn: {name}\n{members}\n",
        slapd::SUFFIX
    )
}

/// The first of the two: from the server to the set.
fn first(server: &Slapd) -> Site {
    let site = Site::empty();
    site.write("client", SECRET);
    site.write("password", slapd::PASSWORD);
    let text = format!(
        "state: sqlite:state.db\n{LISTEN}directories:\n  - name: corporate\n    shrink_limit: 100%\n    ldap:\n      urls: ['{}']\n      \
         schema: openldap\n      insecure: true\n      bind: {{ dn: '{}', password: {{ file: password }} }}\n      \
         users: {{ base: 'ou=people,{suffix}' }}\n      groups: {{ base: 'ou=groups,{suffix}' }}\n\
         applications:\n  - name: atlassian\n    directories: [corporate]\n{}    {SERVED}\n",
        server.url(),
        slapd::READER,
        indented(AT_ONCE),
        suffix = slapd::SUFFIX,
    );
    site.write("config.yaml", &text);
    site
}

/// The second: from the set to a database.
fn second(url: &str, incremental: bool) -> Site {
    let site = Site::empty();
    site.write("client", SECRET);
    let text = format!(
        "state: sqlite:state.db\ndirectories:\n  - name: upstream\n    shrink_limit: 100%\n    crowd:\n      url: {url}/crowd\n      insecure: true\n      \
         application: wiki\n      password: {{ file: client }}\n      incremental: {incremental}\n\
         applications:\n  - name: wiki\n    directories: [upstream]\n{}    sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}\n",
        indented(AT_ONCE),
    );
    site.write("config.yaml", &text);
    site
}

fn accounts(site: &Site) -> (Vec<String>, Vec<String>) {
    let query = "SELECT username, display_name, given_name, family_name, email, active, external_id FROM users ORDER BY external_id";
    (site.rows("wiki.db", query), site.members())
}

/// One pass of the first, then one of the second. Gives what this says of its read.
fn pass(first: &Site, second: &Site) -> Value {
    first.sync().ended(0);
    second.sync().ended(0).one("directory.read")
}

fn chain(incremental: bool) {
    let all = user("ada")
        + &user("ben")
        + &user("carl")
        + &user("dörte")
        + &group("staff", &["ada", "ben"])
        + &group("c&a + 100%", &["carl"]);
    let server = Slapd::start_logging(&all, SessionLog::Kept);
    let first = first(&server);
    let served = Served::start(&first);
    let second = second(&served.url, incremental);
    assert_eq!(pass(&first, &second)["whole"], true);
    let names = |site: &Site| {
        site.rows(
            "wiki.db",
            "SELECT username, active FROM users ORDER BY username",
        )
    };
    assert_eq!(names(&second), ["ada|1", "ben|1", "carl|1", "dörte|1"]);
    assert_eq!(
        second.members(),
        ["c&a + 100%|carl", "staff|ada", "staff|ben"]
    );

    let suffix = slapd::SUFFIX;
    let steps = [
        user("emil")
            + "dn: cn=staff,ou=groups,dc=load,dc=test\nchangetype: modify\nadd: member\nmember: uid=carl,ou=people,dc=load,dc=test\n\n",
        format!(
            "dn: uid=ada,ou=people,{suffix}\nchangetype: modrdn\nnewrdn: uid=countess\ndeleteoldrdn: 1\n\n\
                 dn: cn=staff,ou=groups,{suffix}\nchangetype: modify\nreplace: member\nmember: uid=countess,ou=people,{suffix}\n\n"
        ),
        format!(
            "dn: uid=ben,ou=people,{suffix}\nchangetype: modify\nreplace: displayName\ndisplayName: Ben <&> \"B\"\n\n"
        ),
        format!("dn: cn=c&a \\+ 100%,ou=groups,{suffix}\nchangetype: delete\n\n"),
        format!("dn: uid=carl,ou=people,{suffix}\nchangetype: delete\n\n"),
    ];
    for (number, step) in steps.iter().enumerate() {
        let added = step.replacen(
            "\nobjectClass",
            "\nchangetype: add\nobjectClass",
            usize::from(number == 0),
        );
        server.modify(&added);
        let read = pass(&first, &second);
        // Events name users by name, so a rename is not told by them: everything is read.
        let whole = !incremental || number == 1;
        assert_eq!(read["whole"], whole, "step {number}: {read}");
        // Whoever reads everything at this moment has the same.
        let fresh = self::second(&served.url, false);
        fresh.sync().ended(0);
        let (mut told, mut complete) = (accounts(&second), accounts(&fresh));
        // Who left before it began to look was never made there.
        for (users, _) in [&mut told, &mut complete] {
            users.retain(|it| it.contains("|1|"));
        }
        told.1.retain(|it| !it.ends_with("|carl") || number < 4);
        assert_eq!(told, complete, "step {number}");
    }
    assert_eq!(
        names(&second),
        ["ben|1", "carl|0", "countess|1", "dörte|1", "emil|1"]
    );
    served.daemon.stop().ended(0);
}

#[test]
fn what_the_server_has_arrives_at_the_end_of_the_chain_read_whole() {
    chain(false);
}

#[test]
fn what_the_server_has_arrives_at_the_end_of_the_chain_by_changes_alone() {
    chain(true);
}
