//! A group as it runs: its members, what they are doing, and how a generation follows another.
//!
//! This is the soft state. It is built from the logged state when the log has been read, changed by
//! requests and timers, and lost with the process; members then join again.
//!
//! Which requests lead from one phase to another is in `rules`; here is what each step does to the
//! members.

mod generation;
mod live;
mod member;
mod protocols;

pub(crate) use live::{Gathering, Group, Phase};
pub(crate) use member::{Member, milliseconds};
