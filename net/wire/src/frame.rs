//! Whole frames: the length in front, and answers as lists of buffers.
//!
//! A large answer is never one buffer: its head is written here, and the record bytes between are
//! payloads of the caller's own type (memory, a range of a file) that this crate only counts.

use bytes::Bytes;

use crate::Unencodable;
use crate::api::Api;
use crate::header::{RequestHeader, ResponseHeader};
use crate::primitive::{Text, Writer};
use crate::schema::{Call, Message};

/// The bytes of the length in front of every frame.
pub const LENGTH_SIZE: usize = 4;

/// The largest length that the int32 in front of a frame can say.
const FRAME_LENGTH_MAX: usize = 2_147_483_647;

/// One piece of an answer: bytes made here, or a payload of the caller's with its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<P> {
    /// Bytes to be sent as they are.
    Bytes(Bytes),
    /// A payload to be sent in this place, and its size in bytes.
    Payload(P, usize),
}

impl<P> Part<P> {
    /// Returns how many bytes the part takes on the wire.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Payload(_, size) => *size,
        }
    }
}

/// Writes what stands before the body of an answer: the frame's length and the response header.
///
/// *Units*: `body_size` is in bytes; the length written also counts the header.
/// *Errors*: [`Unencodable::TooLong`] if an int32 cannot say the length.
pub fn response_head(
    api: &Api,
    version: i16,
    header: ResponseHeader,
    body_size: usize,
) -> Result<Bytes, Unencodable> {
    let header_size = ResponseHeader::size_bytes(api, version);
    let mut writer = Writer::with_capacity(LENGTH_SIZE + header_size);
    writer.int32(frame_length(header_size.saturating_add(body_size))?);
    header.encode(&mut writer, api, version);
    Ok(writer.into_bytes())
}

/// Writes a whole answer as one frame, its length in front: for small answers and tests.
///
/// *Errors*: [`Unencodable`].
pub fn response<M: Message>(
    header: ResponseHeader,
    message: &M,
    version: i16,
) -> Result<Vec<Bytes>, Unencodable> {
    let body = message.encode(version)?;
    let head = response_head(M::KEY.api(), version, header, body.size())?;
    let mut parts = vec![head];
    parts.extend(body.into_parts());
    Ok(parts)
}

/// Writes a whole request as the pieces of one frame, its length in front.
///
/// *Errors*: [`Unencodable`].
/// *Cost*: record bytes above a few KiB are passed along uncopied.
pub fn request<C: Call>(
    message: &C,
    version: i16,
    correlation_id: i32,
    client_id: Option<&Text>,
) -> Result<Vec<Bytes>, Unencodable> {
    let header = RequestHeader {
        key: C::KEY,
        version,
        correlation_id,
        client_id: client_id.cloned(),
    };
    let mut writer = Writer::new();
    header.encode(&mut writer)?;
    message.encode_into(&mut writer, version)?;
    let length = frame_length(writer.size())?;
    let mut parts = vec![Bytes::copy_from_slice(&length.to_be_bytes())];
    parts.extend(writer.into_parts());
    Ok(parts)
}

fn frame_length(size: usize) -> Result<i32, Unencodable> {
    i32::try_from(size).map_err(|_| Unencodable::TooLong {
        size,
        size_max: FRAME_LENGTH_MAX,
    })
}
