//! Makes a script from a seed.
//!
//! A script is a random walk over a few topics, groups and users. What is random is which request
//! comes next, its version, and which of its fields are wrong; what is not is when a group's parked
//! answers are due, for which each group is followed by a model ([`group`]).

mod administration;
mod configs;
mod group;
mod groups;
mod maker;
mod membership;
mod offsets;
mod records;
mod security;
mod topics;
mod walk;

pub(crate) use walk::{Theme, script};
