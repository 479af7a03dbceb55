//! Assembly: builds a node, top to bottom, in start order, and takes it down again.
//!
//! ```text
//! first shard                                     every shard
//!   lock the first data directory
//!   listen (ApiVersions is answered from here on)
//!   read the metadata log
//!   lock the other data directories
//!   ├─ Replay ─────────────────────────────────►  replay journals into segments
//!   ├─ Open ───────────────────────────────────►  open logs
//!   register this start of the broker
//!   ├─ Serve ──────────────────────────────────►  serve partitions
//!   ready
//!   ...a signal (a second one is announced: the command line ends the process then)
//!   stop listening
//!   ├─ Stop ───────────────────────────────────►  answer, flush, close
//!   write the clean-shutdown marker
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use controller::image::Endpoint;
use controller::request::Registration;
use controller::{Controller, Image, Record, Settings};
use runtime::{Mesh, Queue, TaskGroup, Watch};
use server::{Acceptor, Arrival, ConnectionBounds};
use storage::{DataDir, DataDirs, LogId, MetadataLog};
use types::{Incarnation, PartitionIndex, ShardId, TopicPartition};

use crate::admin::Admin;
use crate::config::{Address, NodeConfig, Schema};
use crate::crossing::{Answer, Ask};
use crate::directories;
use crate::drivers::controller::ControllerDriver;
use crate::node::Node;
use crate::peer;
use crate::shard::{Opening, Shard};
use crate::start_error::StartError;

/// What a node is started with; shared by its shards.
pub struct Plan {
    /// The node's configuration.
    pub config: Arc<NodeConfig>,
    /// Where clients connect to.
    pub listen: SocketAddr,
    /// Where metrics are served.
    pub admin: Option<SocketAddr>,
    /// Called on the first shard when clients can connect, and when partitions are served.
    pub announce: Box<dyn Fn(Milestone) + Send + Sync>,
    /// Why the node did not start, or did not stop well.
    pub failure: Mutex<Option<StartError>>,
}

/// How far a start has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// Connections are accepted.
    Listening {
        /// The address, with the port that the system chose.
        address: SocketAddr,
        /// The admin address.
        admin: Option<SocketAddr>,
    },
    /// Partitions are served.
    Ready,
    /// A signal was received, the node is stopping.
    Stopping,
    /// A second signal was received: whoever sent it does not want to wait.
    StoppingAtOnce,
}

/// Runs one shard of a node from start to stop.
pub async fn run_shard(mesh: Mesh<Ask, Answer>, plan: Arc<Plan>) {
    let shard = Rc::new(Shard::new(mesh, Arc::clone(&plan.config)));
    let node = Rc::new(Node::new(Rc::clone(&shard)));
    node.start_background();
    let peers = runtime::spawn(Queue::Latency, peer::serve(Rc::clone(&node)));
    if shard.id() == ShardId(0)
        && let Err(error) = run_node(&node, &plan).await
    {
        *plan.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        // Dirty or clean, there is no marker to write.
        let _stopped = stop_shards(&node).await;
    }
    peers.await;
    shard.tasks.cancel_all();
}

/// The first shard's part: everything that is done once a node.
async fn run_node(node: &Rc<Node>, plan: &Arc<Plan>) -> Result<(), StartError> {
    let shard = &node.shard;
    let (path, others) = plan.config.first_data_dir();
    let first = DataDirs::open_first(path, others, shard.node()).await?;
    let acceptor = Rc::new(listen(shard, plan).await?);
    let admin = Admin::listen(Rc::clone(node), Rc::clone(&acceptor), plan.admin).await?;
    (plan.announce)(Milestone::Listening {
        address: acceptor.local_addr(),
        admin: admin.as_ref().map(Admin::local_addr),
    });
    let connections = Rc::new(TaskGroup::new());
    let accepting = accept(
        Rc::clone(node),
        Rc::clone(&acceptor),
        Rc::clone(&connections),
    );
    let accepting = runtime::spawn(Queue::Latency, accepting);

    let asked_to_stop = Rc::new(Watch::new(false));
    let signals = hear_signals(Arc::clone(plan), Rc::clone(&asked_to_stop));
    let signals = runtime::spawn(Queue::Latency, signals);

    let data = open_logs(node, plan, first).await?;
    (plan.announce)(Milestone::Ready);

    asked_to_stop.wait_until(|&asked| asked).await;
    drop(accepting);
    drop(acceptor);
    let is_clean = stop_shards(node).await;
    data.close_clean(&is_clean).await?;
    drop(signals);
    Ok(())
}

/// Takes signals from the start on. Killing a node is safe at any time, so the second may be
/// answered by that.
async fn hear_signals(plan: Arc<Plan>, asked_to_stop: Rc<Watch<bool>>) {
    runtime::next_signal().await;
    (plan.announce)(Milestone::Stopping);
    asked_to_stop.set(true);
    runtime::next_signal().await;
    (plan.announce)(Milestone::StoppingAtOnce);
}

async fn listen(shard: &Shard, plan: &Plan) -> Result<Acceptor, StartError> {
    let address = plan.listen;
    let listener = runtime::bind_retrying(address)
        .await
        .map_err(|source| StartError::Listen { address, source })?;
    let bounds = ConnectionBounds {
        total_max: plan.config.connections_max,
        per_address_max: plan
            .config
            .connections_per_address_max
            .unwrap_or(usize::MAX),
    };
    Ok(Acceptor::new(listener, bounds, shard.router.shards()))
}

