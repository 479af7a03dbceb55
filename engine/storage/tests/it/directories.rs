//! Several data directories: which are opened, which are made, and what one out of service answers.

use std::path::{Path, PathBuf};

use runtime::{LongWork, both_arms};
use storage::{
    AppendError, DataDir, DataDirs, Error, FirstBatch, MetadataLog, Offline, OpenLog, ReadError,
    ReadLimits, Replayed, ShardStore, replay_journals,
};
use types::{ByteCount, LeaderEpoch, NodeId, ShardId};

use crate::support::*;

/// Opens the directories `first`, and these beside it, in the order that a broker opens them.
async fn open(dir: &Path, others: &[&str]) -> Result<DataDirs, Error> {
    let others: Vec<PathBuf> = others.iter().map(|name| dir.join(name)).collect();
    let first = DataDirs::open_first(&dir.join("first"), &others, NodeId(1)).await?;
    MetadataLog::open(first.layout()).await?;
    DataDirs::open(first, &others).await
}

/// What became of the directories beside the first.
fn beside(dirs: &DataDirs) -> Vec<Result<&DataDir, &Error>> {
    dirs.all().skip(1).map(|(_, opened)| opened).collect()
}

/// Has a run get as far as the first shard's store in every directory.
async fn use_all(dirs: &DataDirs) {
    for (_, opened) in dirs.all() {
        let layout = opened.unwrap().layout();
        let store = ShardStore::open(
            layout,
            ShardId(0),
            tiny_options(),
            Vec::new(),
            LongWork::new(),
        );
        store.await.unwrap().close().await.unwrap();
    }
}

async fn make_empty(path: &Path) {
    runtime::create_dir_all(path).await.unwrap();
}

both_arms!(
    directories_belong_to_one_cluster_and_are_known_again,
    |dir| async move {
        let dirs = open(&dir, &["a", "b"]).await.unwrap();
        assert!(dirs.is_complete());
        let (cluster, first) = (dirs.first().cluster_id(), dirs.first().directory_id());
        let ids: Vec<_> = beside(&dirs)
            .iter()
            .map(|it| it.unwrap().directory_id())
            .collect();
        assert!(ids[0] != ids[1] && ids[0] != first && ids[1] != first);
        use_all(&dirs).await;
        drop(dirs);
        // In another order beside the first, they are the same.
        let dirs = open(&dir, &["b", "a"]).await.unwrap();
        assert!(dirs.is_complete());
        let again: Vec<_> = beside(&dirs).iter().map(|it| it.unwrap()).collect();
        assert_eq!(again[0].directory_id(), ids[1]);
        assert_eq!(again[1].directory_id(), ids[0]);
        assert!(again.iter().all(|it| it.cluster_id() == cluster));
    }
);

both_arms!(
    one_directory_alone_has_no_list_of_others,
    |dir| async move {
        let dirs = open(&dir, &[]).await.unwrap();
        assert!(dirs.is_complete());
        let list = dir.join("first/directories");
        assert!(!runtime::exists(&list).await.unwrap());
    }
);

both_arms!(
    the_empty_place_of_a_missing_directory_is_never_made_one,
    |dir| async move {
        drop(open(&dir, &["a", "b"]).await.unwrap());
        let (place, away) = (dir.join("a"), dir.join("away"));
        runtime::rename(&place, &away).await.unwrap();
        for is_there in [false, true] {
            if is_there {
                make_empty(&place).await;
            }
            let dirs = open(&dir, &["a", "b"]).await.unwrap();
            assert!(!dirs.is_complete());
            let found = beside(&dirs);
            assert!(matches!(
                found[0],
                Err(Error::DirectoryMissing { missing: 1, .. })
            ));
            assert!(found[1].is_ok(), "the others are not concerned");
            assert_eq!(runtime::exists(&place).await.unwrap(), is_there);
        }
        assert_eq!(runtime::list_dir(&place).await.unwrap(), []);
        // Nor is another one made beside it, nor is it enough not to name it any more.
        let dirs = open(&dir, &["b", "c"]).await.unwrap();
        assert!(matches!(
            beside(&dirs)[1],
            Err(Error::DirectoryMissing { .. })
        ));
        drop(dirs);
        assert!(!open(&dir, &["b"]).await.unwrap().is_complete());
        // Back in its place, nothing has happened.
        runtime::remove_dir_all(&place).await.unwrap();
        runtime::rename(&away, &place).await.unwrap();
        assert!(open(&dir, &["a", "b"]).await.unwrap().is_complete());
    }
);

