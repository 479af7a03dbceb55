//! Identifiers: each a type of its own, none a bare integer.

use std::fmt;
use std::str::FromStr;

/// A broker of the cluster.
///
/// *Source*: `broker_id` of the protocol, int32, never negative for a real node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub i32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One core's share of a node: an index, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
    /// Returns the shard as a zero-based index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A topic's identity for ever: a topic deleted and created anew has another one.
///
/// *Layout*: 16 bytes as on the wire (big-endian UUID). Shown as Kafka shows it: 22 characters of
/// URL-safe base64 without padding.
/// *Source*: KIP-516.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub [u8; 16]);

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl TopicId {
    /// The identifier that means "none" on the wire.
    pub const ZERO: Self = Self([0; 16]);

    /// Makes a version 4 UUID of 16 random bytes, as Kafka does.
    ///
    /// Returns `None` for the ones Kafka reserves: those whose text starts with a dash (an option
    /// to a command line) are drawn again by the caller, as are zero and one.
    pub fn from_random(mut bytes: [u8; 16]) -> Option<Self> {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let starts_with_dash = bytes[0] >> 2 == 62;
        (!starts_with_dash).then_some(Self(bytes))
    }

    /// Returns whether this is the identifier that means "none".
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        for place in 0..22 {
            // 22 x 6 = 132 bits: the last digit holds 2 bits of the number and 4 of padding.
            let shift = 122 - 6 * place;
            let digit = if shift >= 0 {
                number >> shift
            } else {
                number << -shift
            } & 63;
            let index = usize::try_from(digit).expect("a digit is below 64");
            write!(f, "{}", char::from(BASE64_URL[index]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicId({self})")
    }
}

/// The text is not 22 characters of URL-safe base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTopicId;

impl fmt::Display for InvalidTopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a topic id is 22 characters of URL-safe base64")
    }
}

impl std::error::Error for InvalidTopicId {}

impl FromStr for TopicId {
    type Err = InvalidTopicId;

    fn from_str(text: &str) -> Result<Self, InvalidTopicId> {
        if text.len() != 22 {
            return Err(InvalidTopicId);
        }
        let mut number: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let digit = BASE64_URL
                .iter()
                .position(|&known| known == byte)
                .ok_or(InvalidTopicId)?;
            let digit = u128::try_from(digit).expect("a digit is below 64");
            number = if place < 21 {
                (number << 6) | digit
            } else {
                (number << 2) | (digit >> 4)
            };
        }
        let id = Self(number.to_be_bytes());
        // The padding bits must be zero: one identifier has one text.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(InvalidTopicId)
        }
    }
}

/// A partition's number within its topic: never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(i32);

impl PartitionIndex {
    /// The first partition of every topic.
    pub const ZERO: Self = Self(0);

    /// Accepts an index from the wire; `None` if it is negative.
    pub fn new(index: i32) -> Option<Self> {
        (index >= 0).then_some(Self(index))
    }

    /// Returns the index as the wire has it.
    pub fn get(self) -> i32 {
        self.0
    }

    /// Returns the index for addressing a list of partitions.
    pub fn index(self) -> usize {
        usize::try_from(self.0).expect("a partition index is not negative")
    }
}

impl fmt::Display for PartitionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One partition of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicId,
    /// Its partition.
    pub partition: PartitionIndex,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// One life of one partition's log on this node; never used a second time.
///
/// Journal frames name the log by it, so that bytes of a deleted log are never believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An idempotent producer, as given out by InitProducerId; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A producer's generation: a higher one fences the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

/// A record's number within its producer, epoch and partition.
///
/// *Units*: 0 to 2^31-1, then 0 again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sequence(i32);

impl Sequence {
    /// Where every producer epoch starts.
    pub const ZERO: Self = Self(0);

    /// Accepts a sequence from the wire; `None` if it is negative.
    pub fn new(sequence: i32) -> Option<Self> {
        (sequence >= 0).then_some(Self(sequence))
    }

    /// Returns the number as the wire has it.
    pub fn get(self) -> i32 {
        self.0
    }

    /// Returns the sequence `count` records later, wrapping from 2^31-1 to 0.
    #[must_use]
    pub fn after(self, count: u32) -> Self {
        let wide = (i64::from(self.0) + i64::from(count)) % (i64::from(i32::MAX) + 1);
        Self(i32::try_from(wide).expect("the remainder is below 2^31"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_id_text_is_kafkas() {
        // Printed by org.apache.kafka.common.Uuid for the same 16 bytes.
        let id = TopicId(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
        assert_eq!(id.to_string(), "AAECAwQFBgcICQoLDA0ODw");
        assert_eq!("AAECAwQFBgcICQoLDA0ODw".parse(), Ok(id));
        assert_eq!(TopicId::ZERO.to_string(), "A".repeat(22));
    }

    #[test]
    fn topic_id_text_with_padding_bits_is_refused() {
        assert_eq!(
            "AAECAwQFBgcICQoLDA0ODx".parse::<TopicId>(),
            Err(InvalidTopicId)
        );
        assert_eq!("".parse::<TopicId>(), Err(InvalidTopicId));
        assert_eq!(
            "AAECAwQFBgcICQoLDA0OD.".parse::<TopicId>(),
            Err(InvalidTopicId)
        );
    }

    #[test]
    fn random_topic_id_is_a_version_4_uuid_that_is_no_option() {
        assert_eq!(TopicId::from_random([0xfb; 16]), None);
        let id = TopicId::from_random([0x11; 16]).expect("starts with E");
        assert_eq!(id.0[6] >> 4, 4);
        assert_eq!(id.0[8] >> 6, 2);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let last = Sequence::new(i32::MAX).expect("not negative");
        assert_eq!(last.after(1), Sequence::ZERO);
        assert_eq!(last.after(3).get(), 2);
        assert_eq!(Sequence::ZERO.after(5).get(), 5);
    }
}
