//! File ranges on their way to a socket: the same bytes, warm or cold, with a full socket or not.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use super::super::{cold, residency, shard};
use super::support::{Pair, on_shard, pair, pattern};
use crate::file::FileReaderArm;
use crate::{AlignedBuffer, Chunk, File, FileReader, FrameReader, OpenMode};
use bytes::Bytes;

const FILE_SIZE: usize = 12 * 1024 * 1024;

/// Writes a file past the page cache: nothing of it is resident.
async fn cold_file(path: &Path) -> File {
    let file = File::open(path, OpenMode::CreateNew).await.unwrap();
    let step = 1024 * 1024;
    for index in 0..FILE_SIZE / step {
        let mut buffer = AlignedBuffer::zeroed(step);
        let position = u64::try_from(index * step).unwrap();
        buffer.copy_from_slice(&pattern(position, step));
        file.write_at(buffer, position).await.unwrap();
    }
    file.sync_data().await.unwrap();
    file
}

fn uring(reader: &FileReader) -> &super::super::FileReader {
    match &reader.0 {
        FileReaderArm::Uring(reader) => reader,
        #[cfg(feature = "sim")]
        FileReaderArm::Sim(_) => unreachable!("this is the uring arm"),
    }
}

fn is_resident(reader: &FileReader, position: u64, length: u64) -> bool {
    residency::is_resident(uring(reader).file(), position, length)
}

async fn warm(reader: &FileReader, position: u64, len: usize) {
    drop(reader.read_at(position, len).await.unwrap());
}

async fn receive(reader: &mut FrameReader, len: usize) -> Vec<u8> {
    let mut received = Vec::new();
    while received.len() < len {
        let bytes = reader.bytes().await.unwrap().expect("more is to come");
        received.extend_from_slice(&bytes);
    }
    received
}

/// Sends a head, a range and a tail to a peer that reads only once the socket is full.
async fn sends_the_range(reader: &FileReader, position: u64, length: u64) {
    let Pair {
        mut client,
        mut server,
    } = pair().await;
    let len = usize::try_from(length).unwrap();
    let sending = crate::spawn(crate::Queue::Latency, {
        let reader = reader.clone();
        async move {
            server.1.queue(Chunk::Memory(Bytes::from_static(b"head")));
            server.1.queue(Chunk::File {
                reader,
                position,
                length,
            });
            server.1.queue(Chunk::Memory(Bytes::from_static(b"tail")));
            server.1.flush().await.unwrap();
            assert_eq!(server.1.queued().0, 0);
            server
        }
    });
    crate::sleep(Duration::from_millis(5)).await;
    let received = receive(&mut client.0, len + 8).await;
    assert_eq!(received.len(), len + 8);
    assert_eq!(&received[..4], b"head");
    assert!(
        received[4..len + 4] == pattern(position, len),
        "the range differs"
    );
    assert_eq!(&received[len + 4..], b"tail");
    let (_, writer) = sending.await;
    writer.close().await.unwrap();
    assert!(client.0.bytes().await.unwrap().is_none());
}

#[test]
fn a_cold_range_arrives_whole_and_leaves_the_page_cache_alone() {
    on_shard("cold_range", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let reader = file.reader();
        let length = u64::try_from(FILE_SIZE).unwrap() - 777;
        assert!(
            !is_resident(&reader, 0, 4096),
            "direct writes fill no cache"
        );
        sends_the_range(&reader, 123, length - 1000).await;
        assert!(!is_resident(&reader, 0, 4096), "nor do direct reads");
        file.close().await.unwrap();
    });
}

#[test]
fn a_warm_range_arrives_whole() {
    on_shard("warm_range", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let reader = file.reader();
        warm(&reader, 0, FILE_SIZE).await;
        let length = u64::try_from(FILE_SIZE).unwrap();
        assert!(is_resident(&reader, 0, length));
        sends_the_range(&reader, 4_001, length - 4_001).await;
        sends_the_range(&reader, 0, 1).await;
        sends_the_range(&reader, 4095, 2).await;
        file.close().await.unwrap();
    });
}

#[test]
fn a_range_that_is_warm_in_places_arrives_whole() {
    on_shard("mixed_range", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let reader = file.reader();
        warm(&reader, 0, 512 * 1024).await;
        sends_the_range(&reader, 100, 6 * 1024 * 1024).await;
        file.close().await.unwrap();
    });
}

