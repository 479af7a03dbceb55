//! Tests of the protocol against what others say it is, and against what nobody should send.
//!
//! | module | against |
//! |---|---|
//! | `schema` | the facts of Kafka's message definitions, `golden/schema.txt` |
//! | `frames` | bodies that Kafka's own library wrote, `golden/frames.txt` |
//! | `oracle` | the crate `kafka-protocol`, both ways, over generated bodies |
//! | `consumer_protocol` | the same three, for what consumers put into the bytes of a group |
//! | `hostile` | absurd counts, cut bodies, arbitrary bytes |
//! | `views` | our own owned structures: views and writers of Produce and Fetch agree with them |
//! | `headers` | headers and frames |
//! | `protocol_doc` | `docs/protocol.md` |

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test they help"
)]

mod consumer_protocol;
mod debug_tree;
mod frames;
mod headers;
mod hostile;
mod oracle;
mod protocol_doc;
mod sample;
mod schema;
mod served;
mod views;
