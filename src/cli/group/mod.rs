//! `riverrun group`: list, describe, lag, reset and delete.
//!
//! ```text
//! command ─┬─► description, lag ─► standing
//!          └─► reset ─► plan, standing
//! lag ─► ages
//! ```

mod ages;
mod command;
mod description;
mod lag;
mod plan;
mod reset;
mod standing;

pub(super) use command::run;
