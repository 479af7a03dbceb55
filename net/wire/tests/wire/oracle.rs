//! An independent implementation reads what we write, finds the same values in the same fields,
//! and writes the same bytes.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message, Request, VersionRange};
use proptest::prelude::*;
use wire::api::ApiKey;
use wire::schema::{Field, Kind};

use crate::debug_tree::{Tree, hex};
use crate::sample;
use crate::served::{self, Served};

/// A message of the other implementation, behind plain functions.
struct Oracle {
    versions: VersionRange,
    /// Decodes a body, and returns its debug text and the bytes it is written back as.
    round: fn(&Bytes, i16) -> (String, Bytes),
}

fn oracle<M: Message + Encodable + Decodable + Debug>() -> Oracle {
    Oracle {
        versions: M::VERSIONS,
        round: |body, version| {
            let mut rest = body.clone();
            let message = M::decode(&mut rest, version).unwrap();
            assert!(rest.is_empty(), "the body is read to its end");
            let mut written = BytesMut::new();
            message.encode(&mut written, version).unwrap();
            (format!("{message:?}"), written.freeze())
        },
    }
}

fn pair<R: Request + Debug>() -> [Oracle; 2]
where
    R::Response: Debug,
{
    [oracle::<R>(), oracle::<R::Response>()]
}

fn oracle_of(message: &Served) -> Oracle {
    let [request, response] = match message.api.key {
        ApiKey::Produce => pair::<theirs::ProduceRequest>(),
        ApiKey::Fetch => pair::<theirs::FetchRequest>(),
        ApiKey::ListOffsets => pair::<theirs::ListOffsetsRequest>(),
        ApiKey::Metadata => pair::<theirs::MetadataRequest>(),
        ApiKey::ApiVersions => pair::<theirs::ApiVersionsRequest>(),
        ApiKey::CreateTopics => pair::<theirs::CreateTopicsRequest>(),
        ApiKey::DeleteTopics => pair::<theirs::DeleteTopicsRequest>(),
        ApiKey::DeleteRecords => pair::<theirs::DeleteRecordsRequest>(),
        ApiKey::InitProducerId => pair::<theirs::InitProducerIdRequest>(),
        ApiKey::OffsetForLeaderEpoch => pair::<theirs::OffsetForLeaderEpochRequest>(),
        ApiKey::DescribeConfigs => pair::<theirs::DescribeConfigsRequest>(),
        ApiKey::AlterConfigs => pair::<theirs::AlterConfigsRequest>(),
        ApiKey::DescribeLogDirs => pair::<theirs::DescribeLogDirsRequest>(),
        ApiKey::CreatePartitions => pair::<theirs::CreatePartitionsRequest>(),
        ApiKey::IncrementalAlterConfigs => pair::<theirs::IncrementalAlterConfigsRequest>(),
        ApiKey::DescribeClientQuotas => pair::<theirs::DescribeClientQuotasRequest>(),
        ApiKey::AlterClientQuotas => pair::<theirs::AlterClientQuotasRequest>(),
        ApiKey::DescribeQuorum => pair::<theirs::DescribeQuorumRequest>(),
        ApiKey::DescribeCluster => pair::<theirs::DescribeClusterRequest>(),
        ApiKey::DescribeProducers => pair::<theirs::DescribeProducersRequest>(),
        ApiKey::ListConfigResources => pair::<theirs::ListConfigResourcesRequest>(),
        ApiKey::DescribeTopicPartitions => pair::<theirs::DescribeTopicPartitionsRequest>(),
    };
    if message.name.ends_with("Request") {
        request
    } else {
        response
    }
}

/// Checks one body against the oracle.
fn check(message: &Served, version: i16, oracle: &Oracle, body: &Bytes) {
    let name = format!("{} v{version}", message.name);
    let ours = (message.decode)(body, version).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(ours.encoded.as_ref(), Ok(body), "{name}: our bytes");
    if !(oracle.versions.min..=oracle.versions.max).contains(&version) {
        return;
    }
    let (debug, bytes) = (oracle.round)(body, version);
    assert_eq!(bytes, body, "{name}: their bytes");
    let (ours, theirs) = (Tree::parse(&ours.debug), Tree::parse(&debug));
    compare(message.fields, version, &ours, &theirs, &name);
}

/// Compares the fields that the version has.
fn compare(fields: &[Field], version: i16, ours: &Tree, theirs: &Tree, path: &str) {
    let (Tree::Fields(our_fields), Tree::Fields(their_fields)) = (ours, theirs) else {
        assert_eq!(ours, theirs, "{path}");
        return;
    };
    let present = |field: &&Field| field.versions.contains(version);
    for field in fields.iter().filter(present) {
        let name = field.name.replace('_', "");
        let path = format!("{path}.{}", field.name);
        let theirs = their_fields.get(&name);
        let theirs = theirs.unwrap_or_else(|| panic!("{path} is not a field of theirs"));
        compare_values(field.kind, version, &our_fields[&name], theirs, &path);
    }
}

fn compare_values(kind: Kind, version: i16, ours: &Tree, theirs: &Tree, path: &str) {
    match (kind, ours, theirs) {
        (Kind::Structure { fields }, _, _) => compare(fields, version, ours, theirs, path),
        (Kind::Array { of }, Tree::List(our_items), Tree::List(their_items)) => {
            assert_eq!(our_items.len(), their_items.len(), "{path}");
            for (ours, theirs) in our_items.iter().zip(their_items) {
                compare_values(*of, version, ours, theirs, path);
            }
        }
        (Kind::Uuid, Tree::List(bytes), _) => {
            let byte = |leaf: &Tree| match leaf {
                Tree::Leaf(digits) => digits.parse().unwrap(),
                other => panic!("{path}: {other:?} is not a byte"),
            };
            let bytes: Vec<u8> = bytes.iter().map(byte).collect();
            assert_eq!(
                &Tree::Leaf(hex(bytes.as_slice().try_into().unwrap())),
                theirs,
                "{path}"
            );
        }
        _ => assert_eq!(ours, theirs, "{path}"),
    }
}

#[test]
fn the_oracle_knows_all_but_two_of_our_versions() {
    let mut unknown = Vec::new();
    for message in served::all() {
        let versions = oracle_of(&message).versions;
        for version in message.versions() {
            if !(versions.min..=versions.max).contains(&version) {
                unknown.push(format!("{} v{version}", message.name));
            }
        }
    }
    // These are checked against the bodies that Kafka wrote alone.
    let want = [
        "ListOffsetsRequest v11",
        "ListOffsetsResponse v11",
        "DescribeLogDirsRequest v5",
        "DescribeLogDirsResponse v5",
    ];
    assert_eq!(unknown, want);
}

#[test]
fn rich_bodies_mean_the_same_to_the_oracle() {
    for message in served::all() {
        let oracle = oracle_of(&message);
        for version in message.versions() {
            let body = sample::sample(&message, version, &sample::rich_entropy()).body;
            check(&message, version, &oracle, &body);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn generated_bodies_mean_the_same_to_the_oracle(
        entropy in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        for message in served::all() {
            let oracle = oracle_of(&message);
            for version in message.versions() {
                let body = sample::sample(&message, version, &entropy).body;
                check(&message, version, &oracle, &body);
            }
        }
    }
}
