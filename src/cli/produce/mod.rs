//! `riverrun produce`: lines in, records out.
//!
//! ```text
//!  file or standard input ─► reading thread ─► blocks of whole lines ─► session ─► client
//!                                              (a few wait at most)        ▲          │
//!                                                                          └ outcomes ┘
//! ```
//!
//! A thread of its own reads, so that records which were typed are sent while the next is awaited.

mod blocks;
mod command;
mod session;
mod written;

pub(super) use command::run;
