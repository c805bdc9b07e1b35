//! What a world is made from: a row of small numbers, so that a failing world shrinks to a short one and fits on a line.

use std::fmt;

use proptest::prelude::*;

/// How many settings there are.
pub(crate) const SETTINGS: usize = 48;

/// One thing that happens: what, and three numbers that say to whom and how.
pub(crate) type Event = [u8; 4];

/// The life of one world: its settings, and what happens in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// Each nought is the plainest choice.
    pub(crate) settings: [u8; SETTINGS],
    /// Nothing but noughts is a pass in which all goes well.
    pub(crate) events: Vec<Event>,
}

/// Any script. Half of the settings are plain, so that what is not stands out.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    let setting = prop_oneof![Just(0u8), any::<u8>()];
    let settings = proptest::collection::vec(setting, SETTINGS);
    let event = proptest::array::uniform4(any::<u8>());
    let events = proptest::collection::vec(event, 8..44);
    (settings, events).prop_map(|(settings, events)| Script {
        settings: settings.try_into().unwrap(),
        events,
    })
}

impl Script {
    /// Reads the line that [`Display`](fmt::Display) writes.
    pub(crate) fn parse(line: &str) -> Script {
        let (settings, events) = line.split_once(':').unwrap();
        let bytes = |text: &str| -> Vec<u8> {
            let pairs = text.as_bytes().chunks(2);
            let byte = |it: &[u8]| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 16);
            pairs.map(|it| byte(it).unwrap()).collect()
        };
        let mut script = Script {
            settings: [0; SETTINGS],
            events: Vec::new(),
        };
        let given = bytes(settings);
        script.settings[..given.len()].copy_from_slice(&given);
        let events = events.split(',').filter(|it| !it.is_empty());
        script.events = events.map(|it| bytes(it).try_into().unwrap()).collect();
        script
    }
}

impl fmt::Display for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.settings.iter().rposition(|it| *it != 0);
        for it in &self.settings[..used.map_or(0, |it| it + 1)] {
            write!(out, "{it:02x}")?;
        }
        out.write_str(":")?;
        for (at, event) in self.events.iter().enumerate() {
            let gap = if at == 0 { "" } else { "," };
            let [a, b, c, d] = event;
            write!(out, "{gap}{a:02x}{b:02x}{c:02x}{d:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

#[test]
fn a_script_is_read_back_from_its_line() {
    let mut script = Script {
        settings: [0; SETTINGS],
        events: vec![[1, 2, 3, 255], [0, 0, 0, 0]],
    };
    script.settings[3] = 17;
    let line = script.to_string();
    assert_eq!(line, "00000011:010203ff,00000000");
    assert_eq!(Script::parse(&line), script);
}
