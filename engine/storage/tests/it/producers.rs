//! Idempotent producers: a repeat gets the first answer, also after a restart.

use record::Producer;
use runtime::both_arms;
use storage::{AppendError, Log, Repeated};
use types::{ByteCount, ProducerEpoch, ProducerId, Sequence};

use crate::support::*;

fn producer(sequence: i32) -> Producer {
    Producer {
        id: ProducerId(77),
        epoch: ProducerEpoch(0),
        base_sequence: Sequence::new(sequence).unwrap(),
    }
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
