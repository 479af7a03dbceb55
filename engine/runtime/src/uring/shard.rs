//! Starting one executor per core, watching them, and ending in order.
//!
//! ```text
//!   launching thread                     shard threads
//!   signals blocked, barrier registered
//!   spawn ──────────────────────────────► make the executor
//!   wait for Ready of all      ◄───────── Ready | Failed
//!   open the gates ─────────────────────► main(mesh)
//!   watch, once a second                  …
//!   wait for Ended of all      ◄───────── Ended | Panicked
//! ```
//!
//! A shard that cannot start lets none run. A panic (in builds where it unwinds) ends its shard, and
//! the launcher returns at once: the others are in an unknown state.

use std::any::Any;
use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use glommio::{
    CpuSet, Latency, LocalExecutor, LocalExecutorBuilder, Placement, PoolPlacement, Shares,
    TaskQueueHandle,
};
use types::ShardId;

use super::arena::Arena;
use super::cold::ColdReads;
use super::disk::DiskRing;
use super::load::{Gauge, Load};
use super::mesh::{self, Doorbell, Port};
use super::poller::Poller;
use super::pump::{self, Rest, RollCall};
use super::reactor::Reactor;
use super::signal::Signals;
use super::task::Noticed;
use super::timers::Timers;
use super::turn::{Laps, Turn};
use super::watchdog::{LOOK_INTERVAL, Pulse, Watched};
use super::{preflight, sys};
use crate::arm;
use crate::shard::{LaunchError, LaunchOptions, Pinning};
use crate::task::Queue;

/// glommio's preemption timer, which must never fire: when it is due between two of the executor's
/// steps, a wake-up is lost and the shard sleeps with runnable tasks (measured with 1 ms, and with
/// 100 ms under CPU throttling; never with this).
const PREEMPT_NEVER: Duration = Duration::from_hours(1);

/// Helper threads per shard: one that is slow (a directory sync) leaves the other.
const POOL_THREADS: usize = 2;

/// Kernel workers that one shard's rings may use, bounded and unbounded. The kernel's own choice lets
/// two syncs run at a time; with 64, 1,024 files took 48,000 syncs a second instead of 19,000.
pub(super) const RING_WORKERS_MAX: [u32; 2] = [64, 64];

/// What a shard's thread owns besides its executor; both end with the thread.
pub(super) struct Seat {
    queues: [TaskQueueHandle; 3],
    pub(super) turn: Turn,
    pub(super) pulse: Arc<Pulse>,
    pub(super) gauge: Gauge,
    pub(super) laps: Laps,
    pub(super) poller: Poller,
    pub(super) disk: DiskRing,
    /// Memory for what the disk ring writes.
    pub(super) arena: Rc<Arena>,
    pub(super) timers: Timers,
    pub(super) reactor: Reactor,
    pub(super) rest: Rest,
    pub(super) roll_call: RollCall,
    pub(super) signals: Option<Signals>,
    pub(super) cold: ColdReads,
    pub(super) tcp_congestion: Option<String>,
}

