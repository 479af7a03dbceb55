//! A client with a name that sends our own codec's requests over a plain connection.

use std::net::SocketAddr;

use bytes::Bytes;
use wire::header::ResponseHeader;
use wire::primitive::Text;
use wire::{Call, Message as _};

use super::raw::Raw;

const CORRELATION_ID: i32 = 7;

/// A connection of a client with a name.
pub(crate) struct Caller {
    raw: Raw,
    name: &'static str,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, name: &'static str) -> Self {
        Self::try_new(address, name).expect("the broker accepts")
    }

    /// The same on a broker that may be killed meanwhile.
    pub(crate) fn try_new(address: SocketAddr, name: &'static str) -> Option<Self> {
        let raw = Raw::try_connect(address)?;
        Some(Self { raw, name })
    }

    /// Sends a request; returns its size.
    pub(crate) fn send<C: Call>(&mut self, request: &C, version: i16) -> usize {
        let name = Text::new(Bytes::from_static(self.name.as_bytes())).unwrap();
        let parts = wire::frame::request(request, version, CORRELATION_ID, Some(&name)).unwrap();
        let bytes = parts.concat();
        self.raw.send(&bytes);
        bytes.len()
    }

    /// Whether an answer has arrived that was not read.
    pub(crate) fn has_answer(&self) -> bool {
        self.raw.has_bytes()
    }

    /// Reads the answer to the oldest request; `None` if the connection ended.
    pub(crate) fn answered<C: Call>(&mut self, version: i16) -> Option<C::Response> {
        let api = C::KEY.api();
        let frame = Bytes::from(self.raw.frame()?);
        let (header, body) = ResponseHeader::parse(&frame, api, version).unwrap();
        assert_eq!(header.correlation_id, CORRELATION_ID);
        let answer = C::Response::decode(&body, version);
        Some(answer.unwrap_or_else(|error| panic!("{} {version}: {error}", api.name)))
    }

    /// Reads an answer that has to come.
    pub(crate) fn answer<C: Call>(&mut self, version: i16) -> C::Response {
        let answer = self.answered::<C>(version);
        answer.unwrap_or_else(|| panic!("{} {version}: closed", C::KEY.api().name))
    }

    /// Sends a request and reads its answer, which has to come.
    pub(crate) fn call<C: Call>(&mut self, request: &C, version: i16) -> C::Response {
        self.send(request, version);
        self.answer::<C>(version)
    }

    /// The same on a broker that may be killed meanwhile.
    pub(crate) fn try_call<C: Call>(&mut self, request: &C, version: i16) -> Option<C::Response> {
        self.send(request, version);
        self.answered::<C>(version)
    }
}
