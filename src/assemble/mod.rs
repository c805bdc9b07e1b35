//! From the configuration to running parts: the only place that knows every connector's insides.
//!
//! A new directory or application is one arm in `connect`; everything else speaks to the traits.

mod jobs;
mod paces;
mod passwords;
mod routine;
mod rules;
mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::applications::Application;
use crate::applications::crowd::CrowdApplication;
use crate::applications::crowd_server::CrowdServerApplication;
use crate::applications::sql::SqlApplication;
use crate::clock::Clock;
use crate::config::{
    self, ApplicationEntry, ApplicationType, Config, DirectoryEntry, DirectoryType, EntryName,
    Mode, State,
};
use crate::directories::Directory;
use crate::directories::crowd::CrowdDirectory;
use crate::directories::file::FileDirectory;
use crate::directories::google::GoogleDirectory;
use crate::directories::ldap::LdapDirectory;
use crate::directories::ldap::config::Bind;
use crate::events;
use crate::serve;
use crate::serve::config::ServeConfig;
use crate::sync::{ApplicationPart, DirectoryPart};

use self::paces::Paces;

pub use jobs::StoreJobs;
pub use serving::{Publisher, Serving, ServingFault};

/// A part that could not be made from its entry. The configuration was checked before, so this is what only the outside can
/// tell: a certificate file that is none.
#[derive(Debug, thiserror::Error)]
#[error("{entry}: {cause}")]
pub struct AssembleFault {
    /// Path of the entry.
    pub entry: String,
    /// What is wrong and what to do.
    pub cause: String,
}

/// Every directory and every enabled application of the configuration, connected.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The directories, disabled ones too, in the order of the configuration.
    pub directories: Vec<Arc<DirectoryPart>>,
    /// The enabled applications, in the order of the configuration.
    pub applications: Vec<Arc<ApplicationPart>>,
    /// Where sets are served, and to whom.
    pub serve: Option<serve::Settings>,
}

