//! DescribeUserScramCredentials (50), AlterUserScramCredentials (51): nobody logs in here, so nobody
//! has a password.

use std::collections::BTreeMap;

use server::{Reply, Request};
use types::ErrorCode;
use wire::messages::alter_user_scram_credentials as alter;
use wire::messages::describe_user_scram_credentials as describe;

use crate::handlers::message::{answer, decode, outcome};

/// The numbers of SCRAM-SHA-256 and SCRAM-SHA-512.
const MECHANISMS: std::ops::RangeInclusive<i8> = 1..=2;

/// How often a hash is repeated at least.
const ITERATIONS_MIN: i32 = 4_096;

/// How often a hash is repeated at most.
const ITERATIONS_MAX: i32 = 16_384;

/// Answers that no user has a password.
pub(super) fn describe_user_scram_credentials(request: &Request) -> Reply {
    let body: describe::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    for user in body.users.iter().flatten() {
        *users.entry(&user.name).or_default() += 1;
    }
    let results = users.into_iter().map(|(user, count)| {
        let (code, reason) = if count > 1 {
            let reason =
                "Cannot describe SCRAM credentials for the same user twice in a single request";
            (ErrorCode::DuplicateResource, reason)
        } else {
            let reason = "Attempt to describe a user credential that does not exist";
            (ErrorCode::ResourceNotFound, reason)
        };
        describe::UserResult {
            user: user.to_owned(),
            error_code: code.code(),
            error_message: Some(format!("{reason}: {user}")),
            ..Default::default()
        }
    });
    let response = describe::Response {
        // Kafka says nothing in so many words.
        error_message: Some(String::new()),
        results: results.collect(),
        ..Default::default()
    };
    let codes = outcome(response.results.iter().map(|result| result.error_code));
    answer(&response, request.version, codes)
}

/// Answers why no user gets or loses a password.
pub(super) fn alter_user_scram_credentials(request: &Request) -> Reply {
    let body: alter::Request = match decode(request) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let response = alter::Response {
        results: refusals(&body),
        ..Default::default()
    };
    let codes = outcome(response.results.iter().map(|result| result.error_code));
    answer(&response, request.version, codes)
}

/// One refusal per user: the first reason that Kafka would find, else ours.
fn refusals(body: &alter::Request) -> Vec<alter::UserResult> {
    let mut refused = BTreeMap::new();
    for gone in &body.deletions {
        let absent = "Attempt to delete a user credential that does not exist";
        let absent = (ErrorCode::ResourceNotFound, absent);
        let reason = check(&gone.name, gone.mechanism, None).unwrap_or(absent);
        refused.entry(gone.name.as_str()).or_insert(reason);
    }
    let useless = "SCRAM is not served: nobody logs in here";
    let useless = (ErrorCode::UnsupportedSaslMechanism, useless);
    let twice = "A user credential cannot be altered twice in the same request";
    let twice = (ErrorCode::DuplicateResource, twice);
    for set in &body.upsertions {
        let reason = check(&set.name, set.mechanism, Some(set.iterations)).unwrap_or(useless);
        let first = refused.entry(set.name.as_str());
        first
            .and_modify(|first| {
                if *first == useless {
                    *first = twice;
                }
            })
            .or_insert(reason);
    }
    let result = |(user, (code, reason)): (&str, Reason)| alter::UserResult {
        user: user.to_owned(),
        error_code: code.code(),
        error_message: Some(reason.to_owned()),
    };
    refused.into_iter().map(result).collect()
}

/// Why a password is not changed.
type Reason = (ErrorCode, &'static str);

/// What is wrong with a change in itself.
fn check(user: &str, mechanism: i8, iterations: Option<i32>) -> Option<Reason> {
    let unacceptable = |reason| Some((ErrorCode::UnacceptableCredential, reason));
    if user.is_empty() {
        return unacceptable("Username must not be empty");
    }
    if !MECHANISMS.contains(&mechanism) {
        let reason = "Unknown SCRAM mechanism";
        return Some((ErrorCode::UnsupportedSaslMechanism, reason));
    }
    match iterations {
        Some(..ITERATIONS_MIN) => unacceptable("Too few iterations"),
        Some(count) if count > ITERATIONS_MAX => unacceptable("Too many iterations"),
        Some(_) | None => None,
    }
}
