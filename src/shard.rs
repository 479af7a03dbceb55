//! What one core owns: its partitions, its copy of the metadata, its end of the mesh.
//!
//! Invariants:
//! 1. The partitions are those that the image gives to this shard: after every change of the image
//!    they are made to agree with it, and nothing else adds or removes one.
//! 2. A shard serves only when the whole node can (`ready`): every log of every shard is open, the
//!    broker is registered, and the controller has its seat.

use std::cell::{OnceCell, Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use controller::record::ConfigScope;
use controller::{Image, Record};
use coordinator::TopicDeleted;
use runtime::{LongWork, Mesh, Queue, TaskGroup, Watch};
use storage::LogId;
use types::{NodeId, PartitionIndex, ShardId, TopicId, TopicPartition};

use crate::config::{NodeConfig, TopicConfig};
use crate::crossing::{Answer, Ask};
use crate::drivers::controller::Seat;
use crate::drivers::coordinator::Coordinators;
use crate::handlers::fetch::Sessions;
use crate::internal_topics::OFFSETS_TOPIC;
use crate::metrics::ShardReport;
use crate::partition::Partition;
use crate::producer_ids::ProducerIds;
use crate::quotas::Usage;
use crate::router::Router;
use crate::stores::{Directories, Stores};
use crate::waits::Waits;

/// What a shard needs to open its logs.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The data directories.
    pub directories: Directories,
    /// The metadata.
    pub image: Image,
    /// The cluster's id as text.
    pub cluster_id: String,
}

/// One core's share of the node.
pub struct Shard {
    /// This shard's end of the mesh.
    pub mesh: Mesh<Ask, Answer>,
    /// Which shard owns a partition.
    pub router: Router,
    /// The node's configuration.
    pub config: Arc<NodeConfig>,
    /// The controller, on the first shard, once its log is open.
    pub controller: Seat,
    /// The coordinators of the groups whose partitions this shard owns.
    pub coordinators: Coordinators,
    /// The fetch sessions of this shard's connections.
    pub fetch_sessions: RefCell<Sessions>,
    /// Producer ids to give out.
    pub producer_ids: ProducerIds,
    /// What the holders of quotas that this shard counts for have used.
    pub usage: Usage,
    /// What other shards wait for here.
    pub waits: Waits,
    /// Tasks that serve other shards.
    pub tasks: TaskGroup,
    long_work: LongWork,
    image: Rc<RefCell<Image>>,
    cluster_id: OnceCell<String>,
    topic_configs: RefCell<BTreeMap<TopicId, Rc<TopicConfig>>>,
    partitions: RefCell<BTreeMap<TopicPartition, Rc<Partition>>>,
    /// Partitions of the whole node, as their shards have told.
    out_of_service: RefCell<BTreeSet<TopicPartition>>,
    stores: OnceCell<Stores>,
    ready: Watch<bool>,
}

impl Shard {
    /// Makes a shard without partitions.
    pub fn new(mesh: Mesh<Ask, Answer>, config: Arc<NodeConfig>) -> Self {
        let router = Router::new(mesh.shards());
        let sessions = config.fetch_sessions_max / usize::from(mesh.shards());
        Self {
            router,
            fetch_sessions: RefCell::new(Sessions::new(sessions)),
            producer_ids: ProducerIds::new(),
            usage: Usage::default(),
            waits: Waits::default(),
            tasks: TaskGroup::new(),
            long_work: LongWork::new(),
            controller: Seat::new(),
            coordinators: Coordinators::default(),
            image: Rc::new(RefCell::new(Image::empty())),
            cluster_id: OnceCell::new(),
            topic_configs: RefCell::new(BTreeMap::new()),
            partitions: RefCell::new(BTreeMap::new()),
            out_of_service: RefCell::default(),
            stores: OnceCell::new(),
            ready: Watch::new(false),
            mesh,
            config,
        }
    }

    /// Returns which shard this is.
    pub fn id(&self) -> ShardId {
        self.mesh.id()
    }

    /// Returns which node this is.
    pub fn node(&self) -> NodeId {
        self.config.node_id
    }

