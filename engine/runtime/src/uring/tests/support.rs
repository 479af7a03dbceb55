//! Shards, directories and connections for the tests.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{
    AlignedBuffer, ChunkWriter, Connection, ConnectionLimits, File, FrameReader, LaunchError,
    LaunchOptions, Listener, Mesh, OpenMode, connect,
};

/// Runs a body on one shard with a fresh directory.
pub(super) fn on_shard<M, F>(name: &'static str, body: M)
where
    M: Fn(PathBuf) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    crate::testing::on_uring(name, body);
}

/// Starts `count` unpinned shards.
pub(super) fn on_shards<Q, R, M, F>(count: usize, main: M) -> Result<(), LaunchError>
where
    Q: Send + 'static,
    R: Send + 'static,
    M: Fn(Mesh<Q, R>) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let options = LaunchOptions {
        cpus: vec![0; count],
        ..LaunchOptions::default()
    };
    crate::launch(&options, main)
}

/// An address of this machine with a port of the system's choice.
pub(super) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Both ends of a connection of this shard.
pub(super) struct Pair {
    pub(super) client: (FrameReader, ChunkWriter),
    pub(super) server: (FrameReader, ChunkWriter),
}

/// Connects to a listener of this shard.
pub(super) async fn pair() -> Pair {
    let listener = Listener::bind(any_port()).unwrap();
    let limits = ConnectionLimits::default();
    let client: Connection = connect(listener.local_addr(), limits).await.unwrap();
    let server = listener.accept().await.unwrap();
    Pair {
        client: client.split(),
        server: server.into_connection(limits).unwrap().split(),
    }
}

/// Bytes that differ at every place, up to a period that is no power of two.
pub(super) fn pattern(position: u64, len: usize) -> Vec<u8> {
    (position..)
        .take(len)
        .map(|at| {
            let block = at / 251;
            u8::try_from((at % 251) ^ (block % 255)).unwrap()
        })
        .collect()
}

/// Writes a file of blocks filled with the pattern.
pub(super) async fn write_pattern(path: &Path, len: usize) -> File {
    let file = File::open(path, OpenMode::CreateNew).await.unwrap();
    let mut buffer = AlignedBuffer::zeroed(len);
    buffer.copy_from_slice(&pattern(0, len));
    file.write_at(buffer, 0).await.unwrap();
    file
}

/// Runs one test of this binary in a process of its own, with a variable that tells it so.
pub(super) fn in_child(test: &str, prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env("RIVERRUN_TEST_CHILD", "1");
    prepare(&mut command);
    command.output().unwrap()
}

/// Returns whether this process was started by [`in_child`].
pub(super) fn is_child() -> bool {
    std::env::var_os("RIVERRUN_TEST_CHILD").is_some()
}
