//! Integers, strings, arrays and tagged fields: the bytes that every message is made of.
//!
//! All integers are big-endian. Lengths come in two forms, by the message's version:
//!
//! | | classic | flexible (KIP-482) |
//! |---|---|---|
//! | string | int16, -1 is null | varint of length + 1, 0 is null |
//! | bytes, records | int32, -1 is null | varint of length + 1, 0 is null |
//! | array | int32, -1 is null | varint of count + 1, 0 is null |
//! | end of a structure | nothing | varint count, then (tag, size, bytes) by ascending tag |
//! | structure that may be null | | int8, negative is null, then the structure |

mod float64;
mod layout;
mod reader;
mod text;
mod writer;

pub use float64::Float64;
pub use layout::Layout;
pub use reader::{Checkpoint, Reader};
pub use text::Text;
pub use writer::Writer;
