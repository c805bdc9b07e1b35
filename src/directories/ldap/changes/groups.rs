//! Single groups, by id: a delta may leave open whom they name.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ldap3::ldap_escape;

use super::ids_of_groups;
use super::objects::{AT_ONCE, narrowed};
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::ranges;
use crate::directories::ldap::read::{Reader, with};
use crate::model::{Delta, RecordKind};
use crate::wire::ldap::gather::Gatherer;

impl Reader {
    /// Reads groups by id, with all their members, in the time that a whole read may take.
    ///
    /// # Errors
    /// As of a complete read.
    pub(in crate::directories::ldap) async fn groups_by_id(
        &self,
        ids: &[String],
        limit: Duration,
        now: Timestamp,
    ) -> Result<Delta, ReadError> {
        let gatherer = Mutex::new(self.gatherer(now));
        self.within(limit, self.fetch_groups(ids, &gatherer))
            .await?;
        let gatherer = gatherer.into_inner();
        let gatherer = gatherer.unwrap_or_else(PoisonError::into_inner);
        let by_username = gatherer.names_members();
        let upsert = gatherer.finish();
        Ok(Delta {
            filled: ids_of_groups(&upsert),
            shared_handles: true,
            by_username,
            upsert,
            ..Delta::default()
        })
    }

    async fn fetch_groups(
        &self,
        ids: &[String],
        gatherer: &Mutex<Gatherer<'_>>,
    ) -> Result<(), ReadError> {
        let (mut session, _) = self.connect().await?;
        let name = self.ids(RecordKind::Group).iter().next();
        let name = name.unwrap_or_default();
        for some in ids.chunks(AT_ONCE) {
            let those = some.iter();
            let those = those.map(|it| format!("({name}={})", ldap_escape(it.as_str())));
            let those: Vec<String> = those.collect();
            for query in &self.groups {
                let those = format!("(|{})", those.concat());
                let query = narrowed(query, &those, &query.attributes);
                let take = |entry: &Entry<'_>| {
                    with(gatherer, |it| self.gather(RecordKind::Group, entry, it));
                };
                session.search(&query, &self.limits, take).await?;
            }
        }
        ranges::complete(&mut session, &self.limits, gatherer).await?;
        session.close().await;
        Ok(())
    }
}
