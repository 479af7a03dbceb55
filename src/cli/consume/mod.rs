//! `riverrun consume`: records in, lines out.
//!
//! ```text
//! command ─┬─► plan, reading   partitions as they were typed ─┬─► printer, silence
//!          └─► member          partitions as a group gives ───┘
//! ```

mod command;
mod member;
mod plan;
mod printer;
mod reading;
mod silence;

pub(super) use command::run;
