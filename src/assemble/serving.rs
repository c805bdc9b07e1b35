//! What is served while the daemon runs: the listener, the sets, and who is asked for passwords.
//!
//! It outlives every configuration, so that a reload cuts no connection: another configuration changes who may ask, and takes
//! another address only where it names one.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::passwords::Passwords;
use crate::clock::Clock;
use crate::serve::{Handle, Image, ServeFault, Server, Sets, Settings};
use crate::store::{Store, StoreError};
use crate::sync::{ApplicationPart, served};

/// The serving half of the daemon.
pub struct Serving {
    publisher: Arc<Publisher>,
    passwords: Arc<Passwords>,
    clock: Arc<dyn Clock>,
    running: Mutex<Option<Running>>,
    /// Raised when the listener ends although nobody asked it to.
    died: CancellationToken,
}

struct Running {
    handle: Handle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Why nothing can be served as a configuration says.
#[derive(Debug, thiserror::Error)]
pub enum ServingFault {
    /// The listener cannot be had, or not in this way.
    #[error(transparent)]
    Listener(#[from] ServeFault),
    /// The store does not say what is to be served.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Serving {
    /// Nothing is served yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Serving> {
        Arc::new(Serving {
            publisher: Arc::default(),
            passwords: Arc::default(),
            clock,
            running: Mutex::default(),
            died: CancellationToken::new(),
        })
    }

    /// Where the sets that are served are published, for whoever commits others.
    pub fn publisher(&self) -> Arc<Publisher> {
        Arc::clone(&self.publisher)
    }

    /// Serves what these parts say from now on: begins to listen, changes who may ask and who is asked, or ends. What is
    /// committed can be had at once.
    ///
    /// # Errors
    /// [`ServingFault`]; then everything is as it was before.
    pub async fn follow(&self, parts: &Parts, store: &Store) -> Result<(), ServingFault> {
        for part in &parts.applications {
            self.publisher.publish(part, store).await?;
        }
        let mut running = self.running.lock().await;
        match (&mut *running, &parts.serve) {
            (None, None) => {}
            (None, Some(settings)) => *running = Some(self.begin(settings.clone()).await?),
            (Some(it), Some(settings)) => it.handle.reconfigure(settings.clone()).await?,
            (Some(_), None) => {
                if let Some(it) = running.take() {
                    it.end().await;
                }
            }
        }
        self.passwords.ask(&parts.directories);
        Ok(())
    }

    async fn begin(&self, settings: Settings) -> Result<Running, ServeFault> {
        let (sets, passwords) = (
            Arc::clone(&self.publisher.sets),
            Arc::clone(&self.passwords),
        );
        let server = Server::bind(settings, sets, passwords, Arc::clone(&self.clock)).await?;
        let (handle, stop) = (server.handle(), CancellationToken::new());
        let (asked, died) = (stop.clone(), self.died.clone());
        // Dropped by a panic, too.
        let guard = died.drop_guard();
        let task = tokio::spawn(async move {
            server.run(asked.clone()).await;
            if asked.is_cancelled() {
                guard.disarm();
            }
        });
        Ok(Running { handle, stop, task })
    }

    /// Ends when the listener does although nobody asked it to.
    pub async fn died(self: Arc<Self>) {
        self.died.cancelled().await;
    }

    /// Finishes the requests in hand and serves nothing more.
    pub async fn end(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.end().await;
        }
    }
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        // One that panicked has been told of by then.
        let _ = self.task.await;
    }
}

/// Shows what was committed. What is shown is never older than what was shown before: one after the other looks at the store.
#[derive(Debug, Default)]
pub struct Publisher {
    sets: Arc<Sets>,
    /// The entries whose committed set is perhaps not shown yet.
    behind: Mutex<BTreeSet<String>>,
}

impl Publisher {
    /// Has the committed set of an application be served, if it is one that is. A set without anybody is none: whoever polls it
    /// would remove everybody.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read; then the application is behind.
    pub(super) async fn publish(
        &self,
        part: &ApplicationPart,
        store: &Store,
    ) -> Result<(), StoreError> {
        if !part.application.abilities().served {
            return Ok(());
        }
        let mut behind = self.behind.lock().await;
        behind.insert(part.id.clone());
        match served::committed(part, store).await? {
            None => self.sets.withdraw(&part.id),
            Some(holding) => tokio::task::block_in_place(|| {
                let image = Image::of(&holding);
                if image.users() > 0 {
                    self.sets.publish(&part.id, image);
                }
            }),
        }
        behind.remove(&part.id);
        Ok(())
    }

    /// Whether the last try to show an application's set failed.
    pub(super) async fn is_behind(&self, part: &ApplicationPart) -> bool {
        self.behind.lock().await.contains(&part.id)
    }
}