both_arms!(
    a_directory_is_given_up_by_removing_the_list_and_does_not_come_back,
    |dir| async move {
        let dirs = open(&dir, &["a", "b"]).await.unwrap();
        use_all(&dirs).await;
        drop(dirs);
        let (place, away) = (dir.join("a"), dir.join("away"));
        runtime::rename(&place, &away).await.unwrap();
        runtime::remove_file(&dir.join("first/directories"))
            .await
            .unwrap();
        let dirs = open(&dir, &["a", "b"]).await.unwrap();
        assert!(dirs.is_complete(), "a new one was made");
        drop(dirs);
        runtime::remove_dir_all(&place).await.unwrap();
        runtime::rename(&away, &place).await.unwrap();
        let dirs = open(&dir, &["a", "b"]).await.unwrap();
        assert!(matches!(
            beside(&dirs)[0],
            Err(Error::DirectoryGivenUp { .. })
        ));
        assert!(!dirs.is_complete());
    }
);

both_arms!(
    a_directory_that_a_cut_short_start_made_is_taken_in,
    |dir| async move {
        drop(open(&dir, &["a"]).await.unwrap());
        let list = dir.join("first/directories");
        let before = runtime::read_file(&list, ByteCount::kib(4)).await.unwrap();
        drop(open(&dir, &["a", "b"]).await.unwrap());
        runtime::write_file_durably(&list, &before).await.unwrap();
        assert!(open(&dir, &["a", "b"]).await.unwrap().is_complete());
        let after = runtime::read_file(&list, ByteCount::kib(4)).await.unwrap();
        assert!(after.len() > before.len(), "and written down");
    }
);

both_arms!(
    the_directory_with_the_metadata_is_the_first_or_nothing_is_opened,
    |dir| async move {
        let dirs = open(&dir, &["a"]).await.unwrap();
        use_all(&dirs).await;
        drop(dirs);
        let first = dir.join("first");
        let away = dir.join("away");
        let refused = |first: PathBuf, others: Vec<PathBuf>| async move {
            let opened = DataDirs::open_first(&first, &others, NodeId(1)).await;
            opened.expect_err("the order is wrong")
        };
        let turned = refused(dir.join("a"), vec![first.clone()]).await;
        assert!(matches!(turned, Error::MetadataBeside { path } if path == first));
        let alone = refused(dir.join("a"), Vec::new()).await;
        assert!(matches!(alone, Error::NoMetadata { .. }), "{alone:?}");
        runtime::rename(&first, &away).await.unwrap();
        make_empty(&first).await;
        let unmounted = refused(first.clone(), vec![dir.join("a")]).await;
        assert!(matches!(unmounted, Error::NoMetadata { path } if path == first));
        assert_eq!(runtime::list_dir(&first).await.unwrap(), []);
    }
);

both_arms!(
    what_is_wrong_with_another_directory_is_its_own_affair,
    |dir| async move {
        // A file, something else's directory, another cluster's, a damaged one, one in use.
        runtime::write_file_durably(&dir.join("file"), b"x")
            .await
            .unwrap();
        make_empty(&dir.join("photos")).await;
        runtime::write_file_durably(&dir.join("photos/holiday.jpg"), b"x")
            .await
            .unwrap();
        drop(
            DataDir::open(&dir.join("foreign"), NodeId(1))
                .await
                .unwrap(),
        );
        let names = ["file", "photos", "foreign", "damaged", "used", "good"];
        drop(open(&dir, &["damaged", "used", "good"]).await.unwrap());
        runtime::write_file_durably(&dir.join("damaged/meta"), b"x")
            .await
            .unwrap();
        let used = DataDir::open(&dir.join("used"), NodeId(1)).await.unwrap();
        let dirs = open(&dir, &names).await.unwrap();
        let found = beside(&dirs);
        assert!(matches!(found[0], Err(Error::Io { .. })), "{:?}", found[0]);
        assert!(matches!(found[1], Err(Error::NotADataDirectory { .. })));
        assert!(matches!(found[2], Err(Error::ForeignCluster { .. })));
        assert!(matches!(found[3], Err(Error::Damaged { .. })));
        assert!(matches!(found[4], Err(Error::Locked { .. })));
        assert!(found[5].is_ok());
        drop(used);
    }
);

