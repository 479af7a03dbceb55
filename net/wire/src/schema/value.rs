//! The wire type that each Rust type stands for.
//!
//! | Rust | wire |
//! |---|---|
//! | `bool` | one byte, zero is false |
//! | `i8` `i16` `u16` `i32` `i64` | big-endian integers |
//! | `Float64` | float64, big-endian |
//! | `TopicId`, `[u8; 16]` | uuid |
//! | `String` | string |
//! | `Bytes` | bytes or records, sharing the frame |
//! | `Vec<T>` | array |
//! | `Option<T>` | the same, or null |
//! | a structure | its fields, one after the other |

use bytes::Bytes;
use types::ids::TopicId;

use crate::primitive::{Float64, Layout, Reader, Writer};
use crate::schema::field::{Field, Kind};
use crate::{Malformed, Unencodable};

/// A type with a wire form.
pub trait Value: Sized {
    /// The name of the wire form.
    const KIND: Kind;

    /// Returns the least number of bytes that a value takes.
    fn size_min(layout: Layout) -> usize;

    /// Reads a value.
    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed>;

    /// Writes the value.
    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable>;

    /// Returns whether this is null.
    fn is_null(&self) -> bool {
        false
    }
}

/// A type whose wire form has a null.
pub trait Nullable: Value {
    /// Reads a value, or null.
    fn decode_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, Malformed>;

    /// Writes a value, or null.
    fn encode_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        layout: Layout,
    ) -> Result<(), Unencodable>;

    /// Returns the least number of bytes that a value or null takes.
    fn nullable_size_min(layout: Layout) -> usize {
        Self::size_min(layout)
    }
}

/// Fields one after the other: what the notation makes.
pub trait Structure: Default + PartialEq {
    /// The structure's notation, in its order.
    const FIELDS: &'static [Field];

    /// Returns the least number of bytes that the fields take.
    fn fields_size_min(layout: Layout) -> usize;

    /// Reads all fields of the version.
    fn decode_fields(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed>;

    /// Writes all fields of the version.
    fn encode_fields(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable>;
}

impl<T: Structure> Value for T {
    const KIND: Kind = Kind::Structure { fields: T::FIELDS };

    fn size_min(layout: Layout) -> usize {
        T::fields_size_min(layout)
    }

    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed> {
        T::decode_fields(reader, layout)
    }

    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        self.encode_fields(writer, layout)
    }
}

impl<T: Structure> Nullable for T {
    fn decode_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, Malformed> {
        if reader.int8()? < 0 {
            Ok(None)
        } else {
            T::decode_fields(reader, layout).map(Some)
        }
    }

    fn encode_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        layout: Layout,
    ) -> Result<(), Unencodable> {
        match value {
            None => writer.int8(-1),
            Some(value) => {
                writer.int8(1);
                value.encode_fields(writer, layout)?;
            }
        }
        Ok(())
    }

    fn nullable_size_min(_: Layout) -> usize {
        1
    }
}

macro_rules! fixed_size_values {
    ($($type:ty, $kind:ident, $size:literal, $read:ident, |$writer:ident, $value:ident| $write:expr;)*) => {
        $(impl Value for $type {
            const KIND: Kind = Kind::$kind;

            fn size_min(_: Layout) -> usize {
                $size
            }

            fn decode(reader: &mut Reader<'_>, _: Layout) -> Result<Self, Malformed> {
                $read(reader)
            }

            fn encode(&self, $writer: &mut Writer, _: Layout) -> Result<(), Unencodable> {
                let $value = self;
                $write;
                Ok(())
            }
        })*
    };
}

fixed_size_values! {
    bool, Bool, 1, read_bool, |writer, value| writer.int8((*value).into());
    i8, Int8, 1, read_i8, |writer, value| writer.int8(*value);
    i16, Int16, 2, read_i16, |writer, value| writer.int16(*value);
    u16, Uint16, 2, read_u16, |writer, value| writer.bytes(&value.to_be_bytes());
    i32, Int32, 4, read_i32, |writer, value| writer.int32(*value);
    i64, Int64, 8, read_i64, |writer, value| writer.int64(*value);
    Float64, Float64, 8, read_float64, |writer, value| writer.bytes(&value.0.to_be_bytes());
    [u8; 16], Uuid, 16, read_uuid, |writer, value| writer.bytes(value);
    TopicId, Uuid, 16, read_topic_id, |writer, value| writer.bytes(&value.0);
}

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    reader.int8().map(|byte| byte != 0)
}

