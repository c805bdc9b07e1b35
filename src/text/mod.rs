//! Words of the configuration and of the directories, taken apart once and for all: username and group
//! keys, globs over them, lengths of time, percentages, networks; and counted nouns and words that were meant, for what is said.
//!
//! Everything here is pure and knows nothing of the rest of the crate, so that every module may use it and
//! no two of them can fold a name in two ways.

mod count;
mod glob;
mod key;
mod nearest;
mod network;
mod percent;
mod span;

pub use count::counted;
pub use glob::{BadGlob, GlobFault, Globs};
pub use key::{NAME_BYTES_MAX, NameFault, fold, folded, name_key};
pub use nearest::nearest;
pub use network::{BadNetwork, Network};
pub use percent::{BadPercent, Percent};
pub use span::{BadSpan, Span};
