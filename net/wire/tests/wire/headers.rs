//! Headers and frames, byte by byte.

use bytes::Bytes;
use wire::api::ApiKey;
use wire::frame;
use wire::header::{HeaderError, RequestHeader, ResponseHeader};
use wire::messages::{api_versions, metadata, produce};
use wire::primitive::{Text, Writer};

fn text(text: &str) -> Option<Text> {
    Text::new(Bytes::copy_from_slice(text.as_bytes()))
}

fn joined(parts: &[Bytes]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn client_id_is_never_compact() {
    let classic = [0, 3, 0, 8, 0, 0, 0, 7, 0, 2, b'm', b'e'];
    let (header, body) = RequestHeader::parse(&Bytes::copy_from_slice(&classic)).unwrap();
    assert_eq!((header.key, header.version), (ApiKey::Metadata, 8));
    assert_eq!(header.correlation_id, 7);
    assert_eq!(header.client_id.as_deref(), Some("me"));
    assert!(body.is_empty());

    let flexible = [
        0, 3, 0, 9, 0, 0, 0, 7, 0, 2, b'm', b'e', 1, 9, 1, 0xaa, 0xbb,
    ];
    let (header, body) = RequestHeader::parse(&Bytes::copy_from_slice(&flexible)).unwrap();
    assert_eq!(header.client_id.as_deref(), Some("me"));
    assert_eq!(
        body,
        &[0xbb][..],
        "the tagged field of the header is skipped"
    );
}

#[test]
fn request_headers_are_read_as_written() {
    for (key, version) in [
        (ApiKey::Metadata, 8),
        (ApiKey::Metadata, 9),
        (ApiKey::Fetch, 4),
    ] {
        for client_id in [None, text(""), text("riverrun-é")] {
            let header = RequestHeader {
                key,
                version,
                correlation_id: -5,
                client_id,
            };
            let mut writer = Writer::new();
            header.encode(&mut writer).unwrap();
            writer.bytes(b"body");
            let frame = writer.into_bytes();
            let parsed = RequestHeader::parse(&frame).unwrap();
            assert_eq!(parsed, (header, Bytes::from_static(b"body")));
        }
    }
}

#[test]
fn headers_cut_anywhere_are_refused() {
    let whole = Bytes::from_static(&[0, 3, 0, 9, 0, 0, 0, 7, 0, 2, b'm', b'e', 1, 9, 1, 0xaa]);
    assert!(RequestHeader::parse(&whole).is_ok());
    for length in 0..whole.len() {
        let parsed = RequestHeader::parse(&whole.slice(..length));
        assert!(
            matches!(parsed, Err(HeaderError::Malformed(_))),
            "cut at {length}"
        );
    }
    for client_id in [[0xff, 0xfe], [0x7f, 0xff]] {
        let mut bytes = whole.to_vec();
        bytes[8..10].copy_from_slice(&client_id);
        assert!(RequestHeader::parse(&Bytes::from(bytes)).is_err());
    }
}

#[test]
fn unknown_keys_and_versions_are_told_apart() {
    let unknown = Bytes::from_static(&[0, 4, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);
    let parsed = RequestHeader::parse(&unknown).unwrap_err();
    assert_eq!(parsed, HeaderError::UnknownKey { key: 4 });

    // Java 4.3 opens with version 5.
    let newer = Bytes::from_static(&[0, 18, 0, 5, 0, 0, 0, 7, 0xff, 0xff, 0]);
    let want = HeaderError::UnknownVersion {
        key: ApiKey::ApiVersions,
        version: 5,
        correlation_id: 7,
    };
    assert_eq!(RequestHeader::parse(&newer).unwrap_err(), want);

    let advertised_only = Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);
    let parsed = RequestHeader::parse(&advertised_only);
    assert!(matches!(
        parsed,
        Err(HeaderError::UnknownVersion { version: 0, .. })
    ));
}

#[test]
fn api_versions_answers_have_the_short_header_in_every_version() {
    let header = ResponseHeader { correlation_id: 7 };
    for version in 0..=4 {
        let head = frame::response_head(ApiKey::ApiVersions.api(), version, header, 100).unwrap();
        assert_eq!(head, &[0, 0, 0, 104, 0, 0, 0, 7][..]);
    }
    let metadata = ApiKey::Metadata.api();
    let head = frame::response_head(metadata, 8, header, 100).unwrap();
    assert_eq!(head, &[0, 0, 0, 104, 0, 0, 0, 7][..]);
    let head = frame::response_head(metadata, 9, header, 100).unwrap();
    assert_eq!(head, &[0, 0, 0, 105, 0, 0, 0, 7, 0][..]);
}

#[test]
fn response_frames_are_read_as_written() {
    let header = ResponseHeader { correlation_id: 77 };
    let message = metadata::Response {
        controller_id: 3,
        ..metadata::Response::default()
    };
    for version in [8, 9] {
        let frame = joined(&frame::response(header, &message, version).unwrap());
        let (length, rest) = frame.split_first_chunk::<4>().unwrap();
        assert_eq!(
            usize::try_from(u32::from_be_bytes(*length)).unwrap(),
            rest.len()
        );
        let rest = Bytes::copy_from_slice(rest);
        let api = ApiKey::Metadata.api();
        let (parsed, body) = ResponseHeader::parse(&rest, api, version).unwrap();
        assert_eq!(parsed, header);
        let decoded = <metadata::Response as wire::Message>::decode(&body, version);
        assert_eq!(decoded, Ok(message.clone()));
    }
}

#[test]
fn request_frames_pass_large_records_along_uncopied() {
    let records = Bytes::from(vec![1; 100_000]);
    let message = produce::Request {
        acks: -1,
        timeout_ms: 1000,
        topic_data: vec![produce::TopicData {
            name: "t".into(),
            partition_data: vec![produce::PartitionData {
                index: 0,
                records: Some(records.clone()),
            }],
            ..produce::TopicData::default()
        }],
        ..produce::Request::default()
    };
    let parts = frame::request(&message, 9, 1, text("me").as_ref()).unwrap();
    assert!(parts.iter().any(|part| part.as_ptr() == records.as_ptr()));
    let frame = joined(&parts);
    let (length, rest) = frame.split_first_chunk::<4>().unwrap();
    assert_eq!(
        usize::try_from(u32::from_be_bytes(*length)).unwrap(),
        rest.len()
    );
    let (header, body) = RequestHeader::parse(&Bytes::copy_from_slice(rest)).unwrap();
    assert_eq!((header.key, header.version), (ApiKey::Produce, 9));
    let decoded = <produce::Request as wire::Message>::decode(&body, 9);
    assert_eq!(decoded, Ok(message));
}

#[test]
fn values_that_a_version_cannot_say_are_refused() {
    use wire::{Message, Unencodable};

    let request = metadata::Request::default();
    let refused = request.encode(0).unwrap_err();
    let want = Unencodable::Null {
        field: "topics",
        version: 0,
    };
    assert_eq!(refused, want);

    let request = metadata::Request {
        topics: Some(Vec::new()),
        allow_auto_topic_creation: false,
        ..request
    };
    let refused = request.encode(3).unwrap_err();
    let want = Unencodable::NoField {
        field: "allow_auto_topic_creation",
        version: 3,
    };
    assert_eq!(refused, want);
    assert!(request.encode(4).is_ok());

    let response = api_versions::Response {
        finalized_features_epoch: 5,
        ..api_versions::Response::default()
    };
    assert!(response.encode(2).is_ok(), "ignorable fields are left out");
    let refused = response.encode(5).unwrap_err();
    assert!(matches!(refused, Unencodable::NoVersion { version: 5, .. }));
}
