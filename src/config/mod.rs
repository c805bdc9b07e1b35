//! The configuration: one YAML file, read as a whole, with every problem in it told at once.
//!
//! [`load`] goes three ways over the file. YAML becomes a [`tree`] whose values know their places. From the tree the types
//! are [`read`], past every fault. What no single value can tell is [`check`]ed last: names, what lists what, targets,
//! secrets. Nothing of the outside world is asked here but whether secrets can be read; `check --connect` is for the rest.
//!
//! A connector's options live with the connector and are plain serde types: no tag and no flatten, for those lose places,
//! and `deny_unknown_fields`. What a field's own type can refuse it refuses there, so that the place is exact.

mod application;
mod basis;
mod check;
mod connectors;
mod defaults;
mod directory;
mod names;
mod problem;
mod read;
mod spot;
#[cfg(test)]
mod tests;
mod tree;
mod values;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde::Deserialize;

pub use self::application::{
    AdoptBy, ApplicationEntry, ApplicationType, FirstPass, GroupScope, Limits, Memberships, Mode,
    NestedGroups, OnLeave, Protect, Seats, UserScope,
};
pub use self::basis::{basis, directory_basis, rules};
pub use self::directory::{
    Classify, DirectoryEntry, DirectoryGroups, DirectoryType, DirectoryUsers, Kind, KindRule,
};
pub use self::names::{EntryName, Identity, Name};
pub use self::problem::{Place, Problem, Severity};
pub use self::values::{CronLine, GlobList, State, TrustMail};

use self::problem::PROBLEMS_MAX;
use self::spot::Report;
use self::tree::FILE_BYTES_MAX;
use self::values::time_zone;
use crate::schedule::Schedule;
use crate::serve::config::ServeConfig;
use crate::text::Span;

/// A configuration without errors.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the configuration file. Relative paths in connectors' options and in secrets are taken from here.
    pub base_dir: PathBuf,
    /// Where the daemon remembers; its path is taken from `base_dir` already.
    pub state: State,
    /// When directories are read that do not say it themselves.
    pub schedule: CronLine,
    /// The time zone of all schedules.
    pub timezone: Tz,
    /// How long changes are remembered.
    pub history_keep: Span,
    /// The directories, in the order of the file, which says nothing of priority.
    pub directories: Vec<DirectoryEntry>,
    /// The applications.
    pub applications: Vec<ApplicationEntry>,
    /// Where the sets of those that are served can be had; its paths are taken from `base_dir` already.
    pub serve: Option<ServeConfig>,
}

/// A configuration that can be used, and what is unwise in it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings, by place.
    pub warnings: Vec<Problem>,
    /// Secrets of enabled entries that this process cannot read, by place: an error to whoever reads or pushes, and none to
    /// whoever only asks the store.
    pub missing_secrets: Vec<Problem>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    state: Option<State>,
    #[serde(default = "defaults::schedule")]
    schedule: CronLine,
    #[serde(default = "defaults::timezone", deserialize_with = "time_zone")]
    timezone: Tz,
    #[serde(default = "defaults::history_keep")]
    history_keep: Span,
    #[serde(default)]
    directories: Vec<DirectoryEntry>,
    #[serde(default)]
    applications: Vec<ApplicationEntry>,
    serve: Option<ServeConfig>,
}

/// Reads a configuration file, for those who read and push: every secret that an enabled entry names can be read.
///
/// # Errors
/// Every problem that was found, warnings too, by place. At least one of them is an error.
pub fn load(path: &Path) -> Result<Loaded, Vec<Problem>> {
    load_to_ask(path)?.with_secrets()
}

/// As [`load`], for those who only ask what is remembered: a secret that cannot be read is no error.
///
/// # Errors
/// As [`load`]; where there is another error, secrets that cannot be read are among the problems.
pub fn load_to_ask(path: &Path) -> Result<Loaded, Vec<Problem>> {
    let file = path.display().to_string();
    let base_dir = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let base_dir = std::path::absolute(base_dir).unwrap_or_else(|_| base_dir.to_owned());
    match read_file(path, &file) {
        Ok(text) => parse_to_ask(&text, &file, &base_dir),
        Err(problem) => Err(vec![*problem]),
    }
}

/// As [`load`], of a text that is known by the name `file` and lies in the folder `base_dir`.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, file: &str, base_dir: &Path) -> Result<Loaded, Vec<Problem>> {
    parse_to_ask(text, file, base_dir)?.with_secrets()
}

