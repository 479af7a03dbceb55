//! What a quota bounds, and by how much.

use std::cmp::Ordering;

/// What a quota bounds. The names are Kafka's configuration keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaKind {
    /// Bytes of produce requests a second.
    ProducerByteRate,
    /// Bytes of fetch answers a second.
    ConsumerByteRate,
    /// Time of shards, in hundredths of one.
    RequestPercentage,
    /// Partitions created or deleted a second.
    ControllerMutationRate,
    /// Connections opened a second.
    ConnectionCreationRate,
}

/// What numbers a kind takes.
enum Numbers {
    /// Whole ones up to a bound.
    Whole { type_name: &'static str, max: f64 },
    /// Any.
    Real,
}

impl QuotaKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [
        Self::ProducerByteRate,
        Self::ConsumerByteRate,
        Self::RequestPercentage,
        Self::ControllerMutationRate,
        Self::ConnectionCreationRate,
    ];

    /// Returns the name that the protocol uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProducerByteRate => "producer_byte_rate",
            Self::ConsumerByteRate => "consumer_byte_rate",
            Self::RequestPercentage => "request_percentage",
            Self::ControllerMutationRate => "controller_mutation_rate",
            Self::ConnectionCreationRate => "connection_creation_rate",
        }
    }

    /// Finds a kind by the protocol's name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns whether it bounds what comes from an address, and not what clients do.
    pub fn is_of_addresses(self) -> bool {
        self == Self::ConnectionCreationRate
    }

    fn numbers(self) -> Numbers {
        match self {
            Self::ProducerByteRate | Self::ConsumerByteRate => Numbers::Whole {
                type_name: "a LONG",
                max: 9_223_372_036_854_775_807.0,
            },
            Self::ConnectionCreationRate => Numbers::Whole {
                type_name: "an INT",
                max: f64::from(i32::MAX),
            },
            Self::RequestPercentage | Self::ControllerMutationRate => Numbers::Real,
        }
    }
}

/// How much is allowed: a number above zero, in the unit of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaValue(f64);

/// A number is never "not a number" here.
impl Eq for QuotaValue {}

impl PartialOrd for QuotaValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for QuotaValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Why a number cannot be a quota; the text is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueRefusal {
    /// No such kind of quota, or none for this kind of entity.
    #[error("Invalid configuration key {name}")]
    UnknownKind {
        /// What was sent.
        name: String,
    },
    /// Zero, below zero, or not a number.
    #[error("Quota {} must be greater than 0", .kind.name())]
    NotPositive {
        /// Of what.
        kind: QuotaKind,
    },
    /// Beyond the kind's numbers.
    #[error("Proposed value for {} is too large for {type_name}.", .kind.name())]
    TooLarge {
        /// Of what.
        kind: QuotaKind,
        /// Kafka's name of the numbers.
        type_name: &'static str,
    },
    /// A fraction where only whole numbers are.
    #[error("{} cannot be a fractional value.", .kind.name())]
    Fractional {
        /// Of what.
        kind: QuotaKind,
    },
}

impl QuotaValue {
    /// Checks a number against its kind.
    ///
    /// *Source*: Kafka's `ClientQuotaControlManager`: a whole number may be off by a millionth.
    pub fn new(kind: QuotaKind, number: f64) -> Result<Self, ValueRefusal> {
        const ROUNDING_MAX: f64 = 1e-6;
        let positive = number > 0.0; // not a number: no
        if !positive {
            return Err(ValueRefusal::NotPositive { kind });
        }
        if let Numbers::Whole { type_name, max } = kind.numbers() {
            if number > max {
                return Err(ValueRefusal::TooLarge { kind, type_name });
            }
            if (number - number.round()).abs() > ROUNDING_MAX {
                return Err(ValueRefusal::Fractional { kind });
            }
        }
        Ok(Self(number))
    }

    /// Returns the number, above zero.
    pub fn get(self) -> f64 {
        self.0
    }
}