fn read_i8(reader: &mut Reader<'_>) -> Result<i8, Malformed> {
    reader.int8()
}

fn read_i16(reader: &mut Reader<'_>) -> Result<i16, Malformed> {
    reader.int16()
}

fn read_u16(reader: &mut Reader<'_>) -> Result<u16, Malformed> {
    reader.array().map(u16::from_be_bytes)
}

fn read_i32(reader: &mut Reader<'_>) -> Result<i32, Malformed> {
    reader.int32()
}

fn read_i64(reader: &mut Reader<'_>) -> Result<i64, Malformed> {
    reader.int64()
}

fn read_float64(reader: &mut Reader<'_>) -> Result<Float64, Malformed> {
    reader.array().map(f64::from_be_bytes).map(Float64)
}

fn read_uuid(reader: &mut Reader<'_>) -> Result<[u8; 16], Malformed> {
    reader.array()
}

fn read_topic_id(reader: &mut Reader<'_>) -> Result<TopicId, Malformed> {
    reader.array().map(TopicId)
}

impl Value for String {
    const KIND: Kind = Kind::String;

    fn size_min(layout: Layout) -> usize {
        if layout.flexible { 1 } else { 2 }
    }

    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed> {
        reader.string(layout.flexible).map(Self::from)
    }

    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        writer.nullable_string(Some(self), layout.flexible)
    }
}

impl Nullable for String {
    fn decode_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, Malformed> {
        let text = reader.nullable_string(layout.flexible)?;
        Ok(text.map(Self::from))
    }

    fn encode_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        layout: Layout,
    ) -> Result<(), Unencodable> {
        writer.nullable_string(value.map(Self::as_str), layout.flexible)
    }
}

impl Value for Bytes {
    const KIND: Kind = Kind::Bytes;

    fn size_min(layout: Layout) -> usize {
        if layout.flexible { 1 } else { 4 }
    }

    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed> {
        let bytes = reader.nullable_bytes(layout.flexible)?;
        bytes.ok_or_else(|| reader.malformed("bytes, not null"))
    }

    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        writer.nullable_bytes(Some(self), layout.flexible)
    }
}

impl Nullable for Bytes {
    fn decode_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, Malformed> {
        reader.nullable_bytes(layout.flexible)
    }

    fn encode_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        layout: Layout,
    ) -> Result<(), Unencodable> {
        writer.nullable_bytes(value, layout.flexible)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::Array { of: &T::KIND };

    fn size_min(layout: Layout) -> usize {
        if layout.flexible { 1 } else { 4 }
    }

    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed> {
        let elements = Self::decode_nullable(reader, layout)?;
        elements.ok_or_else(|| reader.malformed("an array, not null"))
    }

    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        Self::encode_nullable(Some(self), writer, layout)
    }
}

impl<T: Value> Nullable for Vec<T> {
    fn decode_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, Malformed> {
        let Some(count) = reader.nullable_count(layout.flexible, T::size_min(layout))? else {
            return Ok(None);
        };
        reader.book::<T>(count)?;
        let mut elements = Self::with_capacity(count);
        for _ in 0..count {
            elements.push(T::decode(reader, layout)?);
        }
        Ok(Some(elements))
    }

    fn encode_nullable(
        value: Option<&Self>,
        writer: &mut Writer,
        layout: Layout,
    ) -> Result<(), Unencodable> {
        writer.nullable_count(value.map(Self::len), layout.flexible)?;
        for element in value.into_iter().flatten() {
            element.encode(writer, layout)?;
        }
        Ok(())
    }
}

impl<T: Nullable> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn size_min(layout: Layout) -> usize {
        T::nullable_size_min(layout)
    }

    fn decode(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, Malformed> {
        T::decode_nullable(reader, layout)
    }

    fn encode(&self, writer: &mut Writer, layout: Layout) -> Result<(), Unencodable> {
        T::encode_nullable(self.as_ref(), writer, layout)
    }

    fn is_null(&self) -> bool {
        self.is_none()
    }
}