fn parse_to_ask(text: &str, file: &str, base_dir: &Path) -> Result<Loaded, Vec<Problem>> {
    let mut report = Report {
        file: file.to_owned(),
        problems: Vec::new(),
        secrets: Vec::new(),
    };
    let config = understand(text, base_dir, &mut report);
    let (mut problems, missing_secrets) = (report.problems, by_place(report.secrets));
    let is_good = problems.iter().all(|it| it.severity == Severity::Warning);
    if !(is_good && config.is_some()) {
        problems.extend_from_slice(&missing_secrets);
    }
    let mut problems = by_place(problems);
    if problems.len() >= PROBLEMS_MAX {
        problems.truncate(PROBLEMS_MAX);
        let what = format!("there are more problems than these {PROBLEMS_MAX}");
        problems.push(Problem::of_file(file, what, None));
    }
    match config {
        Some(config) if is_good => Ok(Loaded {
            config,
            warnings: problems,
            missing_secrets,
        }),
        _ => Err(problems),
    }
}

/// What an alias repeats is wrong in every place, but it is one problem.
fn by_place(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (a.place, &a.path).cmp(&(b.place, &b.path)));
    problems.dedup();
    problems
}

impl Loaded {
    /// The same, if no secret is missing.
    ///
    /// # Errors
    /// The warnings and the missing secrets, by place.
    pub fn with_secrets(self) -> Result<Loaded, Vec<Problem>> {
        if self.missing_secrets.is_empty() {
            return Ok(self);
        }
        let mut problems = self.warnings;
        problems.extend(self.missing_secrets);
        Err(by_place(problems))
    }
}

impl Config {
    /// When a directory is read.
    pub fn schedule_of(&self, directory: &DirectoryEntry) -> Schedule {
        let CronLine(schedule) = directory.schedule.as_ref().unwrap_or(&self.schedule);
        schedule.in_zone(self.timezone)
    }

    /// The directory of that name, as applications list it.
    pub fn directory(&self, name: &EntryName) -> Option<&DirectoryEntry> {
        self.directories.iter().find(|it| it.name == *name)
    }

    /// The application of that name.
    pub fn application(&self, name: &EntryName) -> Option<&ApplicationEntry> {
        self.applications.iter().find(|it| it.name == *name)
    }
}

/// The configuration that the text means, if it means one; what is wrong goes to the report.
fn understand(text: &str, base_dir: &Path, report: &mut Report) -> Option<Config> {
    let root = match tree::parse(text, &report.file, &mut report.problems) {
        Ok(root) => root,
        Err(problem) => {
            report.problems.push(*problem);
            return None;
        }
    };
    if matches!(root.value, tree::Value::Nothing) {
        let hint = "begin with a copy of config.example.yaml".to_owned();
        let what = "there is nothing in it".to_owned();
        report
            .problems
            .push(Problem::of_file(&report.file, what, Some(hint)));
        return None;
    }
    let file = report.file.clone();
    let (written, secrets) = read::read::<Written>(&root, &file, &mut report.problems)?;
    check::check(&written, &root, &secrets, base_dir, report);
    let Written {
        state,
        schedule,
        timezone,
        history_keep,
        directories,
        applications,
        serve,
    } = written;
    Some(Config {
        base_dir: base_dir.to_owned(),
        state: state?.under(base_dir),
        schedule,
        timezone,
        history_keep,
        directories,
        applications,
        serve: serve.map(|it| it.anchored(base_dir)),
    })
}

fn read_file(path: &Path, file: &str) -> Result<String, Box<Problem>> {
    let problem =
        |what: String, hint: &str| Box::new(Problem::of_file(file, what, Some(hint.to_owned())));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|cause| {
            let hint = match cause.kind() {
                ErrorKind::NotFound => "name the file by `--config FILE` or $USERSYNCD_CONFIG",
                ErrorKind::IsADirectory => "it is a folder: name the file in it by `--config FILE`",
                _ => "the daemon's user must be able to read it; run commands as that user or as root",
            };
            problem(format!("cannot be read: {cause}"), hint)
        })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let what = format!("has more than {FILE_BYTES_MAX} bytes");
        return Err(problem(what, "is it the right file?"));
    }
    String::from_utf8(bytes).map_err(|fault| {
        let good = &fault.as_bytes()[..fault.utf8_error().valid_up_to()];
        let good = String::from_utf8_lossy(good);
        let line = good.rsplit('\n').next().unwrap_or_default();
        let place = Place {
            line: good.matches('\n').count() as u64 + 1,
            column: line.chars().count() as u64 + 1,
        };
        let what = "is not UTF-8 from here on".to_owned();
        Box::new(Problem {
            place: Some(place),
            ..*problem(what, "save the file as UTF-8")
        })
    })
}
