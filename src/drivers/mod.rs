//! Short loops around the machines of `replication/`: collect, decide, make durable, apply, answer.
//! A driver holds no rule of a protocol, a machine holds no file.

pub mod controller;
pub mod coordinator;
