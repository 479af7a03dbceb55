//! The rules, one file per family of requests. Each takes a [`Context`] and changes nothing.
//!
//! | file | requests |
//! |---|---|
//! | `topics` | create, delete |
//! | `partitions` | add partitions |
//! | `placement` | which brokers hold a partition, chosen here or by the client |
//! | `configs` | replace, edit |
//! | `quotas` | change |
//! | `producer_ids` | take a block |
//! | `brokers` | register |
//! | `draft` | what all of them share: the image as it will be, and the records so far |

pub(crate) mod brokers;
pub(crate) mod configs;
mod draft;
pub(crate) mod partitions;
mod placement;
pub(crate) mod producer_ids;
pub(crate) mod quotas;
pub(crate) mod topics;

pub(crate) use draft::Context;
