//! DescribeClientQuotas (48): how much clients may ask of a broker.
//!
//! A quota belongs to an entity: a user, a client id, both, or an address; each by name, or as
//! the default for all that have none of their own.
//!
//! *Source*: KIP-546.

use crate::primitive::Float64;
use crate::schema::{call, message};

call!(DescribeClientQuotas);

/// A user, as the type of a part of an entity.
pub const ENTITY_USER: &str = "user";
/// A client id, as the type of a part of an entity.
pub const ENTITY_CLIENT_ID: &str = "client-id";
/// An address, as the type of a part of an entity.
pub const ENTITY_IP: &str = "ip";

/// Meets the part of the given name.
pub const MATCH_NAME: i8 = 0;
/// Meets the default.
pub const MATCH_DEFAULT: i8 = 1;
/// Meets any name, and the default.
pub const MATCH_ANY: i8 = 2;

message! {
    /// Asks for quotas.
    pub struct Request {
        /// What the parts of the entities must be; empty for all entities.
        pub components: Vec<Component> [0+],
        /// Whether entities with other parts besides are left out.
        pub strict: bool [0+],
    }
}

message! {
    /// What a part of an entity must be.
    pub struct Component {
        /// Its type: one of the `ENTITY_` constants.
        pub entity_type: String [0+],
        /// How it is met: one of the `MATCH_` constants.
        pub match_type: i8 [0+],
        /// The name, for [`MATCH_NAME`].
        pub match_: Option<String> [0+] null [0+],
    }
}

message! {
    /// Tells quotas.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// 0, or why there is no answer: 35 for a type that nobody knows, 42 for a filter that
        /// makes no sense.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// The entities that have quotas; null with an error.
        pub entries: Option<Vec<Entry>> [0+] null [0+],
    }
}

message! {
    /// An entity that has quotas.
    pub struct Entry {
        /// Its parts.
        pub entity: Vec<EntityPart> [0+],
        /// Its quotas.
        pub values: Vec<Quota> [0+],
    }
}

message! {
    /// A part of an entity.
    pub struct EntityPart {
        /// Its type: one of the `ENTITY_` constants.
        pub entity_type: String [0+],
        /// Its name; null for the default.
        pub entity_name: Option<String> [0+] null [0+],
    }
}

message! {
    /// A quota.
    pub struct Quota {
        /// What it is about: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, …
        pub key: String [0+],
        /// How much.
        pub value: Float64 [0+] default (Float64(0.0)),
    }
}
