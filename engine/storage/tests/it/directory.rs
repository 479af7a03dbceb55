//! The data directory and the metadata log.

use runtime::{File, OpenMode, both_arms};
use storage::{DataDir, Error, MetadataLog};
use types::{ByteCount, NodeId};

both_arms!(
    a_data_directory_is_one_process_and_one_nodes,
    |dir| async move {
        let path = dir.join("data");
        let first = DataDir::open(&path, NodeId(1)).await.unwrap();
        let (cluster, directory) = (first.cluster_id(), first.directory_id());
        assert!(!first.was_clean_shutdown());
        let second = DataDir::open(&path, NodeId(1)).await;
        assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
        first.close_clean().await.unwrap();
        let foreign = DataDir::open(&path, NodeId(2)).await;
        assert!(
            matches!(foreign, Err(Error::ForeignNode { .. })),
            "{foreign:?}"
        );
        let again = DataDir::open(&path, NodeId(1)).await.unwrap();
        assert_eq!(
            (again.cluster_id(), again.directory_id()),
            (cluster, directory)
        );
        assert!(again.was_clean_shutdown());
        drop(again);
        let after_kill = DataDir::open(&path, NodeId(1)).await.unwrap();
        assert!(!after_kill.was_clean_shutdown());
    }
);

both_arms!(a_directory_of_something_else_is_refused, |dir| async move {
    let path = dir.join("photos");
    runtime::create_dir_all(&path).await.unwrap();
    runtime::write_file_durably(&path.join("holiday.jpg"), b"jpg")
        .await
        .unwrap();
    let opened = DataDir::open(&path, NodeId(1)).await;
    assert!(
        matches!(opened, Err(Error::NotADataDirectory { .. })),
        "{opened:?}"
    );
});

both_arms!(
    a_newer_directory_and_a_damaged_one_are_refused,
    |dir| async move {
        let path = dir.join("data");
        drop(DataDir::open(&path, NodeId(1)).await.unwrap());
        let meta = path.join("meta");
        let good = runtime::read_file(&meta, ByteCount::kib(4)).await.unwrap();
        let mut newer = good.clone();
        newer[8] = 9;
        runtime::write_file_durably(&meta, &newer).await.unwrap();
        let opened = DataDir::open(&path, NodeId(1)).await;
        assert!(
            matches!(opened, Err(Error::NewerFormat { found: 9, .. })),
            "{opened:?}"
        );
        let mut damaged = good;
        damaged[20] ^= 1;
        runtime::write_file_durably(&meta, &damaged).await.unwrap();
        let opened = DataDir::open(&path, NodeId(1)).await;
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
    }
);

both_arms!(
    metadata_records_are_read_back_around_snapshots,
    |dir| async move {
        let dir = DataDir::open(&dir.join("data"), NodeId(1)).await.unwrap();
        let layout = dir.layout();
        let (log, replay) = MetadataLog::open(layout).await.unwrap();
        assert_eq!(replay, storage::MetadataReplay::default());
        assert_eq!(log.append(&[b"a", b"b"]).await.unwrap(), 0);
        // Larger than a block, so that units begin anywhere.
        let large = vec![7; 9_000];
        assert_eq!(log.append(&[&large]).await.unwrap(), 2);
        assert_eq!(log.append(&[]).await.unwrap(), 3);
        drop(log);
        let (log, replay) = MetadataLog::open(layout).await.unwrap();
        let records = vec![(0, b"a".to_vec()), (1, b"b".to_vec()), (2, large.clone())];
        assert_eq!((replay.snapshot, replay.records), (None, records));
        assert_eq!(log.append(&[b"c"]).await.unwrap(), 3);
        let (records, size) = log.since_snapshot();
        assert_eq!(records, 4, "those of the life before, too");
        assert!(size > ByteCount(9_000), "{size}");
        // A snapshot below the end keeps the records behind it.
        log.snapshot(2, b"image of 2").await.unwrap();
        drop(log);
        let (log, replay) = MetadataLog::open(layout).await.unwrap();
        assert_eq!(replay.snapshot, Some((2, b"image of 2".to_vec())));
        assert_eq!(replay.records, vec![(2, large), (3, b"c".to_vec())]);
        assert_eq!(log.since_snapshot().0, 2);
        log.snapshot(4, b"image of 4").await.unwrap();
        assert_eq!(log.since_snapshot(), (0, ByteCount(0)));
        assert_eq!(log.append(&[b"d"]).await.unwrap(), 4);
        drop(log);
        let (log, replay) = MetadataLog::open(layout).await.unwrap();
        assert_eq!(replay.snapshot, Some((4, b"image of 4".to_vec())));
        assert_eq!(
            (replay.records, log.next_index()),
            (vec![(4, b"d".to_vec())], 5)
        );
    }
);

both_arms!(a_torn_metadata_record_is_cut_off, |dir| async move {
    let dir = DataDir::open(&dir.join("data"), NodeId(1)).await.unwrap();
    let (log, _) = MetadataLog::open(dir.layout()).await.unwrap();
    log.append(&[b"kept"]).await.unwrap();
    log.append(&[b"torn"]).await.unwrap();
    drop(log);
    let path = dir
        .layout()
        .path()
        .join("metadata/log-00000000000000000000");
    let file = File::open(&path, OpenMode::Existing).await.unwrap();
    let block = file.read_at(0, 4096).await.unwrap();
    let mut buffer = runtime::AlignedBuffer::zeroed(4096);
    buffer.copy_from_slice(&block);
    // The first unit takes 40 bytes; this is in the body of the second.
    buffer[76] ^= 1;
    file.write_at_synced(buffer, 0).await.unwrap();
    file.close().await.unwrap();
    let (log, replay) = MetadataLog::open(dir.layout()).await.unwrap();
    assert_eq!(replay.records, vec![(0, b"kept".to_vec())]);
    assert_eq!(log.append(&[b"next"]).await.unwrap(), 1);
    drop(log);
    let (_, replay) = MetadataLog::open(dir.layout()).await.unwrap();
    assert_eq!(replay.records.len(), 2);
});
