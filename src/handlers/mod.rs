//! One function per API: authorise, check limits, call one owner, shape the answer.
//!
//! [`Handlers`] is the one dispatch: a `match`, one line per API. No handler calls a handler.

mod acls;
mod bounds;
mod brokers;
mod by_owner;
pub mod configs;
mod dispatch;
mod failure;
mod features;
pub mod fetch;
mod groups;
mod home;
mod inquire;
mod log_dirs;
mod message;
mod metadata;
mod offsets;
mod placement;
mod produce;
mod producers;
mod quotas;
mod resolve;
mod scram;
mod topics;
mod transactions;

pub use dispatch::Handlers;