thread_local! {
    static SEAT: OnceCell<Rc<Seat>> = const { OnceCell::new() };
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that a task of this shard is polled.
pub(super) fn enter_turn() {
    SEAT.with(|seat| {
        // The first task takes the seat.
        if let Some(seat) = seat.get() {
            seat.turn.note_poll();
            seat.note_reactor();
        }
    });
}

/// Returns whether this thread's executor has run to its end.
pub(super) fn has_ended() -> bool {
    ENDED.get()
}

/// Returns this shard's seat.
///
/// *Panics*: on a thread that is no shard, or before its executor runs.
pub(super) fn seat() -> Rc<Seat> {
    SEAT.with(|seat| Rc::clone(seat.get().expect("a shard's thread has its seat")))
}

impl Seat {
    /// Builds the seat inside a running executor.
    fn take(
        shard: ShardId,
        pulse: Arc<Pulse>,
        load: Arc<Load>,
        options: &LaunchOptions,
    ) -> io::Result<()> {
        // The order of `Queue`. No queue asks for a latency: that would lower the preemption timer.
        let queues =
            [(1000, "latency"), (400, "throughput"), (100, "background")].map(|(shares, name)| {
                glommio::executor().create_task_queue(
                    Shares::Static(shares),
                    Latency::NotImportant,
                    name,
                )
            });
        let signals = (shard == ShardId(0)).then(Signals::open).transpose()?;
        let seat = Self {
            queues,
            turn: Turn::new(),
            pulse,
            gauge: Gauge::new(load),
            laps: Laps::default(),
            poller: Poller::new()?,
            disk: DiskRing::new()?,
            arena: Rc::new(Arena::new()?),
            timers: Timers::default(),
            reactor: Reactor::new()?,
            rest: Rest::default(),
            roll_call: RollCall::default(),
            signals,
            cold: ColdReads::new(),
            tcp_congestion: options.tcp_congestion.clone(),
        };
        seat.poller.watch(seat.disk.bell())?;
        let fresh = SEAT.with(|cell| cell.set(Rc::new(seat)).is_ok());
        assert!(fresh, "a thread is the seat of one shard, once");
        Ok(())
    }

    /// Looks whether the executor has been in its reactor: a turn has begun then.
    pub(super) fn note_reactor(&self) {
        if let Some(ran) = self.turn.enter() {
            self.reactor.note_pass(self.turn.began());
            self.pulse.turn(ran);
        }
    }

    /// Starts what serves all tasks of the shard; ends with the returned tasks.
    fn serve(self: &Rc<Self>) -> Vec<glommio::Task<()>> {
        let [latency, throughput, background] = self.queues;
        let others = [TaskQueueHandle::default(), throughput, background];
        let answering = others.into_iter().enumerate().map(|(index, queue)| {
            let answer = RollCall::answer(Rc::clone(self), index);
            glommio::spawn_local_into(answer, queue)
        });
        let mut tasks: Vec<_> = answering
            .map(|task| task.expect("a seat has its queues"))
            .collect();
        let pump = glommio::spawn_local_into(pump::pump(Rc::clone(self)), latency);
        tasks.push(pump.expect("a seat has its queues"));
        tasks
    }

    pub(super) fn queue(&self, queue: Queue) -> TaskQueueHandle {
        let [latency, throughput, background] = self.queues;
        match queue {
            Queue::Latency => latency,
            Queue::Throughput => throughput,
            Queue::Background => background,
        }
    }
}

/// What a shard's thread tells the launcher.
enum Event {
    Ready,
    Failed(io::Error),
    Ended,
    Panicked(String),
}

/// What the launcher keeps of one shard.
struct Watch {
    pulse: Arc<Pulse>,
    watched: Watched,
    gate: Option<Sender<()>>,
}

/// What a shard's thread starts with.
struct Start<Q: Send + 'static, R: Send + 'static> {
    shard: ShardId,
    options: LaunchOptions,
    pulse: Arc<Pulse>,
    port: Port<Q, R>,
    events: Sender<(ShardId, Event)>,
    gate: Receiver<()>,
}

/// Starts the shards and blocks until all have ended; see [`crate::launch`].
pub(crate) fn launch<Q, R, M, F>(options: &LaunchOptions, main: M) -> Result<(), LaunchError>
where
    Q: Send + 'static,
    R: Send + 'static,
    M: Fn(crate::Mesh<Q, R>) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let fail = |source| LaunchError::Start {
        shard: ShardId(0),
        source,
    };
    preflight::executor_can_start().map_err(fail)?;
    sys::register_memory_barrier();
    sys::block_signals().map_err(fail)?;
    let (ports, doorbells) = mesh::fabric(options.cpus.len()).map_err(fail)?;
    let (events, told) = mpsc::channel();
    let mut watches = Vec::new();
    for (shard, port) in (0..).map(ShardId).zip(ports) {
        let (gate, opened) = mpsc::channel();
        let pulse = Arc::new(Pulse::default());
        watches.push(Watch {
            pulse: Arc::clone(&pulse),
            watched: Watched::default(),
            gate: Some(gate),
        });
        let start = Start {
            shard,
            options: options.clone(),
            pulse,
            port,
            events: events.clone(),
            gate: opened,
        };
        let main = main.clone();
        thread::Builder::new()
            .name(format!("shard-{shard}"))
            .spawn(move || sit(start, main))
            .map_err(|source| LaunchError::Start { shard, source })?;
    }
    drop(events);
    wait(&told, &mut watches, &doorbells)
}

