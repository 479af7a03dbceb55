//! Direct-I/O files.

use std::io::ErrorKind;

use runtime::{AlignedBuffer, File, OpenMode, both_arms, exists, remove_file, sync_dir};

const BLOCK: usize = 4096;

/// A buffer of so many blocks, every byte telling its block and its place.
fn pattern(blocks: usize, salt: usize) -> AlignedBuffer {
    let mut buffer = AlignedBuffer::zeroed(blocks * BLOCK);
    for (place, byte) in buffer.iter_mut().enumerate() {
        *byte = u8::try_from((place / 7 + place / BLOCK * 13 + salt) % 251).expect("below 251");
    }
    buffer
}

both_arms!(a_fresh_buffer_is_zero_and_aligned, |_dir| async {
    for blocks in [1, 3, 256] {
        let mut buffer = AlignedBuffer::zeroed(blocks * BLOCK);
        assert_eq!(buffer.len(), blocks * BLOCK);
        assert!(buffer.iter().all(|&byte| byte == 0));
        assert!(buffer.as_ptr().addr().is_multiple_of(BLOCK));
        // Dirtied, so that one that is handed out again would show it.
        buffer.fill(0xee);
    }
});

both_arms!(
    what_is_written_is_read_back_at_any_position,
    |dir| async move {
        let file = File::open(&dir.join("f"), OpenMode::CreateNew)
            .await
            .unwrap();
        let expected = pattern(8, 0).to_vec();
        file.write_at(pattern(8, 0), 0).await.unwrap();
        assert_eq!(file.size().await.unwrap(), 8 * 4096);
        for (position, len) in [(0, 1), (1, 4095), (4095, 2), (5000, 20_000), (0, 8 * BLOCK)] {
            let read = file.read_at(position, len).await.unwrap();
            let start = usize::try_from(position).unwrap();
            assert_eq!(
                &read[..],
                &expected[start..start + len],
                "{len} at {position}"
            );
        }
        file.close().await.unwrap();
    }
);

both_arms!(
    a_read_is_short_only_at_the_end_of_the_file,
    |dir| async move {
        let file = File::open(&dir.join("f"), OpenMode::Create).await.unwrap();
        file.write_at(pattern(1, 0), 0).await.unwrap();
        assert_eq!(file.read_at(4000, 5000).await.unwrap().len(), 96);
        assert!(file.read_at(4096, 10).await.unwrap().is_empty());
        assert!(file.read_at(1 << 30, 10).await.unwrap().is_empty());
        let read = file.read_at(10, 20).await.unwrap();
        assert_eq!(read.clone().into_bytes(), &read[..]);
        file.close().await.unwrap();
    }
);

both_arms!(each_open_mode_keeps_its_promise, |dir| async move {
    let path = dir.join("f");
    let missing = |mode| {
        let path = path.clone();
        async move { File::open(&path, mode).await.unwrap_err().kind() }
    };
    assert_eq!(missing(OpenMode::Existing).await, ErrorKind::NotFound);
    assert_eq!(missing(OpenMode::ReadOnly).await, ErrorKind::NotFound);
    assert!(!exists(&path).await.unwrap());

    let file = File::open(&path, OpenMode::Create).await.unwrap();
    file.write_at(pattern(1, 0), 0).await.unwrap();
    file.close().await.unwrap();
    assert_eq!(missing(OpenMode::CreateNew).await, ErrorKind::AlreadyExists);
    for mode in [OpenMode::Create, OpenMode::Existing] {
        let file = File::open(&path, mode).await.unwrap();
        assert_eq!(
            file.size().await.unwrap(),
            4096,
            "{mode:?} keeps the content"
        );
        file.write_at(pattern(1, 1), 4096 * 2).await.unwrap();
        file.set_len(4096).await.unwrap();
        file.close().await.unwrap();
    }
    let file = File::open(&path, OpenMode::ReadOnly).await.unwrap();
    assert_eq!(file.read_at(0, 10).await.unwrap().len(), 10);
    assert!(file.write_at(pattern(1, 0), 0).await.is_err());
    file.close().await.unwrap();
});

both_arms!(many_writes_may_be_in_flight_at_once, |dir| async move {
    let file = std::rc::Rc::new(File::open(&dir.join("f"), OpenMode::Create).await.unwrap());
    file.allocate(0, 32 * 4096).await.unwrap();
    let writes: Vec<_> = (0..32_usize)
        .map(|block| {
            let file = std::rc::Rc::clone(&file);
            runtime::spawn(runtime::Queue::Latency, async move {
                let position = u64::try_from(block * BLOCK).unwrap();
                file.write_at(pattern(1, block), position).await
            })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    file.sync_data().await.unwrap();
    for block in 0..32_usize {
        let position = u64::try_from(block * BLOCK).unwrap();
        let read = file.read_at(position, BLOCK).await.unwrap();
        assert_eq!(read[..], pattern(1, block)[..], "block {block}");
    }
});

both_arms!(
    allocated_and_extended_ranges_read_as_zeros,
    |dir| async move {
        let file = File::open(&dir.join("f"), OpenMode::Create).await.unwrap();
        file.allocate(0, 64 * 1024).await.unwrap();
        assert_eq!(file.size().await.unwrap(), 64 * 1024);
        let read = file.read_at(0, 64 * 1024).await.unwrap();
        assert_eq!(read.len(), 64 * 1024);
        assert!(read.iter().all(|&byte| byte == 0));
        // Allocating what is written changes nothing.
        file.write_at_synced(pattern(2, 5), 4096).await.unwrap();
        file.allocate(0, 16 * 1024).await.unwrap();
        assert_eq!(file.size().await.unwrap(), 64 * 1024);
        assert_eq!(
            file.read_at(4096, 8192).await.unwrap()[..],
            pattern(2, 5)[..]
        );
        file.close().await.unwrap();
    }
);

both_arms!(what_is_cut_off_does_not_come_back, |dir| async move {
    let file = File::open(&dir.join("f"), OpenMode::Create).await.unwrap();
    file.write_at(pattern(4, 0), 0).await.unwrap();
    file.set_len(5000).await.unwrap();
    assert_eq!(file.size().await.unwrap(), 5000);
    assert_eq!(file.read_at(4096, 8192).await.unwrap().len(), 904);
    file.set_len(4 * 4096).await.unwrap();
    let read = file.read_at(0, 4 * BLOCK).await.unwrap();
    assert_eq!(read[..5000], pattern(4, 0)[..5000]);
    assert!(read[5000..].iter().all(|&byte| byte == 0));
    file.close().await.unwrap();
});

both_arms!(a_reader_outlives_the_file_and_its_name, |dir| async move {
    let path = dir.join("f");
    let file = File::open(&path, OpenMode::Create).await.unwrap();
    let reader = file.reader();
    file.write_at(pattern(3, 2), 0).await.unwrap();
    assert_eq!(
        reader.read_at(0, 3 * BLOCK).await.unwrap(),
        pattern(3, 2)[..]
    );
    // A tail that is written again is seen by the buffered reader too.
    file.write_at(pattern(1, 9), 8192).await.unwrap();
    assert_eq!(
        reader.read_at(8192, BLOCK).await.unwrap(),
        pattern(1, 9)[..]
    );
    file.sync_data().await.unwrap();
    file.close().await.unwrap();
    remove_file(&path).await.unwrap();
    sync_dir(&dir).await.unwrap();
    let again = reader.clone();
    drop(reader);
    assert_eq!(
        again.read_at(100, 50).await.unwrap(),
        pattern(3, 2)[100..150]
    );
    assert!(again.read_at(3 * 4096, 1).await.unwrap().is_empty());
});
