//! What the black-box tests share.

pub(crate) mod ask;
pub(crate) mod bomb;
pub(crate) mod broker;
pub(crate) mod caller;
pub(crate) mod coordinators;
pub(crate) mod librdkafka;
pub(crate) mod raw;
pub(crate) mod requests;

pub(crate) use broker::{Broker, Port, Scratch};
pub(crate) use caller::Caller;
