//! Google Workspace, polled over the Directory API of the Admin SDK: complete or not at all.

mod api;
pub mod config;
mod fault;
