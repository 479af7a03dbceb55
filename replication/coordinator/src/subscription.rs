//! What members of the protocol type `consumer` say in joining, as far as the coordinator looks.
//!
//! *Source*: `ConsumerProtocolSubscription.json`: int16 version, then an array of topic names; what
//! follows differs between versions and is left alone, as Kafka leaves it.

use std::collections::BTreeSet;

use crate::record::{Malformed, Reader};

/// Adds the topics of one subscription.
///
/// *Errors*: the bytes are no subscription.
pub(crate) fn collect_topics(
    subscription: &[u8],
    topics: &mut BTreeSet<String>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(subscription);
    if reader.i16()? < 0 {
        return Err(Malformed { what: "version" });
    }
    for _ in 0..reader.array_length()? {
        topics.insert(reader.string()?.to_owned());
    }
    // Version 0 ends with user data, and is the beginning of every later version.
    reader.nullable_bytes().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_found_whatever_follows() {
        let mut topics = BTreeSet::new();
        let bytes = b"\0\x03\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xff\0\0\0\0rest";
        assert_eq!(collect_topics(bytes, &mut topics), Ok(()));
        assert_eq!(topics, BTreeSet::from(["a".to_owned(), "bc".to_owned()]));
    }

    #[test]
    fn what_is_no_subscription_is_refused() {
        let no_user_data = b"\0\0\0\0\0\0\0\0\0\x01";
        for bytes in [&b""[..], b"\0\0", b"\0\0\x7f\xff\xff\xff", no_user_data] {
            assert!(collect_topics(bytes, &mut BTreeSet::new()).is_err());
        }
    }
}
