//! The listener: who is let in, and how it starts, changes and stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::passwords::Passwords;
use super::sets::Sets;
use super::settings::Settings;
use crate::clock::Clock;

/// Why nothing can be served, or not as the new settings say.
#[derive(Debug, Error)]
pub enum ServeFault {
    /// The address cannot be had.
    #[error(
        "cannot listen on {address}: is another program there, and is the address this machine's?"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A listener that is ready to run.
pub struct Server {
    listener: TcpListener,
    sets: Arc<Sets>,
}

/// Changes a server while it runs.
#[derive(Clone)]
pub struct Handle {}

impl Server {
    /// Takes the address and reads certificate and secrets; nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`ServeFault`]: the address is taken, or a file cannot be used.
    pub async fn bind(
        settings: Settings,
        sets: Arc<Sets>,
        _passwords: Arc<dyn Passwords>,
        _clock: Arc<dyn Clock>,
    ) -> Result<Server, ServeFault> {
        let address = settings.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|cause| ServeFault::Listen { address, cause })?;
        Ok(Server { listener, sets })
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
        Handle {}
    }

    /// Answers requests until `stop`; then finishes those in hand.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let sets = self.sets.clone();
            tokio::spawn(async move {
                let service = service_fn(|_| {
                    let _ = sets.image("");
                    async {
                        let mut answer = Response::new(Full::new(Bytes::new()));
                        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                        Ok::<_, Infallible>(answer)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

impl Handle {
    /// Runs with other settings from now on. If they cannot be used, the old ones stay.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn reconfigure(&self, _settings: Settings) -> Result<(), ServeFault> {
        Ok(())
    }
}
