//! What may be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cli::logging::{LogFormat, LogLevel};

/// Keeps the accounts and groups of applications in step with ordered user directories.
///
/// Without a command and without --sync-now it is the daemon.
#[derive(Debug, Parser)]
#[command(name = "usersyncd", version)]
pub struct Args {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "USERSYNCD_CONFIG",
        default_value = "/etc/usersyncd/config.yaml"
    )]
    pub config: PathBuf,
    /// One pass over everything, then exit. Beside a running daemon the daemon runs it.
    #[arg(long)]
    pub sync_now: bool,
    /// With --sync-now: read and plan, print the plan, write nowhere.
    #[arg(long, requires = "sync_now")]
    pub dry_run: bool,
    /// With --dry-run: exit with 4 if anything would change.
    #[arg(long, requires = "dry_run")]
    pub exit_changes: bool,
    /// How the log looks on standard error.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// How much is logged.
    #[arg(long, global = true, value_enum)]
    pub log_level: Option<LogLevel>,
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Questions and decisions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the configuration: every problem at once, with its place.
    Check {
        /// Ask every directory and application, too.
        #[arg(long)]
        connect: bool,
        /// How the answer looks.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Which directory wins a username, what it shadows, its groups, and what each application holds and will do.
    Explain {
        /// The username, in any spelling.
        username: String,
        /// Only this application.
        #[arg(long)]
        application: Option<String>,
        /// How the answer looks.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// How everything stands: last reads and pushes, what is held and waits.
    Status {
        /// List the active accounts that are linked to nobody: no directory explains them, or taking them over is held.
        #[arg(long)]
        unlinked: bool,
        /// How the answer looks.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// What was done, the newest first.
    History {
        /// Only what concerns this account or group.
        username: Option<String>,
        /// Only this application.
        #[arg(long)]
        application: Option<String>,
        /// At most so many lines.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// How the answer looks.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Release what is held, under the ID that `status` shows.
    Approve {
        /// The ID.
        id: String,
        /// Only what concerns these accounts and groups.
        #[arg(long, value_name = "NAME", num_args = 1..)]
        only: Vec<String>,
    },
}
