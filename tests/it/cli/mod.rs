//! The commands that a person or a script types: `topic`, `produce`, `consume`,
//! `config`, `cluster`.

mod bench;
mod clusters;
mod configs;
mod following;
mod life;
mod reading;
mod records;
mod topics;
