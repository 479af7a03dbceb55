//! Idempotent producers: a repeat gets the first answer, also after a restart.

use record::Producer;
use runtime::both_arms;
use storage::{AppendError, Log, Repeated, StoreOptions};
use types::{ByteCount, ProducerEpoch, ProducerId, Sequence};

use crate::support::*;

fn producer(sequence: i32) -> Producer {
    Producer {
        id: ProducerId(77),
        epoch: ProducerEpoch(0),
        base_sequence: Sequence::new(sequence).unwrap(),
    }
}

fn remembering(producers_max: usize) -> StoreOptions {
    StoreOptions {
        producers_max,
        ..tiny_options()
    }
}

/// Sends the first batch of a producer, unless the log remembers it.
async fn introduce(log: &Log, id: i64) -> Repeated {
    let producer = Producer {
        id: ProducerId(id),
        ..producer(0)
    };
    let bytes = batch_of(&[NOW.0], 100, 1, Some(producer));
    append(log, &bytes).await.unwrap().repeated
}

async fn remembered(log: &Log) -> Vec<i64> {
    let active = log.producers().await.unwrap();
    active.into_iter().map(|active| active.id.0).collect()
}

async fn send(log: &Log, sequence: i32) -> Result<(i64, Repeated), AppendError> {
    let bytes = batch_of(&[NOW.0; 2], 3_000, 1, Some(producer(sequence)));
    let appended = append(log, &bytes).await?;
    log.durable_to(appended.end).await?;
    Ok((appended.first.get(), appended.repeated))
}

both_arms!(a_repeat_is_told_its_first_offset, |dir| async move {
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    for number in 0..8 {
        assert_eq!(
            send(&log, number * 2).await,
            Ok((i64::from(number) * 2, Repeated::No))
        );
    }
    assert_eq!(send(&log, 14).await, Ok((14, Repeated::Yes)));
    assert_eq!(send(&log, 6).await, Ok((6, Repeated::Yes)));
    assert!(matches!(
        send(&log, 4).await,
        Err(AppendError::OutOfOrderSequence { .. })
    ));
    assert!(matches!(
        send(&log, 18).await,
        Err(AppendError::OutOfOrderSequence { .. })
    ));
    let active = log.producers().await.unwrap();
    assert_eq!((active.len(), active[0].last_sequence.get()), (1, 15));
    node.close().await;
});

both_arms!(
    producers_are_known_after_a_kill_and_after_a_clean_stop,
    |dir| async move {
        let config = small_segments(ByteCount::kib(64));
        let mut next = 0;
        for life in 0..4 {
            let node = Node::open_with(&dir, tiny_options(), 1, config)
                .await
                .unwrap();
            let log = node.log(0);
            if next > 0 {
                // What the last life sent is known, before anything else is asked of the log.
                let repeat = send(&log, next - 2).await;
                assert_eq!(
                    repeat,
                    Ok((i64::from(next) - 2, Repeated::Yes)),
                    "life {life}"
                );
                let gap = send(&log, next + 2).await;
                assert!(matches!(gap, Err(AppendError::OutOfOrderSequence { .. })));
            }
            // Enough for snapshots, checkpoints and rolls.
            for _ in 0..50 {
                assert_eq!(send(&log, next).await, Ok((i64::from(next), Repeated::No)));
                next += 2;
            }
            if life % 2 == 0 {
                node.kill();
            } else {
                node.close().await;
            }
        }
    }
);

both_arms!(a_cut_forgets_what_it_cuts, |dir| async move {
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    for number in 0..4 {
        send(&log, number * 2).await.unwrap();
    }
    log.truncate(offset(4), epoch(1)).await.unwrap();
    assert_eq!(send(&log, 4).await, Ok((4, Repeated::No)));
    assert_eq!(send(&log, 2).await, Ok((2, Repeated::Yes)));
    node.kill();
    let node = Node::open(&dir, 1).await;
    let log = node.log(0);
    assert_eq!(send(&log, 4).await, Ok((4, Repeated::Yes)));
    assert_eq!(send(&log, 6).await, Ok((6, Repeated::No)));
    node.close().await;
});

