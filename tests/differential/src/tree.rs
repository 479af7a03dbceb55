//! A message as a tree of named values: what scripts are made of, and what is compared.

use std::fmt;

use bytes::Bytes;

/// A value of a message, whatever the message is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// Null, or nothing said.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number of any size.
    Int(i64),
    /// The bits of a floating-point number.
    Float(u64),
    /// Sixteen bytes: an id.
    Uuid([u8; 16]),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
    /// Elements in their order.
    List(Vec<Self>),
    /// Fields in the order of the notation.
    Fields(Vec<(&'static str, Self)>),
    /// In a request: a value that an earlier answer holds.
    Earlier(Earlier),
    /// In a recorded answer: a value of the server's own making, by the name it got here.
    Symbol(String),
}

/// Where in an earlier answer a value is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Earlier {
    /// The step whose answer it is.
    pub(crate) step: usize,
    /// The place, as [`Tree::at`] takes it.
    pub(crate) path: String,
}

impl Tree {
    /// Returns the value at a place such as `members.0.member_id`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |tree, word| match tree {
            Self::Fields(fields) => {
                let field = fields.iter().find(|(name, _)| *name == word);
                field.map(|(_, value)| value)
            }
            Self::List(elements) => elements.get(word.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// Returns the number at a place.
    pub(crate) fn int_at(&self, path: &str) -> Option<i64> {
        match self.at(path) {
            Some(Self::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// Rebuilds the tree with every leaf replaced by what `change` makes of it.
    pub(crate) fn map(&self, change: &mut impl FnMut(&Self) -> Self) -> Self {
        match self {
            Self::List(elements) => Self::List(elements.iter().map(|e| e.map(change)).collect()),
            Self::Fields(fields) => {
                let fields = fields.iter();
                Self::Fields(
                    fields
                        .map(|(name, value)| (*name, value.map(change)))
                        .collect(),
                )
            }
            leaf => change(leaf),
        }
    }
}

/// Replaces a name within bytes by another, which is as long.
pub(crate) fn replace_bytes(bytes: &Bytes, from: &str, to: &str) -> Bytes {
    let mut replaced = bytes.to_vec();
    for start in 0..bytes.len() {
        let end = start + from.len();
        if bytes.get(start..end) == Some(from.as_bytes())
            && let Some(place) = replaced.get_mut(start..end)
            && to.len() == from.len()
        {
            place.copy_from_slice(to.as_bytes());
        }
    }
    Bytes::from(replaced)
}

/// Makes a tree of fields: `body! { group_id: "g", generation_id: 1 }`.
macro_rules! body {
    ($($field:ident : $value:expr),* $(,)?) => {
        $crate::tree::Tree::Fields(vec![
            $((stringify!($field), $crate::tree::Tree::from($value))),*
        ])
    };
}
pub(crate) use body;

impl From<bool> for Tree {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Tree {
            fn from(value: $integer) -> Self {
                Self::Int(value.into())
            }
        })*
    };
}
from_integers!(i8, i16, i32, i64);

impl From<f64> for Tree {
    fn from(value: f64) -> Self {
        Self::Float(value.to_bits())
    }
}

impl From<&str> for Tree {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Tree {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Bytes> for Tree {
    fn from(value: Bytes) -> Self {
        Self::Bytes(value)
    }
}

impl From<Earlier> for Tree {
    fn from(value: Earlier) -> Self {
        Self::Earlier(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Tree {
    fn from(elements: Vec<T>) -> Self {
        Self::List(elements.into_iter().map(Into::into).collect())
    }
}

/// Longer texts and bytes are shown by their beginning and their length.
const SHOWN_MAX: usize = 80;

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(bits) => f64::from_bits(*bits).fmt(f),
            Self::Uuid(id) => write!(f, "{:032x}", u128::from_be_bytes(*id)),
            Self::Text(text) if text.len() > SHOWN_MAX => {
                let shown: String = text.chars().take(SHOWN_MAX).collect();
                write!(f, "{shown:?}… ({} bytes)", text.len())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) if bytes.len() > SHOWN_MAX => write!(f, "{} bytes", bytes.len()),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
            Self::List(elements) => {
                f.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{element}")?;
                }
                f.write_str("]")
            }
            Self::Fields(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{name}: {value}")?;
                }
                f.write_str("}")
            }
            Self::Earlier(Earlier { step, path }) => write!(f, "<{path} of step {step}>"),
            Self::Symbol(name) => write!(f, "<{name}>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_names_and_indexes() {
        let tree = body! { members: vec![body! { id: "a" }, body! { id: "b" }], count: 2 };
        assert_eq!(tree.at("members.1.id"), Some(&Tree::from("b")));
        assert_eq!(tree.int_at("count"), Some(2));
        for nowhere in ["members.2.id", "members.id", "other", "count.0"] {
            assert_eq!(tree.at(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_tree_is_shown_on_one_line() {
        let tree = body! { a: vec![1, 2], b: None::<&str>, c: "x".repeat(100), d: 1.5 };
        let shown = tree.to_string();
        assert!(
            shown.starts_with("{a: [1, 2], b: null, c: \"xxx"),
            "{shown}"
        );
        assert!(shown.ends_with("… (100 bytes), d: 1.5}"), "{shown}");
    }
}
