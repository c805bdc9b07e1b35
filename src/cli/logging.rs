//! Where the log goes and how it looks: to standard error, as text for people or as one JSON object a line.
//!
//! Standard output is for answers, so that `usersyncd status --format json | jq` works with any log level.

use std::io::IsTerminal as _;
use std::panic;

use clap::ValueEnum;
use tracing::{Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::events;

/// How the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}

/// How much is logged, of the program itself; of its libraries, warnings and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// An operator must act.
    Error,
    /// Less is done than was asked for.
    Warn,
    /// What a pass did, and every change.
    Info,
    /// What is so most of the time.
    Debug,
    /// Everything.
    Trace,
}

/// Sets the log up for the process: `level`, else the directives of `RUST_LOG`, else INFO. Panics are events, too.
pub fn begin(format: LogFormat, level: Option<LogLevel>) {
    let terminal = std::io::stderr().is_terminal();
    let filter = match (level, std::env::var("RUST_LOG")) {
        (None, Ok(directives)) if !directives.is_empty() => EnvFilter::new(directives),
        (level, _) => filter(level.unwrap_or(LogLevel::Info)),
    };
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // A second call would find the first one's work done, which is as good.
    let _ = subscriber(json, terminal, filter, std::io::stderr).try_init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        events::daemon_panicked(place.as_deref().unwrap_or("an unknown place"));
    }));
}

/// Warnings of the libraries, and of the program what `level` says.
pub fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    EnvFilter::new(format!("warn,usersyncd={level}"))
}

/// What writes the lines.
pub fn subscriber<W>(
    json: bool,
    colours: bool,
    filter: EnvFilter,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    if json {
        let json = builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false);
        Box::new(json.finish())
    } else {
        Box::new(builder.with_ansi(colours).with_target(false).finish())
    }
}
