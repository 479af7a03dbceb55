//! Control-plane requests in and out: decode the body, encode the answer.

use server::{Answer, Outcome, Refusal, Reply, Request, Response};
use types::ErrorCode;
use wire::{Call, Message};

/// Reads a request's body, or says how to refuse it.
pub(super) fn decode<C: Call>(request: &Request) -> Result<C, Reply> {
    C::decode(&request.body, request.version)
        .map_err(|malformed| Reply::Close(Refusal::Malformed(malformed)))
}

/// Writes an answer.
///
/// An answer that its version cannot say is a mistake of the handler, but a client chose the version:
/// it costs that client its connection, not everybody the process.
pub(super) fn answer<M: Message>(message: &M, version: i16, outcome: Outcome) -> Reply {
    match written(message, version, outcome) {
        Ok(response) => Reply::Now(response),
        Err(refusal) => Reply::Close(refusal),
    }
}

/// Writes an answer that comes later, as [`answer`] does.
pub(super) fn answer_later<M: Message>(message: &M, version: i16, outcome: Outcome) -> Answer {
    match written(message, version, outcome) {
        Ok(response) => Answer::Response(response),
        Err(refusal) => Answer::Close(refusal),
    }
}

fn written<M: Message>(message: &M, version: i16, outcome: Outcome) -> Result<Response, Refusal> {
    match message.encode(version) {
        Ok(body) => {
            let response = Response::from(body.into_bytes()).with_outcome(outcome);
            Ok(if M::begins_with_throttle(version) {
                response.beginning_with_throttle()
            } else {
                response
            })
        }
        Err(error) => {
            tracing::error!(api = M::KEY.api().name, version, %error, "an answer does not fit");
            Err(Refusal::Unanswerable(ErrorCode::UnknownServerError))
        }
    }
}

/// Says whether an answer counts as failed, by its error codes.
pub(super) fn outcome(codes: impl IntoIterator<Item = i16>) -> Outcome {
    if codes.into_iter().any(|code| code != 0) {
        Outcome::Failed
    } else {
        Outcome::Served
    }
}
