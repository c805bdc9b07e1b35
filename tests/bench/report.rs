//! How figures are printed: one line a kind of run, one line a limit.

use std::time::Duration;

use crate::measure::Cost;

/// Figures that stay inside of their limits, or not.
#[derive(Default)]
pub(crate) struct Report {
    exceeded: Vec<String>,
}

impl Report {
    /// Prints a figure beside its limit, and remembers if it lies beyond.
    pub(crate) fn limit(&mut self, what: &str, figure: f64, limit: f64) {
        let word = if figure <= limit { "ok" } else { "BEYOND" };
        println!("  {what:<44} {figure:>8.2}   limit {limit:>7.2}   {word}");
        if figure > limit {
            self.exceeded.push(what.to_owned());
        }
    }

    /// Whether every figure lay inside of its limit.
    pub(crate) fn is_good(&self) -> bool {
        self.exceeded.is_empty()
    }
}

/// Prints the median of several runs with the smallest and the largest wall time; answers the median cost.
pub(crate) fn runs(what: &str, costs: &[Cost]) -> Cost {
    let of = |pick: fn(&Cost) -> Duration| sorted(costs.iter().map(pick).collect());
    let (walls, cpus) = (of(|cost| cost.wall), of(|cost| cost.cpu));
    let peak = costs.iter().map(|cost| cost.peak).max().unwrap_or_default();
    let median = Cost {
        wall: walls[walls.len() / 2],
        cpu: cpus[cpus.len() / 2],
        peak,
    };
    let (least, most) = (walls[0].as_secs_f64(), walls[walls.len() - 1].as_secs_f64());
    println!(
        "  {what:<28} {:>7.3} s ({least:.3} to {most:.3})   CPU {:>6.2} s   peak {:>6.1} MB",
        median.wall.as_secs_f64(),
        median.cpu.as_secs_f64(),
        megabytes(peak),
    );
    median
}

/// Of 1,000,000 bytes each.
#[expect(clippy::cast_precision_loss, reason = "it is printed with one decimal")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}
