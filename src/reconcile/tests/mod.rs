//! The rules of the design, sections 2 to 4, one test each, over worlds that fit in a few lines.

mod answers;
mod identity;
mod resolution;
mod safety;
mod world;
