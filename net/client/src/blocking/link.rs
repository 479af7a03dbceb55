//! One socket: written by its owner, read by a thread of its own.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use types::ByteCount;

use crate::connection::{Connection, Outgoing};
use crate::error::Error;

/// The longest answer that is read.
const ANSWER_SIZE_MAX: ByteCount = ByteCount::mib(256);

/// A link's number; never used a second time by one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkId(pub(super) u64);

/// What a reading thread tells: a frame, or why there are no more.
pub(super) type Incoming = (LinkId, io::Result<Bytes>);

/// A socket with its connection. Dropping it ends both, and the thread.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) address: String,
    pub(super) connection: Connection,
    stream: TcpStream,
}

impl Link {
    /// Connects to the first of the host's addresses that answers.
    pub(super) fn open(
        (id, address): (LinkId, &str),
        client_id: &str,
        timeout: Duration,
        inbox: &SyncSender<Incoming>,
    ) -> Result<Self, Error> {
        let unreachable = |source| Error::Unreachable {
            address: address.to_owned(),
            source,
        };
        let stream = dial(address, timeout).map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        // A broker that takes nothing for so long is gone.
        stream
            .set_write_timeout(Some(timeout))
            .map_err(unreachable)?;
        let reading = stream.try_clone().map_err(unreachable)?;
        let inbox = inbox.clone();
        let builder = thread::Builder::new().name("client-read".to_owned());
        let reader = builder.spawn(move || read_frames(reading, id, &inbox));
        reader.map_err(unreachable)?;
        Ok(Self {
            id,
            address: address.to_owned(),
            connection: Connection::new(client_id),
            stream,
        })
    }

    /// Sends a request; returns when the kernel has taken it.
    pub(super) fn send(&mut self, outgoing: &Outgoing) -> Result<(), Error> {
        let written = write_all(&mut self.stream, &outgoing.pieces);
        written.map_err(|source| self.broken(source))
    }

    /// Says that this link broke.
    pub(super) fn broken(&self, source: io::Error) -> Error {
        Error::Broken {
            address: self.address.clone(),
            source,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Wakes the reading thread; a socket that is gone already needs no waking.
        let _gone_already = self.stream.shutdown(Shutdown::Both);
    }
}

fn dial(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for resolved in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&resolved, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Small pieces are joined, so that a small request is one packet.
fn write_all(stream: &mut TcpStream, pieces: &[Bytes]) -> io::Result<()> {
    const JOINED_SIZE_MAX: usize = 64 * 1024;
    let mut joined = Vec::new();
    for piece in pieces {
        if joined.len() + piece.len() > JOINED_SIZE_MAX {
            stream.write_all(&joined)?;
            joined.clear();
        }
        if piece.len() > JOINED_SIZE_MAX {
            stream.write_all(piece)?;
        } else {
            joined.extend_from_slice(piece);
        }
    }
    stream.write_all(&joined)
}

/// Reads frames until the socket ends, fails or is shut down, or nobody listens any more.
fn read_frames(mut stream: TcpStream, id: LinkId, inbox: &SyncSender<Incoming>) {
    loop {
        let frame = read_frame(&mut stream);
        let over = frame.is_err();
        if inbox.send((id, frame)).is_err() || over {
            return;
        }
    }
}

/// Reads one frame, without its length. Memory grows with what arrives, not with what is announced.
fn read_frame(stream: &mut impl Read) -> io::Result<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u64::try_from(i32::from_be_bytes(length)).ok();
    let Some(length) = length.filter(|&length| length <= ANSWER_SIZE_MAX.0) else {
        let text = "the answer's length is negative or above the limit";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    };
    let mut frame = Vec::new();
    let read = stream.take(length).read_to_end(&mut frame)?;
    if ByteCount::from(read).0 < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Bytes::from(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_whole_or_not_at_all() {
        let bytes = [0, 0, 0, 2, 7, 8, 0, 0, 0, 3, 9];
        let mut stream = &bytes[..];
        assert_eq!(read_frame(&mut stream).unwrap(), [7, 8][..]);
        let cut = read_frame(&mut stream).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
        for announced in [-1, i32::MIN, i32::MAX] {
            let refused = read_frame(&mut &announced.to_be_bytes()[..]).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{announced}");
        }
    }
}
