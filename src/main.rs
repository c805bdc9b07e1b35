//! The daemon's process. Everything is in the library.

fn main() {}
