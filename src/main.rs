//! usersyncd
fn main() {}
