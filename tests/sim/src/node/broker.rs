//! The node under test: the real broker on a simulated machine, started, crashed and stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use riverrun::broker::{Milestone, Plan, run_shard};
use riverrun::config::NodeConfig;
use runtime::Signal;
use runtime::sim::{Crash, NodeHandle, Simulation};
use types::ByteCount;

use super::script::Directories;
use crate::chance::Chance;

/// Where it listens.
pub(super) const PORT: u16 = 9092;

/// How long a stop in order may take.
const STOP_MAX: Duration = Duration::from_mins(1);

/// How long a start may take.
const START_MAX: Duration = Duration::from_mins(1);

/// A broker that cannot do what it must.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stuck {
    #[error("the broker does not start: {0}")]
    DoesNotStart(String),
    #[error("the broker does not stop")]
    DoesNotStop,
    #[error("the broker stops with an error: {0}")]
    StopsBadly(String),
}

/// One run of the broker's process.
struct Run {
    plan: Arc<Plan>,
    ready: Arc<AtomicBool>,
}

/// The node under test.
pub(super) struct Broker<'a> {
    simulation: &'a Simulation,
    pub(super) node: NodeHandle,
    config: Arc<NodeConfig>,
    run: Run,
}

impl<'a> Broker<'a> {
    /// Makes the node with an empty disk and starts it.
    pub(super) fn spawn(
        simulation: &'a Simulation,
        directories: Directories,
        shards: u16,
        chance: &mut Chance,
    ) -> Self {
        let config = Arc::new(draw_config(directories, chance));
        let run = Run::new(&config);
        let plan = Arc::clone(&run.plan);
        let main = move |mesh| run_shard(mesh, Arc::clone(&plan));
        let node = simulation.spawn_node("broker", shards, main);
        Self {
            simulation,
            node,
            config,
            run,
        }
    }

    /// Starts it again.
    pub(super) fn start(&mut self, shards: u16) {
        self.run = Run::new(&self.config);
        let plan = Arc::clone(&self.run.plan);
        self.node.set_shards(shards);
        let main = move |mesh| run_shard(mesh, Arc::clone(&plan));
        self.simulation.restart(&self.node, main);
    }

    /// Ends its process the hard way, if it runs.
    pub(super) fn crash(&self, crash: Crash) {
        self.simulation.crash(&self.node, crash);
    }

    /// Waits until it serves its partitions.
    pub(super) fn wait_ready(&self) -> Result<(), Stuck> {
        let run = &self.run;
        let reached = self.simulation.run_until(START_MAX, || {
            run.ready.load(Ordering::Relaxed) || !self.node.is_running()
        });
        match (reached, self.failure()) {
            (_, Some(failure)) => Err(Stuck::DoesNotStart(failure)),
            (Err(reason), None) => Err(Stuck::DoesNotStart(reason.to_string())),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Asks it to stop.
    pub(super) fn ask_to_stop(&self) {
        self.node.signal(Signal::Terminate);
    }

    /// Waits until it has stopped in order.
    pub(super) fn wait_stopped(&self) -> Result<(), Stuck> {
        let reached = self
            .simulation
            .run_until(STOP_MAX, || !self.node.is_running());
        match (reached, self.failure()) {
            (_, Some(failure)) => Err(Stuck::StopsBadly(failure)),
            (Err(_), None) => Err(Stuck::DoesNotStop),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Returns why the process gave up, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        let failure = self.run.plan.failure.lock();
        let failure = failure.unwrap_or_else(PoisonError::into_inner);
        let failure = failure.as_ref()?;
        let mut text = failure.to_string();
        let mut cause = std::error::Error::source(failure);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Some(text)
    }
}

impl Run {
    fn new(config: &Arc<NodeConfig>) -> Self {
        let ready = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ready);
        let announce = move |milestone| {
            if milestone == Milestone::Ready {
                told.store(true, Ordering::Relaxed);
            }
        };
        let plan = Plan {
            config: Arc::clone(config),
            listen: ([0, 0, 0, 0], PORT).into(),
            admin: None,
            announce: Box::new(announce),
            failure: Mutex::default(),
        };
        Self {
            plan: Arc::new(plan),
            ready,
        }
    }
}

/// Draws a configuration in which everything happens often: a small ring, little memory, few files.
fn draw_config(directories: Directories, chance: &mut Chance) -> NodeConfig {
    let settings = [&directories.setting(), "num.partitions=2"];
    let mut config = NodeConfig::parse("", &settings).expect("these keys take these values");
    config.journal_size_max = ByteCount::kib(chance.pick(&[1024, 2048, 8192]));
    config.tail_memory_max = ByteCount::kib(chance.pick(&[256, 1024, 8192]));
    config.segment_files_max = chance.pick(&[4, 16, 1024]);
    config.index_cache_max = ByteCount::kib(chance.pick(&[4, 64, 8192]));
    config.offsets_partitions = chance.pick(&[1, 2, 4]);
    config.group_session_min = Duration::from_millis(50);
    config.group_initial_delay = Duration::from_millis(chance.pick(&[0, 5, 20]));
    config.disk_reserve = ByteCount::kib(256);
    config
}
