//! Single groups, by id: a delta may leave open whom they name.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ldap3::ldap_escape;

use super::ids_of_groups;
use crate::clock::Timestamp;
use crate::directories::ReadError;
use crate::directories::ldap::api::Query;
use crate::directories::ldap::convert::Entry;
use crate::directories::ldap::ranges;
use crate::directories::ldap::read::{Reader, label, with};
use crate::model::Delta;
use crate::wire::ldap::gather::Gatherer;

/// How many groups may be named in one question.
const AT_ONCE: usize = 100;

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
        let names = &self.mapping.groups.id;
        let name = names.iter().next().unwrap_or_default();
        for some in ids.chunks(AT_ONCE) {
            let those = some.iter();
            let those = those.map(|it| format!("({name}={})", ldap_escape(it.as_str())));
            let those: Vec<String> = those.collect();
            for query in &self.groups {
                let filter = format!("(&{}(|{}))", query.filter, those.concat());
                let query = Query {
                    filter,
                    ..query.clone()
                };
                let take = |entry: &Entry<'_>| {
                    let label = label(entry, names);
                    with(gatherer, |it| it.group(entry, &label));
                };
                session.search(&query, &self.limits, take).await?;
            }
        }
        ranges::complete(&mut session, &self.limits, gatherer).await?;
        session.close().await;
        Ok(())
    }
}
