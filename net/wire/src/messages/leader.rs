//! Who leads now: told in tagged fields of Produce and Fetch beside "not the leader".
//!
//! *Source*: KIP-951.

use crate::Unencodable;
use crate::primitive::{Layout, Writer};
use crate::schema::{Structure, message};

message! {
    /// The leader of a partition.
    pub struct LeaderIdAndEpoch {
        /// Its id; -1 if unknown.
        pub leader_id: i32 [0+] default (-1),
        /// Its epoch; -1 if unknown.
        pub leader_epoch: i32 [0+] default (-1),
    }
}

message! {
    /// Where a leader is reached.
    pub struct NodeEndpoint {
        /// Its id.
        pub node_id: i32 [0+],
        /// Its host name or address.
        pub host: String [0+],
        /// Its port.
        pub port: i32 [0+],
        /// Its rack, if it has one.
        pub rack: Option<String> [0+] null [0+],
    }
}

/// Ends an answer of Produce or Fetch: its tagged fields are the endpoints, as tag 0, in versions
/// from `first_version` on; older versions leave them out.
pub(crate) fn end_with_endpoints(
    writer: &mut Writer,
    endpoints: &[NodeEndpoint],
    first_version: i16,
    layout: Layout,
) -> Result<(), Unencodable> {
    if endpoints.is_empty() || layout.version < first_version {
        writer.no_tagged_fields(layout.flexible);
        return Ok(());
    }
    let mut field = Writer::new();
    field.nullable_count(Some(endpoints.len()), layout.flexible)?;
    for endpoint in endpoints {
        endpoint.encode_fields(&mut field, layout)?;
    }
    writer.varint(1);
    writer.tagged_field(0, field)
}
