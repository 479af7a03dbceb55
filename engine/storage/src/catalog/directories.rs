//! The file `directories` of the first data directory: which others the node has.
//!
//! A disk that is not mounted is an empty directory. This file tells it from a new one: while a
//! directory named here is missing, none is made.
//!
//! *Layout*: docs/formats/data_directory.md.

use std::path::Path;

use types::ByteCount;
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::meta::Identity;
use crate::error::Error;

const FILE_NAME: &str = "directories";

const VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"rrdirs\n\0";

/// More than the configuration can name by far.
const FILE_SIZE_MAX: ByteCount = ByteCount::kib(4);

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawHeader {
    magic: [u8; 8],
    version: U32,
    count: U32,
}

/// Reads which others there are; `None` if nobody has written it down, or somebody removed it.
///
/// *Errors*: [`Error::Damaged`], [`Error::NewerFormat`], [`Error::Io`].
pub(super) async fn read(first: &Path) -> Result<Option<Vec<Identity>>, Error> {
    let path = first.join(FILE_NAME);
    let exists = runtime::exists(&path).await;
    if !exists.map_err(Error::io("lookup", &path))? {
        return Ok(None);
    }
    let bytes = runtime::read_file(&path, FILE_SIZE_MAX)
        .await
        .map_err(Error::io("read", &path))?;
    parse(&bytes, &path).map(Some)
}

/// Writes down which others there are, durably.
pub(super) async fn write(first: &Path, others: &[Identity]) -> Result<(), Error> {
    let path = first.join(FILE_NAME);
    runtime::write_file_durably(&path, &to_bytes(others))
        .await
        .map_err(Error::io("write", path))
}

fn to_bytes(others: &[Identity]) -> Vec<u8> {
    let header = RawHeader {
        magic: MAGIC,
        version: VERSION.into(),
        count: u32::try_from(others.len()).expect("a node has few").into(),
    };
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(others.iter().flat_map(|id| id.0));
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Identity>, Error> {
    let damaged = |position| Error::Damaged {
        path: path.into(),
        position,
    };
    let (header, rest) = RawHeader::read_from_prefix(bytes).map_err(|_| damaged(0))?;
    if header.magic != MAGIC {
        return Err(damaged(0));
    }
    let version = header.version.get();
    if version > VERSION {
        return Err(Error::NewerFormat {
            path: path.into(),
            found: version,
            supported: VERSION,
        });
    }
    let (ids, crc) = rest.split_last_chunk::<4>().ok_or_else(|| damaged(12))?;
    let (covered, _) = bytes
        .split_at_checked(bytes.len() - crc.len())
        .ok_or_else(|| damaged(12))?;
    if crc32c::crc32c(covered) != u32::from_le_bytes(*crc) {
        return Err(damaged(12));
    }
    let (ids, left) = ids.as_chunks::<16>();
    if !left.is_empty() || u32::try_from(ids.len()) != Ok(header.count.get()) {
        return Err(damaged(12));
    }
    Ok(ids.iter().copied().map(Identity).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Identity> {
        vec![Identity([1; 16]), Identity([2; 16])]
    }

    #[test]
    fn the_list_is_read_back_and_every_flipped_bit_and_truncation_is_refused() {
        let path = Path::new("");
        assert_eq!(parse(&to_bytes(&[]), path).unwrap(), []);
        let mut bytes = to_bytes(&two());
        assert_eq!(parse(&bytes, path).unwrap(), two());
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&bytes, path).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length], path).is_err());
        }
    }

    #[test]
    fn the_golden_list_is_read() {
        let then = crate::golden::golden("directories_v1.bin", &to_bytes(&two()));
        assert_eq!(parse(&then, Path::new("")).unwrap(), two());
    }

    #[test]
    fn a_newer_list_is_named_before_anything_else_is_read() {
        let mut bytes = to_bytes(&two());
        bytes[8] = 2;
        let found = parse(&bytes, Path::new(""));
        assert!(matches!(found, Err(Error::NewerFormat { found: 2, .. })));
    }
}
