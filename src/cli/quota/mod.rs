//! `riverrun quota`: list, describe, set and unset.

mod command;

pub(super) use command::run;
