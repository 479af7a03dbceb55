//! What nobody should send: absurd lengths, bombs of tagged fields, arbitrary bytes.

use bytes::Bytes;
use proptest::prelude::*;
use types::size::ByteCount;
use wire::messages::{fetch, produce};

use crate::sample::{self, Form, Length, Quirk};
use crate::served;

/// How much memory a whole message takes at most for each byte of its body: an empty string of a
/// flexible version is one byte, and 24 once decoded.
const MEMORY_PER_BYTE_MAX: usize = 32;

/// How many arrays stand in each other at most.
const NESTING_MAX: usize = 4;

/// Returns the body with one length replaced by the largest that its form can say.
fn with_absurd_length(body: &[u8], length: Length) -> Bytes {
    let absurd: &[u8] = match length.form {
        Form::Varint => &[0xff, 0xff, 0xff, 0xff, 0x0f],
        Form::Int16 => &[0x7f, 0xff],
        Form::Int32 => &[0x7f, 0xff, 0xff, 0xff],
    };
    let (before, after) = (&body[..length.start], &body[length.start + length.size..]);
    [before, absurd, after].concat().into()
}

#[test]
fn absurd_lengths_and_counts_are_refused_everywhere() {
    let mut count = 0;
    for message in served::all() {
        for version in message.versions() {
            let sample = sample::sample(&message, version, &sample::rich_entropy());
            assert!((message.decode)(&sample.body, version).is_ok());
            for length in sample.lengths {
                let body = with_absurd_length(&sample.body, length);
                let decoded = (message.decode)(&body, version);
                assert!(decoded.is_err(), "{} v{version} {length:?}", message.name);
                count += 1;
            }
        }
    }
    assert!(count > 2000, "only {count} lengths in all bodies");
}

#[test]
fn a_body_of_one_absurd_count_is_refused_everywhere() {
    for message in served::all() {
        for version in message.versions() {
            let absurd: &[u8] = if message.api.is_flexible(version) {
                &[0xff, 0xff, 0xff, 0xff, 0x0f]
            } else {
                &[0x7f, 0xff, 0xff, 0xff]
            };
            let decoded = (message.decode)(&Bytes::from_static(absurd), version);
            assert!(decoded.is_err(), "{} v{version}", message.name);
        }
    }
}

#[test]
fn null_is_refused_wherever_the_version_forbids_it() {
    let entropy = sample::rich_entropy();
    let mut count = 0;
    for message in served::all() {
        for version in message.versions() {
            let sample = sample::sample(&message, version, &entropy);
            for index in 0..sample.never_null_count {
                let quirk = Quirk::ForbiddenNull(index);
                let body = sample::quirky(&message, version, &entropy, quirk).body;
                let error = (message.decode)(&body, version).err();
                let error = error.unwrap_or_else(|| panic!("{} v{version}", message.name));
                assert!(
                    error.want.ends_with(", not null"),
                    "{} v{version}: {error}",
                    message.name
                );
                count += 1;
            }
        }
    }
    assert!(count > 1000, "only {count} values in all bodies");
}

#[test]
fn tagged_fields_that_nobody_knows_are_skipped_in_every_structure() {
    let entropy = sample::rich_entropy();
    for message in served::all() {
        for version in message.versions().filter(|&it| message.api.is_flexible(it)) {
            let plain = sample::sample(&message, version, &entropy).body;
            let quirk = Quirk::UnknownTags;
            let quirky = sample::quirky(&message, version, &entropy, quirk).body;
            assert!(quirky.len() > plain.len());
            let debug = |body| (message.decode)(body, version).unwrap().debug;
            assert_eq!(debug(&quirky), debug(&plain), "{} v{version}", message.name);
        }
    }
}

