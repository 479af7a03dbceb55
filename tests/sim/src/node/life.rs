//! The one who drives a life: starts, hurts, stops and starts the broker, then has all audited.

use std::rc::Rc;
use std::time::Duration;

use runtime::Mesh;
use runtime::sim::{Crash, DiskPlan, NetworkPlan, Simulation};

use super::audit::audit;
use super::broker::{Broker, PORT, Stuck};
use super::desk::Desk;
use super::directories;
use super::script::{self, Directories, Ending, Epoch, Trouble};
use super::tenant;
use crate::chance::Chance;
use crate::history::{Event, Fault};
use crate::life::Telling;
use crate::outcome::Outcome;

/// How long clients may take to finish what they began, once everything is healthy.
const FINISH_MAX: Duration = Duration::from_mins(2);

/// How long an audit may take.
const AUDIT_MAX: Duration = Duration::from_mins(2);

/// Why a life could not be lived to its end.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Stuck(#[from] Stuck),
    #[error("clients do not come to an end on a healthy broker")]
    ClientsDoNotFinish,
    #[error("the audit does not come to an end on a healthy broker")]
    AuditDoesNotFinish,
    #[error("a node with one directory that fails does not answer")]
    DirectoriesNotTold,
}

/// A life under way.
struct Life<'a> {
    simulation: &'a Simulation,
    broker: Broker<'a>,
    desk: Rc<Desk>,
    chance: Chance,
}

/// Lives one life.
pub(crate) fn live(seed: u64, telling: Telling) -> Outcome {
    let simulation = Simulation::new(seed);
    let mut chance = Chance::new(seed);
    let directories = Directories::draw(&mut chance);
    let epochs = script::epochs(&mut chance, directories);
    let shards = script::shards(&mut chance);
    let broker = Broker::spawn(&simulation, directories, shards, &mut chance);
    let desk = Rc::new(Desk::new(broker.node.address(PORT)));
    start_clients(&simulation, &desk, &mut chance);
    let mut life = Life {
        simulation: &simulation,
        broker,
        desk: Rc::clone(&desk),
        chance,
    };
    if let Err(cut) = life.run(&epochs) {
        desk.unexpected(cut.to_string());
    }
    let history = desk.take_history();
    if telling == Telling::History {
        history.print();
    }
    Outcome::judge(&history, simulation.trace_hash(), simulation.now())
}

fn start_clients(simulation: &Simulation, desk: &Rc<Desk>, chance: &mut Chance) {
    for habits in script::tenants(chance) {
        let (desk, chance) = (Rc::clone(desk), chance.fork());
        desk.begin();
        let name = format!("client of {}", habits.name);
        let main = move |_: Mesh<(), ()>| {
            let desk = Rc::clone(&desk);
            tenant::live(desk, habits.clone(), chance.clone())
        };
        simulation.spawn_node(&name, 1, main);
    }
}

impl Life<'_> {
    fn run(&mut self, epochs: &[Epoch]) -> Result<(), Cut> {
        for (number, epoch) in epochs.iter().enumerate() {
            if number > 0 {
                self.start(epoch.shards);
            }
            self.desk.note(Event::Driven(format!("{epoch:?}")));
            self.simulation.set_network(epoch.trouble.network());
            self.broker.node.set_disk(epoch.trouble.disk());
            self.pass(epoch);
            if epoch.trouble.is_of_one_directory() {
                self.look_at_directories()?;
            }
            self.end(epoch)?;
            self.simulation.set_network(NetworkPlan::default());
            self.broker.node.set_disk(DiskPlan::default());
        }
        self.conclude()
    }

    /// Lets an epoch's time pass.
    fn pass(&self, epoch: &Epoch) {
        let before = epoch.reset_after.unwrap_or(epoch.length);
        self.simulation.run_for(before);
        if epoch.reset_after.is_some() {
            self.simulation.reset_connections(&self.broker.node);
            self.simulation.run_for(epoch.length.saturating_sub(before));
        }
    }

    /// Ends the process of an epoch.
    fn end(&mut self, epoch: &Epoch) -> Result<(), Cut> {
        if let Some(failure) = self.broker.failure()
            && !epoch.trouble.excuses_failure()
        {
            return Err(Stuck::DoesNotStart(failure).into());
        }
        match epoch.ending {
            Ending::PowerFailure => self.fail_power(),
            Ending::Kill => {
                self.desk.note(Event::Failed(Fault::Kill));
                self.broker.crash(Crash::Process);
            }
            Ending::Stop => {
                self.stop(&epoch.trouble)?;
            }
            Ending::StopCutShort { after } => {
                self.broker.ask_to_stop();
                self.simulation.run_for(after);
                self.fail_power();
            }
        }
        Ok(())
    }

    fn start(&mut self, shards: u16) {
        self.desk
            .note(Event::Driven(format!("start with {shards} shards")));
        self.broker.start(shards);
    }

    fn fail_power(&self) {
        self.desk.note(Event::Failed(Fault::PowerFailure));
        self.broker.crash(Crash::Power);
    }

    /// Stops the process in order; half of the time the power fails right behind.
    fn stop(&mut self, trouble: &Trouble) -> Result<(), Cut> {
        self.broker.ask_to_stop();
        match self.broker.wait_stopped() {
            Err(Stuck::StopsBadly(_)) if trouble.excuses_failure() => {}
            stopped => stopped?,
        }
        if trouble.excuses_dirt() {
            self.desk.note(Event::Failed(Fault::DirtyStop));
        }
        if self.chance.percent(50) {
            self.fail_power();
        }
        Ok(())
    }

    /// Lets everybody finish on a healthy broker; audits, stops in order, starts, audits again.
    fn conclude(&mut self) -> Result<(), Cut> {
        let shards = script::shards(&mut self.chance);
        self.start(shards);
        self.broker.wait_ready()?;
        let calm_us = self.chance.between(20_000, 200_000);
        self.simulation.run_for(Duration::from_micros(calm_us));
        self.desk.finish();
        let finished = self
            .simulation
            .run_until(FINISH_MAX, || self.desk.is_idle());
        finished.map_err(|_| Cut::ClientsDoNotFinish)?;
        self.audit()?;
        self.stop(&Trouble::None)?;
        let shards = script::shards(&mut self.chance);
        self.start(shards);
        self.broker.wait_ready()?;
        self.audit()?;
        self.stop(&Trouble::None)
    }

    /// Looks whether the node serves what is not in the directory that fails.
    fn look_at_directories(&mut self) -> Result<(), Cut> {
        self.broker.wait_ready()?;
        let look = directories::look(Rc::clone(&self.desk), self.chance.fork());
        let looked = self
            .simulation
            .block_on(runtime::timeout(AUDIT_MAX, Box::pin(look)));
        looked.map_err(|_| Cut::DirectoriesNotTold)
    }

    fn audit(&mut self) -> Result<(), Cut> {
        let audit = audit(Rc::clone(&self.desk), self.chance.fork());
        let audited = self
            .simulation
            .block_on(runtime::timeout(AUDIT_MAX, Box::pin(audit)));
        audited.map_err(|_| Cut::AuditDoesNotFinish)
    }
}
