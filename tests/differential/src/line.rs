//! One connection to a broker: requests out, answers in, in their order.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use wire::{Malformed, Unencodable};

use crate::messages::{ANSWER_SIZE_MAX, Form};
use crate::tree::Tree;

/// For how long an answer is waited for before it counts as missing. Nothing that is compared takes
/// a hundredth of it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    client_id: String,
    correlation_next: i32,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The broker closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// Nothing came for as long as anyone waits.
    #[error("no answer came")]
    Missing,
    /// The answer is none.
    #[error("the answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The answer belongs to another request.
    #[error("the answer is that to another request")]
    OtherAnswer,
    /// The request cannot be written.
    #[error("the request cannot be written: {0}")]
    Unencodable(#[from] Unencodable),
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Missing,
            _ => Self::Closed,
        }
    }
}

impl Line {
    /// Connects.
    pub(crate) fn open(address: SocketAddr, client_id: String) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self {
            stream,
            client_id,
            correlation_next: 0,
        })
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, form: Form, body: &Tree) -> Result<(), Unanswered> {
        self.correlation_next += 1;
        let frame = form.request(self.correlation_next, &self.client_id, body)?;
        Ok(self.stream.write_all(&frame)?)
    }

    /// Waits for the answer to the request that was sent last.
    pub(crate) fn answer(&mut self, form: Form) -> Result<Tree, Unanswered> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length > ANSWER_SIZE_MAX.0 {
            return Err(Unanswered::OtherAnswer);
        }
        let mut frame = Vec::new();
        (&mut self.stream).take(length).read_to_end(&mut frame)?;
        let (correlation_id, tree) = form.response(&Bytes::from(frame))?;
        if correlation_id != self.correlation_next {
            return Err(Unanswered::OtherAnswer);
        }
        Ok(tree)
    }

    /// Returns whether something came in already.
    pub(crate) fn has_answer(&self) -> bool {
        let waiting = self.stream.set_nonblocking(true);
        let peeked = waiting.and_then(|()| self.stream.peek(&mut [0]));
        // Blocking again cannot fail where the opposite did not.
        peeked.is_ok() & self.stream.set_nonblocking(false).is_ok()
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&mut self, form: Form, body: &Tree) -> Result<Tree, Unanswered> {
        self.send(form, body)?;
        self.answer(form)
    }
}
