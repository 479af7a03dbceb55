//! What the controller asks about configs: names and values mean nothing to it.

/// What kind of thing a config belongs to; each kind has its own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A topic.
    Topic,
    /// One broker, or all of them.
    Broker,
}

/// Knows the names of configs and the values they may have.
pub trait ConfigSchema {
    /// Returns whether `name` may be set to `value`, and why not.
    fn check(&self, kind: ResourceKind, name: &str, value: &str) -> Result<(), ConfigRefusal>;

    /// Returns the default of a config that is a comma-separated list; `None` if `name` is none.
    fn list_default(&self, kind: ResourceKind, name: &str) -> Option<&str>;
}

/// Why a config cannot be set so. Shown to the client behind the config's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigRefusal {
    /// There is no config of this name.
    #[error("there is no such config{}", did_you_mean(*.nearest))]
    Unknown {
        /// The known name that is spelt most alike, if one is close.
        nearest: Option<&'static str>,
    },
    /// The value is fixed when the broker starts.
    #[error("it is set in the configuration file and takes effect at a restart")]
    ReadOnly,
    /// The text is no whole number.
    #[error("the value is not a whole number of at most {bits} bits")]
    NotANumber {
        /// The width of the signed number that is wanted.
        bits: u32,
    },
    /// The number lies outside `[min, max]`, both included.
    #[error("the value is {value}, the range is {min} to {max}")]
    OutOfRange {
        /// The number given.
        value: i64,
        /// The least that is allowed.
        min: i64,
        /// The most that is allowed.
        max: i64,
    },
    /// The text is neither `true` nor `false`.
    #[error("the value is neither true nor false")]
    NotABoolean,
    /// The text is none of the allowed words.
    #[error("the value is one of {}", .allowed.join(", "))]
    NotOneOf {
        /// Every allowed word.
        allowed: &'static [&'static str],
    },
    /// The text is not `host:port`, with a port from 1 (or 0 where any will do) to 65535.
    #[error("the value is an address, host:port")]
    NotAnAddress,
    /// The text is empty where it may not be.
    #[error("the value is empty")]
    Empty,
    /// The list names something twice.
    #[error("the value names one thing twice")]
    Repeated,
    /// The list is longer than it may be.
    #[error("the value names {count} things, at most {max} are taken")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The text is longer than any value may be.
    #[error("the value has {length} bytes, at most {max} are kept")]
    TooLong {
        /// The length in bytes.
        length: usize,
        /// The longest allowed, in bytes.
        max: usize,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
