//! What runs now, told to the service manager whenever it changes and to the log every ten seconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::notify::Notifier;
use crate::clock::Clock;
use crate::events;
use crate::progress::{Progress, Standing};

/// How often a running job is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a job runs before the log tells of it, and between two such lines.
const TELL: Duration = Duration::from_secs(10);
/// How many jobs the status line names.
const NAMED_MAX: usize = 3;

/// Tells for ever. `idle` is the status while nothing runs.
pub(super) async fn tell(
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    notifier: Arc<Notifier>,
    mut idle: watch::Receiver<String>,
) {
    let mut told = idle.borrow_and_update().clone();
    let mut next_line = clock.monotonic() + TELL;
    loop {
        let standings = progress.standings();
        let now = clock.monotonic();
        if now >= next_line {
            next_line = now + TELL;
            for standing in &standings {
                tell_progress(standing, now);
            }
        }
        let status = if standings.is_empty() {
            idle.borrow_and_update().clone()
        } else {
            describe(&standings)
        };
        if status != told {
            notifier.status(&status);
            told = status;
        }
        if !standings.is_empty() {
            // Not at every begin, or the line would flicker between two jobs.
            clock.sleep(LOOK).await;
            continue;
        }
        tokio::select! {
            () = progress.begun() => {}
            Ok(()) = idle.changed() => {}
        }
    }
}

fn tell_progress(standing: &Standing, now: Duration) {
    let runs = now.saturating_sub(standing.since);
    if runs >= TELL {
        let job = standing.job.to_string();
        events::pass_progress(&job, standing.done, standing.total, runs);
    }
}

/// `read corporate 1200, push wiki 5 of 20 and 2 more`.
fn describe(standings: &[Standing]) -> String {
    let named = standings.iter().take(NAMED_MAX).map(|it| match it.total {
        Some(total) => format!("{} {} of {total}", it.job, it.done),
        None if it.done > 0 => format!("{} {}", it.job, it.done),
        None => it.job.to_string(),
    });
    let text = named.collect::<Vec<_>>().join(", ");
    match standings.len().saturating_sub(NAMED_MAX) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Job;

    #[test]
    fn the_status_names_the_oldest_jobs() {
        fn check(running: &[(u64, Option<u64>)], expect: &str) {
            let progress = Progress::new();
            let works: Vec<_> = running
                .iter()
                .enumerate()
                .map(|(index, &(done, total))| {
                    let work = progress.begin(Job::Read(format!("d{index}")), Duration::ZERO);
                    work.advance(done);
                    if let Some(total) = total {
                        work.total(total);
                    }
                    work
                })
                .collect();
            assert_eq!(describe(&progress.standings()), expect);
            drop(works);
        }
        check(&[(0, None)], "read d0");
        check(&[(7, None), (7, Some(9))], "read d0 7, read d1 7 of 9");
        check(&[(0, None); 3], "read d0, read d1, read d2");
        check(&[(0, None); 5], "read d0, read d1, read d2 and 2 more");
    }
}
