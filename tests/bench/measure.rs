//! What a run costs: wall time, CPU time and peak memory, as the kernel counts them.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The kernel's `USER_HZ`: the unit of times in `/proc/PID/stat`, 100 a second on every Linux that we run on.
const TICKS_A_SECOND: u64 = 100;
/// How often a running child is looked at. Peak memory only grows, so that at most the last moment is missed.
const LOOK: Duration = Duration::from_millis(2);

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all threads, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The largest resident set, in bytes.
    pub(crate) peak: u64,
}

impl Cost {
    /// Several runs one after another, taken as one.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            wall: self.wall + next.wall,
            cpu: self.cpu + next.cpu,
            peak: self.peak.max(next.peak),
        }
    }
}

/// Runs a command to its end. Its standard output is thrown away.
///
/// # Panics
///
/// When it does not start or does not succeed: a failed run has no figures.
pub(crate) fn run(command: &mut Command) -> Cost {
    let start = now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut peak = 0;
    // A child that ended keeps its times, though not its memory, until it is waited for.
    let stat = loop {
        let stat = Stat::of(&child.id().to_string());
        if stat.ended {
            break stat;
        }
        peak = peak.max(peak_of(&child.id().to_string()));
        pause();
    };
    let wall = start.elapsed();
    let status = child.wait().expect("the child is ours");
    assert!(status.success(), "{command:?}: {status}");
    Cost {
        wall,
        cpu: stat.cpu,
        peak,
    }
}

/// Kills a child and waits for its end.
pub(crate) fn stop(child: &mut Child) {
    // One that has ended already has nothing to be killed.
    child.kill().ok();
    child.wait().ok();
}

/// CPU time that this process has used so far, in steps of 10 ms.
pub(crate) fn own_cpu() -> Duration {
    Stat::of("self").cpu
}

/// The largest resident set that this process has had so far, in bytes.
pub(crate) fn own_peak() -> u64 {
    peak_of("self")
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn pause() {
    std::thread::sleep(LOOK);
}

/// What proc(5) says in `/proc/PID/stat`.
struct Stat {
    ended: bool,
    cpu: Duration,
}

impl Stat {
    fn of(process: &str) -> Self {
        let text =
            fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
        // The second field, the name in brackets, may hold anything; the third is the state, 14 and 15 are the times.
        let (_, fields) = text.rsplit_once(')').expect("a name in brackets");
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |field: usize| fields[field - 3].parse::<u64>().expect("a number");
        let cpu = Duration::from_millis((ticks(14) + ticks(15)) * 1000 / TICKS_A_SECOND);
        Self {
            ended: fields[0] == "Z",
            cpu,
        }
    }
}

/// The largest resident set that a process has had so far, in bytes; 0 for one that has just ended.
pub(crate) fn peak_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("0 kB");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number")
        * 1024
}
