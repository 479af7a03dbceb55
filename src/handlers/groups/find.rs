//! FindCoordinator (10): which broker keeps a group.

use std::rc::Rc;

use coordinator::GroupId;
use server::{Reply, Request, Session};
use types::ErrorCode;
use wire::messages::find_coordinator::{self, Coordinator, KEY_GROUP, KEY_TRANSACTION};

use crate::drivers::coordinator::ensure_topic;
use crate::handlers::failure;
use crate::handlers::message::{answer, decode, outcome};
use crate::handlers::metadata::{Address, own_address};
use crate::shard::Shard;

use super::parse;

/// From this version on a request names many keys.
const BATCHED_VERSION: i16 = 4;

/// Answers where the coordinators of some keys are: here, if they are those of groups.
pub(in crate::handlers) async fn find_coordinator(
    shard: &Rc<Shard>,
    session: &Rc<Session>,
    request: &Request,
) -> Reply {
    let body: find_coordinator::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let batched = request.version >= BATCHED_VERSION;
    let keys = if batched {
        body.coordinator_keys
    } else {
        vec![body.key]
    };
    let served = serve(shard, body.key_type).await;
    let found: Vec<Coordinator> = keys
        .into_iter()
        .map(|key| {
            let here = served.clone().and_then(|()| {
                let known = parse::<GroupId>(&key).map(|_| own_address(shard, session));
                known.map_err(|code| (code, None))
            });
            coordinator(shard, key, here)
        })
        .collect();
    let codes = outcome(found.iter().map(|coordinator| coordinator.error_code));
    let mut response = find_coordinator::Response::default();
    if batched {
        response.coordinators = found;
    } else if let Some(found) = found.into_iter().next() {
        response.error_code = found.error_code;
        response.error_message = found.error_message;
        response.node_id = found.node_id;
        response.host = found.host;
        response.port = found.port;
    }
    answer(&response, request.version, codes)
}

type Failure = (ErrorCode, Option<String>);

/// Makes sure that coordinators of a kind can be found here.
async fn serve(shard: &Rc<Shard>, key_type: i8) -> Result<(), Failure> {
    match key_type {
        KEY_GROUP => ensure_topic(shard).await.map_err(|error| {
            (
                ErrorCode::CoordinatorNotAvailable,
                Some(failure::text(&error)),
            )
        }),
        KEY_TRANSACTION => Err((
            ErrorCode::UnsupportedVersion,
            Some("transactions are not served".to_owned()),
        )),
        _ => Err((ErrorCode::InvalidRequest, None)),
    }
}

fn coordinator(shard: &Shard, key: String, here: Result<Address, Failure>) -> Coordinator {
    match here {
        Ok(address) => Coordinator {
            key,
            node_id: shard.node().0,
            host: address.host,
            port: address.port.into(),
            ..Default::default()
        },
        Err((code, error_message)) => Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code: code.code(),
            error_message,
            ..Default::default()
        },
    }
}
