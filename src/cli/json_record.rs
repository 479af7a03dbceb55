//! Records as JSON, one object a line: what `consume` prints and `produce` takes.
//!
//! ```text
//! {"topic":"t","partition":0,"offset":7,"timestamp":1767225600000,
//!  "key":"k","value":"v","headers":[{"key":"h","value":"x"}]}
//! ```
//!
//! Bytes that are not UTF-8 stand in base64 under another name: `key_base64`, `value_base64`, also
//! within a header. Null is `null`. Taken in, everything may be missing, and where a record lay
//! (`topic`, `partition`, `offset`) is ignored.

use client::consumer::ConsumedRecord;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::base64;

/// The names of a value as text and in base64.
const KEY: [&str; 2] = ["key", "key_base64"];
const VALUE: [&str; 2] = ["value", "value_base64"];

/// A record as it is printed.
pub(super) struct Printed<'a>(pub(super) &'a ConsumedRecord);

impl Serialize for Printed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("topic", &*record.topic)?;
        object.serialize_entry("partition", &record.partition)?;
        object.serialize_entry("offset", &record.offset.get())?;
        object.serialize_entry("timestamp", &record.timestamp.0)?;
        entry::<S>(&mut object, KEY, record.key.as_deref())?;
        entry::<S>(&mut object, VALUE, record.value.as_deref())?;
        let headers: Vec<_> = record.headers.iter().map(PrintedHeader::of).collect();
        object.serialize_entry("headers", &headers)?;
        object.end()
    }
}

struct PrintedHeader<'a> {
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> PrintedHeader<'a> {
    fn of((key, value): &'a (bytes::Bytes, Option<bytes::Bytes>)) -> Self {
        let value = value.as_deref();
        Self { key, value }
    }
}

impl Serialize for PrintedHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        entry::<S>(&mut object, KEY, Some(self.key))?;
        entry::<S>(&mut object, VALUE, self.value)?;
        object.end()
    }
}

fn entry<S: Serializer>(
    object: &mut S::SerializeMap,
    [as_text, as_base64]: [&'static str; 2],
    bytes: Option<&[u8]>,
) -> Result<(), S::Error> {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => object.serialize_entry(as_text, &()),
        Some((Ok(text), _)) => object.serialize_entry(as_text, text),
        Some((Err(_), bytes)) => object.serialize_entry(as_base64, &base64::encode(bytes)),
    }
}

/// A record as it is taken in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// The key; `None` is null.
    pub(super) key: Option<Vec<u8>>,
    /// The value; `None` is null.
    pub(super) value: Option<Vec<u8>>,
    /// The headers, in order: key, and value or null.
    pub(super) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Its time in milliseconds since 1970; now without.
    pub(super) timestamp: Option<i64>,
}

/// A line that is not a record.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotARecord {
    /// It is not JSON, or not of the right form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Bytes are given twice.
    #[error("{0} and {0}_base64 exclude each other")]
    Twice(&'static str),
    /// Base64 is expected and something else there.
    #[error("{0} is not base64")]
    NotBase64(&'static str),
    /// A header has a null key.
    #[error("a header needs a key")]
    HeaderWithoutKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    key: Option<String>,
    key_base64: Option<String>,
    value: Option<String>,
    value_base64: Option<String>,
    #[serde(default)]
    headers: Vec<HeaderObject>,
    timestamp: Option<i64>,
    #[serde(rename = "topic")]
    _topic: Option<IgnoredAny>,
    #[serde(rename = "partition")]
    _partition: Option<IgnoredAny>,
    #[serde(rename = "offset")]
    _offset: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderObject {
    key: Option<String>,
    key_base64: Option<String>,
    value: Option<String>,
    value_base64: Option<String>,
}

/// Reads one line.
///
/// *Errors*: [`NotARecord`].
pub(super) fn parse(line: &[u8]) -> Result<Typed, NotARecord> {
    let object: Object = serde_json::from_slice(line)?;
    let header = |header: HeaderObject| {
        let key = bytes(KEY, header.key, header.key_base64)?;
        let value = bytes(VALUE, header.value, header.value_base64)?;
        Ok((key.ok_or(NotARecord::HeaderWithoutKey)?, value))
    };
    Ok(Typed {
        key: bytes(KEY, object.key, object.key_base64)?,
        value: bytes(VALUE, object.value, object.value_base64)?,
        headers: object
            .headers
            .into_iter()
            .map(header)
            .collect::<Result<_, NotARecord>>()?,
        timestamp: object.timestamp,
    })
}

fn bytes(
    [as_text, as_base64]: [&'static str; 2],
    text: Option<String>,
    encoded: Option<String>,
) -> Result<Option<Vec<u8>>, NotARecord> {
    match (text, encoded) {
        (Some(_), Some(_)) => Err(NotARecord::Twice(as_text)),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(encoded)) => {
            let decoded = base64::decode(&encoded);
            decoded.map(Some).ok_or(NotARecord::NotBase64(as_base64))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use types::{Offset, TimestampMs};

    use super::*;

    fn consumed(typed: &Typed) -> ConsumedRecord {
        let shared = |bytes: &Vec<u8>| Bytes::from(bytes.clone());
        ConsumedRecord {
            topic: "t".into(),
            partition: 3,
            offset: Offset::new(7).unwrap(),
            timestamp: TimestampMs(typed.timestamp.unwrap()),
            key: typed.key.as_ref().map(shared),
            value: typed.value.as_ref().map(shared),
            headers: (typed.headers.iter())
                .map(|(key, value)| (shared(key), value.as_ref().map(shared)))
                .collect(),
        }
    }

    fn printed(typed: &Typed) -> String {
        serde_json::to_string(&Printed(&consumed(typed))).unwrap()
    }

    #[test]
    fn a_record_is_printed_as_documented() {
        let typed = Typed {
            key: Some(b"k".to_vec()),
            value: Some(vec![0xff]),
            headers: vec![(b"h".to_vec(), None)],
            timestamp: Some(5),
        };
        assert_eq!(
            printed(&typed),
            r#"{"topic":"t","partition":3,"offset":7,"timestamp":5,"key":"k","#.to_owned()
                + r#""value_base64":"/w==","headers":[{"key":"h","value":null}]}"#
        );
    }

    #[test]
    fn everything_may_be_missing() {
        assert_eq!(parse(b"{}").unwrap(), Typed::default());
    }

    #[test]
    fn what_is_no_record_says_why() {
        for (line, want) in [
            ("", "EOF"),
            ("hello", "expected value"),
            ("[]", "invalid"),
            (r#"{"valeu":"x"}"#, "unknown field `valeu`"),
            (r#"{"value":1}"#, "expected a string"),
            (
                r#"{"value":"a","value_base64":"YQ=="}"#,
                "value and value_base64",
            ),
            (r#"{"key_base64":"?"}"#, "key_base64 is not base64"),
            (r#"{"headers":[{"value":"x"}]}"#, "a header needs a key"),
        ] {
            let told = parse(line.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(want), "{line}: {told}");
        }
    }

    fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![".{0,8}".prop_map(String::into_bytes), any::<Vec<u8>>()]
    }

    proptest! {
        #[test]
        fn what_was_printed_is_taken_in_again(
            key in prop::option::of(some_bytes()),
            value in prop::option::of(some_bytes()),
            headers in prop::collection::vec((some_bytes(), prop::option::of(some_bytes())), 0..3),
            timestamp: i64,
        ) {
            let typed = Typed { key, value, headers, timestamp: Some(timestamp) };
            let line = printed(&typed);
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(parse(line.as_bytes()).unwrap(), typed);
        }
    }
}
