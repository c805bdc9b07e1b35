//! One client as it is checked.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::{Argon2, Params, PasswordHash, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::secret::SecretFault;
use crate::serve::keyed::{Keyed, Tag};
use crate::serve::settings::Client;
use crate::text::Network;

/// How long a verified password is remembered: a product sends its own with every request.
const REMEMBERED: Duration = Duration::from_mins(5);
/// What a PHC string of ours begins with; anything else is the secret itself.
const HASHED: &str = "$argon2";
/// The most memory that one check may take, in KiB.
const MEMORY_MAX: u32 = 256 * 1024;
/// The most rounds of one check.
const ROUNDS_MAX: u32 = 16;

/// Why a secret cannot be used.
#[derive(Debug, Error)]
pub enum BadSecret {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] SecretFault),
    /// It begins as an argon2 string and is none.
    #[error(
        "it begins with `{HASHED}` and is no argon2 PHC string: it may have been cut, or `$` taken for a variable"
    )]
    NotHashed,
    /// Checking it would take the machine.
    #[error(
        "checking it takes {memory} KiB and {rounds} rounds: make one with at most {MEMORY_MAX} KiB and {ROUNDS_MAX} rounds"
    )]
    TooDear {
        /// In KiB.
        memory: u32,
        /// Rounds.
        rounds: u32,
    },
}

/// A client, without its secret.
pub(super) struct Known {
    secret: Secret,
    addresses: Vec<Network>,
    pub(super) entry: String,
}

enum Secret {
    Plain(Tag),
    Hashed {
        hash: Arc<str>,
        /// What was verified, and until when that counts.
        verified: Mutex<Option<(Tag, Duration)>>,
    },
}

impl Known {
    pub(super) fn read(client: &Client, keyed: &Keyed) -> Result<Known, BadSecret> {
        let secret = client.secret.read()?;
        let text = secret.expose_secret();
        let secret = if text.starts_with(HASHED) {
            check_hash(text)?;
            Secret::Hashed {
                hash: text.into(),
                verified: Mutex::default(),
            }
        } else {
            Secret::Plain(keyed.tag(&client.name, &secret))
        };
        Ok(Known {
            secret,
            addresses: client.addresses.clone(),
            entry: client.entry.clone(),
        })
    }

    /// The PHC string, where that is what is known.
    pub(super) fn hash(&self) -> Option<Arc<str>> {
        match &self.secret {
            Secret::Plain(_) => None,
            Secret::Hashed { hash, .. } => Some(hash.clone()),
        }
    }

    pub(super) fn may_call_from(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|it| it.contains(address))
    }

    /// Whether this is known to be the secret, without work.
    pub(super) fn is_remembered(&self, tag: &Tag, now: Duration) -> bool {
        match &self.secret {
            Secret::Plain(own) => own == tag,
            Secret::Hashed { verified, .. } => {
                let verified = lock(verified);
                verified
                    .as_ref()
                    .is_some_and(|(it, until)| it == tag && now < *until)
            }
        }
    }

    /// Remembers that this is the secret, since that was verified just now.
    pub(super) fn remember(&self, tag: Tag, now: Duration) {
        if let Secret::Hashed { verified, .. } = &self.secret {
            *lock(verified) = Some((tag, now + REMEMBERED));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_hash(text: &str) -> Result<(), BadSecret> {
    let hash = PasswordHash::new(text).map_err(|_| BadSecret::NotHashed)?;
    let params = Params::try_from(&hash).map_err(|_| BadSecret::NotHashed)?;
    let (memory, rounds) = (params.m_cost(), params.t_cost());
    if memory > MEMORY_MAX || rounds > ROUNDS_MAX {
        return Err(BadSecret::TooDear { memory, rounds });
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(BadSecret::NotHashed);
    }
    Ok(())
}

/// Whether the secret is the one that was hashed. The work is done on a thread of its own, a few at a time; it is finished
/// there even if nobody waits for it any more.
pub(super) async fn matches(
    hash: Arc<str>,
    secret: SecretString,
    running: &Arc<Semaphore>,
) -> bool {
    let Ok(permit) = running.clone().acquire_owned().await else {
        return false;
    };
    let check = move || {
        let _permit = permit;
        let hash = PasswordHash::new(&hash);
        let secret = secret.expose_secret().as_bytes();
        hash.is_ok_and(|it| Argon2::default().verify_password(secret, &it).is_ok())
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}
