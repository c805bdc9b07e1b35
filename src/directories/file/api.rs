//! The calls: what state a file is in, and its whole text. They block; the caller runs them off the asynchronous threads.
//!
//! A file that is being written is the danger here: half of it reads as a shorter directory. So its state is taken before
//! and after reading and must not have changed, and a file that was changed within the last moments is not taken for known
//! (see [`Stamp::is_settled`]).

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::directories::ReadError;

/// The largest file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 30;

/// How long ago the last change of a file must be, in seconds. File systems keep times in steps of up to two seconds, so a
/// second change within that step can leave every number as it was.
const SETTLED_SECONDS: i64 = 2;

/// The state of a file; equal when the file is the same and was not written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds of the last change of anything, times included.
    changed: (i64, i64),
    links: u64,
}

/// A file that was opened and not read yet.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    file: File,
    stamp: Stamp,
}

impl Stamp {
    /// The state of the file at a path.
    ///
    /// # Errors
    /// There is no such file, it may not be looked at, or it is something else than a file.
    pub(super) fn of(path: &Path) -> Result<Stamp, ReadError> {
        let metadata = fs::metadata(path).map_err(|fault| unreadable(path, &fault))?;
        if !metadata.is_file() {
            return Err(ReadError::Configuration(format!(
                "`{}` is not a file",
                path.display()
            )));
        }
        Ok(Stamp::from(&metadata))
    }

    /// Whether the last change is long enough ago for the next one to be seen.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        let last = self.modified.0.max(self.changed.0);
        now.0.saturating_sub(last) > SETTLED_SECONDS
    }

    /// Whether this is the state of a file whose content did not change since `before`. Losing its name to a new file that
    /// was put in its place changes a file's state, not its content.
    fn same_content(&self, before: &Stamp) -> bool {
        let replaced = self.links < before.links;
        let untouched = replaced || self.changed == before.changed;
        untouched && self.size == before.size && self.modified == before.modified
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            links: metadata.nlink(),
        }
    }
}

/// One text for each state.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stamp {
            device,
            inode,
            size,
            modified,
            changed,
            links: _,
        } = self;
        write!(
            f,
            "{device}:{inode}:{size}:{}.{:09}:{}.{:09}",
            modified.0, modified.1, changed.0, changed.1
        )
    }
}

