//! What an admin asks about the cluster as a whole, with sockets.

use types::NodeId;
use wire::api::ApiKey;

use super::admin::Admin;
use super::cluster::Peer;
use crate::admin::{self, DescribedCluster, Feature, LogDirectory};
use crate::error::Error;

/// *Errors* of all methods: those of [`super::Cluster::call`], and [`Error::Refused`] if the broker
/// does not tell.
impl Admin<'_> {
    /// Describes the cluster and its brokers.
    pub fn describe_cluster(&mut self) -> Result<DescribedCluster, Error> {
        let version = self.cluster.version(Peer::Any, ApiKey::DescribeCluster)?;
        let request = admin::describe_cluster(version);
        let response = self.cluster.call(Peer::Any, &request)?;
        let described = admin::cluster_described(response);
        described.map_err(|refusal| Error::refused("DescribeCluster", refusal))
    }

    /// Tells which controller decides; `None` if there is none now.
    pub fn quorum_leader(&mut self) -> Result<Option<NodeId>, Error> {
        let response = self.cluster.call(Peer::Any, &admin::describe_quorum())?;
        let leader = admin::quorum_leader(response);
        leader.map_err(|refusal| Error::refused("DescribeQuorum", refusal))
    }

    /// Tells the features of a broker, and those in force as it knows them.
    pub fn features(&mut self, node: NodeId) -> Result<Vec<Feature>, Error> {
        let request = admin::describe_features();
        let response = self.cluster.call(Peer::Node(node), &request)?;
        let features = admin::features_described(response);
        features.map_err(|refusal| Error::refused(format!("node {node}"), refusal))
    }

    /// Tells the directories in which a broker keeps logs.
    pub fn log_directories(&mut self, node: NodeId) -> Result<Vec<LogDirectory>, Error> {
        let request = admin::describe_log_directories();
        let response = self.cluster.call(Peer::Node(node), &request)?;
        let directories = admin::log_directories_described(response);
        directories.map_err(|refusal| Error::refused(format!("node {node}"), refusal))
    }
}
