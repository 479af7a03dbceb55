//! What stands before every body: who asks for what, in which version.
//!
//! *Layout* of a request header; the first eight bytes are the same in every version:
//!
//! | field | type | header |
//! |---|---|---|
//! | api key | int16 | 1, 2 |
//! | version | int16 | 1, 2 |
//! | correlation id | int32 | 1, 2 |
//! | client id | string with an int16 length, may be null | 1, 2 (never compact) |
//! | tagged fields | | 2 |
//!
//! Header 2 goes with flexible versions, header 1 with the others. A response header is the
//! correlation id, and tagged fields in flexible versions; but never in answers of ApiVersions,
//! which a client must be able to read before it knows the broker's versions (KIP-511).

use bytes::Bytes;
use types::size::ByteCount;

use crate::api::{Api, ApiKey};
use crate::primitive::{Reader, Text, Writer};
use crate::{Malformed, Unencodable};

/// The header of a request for an API and version that are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API.
    pub key: ApiKey,
    /// The version of header, request and response.
    pub version: i16,
    /// What the client knows the answer by.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<Text>,
}

/// Why a frame has no header that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The header is not one: close the connection.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The API is not served: close the connection.
    #[error("api key {key} is not served")]
    UnknownKey {
        /// The number of the API.
        key: i16,
    },
    /// The version is not served. ApiVersions is answered all the same, in version 0 with
    /// error 35; for any other API close the connection.
    #[error("{key} version {version} is not served")]
    UnknownVersion {
        /// The API.
        key: ApiKey,
        /// The version asked for.
        version: i16,
        /// What the client knows the answer by.
        correlation_id: i32,
    },
}

impl RequestHeader {
    /// Reads the header of a frame and returns it with the body behind it.
    ///
    /// *Layout*: `frame` is a whole frame without its length.
    /// *Errors*: [`HeaderError`].
    /// *Cost*: no copy: client id and body share the frame.
    pub fn parse(frame: &Bytes) -> Result<(Self, Bytes), HeaderError> {
        let mut reader = Reader::new(frame, ByteCount::ZERO);
        let (number, version) = (reader.int16()?, reader.int16()?);
        let correlation_id = reader.int32()?;
        let key = ApiKey::from_wire(number).ok_or(HeaderError::UnknownKey { key: number })?;
        let api = key.api();
        if !api.served.contains(version) {
            return Err(HeaderError::UnknownVersion {
                key,
                version,
                correlation_id,
            });
        }
        let client_id = reader.nullable_text(false)?;
        reader.skip_tagged_fields(api.is_flexible(version))?;
        let header = Self {
            key,
            version,
            correlation_id,
            client_id,
        };
        Ok((header, frame.slice(reader.at_bytes()..)))
    }

    /// Writes the header.
    ///
    /// *Errors*: [`Unencodable::TooLong`] for a client id above 32,767 bytes.
    pub fn encode(&self, writer: &mut Writer) -> Result<(), Unencodable> {
        writer.int16(self.key.wire());
        writer.int16(self.version);
        writer.int32(self.correlation_id);
        writer.nullable_string(self.client_id.as_deref(), false)?;
        writer.no_tagged_fields(self.key.api().is_flexible(self.version));
        Ok(())
    }
}

/// The header of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// The correlation id of the request.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Returns whether the header of such a response ends in tagged fields.
    pub const fn is_flexible(api: &Api, version: i16) -> bool {
        !matches!(api.key, ApiKey::ApiVersions) && api.is_flexible(version)
    }

    /// Returns how many bytes the header of such a response takes when we write it.
    pub const fn size_bytes(api: &Api, version: i16) -> usize {
        if Self::is_flexible(api, version) {
            5
        } else {
            4
        }
    }

    /// Reads the header of a frame and returns it with the body behind it.
    ///
    /// *Layout*: `frame` is a whole frame without its length.
    /// *Errors*: [`Malformed`].
    pub fn parse(frame: &Bytes, api: &Api, version: i16) -> Result<(Self, Bytes), Malformed> {
        let mut reader = Reader::new(frame, ByteCount::ZERO);
        let correlation_id = reader.int32()?;
        reader.skip_tagged_fields(Self::is_flexible(api, version))?;
        Ok((Self { correlation_id }, frame.slice(reader.at_bytes()..)))
    }

    /// Writes the header.
    pub fn encode(self, writer: &mut Writer, api: &Api, version: i16) {
        writer.int32(self.correlation_id);
        writer.no_tagged_fields(Self::is_flexible(api, version));
    }
}
