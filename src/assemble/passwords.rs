//! Which directory is asked for whose password.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::directories::Authenticator;
use crate::model::Verdict;
use crate::serve;
use crate::sync::DirectoryPart;

/// The enabled directories that know passwords, by the id of their entry. Another configuration brings others.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    directories: RwLock<BTreeMap<String, Arc<dyn Authenticator>>>,
}

impl Passwords {
    /// From now on these are asked.
    pub(super) fn ask(&self, directories: &[Arc<DirectoryPart>]) {
        let knowing = directories.iter().filter_map(|part| {
            let directory = part.directory.as_ref()?;
            Some((part.id.clone(), directory.authenticator()?))
        });
        let knowing = knowing.collect();
        let mut asked = self
            .directories
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *asked = knowing;
    }

    fn directory(&self, id: &str) -> Option<Arc<dyn Authenticator>> {
        let directories = self.directories.read();
        let directories = directories.unwrap_or_else(PoisonError::into_inner);
        directories.get(id).map(Arc::clone)
    }
}

impl serve::Passwords for Passwords {
    fn verify<'a>(
        &'a self,
        directory: &'a str,
        user_id: &'a str,
        password: &'a SecretString,
        limit: Duration,
    ) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            match self.directory(directory) {
                Some(asked) => asked.verify(user_id, password, limit).await,
                None => Verdict::Unavailable(format!(
                    "the directory with the id `{directory}` is disabled, gone or knows no passwords"
                )),
            }
        })
    }
}