    /// Returns the metadata as this shard knows it. Do not hold it across an `await`.
    pub fn image(&self) -> Ref<'_, Image> {
        self.image.borrow()
    }

    /// Returns the metadata for one who needs it later, as it is then.
    pub fn shared_image(&self) -> Rc<RefCell<Image>> {
        Rc::clone(&self.image)
    }

    /// Returns the stores, once they are open.
    pub fn stores(&self) -> Option<&Stores> {
        self.stores.get()
    }

    /// Returns the cluster's id as text.
    pub fn cluster_id(&self) -> &str {
        self.cluster_id.get().map_or("", String::as_str)
    }

    /// Finds a partition that this shard owns.
    pub fn partition(&self, partition: TopicPartition) -> Option<Rc<Partition>> {
        self.partitions.borrow().get(&partition).map(Rc::clone)
    }

    /// Returns the rules of a topic, once this shard is ready.
    pub fn topic_config(&self, topic: TopicId) -> Option<Rc<TopicConfig>> {
        self.topic_configs.borrow().get(&topic).map(Rc::clone)
    }

    /// Returns every partition that this shard owns.
    pub fn partitions(&self) -> Vec<Rc<Partition>> {
        self.partitions.borrow().values().map(Rc::clone).collect()
    }

    /// Returns whether a partition of the node is out of service, wherever it is.
    pub fn is_out_of_service(&self, partition: TopicPartition) -> bool {
        self.out_of_service.borrow().contains(&partition)
    }

    /// Notes that partitions of the node are out of service, for ever.
    pub fn note_out_of_service(&self, partitions: &[TopicPartition]) {
        self.out_of_service.borrow_mut().extend(partitions);
    }

    /// Tells all shards which partitions of this one are out of service, if there are any.
    pub fn announce_out_of_service(&self) -> impl Future<Output = ()> + 'static {
        let partitions = self.partitions.borrow();
        let lost = partitions.values().filter(|it| !it.is_in_service());
        let lost: Arc<[TopicPartition]> = lost.map(|it| it.id()).collect();
        let (mesh, router) = (self.mesh.clone(), self.router);
        async move {
            if lost.is_empty() {
                return;
            }
            for peer in router.all() {
                let told = mesh.call(peer, Ask::OutOfService(Arc::clone(&lost))).await;
                // A shard that is gone tells no clients.
                let _gone = told.await;
            }
        }
    }

    /// Waits until partitions can be served.
    pub async fn ready(&self) {
        if !self.ready.get() {
            self.ready.wait_until(|&ready| ready).await;
        }
    }

    /// Returns whether partitions can be served.
    pub fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Asks every shard of the node what it counted; one that is gone is left out.
    pub async fn reports(&self) -> Vec<ShardReport> {
        let mut replies = Vec::new();
        for peer in self.router.all() {
            replies.push(self.mesh.call(peer, Ask::Report).await);
        }
        let mut reports = Vec::with_capacity(replies.len());
        for reply in replies {
            if let Ok(Answer::Report(report)) = reply.await {
                reports.push(*report);
            }
        }
        reports
    }

    /// Opens this shard's logs; [`Self::serve`] serves them.
    pub async fn open(&self, opening: Opening) -> Result<(), storage::Error> {
        let Opening {
            directories,
            image,
            cluster_id,
        } = opening;
        let mut logs = Vec::new();
        for topic in image.topics() {
            let config = TopicConfig::effective(&self.config, &image, topic);
            for (partition, entry) in self.owned(topic) {
                let id = LogId {
                    partition,
                    incarnation: entry.incarnation,
                };
                logs.push((id, config.log()));
            }
        }
        let options = self.config.store_options();
        let work = &self.long_work;
        let stores = Stores::open(self.id(), options, &directories, logs, work).await?;
        let opened = self.stores.set(stores);
        assert!(opened.is_ok(), "a shard opens once");
        let known = self.cluster_id.set(cluster_id);
        assert!(known.is_ok(), "a shard opens once");
        let every: Vec<TopicId> = image.topics().map(|topic| topic.id).collect();
        *self.image.borrow_mut() = image;
        for topic in every {
            self.agree_with_image(topic);
        }
        Ok(())
    }

    /// Begins to serve (invariant 2).
    ///
    /// *Panics*: before the logs are open.
    pub fn serve(&self) {
        assert!(self.stores.get().is_some(), "logs are opened, then served");
        self.ready.set(true);
    }

    /// Applies durable records: the image first, then what follows from it.
    pub fn apply(&self, records: &[Record]) {
        let mut touched = BTreeSet::new();
        let mut deleted = Vec::new();
        for record in records {
            match record {
                Record::TopicCreated(created) => {
                    touched.insert(created.topic);
                }
                Record::TopicDeleted { topic } => {
                    touched.insert(*topic);
                    deleted.extend(self.image().topic(*topic).map(|entry| TopicDeleted {
                        topic: entry.name.clone(),
                        topic_id: *topic,
                        is_replaced: false,
                    }));
                    self.out_of_service
                        .borrow_mut()
                        .retain(|it| it.topic != *topic);
                }
                Record::PartitionsAdded(added) => {
                    touched.insert(added.topic);
                }
                Record::ConfigsChanged(changed) => match changed.scope {
                    ConfigScope::Topic(topic) => {
                        touched.insert(topic);
                    }
                    ConfigScope::Broker(_) | ConfigScope::AllBrokers => {
                        touched.extend(self.image().topics().map(|topic| topic.id));
                    }
                },
                Record::LevelRaised { .. }
                | Record::BrokerRegistered(_)
                | Record::ProducerIdsAllocated(_)
                | Record::QuotasChanged(_) => {}
            }
            let applied = self.image.borrow_mut().apply(record);
            applied.expect("the controller applied the same record to the same image");
        }
        if !deleted.is_empty() {
            self.forget_offsets_of(deleted);
        }
        if self.stores.get().is_some() {
            for topic in touched {
                self.agree_with_image(topic);
            }
        }
    }

    /// Lets the groups here forget topics.
    fn forget_offsets_of(&self, deleted: Vec<TopicDeleted>) {
        if deleted.iter().any(|it| it.topic.as_str() == OFFSETS_TOPIC) {
            self.coordinators.resign();
        } else {
            self.coordinators
                .forget_topics(&deleted.into_iter().collect());
        }
    }

    fn owned<'a>(
        &self,
        topic: &'a controller::image::Topic,
    ) -> impl Iterator<Item = (TopicPartition, &'a controller::image::Partition)> {
        let (router, own, id) = (self.router, self.id(), topic.id);
        topic
            .partitions
            .iter()
            .zip(0..)
            .filter_map(move |(entry, index)| {
                let partition = PartitionIndex::new(index).expect("counted from zero");
                let partition = TopicPartition {
                    topic: id,
                    partition,
                };
                (router.owner(partition) == own).then_some((partition, entry))
            })
    }

    /// Makes the partitions of one topic what the image says (invariant 1).
    fn agree_with_image(&self, topic: TopicId) {
        let stores = self.stores.get().expect("called once they are open");
        let image = self.image();
        let Some(entry) = image.topic(topic) else {
            self.topic_configs.borrow_mut().remove(&topic);
            self.drop_partitions(stores, topic);
            return;
        };
        let config = Rc::new(TopicConfig::effective(&self.config, &image, entry));
        self.topic_configs
            .borrow_mut()
            .insert(topic, Rc::clone(&config));
        let mut partitions = self.partitions.borrow_mut();
        let mut is_lost = false;
        for (id, partition) in self.owned(entry) {
            if let Some(known) = partitions.get(&id) {
                known.set_config(&config);
                continue;
            }
            let log_id = LogId {
                partition: id,
                incarnation: partition.incarnation,
            };
            let log = stores
                .log(partition.incarnation)
                .unwrap_or_else(|| stores.create_log(log_id, config.log()));
            let made = Partition::new(
                log,
                partition.leader_epoch,
                Rc::clone(&config),
                self.long_work.clone(),
            );
            let made = Rc::new(made);
            if entry.name.as_str() == OFFSETS_TOPIC {
                self.coordinators.open(self, &made);
            }
            is_lost |= !made.is_in_service();
            partitions.insert(id, made);
        }
        drop(partitions);
        // What is lost from the start is told once the shard serves.
        if is_lost && self.ready.get() {
            let announcement = self.announce_out_of_service();
            self.tasks.spawn(Queue::Background, announcement);
        }
    }

    fn drop_partitions(&self, stores: &Stores, topic: TopicId) {
        let mut gone = Vec::new();
        self.partitions.borrow_mut().retain(|id, partition| {
            let stays = id.topic != topic;
            if !stays {
                gone.push(partition.log().id());
            }
            stays
        });
        if gone.is_empty() {
            return;
        }
        let stores = stores.clone();
        self.tasks.spawn(Queue::Background, async move {
            for id in gone {
                if let Err(error) = stores.remove_log(id.incarnation).await {
                    tracing::warn!(log = %id, %error, "the files of a deleted log stay behind");
                }
            }
        });
    }
}
