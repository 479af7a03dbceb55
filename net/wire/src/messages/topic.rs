//! A topic as requests name it: by name in older versions, by id in newer ones.

use std::fmt;

use types::ids::TopicId;

use crate::primitive::{Layout, Reader, Writer};
use crate::{Malformed, Unencodable};

/// A topic, by the one of its names that the version uses.
///
/// *Source*: KIP-516.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicRef<'a> {
    /// By name.
    Name(&'a str),
    /// By id.
    Id(TopicId),
}

impl<'a> TopicRef<'a> {
    /// Reads a topic; from version `first_with_id` on it is an id.
    pub(crate) fn decode(
        reader: &mut Reader<'a>,
        layout: Layout,
        first_with_id: i16,
    ) -> Result<Self, Malformed> {
        if layout.version >= first_with_id {
            reader.array().map(|bytes| Self::Id(TopicId(bytes)))
        } else {
            reader.string(layout.flexible).map(Self::Name)
        }
    }

    /// Writes the topic as it was read.
    pub(crate) fn encode(self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        match self {
            Self::Name(name) => writer.nullable_string(Some(name), layout.flexible),
            Self::Id(id) => {
                writer.bytes(&id.0);
                Ok(())
            }
        }
    }

    /// Returns the least number of bytes that a topic takes.
    pub(crate) fn size_min(layout: Layout, first_with_id: i16) -> usize {
        match (layout.version >= first_with_id, layout.flexible) {
            (true, _) => 16,
            (false, true) => 1,
            (false, false) => 2,
        }
    }
}

impl fmt::Display for TopicRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}
