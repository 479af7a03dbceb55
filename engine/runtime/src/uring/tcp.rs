//! Sockets: readiness from the shard's poller, system calls that never wait.
//!
//! A message costs one recv and one sendmsg. glommio's own streams are not used: they poll each socket
//! through the ring, cannot write several slices, and cannot wait for room without writing.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use socket2::{Domain, Protocol, Socket, Type};
use types::ByteCount;

use super::poller::Registration;
use super::send_file::FileSender;
use super::turn::yield_if_due;
use super::{clock, shard, sys, task};
use crate::chunk::{Chunk, SendQueue};

/// Connections the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// How long accepting pauses when descriptors or memory are spent: doubled from the first to the last.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Memory chunks in one sendmsg.
const SLICES_MAX: usize = 64;

/// Bytes in one send: about 100 us of copying, so that a large answer yields in between.
pub(super) const SEND_SIZE_MAX: usize = 512 * 1024;

/// A listening socket.
pub(crate) struct Listener {
    registration: Registration,
    socket: Socket,
    local: SocketAddr,
}

impl Listener {
    /// Listens. Not by glommio's bind: that sets SO_REUSEPORT, and a second broker on the port would
    /// silently take half of the connections.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let seat = shard::seat();
        let socket = new_socket(address)?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit both; a congestion control that the kernel lacks fails here.
        socket.set_tcp_nodelay(true)?;
        if let Some(name) = &seat.tcp_congestion {
            socket.set_tcp_congestion(name.as_bytes())?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self {
            local: internet(&socket.local_addr()?)?,
            registration: Registration::new(seat, &socket)?,
            socket,
        })
    }

    /// Returns the address listened on.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Accepts a connection; its descriptor closes on exec.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        let mut pause = PAUSE_MIN;
        loop {
            let accepted = self.socket.accept();
            let error = match accepted.and_then(|(socket, peer)| Accepted::new(socket, &peer)) {
                Ok(accepted) => return Ok(accepted),
                Err(error) => error,
            };
            match Remedy::of(&error) {
                Remedy::Retry => {}
                Remedy::Fail => return Err(error),
                Remedy::Wait => {
                    self.registration.read_blocked();
                    poll_fn(|context| self.registration.poll_readable(context)).await;
                }
                Remedy::Pause => {
                    tracing::warn!(%error, "accepting pauses");
                    task::sleep_until(clock::now().after(pause)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }
}

/// What to do about an error of accept(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// There is no connection yet.
    Wait,
    /// The connection that was to be accepted is gone.
    Retry,
    /// Descriptors or memory are spent: the connection stays in the queue, and without a pause the
    /// loop would spin.
    Pause,
    /// The listener is broken.
    Fail,
}

impl Remedy {
    fn of(error: &io::Error) -> Self {
        let Some(number) = error.raw_os_error() else {
            return Self::Pause;
        };
        match number {
            libc::EAGAIN => Self::Wait,
            // The connection was reset, or the network failed under it. *Source*: accept(2).
            libc::ECONNABORTED
            | libc::EINTR
            | libc::ENOTCONN
            | libc::ENETDOWN
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ENETUNREACH => Self::Retry,
            libc::EBADF | libc::EINVAL | libc::ENOTSOCK => Self::Fail,
            _ => Self::Pause,
        }
    }
}

/// A connection on its way to its shard.
pub(crate) struct Accepted {
    socket: Socket,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Accepted {
    fn new(socket: Socket, peer: &socket2::SockAddr) -> io::Result<Self> {
        Ok(Self {
            peer: internet(peer)?,
            local: internet(&socket.local_addr()?)?,
            socket,
        })
    }

    /// Returns the other side's address.
    pub(crate) fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the address that was dialled.
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Makes this shard the owner.
    pub(crate) fn into_halves(self) -> io::Result<(ReadHalf, WriteHalf)> {
        halves(self.socket)
    }

    /// Takes the connection from this shard.
    pub(crate) async fn reunite(read: ReadHalf, write: WriteHalf) -> io::Result<Self> {
        assert!(Rc::ptr_eq(&read.stream, &write.stream), "two halves");
        write.files.close().await;
        drop(write.stream);
        let stream = Rc::into_inner(read.stream).expect("a stream has two halves");
        let socket = stream.into_socket()?;
        Self::new(socket.0, &socket.1)
    }
}

/// An opened connection.
pub(crate) struct Connected {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) read: ReadHalf,
    pub(crate) write: WriteHalf,
}

/// Opens a connection.
pub(crate) async fn connect(address: SocketAddr) -> io::Result<Connected> {
    let socket = new_socket(address)?;
    socket.set_tcp_nodelay(true)?;
    let (read, write) = match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            let halves = halves(socket)?;
            let stream = &halves.0.stream;
            stream.registration.writable().await;
            match stream.socket().take_error()? {
                Some(error) => return Err(error),
                None => halves,
            }
        }
        result => {
            result?;
            halves(socket)?
        }
    };
    let socket = read.stream.socket();
    Ok(Connected {
        peer: internet(&socket.peer_addr()?)?,
        local: internet(&socket.local_addr()?)?,
        read,
        write,
    })
}

