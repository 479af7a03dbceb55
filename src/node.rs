//! One shard with its connections: what serves clients and other shards on one core.

use std::rc::Rc;
use std::time::Duration;

use runtime::Queue;
use server::{Arrival, Served, Server, ServerOptions};
use storage::Offline;
use types::ShardId;

use crate::config::NodeConfig;
use crate::crossing::Ask;
use crate::handlers::Handlers;
use crate::metrics::{PartitionReport, ShardReport};
use crate::shard::Shard;
use crate::stores::Stores;

/// How long a stopping node waits for clients to take their last answers.
const FAREWELL: Duration = Duration::from_secs(3);

/// A shard and the connections it serves.
pub struct Node {
    /// The shard.
    pub shard: Rc<Shard>,
    server: Server<Handlers>,
}

fn server_options(config: &NodeConfig) -> ServerOptions {
    ServerOptions {
        frame_max: config.frame_size_max,
        memory_max: config.request_memory_max,
        idle_timeout: config.connection_idle_max,
        ..ServerOptions::default()
    }
}

impl Node {
    /// Makes a shard's connections-to-be.
    pub fn new(shard: Rc<Shard>) -> Self {
        let handlers = Rc::new(Handlers::new(Rc::clone(&shard)));
        let server = Server::new(handlers, server_options(&shard.config));
        Self { shard, server }
    }

    /// Serves one connection to its end, here or where it moves to.
    pub async fn serve_connection(&self, arrival: Box<Arrival>) {
        let peer = arrival.peer_addr();
        match self.server.serve(arrival).await {
            Ok(Served::Ended) => {}
            Ok(Served::Moves { to, arrival }) => {
                Box::pin(self.hand_over(to, arrival)).await;
            }
            Err(error) => {
                tracing::debug!(%peer, %error, cause = ?std::error::Error::source(&error), "connection ended");
            }
        }
    }

    /// Gives a connection to another shard, and waits for its end.
    pub async fn hand_over(&self, to: ShardId, arrival: Box<Arrival>) {
        let reply = self.shard.mesh.call(to, Ask::Adopt(arrival)).await;
        // A shard that is gone has closed its connections.
        let _over = reply.await;
    }

    /// Deletes what is too old or too much, for ever.
    pub async fn keep_retention(self: Rc<Self>) {
        self.shard.ready().await;
        loop {
            runtime::sleep(self.shard.config.retention_interval).await;
            let partitions = self.shard.partitions();
            for partition in partitions.iter().filter(|it| it.is_in_service()) {
                let now = runtime::wall_clock();
                if let Err(error) = partition.log().apply_retention(now).await {
                    let partition = partition.id();
                    tracing::warn!(%partition, %error, "retention failed");
                }
                runtime::yield_if_due().await;
            }
        }
    }

    /// Tells all shards of the partitions of each store that fails, or has failed.
    async fn watch_stores(self: Rc<Self>) {
        self.shard.ready().await;
        let stores = self.shard.stores().expect("open, if ready");
        for store in stores.each() {
            let (store, shard) = (store.clone(), Rc::clone(&self.shard));
            self.shard.tasks.spawn(Queue::Background, async move {
                if store.ended().await == Offline::Failed {
                    shard.announce_out_of_service().await;
                }
            });
        }
    }

    /// Starts what a shard does besides answering.
    pub fn start_background(self: &Rc<Self>) {
        let tasks = &self.shard.tasks;
        tasks.spawn(Queue::Background, Rc::clone(self).keep_retention());
        tasks.spawn(Queue::Background, Rc::clone(self).watch_stores());
    }

    /// Ends the connections, then writes everything out and closes the logs; says how that went in each
    /// data directory.
    pub async fn stop(&self) -> Vec<Result<(), storage::Error>> {
        // Members that wait for others would make the farewell as long as it may be.
        self.shard.coordinators.resign();
        self.server.shutdown(FAREWELL).await;
        match self.shard.stores() {
            Some(stores) => stores.close().await,
            None => Vec::new(),
        }
    }

    /// Returns what this shard counted.
    pub fn report(&self) -> ShardReport {
        let image = self.shard.image();
        let mut partitions = self.shard.partitions();
        // Where the others stand may not be known.
        partitions.retain(|partition| partition.is_in_service());
        let partitions = partitions.into_iter().map(|partition| {
            let id = partition.id();
            let positions = partition.log().positions();
            PartitionReport {
                topic: image
                    .topic(id.topic)
                    .map_or_else(String::new, |t| t.name.as_str().to_owned()),
                topic_id: id.topic,
                partition: id.partition,
                start: positions.start,
                high_watermark: partition.high_watermark(),
                end: positions.end,
            }
        });
        ShardReport {
            shard: self.shard.id(),
            ready: self.shard.is_ready(),
            server: self.server.metrics(),
            stores: self.shard.stores().map_or_else(Vec::new, Stores::metrics),
            quota_waits: self.shard.usage.waits(),
            stalls: runtime::stalls(),
            fetch_sessions: self.shard.fetch_sessions.borrow().count(),
            partitions: partitions.collect(),
        }
    }
}
