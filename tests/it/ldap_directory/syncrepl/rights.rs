//! What a login must be allowed to see so that it is told of changes, against a real slapd.

use super::*;
use crate::support::slapd::Slapd;

#[tokio::test]
async fn who_may_not_read_when_something_changed_reads_everything_and_is_told_so() {
    let hidden = [
        "*".to_owned(),
        format!("dn.sub=\"ou=groups,{SUFFIX}\""),
        format!("dn.base=\"uid=ada,ou=people,{SUFFIX}\""),
        // What the records stand below.
        format!("dn.base=\"ou=people,{SUFFIX}\""),
    ];
    for what in hidden {
        let mut slapd = Slapd::start(COMPANY);
        slapd.stop();
        let rest = "access to * by dn.exact";
        let rule = format!("access to {what} attrs=entryCSN by * none\n{rest}");
        slapd.configure(rest, &rule);
        slapd.start_again();
        let directory = directory(&slapd.url(), READER);
        let done = read(&directory).await.unwrap();
        assert_eq!(usernames(complete(&done)), ["ada", "björn"], "{what}");
        assert_eq!(done.cursor, None, "{what}");
        let why = "the next read must read everything: of ";
        assert!(done.notes[0].starts_with(why), "{what}: {:?}", done.notes);
        assert!(done.notes[0].contains("`entryCSN`"), "{:?}", done.notes);
        let found = findings(&directory).await;
        let changes = found.iter().filter(|it| it.contains("changes: "));
        let changes: Vec<&String> = changes.collect();
        let why = "BAD changes: every poll reads everything: of ";
        assert!(
            matches!(changes[..], [it] if it.starts_with(why) && it.contains("`entryCSN`")),
            "{what}: {changes:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_offers_changes_and_has_none_of_the_database_is_told_of() {
    let mut slapd = Slapd::start(COMPANY);
    slapd.stop();
    // The module is loaded, and the overlay stands on no database.
    slapd.configure(
        "overlay    syncprov\nsyncprov-checkpoint 1 1\nsyncprov-sessionlog 1000",
        "",
    );
    slapd.start_again();
    let directory = directory(&slapd.url(), READER);
    let done = read(&directory).await.unwrap();
    assert_eq!(done.cursor, None);
    let why = "the next read must read everything: ";
    assert!(done.notes[0].starts_with(why), "{:?}", done.notes);
    assert!(
        done.notes[0].contains("overlay `syncprov`"),
        "{:?}",
        done.notes
    );
    let found = findings(&directory).await;
    let why = "BAD changes: every poll reads everything: ";
    let changes = found.iter().find(|it| it.starts_with(why));
    assert!(
        changes.is_some_and(|it| it.contains("overlay `syncprov`")),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_the_server_computes_is_read_completely_and_said() {
    let slapd = Slapd::start(COMPANY);
    let url = slapd.url();
    let usual = options(&url);
    let member = format!("(memberOf=cn=engineers,ou=groups,{SUFFIX})");
    for (more, why) in [
        (format!(", filter: '(!{member})'"), "users: `memberof`"),
        (
            ", attributes: { display_name: entryDN }".to_owned(),
            "users: the attribute `entrydn`",
        ),
        (
            ", active: { attribute: hasSubordinates, values: ['FALSE'] }".to_owned(),
            "users: the attribute `hassubordinates`",
        ),
    ] {
        let options = usual.replacen(" }\ngroups", &format!("{more} }}\ngroups"), 1);
        assert_ne!(options, usual);
        let directory = configured(&options.replace("cn=reader", READER));
        let done = read(&directory).await.unwrap();
        assert_eq!(done.cursor, None, "{more}");
        let said = format!("the next read must read everything: {why}");
        assert!(done.notes[0].starts_with(&said), "{:?}", done.notes);
        let found = findings(&directory).await;
        let said = format!("changes: every poll reads everything: {why}");
        assert!(found.iter().any(|it| it.starts_with(&said)), "{found:?}");
    }
}