impl Opened {
    /// Opens the file at a path and takes its state.
    ///
    /// # Errors
    /// As [`Stamp::of`]; also when the file is empty or too large.
    pub(super) fn open(path: &Path) -> Result<Opened, ReadError> {
        // Asked before opening, because opening a named pipe would wait for its writer.
        Stamp::of(path)?;
        let fault = |fault| unreadable(path, &fault);
        let file = File::open(path).map_err(fault)?;
        let stamp = Stamp::from(&file.metadata().map_err(fault)?);
        let path = path.to_owned();
        match stamp.size {
            0 => Err(incomplete(
                &path,
                "is empty; a directory without users is written as an empty list",
            )),
            size if size > FILE_BYTES_MAX => Err(incomplete(
                &path,
                "is larger than 1 GiB, the most that is read",
            )),
            _ => Ok(Opened { path, file, stamp }),
        }
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// It changed in the meantime, or it is not UTF-8.
    pub(super) fn text(mut self) -> Result<(String, Stamp), ReadError> {
        let path = &self.path;
        let fault = |fault| unreadable(path, &fault);
        let mut bytes = Vec::with_capacity(self.stamp.size as usize);
        let file = &mut self.file;
        file.take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(fault)?;
        let after = Stamp::from(&self.file.metadata().map_err(fault)?);
        if !after.same_content(&self.stamp) || bytes.len() as u64 != self.stamp.size {
            let why = "changed while it was read; write to another file in the same folder and rename that over it";
            return Err(incomplete(path, why));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok((text, self.stamp)),
            Err(fault) => {
                let good = &fault.as_bytes()[..fault.utf8_error().valid_up_to()];
                let line = good.split(|byte| *byte == b'\n').count();
                Err(incomplete(
                    path,
                    &format!("is not valid UTF-8, first on line {line}"),
                ))
            }
        }
    }
}

fn incomplete(path: &Path, why: &str) -> ReadError {
    ReadError::Incomplete(format!("`{}` {why}", path.display()))
}

fn unreadable(path: &Path, fault: &io::Error) -> ReadError {
    let text = format!("reading `{}`: {fault}", path.display());
    match fault.kind() {
        io::ErrorKind::PermissionDenied => ReadError::Unauthorised(text),
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => {
            ReadError::Configuration(text)
        }
        _ => ReadError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn word(result: Result<(String, Stamp), ReadError>) -> (&'static str, String) {
        match result {
            Ok((text, _)) => ("read", text),
            Err(fault) => (fault.word(), fault.to_string()),
        }
    }

    fn read(path: &Path) -> (&'static str, String) {
        word(Opened::open(path).and_then(Opened::text))
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        assert_eq!(read(&path).0, "unavailable");
        fs::write(&path, "").unwrap();
        assert!(read(&path).1.contains("is empty"));
        fs::write(&path, "a\nb\n\u{e9}\n").unwrap();
        assert_eq!(read(&path), ("read", "a\nb\n\u{e9}\n".to_owned()));
        fs::write(&path, b"a\nb\n\xe9\n").unwrap();
        let (word, text) = read(&path);
        assert!(
            word == "incomplete" && text.contains("not valid UTF-8, first on line 3"),
            "{text}"
        );
        assert_eq!(read(folder.path()).0, "configuration");
        assert_eq!(read(&path.join("x")).0, "configuration");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        File::create(&path)
            .unwrap()
            .set_len(FILE_BYTES_MAX + 1)
            .unwrap();
        let (word, text) = read(&path);
        assert!(
            word == "incomplete" && text.contains("larger than 1 GiB"),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_changes_under_the_reader_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        for change in ["grow", "shrink", "touch"] {
            fs::write(&path, "username\nann\n").unwrap();
            let opened = Opened::open(&path).unwrap();
            let mut file = File::options().append(true).open(&path).unwrap();
            match change {
                "grow" => file.write_all(b"ben\n").unwrap(),
                "shrink" => file.set_len(9).unwrap(),
                _ => file.set_modified(std::time::UNIX_EPOCH).unwrap(),
            }
            let (word, text) = word(opened.text());
            assert!(
                word == "incomplete" && text.contains("rename"),
                "{change}: {text}"
            );
        }
    }

    #[test]
    fn a_change_that_hides_behind_an_old_time_is_seen() {
        let before = Stamp {
            device: 1,
            inode: 1,
            size: 1,
            modified: (50, 0),
            changed: (100, 0),
            links: 1,
        };
        let changed = (100, 1);
        for (after, expect) in [
            (before.clone(), true),
            (
                Stamp {
                    changed,
                    ..before.clone()
                },
                false,
            ),
            (
                Stamp {
                    changed,
                    links: 0,
                    ..before.clone()
                },
                true,
            ),
            (
                Stamp {
                    changed,
                    links: 0,
                    modified: (50, 1),
                    ..before.clone()
                },
                false,
            ),
            (
                Stamp {
                    changed,
                    links: 0,
                    size: 2,
                    ..before.clone()
                },
                false,
            ),
        ] {
            assert_eq!(after.same_content(&before), expect, "{after:?}");
        }
    }

    #[test]
    fn a_file_that_is_replaced_under_the_reader_is_read_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        fs::write(&path, "old\n").unwrap();
        let opened = Opened::open(&path).unwrap();
        fs::write(folder.path().join("new"), "new\n").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(word(opened.text()), ("read", "old\n".to_owned()));
    }

    #[test]
    fn every_way_of_changing_a_file_changes_its_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        let stamp = || Stamp::of(&path).unwrap().to_string();
        fs::write(&path, "old\n").unwrap();
        let epoch = |file: File| file.set_modified(std::time::UNIX_EPOCH).unwrap();
        epoch(File::options().append(true).open(&path).unwrap());
        let first = stamp();
        assert_eq!(stamp(), first);
        // The same size and the same time of modification: the file itself is another one.
        fs::write(folder.path().join("new"), "new\n").unwrap();
        epoch(
            File::options()
                .append(true)
                .open(folder.path().join("new"))
                .unwrap(),
        );
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_ne!(stamp(), first);
    }

    #[test]
    fn a_change_of_this_moment_is_not_settled() {
        let stamp = Stamp {
            device: 1,
            inode: 1,
            size: 1,
            modified: (50, 0),
            changed: (100, 9),
            links: 1,
        };
        for (now, expect) in [(40, false), (100, false), (102, false), (103, true)] {
            assert_eq!(stamp.is_settled(Timestamp(now)), expect, "{now}");
        }
        let stamp = Stamp {
            modified: (200, 0),
            ..stamp
        };
        assert!(!stamp.is_settled(Timestamp(103)));
    }
}
