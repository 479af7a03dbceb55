//! UnregisterBroker (64): who belongs to the cluster.

use server::{Reply, Request};
use types::{ErrorCode, NodeId};
use wire::messages::unregister_broker::{Request as Body, Response};

use crate::handlers::message::{answer, decode, outcome};
use crate::shard::Shard;

/// Answers that a broker is unknown, or that it stays: the one there is runs.
pub(super) fn unregister_broker(shard: &Shard, request: &Request) -> Reply {
    let body: Body = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let id = body.broker_id;
    let (code, reason) = if shard.image().broker(NodeId(id)).is_none() {
        let reason = format!("Broker ID {id} is not currently registered");
        (ErrorCode::BrokerIdNotRegistered, reason)
    } else {
        // Kafka takes it out, and its clients find no broker any more.
        (ErrorCode::InvalidRequest, format!("broker {id} is running"))
    };
    let response = Response {
        error_code: code.code(),
        error_message: Some(reason),
        ..Default::default()
    };
    answer(&response, request.version, outcome([response.error_code]))
}
