//! Decides what the cluster looks like: topics, partitions, configs, quotas, brokers, producer ids.
//!
//! A log-backed machine without I/O, clock or randomness. [`Controller::decide`] judges a request
//! against the present [`Image`] and answers with records; the caller makes them durable in the
//! metadata log; [`Controller::apply`] then changes the image, one record at a time. Replay after a
//! restart calls `apply` too, and every shard keeps a copy of the image by applying the same records.
//!
//! ```text
//! request ──► decide(now) ──► records, reply (held back)
//!                                │
//!                         metadata log, durable
//!                                │
//!                 apply(record) ─┴─► image of every shard, then the reply
//! ```
//!
//! Today the log has one voter, its own node: durable here is committed. A quorum will stand between
//! `decide` and `apply` without changing either.
//!
//! Invariants:
//! 1. `apply` is the only writer of an image; equal records make equal images.
//! 2. Every record is one whole change: a crash between two records of a decision leaves an image
//!    that is consistent, with the earlier ones done.
//! 3. An incarnation, a producer id and a broker epoch are given out at most once, ever.
//! 4. A record that `decide` made is one that `apply` accepts, as long as nothing was applied in
//!    between: the caller takes decisions one at a time.
//!
//! | module | what |
//! |---|---|
//! | [`Controller`] | the machine: settings, schema, image |
//! | [`request`] | what may be asked, and what is answered |
//! | `decide` | one file per family of requests |
//! | [`record`] | the records and their bytes |
//! | [`image`] | the state; `apply` changes it |
//! | [`quota`] | for whom quotas are, of what, and which is in force |
//! | [`snapshot`] | an image as bytes |
//! | [`schema`] | what the controller asks about config names and values |

mod apply;
mod archive;
mod controller;
mod decide;
mod error;
pub mod image;
pub mod quota;
pub mod record;
pub mod request;
pub mod schema;
mod settings;
pub mod snapshot;

pub use apply::ApplyError;
pub use archive::FieldError;
pub use controller::Controller;
pub use error::DecideError;
pub use image::Image;
pub use record::Record;
pub use request::{Decision, Reply, Request};
pub use schema::{ConfigRefusal, ConfigSchema, ResourceKind};
pub use settings::Settings;
