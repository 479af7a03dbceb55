//! Every message that is served, as one list that tests can walk over.

use std::fmt::Debug;

use bytes::Bytes;
use types::size::ByteCount;
use wire::api::{self, Api};
use wire::primitive::{Layout, Reader};
use wire::schema::{Direction, Field};
use wire::{Call, Malformed, Message, Unencodable, messages};

/// One message, with its codec behind plain functions.
pub(crate) struct Served {
    /// The name in Kafka's definitions: `MetadataRequest`.
    pub(crate) name: String,
    pub(crate) api: &'static Api,
    pub(crate) fields: &'static [Field],
    pub(crate) decode: fn(&Bytes, i16) -> Result<Decoded, Malformed>,
    /// Decodes with a bound on the memory of arrays, and drops what came out.
    pub(crate) decode_within: fn(&Bytes, Layout, ByteCount) -> Result<(), Malformed>,
}

/// What came out of a body, as text and written back.
pub(crate) struct Decoded {
    pub(crate) debug: String,
    pub(crate) encoded: Result<Bytes, Unencodable>,
}

impl Served {
    pub(crate) fn versions(&self) -> impl Iterator<Item = i16> + use<> {
        self.api.served.min..=self.api.served.max
    }

    pub(crate) fn layout(&self, version: i16) -> Layout {
        Layout {
            version,
            flexible: self.api.is_flexible(version),
        }
    }
}

fn served<M: Message + Debug>() -> Served {
    let api = M::KEY.api();
    let suffix = match M::DIRECTION {
        Direction::Request => "Request",
        Direction::Response => "Response",
    };
    Served {
        name: format!("{}{suffix}", api.name),
        api,
        fields: M::FIELDS,
        decode: |body, version| {
            let message = M::decode(body, version)?;
            Ok(Decoded {
                debug: format!("{message:?}"),
                encoded: message
                    .encode(version)
                    .map(wire::primitive::Writer::into_bytes),
            })
        },
        decode_within: |body, layout, memory_max| {
            let mut reader = Reader::new(body, memory_max);
            M::decode_fields(&mut reader, layout)?;
            reader.finish()
        },
    }
}

fn pair<C: Call + Debug>() -> [Served; 2]
where
    C::Response: Debug,
{
    [served::<C>(), served::<C::Response>()]
}

/// Returns every message, in the order of the keys, requests first.
pub(crate) fn all() -> Vec<Served> {
    let all: Vec<Served> = [
        pair::<messages::produce::Request>(),
        pair::<messages::fetch::Request>(),
        pair::<messages::list_offsets::Request>(),
        pair::<messages::metadata::Request>(),
        pair::<messages::api_versions::Request>(),
        pair::<messages::create_topics::Request>(),
        pair::<messages::delete_topics::Request>(),
        pair::<messages::delete_records::Request>(),
        pair::<messages::init_producer_id::Request>(),
        pair::<messages::offset_for_leader_epoch::Request>(),
        pair::<messages::describe_configs::Request>(),
        pair::<messages::alter_configs::Request>(),
        pair::<messages::describe_log_dirs::Request>(),
        pair::<messages::create_partitions::Request>(),
        pair::<messages::incremental_alter_configs::Request>(),
        pair::<messages::describe_client_quotas::Request>(),
        pair::<messages::alter_client_quotas::Request>(),
        pair::<messages::describe_quorum::Request>(),
        pair::<messages::describe_cluster::Request>(),
        pair::<messages::describe_producers::Request>(),
        pair::<messages::list_config_resources::Request>(),
        pair::<messages::describe_topic_partitions::Request>(),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert_eq!(all.len(), 2 * api::table().len(), "every row of the table");
    all
}
