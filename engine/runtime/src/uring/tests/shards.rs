//! Launching, tasks, the mesh, signals, the watchdog.

use std::cell::Cell;
use std::os::unix::process::CommandExt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use types::ShardId;

use super::super::watchdog::{Pulse, STALL_MIN};
use super::super::{shard, sys};
use super::support::{in_child, is_child, on_shard, on_shards};
use crate::{LaunchError, LaunchOptions, Mesh, Pinning, Queue, Signal, allowed_cpus, spawn};

/// A shard that has not turned for so long is idle: ten times what its pump sleeps at a time.
const QUIET_MIN: Duration = Duration::from_millis(100);

#[test]
fn every_shard_runs_and_the_launcher_waits_for_all() {
    let ran = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&ran);
    on_shards(3, move |mesh: Mesh<(), ()>| {
        let ran = Arc::clone(&ran);
        async move {
            assert_eq!(mesh.shards(), 3);
            crate::sleep(Duration::from_millis(10)).await;
            ran.fetch_or(1 << mesh.id().0, Ordering::Relaxed);
        }
    })
    .unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 0b111);
}

#[test]
fn a_pinned_shard_runs_on_its_core_alone() {
    let cpus = allowed_cpus().unwrap();
    let cpu = *cpus.last().unwrap();
    let options = LaunchOptions {
        cpus: vec![cpu],
        pinning: Pinning::Pinned,
        ..LaunchOptions::default()
    };
    crate::launch(&options, move |_: Mesh<(), ()>| async move {
        assert_eq!(allowed_cpus().unwrap(), vec![cpu]);
        let allowed = crate::offload(|| allowed_cpus().unwrap()).await;
        assert!(
            allowed.len() >= allowed_cpus().unwrap().len(),
            "helpers are free"
        );
    })
    .unwrap();
}

#[test]
fn a_core_that_is_not_there_is_an_error() {
    let options = LaunchOptions {
        cpus: vec![1_000_000],
        pinning: Pinning::Pinned,
        ..LaunchOptions::default()
    };
    let result = crate::launch(&options, |_: Mesh<(), ()>| async {});
    assert!(
        matches!(result, Err(LaunchError::Start { .. })),
        "{result:?}"
    );
}

