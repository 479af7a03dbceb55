//! What happened in one life, as its clients saw it: the material of the checkers.
//!
//! Events are kept in the order of virtual time. What was seen carries a [`Mark`] of when it was
//! asked for: only what was promised before the question binds the answer.

mod event;
mod group;
mod ids;
mod record;

pub(crate) use event::{Delivery, Durability, Event, Fault, Seen};
pub(crate) use group::{FoundOffset, GroupEvent};
pub(crate) use ids::{CommitNumber, Fingerprint, GroupNumber, LogName, RecordId, StreamId};
pub(crate) use record::{History, Mark};
