//! Makes history cold: puts a directory's files out of the page cache.
//!
//! The advice to the kernel is given by coreutils' dd, so that this program needs no unsafe call. What is
//! not yet written back is written first: only clean pages leave the cache.
//!
//! *Source*: posix_fadvise(2), POSIX_FADV_DONTNEED; coreutils manual, dd, `oflag=nocache`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Files below a directory are looked for this deep.
const DEPTH_MAX: usize = 8;

/// Puts every file below the directory out of the page cache.
///
/// *Cost*: one short process for each file.
pub(crate) fn drop_pages(directory: &Path) -> Result<(), Error> {
    let failed = |path: &Path| {
        let doing = format!("cannot put {} out of the page cache", path.display());
        move |source| Error::System { doing, source }
    };
    for file in files(directory).map_err(failed(directory))? {
        drop_file(&file).map_err(failed(&file))?;
    }
    Ok(())
}

fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut level = vec![directory.to_owned()];
    for _ in 0..DEPTH_MAX {
        let mut next = Vec::new();
        for directory in level {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    next.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        level = next;
    }
    Ok(files)
}

fn drop_file(file: &Path) -> io::Result<()> {
    let mut output = std::ffi::OsString::from("of=");
    output.push(file);
    let status = Command::new("dd")
        .arg(output)
        .args(["oflag=nocache", "conv=notrunc,nocreat,fdatasync", "count=0"])
        .args(["if=/dev/null", "status=none"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    // A broker deletes files under our feet; those have no pages any more.
    if status.success() || !file.exists() {
        Ok(())
    } else {
        Err(io::Error::other("dd failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_bytes_and_deep_ones_are_found() {
        let root = std::env::temp_dir().join(format!("bench-cache-{}", std::process::id()));
        let deep = root.join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), [7; 10_000]).unwrap();
        let found = files(&root).unwrap();
        let dropped = drop_pages(&root);
        let bytes = fs::read(deep.join("file")).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, [deep.join("file")]);
        dropped.unwrap();
        assert_eq!(bytes, [7; 10_000]);
        assert!(drop_pages(&root).is_err(), "the directory is gone");
    }
}
