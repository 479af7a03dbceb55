//! Which part of a file range is in the page cache, so that sending it does not wait for the disk.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sys;

/// The unit of the page cache.
const PAGE_SIZE: u64 = 4096;

/// Set once the kernel has said that it has no `cachestat` (before Linux 6.5).
static UNKNOWN: AtomicBool = AtomicBool::new(false);

/// Returns whether all of a range is in the page cache.
///
/// Where the kernel cannot tell, nothing counts as resident: then a read past the cache is a waste at
/// times, but no shard ever stalls.
pub(super) fn is_resident(file: &File, position: u64, length: u64) -> bool {
    if UNKNOWN.load(Ordering::Relaxed) {
        return false;
    }
    match sys::cache_stat(file.as_fd(), position, length) {
        Ok(stat) => stat.cached >= pages(position, length),
        Err(error) => {
            if error.raw_os_error() == Some(libc::ENOSYS) {
                UNKNOWN.store(true, Ordering::Relaxed);
            }
            false
        }
    }
}

/// Makes the next questions be answered as on a kernel without `cachestat`.
#[cfg(test)]
pub(super) fn pretend_unknown(unknown: bool) {
    UNKNOWN.store(unknown, Ordering::Relaxed);
}

/// Returns how many pages a range touches.
fn pages(position: u64, length: u64) -> u64 {
    if length == 0 {
        return 0;
    }
    let first = position / PAGE_SIZE;
    let last = (position + (length - 1)) / PAGE_SIZE;
    last - first + 1
}

/// Reads through the page cache, to the end of the range or of the file.
pub(super) fn read(file: &File, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = position + u64::try_from(filled).map_err(io::Error::other)?;
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_touches_every_page_it_has_a_byte_in() {
        assert_eq!(pages(0, 0), 0);
        assert_eq!(pages(0, 1), 1);
        assert_eq!(pages(0, 4096), 1);
        assert_eq!(pages(4095, 2), 2);
        assert_eq!(pages(4096, 8192), 2);
        assert_eq!(pages(100, 8192), 3);
    }
}
