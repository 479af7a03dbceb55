//! The rules of reading and writing one field: when it is there, and when it may be left out.

use crate::primitive::{Layout, Reader, Writer};
use crate::schema::field::Field;
use crate::schema::value::Value;
use crate::{Malformed, Unencodable};

/// Reads one field into `place` if the version has it.
///
/// Called for ordered fields in their turn, and for a tagged field when its tag is met.
#[inline]
pub(crate) fn decode_field<T: Value>(
    place: &mut T,
    field: &Field,
    reader: &mut Reader<'_>,
    layout: Layout,
) -> Result<bool, Malformed> {
    if !field.versions.contains(layout.version) {
        return Ok(false);
    }
    *place = T::decode(reader, layout)?;
    if place.is_null() && !field.null.contains(layout.version) {
        return Err(reader.malformed("a value, not null"));
    }
    Ok(true)
}

/// Writes one ordered field if the version has it.
///
/// *Errors*: [`Unencodable::NoField`] if the version lacks it and it is neither ignorable nor at
/// its default; [`Unencodable::Null`] if it is null where that is forbidden.
#[inline]
pub(crate) fn encode_field<T: Value + PartialEq>(
    value: &T,
    default: &T,
    field: &Field,
    writer: &mut Writer,
    layout: Layout,
) -> Result<(), Unencodable> {
    if !field.versions.contains(layout.version) {
        return left_out(value, default, field, layout);
    }
    refuse_null(value, field, layout)?;
    value.encode(writer, layout)
}

/// Returns whether a tagged field is to be written: the version has it, and it is not at its
/// default.
///
/// *Errors*: as [`encode_field`].
pub(crate) fn is_written<T: Value + PartialEq>(
    value: &T,
    default: &T,
    field: &Field,
    layout: Layout,
) -> Result<bool, Unencodable> {
    if field.versions.contains(layout.version) {
        Ok(value != default)
    } else {
        left_out(value, default, field, layout).map(|()| false)
    }
}

/// Writes one tagged field.
pub(crate) fn encode_tagged<T: Value>(
    value: &T,
    field: &Field,
    tag: u32,
    writer: &mut Writer,
    layout: Layout,
) -> Result<(), Unencodable> {
    refuse_null(value, field, layout)?;
    let mut inner = Writer::new();
    value.encode(&mut inner, layout)?;
    writer.tagged_field(tag, inner)
}

fn left_out<T: PartialEq>(
    value: &T,
    default: &T,
    field: &Field,
    layout: Layout,
) -> Result<(), Unencodable> {
    if field.place.is_ignorable() || value == default {
        return Ok(());
    }
    Err(Unencodable::NoField {
        field: field.name,
        version: layout.version,
    })
}

fn refuse_null<T: Value>(value: &T, field: &Field, layout: Layout) -> Result<(), Unencodable> {
    if value.is_null() && !field.null.contains(layout.version) {
        return Err(Unencodable::Null {
            field: field.name,
            version: layout.version,
        });
    }
    Ok(())
}
