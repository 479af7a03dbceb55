//! Crashes at random moments under a random load, on the simulated machine: what was acknowledged is
//! there, in its place, and nothing that was cut off comes back. Then the same with a rule of storage
//! broken on purpose, which must be noticed.
//!
//! A tiny ring, so that it laps; 24 logs; batches of 25 bytes to 24 KiB; a truncation every 5 ms.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use runtime::sim::{Crash, Simulation};
use runtime::{Queue, TaskGroup};
use types::{ByteCount, Offset};

use crate::support::*;

const LOGS: u64 = 24;
const CLIENTS: usize = 12;
const LIVES: u64 = 4;

/// Seeds that have failed: a deletion during a truncation; a replay that acted on a chunk which a
/// killed process had written and a power failure during that replay then took; a cut at a segment's
/// start, after which the segment before was never closed.
const REGRESSIONS: [u64; 3] = [37, 272, 826];

/// What one log must hold.
#[derive(Default)]
struct Model {
    /// What was appended, in order, acknowledged or not.
    batches: Vec<Stored>,
    /// Everything below was acknowledged.
    acknowledged: i64,
    /// A truncation that was begun and has not returned: where it cuts.
    cutting: Option<i64>,
    /// Being cut or deleted from: the other waits its turn.
    busy: bool,
    /// A start that was asked for and may hold already.
    start: i64,
}

impl Model {
    fn end(&self) -> i64 {
        self.batches.last().map_or(0, |batch| batch.end.get())
    }

    fn acknowledge(&mut self, batch: &Stored) {
        if self.batches.contains(batch) {
            self.acknowledged = self.acknowledged.max(batch.end.get());
        }
    }

    fn cut(&mut self, to: i64) {
        self.batches.retain(|batch| batch.end.get() <= to);
        self.acknowledged = self.acknowledged.min(self.end());
    }

    /// Checks what a restart found, and goes on from there: it must not change any more.
    fn check(&mut self, number: u64, start: Offset, found: &[Stored]) {
        self.busy = false;
        if let Some(to) = self.cutting.take() {
            let stays = |batch: &&Stored| batch.end.get() <= to;
            let cut_end = self
                .batches
                .iter()
                .rfind(stays)
                .map_or(start, |batch| batch.end);
            if found.last().map_or(start, |batch| batch.end) == cut_end {
                // The cut was in the journal. Else it was not, and everything acknowledged stays.
                self.cut(to);
            }
        }
        assert!(
            start.get() <= self.start,
            "log {number} starts at {start}, not asked for"
        );
        let first = found.first().map_or(i64::MAX, |batch| batch.first.get());
        let expected: Vec<_> = self
            .batches
            .iter()
            .filter(|batch| batch.first.get() >= first || batch.end > start)
            .cloned()
            .collect();
        let count = found.len();
        assert!(count <= expected.len(), "log {number} has {count} batches");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                found == expected,
                "log {number}: another batch at {}",
                expected.first
            );
        }
        let end = found.last().map_or(start, |batch| batch.end).get();
        let acknowledged = self.acknowledged;
        assert!(
            end >= acknowledged,
            "log {number} ends at {end}, acknowledged {acknowledged}"
        );
        self.batches.retain(|batch| batch.end.get() <= end);
        self.acknowledged = end;
    }
}

type Models = Rc<RefCell<Vec<Model>>>;

fn random_below(limit: u64) -> u64 {
    runtime::random_u64() % limit
}

fn random_batch() -> Vec<u8> {
    // Mostly small, some of many blocks.
    let size = match random_below(10) {
        0..5 => random_below(200),
        5..9 => random_below(4_000),
        _ => random_below(24 * 1024),
    };
    let size = usize::try_from(size).unwrap();
    batch(1, size, runtime::random_u64()).to_vec()
}

/// Appends to random logs and acknowledges, for ever.
async fn client(node: Rc<Node>, models: Models) {
    loop {
        let number = random_below(LOGS);
        let log = node.log(number);
        let bytes = random_batch();
        let Ok(appended) = append(&log, &bytes).await else {
            return;
        };
        let sent = Stored {
            first: appended.first,
            end: appended.end,
            epoch: log.latest_epoch().get(),
            crc: checked(&bytes).header().crc(),
            body: checked(&bytes).body().to_vec(),
        };
        let index = usize::try_from(number).unwrap();
        models.borrow_mut()[index].batches.push(sent.clone());
        if log.durable_to(appended.end).await.is_err() {
            return;
        }
        models.borrow_mut()[index].acknowledge(&sent);
        if random_below(4) == 0 {
            runtime::sleep(Duration::from_micros(random_below(2_000))).await;
        }
    }
}

