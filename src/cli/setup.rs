//! What every command begins with: the configuration, the parts, the store.

use std::sync::Arc;

use crate::assemble::{self, Parts};
use crate::cli::args::Args;
use crate::cli::{Fault, entries, out};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Loaded, Problem};
use crate::daemon::Exit;
use crate::events;
use crate::store::{Reader, Store};
use crate::sync::ApplicationPart;
use crate::text;

/// The configuration with everything connected. No secret is read before something outside is asked.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) parts: Parts,
    pub(crate) clock: Arc<dyn Clock>,
    missing_secrets: Vec<Problem>,
}

impl Setup {
    /// Loads and connects, for what reads and pushes. Warnings go to the log.
    pub(crate) fn load(args: &Args) -> Result<Setup, Fault> {
        let setup = Setup::load_to_ask(args)?;
        setup.want_secrets()?;
        Ok(setup)
    }

    /// The same, for what asks the store or the daemon: secrets that only the service can read are not missed.
    pub(crate) fn load_to_ask(args: &Args) -> Result<Setup, Fault> {
        let loaded = config::load_to_ask(&args.config).map_err(|it| rejected(&it))?;
        let Loaded {
            config,
            warnings,
            missing_secrets,
        } = loaded;
        for it in &warnings {
            events::config_warning(&it.to_string());
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let parts = connect(&config, &clock)?;
        Ok(Setup {
            config,
            parts,
            clock,
            missing_secrets,
        })
    }

    /// Whether this process can read every secret that it would need to read and push.
    ///
    /// # Errors
    /// A [`Fault`] when one is missing; each was printed.
    pub(crate) fn want_secrets(&self) -> Result<(), Fault> {
        if self.missing_secrets.is_empty() {
            return Ok(());
        }
        Err(rejected(&self.missing_secrets))
    }

    /// Asks the store as those see it who only read; there is none when nothing was ever read. Renamed entries are seen as the
    /// next start will take them over. Nothing of the asking stays behind.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(Option<&Reader>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let store = Store::open_for_reading(&assemble::store_url(&self.config)).await?;
        let store = store.map(|it| it.following(entries::take_overs(&self.config)));
        let answer = question(store.as_ref()).await;
        if let Some(store) = store {
            store.close().await;
        }
        answer
    }

    /// The enabled application of a name.
    pub(crate) fn application(&self, name: &str) -> Result<&Arc<ApplicationPart>, Fault> {
        let mut parts = self.parts.applications.iter();
        parts.find(|it| it.name == name).ok_or_else(|| {
            let text = format!("the configuration names no enabled application {name}");
            Fault::new(Exit::Usage, text)
        })
    }
}

/// Prints every problem of a configuration that cannot be used.
fn rejected(problems: &[Problem]) -> Fault {
    for it in problems {
        out::complain(&it.to_string());
    }
    let problems = text::counted(problems.len() as u64, "problem");
    let text = format!("the configuration is rejected: {problems}; nothing was touched");
    Fault::new(Exit::Config, text)
}

/// Connects everything that a configuration names.
pub(crate) fn connect(config: &Config, clock: &Arc<dyn Clock>) -> Result<Parts, Fault> {
    assemble::assemble(config, clock).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Fault::new(Exit::Config, faults.join("\n"))
    })
}
