//! The reading half: frames in, calls of the service in their order.
//!
//! One round: a place in the window, the frame's length, the end of a mute, memory, the frame, the call. Everything
//! up to the frame may be dropped when the server drains; a call is finished unless the connection
//! is cut.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use runtime::{Either, FrameReader};
use types::{ByteCount, Monotonic, ShardId};
use wire::Message;
use wire::api::{Api, ApiKey};
use wire::header::{HeaderError, RequestHeader};
use wire::messages::api_versions;

use crate::error::Error;
use crate::lifeline::Reading;
use crate::link::{Link, Pending};
use crate::memory::Charge;
use crate::service::{Outcome, Reply, Request, Response, Service};
use crate::session::Session;

/// Answers up to this size wait in the window without being charged.
const UNCHARGED_MAX: ByteCount = ByteCount::kib(1);

/// A mute may last for ever, a timer may not.
const NAP_MAX: Duration = Duration::from_hours(1);

/// Whether more requests are read after one.
#[derive(PartialEq, Eq)]
enum Next {
    Read,
    Stop,
}

/// Why reading ended, if not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// The client ended its side between two frames.
    ByClient,
    /// The server drains, or the service refused a request; the client may still be sending.
    Stopped,
    /// The connection is to move; the client may still be sending.
    Moves(ShardId),
}

/// Reads and calls until the client ends its side, the server drains, or something is wrong.
pub(crate) async fn read_requests<S: Service>(
    link: &Rc<Link<S>>,
    reader: &mut FrameReader,
) -> Result<ReadEnd, Error> {
    loop {
        let next = {
            let frame = pin!(next_frame(link, reader));
            runtime::race(link.lifeline.draining(), frame).await
        };
        let Either::Right(frame) = next else {
            return Ok(ReadEnd::Stopped);
        };
        let Some((frame, charge)) = frame? else {
            return Ok(ReadEnd::ByClient);
        };
        if take_on(link, frame, charge).await? == Next::Stop {
            return Ok(ReadEnd::Stopped);
        }
        link.lifeline.reading.set(Reading::Serving);
        if let Some(shard) = link.session.moves_to() {
            return Ok(ReadEnd::Moves(shard));
        }
        // A connection that always has a frame ready must not keep the others waiting.
        runtime::yield_if_due().await;
    }
}

/// Waits for the next frame and everything it needs; `None` at the client's end.
async fn next_frame<S>(
    link: &Link<S>,
    reader: &mut FrameReader,
) -> Result<Option<(Bytes, Charge)>, Error> {
    let (options, lifeline) = (&link.shared.options, &link.lifeline);
    link.order.vacancy().await;
    if !reader.has_frame() {
        lifeline.reading.set(Reading::Quiet {
            since: runtime::recently(),
        });
    }
    let announced = reader.announced_size(options.frame_max).await;
    let Some(length) = announced.map_err(frame_error)? else {
        return Ok(None);
    };
    lifeline.reading.set(Reading::Serving);
    // Here and not earlier: an answer may have muted the connection while this waited for the length.
    unmuted(&link.session).await;
    let charge = link.shared.budget.charge_frame(length).await;
    if !reader.has_frame() {
        lifeline.reading.set(Reading::Frame {
            since: runtime::recently(),
            length,
        });
    }
    let frame = reader.frame(options.frame_max).await.map_err(frame_error)?;
    lifeline.reading.set(Reading::Serving);
    Ok(frame.map(|frame| (frame, charge)))
}

/// Waits until the connection is not muted.
///
/// *Cost*: one comparison if it never was.
async fn unmuted(session: &Session) {
    while session.muted_until() > Monotonic::ZERO {
        let now = runtime::now();
        if now >= session.muted_until() {
            return;
        }
        let nap_end = now.after(NAP_MAX).min(session.muted_until());
        runtime::sleep_until(nap_end).await;
    }
}

/// Calls the service for one frame and gives the reply its place.
async fn take_on<S: Service>(
    link: &Rc<Link<S>>,
    frame: Bytes,
    charge: Charge,
) -> Result<Next, Error> {
    let received = runtime::now();
    let (header, body) = match RequestHeader::parse(&frame) {
        Ok(parsed) => parsed,
        Err(HeaderError::UnknownVersion {
            key: ApiKey::ApiVersions,
            correlation_id,
            ..
        }) => {
            enter_unsupported_version(link, correlation_id, received, charge);
            return Ok(Next::Read);
        }
        Err(error) => return Err(Error::Header(error)),
    };
    link.session.note_request(header.client_id.as_deref());
    let api = header.key.api();
    link.shared
        .metrics
        .borrow_mut()
        .read(api.key, ByteCount::of(&frame));
    drop(frame); // the body keeps what is needed of it
    let request = Request {
        key: api.key,
        version: header.version,
        client_id: link.session.client_id(),
        body,
        received,
        alone: link.order.unanswered() == 0,
    };
    let reply = link.shared.service.call(&link.session, request).await;
    let mut waiting = None;
    let next = match &reply {
        Reply::None => {
            let took = runtime::now().since(received);
            let mut metrics = link.shared.metrics.borrow_mut();
            metrics.answered(api.key, ByteCount::ZERO, Outcome::Served, took);
            return Ok(Next::Read);
        }
        Reply::Close(_) => Next::Stop,
        Reply::Now(response) if response.memory() > UNCHARGED_MAX => {
            waiting
                .insert(link.shared.budget.answers())
                .charge(response.memory());
            Next::Read
        }
        Reply::Now(_) | Reply::Later(_) => Next::Read,
    };
    let (version, correlation_id) = (header.version, header.correlation_id);
    link.order.enter(Pending {
        api,
        version,
        correlation_id,
        received,
        reply,
        charge,
        waiting,
    });
    Ok(next)
}

/// Answers an ApiVersions of a version that is not served, so that the client can ask again.
///
/// *Source*: KIP-511: version 0, error 35, and the one row that tells which versions are served.
fn enter_unsupported_version<S>(
    link: &Link<S>,
    correlation_id: i32,
    received: Monotonic,
    charge: Charge,
) {
    const API: &Api = ApiKey::ApiVersions.api();
    let body = api_versions::Response::unsupported_version().encode(0);
    let body = body.expect("version 0 has a place for each of its fields");
    let response = Response::from(body).with_outcome(Outcome::Failed);
    link.order.enter(Pending {
        api: API,
        version: 0,
        correlation_id,
        received,
        reply: Reply::Now(response),
        charge,
        waiting: None,
    });
}

fn frame_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::FrameLength(error),
        _ => Error::Io(error),
    }
}
