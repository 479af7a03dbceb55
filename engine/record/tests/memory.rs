//! A small batch that promises much must not take much memory.
//!
//! One test in a process of its own, since the kernel counts peak memory per process. Nothing here
//! ever holds a body whole either: freed memory that an allocator keeps would hide a peak.

use std::io::{self, Write};
use std::ops::ControlFlow;

use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use record::{
    BATCH_HEADER_SIZE, BatchBuilder, Compression, DECOMPRESSED_SIZE_MAX, DecompressError, Invalid,
    Keys, NewRecord, Rules, TimestampType, TimestampWindow, validate_owned, validate_produced,
    validate_produced_within, visit_times,
};
use types::{ByteCount, TimestampMs};

const RULES: Rules = Rules {
    batch_size_max: ByteCount::mib(8),
    timestamp_type: TimestampType::CreateTime,
    timestamp_window: TimestampWindow::UNBOUNDED,
    keys: Keys::Optional,
};

/// Writes one record with a value of `value_size` zeros, without ever holding it.
fn write_record(target: &mut impl Write, value_size: u64) -> io::Result<()> {
    let mut fields = vec![0, 0, 0, 1];
    put_varint(&mut fields, value_size);
    let mut length = Vec::new();
    put_varint(
        &mut length,
        u64::try_from(fields.len()).expect("few") + value_size + 1,
    );
    target.write_all(&length)?;
    target.write_all(&fields)?;
    // The last zero is the header count.
    io::copy(&mut io::Read::take(io::repeat(0), value_size + 1), target)?;
    Ok(())
}

fn put_varint(target: &mut Vec<u8>, number: u64) {
    let mut rest = number * 2;
    while rest >= 0x80 {
        target.push(u8::try_from(rest & 0x7f | 0x80).expect("eight bits"));
        rest >>= 7;
    }
    target.push(u8::try_from(rest).expect("seven bits"));
}

/// Makes one framed block of every write.
struct SnappyBlocks(Vec<u8>);

impl Write for SnappyBlocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let block = snap::raw::Encoder::new().compress_vec(bytes)?;
        let length = i32::try_from(block.len()).expect("small");
        self.0.extend(length.to_be_bytes());
        self.0.extend(block);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs a compressed body into a batch of one record.
fn batch(compression: Compression, body: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(compression);
    let record = NewRecord {
        timestamp: TimestampMs(0),
        key: None,
        value: None,
        headers: &[],
    };
    builder.push(&record).expect("fits");
    let mut batch = builder.build().expect("one record").to_vec();
    batch.truncate(BATCH_HEADER_SIZE);
    batch.extend_from_slice(body);
    let length = i32::try_from(batch.len() - 12).expect("small");
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

fn bomb(compression: Compression, value_size: u64) -> io::Result<Vec<u8>> {
    let body = match compression {
        Compression::None => unreachable!("no bomb without a codec"),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            write_record(&mut encoder, value_size)?;
            encoder.finish()?
        }
        Compression::Snappy => {
            let mut blocks = SnappyBlocks(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec());
            write_record(&mut blocks, value_size)?;
            blocks.0
        }
        Compression::Lz4 => {
            let frame = FrameInfo::new().block_size(BlockSize::Max64KB);
            let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
            write_record(&mut encoder, value_size)?;
            encoder.finish()?
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1)?;
            write_record(&mut encoder, value_size)?;
            encoder.finish()?
        }
    };
    Ok(batch(compression, &body))
}

/// Returns the most memory this process has held since the last [`reset_peak`], in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("linux has it");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .expect("linux writes it so");
    peak.trim().parse().expect("a number")
}

/// Makes what is held now the peak.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
}

#[test]
fn decompression_bomb_is_walked_through_a_window_and_cut_off_at_the_bound() {
    const WINDOW_KIB_MAX: u64 = 4 << 10;
    for compression in &Compression::ALL[1..] {
        let fits = bomb(*compression, 24 << 20).expect("memory suffices");
        reset_peak();
        let before = peak_kib();
        let checked = validate_produced(&fits, &RULES).expect("large, but sound");
        assert_eq!(checked.offset_count(), 1);
        let held = peak_kib() - before;
        assert!(held < WINDOW_KIB_MAX, "{compression} held {held} KiB");
        let mut times = Vec::new();
        let visited = visit_times(&checked.batch(), DECOMPRESSED_SIZE_MAX, |_, timestamp| {
            times.push(timestamp);
            ControlFlow::Continue(())
        });
        assert!(visited.is_ok());
        assert_eq!(times, [TimestampMs(0)]);
        let held = peak_kib() - before;
        assert!(held < WINDOW_KIB_MAX, "{compression} held {held} KiB");
        let all = |_, _| ControlFlow::Continue(());
        let less = visit_times(&checked.batch(), ByteCount::mib(4), all);
        let too_large = DecompressError::TooLarge {
            max: ByteCount::mib(4),
        };
        assert_eq!(
            less.map_err(|error| error.to_string()),
            Err(too_large.to_string())
        );
        let less = validate_produced_within(&fits, &RULES, ByteCount::mib(4));
        assert!(matches!(less, Err(Invalid::DecompressedTooLarge { .. })));
        let owned =
            validate_owned(fits.clone().into(), &RULES, DECOMPRESSED_SIZE_MAX).expect("as before");
        assert_eq!(owned.checked().bytes(), checked.bytes());
        assert_eq!(owned.checked().max_timestamp(), checked.max_timestamp());
    }
    let too_large = bomb(Compression::Zstd, 128 << 20).expect("memory suffices");
    assert!(too_large.len() < 64 << 10);
    reset_peak();
    let before = peak_kib();
    let refused = validate_produced(&too_large, &RULES);
    assert!(matches!(refused, Err(Invalid::DecompressedTooLarge { .. })));
    assert!(peak_kib() - before < WINDOW_KIB_MAX);
}
