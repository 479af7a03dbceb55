//! The simulated disk: files whose unsynced sectors a power failure may take, names whose
//! directories were not synced likewise, limited space, and planned faults.
//!
//! | file | noun |
//! |---|---|
//! | `content` | the bytes of a file and what each sector could hold after a crash |
//! | `extents` | which blocks take space |
//! | `inode` | a file: content, space, who needs it |
//! | `namespace` | the directory tree and which names are durable |
//! | `volume` | one disk: tree, space, plan of faults |
//! | `file`, `directory` | the operations of the public layer |

pub(crate) mod content;
pub(crate) mod directory;
mod extents;
pub(crate) mod file;
pub(crate) mod inode;
pub(crate) mod namespace;
mod volume;

pub(crate) use volume::Disk;
