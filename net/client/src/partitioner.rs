//! Which partition a record goes to when its writer did not say.
//!
//! With a key: the murmur2 hash of the key, as Kafka's Java client computes it, so that both put a
//! key into the same partition. Without: one partition until its batch is full, then the next, so
//! that batches become large.

/// Chooses partitions for one topic.
#[derive(Clone, Debug)]
pub struct Partitioner {
    sticky: u32,
}

impl Partitioner {
    /// Starts with the partition that `seed` selects; give each producer another one.
    pub fn new(seed: u32) -> Self {
        Self { sticky: seed }
    }

    /// Returns the partition for a record, of `partition_count` that the topic has.
    ///
    /// *Panics*: if the topic has no partition.
    pub fn partition(&self, key: Option<&[u8]>, partition_count: u32) -> u32 {
        assert!(partition_count > 0, "a topic has at least one partition");
        match key {
            Some(key) => (murmur2(key) & 0x7fff_ffff) % partition_count,
            None => self.sticky % partition_count,
        }
    }

    /// Says that the batch of the current partition was closed: records without keys go on to the
    /// next partition.
    pub fn batch_closed(&mut self) {
        self.sticky = self.sticky.wrapping_add(1);
    }
}

/// The 32-bit MurmurHash2 of Austin Appleby, with the seed that Kafka chose.
///
/// *Source*: Kafka's `Utils.murmur2`; the values in the test were printed by Kafka 4.3's client.
pub fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MIX: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MIX);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MIX) ^ word.wrapping_mul(MIX);
    }
    if !rest.is_empty() {
        for (index, &byte) in (0..).zip(rest) {
            hash ^= u32::from(byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_java_client() {
        for (text, hash) in [
            ("", 275_646_681_i32),
            ("a", -1_563_381_124),
            ("ab", 316_155_434),
            ("21", -973_932_308),
            ("abc", 479_470_107),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("äöü", -2_070_914_556),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text:?}");
        }
    }

    #[test]
    fn records_without_keys_stay_until_the_batch_is_closed() {
        let mut partitioner = Partitioner::new(4);
        assert_eq!(partitioner.partition(None, 3), 1);
        assert_eq!(partitioner.partition(None, 3), 1);
        partitioner.batch_closed();
        assert_eq!(partitioner.partition(None, 3), 2);
        assert_eq!(partitioner.partition(Some(b"21"), 1000), 340);
    }
}