#[test]
fn a_panic_in_a_task_ends_the_launch_with_its_message() {
    let result = on_shards(2, |mesh: Mesh<(), ()>| async move {
        if mesh.id() == ShardId(1) {
            spawn(Queue::Background, async { panic!("invariant 7") }).await;
        }
        std::future::pending::<()>().await;
    });
    match result {
        Err(LaunchError::Panicked { shard, message }) => {
            assert_eq!((shard, message.as_str()), (ShardId(1), "invariant 7"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_panic_in_offloaded_work_reaches_who_waits_for_it() {
    let result = on_shards(1, |_: Mesh<(), ()>| async {
        let ((), answer) = (crate::offload(|| ()).await, crate::offload(|| 42).await);
        assert_eq!(answer, 42);
        crate::offload(|| panic!("no such file")).await;
    });
    match result {
        Err(LaunchError::Panicked { message, .. }) => assert_eq!(message, "no such file"),
        other => panic!("{other:?}"),
    }
}

/// glommio's own yields never poll I/O; with those the reading below would never get its turn.
#[test]
fn a_long_computation_that_yields_lets_io_through() {
    on_shard("yields", |dir| async move {
        let path = dir.join("file");
        std::fs::write(&path, vec![1; 4096]).unwrap();
        let file = crate::File::open(&path, crate::OpenMode::Existing)
            .await
            .unwrap();
        let done = Rc::new(Cell::new(false));
        let read = spawn(Queue::Latency, {
            let done = Rc::clone(&done);
            async move {
                for _ in 0..10 {
                    file.read_at(0, 4096).await.unwrap();
                }
                done.set(true);
            }
        });
        let started = crate::now();
        while !done.get() {
            crate::yield_if_due().await;
            let waited = crate::now().since(started);
            assert!(waited < Duration::from_secs(5), "the reads never complete");
        }
        read.await;
    });
}

#[test]
fn sleeps_last_at_least_as_long_as_asked_from_the_first_on() {
    on_shard("sleeps", |_| async move {
        let nap = Duration::from_millis(3);
        for _ in 0..3 {
            let started = crate::now();
            crate::sleep(nap).await;
            assert!(crate::now().since(started) >= nap);
        }
        let raced = crate::timeout(nap, std::future::pending::<()>()).await;
        assert!(raced.is_err());
    });
}

#[test]
fn a_dropped_task_is_cancelled_and_a_detached_one_is_not() {
    on_shard("cancelling", |_| async move {
        let alive = Rc::new(());
        let held = Rc::clone(&alive);
        drop(spawn(Queue::Latency, async move {
            std::future::pending::<()>().await;
            drop(held);
        }));
        let (done, finished) = crate::oneshot();
        spawn(Queue::Background, async move { done.send(5).unwrap() }).detach();
        assert_eq!(finished.await, Ok(5));
        crate::sleep(Duration::from_millis(1)).await;
        assert_eq!(
            Rc::strong_count(&alive),
            1,
            "the cancelled future was dropped"
        );
    });
}

#[test]
fn a_turn_that_is_too_long_is_counted() {
    // The machine's own stalls are counted too: there may be more than those of the test.
    const SLEEPS: u64 = 5;
    let began = Instant::now();
    on_shard("stalls", move |_| async move {
        let before = crate::stalls().count;
        for _ in 0..SLEEPS {
            crate::sleep(STALL_MIN * 2).await;
        }
        let slept = crate::stalls().count;
        assert!(slept - before < SLEEPS, "sleeping is no stall");
        std::thread::sleep(STALL_MIN * 2);
        crate::sleep(Duration::from_millis(1)).await;
        let stalls = crate::stalls();
        assert!(stalls.count > slept, "{stalls:?} after {slept}");
        assert!(stalls.longest >= STALL_MIN * 2 && stalls.longest < began.elapsed());
    });
}

#[test]
fn an_idle_shard_costs_next_to_nothing() {
    if !is_child() {
        let name = "uring::tests::shards::an_idle_shard_costs_next_to_nothing";
        let output = in_child(name, |_| ());
        assert!(output.status.success(), "{output:?}");
        return;
    }
    on_shards(2, |mesh: Mesh<(), ()>| async move {
        crate::sleep(Duration::from_millis(50)).await;
        let ticks = || {
            let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            stat.split_whitespace()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let before = ticks();
        crate::sleep(Duration::from_millis(2500)).await;
        let used = Duration::from_nanos(ticks() - before);
        assert!(
            used < Duration::from_millis(10),
            "{used:?} on shard {}",
            mesh.id()
        );
    })
    .unwrap();
}

#[test]
fn signals_are_told_in_order_of_arrival() {
    if !is_child() {
        let name = "uring::tests::shards::signals_are_told_in_order_of_arrival";
        // The test harness starts threads before the launcher blocks the signals.
        let output = in_child(name, |command| {
            // SAFETY: between fork and exec only calls that are safe there.
            #[expect(unsafe_code, reason = "a signal mask for the child alone")]
            unsafe {
                command.pre_exec(sys::block_signals)
            };
        });
        assert!(output.status.success(), "{output:?}");
        return;
    }
    on_shards(2, |mesh: Mesh<(), ()>| async move {
        if mesh.id() != ShardId(0) {
            let never = crate::timeout(Duration::from_millis(200), crate::next_signal()).await;
            assert!(never.is_err(), "signals are for the first shard");
            return;
        }
        for (number, want) in [("-TERM", Signal::Terminate), ("-INT", Signal::Interrupt)] {
            let kill = format!("kill {number} {}", std::process::id());
            let kill = std::process::Command::new("sh")
                .args(["-c", &kill])
                .status();
            assert!(kill.unwrap().success());
            assert_eq!(crate::next_signal().await, want);
        }
    })
    .unwrap();
}

/// The cure for a wake-up that glommio lost: an idle shard, which does not turn by itself, is made to.
#[test]
fn the_watchdog_makes_an_idle_shard_turn() {
    let idle = Arc::new(OnceLock::new());
    on_shards(2, move |mesh: Mesh<(), ()>| {
        let idle = Arc::clone(&idle);
        async move {
            if mesh.id() == ShardId(1) {
                idle.set(Arc::clone(&shard::seat().pulse)).unwrap();
                let (_, (), responder) = mesh.incoming().await.unwrap();
                responder.respond(());
                return;
            }
            let turned = crate::offload(move || {
                let deadline = Instant::now() + Duration::from_secs(20);
                let pulse: &Arc<Pulse> = idle.wait();
                let mut quiet_since = (pulse.turns(), Instant::now());
                loop {
                    let (turns, since) = quiet_since;
                    if pulse.turns() != turns {
                        // After so long in which it did not, it was made to.
                        if since.elapsed() >= QUIET_MIN {
                            return true;
                        }
                        quiet_since = (pulse.turns(), Instant::now());
                    }
                    if Instant::now() > deadline {
                        return false;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            assert!(turned.await, "idle, and left alone for 20 s");
            mesh.call(ShardId(1), ()).await.await.unwrap();
        }
    })
    .unwrap();
}