both_arms!(
    logs_of_a_directory_out_of_service_are_offline_and_nowhere_near_empty,
    |dir| async move {
        let logs = [0, 1].map(|number| OpenLog {
            id: log_id(number),
            config: config(),
            end: None,
        });
        let path = dir.join("gone");
        let reason = "it is gone".to_owned();
        let (id, options) = (ShardId(0), tiny_options());
        let store = ShardStore::out_of_service(&path, id, options, logs.to_vec(), reason.clone());
        let made_later = store.create_log(log_id(2), config());
        let old = [0, 1].map(|number| store.log(log_id(number).incarnation).unwrap());
        for log in old.iter().chain([&made_later]) {
            let refused = append(log, &batch(1, 10, 1)).await;
            assert_eq!(refused, Err(AppendError::Offline(Offline::Failed)));
            let limits = ReadLimits {
                size_max: ByteCount::mib(1),
                until: offset(7),
                first_batch: FirstBatch::Whole,
            };
            // An offset that it does not know may well be there.
            let read = log.read(offset(5), limits).await;
            assert!(matches!(read, Err(ReadError::Offline(Offline::Failed))));
            let size = log.size().await;
            assert!(matches!(size, Err(ReadError::Offline(Offline::Failed))));
            let epoch = log.epoch_end(LeaderEpoch::ZERO).await;
            assert!(matches!(epoch, Err(ReadError::Offline(Offline::Failed))));
            let state = log.kept_state().await;
            assert!(matches!(state, Err(Error::Offline(Offline::Failed))));
        }
        let metrics = store.metrics();
        assert_eq!((metrics.logs, metrics.offline), (3, Some(reason)));
        assert_eq!(metrics.directory, path);
        store.remove_log(log_id(2).incarnation).await.unwrap();
        let closed = store.close().await;
        assert!(matches!(closed, Err(Error::Offline(Offline::Failed))));
        assert!(!runtime::exists(&path).await.unwrap());
    }
);

both_arms!(
    an_empty_log_is_known_to_its_directory_once_a_round_has_passed,
    |dir| async move {
        let node = Node::open(&dir, 1).await;
        node.store.create_log(log_id(1), config()).make_known();
        node.store.create_log(log_id(2), config());
        append_durably(&node.log(0), &batch(1, 10, 1)).await;
        let layout = node.dir.layout().clone();
        node.kill();
        let known = (0..3).map(|number| (log_id(number).incarnation, log_id(number)));
        let replayed = replay_journals(&layout, &[ShardId(0)], &known.collect()).await;
        let replayed = replayed.unwrap();
        let is_known = |number| replayed.end_of(log_id(number).incarnation).is_some();
        assert_eq!([0, 1, 2].map(is_known), [true, true, false]);
        let node = Node::open(&dir, 3).await;
        append_durably(&node.log(1), &batch(1, 10, 2)).await;
        assert_eq!(read_all(&node.log(1)).await.len(), 1);
        node.close().await;
    }
);

both_arms!(
    what_cannot_be_replayed_is_out_of_service_unless_it_is_the_first,
    |dir| async move {
        let mut dirs = open(&dir, &["a", "b"]).await.unwrap();
        let damaged = |path: &Path| {
            Err(Error::Damaged {
                path: path.into(),
                position: 7,
            })
        };
        let (first, a, b) = (dir.join("first"), dir.join("a"), dir.join("b"));
        let noted = dirs.note_replayed(&first, Ok(Replayed::default())).await;
        assert!(noted.unwrap().is_some());
        assert!(dirs.note_replayed(&a, damaged(&a)).await.unwrap().is_none());
        let noted = dirs.note_replayed(&b, Ok(Replayed::default())).await;
        assert!(noted.unwrap().is_some());
        assert!(!dirs.is_complete());
        let found = beside(&dirs);
        assert!(found[0].is_err() && found[1].is_ok());
        // Only what was closed in order is said to be.
        dirs.close_clean(&[true, true, false]).await.unwrap();
        let marks = [first, a.clone(), b].map(|path| path.join("clean"));
        for (mark, is_there) in marks.iter().zip([true, false, false]) {
            assert_eq!(runtime::exists(mark).await.unwrap(), is_there, "{mark:?}");
        }
        let mut dirs = open(&dir, &["a"]).await.unwrap();
        let first = dir.join("first");
        assert!(dirs.note_replayed(&first, damaged(&first)).await.is_err());
    }
);
