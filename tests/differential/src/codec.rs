//! Trees to bytes and back, by the notation of the messages alone.
//!
//! It shares the primitives with `wire`'s own codec and nothing else, so a message that `wire`
//! reads wrongly is a difference, not a blind spot. A request may say what no honest client says:
//! fields that its version lacks are left out without a word, nulls are written where the form has
//! one, and a field that the tree does not name has the notation's default.

use bytes::Bytes;
use types::ByteCount;
use wire::primitive::{Layout, Reader, Writer};
use wire::schema::{Field, Kind};
use wire::{Malformed, Unencodable};

use crate::tree::Tree;

/// What the arrays of one answer may take in memory.
const MEMORY_MAX: ByteCount = ByteCount::mib(64);

/// Reads a whole body.
pub(crate) fn decode(
    body: &Bytes,
    fields: &'static [Field],
    layout: Layout,
) -> Result<Tree, Malformed> {
    let mut reader = Reader::new(body, MEMORY_MAX);
    let tree = decode_fields(&mut reader, fields, layout)?;
    reader.finish()?;
    Ok(tree)
}

fn decode_fields(
    reader: &mut Reader<'_>,
    fields: &'static [Field],
    layout: Layout,
) -> Result<Tree, Malformed> {
    let present = |field: &&'static Field| field.versions.contains(layout.version);
    let mut read = Vec::new();
    for field in fields.iter().filter(present) {
        let value = if field.place.tag().is_none() {
            decode_value(reader, field, field.kind, layout)?
        } else {
            default_of(field, layout)
        };
        read.push((field.name, value));
    }
    if layout.flexible {
        reader.tagged_fields(|tag, reader| {
            let found = fields
                .iter()
                .filter(present)
                .find(|f| f.place.tag() == Some(tag));
            let Some(field) = found else {
                return Ok(false);
            };
            let value = decode_value(reader, field, field.kind, layout)?;
            if let Some(place) = read.iter_mut().find(|(name, _)| *name == field.name) {
                place.1 = value;
            }
            Ok(true)
        })?;
    }
    Ok(Tree::Fields(read))
}

fn decode_value(
    reader: &mut Reader<'_>,
    field: &Field,
    kind: Kind,
    layout: Layout,
) -> Result<Tree, Malformed> {
    Ok(match kind {
        Kind::Bool => Tree::Bool(reader.int8()? != 0),
        Kind::Int8 => reader.int8()?.into(),
        Kind::Int16 => reader.int16()?.into(),
        Kind::Uint16 => Tree::Int(u16::from_be_bytes(reader.array()?).into()),
        Kind::Int32 => reader.int32()?.into(),
        Kind::Int64 => reader.int64()?.into(),
        Kind::Float64 => Tree::Float(u64::from_be_bytes(reader.array()?)),
        Kind::Uuid => Tree::Uuid(reader.array()?),
        Kind::String => reader.nullable_string(layout.flexible)?.into(),
        Kind::Bytes => reader.nullable_bytes(layout.flexible)?.into(),
        Kind::Array { of } => {
            let Some(count) = reader.nullable_count(layout.flexible, 1)? else {
                return Ok(Tree::Null);
            };
            reader.book::<Tree>(count)?;
            let elements = (0..count).map(|_| decode_value(reader, field, *of, layout));
            Tree::List(elements.collect::<Result<_, _>>()?)
        }
        // Only a structure that may be null somewhere says whether it is.
        Kind::Structure { .. } if is_nullable_structure(field, layout) && reader.int8()? < 0 => {
            Tree::Null
        }
        Kind::Structure { fields } => decode_fields(reader, fields, layout)?,
    })
}

/// Writes a whole body.
pub(crate) fn encode(
    tree: &Tree,
    fields: &'static [Field],
    layout: Layout,
) -> Result<Writer, Unencodable> {
    let mut writer = Writer::new();
    encode_fields(&mut writer, tree, fields, layout)?;
    Ok(writer)
}

fn encode_fields(
    writer: &mut Writer,
    tree: &Tree,
    fields: &'static [Field],
    layout: Layout,
) -> Result<(), Unencodable> {
    let present = fields
        .iter()
        .filter(|f| f.versions.contains(layout.version));
    // No request of ours sets a tagged field.
    for field in present.filter(|field| field.place.tag().is_none()) {
        match tree.at(field.name) {
            Some(value) => encode_value(writer, value, field, field.kind, layout)?,
            None => encode_value(
                writer,
                &default_of(field, layout),
                field,
                field.kind,
                layout,
            )?,
        }
    }
    writer.no_tagged_fields(layout.flexible);
    Ok(())
}

fn encode_value(
    writer: &mut Writer,
    tree: &Tree,
    field: &Field,
    kind: Kind,
    layout: Layout,
) -> Result<(), Unencodable> {
    match kind {
        Kind::Bool => writer.bytes(&[u8::from(*tree == Tree::Bool(true))]),
        Kind::Int8 => writer.bytes(&last_bytes::<1>(tree)),
        Kind::Int16 | Kind::Uint16 => writer.bytes(&last_bytes::<2>(tree)),
        Kind::Int32 => writer.bytes(&last_bytes::<4>(tree)),
        Kind::Int64 | Kind::Float64 => writer.bytes(&last_bytes::<8>(tree)),
        Kind::Uuid => match tree {
            Tree::Uuid(id) => writer.bytes(id),
            _ => writer.bytes(&[0; 16]),
        },
        Kind::String => match tree {
            Tree::Text(text) => writer.nullable_string(Some(text), layout.flexible)?,
            _ => writer.nullable_string(none_or_empty(field, layout, ""), layout.flexible)?,
        },
        Kind::Bytes => {
            let empty = Bytes::new();
            let bytes = match tree {
                Tree::Bytes(bytes) => Some(bytes),
                _ => none_or_empty(field, layout, &empty),
            };
            writer.nullable_bytes(bytes, layout.flexible)?;
        }
        Kind::Array { of } => match tree {
            Tree::List(elements) => {
                writer.nullable_count(Some(elements.len()), layout.flexible)?;
                for element in elements {
                    encode_value(writer, element, field, *of, layout)?;
                }
            }
            _ => writer.nullable_count(none_or_empty(field, layout, 0), layout.flexible)?,
        },
        Kind::Structure { fields } => {
            let nullable = is_nullable_structure(field, layout);
            if nullable {
                writer.int8(if *tree == Tree::Null { -1 } else { 1 });
            }
            if !nullable || *tree != Tree::Null {
                encode_fields(writer, tree, fields, layout)?;
            }
        }
    }
    Ok(())
}

