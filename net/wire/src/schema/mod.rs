//! The notation in which messages are written down, and what it turns into.
//!
//! ```text
//! message! {
//!     /// One line about the structure.
//!     pub struct Response {
//!         /// One line about the field.
//!         pub throttle_time_ms: i32 [3+ ignorable],
//!         pub topics: Option<Vec<Topic>> [0+] null [1+],
//!         pub controller_id: i32 [1+ ignorable] default (-1),
//!         pub node_endpoints: Vec<NodeEndpoint> [10+ tag 0],
//!     }
//! }
//! ```
//!
//! - `[3+]`, `[0-12]`, `[0]`: the versions that have the field. In the others it has its default.
//! - `ignorable`: the field may hold more than its default where the version has no place for it,
//!   and is then left out; any other field refuses to be left out ([`crate::Unencodable::NoField`]).
//! - `tag N`: a tagged field of a flexible structure, written only if it differs from its default.
//!   Tagged fields stand last, in ascending order.
//! - `null [1+]`: the versions in which an `Option` may be null.
//! - `default (…)`: the default, where it is not zero, empty or null.
//!
//! The wire type follows from the Rust type: [`Value`]. Each structure also keeps its notation as
//! a value, [`Structure::FIELDS`], which tests compare with Kafka's own definitions.

mod call;
mod codec;
mod field;
mod notation;
mod value;

pub use call::{Call, Direction, Message};
pub(crate) use call::{call, layout};
pub(crate) use codec::{decode_field, encode_field, encode_tagged, is_written};
pub use field::{Field, Kind, Place, Versions};
pub(crate) use field::{place, versions};
pub(crate) use notation::{default_of, message};
pub use value::{Nullable, Structure, Value};
