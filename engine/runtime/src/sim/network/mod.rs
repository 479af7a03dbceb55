//! The simulated network: connections between hosts, with latency, bounded windows, half-close and
//! resets.
//!
//! | file | noun |
//! |---|---|
//! | `pipe` | one direction of a connection |
//! | `socket` | one side of a connection: two pipes |
//! | `registry` | who listens where, and which connections there are |
//! | `stream` | the operations of the public layer |

mod pipe;
mod registry;
mod socket;
pub(crate) mod stream;

pub(crate) use registry::Network;
