//! The command line: what is typed, what is printed, and with which code the process ends.
//!
//! One file a command. Answers go to standard output, as text or JSON; the log goes to standard error. Questions
//! (`explain`, `status`, `history`, `check`, `--dry-run`) take no claim and read one consistent state of the store, so they work
//! beside a running daemon.

mod approve;
pub mod args;
mod check;
mod dry_run;
mod entries;
mod explain;
mod held;
mod history;
pub mod logging;
mod out;
mod refused;
mod run;
mod setup;
mod status;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::daemon::Exit;
use args::{Args, Command};

/// Parses the command line, does what it says, and gives back how the process ends.
pub fn main() -> ExitCode {
    let args = Args::parse();
    if args.sync_now && args.command.is_some() {
        let text = "--sync-now is a command of its own and stands beside no other";
        Args::command()
            .error(ErrorKind::ArgumentConflict, text)
            .exit();
    }
    logging::begin(args.log_format, args.log_level);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => {
            out::complain(&format!("the runtime cannot be started: {cause}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(dispatch(args));
    // A hard stop does not wait for what is still blocked.
    runtime.shutdown_background();
    exit.into()
}

async fn dispatch(args: Args) -> Exit {
    let exit = match &args.command {
        None if args.dry_run => dry_run::run(&args).await,
        None if args.sync_now => run::sync_now(&args).await,
        None => run::daemon(&args).await,
        Some(Command::Check { connect, format }) => check::run(&args, *connect, *format).await,
        Some(Command::Explain {
            username,
            application,
            format,
        }) => explain::run(&args, username, application.as_deref(), *format).await,
        Some(Command::Status { unlinked, format }) => status::run(&args, *unlinked, *format).await,
        Some(Command::History {
            username,
            application,
            limit,
            format,
        }) => {
            let asked = history::Asked {
                name: username.as_deref(),
                application: application.as_deref(),
                limit: *limit,
            };
            history::run(&args, asked, *format).await
        }
        Some(Command::Approve { id, only }) => approve::run(&args, id, only).await,
    };
    exit.unwrap_or_else(|fault| {
        out::complain(&fault.text);
        fault.exit
    })
}

/// Why a command could not do what was asked, and how the process ends with it.
#[derive(Debug)]
pub(crate) struct Fault {
    exit: Exit,
    text: String,
}

impl Fault {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Fault {
        Fault {
            exit,
            text: text.into(),
        }
    }

    /// There is no store to ask.
    fn nothing_read() -> Fault {
        let text = "nothing was read yet: run `usersyncd --sync-now` first";
        Fault::new(Exit::Failed, text)
    }
}

impl From<crate::store::StoreError> for Fault {
    fn from(error: crate::store::StoreError) -> Fault {
        Fault::new(Exit::Failed, crate::events::chain(&error))
    }
}
