//! The life of a connection, seen through its socket, on the simulator and on the real kernel.
//!
//! | file | what is shown |
//! |---|---|
//! | `order.rs` | answers leave in order, whatever resolves when; bursts; file ranges |
//! | `bounds.rs` | windows, memory, slow readers and writers, idle connections, connection counts |
//! | `muting.rs` | a muted connection is read no further, and loses nothing else |
//! | `moving.rs` | a connection that moves to another shard loses nothing |
//! | `hostile.rs` | frames that follow no rule |
//! | `ending.rs` | half closes, refusals, shutdown, dropped futures |

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod ending;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod muting;
#[cfg(test)]
mod order;
#[cfg(test)]
mod support;