/// Connects everything that a configuration names. Nothing outside is asked, and no secret is read.
///
/// # Errors
/// Every [`AssembleFault`] there is.
pub fn assemble(config: &Config, clock: &Arc<dyn Clock>) -> Result<Parts, Vec<AssembleFault>> {
    let mut faults = Vec::new();
    let mut directories = Vec::new();
    let mut paces = Paces::new(config);
    for entry in &config.directories {
        match directory_part(config, entry, &mut paces, clock) {
            Ok(part) => directories.push(Arc::new(part)),
            Err(fault) => faults.push(fault),
        }
    }
    let by_name: BTreeMap<&str, &Arc<DirectoryPart>> = directories
        .iter()
        .map(|it| (it.name.as_str(), it))
        .collect();
    let mut applications = Vec::new();
    for entry in config.applications.iter().filter(|it| it.enabled) {
        match application_part(config, entry, &by_name, clock) {
            Ok(part) => applications.push(Arc::new(part)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(Parts {
            directories,
            applications,
            serve: config
                .serve
                .as_ref()
                .and_then(|it| serve_settings(config, it)),
        })
    } else {
        Err(faults)
    }
}

/// Where sets are served, and to whom; nothing if nobody may ask.
fn serve_settings(config: &Config, serve: &ServeConfig) -> Option<serve::Settings> {
    let enabled = config.applications.iter().filter(|it| it.enabled);
    let served = enabled.filter_map(|entry| match entry.connector() {
        Some(ApplicationType::CrowdServer(served)) => Some((entry, served)),
        _ => None,
    });
    let clients = served.flat_map(|(entry, served)| {
        served.clients.iter().map(|client| serve::Client {
            name: client.name.clone(),
            secret: client.secret.under(&config.base_dir),
            addresses: client.addresses.clone(),
            entry: entry.id().as_str().to_owned(),
        })
    });
    let clients: Vec<serve::Client> = clients.collect();
    (!clients.is_empty()).then(|| serve::Settings {
        listen: serve.listen,
        tls: serve.tls.clone(),
        trusted_proxies: serve.trusted_proxies.clone(),
        clients,
    })
}

/// The store's URL.
pub fn store_url(config: &Config) -> String {
    let State::Sqlite(path) = &config.state;
    format!("sqlite://{}", path.display())
}

fn directory_part(
    config: &Config,
    entry: &DirectoryEntry,
    paces: &mut Paces,
    clock: &Arc<dyn Clock>,
) -> Result<DirectoryPart, AssembleFault> {
    let directory = if entry.enabled {
        connect_directory(config, entry, paces, clock)?
    } else {
        None
    };
    Ok(DirectoryPart {
        id: entry.id().as_str().to_owned(),
        name: entry.name.as_str().to_owned(),
        directory,
        basis: config::directory_basis(entry),
        rules: rules::of_directory(entry),
        shrink_limit: entry.shrink_limit,
        window: entry.window,
        reread: entry.reread,
        stale_after: entry.stale_after,
    })
}

fn connect_directory(
    config: &Config,
    entry: &DirectoryEntry,
    paces: &mut Paces,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Directory>>, AssembleFault> {
    let name = entry.name.as_str();
    let fault = |cause: String| AssembleFault {
        entry: format!("directories.{name}"),
        cause,
    };
    let further: Vec<String> = entry
        .further_attributes()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let directory: Arc<dyn Directory> = match entry.connector() {
        None => return Ok(None),
        Some(DirectoryType::File(file)) => {
            let made =
                FileDirectory::new(name, file, &config.base_dir, &further, Arc::clone(clock));
            Arc::new(made.map_err(|it| fault(it.to_string()))?)
        }
        Some(DirectoryType::Ldap(ldap)) => {
            let password = ldap.bind.as_ref().and_then(Bind::password);
            let password = password.map(|it| it.under(&config.base_dir));
            let made = LdapDirectory::new(name, ldap, password, further, Arc::clone(clock))
                .map_err(|it| fault(it.to_string()))?;
            Arc::new(made.with_read_timeout(entry.read_timeout.as_std()))
        }
        Some(DirectoryType::Crowd(crowd)) => {
            let crowd = crowd.clone().anchored(&config.base_dir);
            let password = crowd.password().clone();
            let made = CrowdDirectory::new(name, &crowd, password, further, Arc::clone(clock))
                .map_err(|it| fault(events::chain(&it)))?;
            Arc::new(made.with_read_timeout(entry.read_timeout.as_std()))
        }
        Some(DirectoryType::Google(google)) => {
            let pace = paces.of(google, clock);
            let google = google.clone().anchored(&config.base_dir);
            let made = GoogleDirectory::new(name, &google, further, pace, Arc::clone(clock))
                .map_err(|it| fault(events::chain(&it)))?;
            Arc::new(made.with_read_timeout(entry.read_timeout.as_std()))
        }
    };
    Ok(Some(directory))
}

fn application_part(
    config: &Config,
    entry: &ApplicationEntry,
    by_name: &BTreeMap<&str, &Arc<DirectoryPart>>,
    clock: &Arc<dyn Clock>,
) -> Result<ApplicationPart, AssembleFault> {
    let name = entry.name.as_str();
    let fault = |cause: &str| AssembleFault {
        entry: format!("applications.{name}"),
        cause: cause.to_owned(),
    };
    let application: Arc<dyn Application> = match entry.connector() {
        None => return Err(fault("it has no type")),
        Some(ApplicationType::Sql(sql)) => {
            let made = SqlApplication::new(name, sql.clone().anchored(&config.base_dir));
            Arc::new(made.map_err(|it| fault(&it.to_string()))?)
        }
        Some(ApplicationType::Crowd(crowd)) => {
            let crowd = crowd.clone().anchored(&config.base_dir);
            let password = crowd.password().clone();
            let made = CrowdApplication::new(name, &crowd, password, Arc::clone(clock));
            Arc::new(made.map_err(|it| fault(&events::chain(&it)))?)
        }
        Some(ApplicationType::CrowdServer(served)) => {
            Arc::new(CrowdServerApplication::new(name, served))
        }
    };
    let find = |it: &EntryName| by_name.get(it.as_str()).map(|it| Arc::clone(it));
    Ok(ApplicationPart {
        id: entry.id().as_str().to_owned(),
        name: name.to_owned(),
        application,
        rules: rules::of_application(config, entry),
        directories: entry.directories.iter().filter_map(find).collect(),
        basis: config::basis(entry, &config.directories),
        configured: config::rules(entry, &config.directories),
        plan_only: entry.mode == Mode::Plan,
        reread: entry.reread,
        stale_after: entry.stale_after,
        window: entry.limits.window,
    })
}
