//! What the black-box tests share.

pub mod bomb;
pub mod broker;
pub mod librdkafka;
pub mod raw;

pub use broker::{Broker, Scratch};