both_arms!(
    producers_made_up_displace_each_other_and_not_those_of_other_logs,
    |dir| async move {
        let node = Node::open_with(&dir, remembering(20), 4, config())
            .await
            .unwrap();
        let quiet = node.log(0);
        for id in 1..=4 {
            assert_eq!(introduce(&quiet, id).await, Repeated::No);
        }
        let mut made_up = 100;
        for _ in 0..50 {
            for number in 1..4 {
                introduce(&node.log(number), made_up).await;
                made_up += 1;
                assert!(node.store.metrics().producers <= 20);
            }
        }
        assert_eq!(node.store.metrics().producers, 20);
        for id in 1..=4 {
            assert_eq!(introduce(&quiet, id).await, Repeated::Yes);
        }
        // The others share what is left, and remember the newest.
        let mut newest = vec![];
        for number in 1..4 {
            newest.extend(remembered(&node.log(number)).await);
        }
        newest.sort_unstable();
        assert_eq!(newest, (made_up - 16..made_up).collect::<Vec<_>>());
        node.close().await;
    }
);

both_arms!(
    logs_of_one_producer_each_take_turns_when_there_are_too_many,
    |dir| async move {
        let node = Node::open_with(&dir, remembering(3), 6, config())
            .await
            .unwrap();
        for _ in 0..2 {
            for number in 0..6 {
                let log = node.log(number);
                assert_eq!(introduce(&log, 1).await, Repeated::No);
                assert_eq!(
                    introduce(&log, 1).await,
                    Repeated::Yes,
                    "the newest is kept"
                );
                assert!(node.store.metrics().producers <= 3);
            }
        }
        node.close().await;
    }
);

both_arms!(
    producers_that_a_start_finds_in_the_logs_are_bounded_too,
    |dir| async move {
        for life in 0..2 {
            let node = Node::open_with(&dir, remembering(1_000), 3, config())
                .await
                .unwrap();
            for number in 0..3 {
                let log = node.log(number);
                for id in 0..10 {
                    introduce(&log, 100 * life + id).await;
                }
                log.durable_to(log.positions().end).await.unwrap();
            }
            assert_eq!(
                node.store.metrics().producers,
                30 * (life + 1).unsigned_abs()
            );
            if life == 0 {
                node.close().await;
            } else {
                node.kill();
            }
        }
        // Some are in snapshots, some in batches behind them.
        let node = Node::open_with(&dir, remembering(8), 3, config())
            .await
            .unwrap();
        assert_eq!(node.store.metrics().producers, 0);
        let mut remaining = vec![];
        for number in 0..3 {
            remembered(&node.log(number)).await;
            assert_eq!(node.store.metrics().producers, 8);
        }
        for number in 0..3 {
            remaining.extend(remembered(&node.log(number)).await);
        }
        assert_eq!(remaining.len(), 8);
        assert!(
            remaining.iter().all(|id| (107..110).contains(id)),
            "{remaining:?}"
        );
        node.close().await;
    }
);

both_arms!(
    what_is_cut_expires_or_is_removed_makes_room_for_producers,
    |dir| async move {
        let mut options = remembering(1_000);
        options.producer_expiry = std::time::Duration::from_secs(1);
        let node = Node::open_with(&dir, options, 2, config()).await.unwrap();
        let (first, second) = (node.log(0), node.log(1));
        for id in 0..10 {
            introduce(&first, id).await;
            introduce(&second, id).await;
        }
        assert_eq!(node.store.metrics().producers, 20);
        first.truncate(offset(4), epoch(1)).await.unwrap();
        assert_eq!(node.store.metrics().producers, 14);
        let mut context = context(&second);
        context.now.0 += 1_001;
        let bytes = batch_of(&[NOW.0], 100, 1, Some(producer(0)));
        second.append(&checked(&bytes), context).unwrap();
        assert_eq!(remembered(&second).await, [77]);
        assert_eq!(node.store.metrics().producers, 5);
        node.store.remove_log(log_id(0).incarnation).await.unwrap();
        assert_eq!(node.store.metrics().producers, 1);
        node.close().await;
    }
);
