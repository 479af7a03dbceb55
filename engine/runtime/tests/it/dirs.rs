//! Directories, locks and small whole files.

use std::io::ErrorKind;
use std::path::Path;

use runtime::{
    EntryKind, File, LockError, OpenMode, both_arms, create_dir_all, disk_space, exists, list_dir,
    lock_file, read_file, remove_dir_all, remove_file, rename, sync_dir, write_file_durably,
};
use types::ByteCount;

/// Creates an empty file.
async fn touch(path: &Path) {
    let file = File::open(path, OpenMode::CreateNew).await;
    let closed = file.expect("the name is free").close().await;
    closed.expect("an empty file closes");
}

both_arms!(a_directory_is_listed_in_order_of_names, |dir| async move {
    create_dir_all(&dir.join("b/deep/er")).await.unwrap();
    touch(&dir.join("c")).await;
    touch(&dir.join("a")).await;
    sync_dir(&dir).await.unwrap();
    let entries = list_dir(&dir).await.unwrap();
    let listed: Vec<_> = entries
        .iter()
        .map(|entry| (&*entry.name, entry.kind))
        .collect();
    let expected = [
        ("a", EntryKind::File),
        ("b", EntryKind::Directory),
        ("c", EntryKind::File),
    ];
    assert_eq!(listed, expected);
    assert!(entries[1].is_dir());
    assert!(exists(&dir.join("b/deep/er")).await.unwrap());
    // Again is no error, but a file in the way is.
    create_dir_all(&dir.join("b/deep/er")).await.unwrap();
    assert!(create_dir_all(&dir.join("c")).await.is_err());
    assert!(list_dir(&dir.join("c")).await.is_err());
    let missing = list_dir(&dir.join("missing")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
});

both_arms!(a_rename_replaces_what_was_there, |dir| async move {
    write_file_durably(&dir.join("old"), b"old").await.unwrap();
    write_file_durably(&dir.join("new"), b"new").await.unwrap();
    rename(&dir.join("new"), &dir.join("old")).await.unwrap();
    assert!(!exists(&dir.join("new")).await.unwrap());
    let content = read_file(&dir.join("old"), ByteCount(3)).await.unwrap();
    assert_eq!(content, b"new");
    let missing = rename(&dir.join("new"), &dir.join("old"))
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
});

both_arms!(
    removed_names_are_gone_with_all_below_them,
    |dir| async move {
        create_dir_all(&dir.join("tree/branch")).await.unwrap();
        touch(&dir.join("tree/branch/leaf")).await;
        touch(&dir.join("tree/leaf")).await;
        remove_file(&dir.join("tree/leaf")).await.unwrap();
        assert!(!exists(&dir.join("tree/leaf")).await.unwrap());
        assert!(remove_file(&dir.join("tree/leaf")).await.is_err());
        remove_dir_all(&dir.join("tree")).await.unwrap();
        assert!(list_dir(&dir).await.unwrap().is_empty());
        assert!(remove_dir_all(&dir.join("tree")).await.is_err());
    }
);

both_arms!(a_small_file_is_replaced_as_a_whole, |dir| async move {
    let path = dir.join("meta");
    for content in [&b"first, and longer"[..], b"second", b"", &[7; 10_000]] {
        write_file_durably(&path, content).await.unwrap();
        let read = read_file(&path, ByteCount::of(content)).await.unwrap();
        assert_eq!(read, content);
    }
    let refused = read_file(&path, ByteCount(9_999)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    let names = list_dir(&dir).await.unwrap();
    assert_eq!(names.len(), 1, "nothing temporary stays: {names:?}");
    let missing = read_file(&dir.join("missing"), ByteCount(1))
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
});

both_arms!(
    a_lock_is_held_by_one_until_it_is_dropped,
    |dir| async move {
        let path = dir.join("lock");
        let lock = lock_file(&path).await.unwrap();
        match lock_file(&path).await {
            Err(LockError::HeldBy { pid }) => assert!(pid > 0),
            other => assert!(other.is_err(), "{other:?}"),
        }
        let other = lock_file(&dir.join("other")).await.unwrap();
        drop(lock);
        let again = lock_file(&path).await.unwrap();
        drop((again, other));
    }
);

both_arms!(a_disk_has_room, |dir| async move {
    let space = disk_space(&dir).await.unwrap();
    assert!(space.total >= space.free && space.free > ByteCount::mib(1));
    assert!(disk_space(&dir.join("missing")).await.is_err());
});