/// A value that is not given is null where the version has a null, and empty elsewhere.
fn none_or_empty<T>(field: &Field, layout: Layout, empty: T) -> Option<T> {
    (!field.null.contains(layout.version)).then_some(empty)
}

/// Elements of an array are never null: there, `field` is the array's.
fn is_nullable_structure(field: &Field, layout: Layout) -> bool {
    matches!(field.kind, Kind::Structure { .. }) && field.null.contains(layout.version)
}

/// The lowest bytes of a number, big-endian; of all else, zeros.
fn last_bytes<const N: usize>(tree: &Tree) -> [u8; N] {
    let number = match tree {
        Tree::Int(number) => *number,
        Tree::Float(bits) => bits.cast_signed(),
        _ => 0,
    };
    number.to_be_bytes().last_chunk().copied().unwrap_or([0; N])
}

/// Reads the default as the notation writes it; all that is no number is zero, empty or null.
fn default_of(field: &Field, layout: Layout) -> Tree {
    match field.default {
        "true" => Tree::Bool(true),
        "i32::MIN" => Tree::from(i32::MIN),
        number => number
            .replace('_', "")
            .parse::<i64>()
            .map_or_else(|_| zero(field, layout), Tree::Int),
    }
}

fn zero(field: &Field, layout: Layout) -> Tree {
    match field.kind {
        Kind::Bool => Tree::Bool(false),
        Kind::Int8 | Kind::Int16 | Kind::Uint16 | Kind::Int32 | Kind::Int64 => Tree::Int(0),
        Kind::Float64 => Tree::Float(0),
        Kind::Uuid => Tree::Uuid([0; 16]),
        Kind::Array { .. } if !field.null.contains(layout.version) => Tree::List(Vec::new()),
        Kind::Array { .. } | Kind::String | Kind::Bytes | Kind::Structure { .. } => Tree::Null,
    }
}

#[cfg(test)]
mod tests {
    use wire::Message;
    use wire::messages::{describe_topic_partitions as pages, join_group, metadata};
    use wire::schema::Structure;

    use super::*;
    use crate::tree::body;

    fn layout(version: i16, flexible: bool) -> Layout {
        Layout { version, flexible }
    }

    #[test]
    fn a_request_is_written_as_the_wire_crate_writes_it() {
        let tree = body! {
            group_id: "g", session_timeout_ms: 6_000, rebalance_timeout_ms: 7_000,
            member_id: "m", group_instance_id: None::<&str>, protocol_type: "consumer",
            protocols: vec![body! { name: "range", metadata: Bytes::from_static(b"own") }],
        };
        let request = join_group::Request {
            group_id: "g".to_owned(),
            session_timeout_ms: 6_000,
            rebalance_timeout_ms: 7_000,
            member_id: "m".to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![join_group::Protocol {
                name: "range".to_owned(),
                metadata: Bytes::from_static(b"own"),
            }],
            ..Default::default()
        };
        for version in 0..=9 {
            let layout = layout(version, version >= 6);
            let written = encode(&tree, join_group::Request::FIELDS, layout).unwrap();
            let want = request.encode(version).unwrap();
            assert_eq!(written.into_bytes(), want.into_bytes(), "version {version}");
        }
    }

    #[test]
    fn what_a_tree_does_not_name_has_its_default() {
        let written = encode(&body! {}, metadata::Request::FIELDS, layout(4, false)).unwrap();
        let want = metadata::Request::default().encode(4).unwrap();
        assert_eq!(written.into_bytes(), want.into_bytes());
    }

    #[test]
    fn an_answer_is_read_with_its_nulls_and_its_structures() {
        let answer = pages::Response {
            topics: vec![pages::TopicResult {
                name: Some("t".to_owned()),
                ..Default::default()
            }],
            ..Default::default()
        };
        let read = |answer: &pages::Response| {
            let bytes = answer.encode(0).unwrap().into_bytes();
            decode(&bytes, pages::Response::FIELDS, layout(0, true)).unwrap()
        };
        let tree = read(&answer);
        assert_eq!(tree.at("topics.0.name"), Some(&Tree::from("t")));
        assert_eq!(tree.at("next_cursor"), Some(&Tree::Null));
        let cursor = pages::Cursor {
            topic_name: "u".to_owned(),
            partition_index: 3,
        };
        let tree = read(&pages::Response {
            next_cursor: Some(cursor),
            ..answer
        });
        assert_eq!(tree.int_at("next_cursor.partition_index"), Some(3));
    }

    #[test]
    fn a_cut_answer_is_refused() {
        let bytes = pages::Response::default().encode(0).unwrap().into_bytes();
        for end in 0..bytes.len() {
            let read = decode(
                &bytes.slice(..end),
                pages::Response::FIELDS,
                layout(0, true),
            );
            assert!(read.is_err(), "{end} bytes");
        }
    }
}