/// Opens the gates when all are ready, watches, and returns when all have ended or one has failed.
fn wait(
    told: &Receiver<(ShardId, Event)>,
    watches: &mut [Watch],
    doorbells: &[Doorbell],
) -> Result<(), LaunchError> {
    let mut starting = watches.len();
    loop {
        match told.recv_timeout(LOOK_INTERVAL) {
            Ok((_, Event::Ready)) => {
                starting -= 1;
                if starting == 0 {
                    for watch in &mut *watches {
                        // A thread that is gone has told why.
                        watch.gate.take().map(|gate| gate.send(()).ok());
                    }
                }
            }
            Ok((shard, Event::Failed(source))) => return Err(LaunchError::Start { shard, source }),
            Ok((shard, Event::Panicked(message))) => {
                return Err(LaunchError::Panicked { shard, message });
            }
            Ok((_, Event::Ended)) => {}
            Err(RecvTimeoutError::Timeout) if starting > 0 => {}
            Err(RecvTimeoutError::Timeout) => {
                for ((shard, watch), doorbell) in (0..).zip(&mut *watches).zip(doorbells) {
                    if !doorbell.is_gone() {
                        watch.watched.look(ShardId(shard), &watch.pulse, doorbell);
                    }
                }
            }
            // Every thread has dropped its end: all have ended.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// The life of a shard's thread.
fn sit<Q, R, M, F>(start: Start<Q, R>, main: M)
where
    Q: Send + 'static,
    R: Send + 'static,
    M: Fn(crate::Mesh<Q, R>) -> F,
    F: Future<Output = ()> + 'static,
{
    let Start {
        shard,
        options,
        pulse,
        port,
        events,
        gate,
    } = start;
    let tell = |event| events.send((shard, event)).ok();
    // Told to the other shards however this one ends.
    let _departure = port.departure();
    let executor = match executor(&options, shard) {
        Ok(executor) => executor,
        Err(error) => {
            tell(Event::Failed(error));
            return;
        }
    };
    tell(Event::Ready);
    if gate.recv().is_err() {
        return;
    }
    arm::replace(Some(arm::Kind::Uring));
    let run = AssertUnwindSafe(|| {
        executor.run(Noticed::new(async {
            Seat::take(shard, pulse, port.load(), &options)?;
            let (mesh, pump) = port.open()?;
            let seat = seat();
            let serving = seat.serve();
            let pump = super::spawn(Queue::Latency, pump);
            main(mesh.public()).await;
            mesh.end();
            pump.await;
            seat.disk.drain();
            // Cancels: they serve for ever.
            drop(serving);
            Ok(())
        }))
    });
    let ended = catch_unwind(run);
    ENDED.set(true);
    match ended {
        Ok(Ok(())) => tell(Event::Ended),
        Ok(Err(error)) => tell(Event::Failed(error)),
        Err(panic) => tell(Event::Panicked(message(panic.as_ref()))),
    };
}

fn executor(options: &LaunchOptions, shard: ShardId) -> io::Result<LocalExecutor> {
    let placement = match options.pinning {
        Pinning::Unpinned => Placement::Unbound,
        Pinning::Pinned => {
            let cpu = options.cpus.get(usize::from(shard.0)).copied();
            let cpus = CpuSet::online()?.filter(|location| Some(location.cpu) == cpu);
            if cpus.is_empty() {
                let message = format!("core {cpu:?} is not online");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            Placement::Fenced(cpus)
        }
    };
    let executor = LocalExecutorBuilder::new(placement)
        .name("shard")
        .io_memory(options.io_memory.as_usize())
        .preempt_timer(PREEMPT_NEVER)
        // Unbound: helpers may use all cores of the process, above all not just this one.
        .blocking_thread_pool_placement(PoolPlacement::Unbound(POOL_THREADS))
        .make()?;
    raise_ring_workers();
    Ok(executor)
}

/// Raises the kernel's worker limit on this thread's rings.
///
/// glommio keeps the descriptors to itself, so all rings of the process are told; those of other
/// shards get the value they have or will have. Without /proc things work, slower.
fn raise_ring_workers() {
    for ring in ring_descriptors() {
        if let Err(error) = sys::ring_workers_max(ring, RING_WORKERS_MAX) {
            tracing::debug!(ring, %error, "the kernel's worker limit stays as it is");
        }
    }
}

/// Lists the descriptors of io_uring instances in this process.
pub(super) fn ring_descriptors() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            std::fs::read_link(entry.path())
                .is_ok_and(|target| target.as_os_str() == "anon_inode:[io_uring]")
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Returns what a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| String::from("no message"))
}
