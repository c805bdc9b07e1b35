//! A directory that is a file: YAML, JSON, CSV or LDIF.
//!
//! # What a file that is cut looks like
//!
//! A file is the one source that can be half there without anybody noticing: a full disk, a copy that broke off, an editor
//! that is still writing. A read of half a file would be an exodus, so each of these is an error of the whole read:
//!
//! * the file is gone, empty, unreadable, larger than 1 GiB or not UTF-8 (also in its middle);
//! * it changed while it was read;
//! * the last line has no newline. Every tool that writes text line by line ends its last line; a cut falls within a line
//!   nearly always. JSON, and YAML in braces, is exempt: its closing brace says the same;
//! * YAML and JSON: a syntax error anywhere, no `users` at all, or nothing behind `users:`;
//! * CSV: the last row has fewer columns than the header, or a line break stands within a field (an open quote swallows the
//!   rows behind it);
//! * LDIF: the last record ends in the middle: base64 that is cut, or a name without attributes.
//!
//! What cannot be seen here is a cut *between* two lines. To a parser such a YAML, CSV or LDIF file is whole, only shorter.
//! The guards on reads (`shrink_limit`, a share of the last records) are what catches that, and nothing else does: a file that is
//! written in place and loses its last few records to a cut loses them here too. Hence the hint in messages and in
//! the manual: write another file and rename it.
//!
//! # Unchanged files
//!
//! The cursor of a read is the state of the file (device, inode, size, times to the nanosecond) and the options it was read
//! under, and the moment at which the first account of an LDIF file expires. A read whose cursor is still true parses nothing
//! and answers with an empty delta.

mod api;
pub mod config;
mod convert;

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use self::api::{Opened, Stamp};
use self::config::{FileConfig, FileFault};
use self::convert::{Converted, Form};
use super::doubled::doubled;
use super::{Directory, Read, ReadError, Since, What};
use crate::clock::{Clock, Timestamp};
use crate::model::{Delta, Finding, RecordKind};
use crate::text::counted;

/// What stands in a cursor before the second from which on an account of the file is expired.
const UNTIL: &str = " until ";
/// How many rejected records `check` shows.
const SHOWN_MAX: usize = 5;

/// A file as a directory.
pub struct FileDirectory {
    name: String,
    reader: Arc<Reader>,
    clock: Arc<dyn Clock>,
}

/// What reading needs, to be shared with the thread that reads.
#[derive(Debug)]
struct Reader {
    path: std::path::PathBuf,
    form: Form,
    /// The version of this program and the options: what makes the same file other records.
    basis: String,
}

impl FileDirectory {
    /// A directory of that name. A relative path is taken from `folder`; `further` are the attributes of users that some rule
    /// or template names.
    ///
    /// # Errors
    /// The first fault of the options.
    pub fn new(
        name: &str,
        config: &FileConfig,
        folder: &Path,
        further: &[String],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FileFault> {
        if let Some(fault) = config.faults().into_iter().next() {
            return Err(fault);
        }
        let path = config.path_from(folder);
        let form = Form::new(config.format()?, config, further);
        let basis = format!("{} {} {form:?}", env!("CARGO_PKG_VERSION"), path.display());
        Ok(FileDirectory {
            name: name.to_owned(),
            reader: Arc::new(Reader { path, form, basis }),
            clock,
        })
    }

    /// Runs the reader on a thread that may block. Dropping the future leaves the thread to end by itself, with no effect.
    async fn read_since(&self, since: Since) -> Result<Read, ReadError> {
        let reader = Arc::clone(&self.reader);
        // Taken before reading, so that a change during the read counts as a late one.
        let now = self.clock.now();
        let reading = tokio::task::spawn_blocking(move || reader.read(&since, now));
        reading.await.unwrap_or_else(|fault| {
            let path = self.reader.path.display();
            Err(ReadError::Unavailable(format!(
                "reading `{path}` broke off: {fault}"
            )))
        })
    }
}

impl std::fmt::Debug for FileDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FileDirectory {
            name,
            reader,
            clock: _,
        } = self;
        f.debug_struct("FileDirectory")
            .field("name", name)
            .field("reader", reader)
            .finish_non_exhaustive()
    }
}

impl Directory for FileDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async {
            match self.read_since(Since::default()).await {
                Ok(read) => findings(&read),
                Err(fault) => vec![Finding::new("read", false, fault.to_string())],
            }
        })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(self.read_since(since))
    }
}

impl Reader {
    fn read(&self, since: &Since, now: Timestamp) -> Result<Read, ReadError> {
        if let Some(cursor) = &since.cursor
            && is_still_true(cursor, &self.cursor(&Stamp::of(&self.path)?), now)
        {
            return Ok(Read {
                what: What::Delta(Delta::default()),
                cursor: since.cursor.clone(),
                notes: Vec::new(),
                requests: None,
            });
        }
        let (text, stamp) = Opened::open(&self.path)?.text()?;
        let Converted {
            records,
            notes,
            true_until,
        } = convert::convert(&text, &self.form, now)
            .map_err(|why| ReadError::Incomplete(format!("`{}`: {why}", self.path.display())))?;
        Ok(Read {
            what: What::Complete(records),
            cursor: stamp.is_settled(now).then(|| {
                let until = true_until.map(|it| format!("{UNTIL}{}", it.0));
                self.cursor(&stamp) + &until.unwrap_or_default()
            }),
            notes,
            requests: None,
        })
    }

    fn cursor(&self, stamp: &Stamp) -> String {
        format!("{stamp} {}", self.basis)
    }
}

/// Whether a cursor is the one of the file as it is now, and no account that is in it has expired since.
fn is_still_true(cursor: &str, present: &str, now: Timestamp) -> bool {
    let until = match cursor.strip_prefix(present) {
        Some("") => return true,
        Some(more) => more.strip_prefix(UNTIL).and_then(|it| it.parse().ok()),
        None => None,
    };
    until.is_some_and(|until| now < Timestamp(until))
}

/// What a read shows to somebody who asks whether it works.
fn findings(read: &Read) -> Vec<Finding> {
    let What::Complete(records) = &read.what else {
        return Vec::new();
    };
    let tally = records.tally();
    let mut text = [
        counted(tally.users, "user"),
        counted(tally.groups, "group"),
        counted(tally.memberships, "membership"),
    ]
    .join(", ");
    if tally.users == 0 {
        text += ": a read without a user is never accepted by itself, but kept aside; is it the right file, and was it written whole? \
                 If nobody is meant to be in it, approve the read that `usersyncd status` shows";
    }
    let mut findings = vec![Finding::new("read", tally.users > 0, text)];
    findings.extend(
        read.notes
            .iter()
            .map(|note| Finding::new("read", true, note.as_str())),
    );
    findings.extend(doubled(records));
    for rejected in records.rejected_once().take(SHOWN_MAX) {
        let item = match rejected.what {
            RecordKind::User => "users",
            RecordKind::Group => "groups",
        };
        let text = format!(
            "{}: {}",
            records.text(rejected.label),
            records.text(rejected.reason)
        );
        findings.push(Finding::new(item, false, text));
    }
    let more = tally.rejected.saturating_sub(SHOWN_MAX as u64);
    if more > 0 {
        findings.push(Finding::new(
            "users",
            false,
            format!("and {} more rejected", counted(more, "record")),
        ));
    }
    findings
}
