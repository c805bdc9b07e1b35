//! Going live as the README says, against both kinds of server: its configurations as they stand, its commands, and what
//! they print. Only the names of hosts, domains and folders are others here.

use std::path::Path;

use super::Place;
use crate::support::samba::{self, Samba};
use crate::support::site::{Run, Site};
use crate::support::slapd::{self, Slapd};

/// What stands in the README, and what stands for it here.
type Names<'a> = Vec<(&'a str, String)>;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(path).unwrap()
}

/// The configuration block of the README's section on LDAP that holds a text.
fn block(holds: &str) -> String {
    let readme = readme();
    let (_, section) = readme.split_once("### With an LDAP server").unwrap();
    let blocks = section.split("```yaml\n").skip(1);
    let mut blocks = blocks.map(|it| it.split("```").next().unwrap());
    blocks.find(|it| it.contains(holds)).unwrap().to_owned()
}

/// A site with the README's configuration for OpenLDAP, or with its directory for a domain in it.
fn site(directory: Option<&str>, names: &Names<'_>, ca: &Path, password: &str) -> Site {
    let site = Site::empty();
    let whole = block("schema: openldap");
    let mut text = whole.clone();
    if let Some(directory) = directory {
        let (head, rest) = whole.split_once("  - name: corporate\n").unwrap();
        let (_, tail) = rest.split_once("applications:\n").unwrap();
        text = format!("{head}{directory}applications:\n{tail}");
    }
    for (theirs, ours) in names {
        text = text.replace(theirs, ours);
    }
    let folder = site.path("").display().to_string();
    text = text.replace("sqlite:///srv/wiki/users.db", "sqlite:wiki.db");
    text = text.replace(
        "sqlite:///var/lib/usersyncd/",
        &format!("sqlite://{folder}"),
    );
    site.write("config.yaml", &text);
    std::fs::copy(ca, site.path("company-ca.pem")).unwrap();
    site.write("ldap", password);
    site
}

/// Runs a command as the README does.
fn run(site: &Site, args: &[&str]) -> Run {
    let mut command = site.command(args);
    command.env("CREDENTIALS_DIRECTORY", site.path(""));
    site.start(command).end()
}

/// Finds every line of an answer in the README, in its names.
#[track_caller]
fn shown(answer: &str, names: &Names<'_>) {
    let mut text = answer.to_owned();
    for (theirs, ours) in names {
        text = text.replace(ours, theirs);
    }
    let lines = text
        .lines()
        .filter(|it| !it.contains(" applications.wiki reach"));
    // Ids are made anew by every server.
    let unnamed = |line: &str| match line.split_once("external_id \"") {
        Some((head, id)) => format!("{head}external_id \"…{}", &id[36..]),
        None => line.to_owned(),
    };
    let lines: Vec<String> = lines.map(unnamed).collect();
    let readme = readme();
    let missing = lines.iter().filter(|it| !readme.contains(it.as_str()));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    assert!(
        missing.is_empty(),
        "README.md does not show:\n{}\n{text}",
        missing.join("\n")
    );
}

/// From the check to a change on the server.
fn go_live(site: &Site, names: &Names<'_>, change: impl Fn()) {
    let said = run(site, &["check", "--connect"]).ended(0);
    assert_eq!(said.complaints(), "");
    shown(&said.out, names);
    shown(&run(site, &["--sync-now", "--dry-run"]).ended(0).out, names);
    assert_eq!(site.accounts().len(), 0);
    shown(&run(site, &["--sync-now"]).ended(0).out, names);
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "carla|0"]);
    assert_eq!(site.members(), ["staff|anna", "staff|ben"]);
    change();
    let run = run(site, &["--sync-now"]).ended(0);
    let read = run.one("directory.read");
    assert_eq!(read["whole"], false, "{read}");
    shown(&run.out, names);
    for event in ["directory.read", "change.applied"] {
        shown(run.one(event)["message"].as_str().unwrap(), names);
    }
    let mail = "SELECT email FROM users WHERE username = 'anna'";
    assert_eq!(site.rows("wiki.db", mail), ["anna.berg@example.com"]);
}

/// Anna, Ben and Carla, who is switched off by this change; Anna and Ben are in `staff`.
fn company(place: &Place, switched_off: &str) -> String {
    let people = ["anna", "ben", "carla"].map(|it| place.add(it)).concat();
    let staff = ["anna", "ben"].map(str::to_owned);
    let carla = place.person("carla");
    format!(
        "{people}{}dn: {carla}\nchangetype: modify\n{switched_off}\n\n",
        place.group("staff", &staff)
    )
}

fn mail(place: &Place) -> String {
    let dn = place.person("anna");
    format!("dn: {dn}\nchangetype: modify\nreplace: mail\nmail: anna.berg@example.com\n\n")
}

#[test]
fn openldap_goes_live_as_the_readme_says() {
    let server = Slapd::start("");
    let place = Place::slapd();
    let off = "add: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: 1";
    server.modify(&company(&place, off));
    let names = vec![
        ("ldaps://ldap.example.com:636", server.ldaps_url()),
        ("ldaps://ldap.example.com", server.ldaps_url()),
        ("dc=example,dc=com", slapd::SUFFIX.to_owned()),
    ];
    let site = site(None, &names, &server.ca_path(), slapd::PASSWORD);
    go_live(&site, &names, || server.modify(&mail(&place)));
}

#[test]
fn a_domain_goes_live_as_the_readme_says() {
    let server = Samba::start();
    let place = Place::samba(&server, "company");
    server.modify(&company(
        &place,
        "replace: userAccountControl\nuserAccountControl: 514",
    ));
    // Samba shows that a reader may see what was deleted by something that was.
    server.modify(&(place.add("gone") + &place.delete("gone")));
    let url = server.ldaps_url();
    let names = vec![
        ("ldaps://dc1.ad.example.com:636", format!("{url}:636")),
        ("ldaps://dc1.ad.example.com", url),
        ("usersyncd@ad.example.com", "syncer@ad.load.test".to_owned()),
        (r"AD\usersyncd", r"ADLOAD\syncer".to_owned()),
        ("OU=People,", "OU=people,".to_owned()),
        ("OU=Groups,", "OU=groups,".to_owned()),
        (
            "DC=ad,DC=example,DC=com",
            format!("OU=company,{}", samba::BASE),
        ),
    ];
    let directory = block("schema: active-directory");
    let site = site(Some(&directory), &names, &server.ca_path(), samba::PASSWORD);
    go_live(&site, &names, || server.modify(&mail(&place)));
}
