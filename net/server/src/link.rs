//! What the two halves of a connection share, and what all connections of a shard share.

use std::cell::RefCell;
use std::rc::Rc;

use types::Monotonic;
use wire::api::Api;

use crate::lifeline::Lifeline;
use crate::memory::{Answers, Budget, Charge};
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::order::Order;
use crate::service::Reply;
use crate::session::Session;

/// What all connections of a shard share.
pub(crate) struct Shared<S> {
    pub(crate) service: Rc<S>,
    pub(crate) options: ServerOptions,
    pub(crate) budget: Rc<Budget>,
    pub(crate) metrics: RefCell<Metrics>,
}

/// One connection, between its halves.
pub(crate) struct Link<S> {
    pub(crate) shared: Rc<Shared<S>>,
    pub(crate) session: Rc<Session>,
    pub(crate) order: Order<Pending>,
    pub(crate) lifeline: Lifeline,
}

/// A request that was read, on its way to being answered.
pub(crate) struct Pending {
    pub(crate) api: &'static Api,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) received: Monotonic,
    pub(crate) reply: Reply,
    /// For the frame; returned when the answer is there.
    pub(crate) charge: Charge,
    /// For an answer that is there already and is not small, so that a client that does not read
    /// cannot pile up answers; returned when its turn has come.
    pub(crate) waiting: Option<Answers>,
}
