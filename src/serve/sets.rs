//! The images that are served now, by entry, and what changed between those published one after the other.

mod changes;
mod difference;
mod log;
mod token;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::difference::Difference;
use self::log::Log;
use self::token::Run;
use super::image::Image;

pub(super) use self::changes::{Changes, Subjects};

/// What is served, by the id of the application's entry. Shared by whoever commits and whoever answers.
#[derive(Debug, Default)]
pub struct Sets {
    run: Run,
    entries: RwLock<BTreeMap<String, Published>>,
}

#[derive(Debug)]
struct Published {
    image: Arc<Image>,
    /// Stands for this image, and for the moment at which it came to be served.
    token: String,
    log: Log,
}

/// What an event token leads to.
#[derive(Debug)]
pub(super) enum Since {
    /// What has changed, and the token that stands for it; nothing has, if it is the same one.
    Changes(Arc<Image>, String, Box<Changes>),
    /// Nobody knows what the token stood for, or a list of changes would mislead: everything must be read.
    Expired,
}

impl Sets {
    /// Serves this image for the entry from now on. Comparing it with the last one takes its time: a matter of milliseconds for
    /// ten thousand users, so not for a thread that answers requests.
    pub fn publish(&self, entry: &str, image: Image) {
        let image = Arc::new(image);
        let last = self.image(entry);
        let difference = last
            .as_ref()
            .and_then(|last| Difference::between(last, &image));
        let mut entries = self.write();
        let published = match (entries.remove(entry), difference) {
            // Whoever published meanwhile did so from another commit; the difference would be to something else.
            (Some(was), Some(it)) if last.is_some_and(|last| Arc::ptr_eq(&last, &was.image)) => {
                self.follow(was, image, it)
            }
            _ => Published {
                token: self.run.token(image.digest()),
                image,
                log: Log::default(),
            },
        };
        entries.insert(entry.to_owned(), published);
    }

    /// What is published after something else.
    fn follow(&self, was: Published, image: Arc<Image>, difference: Difference) -> Published {
        let Published {
            image: before,
            token,
            mut log,
        } = was;
        if before.digest() == image.digest() {
            return Published { image, token, log };
        }
        log.add(token, difference);
        Published {
            token: self.run.token(image.digest()),
            image,
            log,
        }
    }

    /// Serves nothing for the entry any more: its clients are told that the service is unavailable.
    pub fn withdraw(&self, entry: &str) {
        self.write().remove(entry);
    }

    /// What is served for the entry now.
    pub fn image(&self, entry: &str) -> Option<Arc<Image>> {
        self.read().get(entry).map(|it| it.image.clone())
    }

    /// The token for what is served for the entry now.
    pub(super) fn token(&self, entry: &str) -> Option<String> {
        self.read().get(entry).map(|it| it.token.clone())
    }

    /// What has changed since a token was given out; `None` if nothing is served for the entry.
    ///
    /// A token of another run says what was served then, and no more; so it is good only while the same is served.
    pub(super) fn since(&self, entry: &str, token: &str) -> Option<Since> {
        let (image, now, steps) = {
            let entries = self.read();
            let Published {
                image,
                token: now,
                log,
            } = entries.get(entry)?;
            let known = token == now || self.run.left(token) == Some(image.digest());
            let steps = if known {
                Some(Vec::new())
            } else {
                log.since(token)
            };
            (image.clone(), now.clone(), steps)
        };
        let changes = steps.and_then(|steps| Changes::of(&steps, &image));
        Some(changes.map_or(Since::Expired, |it| {
            Since::Changes(image, now, Box::new(it))
        }))
    }

    // An entry is put in whole, so a poisoned map is still a map of whole entries.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Published>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Published>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
