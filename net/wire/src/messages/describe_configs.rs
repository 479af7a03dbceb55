//! DescribeConfigs (32): the configurations of topics, brokers and groups.

use crate::schema::{call, message};

call!(DescribeConfigs);

/// A topic, as the type of a resource.
pub const RESOURCE_TOPIC: i8 = 2;
/// A broker, as the type of a resource.
pub const RESOURCE_BROKER: i8 = 4;
/// The log levels of a broker, as the type of a resource.
pub const RESOURCE_BROKER_LOGGER: i8 = 8;
/// A subscription to client metrics, as the type of a resource.
pub const RESOURCE_CLIENT_METRICS: i8 = 16;
/// A group, as the type of a resource.
pub const RESOURCE_GROUP: i8 = 32;

/// A value set for one topic, as a source.
pub const SOURCE_TOPIC: i8 = 1;
/// A value set for one broker while it runs, as a source.
pub const SOURCE_DYNAMIC_BROKER: i8 = 2;
/// A value set for all brokers while they run, as a source.
pub const SOURCE_DYNAMIC_DEFAULT_BROKER: i8 = 3;
/// A value from a broker's configuration file, as a source.
pub const SOURCE_STATIC_BROKER: i8 = 4;
/// A default, as a source.
pub const SOURCE_DEFAULT: i8 = 5;

/// True or false, as the type of a value.
pub const TYPE_BOOLEAN: i8 = 1;
/// Text, as the type of a value.
pub const TYPE_STRING: i8 = 2;
/// A 32-bit integer, as the type of a value.
pub const TYPE_INT: i8 = 3;
/// A 16-bit integer, as the type of a value.
pub const TYPE_SHORT: i8 = 4;
/// A 64-bit integer, as the type of a value.
pub const TYPE_LONG: i8 = 5;
/// A floating-point number, as the type of a value.
pub const TYPE_DOUBLE: i8 = 6;
/// Texts with commas between, as the type of a value.
pub const TYPE_LIST: i8 = 7;
/// The name of a class, as the type of a value.
pub const TYPE_CLASS: i8 = 8;
/// A secret, as the type of a value.
pub const TYPE_PASSWORD: i8 = 9;

message! {
    /// Asks for configurations.
    pub struct Request {
        /// The resources.
        pub resources: Vec<Resource> [0+],
        /// Whether to tell the values that stand behind each value in force.
        pub include_synonyms: bool [1+] default (false),
        /// Whether to tell what each key means.
        pub include_documentation: bool [3+] default (false),
    }
}

message! {
    /// A resource asked for.
    pub struct Resource {
        /// What it is: one of the `RESOURCE_` constants.
        pub resource_type: i8 [0+],
        /// Its name; for a broker its id, for the defaults of all brokers empty.
        pub resource_name: String [0+],
        /// The keys; null for all of them.
        pub configuration_keys: Option<Vec<String>> [0+] null [0+],
    }
}

message! {
    /// Tells configurations.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The resources, in the order of the request.
        pub results: Vec<ResourceResult> [0+],
    }
}

message! {
    /// A resource answered.
    pub struct ResourceResult {
        /// Why there is no answer, or 0.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// What it is: one of the `RESOURCE_` constants.
        pub resource_type: i8 [0+],
        /// Its name.
        pub resource_name: String [0+],
        /// Its configurations.
        pub configs: Vec<ConfigResult> [0+],
    }
}

message! {
    /// One configuration.
    pub struct ConfigResult {
        /// Its key.
        pub name: String [0+],
        /// Its value; null for a secret.
        pub value: Option<String> [0+] null [0+],
        /// Whether it cannot be changed while the broker runs.
        pub read_only: bool [0+],
        /// Where the value comes from: one of the `SOURCE_` constants.
        pub config_source: i8 [1+ ignorable] default (-1),
        /// Whether the value is a secret.
        pub is_sensitive: bool [0+],
        /// The values that stand behind the one in force, which comes first.
        pub synonyms: Vec<Synonym> [1+ ignorable],
        /// What the value is: one of the `TYPE_` constants.
        pub config_type: i8 [3+ ignorable] default (0),
        /// What the key means.
        pub documentation: Option<String> [3+ ignorable] null [0+],
    }
}

message! {
    /// A value that a configuration has or would have.
    pub struct Synonym {
        /// The key.
        pub name: String [1+],
        /// The value; null for a secret.
        pub value: Option<String> [1+] null [0+],
        /// Where it comes from: one of the `SOURCE_` constants.
        pub source: i8 [1+],
    }
}
