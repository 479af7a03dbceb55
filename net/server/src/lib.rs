//! The life of a connection: accepted, read, answered in order, ended.
//!
//! No knowledge of topics: what a request means is the business of the [`Service`], which the
//! broker implements.
//!
//! ```text
//!  shard 0      Acceptor ── bounds in total and per address, refuses by closing
//!                  │ Accepted + Ticket, to the shard with the fewest connections
//!  every shard  Server::serve
//!                  │
//!                reading half ── one task                     writing half ── one task
//!                  a place in the window      order.rs          the oldest reply, awaited
//!                  the frame's length                           head and small pieces copied together
//!                  memory for it              memory.rs         large pieces and file ranges as they are
//!                  the frame, its header                        nothing more ready? flush once
//!                  Service::call              service.rs
//!                  └─ Reply ──► [ window ] ───────────────────► the client
//! ```
//!
//! The reading half serves every frame that has arrived before it waits again, and only then does
//! the writing half run: answers to requests that came together leave together. No task, no timer
//! and no allocation of the server's own is spent on a single request.
//!
//! A service may have a connection move ([`Session::move_to`]) to the shard that does its work: reading
//! stops, what was read is answered, and the connection with its session and the bytes that are read
//! already becomes an [`Arrival`] there.
//!
//! A service may mute a connection ([`Session::mute`]): its next request is then not read before
//! the mute ends. For how long, [`quota`] may tell.
//!
//! Invariants, each kept by the module that is named:
//! 1. Answers leave in the order of their requests (`order.rs`).
//! 2. A connection has at most `requests_max` requests that are read and unanswered, and at most
//!    one answer in the making (`order.rs`, `writing.rs`).
//! 3. A frame is charged to the shard's memory before it is received, and what waits for memory
//!    holds none (`memory.rs`).
//! 4. A connection that neither moves nor waits for us is cut (`lifeline.rs`).
//! 5. One connection takes the shard for at most its window of requests, or one piece of an answer,
//!    or the time after which the runtime yields, before others have their turn (`reading.rs`,
//!    `writing.rs`).
//! 6. Every future of this crate may be dropped at any time; the connection is then gone, the
//!    counts and the memory returned.

mod admission;
mod arrival;
mod error;
mod lifeline;
mod link;
mod listener;
mod memory;
mod metrics;
mod options;
mod order;
pub mod quota;
mod reading;
mod server;
mod service;
mod session;
mod writing;

pub use admission::{ConnectionBounds, Ticket};
pub use arrival::{Arrival, Served};
pub use error::{Error, Refusal};
pub use listener::{Acceptor, AcceptorMetrics};
pub use metrics::{ApiMetrics, Metrics};
pub use options::ServerOptions;
pub use server::Server;
pub use service::{Answer, Outcome, Reply, Request, Response, Service};
pub use session::{ClientSoftware, Session};