#[test]
fn a_range_is_sent_after_its_file_was_closed_and_removed() {
    on_shard("removed_range", |dir| async move {
        let path = dir.join("file");
        let file = cold_file(&path).await;
        let reader = file.reader();
        file.close().await.unwrap();
        crate::remove_file(&path).await.unwrap();
        sends_the_range(&reader, 4096, 3 * 1024 * 1024).await;
    });
}

#[test]
fn a_range_past_the_end_of_the_file_is_an_error() {
    on_shard("short_file", |dir| async move {
        let file = File::open(&dir.join("file"), OpenMode::CreateNew)
            .await
            .unwrap();
        file.write_at(AlignedBuffer::zeroed(4096), 0).await.unwrap();
        let Pair { mut server, .. } = pair().await;
        let reader = file.reader();
        server.1.queue(Chunk::File {
            reader,
            position: 0,
            length: 8192,
        });
        let error = server.1.flush().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    });
}

/// Before Linux 6.5 nothing is known to be resident, and everything must still arrive.
#[test]
fn without_cachestat_everything_counts_as_cold() {
    if !super::support::is_child() {
        // The answer is remembered for the whole process, so it gets one of its own.
        let name = "uring::tests::send_file::without_cachestat_everything_counts_as_cold";
        let output = super::support::in_child(name, |_| ());
        assert!(output.status.success(), "{output:?}");
        return;
    }
    on_shard("no_cachestat", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let reader = file.reader();
        warm(&reader, 0, FILE_SIZE).await;
        residency::pretend_unknown(true);
        assert!(!is_resident(&reader, 0, 4096));
        sends_the_range(&reader, 0, 3_000_000).await;
    });
}

/// What is read for peers that do not take it holds no turn at the disk.
#[test]
fn slow_readers_of_cold_ranges_do_not_stop_others() {
    on_shard("slow_cold_readers", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let length = u64::try_from(FILE_SIZE).unwrap();
        let mut slow = Vec::new();
        for _ in 0..6 {
            let Pair { client, mut server } = pair().await;
            let reader = file.reader();
            server.1.queue(Chunk::File {
                reader,
                position: 0,
                length,
            });
            let flush = crate::spawn(crate::Queue::Latency, async move {
                server.1.flush().await.ok();
            });
            slow.push((client, flush));
        }
        // Each holds what it may have ahead, and the disk has none of it any more.
        let cold = &shard::seat().cold;
        let ahead = 6 * u64::try_from(cold::AHEAD_MAX).unwrap() * cold::PIECE;
        let is_stuck = || {
            cold.memory.capacity() - cold.memory.available() == ahead
                && cold.under_way.available() == cold.under_way.capacity()
        };
        let stuck = async {
            while !is_stuck() {
                crate::sleep(Duration::from_millis(1)).await;
            }
        };
        let stuck = crate::timeout(Duration::from_secs(20), stuck).await;
        assert!(stuck.is_ok(), "the slow readers are waited for");
        let reader = file.reader();
        let sent = sends_the_range(&reader, 0, length);
        let in_time = crate::timeout(Duration::from_secs(20), sent).await;
        assert!(in_time.is_ok(), "it waits for a turn");
    });
}

#[test]
fn a_cold_read_waits_until_the_disk_has_few_others() {
    on_shard("cold_turn", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let turns = &shard::seat().cold.under_way;
        let all = turns.try_acquire(turns.capacity()).unwrap();
        let reader = file.reader();
        let mut sent = pin!(sends_the_range(&reader, 777, 300_000));
        let early = crate::timeout(Duration::from_millis(100), sent.as_mut()).await;
        assert!(early.is_err(), "it has read without a turn");
        drop(all);
        let in_time = crate::timeout(Duration::from_secs(20), sent).await;
        assert!(in_time.is_ok(), "it waits on");
    });
}

#[test]
fn a_cold_range_arrives_though_all_memory_for_it_is_taken() {
    on_shard("no_cold_memory", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let memory = &shard::seat().cold.memory;
        let _all = memory.try_acquire(memory.capacity()).unwrap();
        let reader = file.reader();
        let sent = sends_the_range(&reader, 777, 3 * 1024 * 1024);
        let in_time = crate::timeout(Duration::from_secs(20), sent).await;
        assert!(in_time.is_ok(), "it waits for memory");
    });
}

#[test]
fn residency_is_told_by_page() {
    on_shard("residency", |dir| async move {
        let file = cold_file(&dir.join("file")).await;
        let reader = file.reader();
        warm(&reader, 8192, 100).await;
        assert!(is_resident(&reader, 8192, 4096));
        assert!(is_resident(&reader, 8292, 1));
        assert!(!is_resident(&reader, 0, 4097));
    });
}
