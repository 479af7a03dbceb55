//! What the process takes of its machine.

use types::{BLOCK_SIZE, ByteCount};

/// Returns the resident memory of the process; `None` where the kernel does not tell.
///
/// *Source*: proc(5), the second field of `/proc/self/statm`, in pages.
/// *Cost*: one read of a file that the kernel makes on the spot.
pub fn resident_memory() -> Option<ByteCount> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    // The page size of every machine that this runs on is a block.
    Some(ByteCount(pages * BLOCK_SIZE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_some_memory() {
        assert!(resident_memory().unwrap() > ByteCount::kib(100));
    }
}
