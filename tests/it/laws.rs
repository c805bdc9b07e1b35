//! The laws of the core, held over small worlds in which everything collides.
//!
//! A world is a script: settings, and events one after the other (directories are edited and read, somebody meddles with the
//! application, time passes, what is held is approved, the configuration changes, a push is made). On every push all laws
//! are looked at. Every run lives through at least 20,000 worlds, always the same ones; `USERSYNCD_WORLDS=1000000` lives
//! through more, `USERSYNCD_SEED=7` through others. A world in which a law does not hold is shrunk and printed as one line, which
//! goes into `laws/seeds.txt` once it is mended.

mod after;
mod alphabet;
mod delta;
mod everybody;
mod guards;
mod ignorance;
mod limits;
mod oracle;
mod order;
mod prefix;
mod push;
mod script;
mod settings;
mod source;
mod town;
mod verdict;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::script::{Script, scripts};
use self::town::Town;

/// How many worlds every run lives through.
const WORLDS: u32 = 20_000;

/// In how many streams, side by side.
const STREAMS: u8 = 2;

/// Worlds in which a law once did not hold.
const SEEDS: &str = include_str!("laws/seeds.txt");

fn number(name: &str, default: u32) -> u32 {
    let given = std::env::var(name).ok();
    given.map_or(default, |it| it.parse().unwrap())
}

fn live(script: &Script) -> Result<(), String> {
    match Town::live(script) {
        Ok(_) => Ok(()),
        Err(broken) => Err(format!(
            "law {}: {}\nscript {script}",
            broken.law, broken.text
        )),
    }
}

#[test]
fn worlds_in_which_a_law_once_failed() {
    for line in SEEDS
        .lines()
        .filter(|it| !it.starts_with('#') && !it.is_empty())
    {
        let script = line.split_whitespace().next().unwrap();
        if let Err(text) = live(&Script::parse(script)) {
            panic!("{line}\n{text}");
        }
    }
}

#[test]
fn the_laws_hold_in_every_world() {
    std::thread::scope(|scope| {
        for stream in 0..STREAMS {
            scope.spawn(move || live_through(stream));
        }
    });
}

/// Lives through one of the streams of worlds.
fn live_through(stream: u8) {
    let config = Config {
        cases: number("USERSYNCD_WORLDS", WORLDS).div_ceil(STREAMS.into()),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number("USERSYNCD_SEED", 0).to_le_bytes());
    seed[4] = stream;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let outcome = TestRunner::new_with_rng(config, rng).run(&scripts(), |script| {
        live(&script).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, script)) => panic!("{reason}\nshrunk to {script}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
