//! The figures that this project promises, measured: `cargo bench --bench figures -- NAME [USERS]`.
//!
//! Names are `ldap`, `poll`, `delta`, `crowd`, `google`, `dry-run` and `plan`; without one all are measured. Ratios are of
//! medians in one run, since absolute times say more about the machine. The exit status is 1 when a figure lies beyond its
//! limit.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what this program is for"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement whose surroundings fail should panic where they do"
)]

#[path = "../it/support/certificates.rs"]
mod certificates;
mod crowd;
#[path = "../it/support/crowd_double/mod.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod crowd_double;
mod daemon;
mod delta;
mod dry_run;
mod google;
#[path = "../it/support/google_double/mod.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod google_double;
mod ldap;
#[path = "../it/support/ldap_tools.rs"]
mod ldap_tools;
#[path = "../it/support/listener.rs"]
mod listener;
mod load;
mod measure;
mod plan;
mod poll;
#[path = "../it/support/push.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod push;
mod report;
mod server;
#[path = "../it/support/slapd.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod slapd;
#[path = "../it/support/wait.rs"]
mod wait;

use std::process::ExitCode;

use report::Report;

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| !it.starts_with("--"))
        .collect();
    if crowd::aside(&arguments) || google::aside(&arguments) {
        return ExitCode::SUCCESS;
    }
    let users = |default: u32| arguments.get(1).map_or(Ok(default), |text| text.parse());
    let mut report = Report::default();
    let done = match arguments.first().map(String::as_str) {
        Some("ldap") => users(100_000).map(|users| ldap::run(users, &mut report)),
        Some("delta") => users(100_000).map(|users| delta::run(users, &mut report)),
        Some("poll") => users(100_000).map(|users| poll::run(users, &mut report)),
        Some("crowd") => users(100_000).map(|users| crowd::run(users, &mut report)),
        Some("google") => users(50_000).map(|users| google::run(users, &mut report)),
        Some("dry-run") => users(10_000).map(|users| dry_run::run(users, &mut report)),
        Some("plan") => users(1_000_000).map(|users| plan::run(users, &mut report)),
        None => {
            plan::run(1_000_000, &mut report);
            dry_run::run(10_000, &mut report);
            ldap::run(100_000, &mut report);
            poll::run(100_000, &mut report);
            delta::run(100_000, &mut report);
            crowd::run(100_000, &mut report);
            google::run(50_000, &mut report);
            Ok(())
        }
        Some(other) => {
            eprintln!(
                "no figure is named `{other}`; there are `ldap`, `poll`, `delta`, `crowd`, `google`, `dry-run` and `plan`"
            );
            return ExitCode::from(2);
        }
    };
    let (cpu, peak) = (
        measure::own_cpu().as_secs_f64(),
        report::megabytes(measure::own_peak()),
    );
    println!("measuring itself: CPU {cpu:.2} s, peak {peak:.1} MB");
    match done {
        Ok(()) if report.is_good() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the number of users: {error}");
            ExitCode::from(2)
        }
    }
}
