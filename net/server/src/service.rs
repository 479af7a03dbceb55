//! The contract between the server and the broker's handlers.
//!
//! ```text
//!  frame ─► Service::call(session, request).await ─► Reply ─► its place in the order ─► the client
//!           "its place in every log is fixed"        Now | Later(future) | None | Close
//! ```
//!
//! Stage one is `call`: while it runs, the next request of the *same* connection is not read, so
//! whatever fixes an order (an append put into a partition's queue) is done before it returns.
//! Stage two is the [`Reply`]: a [`Reply::Later`] resolves when the answer may be sent, and the
//! connection goes on reading meanwhile.
//!
//! What a service may rely on, and what it must bear:
//! 1. Answers leave in the order of their requests, whatever the order in which they resolve.
//! 2. A `Later` is polled only when every answer before it has left. So it must be a *wait* for
//!    work that goes on elsewhere, or work that may begin late; its deadlines count from
//!    [`Request::received`]. In turn at most one answer per connection is built at a time.
//! 3. Both futures are dropped when the connection is cut, at any `.await`: work that must be
//!    finished belongs to a task of its own.
//! 4. The memory charged for a request is returned when its answer has resolved: whatever keeps
//!    a slice of [`Request::body`] longer must count it itself.

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use runtime::Chunk;
use types::{ByteCount, ClientId, Monotonic};
use wire::api::ApiKey;
use wire::frame::Part;
use wire::primitive::Writer;

use crate::error::Refusal;
use crate::session::Session;

/// What answers requests: implemented once, by the broker.
pub trait Service: 'static {
    /// Serves one request. Called in the order of arrival, one at a time per connection, many at a
    /// time per shard.
    ///
    /// *Cost*: the future is part of its connection's task, idle connections included: box what is
    /// large and not on the hot path.
    fn call(&self, session: &Rc<Session>, request: Request) -> impl Future<Output = Reply>;
}

/// One request, its header checked: the API is served in this version.
#[derive(Debug)]
pub struct Request {
    /// Which API.
    pub key: ApiKey,
    /// In which version.
    pub version: i16,
    /// What the client calls itself.
    pub client_id: ClientId,
    /// What follows the header, unchecked; a slice of the frame.
    pub body: Bytes,
    /// When the frame was complete.
    pub received: Monotonic,
    /// Whether every request before it is answered.
    pub alone: bool,
}

/// What becomes of a request.
pub enum Reply {
    /// The answer is there.
    Now(Response),
    /// The answer comes when this resolves.
    Later(Pin<Box<dyn Future<Output = Answer>>>),
    /// The client wants no answer (`acks=0`).
    None,
    /// The connection is closed once the answers before this one have left.
    Close(Refusal),
}

impl Reply {
    /// Wraps a future as a reply that comes later.
    pub fn later(answer: impl Future<Output = Answer> + 'static) -> Self {
        Self::Later(Box::pin(answer))
    }
}

/// What a [`Reply::Later`] resolves to.
pub enum Answer {
    /// The answer.
    Response(Response),
    /// The client wants no answer after all.
    None,
    /// The connection is closed once the answers before this one have left.
    Close(Refusal),
}

/// An answer's body: what follows the response header.
#[derive(Debug)]
pub struct Response {
    body: Body,
    outcome: Outcome,
    begins_with_throttle: bool,
}

/// Whether an answer carries an error code, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was asked for was done.
    Served,
    /// At least a part failed.
    Failed,
}

/// Most answers are one piece, and then need no list.
#[derive(Debug)]
enum Body {
    One(Chunk),
    Many(Vec<Chunk>),
}

impl Response {
    /// Makes an answer of pieces that follow each other.
    pub fn new(chunks: Vec<Chunk>) -> Self {
        Self {
            body: Body::Many(chunks),
            outcome: Outcome::Served,
            begins_with_throttle: false,
        }
    }

