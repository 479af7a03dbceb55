//! The simulator: whole lives of a node, each from one seed, and what must hold of them.
//!
//! A life of kind *node* runs the real broker on the simulated machine of `runtime`, with clients
//! that speak the real protocol over simulated TCP, through crashes, power failures, slow and failing
//! disks, broken connections and restarts with other shard counts. What the clients saw is a history,
//! and checkers look at it. A life of kind *storage* drives a shard's store without a broker, with
//! truncations, which a single node never does.
//!
//! ```text
//!   command ─► campaign (many seeds, many processes) ─► life ─► history ─► checkers ─► outcome
//! ```
//!
//! Not here: the simulated machine itself (`engine/runtime/src/sim`), and rules of the product.
//! docs/TESTING.md says how to use it.

mod arguments;
mod campaign;
mod chance;
mod checkers;
mod command;
mod history;
mod life;
mod mutant;
mod node;
mod outcome;
mod payload;
mod seeds;
mod store;

pub use command::run;
