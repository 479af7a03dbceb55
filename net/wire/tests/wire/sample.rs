//! Bodies made from the field tables, by an encoder that shares nothing with the crate's own.
//!
//! The values come from a string of entropy, so that a property test shrinks by cutting it.

use bytes::Bytes;
use wire::primitive::Layout;
use wire::schema::{Field, Kind};

use crate::served::Served;

/// A body, and where its lengths and counts stand.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) body: Bytes,
    pub(crate) lengths: Vec<Length>,
    /// How many values there are whose wire form has a null that the version forbids.
    pub(crate) never_null_count: usize,
}

/// A length or count inside a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) start: usize,
    pub(crate) size: usize,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Varint,
    Int16,
    Int32,
}

/// What is wrong with a body, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Nothing.
    None,
    /// Every structure of a flexible version ends in a tagged field that nobody knows.
    UnknownTags,
    /// One value is null that must not be: the one with this number among all such values.
    ForbiddenNull(usize),
}

/// The tag that [`Quirk::UnknownTags`] adds.
const UNKNOWN_TAG: u32 = 1000;

/// Makes a body of the version whose every choice is drawn from `entropy`.
pub(crate) fn sample(message: &Served, version: i16, entropy: &[u8]) -> Sample {
    quirky(message, version, entropy, Quirk::None)
}

/// Makes the same body as [`sample`], but for its quirk.
pub(crate) fn quirky(message: &Served, version: i16, entropy: &[u8], quirk: Quirk) -> Sample {
    let mut maker = Maker {
        entropy,
        layout: message.layout(version),
        quirk,
        body: Vec::new(),
        lengths: Vec::new(),
        never_null_count: 0,
        plain: true,
    };
    maker.structure(message.fields);
    Sample {
        body: Bytes::from(maker.body),
        lengths: maker.lengths,
        never_null_count: maker.never_null_count,
    }
}

/// Whether a value can be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Null {
    Allowed,
    Forbidden,
    /// Allowed, and the default of a tagged field, which would then not be written.
    Avoided,
}

impl Null {
    fn of(field: &Field, version: i16) -> Self {
        match (field.null.contains(version), field.place.tag()) {
            (false, _) => Self::Forbidden,
            (true, None) => Self::Allowed,
            (true, Some(_)) => Self::Avoided,
        }
    }
}

struct Maker<'a> {
    entropy: &'a [u8],
    layout: Layout,
    quirk: Quirk,
    body: Vec<u8>,
    lengths: Vec<Length>,
    never_null_count: usize,
    /// False inside a tagged field, where a value at its default would not be written.
    plain: bool,
}

