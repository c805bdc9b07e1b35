//! The few names, mails and groups that the worlds are made of, so that they collide.
//!
//! Each spelling stands with the name that it is a spelling of, written down by hand: the laws do not ask the code under test
//! which names are equal.

use std::sync::LazyLock;

/// Usernames: how they are spelled, and the key that they have.
const USERNAMES: [(&str, &str); 14] = [
    ("anna", "anna"),
    ("Anna", "anna"),
    ("ANNA", "anna"),
    ("jürgen", "jürgen"),
    ("JÜRGEN", "jürgen"),
    ("Ju\u{308}rgen", "jürgen"),
    ("i\u{307}lker", "i\u{307}lker"),
    ("İlker", "i\u{307}lker"),
    ("ilker", "ilker"),
    ("ILKER", "ilker"),
    ("straße", "straße"),
    ("STRAẞE", "straße"),
    ("strasse", "strasse"),
    ("STRASSE", "strasse"),
];

/// Usernames that nobody may bear.
const BROKEN: [&str; 3] = ["", " anna", "a\tb"];

/// Mail addresses and the key that they have; the empty one is none.
const MAILS: [(&str, &str); 8] = [
    ("", ""),
    ("a@x.org", "a@x.org"),
    ("A@X.org", "a@x.org"),
    ("ü@x.org", "ü@x.org"),
    ("U\u{308}@x.org", "ü@x.org"),
    ("c@y.org", "c@y.org"),
    ("d@x.org", "d@x.org"),
    ("e@y.org", "e@y.org"),
];

/// Group names and the key that they have. `admins` is a built-in one.
const GROUPS: [(&str, &str); 7] = [
    ("staff", "staff"),
    ("Staff", "staff"),
    ("crew", "crew"),
    ("équipe", "équipe"),
    ("E\u{301}QUIPE", "équipe"),
    ("admins", "admins"),
    ("CREW", "crew"),
];

/// How many people fill a crowded directory.
pub(crate) const CROWD: usize = 64;

/// A spelled username with its key; `None` for one that nobody may bear.
pub(crate) type Name = (&'static str, Option<&'static str>);

static CROWDED: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..CROWD).map(|it| format!("n{it:02}")).collect());

/// Any username, a broken one now and then.
pub(crate) fn username(pick: u8) -> Name {
    match pick % 32 {
        31 => (BROKEN[pick as usize / 32 % BROKEN.len()], None),
        pick => {
            let (spelled, key) = USERNAMES[pick as usize % USERNAMES.len()];
            (spelled, Some(key))
        }
    }
}

/// The username of one of the crowd.
pub(crate) fn of_crowd(at: usize) -> Name {
    (&CROWDED[at], Some(&CROWDED[at]))
}

/// Any mail, none now and then.
pub(crate) fn mail(pick: u8) -> (&'static str, &'static str) {
    MAILS[pick as usize % MAILS.len()]
}

/// Any group name.
pub(crate) fn group(pick: u8) -> (&'static str, &'static str) {
    GROUPS[pick as usize % GROUPS.len()]
}
