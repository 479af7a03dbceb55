//! What is asked next, and of whom.

use std::collections::{BTreeMap, BTreeSet};

use types::{Monotonic, NodeId};
use wire::messages::{fetch, list_offsets};

use super::machine::{Consumer, Ordered, Wanted};
use super::order::{Draft, NAMES_VERSION_MAX, Order, OrderId, OrderRequest, Place};
use crate::metadata::Metadata;

impl Consumer {
    /// Returns the requests that may be sent now, at most two for each node.
    pub fn poll(&mut self, now: Monotonic, metadata: &Metadata) -> Vec<Order> {
        let (busy, fetching) = self.under_way();
        let may_fetch = self.held <= self.options.buffer_max.0; // invariant 3
        let mut offsets: BTreeMap<NodeId, Draft<list_offsets::Topic>> = BTreeMap::new();
        let mut records: BTreeMap<NodeId, Draft<fetch::Topic>> = BTreeMap::new();
        let count = self.partitions.len();
        let first = self.turn.checked_rem(count).unwrap_or(0);
        self.turn = self.turn.wrapping_add(1);
        let mut leaderless = Vec::new();
        for (place, partition) in self.partitions.iter().cycle().skip(first).take(count) {
            let idle = partition.paused_until <= now && !busy.contains(place); // invariant 2
            if !idle || partition.place == Wanted::Nothing {
                continue;
            }
            let Some(node) = metadata.leader(&place.0, place.1) else {
                leaderless.push(place.clone());
                continue;
            };
            match partition.place {
                Wanted::Offset { timestamp } => {
                    let draft = offsets.entry(node).or_default();
                    draft.ask_offset(place, partition.assignment, timestamp);
                }
                Wanted::Records { from } if may_fetch && !fetching.contains(&node) => {
                    let id = metadata.topics.get(&*place.0).map(|topic| topic.id);
                    let size = self.options.partition_size.0;
                    let draft = records.entry(node).or_default();
                    draft.ask_records(place, partition.assignment, id, (from, size));
                }
                Wanted::Records { .. } | Wanted::Nothing => {}
            }
        }
        for place in leaderless {
            self.pause(&place, now);
        }
        let offsets = offsets.into_iter().map(|(node, draft)| {
            let request = list_offsets::Request {
                replica_id: -1,
                topics: draft.topics,
                ..Default::default()
            };
            (node, OrderRequest::Offsets(request), draft.places, i16::MAX)
        });
        let fetch_base = self.fetch_base();
        let records = records.into_iter().map(|(node, draft)| {
            let version_max = if draft.without_ids {
                NAMES_VERSION_MAX
            } else {
                i16::MAX
            };
            let request = fetch::Request {
                topics: draft.topics,
                ..fetch_base.clone()
            };
            (
                node,
                OrderRequest::Records(request),
                draft.places,
                version_max,
            )
        });
        let all: Vec<_> = offsets.chain(records).collect();
        all.into_iter().map(|order| self.order(order)).collect()
    }

    /// Returns the partitions that are part of an order, and the nodes that were asked for records.
    fn under_way(&self) -> (BTreeSet<Place>, BTreeSet<NodeId>) {
        let orders = self.orders.values();
        let places = orders.clone().flat_map(|order| &order.places);
        let fetches = orders.filter(|order| order.is_fetch);
        (
            places.map(|(place, _)| place.clone()).collect(),
            fetches.map(|order| order.node).collect(),
        )
    }

    fn order(
        &mut self,
        (node, request, places, version_max): (NodeId, OrderRequest, Vec<(Place, u64)>, i16),
    ) -> Order {
        let id = OrderId(self.order_next);
        self.order_next += 1;
        let is_fetch = matches!(request, OrderRequest::Records(_));
        self.orders.insert(
            id,
            Ordered {
                node,
                is_fetch,
                places,
            },
        );
        Order {
            id,
            node,
            request,
            version_max,
        }
    }

    /// A fetch outside of any session.
    fn fetch_base(&self) -> fetch::Request {
        let options = &self.options;
        fetch::Request {
            max_wait_ms: i32::try_from(options.wait_max.as_millis()).unwrap_or(i32::MAX),
            min_bytes: i32::try_from(options.wait_bytes.0).unwrap_or(i32::MAX),
            max_bytes: i32::try_from(options.fetch_size.0).unwrap_or(i32::MAX),
            session_id: 0,
            session_epoch: -1,
            ..Default::default()
        }
    }
}
