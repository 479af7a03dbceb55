//! DescribeAcls (29), CreateAcls (30), DeleteAcls (31): a broker without security has no rules.
//!
//! *Source*: the answers of Kafka 4.3 without an authorizer.

use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::{create_acls, delete_acls, describe_acls};

use crate::handlers::message::{answer, decode, outcome};

const DISABLED: i16 = ErrorCode::SecurityDisabled as i16;

/// The reason in words; Kafka's tools print it.
const REASON: &str = "No Authorizer is configured.";

/// Answers that there are no rules to tell.
pub(super) fn describe_acls(request: &Request) -> Reply {
    if let Err(refusal) = decode::<describe_acls::Request>(request) {
        return refusal;
    }
    let response = describe_acls::Response {
        error_code: DISABLED,
        error_message: Some("No Authorizer is configured on the broker".to_owned()),
        ..Default::default()
    };
    answer(&response, request.version, outcome([DISABLED]))
}

/// Answers that no rule can be added.
pub(super) fn create_acls(request: &Request) -> Reply {
    let body: create_acls::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let refused = |_| create_acls::CreationResult {
        error_code: DISABLED,
        error_message: Some(REASON.to_owned()),
    };
    let response = create_acls::Response {
        results: body.creations.iter().map(refused).collect(),
        ..Default::default()
    };
    let codes = outcome(response.results.iter().map(|result| result.error_code));
    answer(&response, request.version, codes)
}

/// Answers that there are no rules to take away.
pub(super) fn delete_acls(request: &Request) -> Reply {
    let body: delete_acls::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let refused = |_| delete_acls::FilterResult {
        error_code: DISABLED,
        error_message: Some(REASON.to_owned()),
        ..Default::default()
    };
    let response = delete_acls::Response {
        filter_results: body.filters.iter().map(refused).collect(),
        ..Default::default()
    };
    let codes = outcome(response.filter_results.iter().map(|it| it.error_code));
    answer(&response, request.version, codes)
}
