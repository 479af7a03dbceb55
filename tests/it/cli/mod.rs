//! The commands that a person or a script types: `topic`, `produce`, `consume`.

mod bench;
mod following;
mod life;
mod reading;
mod records;
mod topics;
