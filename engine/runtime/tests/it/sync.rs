//! Watches, one-shots, queues and semaphores.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use runtime::{
    Closed, Dropped, LocalQueue, Queue, Semaphore, TaskGroup, TryPushError, Watch, both_arms,
    oneshot, sleep, spawn, timeout, yield_if_due,
};

const SHORT: Duration = Duration::from_millis(2);

both_arms!(
    every_waiter_of_a_watch_sees_the_value_it_waits_for,
    |_dir| async {
        let watch = Rc::new(Watch::new(0_u64));
        let waiters: Vec<_> = (1..=50_u64)
            .map(|wanted| {
                let watch = Rc::clone(&watch);
                let wait =
                    async move { watch.wait_until(|&value| value >= wanted).await >= wanted };
                spawn(Queue::Latency, wait)
            })
            .collect();
        for _ in 0..25 {
            watch.update(|value| *value += 2);
            yield_if_due().await;
        }
        for waiter in waiters {
            assert!(waiter.await);
        }
        assert_eq!(watch.get(), 50);
    }
);

both_arms!(
    a_watch_tells_of_changes_after_the_question_only,
    |_dir| async {
        let watch = Watch::new("old");
        watch.set("older");
        let change = watch.changed();
        watch.set("new");
        assert_eq!(change.await, "new");
        let pending = watch.changed();
        assert!(timeout(SHORT, pending).await.is_err());
    }
);

both_arms!(
    a_oneshot_carries_one_value_or_the_news_of_none,
    |_dir| async {
        let (sender, receiver) = oneshot();
        let task = spawn(Queue::Latency, receiver);
        sleep(SHORT).await;
        sender.send("value").unwrap();
        assert_eq!(task.await, Ok("value"));

        let (sender, receiver) = oneshot::<()>();
        let task = spawn(Queue::Latency, receiver);
        sleep(SHORT).await;
        drop(sender);
        assert_eq!(task.await, Err(Dropped));

        let (sender, receiver) = oneshot();
        assert!(!sender.is_unwanted());
        drop(receiver);
        assert!(sender.is_unwanted());
        assert_eq!(sender.send(5), Err(5));
    }
);

both_arms!(a_queue_keeps_its_order_and_its_bound, |_dir| async {
    let queue = Rc::new(LocalQueue::new(3));
    let producer = {
        let queue = Rc::clone(&queue);
        spawn(Queue::Latency, async move {
            for number in 0..100 {
                queue.push(number).await.unwrap();
            }
            queue.close();
        })
    };
    let mut taken = Vec::new();
    while let Some(number) = queue.pop().await {
        assert!(queue.len() <= 3);
        taken.push(number);
        yield_if_due().await;
    }
    producer.await;
    assert_eq!(taken, (0..100).collect::<Vec<_>>());
});

both_arms!(a_full_or_closed_queue_gives_the_item_back, |_dir| async {
    let queue = LocalQueue::new(1);
    assert!(queue.is_empty());
    queue.try_push('a').unwrap();
    assert_eq!(queue.try_push('b'), Err(TryPushError::Full('b')));
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(queue.try_push('c'), Err(TryPushError::Closed('c')));
    assert_eq!(queue.push('d').await, Err(Closed('d')));
    assert_eq!((queue.pop().await, queue.pop().await), (Some('a'), None));
});

both_arms!(a_popper_that_leaves_passes_its_wake_up_on, |_dir| async {
    let queue = Rc::new(LocalQueue::new(1));
    let popper = |queue: &Rc<LocalQueue<u8>>| {
        let queue = Rc::clone(queue);
        spawn(Queue::Latency, async move { queue.pop().await })
    };
    let (first, second) = (popper(&queue), popper(&queue));
    sleep(SHORT).await;
    // Wakes one of the two, which is cancelled before it can run.
    queue.try_push(9).unwrap();
    drop(first);
    let taken = timeout(Duration::from_secs(10), second).await;
    assert_eq!(taken, Ok(Some(9)));
});

both_arms!(permits_are_given_in_the_order_asked, |_dir| async {
    let semaphore = Semaphore::new(10);
    let order = Rc::new(RefCell::new(Vec::new()));
    let held = semaphore.acquire(8).await;
    assert_eq!((semaphore.available(), semaphore.capacity()), (2, 10));
    let group = TaskGroup::new();
    for (place, permits) in [(0, 9), (1, 2), (2, 10)] {
        let (semaphore, order) = (semaphore.clone(), Rc::clone(&order));
        group.spawn(Queue::Latency, async move {
            let permit = semaphore.acquire(permits).await;
            order.borrow_mut().push(place);
            sleep(SHORT).await;
            drop(permit);
        });
        // The task stands in the line before the next one comes.
        sleep(SHORT).await;
    }
    assert!(order.borrow().is_empty(), "the small one does not overtake");
    assert!(semaphore.try_acquire(1).is_none());
    drop(held);
    group.join_all().await;
    assert_eq!(*order.borrow(), [0, 1, 2]);
    assert_eq!(semaphore.available(), 10);
});

both_arms!(permits_of_waiters_that_leave_are_not_lost, |_dir| async {
    let semaphore = Semaphore::new(4);
    let held = semaphore.acquire(4).await;
    let waiter = |permits| {
        let semaphore = semaphore.clone();
        spawn(Queue::Latency, async move {
            drop(semaphore.acquire(permits).await);
        })
    };
    let (large, small) = (waiter(3), waiter(2));
    sleep(SHORT).await;
    // Granted to the first of the line, which is cancelled before it can run.
    drop(held);
    drop(large);
    timeout(Duration::from_secs(10), small).await.unwrap();
    assert_eq!(semaphore.available(), 4);
    let mut permit = semaphore.try_acquire(3).unwrap();
    permit.shrink_to(1);
    assert_eq!((permit.permits(), semaphore.available()), (1, 3));
});
