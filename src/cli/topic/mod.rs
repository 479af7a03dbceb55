//! `riverrun topic`: create, list, describe, alter and delete.

mod command;
mod description;
mod words;

pub(super) use command::run;
