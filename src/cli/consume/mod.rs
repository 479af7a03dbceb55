//! `riverrun consume`: records in, lines out.

mod command;
mod plan;
mod reading;

pub(super) use command::run;
