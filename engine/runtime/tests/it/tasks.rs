//! Tasks, time and chance.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runtime::{
    Either, Elapsed, LongWork, Queue, TaskGroup, both_arms, join_all, now, offload, race,
    random_bytes, random_u64, sleep, sleep_until, spawn, timeout, wall_clock, yield_if_due,
};

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_mins(1);

both_arms!(a_task_gives_its_output_to_whoever_awaits_it, |_dir| async {
    let early = spawn(Queue::Latency, async { 1 });
    let late = spawn(Queue::Background, async {
        sleep(SHORT).await;
        2
    });
    assert_eq!((late.await, early.await), (2, 1));
});

both_arms!(a_dropped_task_runs_no_further, |_dir| async {
    let reached = Rc::new(Cell::new(false));
    let inside = Rc::clone(&reached);
    let task = spawn(Queue::Throughput, async move {
        sleep(SHORT).await;
        inside.set(true);
    });
    drop(task);
    sleep(SHORT * 4).await;
    assert!(!reached.get());
    assert_eq!(Rc::strong_count(&reached), 1, "the future was dropped");
});

both_arms!(a_detached_task_runs_to_its_end, |_dir| async {
    let (sender, receiver) = runtime::oneshot();
    let task = spawn(Queue::Latency, async move {
        sleep(SHORT).await;
        sender.send(7).unwrap();
    });
    task.detach();
    assert_eq!(receiver.await, Ok(7));
});

both_arms!(sleeping_takes_at_least_the_time_asked_for, |_dir| async {
    let start = now();
    sleep(SHORT).await;
    let woken = now();
    assert!(woken.since(start) >= SHORT);
    sleep_until(start).await;
    assert!(now().since(woken) < LONG, "a past time is not waited for");
});

both_arms!(
    a_timeout_cuts_what_takes_longer_and_nothing_else,
    |_dir| async {
        assert_eq!(timeout(SHORT, sleep(LONG)).await, Err(Elapsed));
        assert_eq!(timeout(LONG, async { 3 }).await, Ok(3));
    }
);

both_arms!(a_race_is_won_by_whatever_ends_first, |_dir| async {
    let winner = race(sleep(LONG), async {
        sleep(SHORT).await;
        "right"
    });
    assert_eq!(winner.await, Either::Right("right"));
    assert_eq!(race(async { 1 }, async { 2 }).await, Either::Left(1));
});

both_arms!(a_long_turn_that_yields_lets_others_run, |_dir| async {
    let stop = Rc::new(Cell::new(false));
    let inside = Rc::clone(&stop);
    let stopper = spawn(Queue::Latency, async move {
        sleep(Duration::from_millis(1)).await;
        inside.set(true);
    });
    let start = now();
    while !stop.get() {
        assert!(now().since(start) < LONG, "the other task never ran");
        yield_if_due().await;
    }
    stopper.await;
});

both_arms!(offloaded_work_comes_back_with_its_result, |_dir| async {
    let sum = offload(|| (1..=100_u64).sum::<u64>()).await;
    assert_eq!(sum, 5050);
});

both_arms!(
    long_work_is_done_piece_by_piece_in_the_order_asked_for,
    |_dir| async {
        const PIECES: usize = 100;
        let work = LongWork::new();
        let (done, working) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let pieces = (0..PIECES).map(|number| {
            let (work, done, working) = (work.clone(), Arc::clone(&done), Arc::clone(&working));
            async move {
                let piece = move || {
                    let beside = working.fetch_add(1, Ordering::SeqCst);
                    let before = done.fetch_add(1, Ordering::SeqCst);
                    working.fetch_sub(1, Ordering::SeqCst);
                    (beside, before)
                };
                assert_eq!(work.run(piece).await, (0, number));
            }
        });
        join_all(pieces.map(Box::pin).collect()).await;
        assert_eq!(done.load(Ordering::SeqCst), PIECES);
    }
);

both_arms!(
    long_work_whose_asker_has_gone_is_done_before_the_next,
    |_dir| async {
        let work = LongWork::new();
        let done = Arc::new(AtomicUsize::new(0));
        let count = || {
            let done = Arc::clone(&done);
            move || done.fetch_add(1, Ordering::SeqCst)
        };
        let given_up = race(work.run(count()), async {});
        assert_eq!(given_up.await, Either::Right(()));
        assert_eq!(work.run(count()).await, 1);
    }
);

both_arms!(
    a_group_is_joined_when_all_its_tasks_have_ended,
    |_dir| async {
        let group = TaskGroup::new();
        let ended = Rc::new(RefCell::new(Vec::new()));
        for number in [3_u32, 1, 2] {
            let ended = Rc::clone(&ended);
            group.spawn(Queue::Latency, async move {
                sleep(SHORT * number).await;
                ended.borrow_mut().push(number);
            });
        }
        assert_eq!(group.len(), 3);
        group.join_all().await;
        assert!(group.is_empty());
        ended.borrow_mut().sort_unstable();
        assert_eq!(*ended.borrow(), [1, 2, 3]);
    }
);

both_arms!(a_group_that_goes_cancels_its_tasks, |_dir| async {
    let alive = Rc::new(());
    let group = TaskGroup::new();
    for _ in 0..3 {
        let alive = Rc::clone(&alive);
        group.spawn(Queue::Background, async move {
            sleep(LONG).await;
            drop(alive);
        });
    }
    drop(group);
    sleep(SHORT).await;
    assert_eq!(Rc::strong_count(&alive), 1);
});

both_arms!(the_clocks_go_on_and_chance_does_not_repeat, |_dir| async {
    let first = now();
    assert!(now() >= first);
    // 2024-01-01: a machine that shows less has no clock.
    assert!(wall_clock().0 > 1_704_067_200_000);
    assert_ne!(random_u64(), random_u64());
    assert_ne!(random_bytes::<16>(), random_bytes::<16>());
});
