//! One blocking connection to a broker, as light as a client can be.
//!
//! Requests go out as the bytes they were made of, answers come in as whole frames whose memory is
//! used again. Versions are negotiated once, by ApiVersions version 0, which every broker answers.

use std::collections::BTreeMap;
use std::io::{self, BufReader, IoSlice, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use types::limits::FRAME_SIZE_MAX;
use wire::api::{ApiKey, VersionRange};
use wire::header::ResponseHeader;
use wire::messages::api_versions;
use wire::primitive::Text;
use wire::{Call, Message, frame};

use crate::error::Error;

/// What this program calls itself.
const CLIENT_ID: &str = "riverrun-bench";

/// How long a broker may take for an answer.
const ANSWER_WAIT: Duration = Duration::from_mins(1);

/// What one read from the socket may bring; larger frames are read straight into their place.
const READ_SIZE: usize = 64 << 10;

/// A connection: its two halves, and what was negotiated.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Where requests go.
    pub(crate) outgoing: Socket,
    /// Where answers come from.
    pub(crate) incoming: Incoming,
    versions: BTreeMap<i16, VersionRange>,
}

/// The half of a connection that brings answers.
#[derive(Debug)]
pub(crate) struct Incoming {
    reader: BufReader<Socket>,
    /// The memory of the last frame.
    spare: BytesMut,
}

/// A socket that one thread may write while another one reads, on one file descriptor: a run may
/// hold 10,000 of them.
#[derive(Clone, Debug)]
pub(crate) struct Socket(Arc<TcpStream>);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.0).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

impl Connection {
    /// Connects, and asks for the versions that the broker serves.
    pub(crate) fn open(address: &str) -> Result<Self, Error> {
        let connect = |source| Error::Connect {
            address: address.to_owned(),
            source,
        };
        let stream = TcpStream::connect(address).map_err(connect)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WAIT))?;
        stream.set_write_timeout(Some(ANSWER_WAIT))?;
        let outgoing = Socket::from(stream);
        let reader = BufReader::with_capacity(READ_SIZE, outgoing.clone());
        let incoming = Incoming {
            reader,
            spare: BytesMut::new(),
        };
        let mut connection = Self {
            outgoing,
            incoming,
            versions: BTreeMap::new(),
        };
        let answer = connection.call_in(&api_versions::Request::default(), 0)?;
        Error::check(ApiKey::ApiVersions, answer.error_code)?;
        for api in answer.api_keys {
            let range = VersionRange {
                min: api.min_version,
                max: api.max_version,
            };
            connection.versions.insert(api.api_key, range);
        }
        Ok(connection)
    }

    /// Returns the highest version of an API that both sides know.
    ///
    /// *Errors*: [`Error::NotServed`].
    pub(crate) fn version(&self, key: ApiKey) -> Result<i16, Error> {
        let theirs = self.versions.get(&key.wire());
        theirs
            .and_then(|theirs| key.api().served.highest_common(*theirs))
            .ok_or(Error::NotServed { key })
    }

    /// Sends a request and waits for its answer. No other may be on its way.
    pub(crate) fn call<C: Call>(&mut self, request: &C) -> Result<C::Response, Error> {
        self.call_in(request, self.version(C::KEY)?)
    }

    fn call_in<C: Call>(&mut self, request: &C, version: i16) -> Result<C::Response, Error> {
        Outgoing::of(request, version)?.send(&mut self.outgoing, 0)?;
        self.incoming.answer::<C, _>(version, 0, Ok)
    }
}

impl Incoming {
    /// Waits for the next frame, and reads it as the answer to the request sent as
    /// `correlation_id`.
    ///
    /// The response may share the frame's memory; what `read` returns should not, for then the next
    /// frame needs memory of its own.
    pub(crate) fn answer<C: Call, T>(
        &mut self,
        version: i16,
        correlation_id: i32,
        read: impl FnOnce(C::Response) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.frame(|frame| {
            let (header, body) = ResponseHeader::parse(frame, C::KEY.api(), version)?;
            if header.correlation_id != correlation_id {
                return Err(Error::AnswerOutOfOrder {
                    got: header.correlation_id,
                    want: correlation_id,
                });
            }
            read(C::Response::decode(&body, version)?)
        })
    }

    /// Returns whether more was read from the socket than was asked for: an answer, or its beginning.
    pub(crate) fn holds_more(&self) -> bool {
        !self.reader.buffer().is_empty()
    }