/// Makes a socket that never waits and closes on exec.
fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn internet(address: &socket2::SockAddr) -> io::Result<SocketAddr> {
    address
        .as_socket()
        .ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}

fn halves(socket: Socket) -> io::Result<(ReadHalf, WriteHalf)> {
    let stream = Rc::new(Stream {
        registration: Registration::new(shard::seat(), &socket)?,
        socket: Some(socket),
        finished: Cell::new(false),
    });
    let read = ReadHalf {
        stream: Rc::clone(&stream),
    };
    let write = WriteHalf {
        stream,
        files: FileSender::default(),
    };
    Ok((read, write))
}

/// What both halves share.
pub(super) struct Stream {
    registration: Registration,
    /// `None` once it was taken.
    socket: Option<Socket>,
    finished: Cell<bool>,
}

impl Stream {
    /// Returns the socket, for system calls that do not wait.
    pub(super) fn socket(&self) -> &Socket {
        let socket = self.socket.as_ref();
        socket.expect("a stream has its socket until it ends")
    }

    /// Takes the socket, which the shard's poller forgets, and the other side's address.
    fn into_socket(mut self) -> io::Result<(Socket, socket2::SockAddr)> {
        let peer = self.socket().peer_addr()?;
        self.registration.withdraw(self.socket())?;
        let socket = self.socket.take();
        Ok((socket.expect("just seen"), peer))
    }

    /// Calls until it does not block, waiting for room in between.
    pub(super) async fn when_writable(
        &self,
        mut call: impl FnMut(&Socket) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match call(self.socket()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.registration.write_blocked();
                    self.registration.writable().await;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(socket) = &self.socket
            && !self.finished.get()
        {
            // A close without this would send what is left and look like an orderly end.
            if let Err(error) = socket.set_linger(Some(Duration::ZERO)) {
                tracing::debug!(%error, "a connection ends without a reset");
            }
        }
    }
}

/// The reading half.
pub(crate) struct ReadHalf {
    stream: Rc<Stream>,
}

impl ReadHalf {
    /// Reads into the spare capacity of `buffer`, of which there is some.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        debug_assert!(buffer.capacity() > buffer.len(), "there is room for a byte");
        let (registration, socket) = (&self.stream.registration, self.stream.socket());
        loop {
            ready!(registration.poll_readable(context));
            match sys::receive(socket.as_fd(), buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    registration.read_blocked();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(received) => {
                    if buffer.len() < buffer.capacity() && received > 0 {
                        registration.read_short();
                    }
                    return Poll::Ready(Ok(received));
                }
            }
        }
    }
}

/// The writing half.
pub(crate) struct WriteHalf {
    stream: Rc<Stream>,
    files: FileSender,
}

impl WriteHalf {
    /// Sends the queue until it is empty.
    pub(crate) async fn send(&mut self, queue: &mut SendQueue) -> io::Result<()> {
        self.files.begin();
        loop {
            match queue.front() {
                None => break,
                Some(Chunk::Memory(_)) => self.send_memory(queue).await?,
                Some(Chunk::File { .. }) => self.files.send(&self.stream, queue).await?,
            }
            if !queue.is_empty() {
                yield_if_due().await;
            }
        }
        self.files.end().await;
        Ok(())
    }

    /// Sends the memory at the front of the queue, or a part of it.
    async fn send_memory(&self, queue: &mut SendQueue) -> io::Result<()> {
        let sent = self
            .stream
            .when_writable(|socket| send_vectored(socket, queue))
            .await?;
        queue.advance(ByteCount::from(sent).0);
        Ok(())
    }

    /// Ends this direction. The connection is closed, not aborted, when the other half lets go.
    pub(crate) async fn finish(self) -> io::Result<()> {
        self.stream.finished.set(true);
        let result = self.stream.socket().shutdown(Shutdown::Write);
        self.files.close().await;
        result
    }
}

/// Sends memory from the front of the queue in one call.
fn send_vectored(socket: &Socket, queue: &SendQueue) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut room = SEND_SIZE_MAX;
    let mut used = 0;
    for (slice, bytes) in slices.iter_mut().zip(queue.leading_memory()) {
        let bytes = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        *slice = IoSlice::new(bytes);
        room -= bytes.len();
        used += 1;
        if room == 0 {
            break;
        }
    }
    // More to come: the kernel may fill its segments with it.
    let more = if used < queue.len() {
        libc::MSG_MORE
    } else {
        0
    };
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | more;
    socket.send_vectored_with_flags(slices.get(..used).unwrap_or_default(), flags)
}