#[test]
fn bombs_of_empty_tagged_fields_cost_no_memory() {
    // 65,535 announced fields, each of two bytes: a tag and the size 0.
    let mut bomb = vec![0xff, 0xff, 0x03];
    for tag in 100..100 + 65_535_u32 {
        let low = u8::try_from(tag & 0x7f).unwrap() | 0x80;
        let middle = u8::try_from((tag >> 7) & 0x7f).unwrap() | 0x80;
        bomb.extend([low, middle, u8::try_from(tag >> 14).unwrap(), 0]);
    }
    for message in served::all() {
        for version in message.versions().filter(|&it| message.api.is_flexible(it)) {
            let bare = sample::sample(&message, version, &[]).body;
            let (last, fields) = bare.split_last().unwrap();
            assert_eq!(*last, 0, "the body ends in its count of tagged fields");
            let body = Bytes::from([fields, &bomb].concat());
            let decode_within = message.decode_within;
            let decoded = decode_within(&body, message.layout(version), ByteCount(1024));
            assert_eq!(
                decoded,
                Ok(()),
                "{} v{version}: unknown tags are skipped",
                message.name
            );
        }
    }
}

#[test]
fn full_arrays_of_the_smallest_elements_stay_within_the_memory_bound() {
    for message in served::all() {
        for version in message.versions() {
            for fill in [0_u8, 1, 2] {
                // Whatever this decodes to, the counts inside are as large as the bytes allow.
                let mut body = sample::sample(&message, version, &[]).body.to_vec();
                body.extend(std::iter::repeat_n(fill, 4096));
                check_memory(&message, version, &Bytes::from(body));
            }
        }
    }
}

/// Shows that a body takes no more memory than its bytes allow.
///
/// An array books the memory of all the elements it announces. If they do not come, the arrays within
/// those that do come book it for the same bytes again: once for each level, until the body ends too
/// soon.
fn check_memory(message: &served::Served, version: i16, body: &Bytes) {
    let is_refused_within = |levels| {
        let memory_max = ByteCount::from(MEMORY_PER_BYTE_MAX * levels * body.len());
        let decoded = (message.decode_within)(body, message.layout(version), memory_max);
        decoded.map_err(|error| error.want == "a message that fits its memory bound")
    };
    if is_refused_within(1) == Err(true) {
        let whole = is_refused_within(NESTING_MAX);
        assert_eq!(whole, Err(false), "{} v{version}", message.name);
    }
}

#[test]
fn arrays_that_announce_more_than_comes_book_once_for_each_level() {
    let all = served::all();
    let message = all.iter().find(|it| it.name == "DescribeConfigsRequest");
    let message = message.unwrap();
    // 49 resources are announced; the first one takes all that is left for its 199 keys.
    let body = [&[50, 2, 1, 0xc8, 0x01][..], &[1; 204]].concat();
    let body = Bytes::from(body);
    let decode = |levels: usize| {
        let memory_max = ByteCount::from(MEMORY_PER_BYTE_MAX * levels * body.len());
        (message.decode_within)(&body, message.layout(4), memory_max)
    };
    let error = decode(1).unwrap_err();
    assert_eq!(error.want, "a message that fits its memory bound");
    let error = decode(NESTING_MAX).unwrap_err();
    assert_ne!(error.want, "a message that fits its memory bound");
    check_memory(message, 4, &body);
}

#[test]
fn the_memory_bound_is_what_refuses_a_message_beyond_it() {
    // Positive control for the check above.
    let all = served::all();
    let message = all
        .iter()
        .find(|it| it.name == "DeleteTopicsRequest")
        .unwrap();
    let body = Bytes::from([[101].as_slice(), &[1; 100], &[0, 0, 0, 0, 0]].concat());
    let within = |bytes| (message.decode_within)(&body, message.layout(4), ByteCount(bytes));
    assert_eq!(within(2400), Ok(()));
    let refused = within(2399).unwrap_err();
    assert_eq!(refused.want, "a message that fits its memory bound");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic_nor_take_much_memory(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..300),
    ) {
        let body = Bytes::from(bytes);
        for message in served::all() {
            for version in message.versions() {
                check_memory(&message, version, &body);
            }
        }
        for version in 0..20 {
            let _parsed = produce::RequestView::parse(body.clone(), version);
            let _parsed = fetch::RequestView::parse(body.clone(), version);
        }
    }

    #[test]
    fn bodies_with_a_byte_changed_never_panic_nor_take_much_memory(
        entropy in proptest::collection::vec(any::<u8>(), 0..200),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for message in served::all() {
            for version in message.versions() {
                let mut body = sample::sample(&message, version, &entropy).body.to_vec();
                if !body.is_empty() {
                    let place = place.index(body.len());
                    body[place] = byte;
                }
                check_memory(&message, version, &Bytes::from(body));
            }
        }
    }
}
