//! `docs/protocol.md` says what the table says.
//!
//! `RIVERRUN_WRITE_DOCS=1 cargo test -p wire protocol` writes the file anew.

use std::fmt::Write as _;
use std::path::PathBuf;

use wire::api::{self, Plane};

const INTRODUCTION: &str = "\
# Protocol

<!-- Generated from net/wire/src/api.rs: RIVERRUN_WRITE_DOCS=1 cargo test -p wire protocol -->

riverrun speaks the Kafka protocol. These are the APIs and versions that it names in its
ApiVersions answer, which are the ranges of Kafka 4.3; an API that is not here is not served, and
a request for one closes the connection.

*Flexible from* is the first version with compact lengths and tagged fields (KIP-482). Requests on
the *data* plane carry records and are read in place; those on the *control* plane are decoded.

| key | API | advertised | served | flexible from | plane |
|---:|---|---|---|---:|---|
";

const NOTES: &str = "
Produce names version 0 and serves version 3 and up: librdkafka before 2.11.1 looks for version 0,
and without it sends uncompressed batches (KAFKA-18659). Versions 0 to 2 carry message formats that
Kafka 4 dropped too.

A request of ApiVersions in a version that is not served is answered in version 0, with error 35
and the versions of ApiVersions alone (KIP-511). Any other version that is not served closes the
connection, as does a frame over the size limit or a body that is not exactly what its version
prescribes.

Tagged fields are written only where they differ from their defaults: librdkafka before 2.2.0
skips them one byte short.
";

#[test]
fn protocol_page_is_generated_from_the_table() {
    let mut page = String::from(INTRODUCTION);
    for api in api::table() {
        let plane = match api.plane {
            Plane::Data => "data",
            Plane::Control => "control",
        };
        let first_flexible = match api.first_flexible {
            Some(version) => version.to_string(),
            None => "never".into(),
        };
        writeln!(
            page,
            "| {} | {} | {} | {} | {first_flexible} | {plane} |",
            api.key.wire(),
            api.name,
            api.advertised,
            api.served,
        )
        .unwrap();
    }
    page.push_str(NOTES);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    if std::env::var_os("RIVERRUN_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/protocol.md differs from the table; see this file's first lines"
    );
}
