//! Whole lives of a coordinator, each from one seed: members that join, commit, pause, crash and come
//! back, requests that are late or come twice, a log that is slow and fails, and a coordinator that
//! crashes and replays.
//!
//! A life that breaks a promise is named by its seed, which is the whole bug report. What is promised
//! is in `promises`; that the promises can be broken is shown with mutants:
//! `cargo test -p coordinator --features mutants`.

mod campaign;
mod chance;
mod life;
mod member;
mod promises;
