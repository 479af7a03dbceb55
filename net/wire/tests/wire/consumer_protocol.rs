//! What consumers tell each other is read as Kafka's library and the oracle write it, and only
//! what is there is believed.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use kafka_protocol::protocol::{Decodable, Encodable};
use proptest::prelude::*;
use wire::consumer_protocol::{Assignment, Subscription, TopicPartitions, VERSIONS};
use wire::{Malformed, Unencodable};

use crate::frames::{self, Frame};

/// What was read, written again.
type Round = Result<Result<Bytes, Unencodable>, Malformed>;

/// One of the two structures, behind a plain function.
struct Embedded {
    name: &'static str,
    /// Reads bytes, and writes what they say in the version given.
    round: fn(&Bytes, i16) -> Round,
}

const EMBEDDED: [Embedded; 2] = [
    Embedded {
        name: "ConsumerProtocolSubscription",
        round: |bytes, version| Subscription::decode(bytes).map(|it| it.encode(version)),
    },
    Embedded {
        name: "ConsumerProtocolAssignment",
        round: |bytes, version| Assignment::decode(bytes).map(|it| it.encode(version)),
    },
];

/// Returns the bytes with their version before them.
fn versioned(version: i16, fields: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(version);
    bytes.put_slice(fields);
    bytes.freeze()
}

/// Calls `check` with every body that Kafka wrote, and its version before it.
fn for_every_frame(check: impl Fn(&Embedded, &Frame, Bytes)) {
    for embedded in EMBEDDED {
        let mut count = 0;
        for frame in frames::all().filter(|frame| frame.name == embedded.name) {
            check(&embedded, &frame, versioned(frame.version, &frame.body));
            count += 1;
        }
        assert_eq!(count, 2 * 4, "two bodies for every version");
    }
}

#[test]
fn kafkas_bytes_are_written_back_byte_for_byte() {
    for_every_frame(|embedded, frame, bytes| {
        let written = (embedded.round)(&bytes, frame.version);
        assert_eq!(written, Ok(Ok(bytes)), "{} v{}", frame.name, frame.version);
    });
}

#[test]
fn every_truncation_is_refused() {
    for_every_frame(|embedded, frame, bytes| {
        for length in 0..bytes.len() {
            let read = (embedded.round)(&bytes.slice(..length), frame.version);
            assert!(read.is_err(), "{} v{}", frame.name, frame.version);
        }
    });
}

#[test]
fn newer_versions_are_read_as_the_newest_one_known() {
    for_every_frame(|embedded, frame, bytes| {
        if frame.version < VERSIONS.max {
            return;
        }
        let newer = versioned(i16::MAX, &[&frame.body[..], b"a field to come"].concat());
        let written = (embedded.round)(&newer, VERSIONS.max);
        assert_eq!(written, Ok(Ok(bytes)), "{}", frame.name);
    });
}

#[test]
fn versions_that_are_none_are_refused() {
    let fields = [0; 64];
    for embedded in EMBEDDED {
        assert!((embedded.round)(&versioned(-1, &fields), 0).is_err());
        for version in [-1, 4] {
            let written = (embedded.round)(&versioned(0, &fields), version);
            let message = embedded.name;
            assert_eq!(
                written,
                Ok(Err(Unencodable::NoVersion { message, version }))
            );
        }
    }
}

#[test]
fn absurd_counts_are_refused() {
    for embedded in EMBEDDED {
        for version in 0..=VERSIONS.max {
            let absurd = versioned(version, &[0x7f, 0xff, 0xff, 0xff]);
            assert!((embedded.round)(&absurd, version).is_err());
        }
    }
}

fn topic_partitions() -> impl Strategy<Value = Vec<TopicPartitions>> {
    let one = ("[a-z.]{0,9}", proptest::collection::vec(any::<i32>(), 0..4))
        .prop_map(|(topic, partitions)| TopicPartitions { topic, partitions });
    proptest::collection::vec(one, 0..4)
}

fn user_data() -> impl Strategy<Value = Option<Bytes>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..9).prop_map(Bytes::from);
    proptest::option::of(bytes)
}

prop_compose! {
    fn subscription()(
        topics in proptest::collection::vec("[a-z.]{0,9}", 0..4),
        user_data in user_data(),
        owned_partitions in topic_partitions(),
        generation_id in any::<i32>(),
        rack_id in proptest::option::of("[a-z]{0,9}"),
    ) -> Subscription {
        Subscription { topics, user_data, owned_partitions, generation_id, rack_id }
    }
}

/// Returns what the oracle makes of the fields behind the version.
fn oracle<M: Encodable + Decodable>(bytes: &Bytes, version: i16) -> Bytes {
    let mut rest = bytes.slice(2..);
    let message = M::decode(&mut rest, version).unwrap();
    assert!(rest.is_empty(), "the fields are read to their end");
    let mut written = BytesMut::new();
    message.encode(&mut written, version).unwrap();
    versioned(version, &written)
}

proptest! {
    #[test]
    fn generated_values_mean_the_same_to_the_oracle(
        subscription in subscription(),
        assigned_partitions in topic_partitions(),
        user_data in user_data(),
    ) {
        let assignment = Assignment { assigned_partitions, user_data };
        for version in 0..=VERSIONS.max {
            let bytes = subscription.encode(version).unwrap();
            prop_assert_eq!(&oracle::<ConsumerProtocolSubscription>(&bytes, version), &bytes);
            let bytes = assignment.encode(version).unwrap();
            prop_assert_eq!(&oracle::<ConsumerProtocolAssignment>(&bytes, version), &bytes);
            prop_assert_eq!(Assignment::decode(&bytes), Ok(assignment.clone()));
        }
        let bytes = subscription.encode(VERSIONS.max).unwrap();
        prop_assert_eq!(Subscription::decode(&bytes), Ok(subscription));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..100),
    ) {
        let bytes = Bytes::from(bytes);
        let _read = Subscription::decode(&bytes);
        let _read = Assignment::decode(&bytes);
    }
}