impl Maker<'_> {
    /// Draws a byte; when entropy is spent, zeros: null, empty and false.
    fn draw(&mut self) -> u8 {
        let (byte, rest) = self.entropy.split_first().unwrap_or((&0, &[]));
        self.entropy = rest;
        *byte
    }

    fn structure(&mut self, fields: &[Field]) {
        let version = self.layout.version;
        let present = |field: &&Field| field.versions.contains(version);
        let (tagged, ordered): (Vec<&Field>, Vec<&Field>) = fields
            .iter()
            .filter(present)
            .partition(|field| field.place.tag().is_some());
        for field in ordered {
            self.value(field.kind, Null::of(field, version));
        }
        if !self.layout.flexible {
            return;
        }
        let chosen: Vec<&Field> = tagged
            .into_iter()
            .filter(|_| self.draw() % 2 == 1)
            .collect();
        let unknown = usize::from(self.quirk == Quirk::UnknownTags);
        self.length(Form::Varint, i64::try_from(chosen.len() + unknown).unwrap());
        for field in chosen {
            self.tagged_field(field);
        }
        if unknown == 1 {
            self.varint(UNKNOWN_TAG);
            self.varint(3);
            self.body.extend(b"???");
        }
    }

    fn tagged_field(&mut self, field: &Field) {
        self.varint(field.place.tag().unwrap());
        let (outer, lengths) = (std::mem::take(&mut self.body), self.lengths.len());
        let plain = std::mem::replace(&mut self.plain, false);
        self.value(field.kind, Null::of(field, self.layout.version));
        self.plain = plain;
        let inner = std::mem::replace(&mut self.body, outer);
        self.varint(u32::try_from(inner.len()).unwrap());
        for length in &mut self.lengths[lengths..] {
            length.start += self.body.len();
        }
        self.body.extend(inner);
    }

    fn value(&mut self, kind: Kind, nullability: Null) {
        let null = self.is_null(kind, nullability);
        match kind {
            Kind::Bool => {
                let byte = u8::from(self.draw() % 2 == 1 || !self.plain);
                self.body.push(byte);
            }
            Kind::Int8 => self.number(1),
            Kind::Int16 | Kind::Uint16 => self.number(2),
            Kind::Int32 => self.number(4),
            Kind::Int64 | Kind::Float64 => self.number(8),
            Kind::Uuid => self.number(16),
            Kind::String => self.string(null),
            Kind::Bytes => self.bytes(null),
            Kind::Array { of } => self.array(*of, null),
            Kind::Structure { fields } if nullability != Null::Forbidden => {
                self.body.push(if null { 0xff } else { 1 });
                if !null {
                    self.structure(fields);
                }
            }
            Kind::Structure { fields } => self.structure(fields),
        }
    }

    fn is_null(&mut self, kind: Kind, nullability: Null) -> bool {
        let has_null = matches!(kind, Kind::String | Kind::Bytes | Kind::Array { .. });
        match nullability {
            Null::Allowed => self.draw().is_multiple_of(4),
            Null::Forbidden if has_null => {
                self.never_null_count += 1;
                self.quirk == Quirk::ForbiddenNull(self.never_null_count - 1)
            }
            Null::Forbidden | Null::Avoided => false,
        }
    }

    /// Writes an integer; in a tagged field a positive one, which is no default.
    fn number(&mut self, size: usize) {
        let mut bytes: Vec<u8> = (0..size).map(|_| self.draw()).collect();
        if !self.plain {
            bytes[0] &= 0x3f;
            bytes[size - 1] |= 1;
        }
        self.body.extend(bytes);
    }

    fn string(&mut self, null: bool) {
        let text: String = (0..self.count(7)).map(|_| self.character()).collect();
        let form = self.form(Form::Int16);
        self.length_or_null(form, (!null).then_some(text.len()));
        if !null {
            self.body.extend(text.as_bytes());
        }
    }

    fn character(&mut self) -> char {
        match self.draw() {
            byte @ 0x20..=0x7e => char::from(byte),
            byte @ 0x80.. => char::from_u32(0x400 + u32::from(byte)).unwrap(),
            _ => 'a',
        }
    }

    fn bytes(&mut self, null: bool) {
        let bytes: Vec<u8> = (0..self.count(15)).map(|_| self.draw()).collect();
        let form = self.form(Form::Int32);
        self.length_or_null(form, (!null).then_some(bytes.len()));
        if !null {
            self.body.extend(bytes);
        }
    }

    fn array(&mut self, of: Kind, null: bool) {
        let count = self.count(3);
        let form = self.form(Form::Int32);
        self.length_or_null(form, (!null).then_some(count));
        for _ in 0..if null { 0 } else { count } {
            self.value(of, Null::Forbidden);
        }
    }

    fn count(&mut self, max: u8) -> usize {
        let count = self.draw() % (max + 1);
        usize::from(if self.plain { count } else { count.max(1) })
    }

    fn form(&self, classic: Form) -> Form {
        if self.layout.flexible {
            Form::Varint
        } else {
            classic
        }
    }

    fn length_or_null(&mut self, form: Form, length: Option<usize>) {
        let length = length.map_or(-1, |length| i64::try_from(length).unwrap());
        let shift = i64::from(form == Form::Varint);
        self.length(form, length + shift);
    }

    fn length(&mut self, form: Form, value: i64) {
        let start = self.body.len();
        match form {
            Form::Varint => self.varint(u32::try_from(value).unwrap()),
            Form::Int16 => self
                .body
                .extend(i16::try_from(value).unwrap().to_be_bytes()),
            Form::Int32 => self
                .body
                .extend(i32::try_from(value).unwrap().to_be_bytes()),
        }
        self.lengths.push(Length {
            start,
            size: self.body.len() - start,
            form,
        });
    }

    fn varint(&mut self, value: u32) {
        // Base 128, lowest digit first; all but the last carry the top bit.
        let digits = (1..5).take_while(|digit| value >> (7 * digit) > 0).count() + 1;
        for digit in 0..digits {
            let bits = u8::try_from((value >> (7 * digit)) & 0x7f).unwrap();
            let more = digit + 1 < digits;
            self.body.push(if more { bits | 0x80 } else { bits });
        }
    }
}

/// Returns entropy in which every array has elements and nothing is null, for tests that want a
/// rich body without drawing one.
pub(crate) fn rich_entropy() -> Vec<u8> {
    (0..4096_u32)
        .map(|step| u8::try_from((step * 7919 + 13) % 251).unwrap() | 1)
        .collect()
}
