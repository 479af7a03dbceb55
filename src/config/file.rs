//! Reading keys: a TOML file, or `key=value` from the command line. Every error says where it is.

use std::collections::BTreeMap;
use std::fmt;

use controller::ConfigRefusal;
use toml::de::{DeTable, DeValue};

use super::key::{Key, UnknownKey, nearest};
use super::kind::Kind;

/// Where a key was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this line of the file, counted from 1.
    Line(usize),
    /// On the command line.
    Setting,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Setting => f.write_str("--set"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NodeConfigError {
    /// The file is not TOML.
    #[error("line {line}: {}", .error.message())]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What the parser found. Shown above, so that it is not a source.
        error: Box<toml::de::Error>,
    },
    /// No such key.
    #[error("{place}: {unknown}")]
    Unknown {
        /// Where.
        place: Place,
        /// What was meant, perhaps.
        unknown: UnknownKey,
    },
    /// A TOML value of another type.
    #[error("{place}: {key} is {want}, not {got}")]
    WrongType {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// What TOML type it has.
        want: &'static str,
        /// What TOML type was found.
        got: &'static str,
    },
    /// A value that the key cannot have.
    #[error("{place}: {key}: {refusal}")]
    Refused {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
        /// Why.
        refusal: ConfigRefusal,
    },
    /// A setting that is not `key=value`.
    #[error("--set takes key=value, not {text:?}")]
    NotKeyValue {
        /// What it is.
        text: String,
    },
}

/// Reads a file into texts by key, each checked.
pub(crate) fn read(
    toml: &str,
    keys: &[&'static Key],
) -> Result<BTreeMap<&'static str, String>, NodeConfigError> {
    let document = DeTable::parse(toml).map_err(|error| NodeConfigError::Syntax {
        line: line(toml, error.span().map_or(0, |span| span.start)),
        error: Box::new(error),
    })?;
    let mut given = BTreeMap::new();
    for leaf in leaves(document.get_ref()) {
        let place = Place::Line(line(toml, leaf.position));
        let key = find(place, &leaf.name, keys)?;
        let text = text(place, key, leaf.value)?;
        check(place, key, &text)?;
        given.insert(key.name, text);
    }
    Ok(given)
}

/// Reads `key=value` of the command line, checked.
pub(crate) fn read_setting(
    setting: &str,
    keys: &[&'static Key],
) -> Result<(&'static str, String), NodeConfigError> {
    let Some((name, text)) = setting.split_once('=') else {
        let text = setting.to_owned();
        return Err(NodeConfigError::NotKeyValue { text });
    };
    let (name, text) = (name.trim(), text.trim());
    let key = find(Place::Setting, name, keys)?;
    check(Place::Setting, key, text)?;
    Ok((key.name, text.to_owned()))
}

fn find(place: Place, name: &str, keys: &[&'static Key]) -> Result<&'static Key, NodeConfigError> {
    let key = keys.iter().copied().find(|key| key.name == name);
    key.ok_or_else(|| {
        let nearest = nearest(name, keys.iter().map(|key| key.name));
        let name = name.to_owned();
        NodeConfigError::Unknown {
            place,
            unknown: UnknownKey { name, nearest },
        }
    })
}

fn check(place: Place, key: &Key, text: &str) -> Result<(), NodeConfigError> {
    let refused = |refusal| NodeConfigError::Refused {
        place,
        key: key.name,
        refusal,
    };
    key.parse(text).map(|_| ()).map_err(refused)
}

/// A value that is no table, with the dotted name that leads to it.
struct Leaf<'a> {
    name: String,
    position: usize,
    value: &'a DeValue<'a>,
}

/// Lists what a document sets, in the order of the file.
fn leaves<'a>(document: &'a DeTable<'a>) -> Vec<Leaf<'a>> {
    let mut leaves = Vec::new();
    let mut tables = vec![(String::new(), document)];
    while let Some((prefix, table)) = tables.pop() {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => tables.push((format!("{name}."), inner)),
                value => leaves.push(Leaf {
                    name,
                    position: key.span().start,
                    value,
                }),
            }
        }
    }
    leaves.sort_by_key(|leaf| leaf.position);
    leaves
}

/// Returns a TOML value as the text that `--set` would have, if it is of the key's type.
fn text(place: Place, key: &'static Key, value: &DeValue<'_>) -> Result<String, NodeConfigError> {
    let want = match (key.kind, value) {
        (Kind::Integer { .. }, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            let refusal = |_| NodeConfigError::Refused {
                place,
                key: key.name,
                refusal: ConfigRefusal::NotANumber { bits: 64 },
            };
            return number.map(|number| number.to_string()).map_err(refusal);
        }
        (Kind::Boolean, &DeValue::Boolean(value)) => return Ok(value.to_string()),
        (Kind::Integer { .. }, _) => "an integer",
        (Kind::Boolean, _) => "a boolean",
        (_, DeValue::String(text)) => return Ok(text.clone().into_owned()),
        (_, _) => "a string",
    };
    let got = match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    Err(NodeConfigError::WrongType {
        place,
        key: key.name,
        want,
        got,
    })
}

/// Returns the line of a byte position, counted from 1.
fn line(text: &str, position: usize) -> usize {
    let before = text.as_bytes().iter().take(position);
    1 + before.filter(|&&byte| byte == b'\n').count()
}
