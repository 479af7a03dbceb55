//! The file `meta`: whose a data directory is, its format, and how many runs it has seen.
//!
//! *Layout*: docs/formats/data_directory.md.

use std::fmt;
use std::path::{Path, PathBuf};

use types::{ByteCount, NodeId, TopicId};
use zerocopy::little_endian::{I32, U32};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::Error;

/// The version of the data directory's format.
const DATA_VERSION: u32 = 1;

/// Its name in the directory.
pub(super) const FILE_NAME: &str = "meta";

const MAGIC: [u8; 8] = *b"rrdata\n\0";
const META_SIZE: usize = size_of::<RawMeta>();

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RawMeta {
    magic: [u8; 8],
    version: U32,
    node: I32,
    cluster: [u8; 16],
    directory: [u8; 16],
    generation: U32,
    reserved: [u8; 8],
    crc: U32,
}

/// A random identity of 16 bytes, shown as a topic id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(pub [u8; 16]);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TopicId(self.0).fmt(f)
    }
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) node: NodeId,
    pub(super) cluster: Identity,
    pub(super) directory: Identity,
    pub(super) generation: u32,
}

impl Identity {
    fn random() -> Self {
        loop {
            if let Some(id) = TopicId::from_random(runtime::random_bytes()) {
                return Self(id.0);
            }
        }
    }
}

impl Meta {
    /// Makes what a new directory will say once its first run has begun.
    pub(super) fn new(node: NodeId, cluster: Option<Identity>) -> Self {
        Self {
            node,
            cluster: cluster.unwrap_or_else(Identity::random),
            directory: Identity::random(),
            generation: 0,
        }
    }

    /// Reads what a directory says.
    ///
    /// *Errors*: [`Error::Damaged`], [`Error::NewerFormat`], [`Error::ForeignNode`], [`Error::Io`].
    pub(super) async fn read(root: &Path, node: NodeId) -> Result<Self, Error> {
        let path = root.join(FILE_NAME);
        let bytes = runtime::read_file(&path, ByteCount::kib(4))
            .await
            .map_err(Error::io("read", &path))?;
        let meta = parse(&bytes, path)?;
        if meta.node != node {
            return Err(Error::ForeignNode {
                path: root.into(),
                found: meta.node,
                expected: node,
            });
        }
        Ok(meta)
    }

    /// Writes it down, durably.
    pub(super) async fn write(&self, root: &Path) -> Result<(), Error> {
        let path = root.join(FILE_NAME);
        runtime::write_file_durably(&path, self.to_raw().as_bytes())
            .await
            .map_err(Error::io("write", path))
    }

    fn to_raw(self) -> RawMeta {
        let mut raw = RawMeta::new_zeroed();
        raw.magic = MAGIC;
        raw.version = DATA_VERSION.into();
        raw.node = self.node.0.into();
        raw.cluster = self.cluster.0;
        raw.directory = self.directory.0;
        raw.generation = self.generation.into();
        raw.crc = raw.checksum().into();
        raw
    }
}

impl RawMeta {
    fn checksum(&self) -> u32 {
        let (covered, _) = self
            .as_bytes()
            .split_at_checked(META_SIZE - size_of::<U32>())
            .expect("the checksum is the last field");
        crc32c::crc32c(covered)
    }
}

/// The version stands at the same place in every version of the file, and is looked at first.
fn parse(bytes: &[u8], path: PathBuf) -> Result<Meta, Error> {
    let damaged = |position| Error::Damaged {
        path: path.clone(),
        position,
    };
    let prefix = bytes.first_chunk::<12>().ok_or_else(|| damaged(0))?;
    let (magic, version) = prefix.split_at_checked(8).ok_or_else(|| damaged(0))?;
    let version = U32::read_from_bytes(version).map_err(|_| damaged(8))?.get();
    if magic != MAGIC {
        return Err(damaged(0));
    }
    if version > DATA_VERSION {
        return Err(Error::NewerFormat {
            path,
            found: version,
            supported: DATA_VERSION,
        });
    }
    let raw = RawMeta::read_from_bytes(bytes).map_err(|_| damaged(12))?;
    if raw.crc.get() != raw.checksum() {
        return Err(damaged(12));
    }
    Ok(Meta {
        node: NodeId(raw.node.get()),
        cluster: Identity(raw.cluster),
        directory: Identity(raw.directory),
        generation: raw.generation.get(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Meta {
        Meta {
            node: NodeId(3),
            cluster: Identity([1; 16]),
            directory: Identity([2; 16]),
            generation: 9,
        }
    }

    #[test]
    fn meta_is_read_back_and_every_flipped_bit_is_refused() {
        let mut bytes = meta().to_raw().as_bytes().to_vec();
        assert_eq!(parse(&bytes, PathBuf::new()).unwrap(), meta());
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&bytes, PathBuf::new()).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length], PathBuf::new()).is_err());
        }
    }

    #[test]
    fn the_golden_meta_file_is_read() {
        let written = meta().to_raw().as_bytes().to_vec();
        let then = crate::golden::golden("data_directory_v1.bin", &written);
        assert_eq!(parse(&then, PathBuf::new()).unwrap(), meta());
    }

    #[test]
    fn a_newer_format_is_named_before_anything_else_is_read() {
        let mut bytes = meta().to_raw().as_bytes()[..12].to_vec();
        bytes[8] = 2;
        let found = parse(&bytes, PathBuf::new());
        assert!(matches!(
            found,
            Err(Error::NewerFormat {
                found: 2,
                supported: 1,
                ..
            })
        ));
    }
}
