//! Socket addresses hold 108 bytes, paths may be longer.
//!
//! A path that does not fit is reached through its folder, opened and named as a file of this process: `proc(5)`,
//! `/proc/self/fd/N`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// `sun_path` of `unix(7)` without the closing zero byte.
const PATH_BYTES_MAX: usize = 107;
/// What remains for a name behind `/proc/self/fd/` and ten digits and a slash.
pub(super) const NAME_BYTES_MAX: usize = PATH_BYTES_MAX - 25;

/// A path that fits into a socket address, as long as this lives.
#[derive(Debug)]
pub(super) struct Address {
    path: PathBuf,
    _folder: Option<File>,
}

impl Address {
    /// The address of the socket at `path`; none if not even its name fits.
    pub(super) fn of(path: &Path) -> io::Result<Option<Address>> {
        if path.as_os_str().as_bytes().len() <= PATH_BYTES_MAX {
            let path = path.to_owned();
            return Ok(Some(Address {
                path,
                _folder: None,
            }));
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        if name.as_bytes().len() > NAME_BYTES_MAX {
            return Ok(None);
        }
        let folder = File::open(folder)?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
        Ok(Some(Address {
            path: path.join(name),
            _folder: Some(folder),
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
