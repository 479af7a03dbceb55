//! The cluster as a whole: who leads, who moves, what it can do.

use wire::api::ApiKey;

use super::maker::Generator;
use crate::script::RUN;
use crate::tree::{Tree, body};

impl Generator {
    /// One step of the walk through the cluster.
    pub(super) fn cluster_step(&mut self) {
        match self.chance.below(13) {
            0 => self.describe_cluster(),
            1..=3 => self.elect_leaders(),
            4 | 5 => self.reassign(),
            6 => self.list_reassignments(),
            7 => self.update_features(),
            8 => self.list_transactions(),
            9 => self.describe_transactions(),
            10 => {
                let broker = self.chance.of(&[99, -1, i32::MAX]);
                self.ask(ApiKey::UnregisterBroker, body! { broker_id: broker });
            }
            11 => self.describe_quorum(),
            _ => {
                let name = self
                    .chance
                    .of(&["client", "client", "client", "", "no spaces"]);
                let version = self.chance.of(&["1.0", "1.0", "1.0", "", "-"]);
                let body = body! { client_software_name: name, client_software_version: version };
                self.ask(ApiKey::ApiVersions, body);
            }
        }
    }

    fn describe_quorum(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 1, 2]);
        let topic = |generator: &mut Self| {
            let name = generator
                .chance
                .of(&["__cluster_metadata", "__cluster_metadata", "other"]);
            let index = generator.chance.of(&[0, 0, 1, -1]);
            body! { topic_name: name, partitions: vec![body! { partition_index: index }] }
        };
        let topics: Vec<Tree> = (0..count).map(|_| topic(self)).collect();
        self.ask(ApiKey::DescribeQuorum, body! { topics: topics });
    }

    fn describe_cluster(&mut self) {
        let body = body! {
            include_cluster_authorized_operations: self.chance.once_in(2),
            endpoint_type: self.chance.of(&[1_i8, 1, 1, 0, 3]),
            include_fenced_brokers: self.chance.once_in(2),
        };
        self.ask(ApiKey::DescribeCluster, body);
    }

    fn named_partitions(&mut self, field: &'static str, list: &'static str) -> Vec<Tree> {
        let count = self.chance.of(&[0, 1, 1, 2]);
        (0..count)
            .map(|_| {
                let (name, partitions) = (self.any_topic(), self.any_partitions());
                Tree::Fields(vec![(field, name.into()), (list, partitions.into())])
            })
            .collect()
    }

    fn elect_leaders(&mut self) {
        let topics = self.named_partitions("topic", "partitions");
        let topics = if self.chance.once_in(8) {
            Tree::Null
        } else {
            topics.into()
        };
        let kind = self.chance.of(&[0_i8, 0, 1, 2, -1]);
        self.ask(
            ApiKey::ElectLeaders,
            body! { election_type: kind, topic_partitions: topics },
        );
    }

    fn reassign(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 2]);
        let partition = |generator: &mut Self, index: i32| {
            let choices: [Option<&[i32]>; 7] = [
                None,
                Some(&[1]),
                Some(&[1]),
                Some(&[2]),
                Some(&[1, 1]),
                Some(&[]),
                Some(&[-1]),
            ];
            let replicas = generator.chance.of(&choices).map(<[i32]>::to_vec);
            body! { partition_index: index, replicas: replicas }
        };
        let topic = |generator: &mut Self| {
            let (name, indexes) = (generator.any_topic(), generator.any_partitions());
            let partitions: Vec<Tree> = indexes
                .into_iter()
                .map(|index| partition(generator, index))
                .collect();
            body! { name: name, partitions: partitions }
        };
        let topics: Vec<Tree> = (0..count).map(|_| topic(self)).collect();
        let change = self.chance.once_in(2);
        let body = body! { allow_replication_factor_change: change, topics: topics };
        self.ask(ApiKey::AlterPartitionReassignments, body);
    }

    fn list_reassignments(&mut self) {
        let topics = self.named_partitions("name", "partition_indexes");
        let topics = if self.chance.once_in(3) {
            Tree::Null
        } else {
            topics.into()
        };
        self.ask(ApiKey::ListPartitionReassignments, body! { topics: topics });
    }

    fn update_features(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 2]);
        let update = |generator: &mut Self| {
            let name = generator
                .chance
                .of(&["no.such.feature", "", "another", "metadata.version"]);
            let level = generator.chance.of(&[1_i16, 0, -1, 99, 30]);
            let kind = generator.chance.of(&[1_i8, 1, 2, 3, 0, 9]);
            let downgrade = generator.chance.once_in(2);
            body! { feature: name, max_version_level: level, allow_downgrade: downgrade, upgrade_type: kind }
        };
        let updates: Vec<Tree> = (0..count).map(|_| update(self)).collect();
        let body = body! { feature_updates: updates, validate_only: self.chance.once_in(2) };
        self.ask(ApiKey::UpdateFeatures, body);
    }

    fn list_transactions(&mut self) {
        let pattern = self.chance.of(&[None, Some(".*"), Some("["), Some("")]);
        let states = self.chance.of(&["Ongoing", "Empty", "nonsense", ""]);
        // Of a pattern that is none, Kafka says so, and nothing of the states.
        let states = if pattern != Some("[") && self.chance.once_in(2) {
            vec![states]
        } else {
            Vec::new()
        };
        let producers = if self.chance.once_in(2) {
            vec![-1_i64, 5]
        } else {
            Vec::new()
        };
        let body = body! {
            state_filters: states, producer_id_filters: producers,
            duration_filter: self.chance.of(&[-1_i64, 0, 1000]), transactional_id_pattern: pattern,
        };
        self.ask(ApiKey::ListTransactions, body);
    }

    fn describe_transactions(&mut self) {
        let count = self.chance.of(&[0, 1, 2]);
        let names = [
            format!("{RUN}-transaction"),
            format!("{RUN}-other"),
            String::new(),
        ];
        let names: Vec<String> = (0..count).map(|_| self.chance.of(&names)).collect();
        self.ask(
            ApiKey::DescribeTransactions,
            body! { transactional_ids: names },
        );
    }
}
