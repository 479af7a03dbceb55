//! The one who drives a life of stores.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use runtime::Mesh;
use runtime::sim::{Crash, DiskPlan, NodeHandle, Simulation};

use super::script::{self, Ending, Epoch, Setting};
use super::stores::Stores;
use super::workload::{self, Ledger};
use crate::chance::Chance;
use crate::checkers::Violation;
use crate::life::Telling;
use crate::outcome::{Outcome, Tally};

/// How long a start, a comparison, or a close may take on a healthy disk.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the driver and the process tell each other.
#[derive(Debug, Default)]
struct Signals {
    /// The process is to close its stores.
    close: Rc<Cell<bool>>,
    /// All logs were compared.
    compared: Cell<bool>,
    /// It has closed them, or given up.
    is_over: Cell<bool>,
}

/// Lives one life.
pub(crate) fn live(seed: u64, telling: Telling) -> Outcome {
    let simulation = Simulation::new(seed);
    let mut chance = Chance::new(seed);
    let setting = script::setting(&mut chance);
    let epochs = script::epochs(&mut chance);
    let ledger = Rc::new(Ledger::new(setting.logs));
    let mut life = Life {
        simulation: &simulation,
        ledger: Rc::clone(&ledger),
        setting,
        node: None,
        chance,
        telling,
        failures: 0,
    };
    life.run(&epochs);
    let failures = life.failures;
    drop(life);
    let virtual_ms = simulation.now().since_start().as_millis();
    let violation = |what: &String| Violation {
        checker: "model",
        what: what.clone(),
    };
    let violations = ledger.violations.borrow().iter().map(violation).collect();
    Outcome {
        violations,
        hash: simulation.trace_hash(),
        tally: Tally {
            virtual_ms: u64::try_from(virtual_ms).unwrap_or(u64::MAX),
            failures,
            acknowledged: ledger.acknowledged.get(),
            read: ledger.read.get(),
        },
    }
}

/// A life under way.
struct Life<'a> {
    simulation: &'a Simulation,
    ledger: Rc<Ledger>,
    setting: Setting,
    node: Option<NodeHandle>,
    chance: Chance,
    telling: Telling,
    failures: u64,
}

impl Life<'_> {
    fn run(&mut self, epochs: &[Epoch]) {
        for epoch in epochs {
            self.tell(&format!("{epoch:?}"));
            let is_healthy = epoch.disk.faults.is_empty();
            let (node, signals) = self.start(epoch, is_healthy);
            node.set_disk(epoch.disk.clone());
            self.simulation.run_for(epoch.length);
            self.end(&node, &signals, epoch, is_healthy);
            node.set_disk(DiskPlan::default());
            if !self.ledger.violations.borrow().is_empty() {
                return;
            }
        }
        self.conclude();
    }

    /// Starts a process.
    fn start(&mut self, epoch: &Epoch, is_healthy: bool) -> (NodeHandle, Rc<Signals>) {
        let signals = Rc::new(Signals::default());
        let (ledger, setting) = (Rc::clone(&self.ledger), self.setting);
        let (epoch, chance) = (epoch.clone(), self.chance.fork());
        let shared = Rc::clone(&signals);
        let main = move |_: Mesh<(), ()>| {
            let process = Process {
                ledger: Rc::clone(&ledger),
                setting,
                signals: Rc::clone(&shared),
                chance: chance.clone(),
                is_healthy,
            };
            process.run(epoch.clone())
        };
        let node = match self.node.take() {
            Some(node) => {
                self.simulation.restart(&node, main);
                node
            }
            None => self.simulation.spawn_node("stores", 1, main),
        };
        self.node = Some(node.clone());
        (node, signals)
    }

    /// Ends a process.
    fn end(&mut self, node: &NodeHandle, signals: &Signals, epoch: &Epoch, is_healthy: bool) {
        let crash = match epoch.ending {
            Ending::PowerFailure => Crash::Power,
            Ending::Kill => Crash::Process,
            Ending::Close => {
                signals.close.set(true);
                let closed = self
                    .simulation
                    .run_until(PATIENCE, || signals.is_over.get());
                if closed.is_err() && is_healthy {
                    self.ledger.violation("the stores do not close".to_owned());
                }
                // What was closed is on the disk.
                Crash::Power
            }
        };
        self.failures += 1;
        self.simulation.crash(node, crash);
    }

    /// Starts once more on a healthy disk, and has all compared.
    fn conclude(&mut self) {
        let epoch = Epoch {
            stores: script::stores(&mut self.chance),
            options: script::options(&mut self.chance),
            length: Duration::ZERO,
            disk: DiskPlan::default(),
            ending: Ending::Close,
        };
        self.tell(&format!("last: {epoch:?}"));
        let (node, signals) = self.start(&epoch, true);
        signals.close.set(true);
        let compared = self
            .simulation
            .run_until(PATIENCE, || signals.is_over.get());
        if compared.is_err() || !signals.compared.get() {
            self.ledger
                .violation("the logs cannot be compared at the end".to_owned());
        }
        self.simulation.crash(&node, Crash::Power);
    }

    fn tell(&self, what: &str) {
        if self.telling == Telling::History {
            println!("{:?} {what}", self.simulation.now().since_start());
        }
    }
}

/// One run of the process.
struct Process {
    ledger: Rc<Ledger>,
    setting: Setting,
    signals: Rc<Signals>,
    chance: Chance,
    is_healthy: bool,
}

impl Process {
    async fn run(self, epoch: Epoch) {
        if let Err(error) = self.open_work_close(&epoch).await
            && self.is_healthy
        {
            self.ledger.violation(format!("on a healthy disk: {error}"));
        }
        self.signals.is_over.set(true);
    }

    async fn open_work_close(&self, epoch: &Epoch) -> Result<(), storage::Error> {
        let Setting { logs, log, .. } = self.setting;
        let stores = Stores::open(epoch.stores, epoch.options, logs, log).await?;
        if !workload::compare(&self.ledger, &stores, logs).await {
            if self.is_healthy {
                self.ledger
                    .violation("a log cannot be read on a healthy disk".to_owned());
            }
            return Ok(());
        }
        self.signals.compared.set(true);
        let stores = Rc::new(stores);
        let (ledger, shared) = (Rc::clone(&self.ledger), Rc::clone(&stores));
        let is_over = Rc::clone(&self.signals.close);
        workload::work(ledger, shared, self.setting, self.chance.clone(), is_over).await;
        let stores = Rc::into_inner(stores).expect("all who worked with it have ended");
        stores.close().await
    }
}
