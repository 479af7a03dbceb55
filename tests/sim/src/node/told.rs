//! Reads what a fetch answer tells of one partition.

use record::{Batches, DECOMPRESSED_SIZE_MAX, Records, check_stored, decompress};
use wire::messages::fetch::PartitionResponse;

use crate::history::Seen;
use crate::payload;

/// Reads every record of an answer.
///
/// *Errors*: what is wrong with the bytes, in words. A broker of ours sends whole batches only.
pub(super) fn records(partition: &PartitionResponse) -> Result<Vec<Seen>, String> {
    let bytes = partition.records.clone().unwrap_or_default();
    let mut batches = Batches::new(&bytes);
    let mut seen = Vec::new();
    for batch in &mut batches {
        let batch = batch.map_err(|error| error.to_string())?;
        let batch = check_stored(batch).map_err(|error| error.to_string())?;
        let body =
            decompress(&batch.batch(), DECOMPRESSED_SIZE_MAX).map_err(|error| error.to_string())?;
        for record in Records::new(batch.header(), &body) {
            let record = record.map_err(|error| error.to_string())?;
            let (key, value) = (record.key, record.value);
            seen.push(Seen {
                offset: record.offset.get(),
                record: value.and_then(payload::identify),
                fingerprint: payload::fingerprint(key, value, record.timestamp.0),
            });
        }
    }
    match batches.remainder().len() {
        0 => Ok(seen),
        cut => Err(format!("{cut} bytes of a batch that is cut off")),
    }
}
