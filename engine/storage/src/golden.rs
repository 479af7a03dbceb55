//! Files of every format as an earlier release wrote them: they stay readable for ever.
//!
//! A test builds the same content and compares. A new version of a format gets a new file; to make
//! it, run the test once with `RIVERRUN_WRITE_GOLDEN=1`.

use std::path::Path;

/// Compares what is written today with what was written then; returns the latter, to be read.
pub(crate) fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("RIVERRUN_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, written).unwrap();
    }
    let then = std::fs::read(&path).unwrap();
    assert!(then == written, "{name} is written differently today");
    then
}
