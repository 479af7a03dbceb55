//! Rules of glommio and of the kernel that this arm obeys, each where it would break.

mod files;
mod mesh;
mod pump;
mod send_file;
mod shards;
mod sockets;
mod support;
