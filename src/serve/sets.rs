//! The images that are served now, by entry, and what changed between those published one after the other.

mod changes;
mod difference;
mod log;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::difference::Difference;
use self::log::Log;
use super::image::Image;

pub(super) use self::changes::{Changes, Subjects};

/// What is served, by the id of the application's entry. Shared by whoever commits and whoever answers.
#[derive(Debug, Default)]
pub struct Sets {
    entries: RwLock<BTreeMap<String, Published>>,
}

#[derive(Debug)]
struct Published {
    image: Arc<Image>,
    log: Log,
}

/// What an event token leads to.
#[derive(Debug)]
pub(super) enum Since {
    /// What is different now; nothing, if the token stands for what is served.
    Changes(Arc<Image>, Box<Changes>),
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
        let log = match (entries.remove(entry), difference) {
            // Whoever published meanwhile did so from another commit; the difference would be to something else.
            (Some(mut was), Some(it))
                if last.is_some_and(|last| Arc::ptr_eq(&last, &was.image)) =>
            {
                was.log.add(was.image.digest(), it);
                was.log
            }
            _ => Log::default(),
        };
        entries.insert(entry.to_owned(), Published { image, log });
    }

    /// Serves nothing for the entry any more: its clients are told that the service is unavailable.
    pub fn withdraw(&self, entry: &str) {
        self.write().remove(entry);
    }

    /// What is served for the entry now.
    pub fn image(&self, entry: &str) -> Option<Arc<Image>> {
        self.read().get(entry).map(|it| it.image.clone())
    }

    /// What has changed since a token was given out; `None` if nothing is served for the entry.
    pub(super) fn since(&self, entry: &str, token: &str) -> Option<Since> {
        let (image, steps) = {
            let entries = self.read();
            let Published { image, log } = entries.get(entry)?;
            let known = token == image.digest();
            let steps = if known {
                Some(Vec::new())
            } else {
                log.since(token)
            };
            (image.clone(), steps)
        };
        let changes = steps.and_then(|steps| Changes::of(&steps, &image));
        Some(changes.map_or(Since::Expired, |it| Since::Changes(image, Box::new(it))))
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
