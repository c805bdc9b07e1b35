use super::script::{Script, scripts};
use super::town::Town;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

fn fails(script: &Script) -> Option<(String, String)> {
    let result = std::panic::catch_unwind(|| Town::live(script).map(|_| ()));
    match result {
        Ok(Ok(())) => None,
        Ok(Err(b)) => Some((b.law.to_owned(), b.text)),
        Err(p) => {
            let t = p
                .downcast_ref::<String>()
                .cloned()
                .or(p.downcast_ref::<&str>().map(|it| (*it).to_owned()))
                .unwrap_or_default();
            Some((
                format!("panic {}", t.chars().take(40).collect::<String>()),
                t,
            ))
        }
    }
}

fn shrink(mut script: Script, law: &str) -> Script {
    let same = |s: &Script| fails(s).is_some_and(|it| it.0 == law);
    loop {
        let before = script.clone();
        let mut at = 0;
        while at < script.events.len() {
            let mut t = script.clone();
            t.events.remove(at);
            if same(&t) {
                script = t;
            } else {
                at += 1;
            }
        }
        for i in 0..script.settings.len() {
            if script.settings[i] != 0 {
                let mut t = script.clone();
                t.settings[i] = 0;
                if same(&t) {
                    script = t;
                }
            }
        }
        for i in 0..script.events.len() {
            for j in 0..4 {
                if script.events[i][j] != 0 {
                    let mut t = script.clone();
                    t.events[i][j] = 0;
                    if same(&t) {
                        script = t;
                    }
                }
            }
        }
        if script == before {
            return script;
        }
    }
}

#[test]
fn replay() {
    if let Ok(line) = std::env::var("SCRIPT") {
        let r = fails(&Script::parse(&line));
        println!(
            "{}",
            r.map_or("holds".to_owned(), |it| format!("{}: {}", it.0, it.1))
        );
    }
}

#[test]
fn survey() {
    let n = super::number("N", 2000);
    let per = super::number("PER", 1) as usize;
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&super::number("USERSYNCD_SEED", 0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let s = scripts();
    std::panic::set_hook(Box::new(|_| {}));
    let mut found: BTreeMap<String, (usize, Vec<Script>)> = BTreeMap::new();
    for _ in 0..n {
        let script = s.new_tree(&mut runner).unwrap().current();
        if let Some((law, _)) = fails(&script) {
            let e = found.entry(law.clone()).or_default();
            e.0 += 1;
            if e.1.len() < per {
                e.1.push(script);
            }
        }
    }
    for (law, (count, list)) in found {
        for script in list {
            let script = shrink(script, &law);
            let text = fails(&script).map(|it| it.1).unwrap_or_default();
            let crowd = |l: &&str| !(0..64).any(|n| l.contains(&format!("n{n:02}")));
            let text: Vec<&str> = text.lines().filter(crowd).collect();
            let text = if text.len() > 26 {
                format!("{}\n...", text[..26].join("\n"))
            } else {
                text.join("\n")
            };
            println!("==== {law} x{count}\n{script}\n{text}");
        }
    }
}
