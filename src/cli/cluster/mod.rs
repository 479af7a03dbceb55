//! `riverrun cluster`: describe, and health.

mod command;
mod description;
mod health;
mod problem;

pub(super) use command::run;
