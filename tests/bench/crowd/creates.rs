//! Accounts made in a Crowd in memory: the application as the executor calls it, beside a client that does nothing but send the
//! same bodies. The runs take turns, each against a fresh Crowd.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use usersyncd::applications::crowd::{CrowdApplication, CrowdConfig};
use usersyncd::clock::SystemClock;
use usersyncd::model::{Outcome, Records};

use crate::crowd_double::{APPLICATION, CrowdDouble, PASSWORD, Rules};
use crate::load::Load;
use crate::measure;
use crate::push::{Push, directory};
use crate::report::Report;

const ROUNDS: usize = 5;
const IN_FLIGHT: usize = 32;
/// What the bare client takes at most of our time: 80 %.
const LIMIT: f64 = 1.25;

/// Makes `count` accounts a round.
pub(super) fn run(load: &Load, count: u32, report: &mut Report) {
    println!("  {count} accounts made, {IN_FLIGHT} in flight; {ROUNDS} rounds");
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let records = records(load, count);
    let bodies = bodies(&runtime, &records);
    let (mut applied, mut reused, mut single) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        applied.push(timed(|double| apply(&runtime, double, &records)));
        reused.push(timed(|double| send(&runtime, double, &bodies, true)));
        single.push(timed(|double| send(&runtime, double, &bodies, false)));
    }
    let rate = |what: &str, times: &mut Vec<Duration>| {
        times.sort();
        let median = times[ROUNDS / 2].as_secs_f64();
        println!(
            "  {what}: {:.0} accounts a second",
            f64::from(count) / median
        );
        median
    };
    let applied = rate("application", &mut applied);
    let reused = rate("bare client", &mut reused);
    let single = rate("bare client, a connection each", &mut single);
    println!("  application / the latter {:.2}", applied / single);
    report.limit("creates / bare client", applied / reused, LIMIT);
}

/// How long something takes against a Crowd that holds nobody yet.
fn timed(make: impl FnOnce(&CrowdDouble)) -> Duration {
    let double = CrowdDouble::start(Rules::default());
    let begun = measure::now();
    make(&double);
    begun.elapsed()
}

fn records(load: &Load, count: u32) -> Records {
    let people: Vec<(String, String, String)> = load
        .users()
        .take(count as usize)
        .map(|it| {
            let (display_name, mail) = (it.display_name(), it.mail.clone());
            (it.username, display_name, mail.unwrap_or_default())
        })
        .collect();
    let people: Vec<(&str, &str, &str)> = people
        .iter()
        .map(|(name, display_name, mail)| (name.as_str(), display_name.as_str(), mail.as_str()))
        .collect();
    directory(&people, &[])
}

fn apply(runtime: &Runtime, double: &CrowdDouble, records: &Records) {
    let options = format!(
        "url: {}\napplication: {APPLICATION}\npassword: \"{PASSWORD}\"\ninsecure: true\nin_flight: {IN_FLIGHT}\n",
        double.url()
    );
    let config: CrowdConfig = serde_yaml::from_str(&options).expect("options");
    let (password, clock) = (config.password().clone(), Arc::new(SystemClock::new()));
    let application = CrowdApplication::new("filled", &config, password, clock);
    let application = application.expect("an application");
    let outcomes = runtime.block_on(async {
        let push = Push::now(&application, records).await.create_all();
        push.send_in_portions(&application).await
    });
    let is_done = |it: &Outcome| matches!(it, Outcome::Done { .. });
    assert!(outcomes.iter().all(is_done), "every account is made");
}

/// What the application sends, seen by the Crowd.
fn bodies(runtime: &Runtime, records: &Records) -> Vec<String> {
    let double = CrowdDouble::start(Rules::default());
    apply(runtime, &double, records);
    let requests = double.take_requests();
    let creates = requests
        .into_iter()
        .filter(|it| it.operation == "POST /user");
    creates.map(|it| it.body).collect()
}

/// Sends the bodies, with as many tasks as may be in flight.
fn send(runtime: &Runtime, double: &CrowdDouble, bodies: &[String], reuse: bool) {
    let idle = if reuse { IN_FLIGHT } else { 0 };
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(idle);
    let client = client.build().expect("a client");
    let url = format!("{}/rest/usermanagement/1/user", double.url());
    let sends = (0..IN_FLIGHT).map(|first| {
        let own: Vec<String> = bodies
            .iter()
            .skip(first)
            .step_by(IN_FLIGHT)
            .cloned()
            .collect();
        let (client, url) = (client.clone(), url.clone());
        runtime.spawn(async move {
            for body in own {
                let request = client.post(&url).basic_auth(APPLICATION, Some(PASSWORD));
                let request = request.header("Accept", "application/json");
                let request = request.header("Content-Type", "application/json");
                let answer = request.body(body).send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), 201);
                answer.bytes().await.expect("a whole answer");
            }
        })
    });
    let sends: Vec<_> = sends.collect();
    for task in sends {
        runtime.block_on(task).expect("every body is taken");
    }
}
