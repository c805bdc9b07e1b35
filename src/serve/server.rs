//! The listener: how it starts, changes and stops.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::clients::{BadSecret, Checks, Clients};
use super::config::TlsConfig;
use super::connection::{self, Pulse};
use super::crowd::{Searches, Verifier};
use super::desk::{Desk, Wire};
use super::doors::{Doors, Place};
use super::keyed::{Keyed, NoRandom};
use super::passwords::Passwords;
use super::readings::Readings;
use super::sets::Sets;
use super::settings::Settings;
use super::tls::{Shown, TlsFault};
use crate::clock::Clock;
use crate::events;

/// How long the handshake of TLS may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no connection: it has no more files to give, or the network is down.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why nothing can be served, or not as the new settings say.
#[derive(Debug, Error)]
pub enum ServeFault {
    /// The address cannot be had.
    #[error(
        "cannot listen on {address}: see that no other program does and that the address is this machine's; to listen on \
         another address with the same port, restart the daemon"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The certificate cannot be shown.
    #[error("cannot serve over TLS")]
    Tls(#[from] TlsFault),
    /// A client's secret cannot be used.
    #[error("cannot use the secret of the client `{client}`")]
    Secret {
        /// The client.
        client: String,
        /// Why not.
        #[source]
        cause: BadSecret,
    },
    /// The system has no random numbers.
    #[error("cannot remember passwords safely")]
    Random(#[from] NoRandom),
}

/// A listener that is ready to run.
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<Shown>>,
    desk: Arc<Desk>,
    changes: mpsc::UnboundedReceiver<Change>,
    handle: Handle,
}

/// Changes a server while it runs.
#[derive(Clone)]
pub struct Handle {
    desk: Arc<Desk>,
    /// What is listened on, as it was configured.
    now: Arc<Mutex<(SocketAddr, Option<TlsConfig>)>>,
    changes: mpsc::UnboundedSender<Change>,
}

/// What a running server is told.
enum Change {
    Tls(Option<Arc<Shown>>),
    Listener(TcpListener, Option<Arc<Shown>>),
}

impl Server {
    /// Takes the address and reads certificate and secrets; nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`ServeFault`]: the address is taken, or a file cannot be used.
    pub async fn bind(
        settings: Settings,
        sets: Arc<Sets>,
        passwords: Arc<dyn Passwords>,
        clock: Arc<dyn Clock>,
    ) -> Result<Server, ServeFault> {
        let checks = Checks::new(Keyed::new()?, clock.clone());
        let clients = clients(&settings, &checks)?;
        let tls = settings.tls.as_ref().map(Shown::read).transpose()?;
        let listener = listen(settings.listen).await?;
        let desk = Arc::new(Desk {
            sets,
            checks,
            verifier: Arc::new(Verifier::new(passwords, clock.clone())),
            searches: Searches::default(),
            readings: Readings::default(),
            clients: RwLock::new(Arc::new(clients)),
            clock,
        });
        let (sender, changes) = mpsc::unbounded_channel();
        let handle = Handle {
            desk: desk.clone(),
            now: Arc::new(Mutex::new((settings.listen, settings.tls))),
            changes: sender,
        };
        Ok(Server {
            listener,
            tls: tls.map(Arc::new),
            desk,
            changes,
            handle,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says, if it does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Changes this server while it runs.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Answers requests until `stop`; then finishes those in hand, for some seconds at most.
    pub async fn run(mut self, stop: CancellationToken) {
        let doors = Arc::new(Doors::default());
        let mut connections = JoinSet::new();
        let mut follower = self.begin();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(change) = self.changes.recv() => {
                    drop(follower);
                    self.change(change);
                    follower = self.begin();
                }
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let guest = self.guest(stream, peer, &doors);
                        if let Some(guest) = guest {
                            connections.spawn(guest.serve(stop.clone()));
                        }
                    }
                    Err(_) => self.desk.clock.sleep(ACCEPT_AGAIN).await,
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }

    /// Tells where requests are answered, and follows the certificate's files.
    fn begin(&self) -> AbortOnDropHandle<()> {
        if let Ok(address) = self.address() {
            events::serve_started(&address.to_string(), self.tls.is_some());
        }
        let (tls, clock) = (self.tls.clone(), self.desk.clock.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            match tls {
                Some(tls) => tls.follow(&*clock).await,
                None => pending().await,
            }
        }))
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Tls(tls) => self.tls = tls,
            Change::Listener(listener, tls) => {
                self.listener = listener;
                self.tls = tls;
            }
        }
    }

