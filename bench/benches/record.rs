//! Checking and building record batches: what the produce path pays a batch.
//!
//! Inputs are named by codec, batch size and record size in bytes, before compression. The checksum
//! of the same bytes stands beside the checks, since it is their floor.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use record::{
    Batch, BatchBuilder, Compression, DECOMPRESSED_SIZE_MAX, Keys, NewRecord, Records, Rules,
    TimestampType, TimestampWindow, check_stored, decompress, validate_produced,
};
use types::{ByteCount, TimestampMs};

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

/// Batch size and record size, in bytes.
const SHAPES: [(usize, usize); 4] = [
    (1 << 10, 1 << 10),
    (64 << 10, 100),
    (64 << 10, 1 << 10),
    (1 << 20, 1 << 10),
];

fn rules() -> Rules {
    Rules {
        batch_size_max: ByteCount::mib(2),
        timestamp_type: TimestampType::CreateTime,
        timestamp_window: TimestampWindow::around(NOW, u64::MAX, 3_600_000),
        keys: Keys::Optional,
    }
}

/// Makes text with some repetition, about what logs have.
fn values(record_size: usize, count: usize) -> Vec<Vec<u8>> {
    let mut state: u32 = 1;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{:x} request served in time ", state >> 20)
    };
    let mut value = || {
        let mut text = String::new();
        while text.len() < record_size {
            text.push_str(&word());
        }
        text.truncate(record_size);
        text.into_bytes()
    };
    (0..count).map(|_| value()).collect()
}

fn fill(builder: &mut BatchBuilder, values: &[Vec<u8>]) {
    let mut timestamp = NOW;
    for value in values {
        timestamp.0 += 1;
        let record = NewRecord {
            timestamp,
            key: None,
            value: Some(value),
            headers: &[],
        };
        builder.push(&record).expect("a bench batch fits");
    }
}

fn batch(compression: Compression, batch_size: usize, record_size: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new(compression);
    fill(&mut builder, &values(record_size, batch_size / record_size));
    builder.build().expect("it has records").to_vec()
}

fn throughput(size: usize) -> Throughput {
    Throughput::Bytes(ByteCount::from(size).0)
}

fn checks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record_check");
    let rules = rules();
    for (batch_size, record_size) in SHAPES {
        let shape = format!("{batch_size}/{record_size}");
        let bytes = batch(Compression::None, batch_size, record_size);
        group.throughput(throughput(bytes.len()));
        group.bench_function(BenchmarkId::new("crc", &shape), |bencher| {
            let batch = Batch::parse(&bytes).expect("built so");
            bencher.iter(|| black_box(&batch).check_crc().expect("right"));
        });
        group.bench_function(BenchmarkId::new("stored", &shape), |bencher| {
            let batch = Batch::parse(&bytes).expect("built so");
            bencher.iter(|| {
                check_stored(black_box(batch))
                    .expect("sound")
                    .offset_count()
            });
        });
        group.bench_function(BenchmarkId::new("produced/none", &shape), |bencher| {
            bencher.iter(|| {
                validate_produced(black_box(&bytes), &rules)
                    .expect("valid")
                    .offset_count()
            });
        });
    }
    let (batch_size, record_size) = (64 << 10, 1 << 10);
    for compression in Compression::ALL.into_iter().skip(1) {
        let bytes = batch(compression, batch_size, record_size);
        group.throughput(throughput(batch_size));
        let shape = format!("{batch_size}/{record_size}");
        let name = format!("produced/{compression}");
        group.bench_function(BenchmarkId::new(name, shape), |bencher| {
            bencher.iter(|| {
                validate_produced(black_box(&bytes), &rules)
                    .expect("valid")
                    .offset_count()
            });
        });
    }
    group.finish();
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record_build");
    let (batch_size, record_size) = (64 << 10, 1 << 10);
    let values = values(record_size, batch_size / record_size);
    group.throughput(throughput(batch_size));
    for compression in Compression::ALL {
        let shape = format!("{batch_size}/{record_size}");
        group.bench_function(BenchmarkId::new(compression.name(), shape), |bencher| {
            bencher.iter(|| {
                let mut builder = BatchBuilder::new(compression);
                fill(&mut builder, black_box(&values));
                builder.build().expect("it has records")
            });
        });
    }
    group.finish();
}

fn iterate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record_iterate");
    for (batch_size, record_size) in SHAPES {
        let bytes = batch(Compression::None, batch_size, record_size);
        let batch = Batch::parse(&bytes).expect("built so");
        group.throughput(throughput(bytes.len()));
        let shape = format!("{batch_size}/{record_size}");
        group.bench_function(BenchmarkId::new("none", shape), |bencher| {
            bencher.iter(|| {
                let body = decompress(black_box(&batch), DECOMPRESSED_SIZE_MAX).expect("plain");
                Records::new(batch.header(), &body)
                    .map(|record| record.expect("well-formed").value.map_or(0, <[u8]>::len))
                    .sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, checks, build, iterate);
criterion_main!(benches);