/// Takes connections and deals them out to the shards.
async fn accept(node: Rc<Node>, acceptor: Rc<Acceptor>, connections: Rc<TaskGroup>) {
    loop {
        let (accepted, ticket) = match acceptor.accept().await {
            Ok(admitted) => admitted,
            Err(error) => {
                tracing::error!(%error, "the listener failed: no new connections");
                return;
            }
        };
        let (node, acceptor) = (Rc::clone(&node), Rc::clone(&acceptor));
        let arrival = Arrival::new(accepted);
        connections.spawn(Queue::Latency, async move {
            if ticket.shard() == node.shard.id() {
                node.serve_connection(arrival).await;
            } else {
                node.hand_over(ticket.shard(), arrival).await;
            }
            acceptor.closed(ticket);
        });
    }
}

/// Reads the metadata, replays the journals, opens every log, takes the controller's seat, serves.
async fn open_logs(node: &Rc<Node>, plan: &Plan, first: DataDir) -> Result<DataDirs, StartError> {
    let shard = &node.shard;
    let (log, controller) = open_controller(plan, &first).await?;
    let (_, others) = plan.config.first_data_dir();
    let mut data = DataDirs::open(first, others).await?;
    let image = controller.image().clone();
    let known = Arc::new(known_logs(&image));
    let opening = Opening {
        directories: directories::replay(shard, &mut data, &known).await?,
        image,
        cluster_id: data.first().cluster_id().to_string(),
    };
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        replies.push(shard.mesh.call(peer, Ask::Open(opening.clone())).await);
    }
    for reply in replies {
        if let Answer::Opened(opened) = reply.await? {
            opened?;
        }
    }
    data.tidy(shard.router.shards(), &known).await?;

    let driver = Rc::new(ControllerDriver::new(controller, log, shard.mesh.clone()));
    let registration = controller::Request::RegisterBroker(Registration {
        node: shard.node(),
        rack: plan.config.rack.clone(),
        endpoints: plan.config.advertised.iter().map(endpoint).collect(),
    });
    driver.carry_out(&registration).await?;
    let seated = shard.controller.set(driver);
    assert!(seated.is_ok(), "a node starts once");
    // Not earlier: metadata without this broker would send its clients nowhere.
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        replies.push(shard.mesh.call(peer, Ask::Serve).await);
    }
    for reply in replies {
        reply.await?;
    }
    Ok(data)
}

fn endpoint(address: &Address) -> Endpoint {
    Endpoint {
        listener: "PLAINTEXT".to_owned(),
        host: address.host().to_owned(),
        port: address.port(),
    }
}

async fn open_controller(
    plan: &Plan,
    data: &DataDir,
) -> Result<(MetadataLog, Controller), StartError> {
    let (log, replay) = MetadataLog::open(data.layout()).await?;
    let image = match &replay.snapshot {
        Some((_, bytes)) => controller::snapshot::decode(bytes)?,
        None => Image::empty(),
    };
    let settings = Settings {
        default_partitions: plan.config.num_partitions,
        ..Settings::default()
    };
    let schema = Box::new(Schema::new(Arc::clone(&plan.config)));
    let mut controller = Controller::new(settings, schema, image);
    for (index, bytes) in &replay.records {
        let index = *index;
        let record =
            Record::decode(bytes).map_err(|source| StartError::Record { index, source })?;
        controller
            .apply(&record)
            .map_err(|source| StartError::Apply { index, source })?;
    }
    Ok((log, controller))
}

/// Lists the log of every partition.
fn known_logs(image: &Image) -> BTreeMap<Incarnation, LogId> {
    let mut known = BTreeMap::new();
    for topic in image.topics() {
        for (entry, index) in topic.partitions.iter().zip(0..) {
            let partition = PartitionIndex::new(index).expect("counted from zero");
            let partition = TopicPartition {
                topic: topic.id,
                partition,
            };
            let incarnation = entry.incarnation;
            known.insert(
                incarnation,
                LogId {
                    partition,
                    incarnation,
                },
            );
        }
    }
    known
}

/// Stops every shard and waits for them; says of each data directory whether everything in it is written
/// out: else the next start replays its journals.
async fn stop_shards(node: &Rc<Node>) -> Vec<bool> {
    let shard = &node.shard;
    let mut is_clean = vec![true; shard.config.data_dirs.len()];
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        replies.push((peer, shard.mesh.call(peer, Ask::Stop).await));
    }
    for (peer, reply) in replies {
        let Ok(Answer::Stopped(outcomes)) = reply.await else {
            tracing::error!(shard = %peer, "the shard ended early");
            is_clean.fill(false);
            continue;
        };
        let directories = shard.config.data_dirs.iter().zip(&mut is_clean);
        for ((path, is_clean), outcome) in directories.zip(outcomes) {
            if let Err(error) = outcome {
                let directory = path.display();
                tracing::error!(shard = %peer, %directory, %error, "the store did not close cleanly");
                *is_clean = false;
            }
        }
    }
    is_clean
}
