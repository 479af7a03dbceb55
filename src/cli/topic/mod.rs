//! `riverrun topic`: create, list, describe, alter and delete.

mod answer;
mod command;
mod description;

pub(super) use command::run;
