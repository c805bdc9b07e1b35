//! Resolving and planning alone: three directories, together so many users with five memberships each; the first plan, and
//! one that finds nothing to do. One thread, no input or output; CPU time counts, since another program may share the core.

use std::time::Duration;

use usersyncd::clock::Timestamp;
use usersyncd::model::{
    Abilities, Fields, Holding, Memory, NewGroup, NewUser, Outcome, Records, RecordsBuilder,
};
use usersyncd::reconcile::rules::{ApplicationRules, DirectoryRules};
use usersyncd::reconcile::{DirectoryInput, Standing, World, advance, plan};

use crate::load::{Load, Member};
use crate::measure;
use crate::report::{Report, megabytes};

/// What both plans may take at 1,000,000 users, in seconds on one core.
const SECONDS_MAX: f64 = 2.0;
/// How many times longer they may take than for a tenth of the users.
const GROWTH_MAX: f64 = 25.0;
/// Inputs included.
const PEAK_MAX_MB: f64 = 1_073.7;
/// How often each size is measured.
const RUNS: usize = 3;

/// Measures a tenth of `users` and then all of them.
pub(crate) fn run(users: u32, report: &mut Report) {
    println!("plan: {users} users over three directories, and a tenth of that");
    let small = measure_size(users / 10);
    let large = measure_size(users);
    let peak = megabytes(measure::own_peak());
    println!("  peak {peak:.1} MB");
    if users == 1_000_000 {
        report.limit("first plan, seconds", large.0, SECONDS_MAX);
        report.limit("no-change plan, seconds", large.1, SECONDS_MAX);
        report.limit("peak memory, MB", peak, PEAK_MAX_MB);
    }
    report.limit(
        "first plan, times a tenth of it",
        large.0 / small.0,
        GROWTH_MAX,
    );
    report.limit(
        "no-change plan, times a tenth of it",
        large.1 / small.1,
        GROWTH_MAX,
    );
}

/// The median seconds of a first plan and of one without changes.
fn measure_size(users: u32) -> (f64, f64) {
    let shares = [5, 3, 2];
    let directories: Vec<Records> = (0u32..)
        .zip(shares)
        .map(|(place, share)| records(place, users / 10 * share))
        .collect();
    let rules = ApplicationRules::default();
    let directory_rules = DirectoryRules::default();
    let abilities = Abilities {
        fields: Fields {
            display_name: true,
            given_name: true,
            family_name: true,
            email: true,
            directory: true,
            external_id: true,
        },
        deactivate: true,
        rename_accounts: true,
        groups: true,
        describe_groups: true,
        rename_groups: true,
        ..Abilities::default()
    };
    let names = ["one", "two", "three"];
    let inputs: Vec<DirectoryInput<'_>> = directories
        .iter()
        .zip(names)
        .map(|(records, name)| DirectoryInput {
            id: name,
            name,
            rules: &directory_rules,
            records: Some(records),
            standing: Standing::Fresh,
            read_at: Timestamp(2),
            previous_read_at: Timestamp(1),
        })
        .collect();
    let world = |holding, memory| World {
        rules: &rules,
        abilities: &abilities,
        directories: inputs.clone(),
        holding,
        memory,
        now: Timestamp(3),
    };
    let (empty, fresh) = (Holding::default(), Memory::default());
    let first = world(&empty, &fresh);
    let first_seconds = median(|| {
        let start = measure::own_cpu();
        let (_context, plan) = plan(&first);
        let took = measure::own_cpu().saturating_sub(start);
        assert!(!plan.changes.is_empty());
        took
    });
    let held = {
        let (context, plan) = plan(&first);
        let done = Outcome::Done { remote_id: None };
        advance(&context, &plan, &vec![done; plan.changes.len()])
    };
    let memory = Memory {
        first_applied_at: Some(Timestamp(2)),
        ..Memory::default()
    };
    let second = world(&held, &memory);
    let second_seconds = median(|| {
        let start = measure::own_cpu();
        let (_context, plan) = plan(&second);
        let took = measure::own_cpu().saturating_sub(start);
        assert!(plan.changes.is_empty(), "{} changes", plan.changes.len());
        took
    });
    println!(
        "  {users:>9} users: first plan {first_seconds:.3} s, no-change plan {second_seconds:.3} s"
    );
    (first_seconds, second_seconds)
}

fn median(mut run: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2].as_secs_f64()
}

/// One directory; every tenth username stands in all three.
fn records(place: u32, users: u32) -> Records {
    let load = Load::new(users, users / 20, users * 5, u64::from(place) + 1);
    let mut builder = RecordsBuilder::default();
    for user in load.users() {
        let own = format!("{}.{place}", user.username);
        let username = if user.number % 10 == 0 {
            &user.username
        } else {
            &own
        };
        let email = format!("{username}@example.com");
        let display_name = format!("{} {}", user.given_name, user.family_name);
        builder.user(&NewUser {
            id: &user.id,
            username,
            display_name: &display_name,
            given_name: user.given_name,
            family_name: user.family_name,
            email: &email,
            handle: &user.username,
            ..NewUser::default()
        });
    }
    for group in load.groups() {
        let added = builder.group(&NewGroup {
            id: &group.id,
            name: &group.name,
            description: &group.description,
            handle: &group.name,
            ..NewGroup::default()
        });
        let added = added.unwrap();
        for member in load.members(group.number) {
            match member {
                Member::User(number) => builder.member(added, None, &load.user(number).username),
                Member::Group(number) => builder.member(added, None, &load.group(number).name),
            }
        }
    }
    builder.finish()
}
