//! One field as the notation has it: its name, wire form, versions and place.

/// A range of versions, both ends included; empty if `min` is above `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The lowest version.
    pub min: i16,
    /// The highest version; `i16::MAX` for "and all later ones".
    pub max: i16,
}

impl Versions {
    /// No version.
    pub const NONE: Self = Self { min: 1, max: 0 };

    /// Returns whether the version lies inside.
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In its turn, after the field before it.
    Ordered {
        /// Whether a version without the field drops its value rather than refusing it.
        ignorable: bool,
    },
    /// At the end, behind this number.
    Tagged {
        /// The tag.
        tag: u32,
        /// Whether a version without the field drops its value rather than refusing it.
        ignorable: bool,
    },
}

impl Place {
    /// Returns the tag of a tagged field.
    pub const fn tag(self) -> Option<u32> {
        match self {
            Self::Ordered { .. } => None,
            Self::Tagged { tag, .. } => Some(tag),
        }
    }

    /// Returns whether a version without the field drops its value rather than refusing it.
    pub const fn is_ignorable(self) -> bool {
        match self {
            Self::Ordered { ignorable } | Self::Tagged { ignorable, .. } => ignorable,
        }
    }
}

/// The wire form of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One byte.
    Bool,
    /// One byte.
    Int8,
    /// Two bytes.
    Int16,
    /// Two bytes, unsigned.
    Uint16,
    /// Four bytes.
    Int32,
    /// Eight bytes.
    Int64,
    /// Eight bytes, a floating-point number.
    Float64,
    /// Sixteen bytes.
    Uuid,
    /// A length and UTF-8 text.
    String,
    /// A length and bytes: record batches, or what only clients understand.
    Bytes,
    /// A count and elements.
    Array {
        /// The wire form of every element.
        of: &'static Self,
    },
    /// Fields one after the other.
    Structure {
        /// The fields.
        fields: &'static [Field],
    },
}

/// The notation of one field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name, in the spelling of Rust.
    pub name: &'static str,
    /// The wire form.
    pub kind: Kind,
    /// The versions that have the field.
    pub versions: Versions,
    /// The versions in which it may be null.
    pub null: Versions,
    /// Where it stands.
    pub place: Place,
    /// The default as written, empty if it is zero, empty or null.
    pub default: &'static str,
}

/// Turns `[3+]`, `[0-12]` or `[0]`, with the words behind it, into [`Versions`].
macro_rules! versions {
    () => {
        $crate::schema::Versions::NONE
    };
    ([$min:literal + $($word:tt)*]) => {
        $crate::schema::Versions {
            min: $min,
            max: i16::MAX,
        }
    };
    ([$min:literal - $max:literal $($word:tt)*]) => {
        $crate::schema::Versions {
            min: $min,
            max: $max,
        }
    };
    ([$only:literal]) => {
        $crate::schema::Versions {
            min: $only,
            max: $only,
        }
    };
}
pub(crate) use versions;

/// Turns the words behind the versions into a [`Place`].
macro_rules! place {
    ([$min:literal + $($word:tt)*]) => {
        $crate::schema::place!($($word)*)
    };
    ([$min:literal - $max:literal $($word:tt)*]) => {
        $crate::schema::place!($($word)*)
    };
    ([$only:literal]) => {
        $crate::schema::place!()
    };
    () => {
        $crate::schema::Place::Ordered { ignorable: false }
    };
    (ignorable) => {
        $crate::schema::Place::Ordered { ignorable: true }
    };
    (tag $tag:literal) => {
        $crate::schema::Place::Tagged { tag: $tag, ignorable: false }
    };
    (tag $tag:literal ignorable) => {
        $crate::schema::Place::Tagged { tag: $tag, ignorable: true }
    };
}
pub(crate) use place;
