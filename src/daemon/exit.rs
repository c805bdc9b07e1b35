//! The exit codes, all of them. `docs/exit-codes.md` tells the administrator the same.
//!
//! 75 and 78 are those of sysexits.h, so that a service manager knows that starting again would not mend a configuration.

use std::process::ExitCode;

/// How a process of this program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// In sync, or everything that was wanted was done; what waits for a clock counts as done.
    Ok = 0,
    /// No application could be processed, the store failed, or the daemon did not end as it should.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something is held, suspect, frozen, blocked, rejected, unknown, refused, stale, or could not be reached; the rest was done.
    Partial = 3,
    /// A dry run with `--exit-changes` would change something.
    Changes = 4,
    /// Another process works on the same store.
    Busy = 75,
    /// The configuration is wrong; nothing was touched.
    Config = 78,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Exit; 7] = [
        Exit::Ok,
        Exit::Failed,
        Exit::Usage,
        Exit::Partial,
        Exit::Changes,
        Exit::Busy,
        Exit::Config,
    ];

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
