//! The application on a Crowd in memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use usersyncd::applications::Application as _;
use usersyncd::applications::crowd::{CrowdApplication, CrowdConfig};
use usersyncd::clock::{Clock, SystemClock, Timestamp};
use usersyncd::model::{Holding, Observed};

use crate::support::crowd_double::{APPLICATION, CrowdDouble, PASSWORD, Rules};
use crate::support::push::{Push, directory};

/// Waits a hundredth of what it is asked to: nobody here needs a minute.
pub(crate) struct Hasty(SystemClock);

const HASTE: u32 = 100;

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic() * HASTE
    }

    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.sleep(d / HASTE)
    }
}

/// The application on a double, with further options in YAML.
pub(crate) fn application(double: &CrowdDouble, options: &str) -> CrowdApplication {
    let yaml = format!(
        "url: {}\napplication: {APPLICATION}\npassword: \"{PASSWORD}\"\ninsecure: true\n{options}",
        double.url()
    );
    let config: CrowdConfig = serde_yaml::from_str(&yaml).unwrap();
    let password = config.password().clone();
    let clock = Arc::new(Hasty(SystemClock::new()));
    CrowdApplication::new("crowd", &config, password, clock).unwrap()
}

/// The rules as far as they are known, and the opposite of all that is not.
pub(crate) fn both() -> [Rules; 2] {
    [Rules::default(), Rules::other()]
}

/// Three people and two groups, one of which is in the other.
pub(crate) async fn company(rules: Rules) -> (CrowdDouble, CrowdApplication) {
    let double = CrowdDouble::start(rules);
    let application = application(&double, "");
    let records = directory(
        &[
            ("Anna", "Anna Arden", "anna@example.com"),
            ("ben", "Ben Bold", "ben@example.com"),
            ("carl", "Carl Cole (off)", "carl@example.com"),
        ],
        &["staff", "sales"],
    );
    Push::now(&application, &records)
        .await
        .create_group("staff")
        .create_group("sales")
        .create("Anna")
        .create("ben")
        .create("carl")
        .members("staff", &["Anna", "ben", "carl"], &[], &[])
        .children("staff", &["sales"], &[])
        .succeed(&application)
        .await;
    double.take_requests();
    (double, application)
}

/// What was listed, in words: accounts with their switch, then groups with their members.
pub(crate) fn told(observed: &Observed) -> Vec<String> {
    let text = |id| observed.pool.get(id);
    let accounts = observed.accounts.iter().map(|it| {
        let fields = [
            it.name,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
        ];
        let active = if it.active { "on" } else { "off" };
        format!("{} {active}", fields.map(text).join("/"))
    });
    let groups = (0u32..).zip(&observed.groups).map(|(at, group)| {
        let members = observed.members.iter().filter(|it| it.0 == at);
        let members = members.map(|it| text(observed.accounts[it.1 as usize].name));
        let children = observed.children.iter().filter(|it| it.0 == at);
        let children = children.map(|it| text(observed.groups[it.1 as usize].name));
        let mut all: Vec<&str> = members.chain(children).collect();
        all.sort_unstable();
        let (name, description) = (text(group.name), text(group.description));
        format!("{name}/{description}: {}", all.join(" "))
    });
    accounts.chain(groups).collect()
}

pub(crate) async fn listed(application: &CrowdApplication) -> Vec<String> {
    told(&application.accounts(&Holding::default()).await.unwrap())
}

/// The names of all users of the double.
pub(crate) fn users(double: &CrowdDouble) -> Vec<String> {
    double.with(|state| state.users.values().map(|it| it.name.clone()).collect())
}

/// Everything that the double holds: a line for each user and each group, sorted.
pub(crate) fn dump(double: &CrowdDouble) -> Vec<String> {
    double.with(|state| {
        let users = state.users.values().map(|it| format!("{it:?}"));
        let groups = state.groups.values().map(|it| format!("{it:?}"));
        users.chain(groups).collect()
    })
}
