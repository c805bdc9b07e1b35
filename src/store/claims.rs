//! Who works with a store: one process at a time, by a lock file beside it.
//!
//! The system gives the lock back when its holder ends, however it ends, so no lock is ever left behind. The file stays: one
//! that is removed while another process waits for it would be locked by nobody.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::store::StoreError;

/// As what a process claims a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The daemon: it listens on its control socket, and others leave their passes to it.
    Daemon,
    /// One pass that runs by itself.
    Once,
}

/// The store is claimed by this process until this is dropped.
#[derive(Debug)]
pub struct Claim {
    /// Its lock ends with it.
    file: File,
}

/// Why a store was not claimed.
#[derive(Debug, Error)]
pub enum ClaimFault {
    /// Another process has it.
    #[error("the store is in use by {holder}")]
    Held {
        /// As what it has it; `None` while it has only just taken it.
        role: Option<Role>,
        /// What the holder wrote of itself: process, host, since when, what it does.
        holder: String,
    },
    /// The lock file could not be made or locked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The holder's text is at most so many bytes.
const HOLDER_MAX: u64 = 4_096;

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Daemon => "daemon",
            Role::Once => "once",
        }
    }
}

impl Claim {
    /// Claims the store at a path. `holder` says in one line who does: process, host, since when, what it does.
    ///
    /// # Errors
    /// [`ClaimFault::Held`] when another process, or another claim of this one, has it.
    pub fn take(store: &Path, role: Role, holder: &str) -> Result<Claim, ClaimFault> {
        let fault = |cause| StoreError::of_system(store, cause);
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false);
        let mut file = open.mode(0o600).open(path_of(store)).map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file)),
            Err(TryLockError::Error(cause)) => return Err(fault(cause).into()),
        }
        write(&mut file, role, holder).map_err(fault)?;
        Ok(Claim { file })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A file that still tells of a holder would mislead whoever looks at it.
        self.file.set_len(0).ok();
    }
}

/// Beside the file itself, so that two links to one store are one lock.
fn path_of(store: &Path) -> PathBuf {
    let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut path = OsString::from(store);
    path.push(".lock");
    PathBuf::from(path)
}

fn write(file: &mut File, role: Role, holder: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let line = holder.replace(char::is_control, " ");
    file.write_all(format!("{}\n{line}\n", role.word()).as_bytes())
}

/// What the holder wrote of itself. It may be about to.
fn held(file: &mut File) -> ClaimFault {
    let mut text = String::new();
    let read = file.take(HOLDER_MAX).read_to_string(&mut text);
    let mut lines = text.lines();
    let word = lines.next().filter(|_| read.is_ok()).unwrap_or_default();
    let role = [Role::Daemon, Role::Once]
        .into_iter()
        .find(|it| it.word() == word);
    let holder = lines.next().unwrap_or("another process").to_owned();
    ClaimFault::Held { role, holder }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "process 7 on host, since 2026-11-21T22:00:00Z, the daemon";

    #[test]
    fn a_second_claim_is_told_who_has_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("state.db");
        let claim = Claim::take(&store, Role::Daemon, ME).unwrap();
        let fault = Claim::take(&store, Role::Once, "somebody else").unwrap_err();
        let text = format!("the store is in use by {ME}");
        assert_eq!(fault.to_string(), text);
        let ClaimFault::Held { role, holder } = fault else {
            panic!("{fault}");
        };
        assert_eq!((role, holder.as_str()), (Some(Role::Daemon), ME));
        drop(claim);
        Claim::take(&store, Role::Once, "a shorter text").unwrap();
    }

    #[test]
    fn the_holders_text_is_one_line_and_the_file_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("state.db");
        let _claim = Claim::take(&store, Role::Once, "one\ntwo").unwrap();
        let file = folder.path().join("state.db.lock");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "once\none two\n");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_links_to_one_store_are_one_claim() {
        let folder = tempfile::tempdir().unwrap();
        let (store, link) = (folder.path().join("state.db"), folder.path().join("link"));
        fs::write(&store, "").unwrap();
        std::os::unix::fs::symlink(&store, &link).unwrap();
        let _claim = Claim::take(&store, Role::Daemon, ME).unwrap();
        let fault = Claim::take(&link, Role::Daemon, ME).unwrap_err();
        assert!(matches!(fault, ClaimFault::Held { .. }), "{fault}");
    }

    #[test]
    fn a_holder_that_has_not_written_yet_is_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("state.db");
        let file = File::create(folder.path().join("state.db.lock")).unwrap();
        file.lock().unwrap();
        let fault = Claim::take(&store, Role::Once, ME).unwrap_err();
        assert!(matches!(fault, ClaimFault::Held { role: None, .. }));
        assert_eq!(fault.to_string(), "the store is in use by another process");
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("missing/state.db");
        let fault = Claim::take(&store, Role::Once, ME).unwrap_err();
        assert!(fault.to_string().contains("missing/state.db"), "{fault}");
    }
}
