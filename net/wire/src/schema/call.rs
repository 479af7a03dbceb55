//! Whole messages: a body, its API and version, and the pairing of request and response.

use bytes::Bytes;
use types::limits;
use types::size::ByteCount;

use crate::api::{Api, ApiKey};
use crate::primitive::{Layout, Reader, Writer};
use crate::schema::value::Structure;
use crate::{Malformed, Unencodable};

/// The largest body: a frame's int32 counts its header, too.
const BODY_SIZE_MAX: usize = 2_147_483_647 - 65_536;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From client to broker.
    Request,
    /// From broker to client.
    Response,
}

impl Direction {
    /// Returns how much memory the arrays of one decoded message may take.
    pub const fn memory_max(self) -> ByteCount {
        match self {
            Self::Request => limits::REQUEST_DECODED_SIZE_MAX,
            Self::Response => limits::RESPONSE_DECODED_SIZE_MAX,
        }
    }
}

/// The outermost structure of a body.
pub trait Message: Structure {
    /// The API that it belongs to.
    const KEY: ApiKey;

    /// Which way it goes.
    const DIRECTION: Direction;

    /// Returns whether bodies of a version begin with the time that the client is asked to keep
    /// still, an int32: it may then be filled in when the rest is written.
    ///
    /// *Source*: KIP-219; only ApiVersions and Produce have it elsewhere.
    fn begins_with_throttle(version: i16) -> bool {
        let mut ordered = Self::FIELDS
            .iter()
            .filter(|field| field.place.tag().is_none());
        let first = ordered.find(|field| field.versions.contains(version));
        first.is_some_and(|field| field.name == "throttle_time_ms")
    }

    /// Reads a whole body.
    ///
    /// *Errors*: [`Malformed`], also for a version that is not served.
    /// *Cost*: one allocation for each string and array; byte strings are shared.
    fn decode(body: &Bytes, version: i16) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body, Self::DIRECTION.memory_max());
        let layout = layout(Self::KEY.api(), version)
            .ok_or_else(|| reader.malformed("a version that is served"))?;
        let message = Self::decode_fields(&mut reader, layout)?;
        reader.finish()?;
        Ok(message)
    }

    /// Writes a whole body.
    ///
    /// *Errors*: [`Unencodable`] if the version cannot say it, or a frame cannot hold it.
    fn encode(&self, version: i16) -> Result<Writer, Unencodable> {
        let mut writer = Writer::new();
        self.encode_into(&mut writer, version)?;
        if writer.size() > BODY_SIZE_MAX {
            return Err(Unencodable::TooLong {
                size: writer.size(),
                size_max: BODY_SIZE_MAX,
            });
        }
        Ok(writer)
    }

    /// Writes a whole body behind what the writer already holds.
    ///
    /// *Errors*: [`Unencodable`] if the version cannot say it; the writer then holds a part of it.
    fn encode_into(&self, writer: &mut Writer, version: i16) -> Result<(), Unencodable> {
        let api = Self::KEY.api();
        let layout = layout(api, version).ok_or(Unencodable::NoVersion {
            message: api.name,
            version,
        })?;
        self.encode_fields(writer, layout)
    }
}

/// A request, and the response that answers it.
pub trait Call: Message {
    /// The response.
    type Response: Message;
}

/// Returns how a version that is served is laid out.
pub(crate) fn layout(api: &Api, version: i16) -> Option<Layout> {
    api.served.contains(version).then(|| Layout {
        version,
        flexible: api.is_flexible(version),
    })
}

/// Says that `Request` and `Response` of this module are the two messages of an API.
macro_rules! call {
    ($key:ident) => {
        impl $crate::schema::Message for Request {
            const KEY: $crate::api::ApiKey = $crate::api::ApiKey::$key;
            const DIRECTION: $crate::schema::Direction = $crate::schema::Direction::Request;
        }

        impl $crate::schema::Message for Response {
            const KEY: $crate::api::ApiKey = $crate::api::ApiKey::$key;
            const DIRECTION: $crate::schema::Direction = $crate::schema::Direction::Response;
        }

        impl $crate::schema::Call for Request {
            type Response = Response;
        }
    };
}
pub(crate) use call;
