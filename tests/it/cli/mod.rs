//! The commands that a person or a script types: `topic`, `quota`, `produce`, `consume`.

mod bench;
mod following;
mod life;
mod quotas;
mod reading;
mod records;
mod topics;