    fn frame<T>(&mut self, read: impl FnOnce(&Bytes) -> Result<T, Error>) -> Result<T, Error> {
        let mut length = [0; frame::LENGTH_SIZE];
        self.reader.read_exact(&mut length)?;
        let length = i32::from_be_bytes(length);
        let size_max = FRAME_SIZE_MAX.as_usize();
        let size = usize::try_from(length)
            .ok()
            .filter(|&size| size <= size_max);
        let size = size.ok_or_else(|| Error::FrameTooLarge {
            size: length.into(),
            size_max,
        })?;
        let mut memory = std::mem::take(&mut self.spare);
        if memory.len() < size {
            memory.resize(size, 0);
        }
        let place = memory.get_mut(..size).expect("resized to hold the frame");
        self.reader.read_exact(place)?;
        let memory = memory.freeze();
        let result = read(&memory.slice(..size));
        self.spare = memory.try_into_mut().unwrap_or_default();
        result
    }
}

/// Where the correlation id stands: behind length, key and version.
const CORRELATION_AT: std::ops::Range<usize> = 8..12;

/// Up to this size a request is one piece; beyond it, record bytes stay where they are.
const ONE_PIECE_SIZE_MAX: usize = 16 << 10;

/// A request ready to be sent any number of times, each time under another correlation id.
///
/// *Cost*: sending is one system call, and writes nothing but the correlation id.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// Length and header at least.
    head: Vec<u8>,
    /// What follows, in order.
    rest: Vec<Bytes>,
}

impl Outgoing {
    /// Writes a request.
    pub(crate) fn of<C: Call>(request: &C, version: i16) -> Result<Self, Error> {
        let client_id = Text::new(Bytes::from_static(CLIENT_ID.as_bytes()));
        let mut rest = frame::request(request, version, 0, client_id.as_ref())?;
        let size: usize = rest.iter().map(Bytes::len).sum();
        let mut head = Vec::new();
        while head.len() < CORRELATION_AT.end || (size <= ONE_PIECE_SIZE_MAX && !rest.is_empty()) {
            head.extend_from_slice(&rest.remove(0));
        }
        Ok(Self { head, rest })
    }

    /// Sends the request.
    pub(crate) fn send(
        &mut self,
        stream: &mut impl Write,
        correlation_id: i32,
    ) -> Result<(), Error> {
        let place = self.head.get_mut(CORRELATION_AT);
        place
            .expect("the head holds the request header")
            .copy_from_slice(&correlation_id.to_be_bytes());
        if self.rest.is_empty() {
            return Ok(stream.write_all(&self.head)?);
        }
        let pieces =
            std::iter::once(&self.head[..]).chain(self.rest.iter().map(|piece| &piece[..]));
        let mut slices: Vec<IoSlice<'_>> = pieces.map(IoSlice::new).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            match stream.write_vectored(left)? {
                0 => return Err(Error::Disconnected),
                written => IoSlice::advance_slices(&mut left, written),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use wire::messages::produce;

    use super::*;

    /// A request whose record bytes are one batch of this many bytes.
    fn request(size: usize) -> produce::Request {
        let partition = produce::PartitionData {
            index: 0,
            records: Some(Bytes::from(vec![7; size])),
        };
        produce::Request {
            acks: -1,
            topic_data: vec![produce::TopicData {
                name: "t".to_owned(),
                partition_data: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_request_arrives_whole_under_the_correlation_id_of_its_sending() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut receiver, _) = listener.accept().unwrap();
        for (size, correlation_id) in [(100, 1), (60 << 10, -2), (100, i32::MAX)] {
            let mut outgoing = Outgoing::of(&request(size), 9).unwrap();
            outgoing.send(&mut sender, correlation_id).unwrap();
            let mut length = [0; 4];
            receiver.read_exact(&mut length).unwrap();
            let length = usize::try_from(i32::from_be_bytes(length)).unwrap();
            let mut frame = vec![0; length];
            receiver.read_exact(&mut frame).unwrap();
            let (header, body) = wire::header::RequestHeader::parse(&frame.into()).unwrap();
            assert_eq!(header.correlation_id, correlation_id);
            assert_eq!(produce::Request::decode(&body, 9).unwrap(), request(size));
        }
    }

    #[test]
    fn an_announced_length_is_not_believed_beyond_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let broker = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(&i32::MAX.to_be_bytes()).unwrap();
                stream
            });
            Connection::open(&address)
        });
        assert!(matches!(broker, Err(Error::FrameTooLarge { .. })));
    }
}