/// Cuts a random log at a random place, every 5 ms.
async fn cutter(node: Rc<Node>, models: Models) {
    loop {
        runtime::sleep(Duration::from_millis(5)).await;
        let number = random_below(LOGS);
        let index = usize::try_from(number).unwrap();
        let log = node.log(number);
        if models.borrow()[index].busy {
            continue;
        }
        let positions = log.positions();
        let length = positions.end.since(positions.start).unwrap();
        let back = i64::try_from(random_below(length.min(12) + 1)).unwrap();
        let to = offset(positions.end.get() - back);
        models.borrow_mut()[index].cutting = Some(to.get());
        models.borrow_mut()[index].busy = true;
        if log.truncate(to, log.latest_epoch().next()).await.is_err() {
            return;
        }
        let mut models = models.borrow_mut();
        models[index].cutting = None;
        models[index].busy = false;
        models[index].cut(to.get());
    }
}

/// Deletes the beginning of a random log, now and then.
async fn deleter(node: Rc<Node>, models: Models) {
    loop {
        runtime::sleep(Duration::from_millis(7)).await;
        let number = random_below(LOGS);
        let index = usize::try_from(number).unwrap();
        let log = node.log(number);
        if models.borrow()[index].busy {
            continue;
        }
        let positions = log.positions();
        let length = positions.durable.since(positions.start).unwrap();
        let forward = i64::try_from(random_below(length / 2 + 1)).unwrap();
        let to = offset(positions.start.get() + forward);
        {
            let model = &mut models.borrow_mut()[index];
            model.start = model.start.max(to.get());
            model.busy = true;
        }
        if log.delete_prefix(to).await.is_err() {
            return;
        }
        models.borrow_mut()[index].busy = false;
    }
}

async fn life(path: &Path, models: Models) {
    let config = small_segments(ByteCount::kib(64));
    let opened = Node::open_with(path, tiny_options(), LOGS, config).await;
    let node = Rc::new(opened.expect("a crash never prevents a start"));
    for number in 0..LOGS {
        let log = node.log(number);
        let start = log.positions().start;
        let found = read_all(&log).await;
        let index = usize::try_from(number).unwrap();
        models.borrow_mut()[index].check(number, start, &found);
    }
    let tasks = TaskGroup::new();
    for _ in 0..CLIENTS {
        tasks.spawn(Queue::Latency, client(Rc::clone(&node), Rc::clone(&models)));
    }
    tasks.spawn(Queue::Latency, cutter(Rc::clone(&node), Rc::clone(&models)));
    tasks.spawn(
        Queue::Latency,
        deleter(Rc::clone(&node), Rc::clone(&models)),
    );
    tasks.join_all().await;
    unreachable!(
        "the load goes on until the crash: {:?}",
        node.store.metrics().offline
    );
}

