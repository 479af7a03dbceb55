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
            default_of(field)
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
            None => encode_value(writer, &default_of(field), field, field.kind, layout)?,
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
        Kind::Bytes => match tree {
            Tree::Bytes(bytes) => writer.nullable_bytes(Some(bytes), layout.flexible)?,
            _ => {
                let empty = Bytes::new();
                writer.nullable_bytes(none_or_empty(field, layout, &empty), layout.flexible)?;
            }
        },
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
    let [.., a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let bytes = [a, b, c, d, e, f, g, h];
    bytes.last_chunk().copied().unwrap_or([0; N])
}

/// Reads the default as the notation writes it; all that is no number is zero, empty or null.
fn default_of(field: &Field) -> Tree {
    match field.default {
        "true" => Tree::Bool(true),
        "i32::MIN" => Tree::from(i32::MIN),
        number => number
            .replace('_', "")
            .parse::<i64>()
            .map_or_else(|_| zero(field.kind), Tree::Int),
    }
}

fn zero(kind: Kind) -> Tree {
    match kind {
        Kind::Bool => Tree::Bool(false),
        Kind::Int8 | Kind::Int16 | Kind::Uint16 | Kind::Int32 | Kind::Int64 => Tree::Int(0),
        Kind::Float64 => Tree::Float(0),
        Kind::Uuid => Tree::Uuid([0; 16]),
        Kind::String | Kind::Bytes | Kind::Structure { .. } => Tree::Null,
        Kind::Array { .. } => Tree::List(Vec::new()),
    }
}
