//! The pump: timers, the disk ring, and queues that must not starve each other.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::support::{on_shard, pair, pattern, write_pattern};
use crate::{AlignedBuffer, File, OpenMode, Queue, spawn};

/// Far beyond what any of it takes, and below the watchdog's look, which would end a rest too.
const LONG: Duration = Duration::from_millis(700);

/// Calls a future once and drops it.
async fn poll_once(future: impl Future<Output = std::io::Result<()>>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_timer_made_while_the_pump_rests_until_a_later_one_is_in_time() {
    // A machine that stalls is not late every time; a pump that sees the timer too late is.
    let is_in_time = Arc::new(AtomicBool::new(false));
    for _ in 0..3 {
        let is_in_time = Arc::clone(&is_in_time);
        on_shard("timers", move |_| {
            let is_in_time = Arc::clone(&is_in_time);
            async move {
                let late = spawn(Queue::Latency, crate::sleep(Duration::from_mins(1)));
                // Longer than the pump sleeps outside the reactor; its end is seen in there.
                crate::offload(|| std::thread::sleep(Duration::from_millis(50))).await;
                let began = crate::now();
                crate::sleep(Duration::from_millis(5)).await;
                let slept = crate::now().since(began);
                assert!(slept >= Duration::from_millis(5), "{slept:?}");
                is_in_time.fetch_or(slept < LONG, Ordering::Relaxed);
                drop(late);
            }
        });
    }
    assert!(is_in_time.load(Ordering::Relaxed), "it is always late");
}

#[test]
fn timers_fire_in_order_and_dropped_ones_do_not() {
    on_shard("order", |_| async {
        let fired = Rc::new(std::cell::RefCell::new(Vec::new()));
        let tasks: Vec<_> = [30_u64, 10, 20, 40]
            .into_iter()
            .map(|ms| {
                let fired = Rc::clone(&fired);
                spawn(Queue::Latency, async move {
                    crate::sleep(Duration::from_millis(ms)).await;
                    fired.borrow_mut().push(ms);
                })
            })
            .collect();
        let mut tasks = tasks.into_iter();
        let (first, second, third) = (tasks.next(), tasks.next(), tasks.next());
        drop(tasks);
        for task in [first, second, third].into_iter().flatten() {
            task.await;
        }
        crate::sleep(Duration::from_millis(20)).await;
        assert_eq!(*fired.borrow(), [10, 20, 30]);
        assert_eq!(crate::uring::shard::seat().timers.earliest(), None);
    });
}

#[test]
fn a_write_that_nobody_waits_for_goes_on() {
    on_shard("abandoned", |dir| async move {
        let file = write_pattern(&dir.join("file"), 64 * 1024).await;
        for block in 0..16 {
            let mut buffer = AlignedBuffer::zeroed(4096);
            buffer.copy_from_slice(&pattern(7, 4096));
            poll_once(file.write_at(buffer, block * 4096)).await;
        }
        crate::uring::shard::seat().disk.drain();
        for block in 0..16 {
            let read = file.read_at(block * 4096, 4096).await.unwrap();
            assert_eq!(read.to_vec(), pattern(7, 4096));
        }
        file.sync_data().await.unwrap();
    });
}

#[test]
fn a_write_that_fails_says_why() {
    on_shard("refused", |dir| async move {
        let path = dir.join("file");
        write_pattern(&path, 4096).await.close().await.unwrap();
        let file = File::open(&path, OpenMode::ReadOnly).await.unwrap();
        let refused = file.write_at(AlignedBuffer::zeroed(4096), 0).await;
        assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(
            file.read_at(0, 4096).await.unwrap().to_vec(),
            pattern(0, 4096)
        );
    });
}

/// Work that pauses as it should, and sockets that always have something, leave room for the other
/// queues, for timers, and for what glommio completes.
#[test]
fn a_busy_queue_lets_the_others_run() {
    on_shard("busy", |dir| async move {
        let done = Rc::new(Cell::new(false));
        let computing = spawn(Queue::Latency, {
            let done = Rc::clone(&done);
            async move {
                while !done.get() {
                    let began = crate::now();
                    while crate::now().since(began) < Duration::from_micros(50) {}
                    crate::yield_if_due().await;
                }
            }
        });
        let mut pair = pair().await;
        let talking = spawn(Queue::Latency, {
            let done = Rc::clone(&done);
            async move {
                while !done.get() {
                    pair.client
                        .1
                        .queue(crate::Chunk::Memory(vec![0, 0, 0, 1, 9].into()));
                    pair.client.1.flush().await.unwrap();
                    let size_max = types::ByteCount::kib(1);
                    pair.server.0.frame(size_max).await.unwrap().unwrap();
                }
            }
        });
        let others = spawn(Queue::Background, async move {
            for number in 0..20 {
                let file = write_pattern(&dir.join(format!("{number}")), 4096).await;
                crate::sleep(Duration::from_millis(1)).await;
                file.read_at(0, 4096).await.unwrap();
                file.close().await.unwrap();
            }
        });
        let ended = crate::timeout(Duration::from_secs(20), others).await;
        assert!(ended.is_ok(), "the background waits for ever");
        done.set(true);
        computing.await;
        talking.await;
    });
}
