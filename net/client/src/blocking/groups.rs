//! What an admin asks of the coordinators of groups, with sockets.

use std::collections::BTreeMap;

use types::{ErrorCode, NodeId};
use wire::Call;
use wire::api::ApiKey;

use super::admin::Admin;
use super::cluster::{Cluster, Peer};
use crate::admin::{
    self, Committed, DescribedGroup, LeavingMember, ListedGroup, MemberResults, NAMES_VERSION_MAX,
    Place, PlaceResults,
};
use crate::error::{BrokerError, Error};

/// *Errors* of all methods about one group: those of [`Cluster::call`], and [`Error::Refused`] if
/// the coordinator does nothing of what is asked, or is not there and ready in time.
impl Admin<'_> {
    /// Lists the groups of all brokers.
    ///
    /// *Errors*: as below, if one of the brokers does not tell its groups.
    pub fn list_groups(&mut self) -> Result<Vec<ListedGroup>, Error> {
        self.cluster.refresh(Some(&[]), false)?;
        let brokers: Vec<NodeId> = self.cluster.metadata().brokers.keys().copied().collect();
        let mut groups = Vec::new();
        for node in brokers {
            let asked = |cluster: &mut Cluster| {
                let response = cluster.call(Peer::Node(node), &admin::list_groups())?;
                Ok(admin::groups_listed(response))
            };
            groups.extend(self.until_ready(&format!("the groups of node {node}"), asked)?);
        }
        groups.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(groups)
    }

    /// Describes a group of the classic protocol, and its members.
    pub fn describe_group(&mut self, group: &str) -> Result<DescribedGroup, Error> {
        let request = admin::describe_group(group);
        self.coordinated(group, &request, i16::MAX, admin::group_described)
    }

    /// Forgets a group without members, and its offsets.
    pub fn delete_group(&mut self, group: &str) -> Result<(), Error> {
        let request = admin::delete_group(group);
        self.coordinated(group, &request, i16::MAX, admin::group_deleted)
    }

    /// Takes members out of a group; the reason is for the broker's log.
    pub fn remove_members(
        &mut self,
        group: &str,
        members: &[LeavingMember],
        reason: &str,
    ) -> Result<MemberResults, Error> {
        let request = admin::remove_members(group, members, reason);
        self.coordinated(group, &request, i16::MAX, admin::members_removed)
    }

    /// Tells all offsets that a group has committed.
    pub fn committed_offsets(&mut self, group: &str) -> Result<PlaceResults<Committed>, Error> {
        let asked = |cluster: &mut Cluster| {
            let coordinator = match coordinator(cluster, group)? {
                Ok(coordinator) => coordinator,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let version = cluster.version(coordinator, ApiKey::OffsetFetch)?;
            let version = version.min(NAMES_VERSION_MAX);
            let request = admin::offsets_of_group(group, version);
            let response = cluster.call_at_most(coordinator, &request, version)?;
            Ok(admin::committed_offsets(response))
        };
        self.until_ready(group, asked)
    }

    /// Commits offsets for a group without members.
    pub fn commit_offsets(
        &mut self,
        group: &str,
        offsets: &BTreeMap<Place, Committed>,
    ) -> Result<PlaceResults<()>, Error> {
        let request = admin::commit_offsets(group, offsets);
        let read = |response| {
            let results = admin::offsets_committed(response);
            // A coordinator that is not ready says so of every partition.
            match results.values().find_map(|result| result.as_ref().err()) {
                Some(refusal) if is_not_ready(refusal) => Err(refusal.clone()),
                _ => Ok(results),
            }
        };
        self.coordinated(group, &request, NAMES_VERSION_MAX, read)
    }

    /// Forgets offsets of a group.
    pub fn delete_offsets(
        &mut self,
        group: &str,
        places: &[Place],
    ) -> Result<PlaceResults<()>, Error> {
        let request = admin::delete_offsets(group, places);
        self.coordinated(group, &request, i16::MAX, admin::offsets_deleted)
    }

    /// Asks the coordinator of a group, in a version up to `version_max`.
    fn coordinated<C: Call, T>(
        &mut self,
        group: &str,
        request: &C,
        version_max: i16,
        read: impl Fn(C::Response) -> Result<T, BrokerError>,
    ) -> Result<T, Error> {
        let asked = |cluster: &mut Cluster| match coordinator(cluster, group)? {
            Ok(coordinator) => {
                let response = cluster.call_at_most(coordinator, request, version_max)?;
                Ok(read(response))
            }
            Err(refusal) => Ok(Err(refusal)),
        };
        self.until_ready(group, asked)
    }

    /// Asks again while the coordinator is elsewhere or not ready.
    fn until_ready<T>(
        &mut self,
        subject: &str,
        ask: impl Fn(&mut Cluster) -> Result<Result<T, BrokerError>, Error>,
    ) -> Result<T, Error> {
        let limit = self.cluster.options().coordinator_timeout;
        let give_up = self.cluster.now().after(limit);
        loop {
            match ask(self.cluster)? {
                Ok(answer) => return Ok(answer),
                Err(refusal) if is_not_ready(&refusal) && self.cluster.now() < give_up => {
                    self.cluster.pause();
                }
                Err(refusal) => return Err(Error::refused(subject, refusal)),
            }
        }
    }
}

/// Finds the coordinator of a group, or says why it is not known.
fn coordinator(cluster: &mut Cluster, group: &str) -> Result<Result<Peer, BrokerError>, Error> {
    let version = cluster.version(Peer::Any, ApiKey::FindCoordinator)?;
    let request = admin::find_coordinator(group, version);
    let response = cluster.call(Peer::Any, &request)?;
    let found = match admin::coordinator_found(response) {
        Ok(node) => node,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !cluster.metadata().brokers.contains_key(&found) {
        cluster.refresh(Some(&[]), false)?;
    }
    Ok(Ok(Peer::Node(found)))
}

/// Returns whether a coordinator may answer better in a while, or another one may.
fn is_not_ready(refusal: &BrokerError) -> bool {
    matches!(
        refusal.known(),
        Some(
            ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::CoordinatorNotAvailable
                | ErrorCode::NotCoordinator
        )
    )
}
