//! The questions that are put to every connector's options.

use std::path::{Path, PathBuf};

use super::application::{ApplicationEntry, ApplicationType};
use super::directory::{DirectoryEntry, DirectoryType};
use crate::directories::file::config::{FileConfig, FileFault};
use crate::directories::google::config as google;

/// What is wrong with an option of a connector: its path below the connector's key, and what to say.
pub(super) type OptionProblem = (String, String);

/// The options of a directory that do not go together.
pub(super) fn directory_problems(directory: &DirectoryEntry) -> Vec<OptionProblem> {
    match directory.connector() {
        Some(DirectoryType::File(file)) => file_problems(file),
        Some(DirectoryType::Ldap(ldap)) => {
            let problems = ldap.problems().into_iter();
            problems.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(DirectoryType::Crowd(crowd)) => {
            let problems = crowd.problems().into_iter();
            problems.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(DirectoryType::Google(google)) => {
            let problems = google.problems().into_iter();
            problems.map(|it| (it.path, it.text)).collect()
        }
        None => Vec::new(),
    }
}

/// The options of a directory that are unwise.
pub(super) fn directory_warnings(directory: &DirectoryEntry) -> Vec<OptionProblem> {
    match directory.connector() {
        Some(DirectoryType::Ldap(ldap)) => {
            let warnings = ldap.warnings().into_iter();
            warnings.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(DirectoryType::Crowd(crowd)) => {
            let warnings = crowd.warnings().into_iter();
            warnings.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(DirectoryType::Google(google)) => {
            let warnings = google.warnings().into_iter();
            warnings.map(|it| (it.path, it.text)).collect()
        }
        Some(DirectoryType::File(_)) | None => Vec::new(),
    }
}

/// What is wrong with the name of a further attribute, of a directory that knows which ones there are.
pub(super) fn bad_attribute(directory: &DirectoryEntry, name: &str) -> Option<String> {
    match directory.connector()? {
        DirectoryType::Google(_) => google::bad_attribute(name),
        DirectoryType::File(_) | DirectoryType::Ldap(_) | DirectoryType::Crowd(_) => None,
    }
}

/// The options of an application that do not go together.
pub(super) fn application_problems(application: &ApplicationEntry) -> Vec<OptionProblem> {
    match application.connector() {
        Some(ApplicationType::Sql(sql)) => {
            let problems = sql.problems().into_iter();
            problems.map(|it| (it.path, it.text)).collect()
        }
        Some(ApplicationType::Crowd(crowd)) => {
            let problems = crowd.problems().into_iter();
            problems.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(ApplicationType::CrowdServer(served)) => {
            let problems = served.problems().into_iter();
            problems.map(|it| (it.path, it.text)).collect()
        }
        None => Vec::new(),
    }
}

/// The options of an application that are unwise.
pub(super) fn application_warnings(application: &ApplicationEntry) -> Vec<OptionProblem> {
    match application.connector() {
        Some(ApplicationType::Crowd(crowd)) => {
            let warnings = crowd.warnings().into_iter();
            warnings.map(|it| (it.path.to_owned(), it.text)).collect()
        }
        Some(ApplicationType::CrowdServer(served)) => {
            let warnings = served.warnings().into_iter();
            warnings.map(|it| (it.path, it.text)).collect()
        }
        Some(ApplicationType::Sql(_)) | None => Vec::new(),
    }
}

/// Everything in a directory's own options that decides what is read.
pub(super) fn basis(directory: &DirectoryEntry) -> String {
    match directory.connector() {
        Some(DirectoryType::File(file)) => {
            let options = serde_json::to_string(file);
            format!("file {}", options.expect("options are always JSON"))
        }
        Some(DirectoryType::Ldap(ldap)) => ldap.basis(),
        Some(DirectoryType::Crowd(crowd)) => crowd.basis(),
        Some(DirectoryType::Google(google)) => google.basis(),
        None => String::new(),
    }
}

/// The file that a directory reads, if it reads one.
pub(super) fn source_file(directory: &DirectoryEntry, base_dir: &Path) -> Option<PathBuf> {
    match directory.connector()? {
        DirectoryType::File(file) => Some(one_spelling(&file.path_from(base_dir))),
        DirectoryType::Ldap(_) | DirectoryType::Crowd(_) | DirectoryType::Google(_) => None,
    }
}

/// What a directory reads of a server that could be filled from here as well, spelled as [`target`] spells it.
pub(super) fn source(directory: &DirectoryEntry) -> Option<String> {
    match directory.connector()? {
        DirectoryType::Crowd(crowd) => Some(crowd.target()),
        // Nothing of Google is filled from here.
        DirectoryType::File(_) | DirectoryType::Ldap(_) | DirectoryType::Google(_) => None,
    }
}

/// The file that an application is filled in, if it is one.
pub(super) fn target_file(application: &ApplicationEntry, base_dir: &Path) -> Option<PathBuf> {
    match application.connector()? {
        ApplicationType::Sql(sql) => Some(one_spelling(&base_dir.join(sql.url.path()))),
        ApplicationType::Crowd(_) | ApplicationType::CrowdServer(_) => None,
    }
}

/// What an application writes, in one spelling.
pub(super) fn target(application: &ApplicationEntry, base_dir: &Path) -> Option<String> {
    match application.connector()? {
        ApplicationType::Sql(sql) => Some(sql.clone().anchored(base_dir).target()),
        ApplicationType::Crowd(crowd) => Some(crowd.target()),
        // Its set is its own rows, which no other entry has.
        ApplicationType::CrowdServer(_) => None,
    }
}

/// Whether groups can be put into groups there.
pub(super) fn can_nest(application: &ApplicationEntry) -> bool {
    match application.connector() {
        Some(ApplicationType::Sql(sql)) => {
            let tables = sql.tables.as_ref();
            tables.is_none_or(|it| it.group_memberships.is_some())
        }
        Some(ApplicationType::Crowd(_) | ApplicationType::CrowdServer(_)) | None => true,
    }
}

/// One spelling of a path: links followed in it, or at least in its folder if that is all there is yet.
pub(super) fn one_spelling(path: &Path) -> PathBuf {
    let folder = || {
        let folder = path.parent()?.canonicalize().ok()?;
        Some(folder.join(path.file_name()?))
    };
    let real = path.canonicalize().ok().or_else(folder);
    real.unwrap_or_else(|| path.to_owned())
}

fn file_problems(file: &FileConfig) -> Vec<OptionProblem> {
    let faults = file.faults().into_iter();
    let option = |fault: &FileFault| match fault {
        FileFault::UnknownFormat => "path",
        FileFault::Needless(option) => option,
        FileFault::KnownAttribute(_) => "attributes",
    };
    faults
        .map(|it| (option(&it).to_owned(), it.to_string()))
        .collect()
}
