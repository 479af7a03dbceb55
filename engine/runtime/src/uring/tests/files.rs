//! Direct files.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::super::{shard, sys};
use super::support::{in_child, is_child, on_shard, pattern, write_pattern};
use crate::{AlignedBuffer, File, OpenMode};

/// By glommio's own ring this fails with EOPNOTSUPP on ext4 and xfs: it tries an empty first file, and
/// takes the device for one that can be polled.
#[test]
fn a_first_file_that_was_empty_can_be_read_back() {
    on_shard("first_file", |dir| async move {
        let path = dir.join("file");
        let file = File::open(&path, OpenMode::CreateNew).await.unwrap();
        let mut buffer = AlignedBuffer::zeroed(8192);
        buffer.copy_from_slice(&pattern(0, 8192));
        file.write_at(buffer, 4096).await.unwrap();
        assert_eq!(*file.read_at(4096, 8192).await.unwrap(), pattern(0, 8192));
        assert_eq!(file.size().await.unwrap(), 12288);
        file.close().await.unwrap();
    });
}

#[test]
fn reads_are_cut_at_any_position_and_at_the_end_of_the_file() {
    on_shard("unaligned_reads", |dir| async move {
        let file = write_pattern(&dir.join("file"), 16384).await;
        for (position, len, want) in [
            (0, 1, 1),
            (1, 4095, 4095),
            (4095, 2, 2),
            (5000, 9000, 9000),
            (16000, 1000, 384),
            (16383, 1, 1),
            (16384, 10, 0),
            (100_000, 10, 0),
            (10, 0, 0),
            (4096, 0, 0),
        ] {
            let read = file.read_at(position, len).await.unwrap();
            assert_eq!(*read, pattern(position, want), "{len} bytes at {position}");
        }
        file.set_len(10_000).await.unwrap();
        assert_eq!(file.read_at(9_000, 4096).await.unwrap().len(), 1_000);
        file.close().await.unwrap();
    });
}

/// The pool hands out what was freed before; padding must not carry another's bytes to disk.
#[test]
fn a_new_buffer_holds_zeros_whatever_was_in_its_memory() {
    on_shard("zeroed_buffers", |_| async move {
        for len in [4096, 65536, 4096, 65536] {
            let mut buffer = AlignedBuffer::zeroed(len);
            assert!(buffer.iter().all(|&byte| byte == 0));
            assert_eq!(buffer.as_ptr().align_offset(4096), 0);
            buffer.fill(0xff);
        }
    });
}

#[test]
fn many_writes_may_be_in_flight_on_one_file() {
    on_shard("writes_in_flight", |dir| async move {
        let file = std::rc::Rc::new(write_pattern(&dir.join("file"), 4096).await);
        file.allocate(0, 64 * 4096).await.unwrap();
        assert_eq!(file.size().await.unwrap(), 64 * 4096);
        let writes: Vec<_> = (0..64_u64)
            .map(|block| {
                let file = std::rc::Rc::clone(&file);
                crate::spawn(crate::Queue::Latency, async move {
                    let mut buffer = AlignedBuffer::zeroed(4096);
                    buffer.copy_from_slice(&pattern(block * 4096, 4096));
                    if block % 2 == 0 {
                        file.write_at(buffer, block * 4096).await
                    } else {
                        file.write_at_synced(buffer, block * 4096).await
                    }
                })
            })
            .collect();
        for write in writes {
            write.await.unwrap();
        }
        file.sync_data().await.unwrap();
        let all = file.read_at(0, 64 * 4096).await.unwrap();
        assert_eq!(*all, pattern(0, 64 * 4096));
    });
}

#[test]
fn synced_writes_go_through_a_descriptor_with_o_dsync() {
    on_shard("synced_writes", |dir| async move {
        let path = dir.join("file");
        let file = write_pattern(&path, 4096).await;
        // The name may go: the descriptor is opened through the one that is open.
        std::fs::rename(&path, dir.join("renamed")).unwrap();
        let mut buffer = AlignedBuffer::zeroed(4096);
        buffer.fill(7);
        file.write_at_synced(buffer, 4096).await.unwrap();
        let flags: Vec<_> = descriptors(&dir.join("renamed")).into_values().collect();
        let synced = flags.iter().filter(|&flag| flag & libc::O_DSYNC != 0);
        assert_eq!(synced.count(), 1, "{flags:x?}");
        let direct = flags.iter().filter(|&flag| flag & libc::O_DIRECT != 0);
        assert_eq!(
            direct.count(),
            2,
            "both writing descriptors are direct: {flags:x?}"
        );
        assert_eq!(file.size().await.unwrap(), 8192);
        file.close().await.unwrap();
        assert!(descriptors(&dir.join("renamed")).is_empty(), "all closed");
    });
}

