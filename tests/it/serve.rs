//! The Crowd that is served: every resource in both formats, and what anybody gets who asks for something else. A raw client
//! says exactly what stands in the tests.

mod authentication;
mod bad_input;
mod callers;
mod certificates;
mod connections;
mod late_bodies;
mod resources;
mod streams;
mod tokens;
