//! usersyncd
