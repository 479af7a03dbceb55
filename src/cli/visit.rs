//! A directory that is looked at and left as it was: what is not there is made, and removed again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory that is there as long as this is.
#[derive(Debug)]
pub(super) struct Visit {
    /// What was made, the outermost first.
    made: Vec<PathBuf>,
}

impl Visit {
    /// Makes the directory, and those above it, unless they are there.
    ///
    /// *Errors*: what cannot be made; what was made until then is removed.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        let named = path.ancestors().filter(|it| !it.as_os_str().is_empty());
        let missing: Vec<&Path> = named.take_while(|it| !it.exists()).collect();
        let mut visit = Self { made: Vec::new() };
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => visit.made.push(path.to_path_buf()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(visit)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // A directory that somebody else uses since stays.
            let _in_use = fs::remove_dir(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_visit_made_is_removed() {
        let root = std::env::temp_dir().join(format!("riverrun-visit-{}", std::process::id()));
        fs::create_dir(&root).unwrap();
        let deep = root.join("a/b");
        let visit = Visit::begin(&deep).unwrap();
        assert!(deep.is_dir());
        drop(Visit::begin(&deep).unwrap());
        assert!(deep.is_dir(), "it was there before");
        drop(visit);
        assert!(root.is_dir() && !root.join("a").exists());
        fs::write(root.join("file"), "").unwrap();
        assert!(Visit::begin(&root.join("file/c")).is_err());
        fs::remove_dir_all(&root).unwrap();
    }
}
