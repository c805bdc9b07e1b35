//! Which questions are open: what the client sent is followed far enough to know what may come back.

use super::grammar::operation;
use super::header::{HEADER_MAX, Header};

/// Length of a message id and its header.
const ID_MAX: usize = 2 + 4;
/// As much of a question as tells what it is.
const HEAD_MAX: usize = HEADER_MAX + ID_MAX + 1;
/// How many questions may be open. Those beyond are forgotten, the oldest first: they were given up long ago.
const OPEN_MAX: usize = 64;

/// The questions that have no end yet.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: Vec<(u32, Kind)>,
    /// The beginning of a question of which not enough was seen.
    head: Vec<u8>,
    /// How much of the present question is still to come.
    rest: u64,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bind,
    Search,
    Extended,
}

impl Kind {
    fn of(tag: u8) -> Option<Self> {
        match tag {
            0x60 => Some(Kind::Bind),
            0x63 => Some(Kind::Search),
            0x77 => Some(Kind::Extended),
            _ => None,
        }
    }

    fn is_answered_by(self, tag: u8) -> bool {
        match self {
            Kind::Bind => tag == operation::BIND,
            Kind::Search => matches!(
                tag,
                operation::ENTRY | operation::DONE | operation::REFERENCE | operation::INTERMEDIATE
            ),
            Kind::Extended => tag == operation::EXTENDED,
        }
    }
}

impl Questions {
    /// Follows what the client sends, in pieces of any size.
    pub(super) fn sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let passed = self.rest.min(bytes.len() as u64);
                bytes = &bytes[passed as usize..];
                self.rest -= passed;
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some(length) = self.recognise() {
                self.rest = length.saturating_sub(self.head.len() as u64);
                self.head.clear();
            }
        }
    }

    /// Whether an answer of this operation fits a question that is open.
    pub(super) fn await_answer(&self, id: u32, tag: u8) -> bool {
        self.open
            .iter()
            .any(|it| it.0 == id && it.1.is_answered_by(tag))
    }

    /// Whether none is open.
    pub(super) fn are_none(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the question is a search.
    pub(super) fn is_search(&self, id: u32) -> bool {
        self.open.contains(&(id, Kind::Search))
    }

    /// Forgets a question that was answered wholly.
    pub(super) fn ended(&mut self, id: u32) {
        self.open.retain(|it| it.0 != id);
    }

    /// Once enough was seen: takes down the question, and says how long it is in all.
    fn recognise(&mut self) -> Option<u64> {
        let outer = Header::read(&self.head).ok()??;
        let length = u64::from(outer.size) + u64::from(outer.length);
        let inner = &self.head[usize::from(outer.size)..];
        let id = Header::read(inner).ok()??;
        let id_end = usize::from(id.size) + id.length as usize;
        let Some(tag) = inner.get(id_end) else {
            // What is longer than any beginning is no question of ours; it is passed over.
            return (self.head.len() >= HEAD_MAX).then_some(length);
        };
        let id = number(&inner[usize::from(id.size)..id_end]);
        if let Some(kind) = Kind::of(*tag) {
            if self.open.len() == OPEN_MAX {
                self.open.remove(0);
            }
            self.open.push((id, kind));
        }
        Some(length)
    }
}

/// The number that the bytes of an INTEGER or ENUMERATED spell, none of which is negative here.
pub(super) fn number(bytes: &[u8]) -> u32 {
    let append = |number: u32, digit: &u8| number << 8 | u32::from(*digit);
    bytes.iter().fold(0, append)
}
