//! *Delta = complete*, on the Crowd in memory: whatever happens to it between two reads, what has changed, merged into what was
//! known, is what a complete read shows. `USERSYNCD_SEED=7` lives through another world.

use usersyncd::directories::{Read, What};
use usersyncd::model::Records;

use super::{complete, directory, fill, held, read, says};
use crate::support::crowd_double::rules::ChildEvents;
use crate::support::crowd_double::{CrowdDouble, Rules, State};

/// How many rounds each run lives through.
const ROUNDS: usize = 150;

/// How many of them must be answered with changes alone.
const ANSWERED_WITH_CHANGES: usize = 120;

/// Few names, so that they are taken again.
const PEOPLE: [&str; 7] = ["ada", "Ben", "c & d", "dora", "émile", "f", "g+h"];
const TEAMS: [&str; 5] = ["Staff", "crew", "a/b", "none", "Élan"];

#[tokio::test]
async fn what_has_changed_is_what_a_complete_read_shows() {
    live(Rules::default()).await;
}

#[tokio::test]
async fn it_is_whatever_servers_leave_open() {
    live(Rules {
        child_events: ChildEvents::ByChild,
        page_cap: 2,
        membership_list: false,
        ..Rules::default()
    })
    .await;
}

async fn live(rules: Rules) {
    let seed = std::env::var("USERSYNCD_SEED").map_or(1, |it| it.parse().unwrap());
    let mut random = Random(seed);
    let double = CrowdDouble::start(rules);
    fill(&double);
    let directory = directory(&double, "");
    let (mut records, mut cursor, _) = complete(&directory).await;
    let mut answered = 0;
    for round in 0..ROUNDS {
        let edits: Vec<String> = (0..=random.below(4))
            .map(|_| double.with(|it| edit(it, &mut random)))
            .collect();
        let Read {
            what,
            cursor: next,
            notes,
            requests: _,
        } = read(&directory, cursor.clone()).await.unwrap();
        let (merged, told) = match what {
            What::Complete(complete) => (complete, format!("{notes:?}")),
            What::Delta(delta) => match records.merged(&delta) {
                Err(gap) => (complete(&directory).await.0, gap.to_string()),
                Ok(merged) => {
                    answered += 1;
                    let (quick, _) = records.merge(&delta).unwrap();
                    assert_eq!(says(&quick), says(&merged), "round {round}: {edits:?}");
                    let twice = merged.merged(&delta).map(|it| says(&it));
                    assert_eq!(
                        twice.as_ref(),
                        Ok(&says(&merged)),
                        "round {round}: {edits:?}"
                    );
                    (merged, String::new())
                }
            },
        };
        same(
            &merged,
            &double,
            &format!("seed {seed}, round {round}, {edits:?} {told}"),
        );
        records = merged;
        cursor = next;
    }
    assert!(answered >= ANSWERED_WITH_CHANGES, "{answered} of {ROUNDS}");
}

fn same(records: &Records, double: &CrowdDouble, which: &str) {
    let (found, expect) = (says(records), held(double, true));
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter()
            .filter(|it| !other.contains(it))
            .cloned()
            .collect()
    };
    let (more, less) = (only(&found, &expect), only(&expect, &found));
    assert!(found == expect, "{which}: - {more:#?} + {less:#?}");
}

/// One thing that happens, if it can; tells what.
fn edit(state: &mut State, random: &mut Random) -> String {
    let rules = Rules::default();
    let (person, other) = (random.of(&PEOPLE), random.of(&PEOPLE));
    let (team, inner) = (random.of(&TEAMS), random.of(&TEAMS));
    let has = |state: &State, name: &str| state.users.contains_key(&name.to_lowercase());
    let is_team = |state: &State, name: &str| state.groups.contains_key(&name.to_lowercase());
    match random.below(12) {
        0 | 1 if !has(state, person) => {
            state.add_user(person);
            format!("add {person}")
        }
        2 => {
            let done = state.delete_user(person).is_ok();
            format!("delete {person} {done}")
        }
        3 => {
            let done = state.delete_user(person).is_ok();
            state.add_user(person);
            format!("make {person} anew {done}")
        }
        4 | 5 => {
            let done = state.rename_user(person, other, &rules).is_ok();
            format!("rename {person} {other} {done}")
        }
        6 if has(state, person) => {
            let user = state.users.get_mut(&person.to_lowercase()).unwrap();
            user.active = !user.active;
            user.email = format!("{}@example.com", random.below(100));
            state.touched_user(person);
            format!("change {person}")
        }
        7 if !is_team(state, team) => {
            state.add_group(team);
            format!("add group {team}")
        }
        8 => {
            let done = state.delete_group(team).is_ok();
            format!("delete group {team} {done}")
        }
        9 => {
            let done = state.give_child(team, inner, &rules).is_ok()
                || state.take_child(team, inner).is_ok();
            format!("turn child {inner} of {team} {done}")
        }
        10 => {
            let done = state.take_member(team, person).is_ok();
            format!("take {person} of {team} {done}")
        }
        _ => {
            let done = state.give_member(team, person, &rules).is_ok();
            format!("give {person} to {team} {done}")
        }
    }
}

/// Numbers that are the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (it ^ (it >> 31)) % limit
    }

    fn of(&mut self, names: &[&'static str]) -> &'static str {
        names[self.below(names.len() as u64) as usize]
    }
}
