//! Google Workspace, polled over the Directory API of the Admin SDK: complete or not at all.
//!
//! Google tells no changes, its lists have lacked objects without a sign of it, and members are one list a group. So every
//! poll lists all users and groups, whatever is missing is asked for by its id before it counts as gone, and the members are
//! read of the groups in scope, at every poll or, in between, of those that seem to have moved. Users and groups are known by
//! their ids; addresses, and so usernames, change.

mod activity;
mod api;
mod check;
pub mod config;
mod confirm;
mod convert;
mod cursor;
mod fault;
mod key;
mod known;
mod last;
mod listed;
mod lists;
mod members;
mod read;
mod refusal;
mod scope;
mod selection;
mod token;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::config::GoogleConfig;

use self::api::Api;
use self::config::{GoogleProblem, GoogleSetupError};
use self::convert::Naming;
use self::lists::UserFields;
use self::read::Reader;
use self::scope::Scope;
use self::selection::Selection;
use self::token::Grant;
use crate::clock::Clock;
use crate::directories::{Directory, Read, ReadError, Since};
use crate::http::{self, Http, HttpUrl};
use crate::model::Finding;
use crate::pace::{Pace, Rate};

/// How long a whole read may take unless told otherwise.
const READ_TIMEOUT: Duration = Duration::from_mins(10);
/// How many requests of one customer are under way at once.
const IN_FLIGHT: u32 = 8;

/// A customer of Google Workspace, or some of its domains.
pub struct GoogleDirectory {
    name: String,
    reader: Reader,
    read_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// The pace of one customer: so many questions in a minute, eight under way at once. Every directory of the customer keeps it
/// together with the others.
pub fn pace(queries_per_minute: u32, clock: Arc<dyn Clock>) -> Arc<Pace> {
    let count = NonZeroU32::new(queries_per_minute).unwrap_or(NonZeroU32::MIN);
    let rate = Rate {
        count,
        per: Duration::from_mins(1),
        burst: NonZeroU32::new(IN_FLIGHT).unwrap_or(NonZeroU32::MIN),
    };
    Arc::new(Pace::new(Some(rate), IN_FLIGHT as usize, clock))
}

impl GoogleDirectory {
    /// Prepares a directory without asking Google and without reading the key. `config` is [anchored](GoogleConfig::anchored);
    /// `extra` are the further attributes of users that rules and templates of the configuration name; `pace` is the
    /// [customer's](pace).
    ///
    /// # Errors
    /// [`GoogleSetupError`]: an option that cannot work (the first of [`GoogleConfig::problems`]), a certificate file that is
    /// none.
    pub fn new(
        name: impl Into<String>,
        config: &GoogleConfig,
        extra: Vec<String>,
        pace: Arc<Pace>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GoogleSetupError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(GoogleSetupError::Option(problem));
        }
        let scope = Scope::new(&config.groups).map_err(|fault| {
            GoogleSetupError::Option(GoogleProblem {
                path: "groups".to_owned(),
                text: fault.to_string(),
            })
        })?;
        let paths = config.username.fields().filter(|it| it.contains('.'));
        let fields = UserFields::with(paths.chain(extra.iter().map(String::as_str)));
        let reader = Reader {
            api: api(config, pace, &clock)?,
            selection: Selection::of(config),
            scope,
            basis: format!("{} attributes {extra:?}", config.basis()),
            naming: Naming {
                username: config.username.clone(),
                group_name: config.group_name.clone(),
                extra,
            },
            fields,
            members_every: config.members_every,
            activity: config.activity,
        };
        Ok(GoogleDirectory {
            name: name.into(),
            reader,
            read_timeout: READ_TIMEOUT,
            clock,
        })
    }

    /// The same directory with another limit on how long a whole read may take; 10 minutes unless told otherwise.
    #[must_use]
    pub fn with_read_timeout(self, read_timeout: Duration) -> Self {
        GoogleDirectory {
            read_timeout,
            ..self
        }
    }

    /// What a read is that was not complete in time.
    fn late(&self) -> ReadError {
        ReadError::Unavailable(format!(
            "not complete after {} s: raise `read_timeout`, or name fewer `groups`. A higher `queries_per_minute` helps only as far \
             as the quota goes: where other programs spend it too, Google turns requests away, and a lower one is faster",
            self.read_timeout.as_secs()
        ))
    }
}

/// The API as it is asked under this configuration: with the scopes that it needs and no others, since one that is not
/// authorised fails all.
fn api(
    config: &GoogleConfig,
    pace: Arc<Pace>,
    clock: &Arc<dyn Clock>,
) -> Result<Api, GoogleSetupError> {
    let settings = http::Settings {
        ca: config.ca.clone(),
        proxy: config.proxy.clone().map(HttpUrl::into_url),
        timeout: config.timeout.as_std(),
        pace,
    };
    let mut scopes = vec![api::USERS, api::GROUPS];
    scopes.extend(config.activity.then_some(api::ACTIVITY));
    let grant = Grant {
        http: Http::new(settings, Arc::clone(clock))?,
        key: config.key.clone(),
        subject: config.subject.clone(),
        scopes,
        plain_token: config.insecure,
        clock: Arc::clone(clock),
    };
    Ok(Api::new(config.url.clone().into_url(), grant))
}

impl fmt::Debug for GoogleDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GoogleDirectory {
            name,
            reader,
            read_timeout,
            clock: _,
        } = self;
        f.debug_struct("GoogleDirectory")
            .field("name", name)
            .field("reader", reader)
            .field("read_timeout", read_timeout)
            .finish_non_exhaustive()
    }
}

impl Directory for GoogleDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs_last(&self) -> bool {
        true
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async move {
            let mut findings = Vec::new();
            let is_late = tokio::select! {
                biased;
                () = check::check(&self.reader, self.clock.now(), &mut findings) => false,
                () = self.clock.sleep(self.read_timeout) => true,
            };
            if is_late {
                findings.push(Finding {
                    item: "read".to_owned(),
                    text: self.late().to_string(),
                    good: false,
                });
            }
            findings
        })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                read = self.reader.read(&since, self.clock.now()) => read,
                () = self.clock.sleep(self.read_timeout) => Err(self.late()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::text::Span;

    #[tokio::test]
    async fn a_minute_sees_so_many_questions_after_the_first_eight() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let pace = pace(30, Arc::clone(&clock) as Arc<dyn Clock>);
        let mut asked = 0;
        for second in 0..=60 {
            while pace.leave().now_or_never().is_some() {
                asked += 1;
            }
            if second == 0 {
                assert_eq!(asked, 8);
            }
            clock.advance(Span::seconds(1));
            // A task that never rests gets nothing any more.
            tokio::task::yield_now().await;
        }
        assert_eq!(asked, 8 + 30);
    }
}
