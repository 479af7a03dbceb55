//! Makes history cold: puts a directory's files out of the page cache.
//!
//! The advice to the kernel is given by coreutils' dd, so that this program needs no unsafe call. What is
//! not yet written back is written first: only clean pages leave the cache.
//!
//! *Source*: posix_fadvise(2), POSIX_FADV_DONTNEED; coreutils manual, dd, `oflag=nocache`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Files below a directory are looked for this deep.
const DEPTH_MAX: usize = 8;

/// Smaller files hold no history worth a process.
const FILE_SIZE_MIN: u64 = 64 << 10;

/// What happens to pages that are not written back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dirty {
    /// They are written back, and leave.
    Write,
    /// They stay: writing in the middle of a measurement would be measured.
    Stay,
}

/// Puts every file of some size below the directory out of the page cache.
///
/// *Cost*: one short process for each file.
pub(crate) fn drop_pages(directory: &Path, dirty: Dirty) -> Result<(), Error> {
    let failed = |path: &Path| {
        let doing = format!("cannot put {} out of the page cache", path.display());
        move |source| Error::System { doing, source }
    };
    for file in files(directory).map_err(failed(directory))? {
        drop_file(&file, dirty).map_err(failed(&file))?;
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
                } else if kind.is_file() && is_large(&entry.path()) {
                    files.push(entry.path());
                }
            }
        }
        level = next;
    }
    Ok(files)
}

/// A file that is gone by now is not large: brokers delete files under our feet.
fn is_large(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.len() >= FILE_SIZE_MIN)
}

fn drop_file(file: &Path, dirty: Dirty) -> io::Result<()> {
    let operand = |name: &str| {
        let mut operand = OsString::from(name);
        operand.push(file);
        operand
    };
    let mut dd = Command::new("dd");
    match dirty {
        Dirty::Write => dd
            .arg(operand("of="))
            .args(["if=/dev/null", "oflag=nocache"])
            .arg("conv=notrunc,nocreat,fdatasync"),
        Dirty::Stay => dd
            .arg(operand("if="))
            .args(["of=/dev/null", "iflag=nocache"]),
    };
    let status = dd
        .args(["count=0", "status=none"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
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
        fs::write(deep.join("file"), vec![7; 100_000]).unwrap();
        fs::write(deep.join("small"), [7; 100]).unwrap();
        let found = files(&root).unwrap();
        let dropped = [Dirty::Write, Dirty::Stay].map(|dirty| drop_pages(&root, dirty));
        let bytes = fs::read(deep.join("file")).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, [deep.join("file")]);
        assert!(dropped.iter().all(Result::is_ok), "{dropped:?}");
        assert_eq!(bytes, vec![7; 100_000]);
        assert!(
            drop_pages(&root, Dirty::Stay).is_err(),
            "the directory is gone"
        );
    }
}
