//! Changes: from which place they can be asked for, and what they are since one.

use super::CrowdFault;
use super::session::{PAGE_MAX, Session};
use crate::wire::crowd::{Events, EventsFault};
use crate::wire::percent::encoded;

impl Session {
    /// From where changes can be asked for; `None` where the server knows no changes at all.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn event_token(&self) -> Result<Option<Events>, CrowdFault> {
        let asked = self.events("ask where changes begin", "/event", Events::read);
        match asked.await {
            Ok(events) => Ok(Some(events)),
            Err(CrowdFault::Refused {
                status: 404 | 405 | 501,
                ..
            }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What has changed since a token was given out, and the next one.
    ///
    /// # Errors
    /// [`CrowdFault::Refused`] where the token has expired: servers do not agree on the status.
    pub async fn events_since(&self, token: &str) -> Result<Events, CrowdFault> {
        let path = format!("/event/{}", encoded(token));
        self.events("ask for changes", &path, Events::read_changes)
            .await
    }

    /// XML is asked for: how events nest in JSON is known even less.
    async fn events(
        &self,
        operation: &str,
        path: &str,
        read: fn(&[u8]) -> Result<Events, EventsFault>,
    ) -> Result<Events, CrowdFault> {
        let stream = self.open(operation, path, "application/xml", PAGE_MAX);
        let answer = stream.await?.whole().await?;
        read(&answer.body).map_err(|it| CrowdFault::Unreadable(format!("{operation}: {it}")))
    }
}