/// One seed: several lives, each ended by a crash; returns the trace's hash.
fn run(seed: u64) -> u64 {
    let simulation = Simulation::new(seed);
    let models: Models = Rc::default();
    models
        .borrow_mut()
        .resize_with(usize::try_from(LOGS).unwrap(), Model::default);
    let main = {
        let models = Rc::clone(&models);
        move |_mesh: runtime::Mesh<(), ()>| {
            let models = Rc::clone(&models);
            async move { life(Path::new("/disk"), models).await }
        }
    };
    let node = simulation.spawn_node("node", 1, main.clone());
    for number in 0..LIVES {
        let mixed = (seed * LIVES + number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        simulation.run_for(Duration::from_micros(5_000 + mixed % 150_000));
        let kind = if mixed.is_multiple_of(4) {
            Crash::Process
        } else {
            Crash::Power
        };
        simulation.crash(&node, kind);
        simulation.restart(&node, main.clone());
    }
    simulation.run_for(Duration::from_millis(200));
    simulation.trace_hash()
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_cut_comes_back() {
    // More of them for a longer look: RIVERRUN_CRASH_SEEDS=from..to.
    let asked = std::env::var("RIVERRUN_CRASH_SEEDS").ok();
    let range = asked.as_deref().and_then(|range| range.split_once(".."));
    let (from, to) = range.map_or((0, 20), |(from, to)| {
        (from.parse().unwrap(), to.parse().unwrap())
    });
    for seed in REGRESSIONS.into_iter().chain(from..to) {
        run(seed);
    }
}

#[test]
fn a_first_start_that_was_killed_leaves_no_name_to_lose() {
    for killed_after_us in (0..3_000).step_by(50) {
        let simulation = Simulation::new(killed_after_us);
        let (acknowledged, found) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let main = {
            let (acknowledged, found) = (Rc::clone(&acknowledged), Rc::clone(&found));
            move |_mesh: runtime::Mesh<(), ()>| {
                let (acknowledged, found) = (Rc::clone(&acknowledged), Rc::clone(&found));
                async move {
                    let node = Node::open(Path::new("/disk"), 1).await;
                    let log = node.log(0);
                    assert!(log.positions().end.get() >= acknowledged.get());
                    found.set(acknowledged.get() > 0);
                    let appended = append_durably(&log, &batch(1, 100, 1)).await;
                    acknowledged.set(appended.end.get());
                    std::future::pending::<()>().await;
                }
            }
        };
        let node = simulation.spawn_node("node", 1, main.clone());
        simulation.run_for(Duration::from_micros(killed_after_us));
        simulation.crash(&node, Crash::Process);
        simulation.restart(&node, main.clone());
        let reached = simulation.run_until(Duration::from_secs(1), || acknowledged.get() > 0);
        reached.unwrap();
        simulation.crash(&node, Crash::Power);
        simulation.restart(&node, main);
        let reached = simulation.run_until(Duration::from_secs(1), || found.get());
        reached.unwrap();
    }
}

#[test]
fn appends_that_all_wait_for_memory_are_given_some_whatever_the_disk_does() {
    for seed in 0..60 {
        let simulation = Simulation::new(seed);
        let over = Rc::new(Cell::new(false));
        let told = Rc::clone(&over);
        let main = move |_mesh: runtime::Mesh<(), ()>| {
            let told = Rc::clone(&told);
            async move {
                let options = storage::StoreOptions {
                    tail_size_max: ByteCount::kib(64),
                    ..tiny_options()
                };
                let node = Node::open_with(Path::new("/disk"), options, LOGS, config()).await;
                let node = node.unwrap();
                let writers = TaskGroup::new();
                for number in 0..LOGS {
                    let log = node.log(number);
                    writers.spawn(Queue::Latency, async move {
                        for _ in 0..30 {
                            append(&log, &random_batch()).await.unwrap();
                        }
                    });
                }
                writers.join_all().await;
                told.set(true);
            }
        };
        simulation.spawn_node("node", 1, main);
        let reached = simulation.run_until(Duration::from_mins(5), || over.get());
        assert!(reached.is_ok(), "seed {seed}: every append waits");
    }
}

#[test]
fn equal_seeds_run_equally() {
    assert_eq!(run(3), run(3));
}

#[cfg(feature = "mutants")]
mod mutants {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use storage::mutants::{Mutant, choose};

    /// How many seeds a mutant may survive.
    const SEEDS_MAX: u64 = 150;

    fn is_caught(mutant: Mutant) -> bool {
        (0..SEEDS_MAX).any(|seed| {
            choose(Some(mutant));
            let result = catch_unwind(AssertUnwindSafe(|| super::run(seed)));
            choose(None);
            result.is_err()
        })
    }

    #[test]
    fn an_acknowledgement_before_the_sync_is_caught() {
        assert!(is_caught(Mutant::AcknowledgeBeforeSync));
    }

    #[test]
    fn a_checkpoint_without_segment_sync_is_caught() {
        assert!(is_caught(Mutant::CheckpointWithoutSegmentSync));
    }

    #[test]
    fn a_stale_frame_of_a_recycled_file_is_caught() {
        assert!(is_caught(Mutant::StaleFrameAccepted));
    }

    #[test]
    fn a_padded_redo_is_caught() {
        assert!(is_caught(Mutant::PaddedRedo));
    }

    #[test]
    fn a_stale_sync_that_moves_the_durable_end_is_caught() {
        assert!(is_caught(Mutant::StaleSyncMovesDurable));
    }

    #[test]
    fn a_directory_that_is_not_synced_is_caught() {
        assert!(is_caught(Mutant::DirectoryNotSynced));
    }
}
