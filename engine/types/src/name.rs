//! Names from outside: parsed once, valid for ever after.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::TOPIC_NAME_LENGTH_MAX;

/// A topic's name: 1 to 249 of `a-z A-Z 0-9 . _ -`, neither `.` nor `..`.
///
/// Cheap to clone; shared between shards.
/// *Source*: Kafka's `Topic.validate`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is no topic name; shown to the client as the error message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTopicName {
    /// It has no characters.
    Empty,
    /// It is `.` or `..`.
    Dots,
    /// It has more than 249 characters.
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// It has a character outside `a-z A-Z 0-9 . _ -`.
    Character {
        /// The first such character.
        found: char,
    },
}

impl fmt::Display for InvalidTopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic name is not empty"),
            Self::Dots => f.write_str("a topic name is neither '.' nor '..'"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "a topic name has at most {TOPIC_NAME_LENGTH_MAX} characters, not {length}"
                )
            }
            Self::Character { found } => write!(
                f,
                "a topic name consists of letters, digits, '.', '_' and '-', not {found:?}"
            ),
        }
    }
}

impl std::error::Error for InvalidTopicName {}

impl FromStr for TopicName {
    type Err = InvalidTopicName;

    fn from_str(text: &str) -> Result<Self, InvalidTopicName> {
        if text.is_empty() {
            return Err(InvalidTopicName::Empty);
        }
        if text == "." || text == ".." {
            return Err(InvalidTopicName::Dots);
        }
        if text.len() > TOPIC_NAME_LENGTH_MAX {
            return Err(InvalidTopicName::TooLong { length: text.len() });
        }
        let strange = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if let Some(found) = text.chars().find(strange) {
            return Err(InvalidTopicName::Character { found });
        }
        Ok(Self(Arc::from(text)))
    }
}

/// What a client calls itself, for logs and metrics: any text, cut to 64 characters, control
/// characters replaced, so that it can be printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Makes a printable identifier of whatever a client sent.
    pub fn sanitised(text: &str) -> Self {
        let clean: String = text
            .chars()
            .take(64)
            .map(|c| if c.is_control() { '?' } else { c })
            .collect();
        Self(Arc::from(clean))
    }

    /// Returns the identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_kafkas() {
        for good in ["a", "A.b_c-9", "...", &"x".repeat(249)] {
            assert!(good.parse::<TopicName>().is_ok(), "{good}");
        }
        assert_eq!("".parse::<TopicName>(), Err(InvalidTopicName::Empty));
        assert_eq!("..".parse::<TopicName>(), Err(InvalidTopicName::Dots));
        let long = "x".repeat(250);
        assert_eq!(
            long.parse::<TopicName>(),
            Err(InvalidTopicName::TooLong { length: 250 })
        );
        assert_eq!(
            "a/b".parse::<TopicName>(),
            Err(InvalidTopicName::Character { found: '/' })
        );
    }

    #[test]
    fn client_ids_are_printable() {
        assert_eq!(ClientId::sanitised("a\nb").as_str(), "a?b");
        assert_eq!(ClientId::sanitised(&"y".repeat(100)).as_str().len(), 64);
    }
}
