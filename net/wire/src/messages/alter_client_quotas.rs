//! AlterClientQuotas (49): changes how much clients may ask of a broker.
//!
//! *Source*: KIP-546.

use crate::primitive::Float64;
use crate::schema::{call, message};

call!(AlterClientQuotas);

message! {
    /// Orders changes.
    pub struct Request {
        /// The entities.
        pub entries: Vec<Entry> [0+],
        /// Whether only to check, and change nothing.
        pub validate_only: bool [0+],
    }
}

message! {
    /// An entity of which quotas are to be changed.
    pub struct Entry {
        /// Its parts.
        pub entity: Vec<EntityPart> [0+],
        /// The changes.
        pub ops: Vec<Change> [0+],
    }
}

message! {
    /// A part of an entity.
    pub struct EntityPart {
        /// Its type; see `describe_client_quotas`.
        pub entity_type: String [0+],
        /// Its name; null for the default.
        pub entity_name: Option<String> [0+] null [0+],
    }
}

message! {
    /// One change.
    pub struct Change {
        /// What the quota is about; see `describe_client_quotas`.
        pub key: String [0+],
        /// How much; nothing if the quota is taken away.
        pub value: Float64 [0+] default (Float64(0.0)),
        /// Whether the quota is taken away.
        pub remove: bool [0+],
    }
}

message! {
    /// Tells what was changed.
    pub struct Response {
        /// How long the client is asked to keep still, in milliseconds.
        pub throttle_time_ms: i32 [0+],
        /// The entities.
        pub entries: Vec<EntryResult> [0+],
    }
}

message! {
    /// What became of one entity.
    pub struct EntryResult {
        /// 0, or why nothing was changed: 42 for an entity, key or value that makes no sense.
        pub error_code: i16 [0+],
        /// The reason in words.
        pub error_message: Option<String> [0+] null [0+],
        /// Its parts.
        pub entity: Vec<EntityPart> [0+],
    }
}
