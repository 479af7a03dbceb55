//! The answer to a request that was read as a view: it names the topics as the request did.

use super::message::{LEADER_VERSION, PartitionResponse};
use super::view::RequestView;
use crate::Unencodable;
use crate::messages::leader::{NodeEndpoint, end_with_endpoints};
use crate::primitive::Writer;
use crate::schema::Structure;

impl RequestView {
    /// Writes the body of the answer.
    ///
    /// *Layout*: `outcomes` holds one entry for each partition of the request, in its order across
    /// all topics.
    /// *Errors*: [`Unencodable::TooLong`] for a message above 32,767 bytes.
    /// *Panics*: if `outcomes` are not the request's partitions.
    /// *Cost*: the one buffer that is returned.
    pub fn answer(
        &self,
        outcomes: &[PartitionResponse],
        throttle_time_ms: i32,
        node_endpoints: &[NodeEndpoint],
    ) -> Result<Writer, Unencodable> {
        let layout = self.layout();
        let mut writer = Writer::with_capacity(64 + 48 * outcomes.len());
        let mut left = outcomes.iter();
        let topics = self.topics();
        writer.nullable_count(Some(topics.len()), layout.flexible)?;
        for topic in topics {
            topic.topic.encode(&mut writer, layout)?;
            writer.nullable_count(Some(topic.partitions.len()), layout.flexible)?;
            for partition in topic.partitions {
                let outcome = left.next().expect("an outcome for every partition");
                assert_eq!(outcome.index, partition.index, "outcomes in request order");
                outcome.encode_fields(&mut writer, layout)?;
            }
            writer.no_tagged_fields(layout.flexible);
        }
        assert!(left.next().is_none(), "a partition for every outcome");
        writer.int32(throttle_time_ms);
        end_with_endpoints(&mut writer, node_endpoints, LEADER_VERSION, layout)?;
        Ok(writer)
    }
}
