//! The one dispatch: from an API's key to its handler.

use std::rc::Rc;

use server::{Reply, Request, Service, Session};
use wire::api::ApiKey;

use crate::handlers::{
    acls, brokers, configs, features, fetch, groups, log_dirs, metadata, offsets, placement,
    produce, producers, quotas, scram, topics, transactions,
};
use crate::quotas::Meter;
use crate::shard::Shard;

/// Answers requests on one shard.
pub struct Handlers {
    shard: Rc<Shard>,
}

impl Handlers {
    /// Makes the handlers of a shard.
    pub fn new(shard: Rc<Shard>) -> Self {
        Self { shard }
    }
}

impl Service for Handlers {
    async fn call(&self, session: &Rc<Session>, request: Request) -> Reply {
        let shard = &self.shard;
        if request.key != ApiKey::ApiVersions {
            // Until the metadata is read no topic is known, which is no reason to deny that it exists.
            shard.ready().await;
        }
        let meter = Meter::of(shard, session);
        if meter.is_off() {
            return serve(shard, session, &meter, request).await;
        }
        // Boxed for the same reason as below.
        let metered = Box::pin(async {
            let reply = meter.timed(serve(shard, session, &meter, request)).await;
            meter.settle(reply).await
        });
        metered.await
    }
}

async fn serve(shard: &Rc<Shard>, session: &Rc<Session>, meter: &Meter, request: Request) -> Reply {
    match request.key {
        ApiKey::Fetch => {
            session.settled();
            fetch::fetch(shard, meter, request)
        }
        // Boxed: this future is part of its connection's task, and an idle connection is small.
        ApiKey::Produce => Box::pin(produce::produce(shard, session, meter, request)).await,
        _ => Box::pin(control_plane(shard, session, request)).await,
    }
}

async fn control_plane(shard: &Rc<Shard>, session: &Rc<Session>, request: Request) -> Reply {
    match request.key {
        ApiKey::ApiVersions => metadata::api_versions(shard, session, &request),
        ApiKey::Metadata => metadata::metadata(shard, session, &request).await,
        ApiKey::DescribeCluster => metadata::describe_cluster(shard, session, &request),
        ApiKey::DescribeTopicPartitions => metadata::describe_topic_partitions(shard, &request),
        ApiKey::DescribeQuorum => metadata::describe_quorum(shard, session, &request),
        ApiKey::ListOffsets => offsets::list_offsets(shard, &request).await,
        ApiKey::OffsetForLeaderEpoch => offsets::offset_for_leader_epoch(shard, &request).await,
        ApiKey::DeleteRecords => offsets::delete_records(shard, &request).await,
        ApiKey::InitProducerId => producers::init_producer_id(shard, &request).await,
        ApiKey::DescribeProducers => producers::describe_producers(shard, &request).await,
        ApiKey::CreateTopics => topics::create_topics(shard, &request).await,
        ApiKey::DeleteTopics => topics::delete_topics(shard, &request).await,
        ApiKey::CreatePartitions => topics::create_partitions(shard, &request).await,
        ApiKey::DescribeConfigs => configs::describe_configs(shard, &request),
        ApiKey::AlterConfigs => configs::alter_configs(shard, &request).await,
        ApiKey::IncrementalAlterConfigs => {
            configs::incremental_alter_configs(shard, &request).await
        }
        ApiKey::ListConfigResources => configs::list_config_resources(shard, &request),
        ApiKey::DescribeClientQuotas => quotas::describe_client_quotas(shard, &request),
        ApiKey::AlterClientQuotas => quotas::alter_client_quotas(shard, &request).await,
        ApiKey::DescribeLogDirs => log_dirs::describe_log_dirs(shard, &request).await,
        ApiKey::AlterReplicaLogDirs => log_dirs::alter_replica_log_dirs(shard, &request).await,
        ApiKey::ElectLeaders => placement::elect_leaders(shard, &request),
        ApiKey::AlterPartitionReassignments => {
            placement::alter_partition_reassignments(shard, &request)
        }
        ApiKey::ListPartitionReassignments => placement::list_partition_reassignments(&request),
        ApiKey::UpdateFeatures => features::update_features(shard, &request),
        ApiKey::UnregisterBroker => brokers::unregister_broker(shard, &request),
        ApiKey::DescribeAcls => acls::describe_acls(&request),
        ApiKey::CreateAcls => acls::create_acls(&request),
        ApiKey::DeleteAcls => acls::delete_acls(&request),
        ApiKey::DescribeUserScramCredentials => scram::describe_user_scram_credentials(&request),
        ApiKey::AlterUserScramCredentials => scram::alter_user_scram_credentials(&request),
        ApiKey::DescribeTransactions => transactions::describe_transactions(&request),
        ApiKey::ListTransactions => transactions::list_transactions(&request),
        ApiKey::FindCoordinator => groups::find_coordinator(shard, session, &request).await,
        ApiKey::JoinGroup => groups::join_group(shard, session, &request).await,
        ApiKey::SyncGroup => groups::sync_group(shard, &request).await,
        ApiKey::Heartbeat => groups::heartbeat(shard, session, &request).await,
        ApiKey::LeaveGroup => groups::leave_group(shard, &request).await,
        ApiKey::OffsetCommit => groups::offset_commit(shard, session, &request).await,
        ApiKey::OffsetFetch => groups::offset_fetch(shard, &request).await,
        ApiKey::OffsetDelete => groups::offset_delete(shard, &request).await,
        ApiKey::DescribeGroups => groups::describe_groups(shard, &request).await,
        ApiKey::ListGroups => groups::list_groups(shard, &request).await,
        ApiKey::DeleteGroups => groups::delete_groups(shard, &request).await,
        ApiKey::Produce | ApiKey::Fetch => unreachable!("served by the data plane"),
    }
}