    /// Marks whether the answer carries an error.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Says that the body begins with an int32: the milliseconds for which the client is asked to
    /// keep still.
    #[must_use]
    pub fn beginning_with_throttle(mut self) -> Self {
        self.begins_with_throttle = true;
        self
    }

    /// Tells the client for how many milliseconds to keep still, if the body has a place for it at
    /// its beginning.
    ///
    /// *Cost*: one small allocation; the body is not copied.
    pub fn tell_throttle(&mut self, throttle_ms: i32) {
        const FIELD_SIZE: usize = size_of::<i32>();
        if !self.begins_with_throttle {
            return;
        }
        if let Body::One(Chunk::Memory(body)) = &self.body
            && body.len() >= FIELD_SIZE
        {
            let field = Bytes::copy_from_slice(&throttle_ms.to_be_bytes());
            let rest = body.slice(FIELD_SIZE..);
            self.body = Body::Many(vec![Chunk::Memory(field), Chunk::Memory(rest)]);
            self.begins_with_throttle = false;
        }
    }

    /// Returns whether the answer carries an error.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the number of bytes of the body.
    pub fn size(&self) -> ByteCount {
        ByteCount(self.chunks().iter().map(|chunk| chunk.size().0).sum())
    }

    /// Returns the bytes of the body that are in memory.
    pub(crate) fn memory(&self) -> ByteCount {
        let in_memory = |chunk: &&Chunk| matches!(chunk, Chunk::Memory(_));
        let chunks = self.chunks().iter().filter(in_memory);
        ByteCount(chunks.map(|chunk| chunk.size().0).sum())
    }

    /// Returns the pieces in order.
    pub fn chunks(&self) -> &[Chunk] {
        match &self.body {
            Body::One(chunk) => std::slice::from_ref(chunk),
            Body::Many(chunks) => chunks,
        }
    }

    /// Takes the pieces in order.
    pub(crate) fn into_chunks(self) -> impl Iterator<Item = Chunk> {
        let (one, many) = match self.body {
            Body::One(chunk) => (Some(chunk), Vec::new()),
            Body::Many(chunks) => (None, chunks),
        };
        one.into_iter().chain(many)
    }
}

impl From<Bytes> for Response {
    fn from(body: Bytes) -> Self {
        Self {
            body: Body::One(Chunk::Memory(body)),
            outcome: Outcome::Served,
            begins_with_throttle: false,
        }
    }
}

/// What a message's `encode` gives: record bytes in it stay pieces of their own.
impl From<Writer> for Response {
    fn from(body: Writer) -> Self {
        Self::new(body.into_parts().into_iter().map(Chunk::Memory).collect())
    }
}

/// What a writer of large answers gives: memory and file ranges in their places.
impl From<Vec<Part<Chunk>>> for Response {
    fn from(parts: Vec<Part<Chunk>>) -> Self {
        let chunks = parts.into_iter().map(|part| match part {
            Part::Bytes(bytes) => Chunk::Memory(bytes),
            Part::Payload(chunk, size) => {
                assert_eq!(
                    chunk.size(),
                    ByteCount::from(size),
                    "a payload has the size announced"
                );
                chunk
            }
        });
        Self::new(chunks.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(response: Response) -> Vec<u8> {
        let chunks = response.into_chunks().flat_map(|chunk| match chunk {
            Chunk::Memory(bytes) => bytes.to_vec(),
            Chunk::File { .. } => unreachable!("nothing here is in a file"),
        });
        chunks.collect()
    }

    #[test]
    fn the_throttle_time_is_told_where_there_is_a_place_for_it() {
        let body = || Response::from(Bytes::from_static(b"\0\0\0\0rest"));
        let mut without = body();
        without.tell_throttle(258);
        assert_eq!(bytes(without), b"\0\0\0\0rest");
        let mut with = body().beginning_with_throttle();
        with.tell_throttle(258);
        assert_eq!(with.size(), ByteCount(8));
        assert_eq!(bytes(with), b"\0\0\x01\x02rest");
    }
}
