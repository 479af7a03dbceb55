//! `groups`: consumer groups that join, grow and commit, as applications make them.
//!
//! ```text
//! join, large, commit ──► crowd: a thread's share of the groups ──► group: what each member asks next
//!          │                │ poller: which of the connections have answers
//!          │                └ caller ──► connection ──► wire
//!          └ coordinator: the groups' coordinator serves; groups deleted afterwards
//! ```
//!
//! Every member has a connection of its own, since the answer to a JoinGroup holds up what is behind it.
//! One thread for each core serves them all: it sleeps until some have answers, so that a latency ends
//! when its answer comes and not when its turn does. A group belongs to one thread.

pub(crate) mod commit;
pub(crate) mod join;
pub(crate) mod large;

mod caller;
mod coordinator;
mod crowd;
mod group;
mod phase;
mod poller;
