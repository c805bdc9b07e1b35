//! The life of the daemon: start and stop, configuration, schedule, store, control socket.

use std::error::Error;

use super::failure::chain;
use super::tell;
use crate::text::counted;

/// The process has begun. `config` is the path of the configuration file.
pub fn daemon_started(version: &str, config: &str) {
    let pid = std::process::id();
    tell!(
        INFO,
        "daemon.started",
        version,
        pid,
        config,
        "usersyncd {version} starts with {config}."
    );
}

/// Every schedule is set and requests are taken. `next` is the earliest tick, none if no directory is ever read.
pub fn daemon_ready(directories: u64, applications: u64, next: Option<&str>) {
    let when = next.map_or_else(String::new, |next| format!("; the next read is at {next}"));
    let (reads, pushes) = entries(directories, applications);
    tell!(
        INFO,
        "daemon.ready",
        directories,
        applications,
        next,
        "Ready: {reads}, {pushes}{when}."
    );
}

/// No new work is begun from here on; the changes in hand are finished.
pub fn daemon_stopping(cause: &str) {
    tell!(
        INFO,
        "daemon.stopping",
        cause,
        "Stopping ({cause}): the changes in hand are finished first."
    );
}

/// The last line of a daemon. `clean` means that nothing was cut off; what was is made good at the next start.
pub fn daemon_stopped(clean: bool, exit_code: u8) {
    if clean {
        tell!(INFO, "daemon.stopped", clean, exit_code, "Stopped.");
    } else {
        tell!(
            WARN,
            "daemon.stopped",
            clean,
            exit_code,
            "Stopped in the middle of a change; the next start finds out what became of it."
        );
    }
}

/// A part of the daemon ended that never should, so the daemon ends too.
pub fn daemon_died(task: &str) {
    tell!(
        ERROR,
        "daemon.died",
        task,
        "The task {task} ended by itself, which is a defect; the daemon ends, and its service manager starts it again. \
         Report this with the lines before it."
    );
}

/// A defect showed. Only the place in the source is told: the words of a panic may hold what a directory answered.
pub fn daemon_panicked(place: &str) {
    tell!(
        ERROR,
        "daemon.panicked",
        place,
        "A defect showed at {place}. Report this with the lines around it."
    );
}

/// The configuration is not used. One event a problem; `problem` begins with file, line and column.
pub fn config_rejected(problem: &str) {
    tell!(
        ERROR,
        "config.rejected",
        problem,
        "The configuration is rejected: {problem}"
    );
}

/// The configuration is legal and unwise. One event a problem.
pub fn config_warning(problem: &str) {
    tell!(WARN, "config.warning", problem, "{problem}");
}

/// A new configuration is in force.
pub fn config_reloaded(directories: u64, applications: u64) {
    let (reads, pushes) = entries(directories, applications);
    tell!(
        INFO,
        "config.reloaded",
        directories,
        applications,
        "The configuration was read anew: {reads}, {pushes}."
    );
}

/// When a directory is read next.
pub fn schedule_next(directory: &str, at: &str) {
    tell!(
        DEBUG,
        "schedule.next",
        directory,
        at,
        "The directory {directory} is read next at {at}."
    );
}

/// The store does not do its work; nothing that depends on it is done. `operation` says what was tried.
pub fn store_failed(operation: &str, error: &dyn Error) {
    let error = chain(error);
    tell!(
        ERROR,
        "store.failed",
        operation,
        error,
        "The store failed while {operation}: {error}. See that the disk is neither full nor read-only."
    );
}

/// Somebody asked for something through the control socket.
pub fn control_request(request: &str) {
    tell!(
        INFO,
        "control.request",
        request,
        "The control socket was asked for {request}."
    );
}

/// The service manager did not take a notification.
pub fn notify_failed(error: &dyn Error) {
    let error = chain(error);
    tell!(
        WARN,
        "notify.failed",
        error,
        "The service manager was not told how the daemon is: {error}"
    );
}

/// Numbers of directories and of applications, in words.
pub(super) fn entries(directories: u64, applications: u64) -> (String, String) {
    (
        counted(directories, "directory"),
        counted(applications, "application"),
    )
}
