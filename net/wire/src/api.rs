//! The table of what is served: every API, its versions, and where its flexible encoding begins.
//!
//! A row is all that negotiation needs. `docs/protocol.md` is generated from this table, and the
//! ApiVersions answer is this table and nothing else. The ranges are those Kafka 4.3 advertises.

use std::fmt;

/// A range of versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The lowest version.
    pub min: i16,
    /// The highest version.
    pub max: i16,
}

impl VersionRange {
    /// Returns whether the version lies inside.
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }

    /// Returns the highest version of both ranges; `None` if they do not meet.
    pub fn highest_common(self, other: Self) -> Option<i16> {
        let max = self.max.min(other.max);
        (self.min.max(other.min) <= max).then_some(max)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}-{}", self.min, self.max)
        }
    }
}

/// What the requests of an API carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Records: many and large, read as views over the frame.
    Data,
    /// Questions and orders: few and small, decoded into structures.
    Control,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// The API.
    pub key: ApiKey,
    /// Its name in Kafka's documentation.
    pub name: &'static str,
    /// The versions named in the ApiVersions answer.
    pub advertised: VersionRange,
    /// The versions that are really answered: those advertised, but for Produce.
    pub served: VersionRange,
    /// The first version with compact lengths, tagged fields and the longer headers, if any has
    /// them.
    pub first_flexible: Option<i16>,
    /// What its requests carry.
    pub plane: Plane,
}

impl Api {
    /// Returns whether the version uses compact lengths and tagged fields.
    pub const fn is_flexible(&self, version: i16) -> bool {
        match self.first_flexible {
            Some(first) => version >= first,
            None => false,
        }
    }
}

macro_rules! apis {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $min:literal - $max:literal
        $(served from $served:literal)?, flexible $flexible:tt, $plane:ident;)*) => {
        /// The APIs that are served, by their number in the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $($(#[$doc])* $name = $key,)*
        }

        impl ApiKey {
            /// Returns the API of a number from the wire; `None` if it is not served.
            pub const fn from_wire(key: i16) -> Option<Self> {
                match key {
                    $($key => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Returns the row of this API.
            pub const fn api(self) -> &'static Api {
                match self {
                    $(Self::$name => const { &Api {
                        key: Self::$name,
                        name: stringify!($name),
                        advertised: VersionRange { min: $min, max: $max },
                        served: VersionRange { min: first!($($served,)? $min), max: $max },
                        first_flexible: first_flexible!($flexible),
                        plane: Plane::$plane,
                    } },)*
                }
            }
        }

        const TABLE: &[Api] = &[$(*ApiKey::$name.api()),*];
    };
}

macro_rules! first {
    ($first:literal $(, $rest:literal)*) => {
        $first
    };
}

macro_rules! first_flexible {
    (never) => {
        None
    };
    ($first:literal) => {
        Some($first)
    };
}

apis! {
    /// Appends record batches. Version 0 is advertised and not served: librdkafka before 2.11.1
    /// looks for it and otherwise sends uncompressed batches (KAFKA-18659).
    Produce = 0, 0 - 13 served from 3, flexible 9, Data;
    /// Reads record batches, with or without a session.
    Fetch = 1, 4 - 18, flexible 12, Data;
    /// Finds offsets by time or by name (earliest, latest, …).
    ListOffsets = 2, 1 - 11, flexible 6, Control;
    /// Tells brokers, topics, partitions and leaders.
    Metadata = 3, 0 - 13, flexible 9, Control;
    /// Tells this table.
    ApiVersions = 18, 0 - 4, flexible 3, Control;
    /// Creates topics.
    CreateTopics = 19, 2 - 7, flexible 5, Control;
    /// Deletes topics.
    DeleteTopics = 20, 1 - 6, flexible 4, Control;
    /// Moves log starts forward.
    DeleteRecords = 21, 0 - 2, flexible 2, Control;
    /// Gives out producer ids and epochs.
    InitProducerId = 22, 0 - 5, flexible 2, Control;
    /// Finds where a leader's reign ended.
    OffsetForLeaderEpoch = 23, 2 - 4, flexible 4, Control;
    /// Reads configurations.
    DescribeConfigs = 32, 1 - 4, flexible 4, Control;
    /// Replaces configurations as a whole.
    AlterConfigs = 33, 0 - 2, flexible 2, Control;
    /// Tells sizes of logs on disk.
    DescribeLogDirs = 35, 1 - 5, flexible 2, Control;
    /// Adds partitions to topics.
    CreatePartitions = 37, 0 - 3, flexible 2, Control;
    /// Changes single configuration keys.
    IncrementalAlterConfigs = 44, 0 - 1, flexible 1, Control;
    /// Tells how much clients may ask.
    DescribeClientQuotas = 48, 0 - 1, flexible 1, Control;
    /// Changes how much clients may ask.
    AlterClientQuotas = 49, 0 - 1, flexible 1, Control;
    /// Tells the state of the metadata quorum.
    DescribeQuorum = 55, 0 - 2, flexible 0, Control;
    /// Tells the brokers and the controller.
    DescribeCluster = 60, 0 - 2, flexible 0, Control;
    /// Tells the producers that a partition remembers.
    DescribeProducers = 61, 0 - 0, flexible 0, Control;
    /// Names the resources that have configurations.
    ListConfigResources = 74, 0 - 1, flexible 0, Control;
    /// Tells the partitions of topics, page by page.
    DescribeTopicPartitions = 75, 0 - 0, flexible 0, Control;
}

impl ApiKey {
    /// Returns the number on the wire.
    pub const fn wire(self) -> i16 {
        // The enum's representation is the wire's int16.
        self as i16
    }
}

/// Shows the API's name in Kafka's documentation.
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api().name)
    }
}

/// Returns every row, in the order of the keys.
pub const fn table() -> &'static [Api] {
    TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_and_are_found_by_number() {
        assert!(table().windows(2).all(|pair| pair[0].key < pair[1].key));
        for api in table() {
            assert_eq!(ApiKey::from_wire(api.key.wire()), Some(api.key));
            assert_eq!(api.key.api(), api);
        }
        assert_eq!(ApiKey::from_wire(4), None);
        assert_eq!(ApiKey::from_wire(-1), None);
    }

    #[test]
    fn only_produce_advertises_what_it_does_not_serve() {
        for api in table() {
            assert_eq!(api.advertised.max, api.served.max, "{}", api.name);
            let differs = api.advertised.min != api.served.min;
            assert_eq!(differs, api.key == ApiKey::Produce, "{}", api.name);
        }
        assert_eq!(ApiKey::Produce.api().advertised.min, 0);
        assert_eq!(ApiKey::Produce.api().served.min, 3);
    }

    #[test]
    fn highest_common_version_is_inside_both_ranges() {
        let ours = VersionRange { min: 4, max: 18 };
        let range = |min, max| VersionRange { min, max };
        assert_eq!(ours.highest_common(range(0, 11)), Some(11));
        assert_eq!(ours.highest_common(range(17, 20)), Some(18));
        assert_eq!(ours.highest_common(range(0, 3)), None);
        assert_eq!(ours.highest_common(range(19, 20)), None);
    }
}
