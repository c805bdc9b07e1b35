//! A file as a directory: it is read whole or not at all, and not again before it changed.
//!
//! Real files in a temporary folder, read through the trait, by a clock that is far ahead of the files' times.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tempfile::TempDir;
use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::directories::file::FileDirectory;
use usersyncd::directories::file::config::{FileConfig, FileFault};
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::Records;

const LATER: Timestamp = Timestamp(1 << 40);

/// A folder with one file in it.
struct World {
    folder: TempDir,
}

impl World {
    fn new(file: &str, text: impl AsRef<[u8]>) -> World {
        let world = World {
            folder: tempfile::tempdir().unwrap(),
        };
        world.write(file, text);
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path().join(file), text).unwrap();
    }

    /// Puts a new file in the place of an old one, as the messages advise.
    fn replace(&self, file: &str, text: &str) {
        self.write("new", text);
        fs::rename(self.path().join("new"), self.path().join(file)).unwrap();
    }

    /// The directory that these options describe, at that time.
    fn directory_at(&self, options: &str, further: &[&str], now: Timestamp) -> FileDirectory {
        let config: FileConfig = serde_yaml::from_str(options).unwrap();
        let further: Vec<String> = further.iter().map(|it| (*it).to_owned()).collect();
        let clock = Arc::new(ManualClock::new(now));
        FileDirectory::new("people", &config, self.path(), &further, clock).unwrap()
    }

    fn directory(&self, options: &str) -> FileDirectory {
        self.directory_at(options, &[], LATER)
    }
}

async fn read(directory: &FileDirectory, cursor: Option<&str>) -> Result<Read, ReadError> {
    let cursor = cursor.map(str::to_owned);
    directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
}

fn complete(read: Result<Read, ReadError>) -> (Records, Option<String>) {
    match read.unwrap() {
        Read {
            what: What::Complete(records),
            cursor,
            ..
        } => (records, cursor),
        other => panic!("not a complete read: {other:?}"),
    }
}

fn keys(records: &Records) -> Vec<&str> {
    records
        .users
        .iter()
        .map(|it| records.text(it.key))
        .collect()
}

const ANN: &str = "users:\n- { username: ann, groups: [staff] }\n";

