//! The commands that a person or a script types: `topic`, `produce`, `consume`,
//! `config`, `cluster`, `group`, `quota`.

mod bench;
mod clusters;
mod configs;
mod following;
mod groups;
mod life;
mod quotas;
mod reading;
mod records;
mod topics;