    /// A connection that has a place; any other is closed.
    fn guest(&self, stream: TcpStream, peer: SocketAddr, doors: &Arc<Doors>) -> Option<Guest> {
        let pulse = Pulse::new(self.desk.clock.clone());
        let ip = peer.ip().to_canonical();
        let shared = self.desk.clients().is_proxy(ip);
        let place = doors.enter(ip, shared, &pulse)?;
        // Answers are written whole; waiting for more of them would only delay.
        let _ = stream.set_nodelay(true);
        Some(Guest {
            stream,
            wire: Wire {
                peer: ip,
                tls: self.tls.is_some(),
            },
            tls: self.tls.as_ref().map(|it| it.acceptor()),
            pulse,
            place,
            desk: self.desk.clone(),
        })
    }
}

impl Handle {
    /// Runs with other settings from now on. If they cannot be used, the old ones stay. Connections that are open already stay
    /// open, also those to an address that is given up.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn reconfigure(&self, settings: Settings) -> Result<(), ServeFault> {
        let clients = clients(&settings, &self.desk.checks)?;
        let now = self.now().clone();
        let new = (settings.listen, settings.tls);
        if new != now {
            let tls = new.1.as_ref().map(Shown::read).transpose()?;
            let tls = tls.map(Arc::new);
            let change = if new.0 == now.0 {
                Change::Tls(tls)
            } else {
                Change::Listener(listen(new.0).await?, tls)
            };
            // A server that has stopped needs no change.
            let _ = self.changes.send(change);
            *self.now() = new;
        }
        let mut own = self
            .desk
            .clients
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *own = Arc::new(clients);
        Ok(())
    }

    fn now(&self) -> std::sync::MutexGuard<'_, (SocketAddr, Option<TlsConfig>)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clients(settings: &Settings, checks: &Checks) -> Result<Clients, ServeFault> {
    let secret = |(client, cause)| ServeFault::Secret { client, cause };
    Clients::read(settings, checks).map_err(secret)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeFault> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|cause| ServeFault::Listen { address, cause })
}

/// A connection that was let in.
struct Guest {
    stream: TcpStream,
    wire: Wire,
    tls: Option<TlsAcceptor>,
    pulse: Arc<Pulse>,
    place: Place,
    desk: Arc<Desk>,
}

impl Guest {
    async fn serve(self, stop: CancellationToken) {
        let cut = self.place.cut.clone();
        tokio::select! {
            () = cut.cancelled() => {}
            () = self.talk(stop) => {}
        }
    }

    async fn talk(self, stop: CancellationToken) {
        let Guest {
            stream,
            wire,
            tls,
            pulse,
            place: _place,
            desk,
        } = self;
        let clock = desk.clock.clone();
        let answer = |request| {
            let known = || pulse.is_known();
            desk.answer(wire, request, known)
        };
        let Some(tls) = tls else {
            return connection::serve(stream, pulse.clone(), clock, stop, answer).await;
        };
        let secured = tokio::select! {
            secured = tls.accept(stream) => secured,
            () = clock.sleep(HANDSHAKE_MAX) => return,
            () = stop.cancelled() => return,
        };
        if let Ok(stream) = secured {
            connection::serve(stream, pulse.clone(), clock, stop, answer).await;
        }
    }
}
