//! One function per API: authorise, check limits, call one owner, shape the answer.
//!
//! [`Handlers`] is the one dispatch: a `match`, one line per API. No handler calls a handler.

mod by_owner;
pub mod configs;
mod dispatch;
mod failure;
pub mod fetch;
mod groups;
mod inquire;
mod log_dirs;
mod message;
mod metadata;
mod offsets;
mod produce;
mod producers;
mod quotas;
mod resolve;
mod topics;

pub use dispatch::Handlers;
