//! DescribeTransactions (65), ListTransactions (66): there are none.

use std::collections::BTreeSet;

use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::{describe_transactions, list_transactions};

use crate::handlers::message::{answer, decode, outcome};

/// The states that a transaction can be in.
///
/// *Source*: the names in Kafka 4.3's `TransactionState`.
const STATES: &[&str] = &[
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// Answers that nobody knows these transactions.
pub(super) fn describe_transactions(request: &Request) -> Reply {
    let body: describe_transactions::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let unknown = |id: String| describe_transactions::Transaction {
        error_code: if id.is_empty() {
            ErrorCode::InvalidRequest.code()
        } else {
            ErrorCode::TransactionalIdNotFound.code()
        },
        transactional_id: id,
        ..Default::default()
    };
    let response = describe_transactions::Response {
        transaction_states: body.transactional_ids.into_iter().map(unknown).collect(),
        ..Default::default()
    };
    let codes = outcome(response.transaction_states.iter().map(|it| it.error_code));
    answer(&response, request.version, codes)
}

/// Answers that no transaction is under way, and which states nobody knows.
///
/// The pattern of transactional ids is not read: there is nothing for it to match.
pub(super) fn list_transactions(request: &Request) -> Reply {
    let body: list_transactions::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let unknown: BTreeSet<String> = body
        .state_filters
        .into_iter()
        .filter(|state| !STATES.contains(&state.as_str()))
        .collect();
    let response = list_transactions::Response {
        unknown_state_filters: unknown.into_iter().collect(),
        ..Default::default()
    };
    answer(&response, request.version, outcome([]))
}
