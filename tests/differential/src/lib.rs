//! The differential test: the same requests to two brokers, and their answers compared field by
//! field. One is a real Kafka; what it says is what riverrun has to say.
//!
//! ```text
//!   seed ─► generator ─► script ─┬─► run against the left broker  ─► outcomes ─► normal ─┐
//!                                └─► run against the right broker ─► outcomes ─► normal ─┴► compare
//! ```
//!
//! - a `script` is data: requests as trees that may refer to earlier answers, each with the
//!   moment at which its answer is due;
//! - a run (`broker`) binds the script to one broker: names, ids and generations;
//! - `normal` takes out what may differ, for the reasons that `allowed` gives;
//! - a difference is printed with the request and both answers, and how to see it again; `shrink`
//!   looks for fewer steps that show it.
//!
//! Not here: whether the answers are right. Kafka against Kafka has no difference; that is how the
//! test itself is tested. `.ci/differential` starts both brokers and runs it.

mod allowed;
mod arguments;
mod broker;
mod chance;
mod codec;
mod command;
mod compare;
mod coverage;
mod fence;
mod generator;
mod line;
mod messages;
mod normal;
mod script;
mod shrink;
mod tree;

pub use command::run;
