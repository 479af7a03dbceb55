//! What a producer sent, made into what a log takes: checked, and in the codec of the topic.
//!
//! Small batches in place; large ones beside the shard, which would stand still meanwhile: a batch of a
//! few KiB may hold millions of headers. Who awaits one after the other keeps their order.

use bytes::Bytes;
use record::{
    Batch, Compression, DECOMPRESSED_SIZE_MAX, Invalid, OwnedBatch, RecompressError, Rules,
    recompress, validate_owned,
};
use runtime::LongWork;
use types::ByteCount;
use types::limits::DECOMPRESSED_IN_PLACE_MAX;

/// What a topic asks of the batches that are produced to it.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    /// What must hold.
    pub rules: Rules,
    /// The codec that batches are stored in; `None` is the producer's.
    pub compression: Option<Compression>,
}

/// A batch is not what a log takes.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The batch is not what a producer may send.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The batch cannot be put into the compression of the topic.
    #[error(transparent)]
    Recompress(#[from] RecompressError),
}

impl Intake {
    /// Checks what a client sent, and puts it into the topic's codec.
    ///
    /// *Cost*: one that is large once it is decompressed is begun in place, and begun again beside it.
    pub async fn take(self, records: &Bytes, work: &LongWork) -> Result<OwnedBatch, Unfit> {
        if let Some(max) = self.in_place_max(records) {
            match self.convert(records.clone(), max) {
                Err(Unfit::Invalid(Invalid::DecompressedTooLarge { .. })) => {}
                converted => return converted,
            }
        }
        let records = records.clone();
        work.run(move || self.convert(records, DECOMPRESSED_SIZE_MAX))
            .await
    }

    /// Returns to how much a batch may decompress for the shard to take it in place; `None` if it has
    /// more already.
    fn in_place_max(&self, records: &[u8]) -> Option<ByteCount> {
        let Ok(batch) = Batch::parse(records) else {
            // Refused at its header.
            return Some(ByteCount::ZERO);
        };
        let source = batch.header().attributes().compression();
        match self.compression {
            Some(target) if source != Ok(target) => {
                let max = recompressed_in_place_max(target);
                let is_larger =
                    source == Ok(Compression::None) && ByteCount::of(batch.body()) > max;
                (!is_larger).then_some(max)
            }
            _ => Some(DECOMPRESSED_IN_PLACE_MAX),
        }
    }

    fn convert(&self, records: Bytes, decompressed_max: ByteCount) -> Result<OwnedBatch, Unfit> {
        let batch = validate_owned(records, &self.rules, decompressed_max)?;
        let recompressed = match self.compression {
            Some(target) => recompress(&batch.checked(), target)?,
            None => None,
        };
        match recompressed {
            // It may be larger than the topic takes.
            Some(bytes) => Ok(validate_owned(bytes, &self.rules, DECOMPRESSED_SIZE_MAX)?),
            None => Ok(batch),
        }
    }
}

/// Returns how large a body may be for its recompression to take about 200 microseconds at most.
///
/// Measured on lines of text of 100 bytes, on one core of an EPYC VM: gzip makes 16 KiB in 0.2 ms; the
/// others make 64 KiB in 0.05 to 0.15 ms, whatever the source; taking 256 KiB out of gzip, the slowest
/// source, takes 0.2 ms.
fn recompressed_in_place_max(target: Compression) -> ByteCount {
    match target {
        Compression::None => ByteCount::kib(256),
        Compression::Gzip => ByteCount::kib(16),
        Compression::Snappy | Compression::Lz4 | Compression::Zstd => ByteCount::kib(64),
    }
}

#[cfg(test)]
mod tests {
    use record::{BatchBuilder, Keys, NewRecord, TimestampType, TimestampWindow};
    use runtime::testing::on_uring;
    use runtime::{Either, race};
    use types::TimestampMs;

    use super::*;

    fn intake(compression: Option<Compression>) -> Intake {
        Intake {
            rules: Rules {
                batch_size_max: ByteCount::kib(512),
                timestamp_type: TimestampType::CreateTime,
                timestamp_window: TimestampWindow::UNBOUNDED,
                keys: Keys::Optional,
            },
            compression,
        }
    }

    fn batch(compression: Compression, value: &[u8]) -> Bytes {
        let mut batch = BatchBuilder::new(compression);
        let record = NewRecord {
            timestamp: TimestampMs(0),
            key: None,
            value: Some(value),
            headers: &[],
        };
        batch.push(&record).unwrap();
        batch.build().unwrap()
    }

    /// Whether another task of the shard has its turn before the batch is taken.
    async fn lets_others_run(intake: Intake, records: &Bytes) -> bool {
        let work = LongWork::new();
        let taken = race(intake.take(records, &work), async {}).await;
        matches!(taken, Either::Right(()))
    }

    #[test]
    fn what_takes_long_to_check_or_to_recompress_lets_others_run() {
        on_uring("intake", |_| async {
            use Compression::{Gzip, Lz4, None as Plain, Snappy, Zstd};
            // The codec that came, the topic's, and the most that is recompressed in place, in KiB.
            let cases = [
                (Zstd, None, 4_096),
                (Zstd, Some(Zstd), 4_096),
                (Plain, Some(Gzip), 16),
                (Zstd, Some(Gzip), 16),
                (Gzip, Some(Plain), 256),
                (Plain, Some(Snappy), 64),
                (Snappy, Some(Lz4), 64),
                (Lz4, Some(Zstd), 64),
            ];
            for (source, target, kib_max) in cases {
                let largest = vec![7; (kib_max << 10) - 100];
                let larger = vec![7; (kib_max << 10) + 100];
                let here = batch(source, &largest);
                let beside = batch(source, &larger);
                let name = format!("{source} to {target:?}");
                assert!(!lets_others_run(intake(target), &here).await, "{name}");
                assert!(lets_others_run(intake(target), &beside).await, "{name}");
                for sent in [here, beside] {
                    let work = LongWork::new();
                    let taken = intake(target).take(&sent, &work).await.unwrap();
                    let compression = taken.checked().header().attributes().compression();
                    assert_eq!(compression, Ok(target.unwrap_or(source)), "{name}");
                }
            }
        });
    }

    #[test]
    fn a_large_batch_is_refused_as_a_small_one_is() {
        on_uring("refused", |_| async {
            let work = LongWork::new();
            let mut garbled = batch(Compression::Zstd, &vec![7; 5 << 20]).to_vec();
            let last = garbled.len() - 1;
            garbled[last] ^= 1;
            let taken = intake(None).take(&garbled.into(), &work).await;
            assert!(matches!(taken, Err(Unfit::Invalid(Invalid::Checksum(_)))));
            let plain = Some(Compression::None);
            let grown = batch(Compression::Zstd, &vec![7; 1 << 20]);
            let taken = intake(plain).take(&grown, &work).await;
            assert!(matches!(
                taken,
                Err(Unfit::Invalid(Invalid::TooLarge { .. }))
            ));
            let nothing = intake(plain).take(&Bytes::new(), &work).await;
            assert!(matches!(
                nothing,
                Err(Unfit::Invalid(Invalid::Malformed(_)))
            ));
        });
    }
}
