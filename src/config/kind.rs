//! Kinds of values: a text goes in, a checked value or the reason of its refusal comes out.

use std::path::{Path, PathBuf};

use controller::ConfigRefusal;

use super::address::Address;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nothing that needs a name.
    None,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
}

impl Unit {
    /// Returns the unit's name for people; nothing for [`Unit::None`].
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Bytes => Some("bytes"),
            Self::Milliseconds => Some("milliseconds"),
            Self::Minutes => Some("minutes"),
        }
    }
}

/// A kind of value, with its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number in `[min, max]`, both included.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any of these words, with commas between them, each at most once; or none.
    List(&'static [&'static str]),
    /// `host:port`, the port at least this.
    Address {
        /// 0 where any free port will do, else 1.
        port_min: u16,
    },
    /// Paths with commas between them, at least one, none of them twice.
    Paths {
        /// The most.
        count_max: usize,
    },
    /// Any text but an empty one.
    Text,
}

/// A checked value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of [`Kind::Choice`].
    Choice(&'static str),
    /// Of [`Kind::List`], in the order of the kind.
    List(Vec<&'static str>),
    /// Of [`Kind::Address`].
    Address(Address),
    /// Of [`Kind::Paths`], in their order.
    Paths(Vec<PathBuf>),
    /// Of [`Kind::Text`].
    Text(String),
}

impl Kind {
    /// Checks a text. Blanks around numbers are ignored, as Kafka does.
    pub fn parse(self, text: &str) -> Result<Value, ConfigRefusal> {
        match self {
            Self::Integer { min, max } => {
                let bits = if self.is_wide() { 64 } else { 32 };
                let number = text.trim().parse::<i64>();
                let value = number.map_err(|_| ConfigRefusal::NotANumber { bits })?;
                if (min..=max).contains(&value) {
                    Ok(Value::Integer(value))
                } else {
                    Err(ConfigRefusal::OutOfRange { value, min, max })
                }
            }
            Self::Boolean => match text.trim() {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err(ConfigRefusal::NotABoolean),
            },
            Self::Choice(allowed) => {
                let word = allowed.iter().find(|&&word| word == text);
                word.map(|&word| Value::Choice(word))
                    .ok_or(ConfigRefusal::NotOneOf { allowed })
            }
            Self::List(allowed) => parse_list(text, allowed),
            Self::Address { port_min } => Address::parse(text, port_min).map(Value::Address),
            Self::Paths { count_max } => parse_paths(text, count_max),
            Self::Text if text.trim().is_empty() => Err(ConfigRefusal::Empty),
            Self::Text => Ok(Value::Text(text.to_owned())),
        }
    }

    /// Returns whether a number of this kind may need more than 32 bits.
    pub fn is_wide(self) -> bool {
        matches!(self, Self::Integer { max, .. } if max > i64::from(i32::MAX))
    }

    /// Returns what is allowed, for people.
    pub fn range(self) -> String {
        match self {
            Self::Integer { min, max: i64::MAX } => format!("{min} or more"),
            Self::Integer { min, max } => format!("{min} to {max}"),
            Self::Boolean => "true, false".to_owned(),
            Self::Choice(allowed) => allowed.join(", "),
            Self::List(allowed) => format!("a list of: {}; or empty", allowed.join(", ")),
            Self::Address { .. } => "host:port".to_owned(),
            Self::Paths { count_max } => {
                format!("1 to {count_max} paths, with commas between them")
            }
            Self::Text => "any text".to_owned(),
        }
    }
}

fn parse_list(text: &str, allowed: &'static [&'static str]) -> Result<Value, ConfigRefusal> {
    let items = || {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
    };
    for item in items() {
        if !allowed.contains(&item) {
            return Err(ConfigRefusal::NotOneOf { allowed });
        }
    }
    let present = allowed
        .iter()
        .filter(|&&word| items().any(|item| item == word));
    Ok(Value::List(present.copied().collect()))
}

fn parse_paths(text: &str, count_max: usize) -> Result<Value, ConfigRefusal> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in text.split(',').map(str::trim) {
        if path.is_empty() {
            return Err(ConfigRefusal::Empty);
        }
        // Compared part by part: `a/` and `a` are one.
        if paths.iter().any(|known| known == Path::new(path)) {
            return Err(ConfigRefusal::Repeated);
        }
        paths.push(path.into());
    }
    if paths.len() > count_max {
        let (count, max) = (paths.len(), count_max);
        return Err(ConfigRefusal::TooMany { count, max });
    }
    Ok(Value::Paths(paths))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Kind = Kind::Integer { min: -1, max: 7 };

    #[test]
    fn numbers_are_read_as_kafka_reads_them() {
        for (text, want) in [("-1", -1), ("7", 7), (" 5 ", 5), ("+5", 5)] {
            assert_eq!(SMALL.parse(text), Ok(Value::Integer(want)));
        }
        let out_of_range = |value| {
            Err(ConfigRefusal::OutOfRange {
                value,
                min: -1,
                max: 7,
            })
        };
        assert_eq!(SMALL.parse("-2"), out_of_range(-2));
        assert_eq!(SMALL.parse("8"), out_of_range(8));
        for text in ["", "x", "1.5", "5s", "9223372036854775808"] {
            assert_eq!(
                SMALL.parse(text),
                Err(ConfigRefusal::NotANumber { bits: 32 })
            );
        }
    }

    #[test]
    fn words_are_exact() {
        let kind = Kind::Choice(&["gzip", "zstd"]);
        assert_eq!(kind.parse("zstd"), Ok(Value::Choice("zstd")));
        let allowed: &[&str] = &["gzip", "zstd"];
        assert_eq!(kind.parse("GZIP"), Err(ConfigRefusal::NotOneOf { allowed }));
        assert_eq!(Kind::Boolean.parse("true"), Ok(Value::Boolean(true)));
        assert_eq!(Kind::Boolean.parse("yes"), Err(ConfigRefusal::NotABoolean));
        assert_eq!(Kind::Text.parse(" "), Err(ConfigRefusal::Empty));
    }

    #[test]
    fn lists_hold_each_word_once_and_may_be_empty() {
        let kind = Kind::List(&["delete", "keep"]);
        assert_eq!(kind.parse(""), Ok(Value::List(vec![])));
        let both = Ok(Value::List(vec!["delete", "keep"]));
        assert_eq!(kind.parse("keep, delete,keep,"), both);
        assert!(matches!(
            kind.parse("x"),
            Err(ConfigRefusal::NotOneOf { .. })
        ));
    }
    #[test]
    fn paths_keep_their_order_and_none_comes_twice() {
        let kind = Kind::Paths { count_max: 2 };
        let paths = |paths: &[&str]| Ok(Value::Paths(paths.iter().map(PathBuf::from).collect()));
        assert_eq!(kind.parse("./b"), paths(&["./b"]));
        assert_eq!(kind.parse(" /b , a c "), paths(&["/b", "a c"]));
        for text in ["", " ", "/a,", ",/a", "/a,,/b"] {
            assert_eq!(kind.parse(text), Err(ConfigRefusal::Empty), "{text:?}");
        }
        for text in ["/a,/a", "/a,/a/", "/a/./b,/a/b"] {
            assert_eq!(kind.parse(text), Err(ConfigRefusal::Repeated), "{text:?}");
        }
        let too_many = ConfigRefusal::TooMany { count: 3, max: 2 };
        assert_eq!(kind.parse("a,b,c"), Err(too_many));
    }
}
