//! Which of many connections have something to read, and a timer.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use types::Monotonic;

use crate::clock;
use crate::connection::Socket;
use crate::error::Error;

/// Connections told of at once; the others are told of by the next call.
const EVENTS_MAX: usize = 256;

/// A thread's set of connections.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// Makes an empty set.
    pub(crate) fn new() -> Result<Self, Error> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(io::Error::from)?;
        Ok(Self { epoll })
    }

    /// Adds a connection, to be told of as `token` for as long as there is something to read.
    pub(crate) fn add(&self, socket: &Socket, token: usize) -> Result<(), Error> {
        let token = u64::try_from(token).expect("memory is addressed with 64 bits");
        let data = epoll::EventData::new_u64(token);
        let added = epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN);
        Ok(added.map_err(io::Error::from)?)
    }

    /// Sleeps until a connection has something to read or the time has come; puts those that have
    /// into `ready`, which holds none if it was the time.
    pub(crate) fn wait(&self, until: Monotonic, ready: &mut Vec<usize>) -> Result<(), Error> {
        ready.clear();
        let left = until.since(clock::now());
        let left = Timespec::try_from(left).expect("a run is shorter than a life");
        let mut events = [const { MaybeUninit::uninit() }; EVENTS_MAX];
        let told = match epoll::wait(&self.epoll, &mut events, Some(&left)) {
            Ok((told, _)) => told,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(io::Error::from(error).into()),
        };
        let tokens = told.iter().map(|event| event.data.u64());
        ready.extend(tokens.map(|token| usize::try_from(token).expect("it was one when added")));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_connections_with_something_to_read_are_told_and_the_time_ends_the_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let poller = Poller::new().unwrap();
        let mut pairs = Vec::new();
        for token in 0..3 {
            let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (theirs, _) = listener.accept().unwrap();
            let ours = Socket::from(ours);
            poller.add(&ours, token).unwrap();
            pairs.push((ours, theirs));
        }
        let mut ready = vec![7];
        poller.wait(clock::now(), &mut ready).unwrap();
        assert!(ready.is_empty());
        pairs[1].1.write_all(b"x").unwrap();
        let later = clock::now().after(Duration::from_mins(1));
        poller.wait(later, &mut ready).unwrap();
        assert_eq!(ready, [1]);
        pairs[1].0.read_exact(&mut [0]).unwrap();
        poller.wait(clock::now(), &mut ready).unwrap();
        assert!(ready.is_empty());
    }
}