#[tokio::test]
async fn every_format_says_the_same() {
    let ldif = "dn: uid=ann,dc=x\nobjectClass: person\nuid: ann\nmail: ann@x\n\n\
                dn: cn=staff,dc=x\nobjectClass: groupOfNames\ncn: staff\nmember: uid=ann,dc=x\n";
    let json = r#"{"users": [{"username": "ann", "email": "ann@x", "groups": ["staff"]}]}"#;
    for (options, text) in [
        (
            "path: a.yaml",
            "users:\n- username: ann\n  email: ann@x\n  groups: [staff]\n",
        ),
        ("path: a.json", json),
        ("path: a.csv", "username,email,groups\nann,ann@x,staff\n"),
        ("path: a.ldif", ldif),
        (
            "{ path: a.txt, format: csv }",
            "username,email,groups\nann,ann@x,staff\n",
        ),
    ] {
        let config: FileConfig = serde_yaml::from_str(options).unwrap();
        let world = World::new(config.path.to_str().unwrap(), text);
        let (records, _) = complete(read(&world.directory(options), None).await);
        assert_eq!(keys(&records), ["ann"], "{options}");
        assert_eq!(records.text(records.users[0].email), "ann@x", "{options}");
        assert_eq!(records.text(records.groups[0].key), "staff", "{options}");
        assert_eq!(records.members.row(0), [0], "{options}");
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_parsed_again() {
    let world = World::new("a.yaml", ANN);
    let directory = world.directory("path: a.yaml");
    let (_, cursor) = complete(read(&directory, None).await);
    let again = read(&directory, cursor.as_deref()).await.unwrap();
    assert!(matches!(&again.what, What::Delta(delta) if delta.is_empty()));
    assert_eq!(again.cursor, cursor);

    world.replace("a.yaml", &ANN.replace("ann", "ben"));
    let (records, changed) = complete(read(&directory, cursor.as_deref()).await);
    assert_eq!(keys(&records), ["ben"]);
    assert_ne!(changed, cursor);
}

#[tokio::test]
async fn a_read_under_other_options_is_complete() {
    let world = World::new(
        "a.ldif",
        "dn: cn=ann,dc=x\nobjectClass: person\nuid: ann\ncn: lee\nnr: 7\n",
    );
    let plain = "path: a.ldif";
    let (_, cursor) = complete(read(&world.directory(plain), None).await);
    let mapped = "{ path: a.ldif, mapping: { users: { username: cn } } }";
    let (records, _) = complete(read(&world.directory(mapped), cursor.as_deref()).await);
    assert_eq!(keys(&records), ["lee"]);
    let further = world.directory_at(plain, &["nr"], LATER);
    let (records, _) = complete(read(&further, cursor.as_deref()).await);
    assert_eq!(records.extra_values(0, "nr").collect::<Vec<_>>(), ["7"]);
}

#[tokio::test]
async fn a_file_of_this_moment_is_read_again() {
    let world = World::new("a.yaml", ANN);
    let (_, cursor) =
        complete(read(&world.directory_at("path: a.yaml", &[], Timestamp(0)), None).await);
    assert_eq!(cursor, None);
}

#[tokio::test]
async fn a_file_that_is_no_whole_directory_is_an_error_even_if_it_was_one() {
    let world = World::new("a.yaml", ANN);
    let directory = world.directory("path: a.yaml");
    let (_, cursor) = complete(read(&directory, None).await);
    let check = async |expect: &str, text: &str| {
        let fault = read(&directory, cursor.as_deref()).await.unwrap_err();
        assert_eq!(fault.word(), expect, "{fault}");
        assert!(fault.to_string().contains(text), "{fault}");
        assert!(fault.to_string().contains("a.yaml`"), "{fault}");
    };
    for (text, expect) in [
        (&b""[..], "is empty"),
        (b"\n", "nothing but blanks"),
        (
            b"users:\n- { username: ann, groups: [sta",
            "does not end in a newline",
        ),
        (
            b"users:\n- { username: ann, groups: [sta\n",
            "unclosed bracket",
        ),
        (
            b"users:\n- username: \xe9\n",
            "not valid UTF-8, first on line 2",
        ),
    ] {
        world.write("a.yaml", text);
        check("incomplete", expect).await;
    }
    fs::remove_file(world.path().join("a.yaml")).unwrap();
    check("unavailable", "No such file").await;
    fs::create_dir(world.path().join("a.yaml")).unwrap();
    check("configuration", "is not a file").await;
}

#[tokio::test]
async fn a_bad_record_is_rejected_and_the_rest_is_read() {
    let world = World::new(
        "a.yaml",
        "users:\n- username: ann\n- { username: ben, active: maybe }\n- username: cid\n",
    );
    let (records, _) = complete(read(&world.directory("path: a.yaml"), None).await);
    assert_eq!(keys(&records), ["ann", "cid"]);
    let rejected = &records.rejected[0];
    let shown = [rejected.key, rejected.label, rejected.reason].map(|it| records.text(it));
    assert_eq!(shown, ["ben", "a.yaml:3", "`active` must be true or false"]);
}

#[tokio::test]
async fn check_tells_what_a_read_would_bring() {
    let world = World::new("a.yaml", format!("{ANN}- {{ id: 7 }}\n"));
    let findings = |options: &str| {
        let directory = world.directory(options);
        async move {
            let found = directory.check().await.into_iter();
            found
                .map(|it| (it.good, format!("{}: {}", it.item, it.text)))
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        findings("path: a.yaml").await,
        [
            (true, "read: 1 user, 1 group, 1 membership".to_owned()),
            (false, "users: a.yaml:3: `username` is missing".to_owned()),
        ],
    );
    world.write(
        "b.csv",
        "username,id,email\nann,1,\nAnn,2,\nben,3,a\nben,3,b\n",
    );
    assert_eq!(
        findings("path: b.csv").await,
        [
            (true, "read: 3 users, 0 groups, 0 memberships".to_owned()),
            (
                true,
                "read: users that stand there again with the same id, and count once: 1".to_owned()
            ),
            (
                false,
                "users: 2 records bear the name `ann`, with the ids `1`, `2`: nobody can say which is meant; leave one, or rename \
                 the others"
                    .to_owned()
            ),
        ],
    );
    world.write("c.csv", "username\n");
    let empty = findings("path: c.csv").await;
    assert_eq!(empty.len(), 1, "{empty:?}");
    let (good, text) = &empty[0];
    let told = text.starts_with(
        "read: 0 users, 0 groups, 0 memberships: a read without a user is never accepted by itself",
    ) && text.contains("approve");
    assert!(!good && told, "{text}");
    let gone = findings("path: gone.yaml").await;
    assert!(!gone[0].0 && gone[0].1.contains("gone.yaml"), "{gone:?}");
}

#[tokio::test]
async fn a_read_may_be_dropped() {
    let world = World::new("a.yaml", ANN);
    let directory = world.directory("path: a.yaml");
    let _ = directory.read(Since::default()).now_or_never();
    assert_eq!(keys(&complete(read(&directory, None).await).0), ["ann"]);
}

#[test]
fn options_that_do_not_fit_make_no_directory() {
    let config: FileConfig = serde_yaml::from_str("path: a.txt").unwrap();
    let clock = Arc::new(ManualClock::new(LATER));
    let made = FileDirectory::new("people", &config, Path::new("/"), &[], clock);
    assert_eq!(made.unwrap_err(), FileFault::UnknownFormat);
}
