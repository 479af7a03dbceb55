//! The admin port: metrics, health and readiness by HTTP, for machines. One request a connection.

mod http;
mod lags;
mod pages;
mod port;

pub use port::Admin;
