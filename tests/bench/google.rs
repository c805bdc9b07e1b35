//! Google Workspace in memory, polled by our own client on one core: completely, and between two times at which the members are
//! read. How many requests that takes is no measurement: it must be exactly so many.
//!
//! The Workspace is in this process, whoever asks it in another one, so that the costs of the two stay apart. It was asked all
//! of it before, and answers from memory.

mod bare;
mod jobs;
mod polls;
mod reads;
mod tenant;

use std::path::Path;
use std::process::{Command, Stdio};

use crate::load::Load;
use crate::measure::{self, Cost};
use crate::report::{self, Report, megabytes};
use tenant::Tenant;

const SEED: u64 = 20_261_125;
const ROUNDS: u32 = 5;
/// Whoever asks has this core, and no other.
const CLIENT_CORE: &str = "1";

/// From the start of the reading process to its end, in seconds.
const READ_LIMIT: f64 = 5.0;
/// Of whoever asks, in megabytes.
const PEAK_LIMIT: f64 = 200.0;

/// Measures `users` users with three groups for each fifty, and six times the memberships.
pub(crate) fn run(users: u32, report: &mut Report) {
    let load = load(users);
    println!(
        "google: {users} users, {} groups, {} memberships, {} of the groups with more than a page of them",
        groups(users),
        memberships(users),
        tenant::long(&load)
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let tenant = Tenant::start(&load, folder);
    // Whatever is asked for the first time is made; from then on it is there.
    read(&tenant, folder, users);
    complete(&tenant, folder, users, report);
    poll(&tenant, folder, users);
    job(folder, users, report);
}

/// What is done in a process of its own, each with the folder in which the options are, and the number of users. Says whether it
/// is one of those.
pub(crate) fn aside(arguments: &[String]) -> bool {
    let [what, folder, users] = arguments else {
        return false;
    };
    let folder = Path::new(folder);
    let load = || load(users.parse().expect("a number of users"));
    match what.as_str() {
        reads::READ => reads::read_all(folder, &load()),
        bare::BARE => bare::fetch_all(folder),
        polls::POLLS => polls::poll_all(folder, &load()),
        jobs::JOB => jobs::read_and_commit(folder, &load()),
        _ => return false,
    }
    true
}

fn complete(tenant: &Tenant, folder: &Path, users: u32, report: &mut Report) {
    let (mut reads, mut bares) = (Vec::new(), Vec::new());
    let before = measure::own_cpu();
    for _ in 0..ROUNDS {
        reads.push(read(tenant, folder, users));
        tenant.write_asked(folder);
        bares.push(measure::run(&mut client(bare::BARE, folder, users)));
        tenant.assert_complete();
    }
    let cpu = measure::own_cpu().saturating_sub(before).as_secs_f64();
    let read = report::runs("complete read", &reads);
    let bare = report::runs("bare reader of its pages", &bares);
    println!(
        "  {} requests a read; CPU of the Workspace {:.2} s a read",
        tenant.requests.all(),
        cpu / f64::from(2 * ROUNDS)
    );
    println!(
        "  complete read / bare reader {:.2}, of CPU time {:.2}",
        read.wall.as_secs_f64() / bare.wall.as_secs_f64(),
        read.cpu.as_secs_f64() / bare.cpu.as_secs_f64()
    );
    report.limit("complete read, s", read.wall.as_secs_f64(), READ_LIMIT);
    report.limit("client's peak, MB", megabytes(read.peak), PEAK_LIMIT);
}

fn read(tenant: &Tenant, folder: &Path, users: u32) -> Cost {
    tenant.forget();
    let cost = measure::run(&mut client(reads::READ, folder, users));
    tenant.assert_complete();
    cost
}

fn poll(tenant: &Tenant, folder: &Path, users: u32) {
    tenant.forget();
    let numbers = numbers(polls::POLLS, folder, users);
    let [plain, plain_cpu, activity, activity_cpu, peak] = numbers[..] else {
        panic!("five numbers: {numbers:?}");
    };
    tenant.assert_polls(polls::POLLS_EACH.into());
    let requests = tenant.requests.lists();
    println!(
        "  poll without a change, members left: {plain:.0} ms, CPU {plain_cpu:.0} ms, {requests} requests\n  the same with \
         `activity`: {activity:.0} ms, CPU {activity_cpu:.0} ms, {} requests; peak of all {peak:.1} MB",
        requests + polls::REPORTS
    );
}

fn job(folder: &Path, users: u32, report: &mut Report) {
    let numbers = numbers(jobs::JOB, folder, users);
    let [first, again, between, peak] = numbers[..] else {
        panic!("four numbers: {numbers:?}");
    };
    println!(
        "  from the poll to the committed records: {first:.2} s the first time, {again:.2} s again without a change, {between:.2} s \
         with the members left"
    );
    report.limit("peak of reading and storing, MB", peak, PEAK_LIMIT);
}

/// What a process of ours prints.
fn numbers(what: &str, folder: &Path, users: u32) -> Vec<f64> {
    let mut client = client(what, folder, users);
    let output = client.stderr(Stdio::inherit()).output();
    let output = output.expect("our own program starts");
    assert!(output.status.success(), "{what} succeeds");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let numbers = text.split_whitespace().map(str::parse);
    numbers.collect::<Result<_, _>>().expect("numbers")
}

fn client(what: &str, folder: &Path, users: u32) -> Command {
    let mut command = Command::new("taskset");
    command
        .args(["-c", CLIENT_CORE])
        .arg(std::env::current_exe().expect("our own program"))
        .args([what, &folder.display().to_string(), &users.to_string()]);
    command
}

fn groups(users: u32) -> u32 {
    users * 3 / 50
}

fn memberships(users: u32) -> u32 {
    users * 6
}

fn load(users: u32) -> Load {
    Load::new(users, groups(users), memberships(users), SEED)
}