/// What the promise to be on disk hangs on: a sync that is answered without the kernel would lose
/// nothing in any test but this one.
#[test]
fn a_sync_is_the_kernels_of_the_descriptor_that_was_written_through() {
    on_shard("kernel_sync", |dir| async move {
        let path = dir.join("file");
        let file = write_pattern(&path, 4096).await;
        file.sync_data().await.unwrap();
        let writable = |flags: i32| flags & libc::O_ACCMODE != libc::O_RDONLY;
        let open = descriptors(&path).into_iter();
        let mut written = open.filter(|&(_, flags)| writable(flags));
        let (number, _) = written.next().unwrap();
        assert_eq!(written.next(), None);
        // Something else that cannot be synced stands there now. *Source*: fsync(2), EINVAL.
        let other = sys::event_fd(0, 0).unwrap();
        #[expect(
            unsafe_code,
            reason = "no other way to another file behind a descriptor"
        )]
        // SAFETY: both are open, and nobody else uses the first.
        let replaced = unsafe { libc::dup2(other.as_raw_fd(), number) };
        assert_eq!(replaced, number);
        let refused = file.sync_data().await.unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    });
}

/// Returns the descriptors of a file with their flags, from /proc.
fn descriptors(path: &std::path::Path) -> BTreeMap<i32, i32> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries
        .filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == path))
        .filter_map(|entry| {
            let number = entry.file_name().into_string().ok()?;
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
            Some((number.parse().ok()?, flags))
        })
        .collect()
}

#[test]
fn a_reader_outlives_its_file_and_its_name() {
    on_shard("reader_outlives", |dir| async move {
        let path = dir.join("file");
        let file = write_pattern(&path, 8192).await;
        let reader = file.reader();
        file.close().await.unwrap();
        crate::remove_file(&path).await.unwrap();
        assert_eq!(reader.read_at(100, 200).await.unwrap(), pattern(100, 200));
        assert_eq!(reader.read_at(8000, 1000).await.unwrap().len(), 192);
    });
}

#[test]
fn open_modes_create_or_refuse() {
    on_shard("open_modes", |dir| async move {
        let path = dir.join("file");
        let kind = |result: std::io::Result<File>| result.unwrap_err().kind();
        let missing = File::open(&path, OpenMode::Existing).await;
        assert_eq!(kind(missing), std::io::ErrorKind::NotFound);
        File::open(&path, OpenMode::Create)
            .await
            .unwrap()
            .close()
            .await
            .unwrap();
        let again = File::open(&path, OpenMode::CreateNew).await;
        assert_eq!(kind(again), std::io::ErrorKind::AlreadyExists);
        let file = File::open(&path, OpenMode::ReadOnly).await.unwrap();
        let refused = file.write_at(AlignedBuffer::zeroed(4096), 0).await;
        assert!(refused.is_err(), "a file opened for reading is not written");
    });
}

#[test]
fn a_full_disk_is_an_error_of_its_kind() {
    on_shard("full_disk", |dir| async move {
        let file = File::open(&dir.join("file"), OpenMode::Create)
            .await
            .unwrap();
        let error = file.allocate(0, 1 << 50).await.unwrap_err();
        // ext4 and xfs refuse such a size before they look for room.
        let kinds = [
            std::io::ErrorKind::StorageFull,
            std::io::ErrorKind::FileTooLarge,
        ];
        assert!(kinds.contains(&error.kind()), "{error:?}");
    });
}

/// Two workers let two syncs run at a time: asking for the limit tells that it was raised.
#[test]
fn the_kernel_gives_this_shards_rings_more_workers() {
    on_shard("ring_workers", |_| async move {
        let rings = shard::ring_descriptors();
        assert!(rings.len() >= 3, "glommio has three rings: {rings:?}");
        let limits = rings
            .iter()
            .filter_map(|&ring| sys::ring_workers_max(ring, [0, 0]).ok());
        let raised = limits.filter(|&limits| limits == shard::RING_WORKERS_MAX);
        assert!(raised.count() >= 3);
    });
}

/// Half of it is on disk and half is not: that is a failed write.
#[test]
fn a_write_that_ends_early_is_an_error() {
    if !is_child() {
        // The limit is the whole process's.
        let name = "uring::tests::files::a_write_that_ends_early_is_an_error";
        let output = in_child(name, |_| ());
        assert!(output.status.success(), "{output:?}");
        return;
    }
    on_shard("short_write", |dir| async move {
        let file = write_pattern(&dir.join("file"), 4096).await;
        let limit = libc::rlimit {
            rlim_cur: 8192,
            rlim_max: libc::RLIM_INFINITY,
        };
        // SAFETY: a plain structure that outlives the call.
        #[expect(unsafe_code, reason = "a limit for the child alone")]
        let result = unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) };
        assert_eq!(result, 0);
        let error = file.write_at(AlignedBuffer::zeroed(16384), 4096).await;
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::WriteZero);
        assert_eq!(file.size().await.unwrap(), 8192);
    });
}

/// A dropped write may or may not have happened, but its memory and its file stay in order.
#[test]
fn a_dropped_write_leaves_the_file_usable() {
    on_shard("dropped_write", |dir| async move {
        let file = write_pattern(&dir.join("file"), 8192).await;
        for _ in 0..100 {
            let mut buffer = AlignedBuffer::zeroed(4096);
            buffer.fill(1);
            let write = file.write_at(buffer, 4096);
            let raced = crate::race(write, crate::sleep(Duration::ZERO)).await;
            drop(raced);
        }
        file.sync_data().await.unwrap();
        let read = file.read_at(0, 4096).await.unwrap();
        assert_eq!(*read, pattern(0, 4096), "the block beside is untouched");
        file.close().await.unwrap();
    });
}
