//! Reads, writes and syncs, through a ring of the shard's own.
//!
//! A wake-up by glommio's rings takes eleven system calls, a memory barrier on every core and an
//! interrupt; 45 us. A completion in this ring shows in the shard's epoll instance, beside its sockets,
//! and takes three calls: submission, sleep, collection. What is rare (opening, reserving space,
//! closing) stays with glommio.

#![expect(
    unsafe_code,
    reason = "the kernel reads buffers that only this ring knows to be kept"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use glommio::io::DmaFile;
use io_uring::squeue::Entry;
use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, opcode};

use super::buffer::AlignedBuffer;
use super::shard::{self, Seat};
use super::slots::Slots;
use super::sys;

/// Operations handed to the kernel at a time.
const ENTRIES: u32 = 256;

/// `IORING_ENTER_GETEVENTS`: let what has completed be posted. *Source*: io_uring_enter(2).
const GET_EVENTS: u32 = 1;

/// The ring and the operations in flight.
pub(super) struct DiskRing {
    ring: RefCell<IoUring>,
    /// Counts completions. The ring's own descriptor tells only of those that were asked for.
    bell: OwnedFd,
    operations: RefCell<Operations>,
}

/// 1. A slot keeps its file and its buffer from before the kernel is told until it has answered.
#[derive(Default)]
struct Operations {
    slots: Slots<Slot>,
    /// Not yet taken by the kernel, in order.
    unsubmitted: VecDeque<Entry>,
    in_flight: usize,
}

struct Slot {
    state: State,
    _file: Rc<DmaFile>,
    buffer: Option<AlignedBuffer>,
}

enum State {
    Waiting(Option<Waker>),
    /// Nobody waits any more; the answer is still to come.
    Abandoned,
    Done(i32),
}

impl DiskRing {
    /// Makes a ring for this thread.
    pub(super) fn new() -> io::Result<Self> {
        // Completions are posted when this thread asks, without an interrupt (Linux 6.1); else as ever.
        let quiet = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .build(ENTRIES);
        let ring = quiet.or_else(|_| IoUring::new(ENTRIES))?;
        let bell = sys::event_fd(0, libc::EFD_NONBLOCK)?;
        ring.submitter().register_eventfd(bell.as_raw_fd())?;
        Ok(Self {
            ring: RefCell::new(ring),
            bell,
            operations: RefCell::default(),
        })
    }

    /// Returns the descriptor that an epoll instance sees change when something has completed.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn begin(&self, file: &Rc<DmaFile>, buffer: Option<AlignedBuffer>, entry: &Entry) -> usize {
        let slot = Slot {
            state: State::Waiting(None),
            _file: Rc::clone(file),
            buffer,
        };
        let key = {
            let operations = &mut *self.operations.borrow_mut();
            let key = operations.slots.insert(slot);
            let number = u64::try_from(key).expect("slots are counted in memory");
            operations
                .unsubmitted
                .push_back(entry.clone().user_data(number));
            operations.in_flight += 1;
            key
        };
        self.submit();
        key
    }

    /// Hands to the kernel what it takes now; the rest goes with the next look.
    fn submit(&self) {
        let unsubmitted = &mut self.operations.borrow_mut().unsubmitted;
        let mut ring = self.ring.borrow_mut();
        while let Some(entry) = unsubmitted.pop_front() {
            // SAFETY: what the entry points to is kept by its slot (invariant 1).
            let pushed = unsafe { ring.submission().push(&entry) };
            if pushed.is_err() {
                unsubmitted.push_front(entry);
                break;
            }
        }
        while !ring.submission().is_empty() {
            match ring.submit() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The kernel is short of memory, or wants its completions to be taken first.
                Err(error) => {
                    tracing::debug!(%error, "the disk ring takes nothing now");
                    break;
                }
            }
        }
    }

    /// Wakes those whose operations are done and returns how many.
    pub(super) fn collect(&self) -> usize {
        let (in_flight, is_behind) = {
            let operations = self.operations.borrow();
            (operations.in_flight, !operations.unsubmitted.is_empty())
        };
        if in_flight == 0 {
            return 0;
        }
        if is_behind || !self.ring.borrow_mut().submission().is_empty() {
            self.submit();
        }
        let mut ring = self.ring.borrow_mut();
        if ring.submission().taskrun() || ring.submission().cq_overflow() {
            // SAFETY: no argument is given.
            let posted = unsafe { ring.submitter().enter::<()>(0, 0, GET_EVENTS, None) };
            if let Err(error) = posted {
                tracing::debug!(%error, "completions are posted later");
            }
        }
        let mut operations = self.operations.borrow_mut();
        let mut done = 0;
        for completion in ring.completion() {
            operations.finish(completion.user_data(), completion.result());
            done += 1;
        }
        done
    }

    /// Blocks until nothing is in flight: the thread ends, and its memory with it.
    pub(super) fn drain(&self) {
        while self.operations.borrow().in_flight > 0 {
            self.submit();
            if let Err(error) = self.ring.borrow().submit_and_wait(1) {
                tracing::debug!(%error, "waiting for the last operations");
            }
            self.collect();
        }
    }
}

impl Operations {
    fn finish(&mut self, number: u64, result: i32) {
        self.in_flight -= 1;
        let key = usize::try_from(number).expect("numbers come from `begin`");
        let slot = self
            .slots
            .get_mut(key)
            .expect("an operation is answered once, and has its slot until then");
        match std::mem::replace(&mut slot.state, State::Done(result)) {
            State::Waiting(waker) => {
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            State::Abandoned => drop(self.slots.remove(key)),
            State::Done(_) => unreachable!("an operation is answered once"),
        }
    }
}

/// An operation under way; gives the kernel's answer and the buffer. Dropped early, it goes on with
/// nobody waiting.
struct Operation {
    seat: Rc<Seat>,
    key: usize,
}

impl Future for Operation {
    type Output = io::Result<(usize, Option<AlignedBuffer>)>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut operations = self.seat.disk.operations.borrow_mut();
        let slot = operations.slots.get_mut(self.key);
        let slot = slot.expect("an operation has its slot");
        match &mut slot.state {
            State::Waiting(waker) => {
                match waker {
                    Some(waker) if waker.will_wake(context.waker()) => {}
                    _ => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            State::Done(result) => {
                let result =
                    usize::try_from(*result).map_err(|_| io::Error::from_raw_os_error(-*result));
                Poll::Ready(result.map(|count| (count, slot.buffer.take())))
            }
            State::Abandoned => unreachable!("nobody waits any more"),
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let mut operations = self.seat.disk.operations.borrow_mut();
        let slot = operations.slots.get_mut(self.key);
        let Some(slot) = slot else { return };
        match &slot.state {
            State::Done(_) => drop(operations.slots.remove(self.key)),
            State::Waiting(_) | State::Abandoned => slot.state = State::Abandoned,
        }
    }
}

/// Reads into a buffer; returns it and how much was read.
pub(super) async fn read(
    file: &Rc<DmaFile>,
    mut buffer: AlignedBuffer,
    position: u64,
) -> io::Result<(AlignedBuffer, usize)> {
    let bytes = buffer.as_mut_slice();
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let entry = opcode::Read::new(Fd(file.as_raw_fd()), bytes.as_mut_ptr(), len)
        .offset(position)
        .build();
    let (count, buffer) = run(file, Some(buffer), &entry).await?;
    Ok((buffer.expect("a read has a buffer"), count))
}

/// Writes a buffer and returns how much of it was written.
pub(super) async fn write(
    file: &Rc<DmaFile>,
    buffer: AlignedBuffer,
    position: u64,
) -> io::Result<usize> {
    let bytes = buffer.as_slice();
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    let entry = opcode::Write::new(Fd(file.as_raw_fd()), bytes.as_ptr(), len)
        .offset(position)
        .build();
    let (count, _) = run(file, Some(buffer), &entry).await?;
    Ok(count)
}

/// Makes completed writes and the size durable.
pub(super) async fn sync_data(file: &Rc<DmaFile>) -> io::Result<()> {
    let entry = opcode::Fsync::new(Fd(file.as_raw_fd()))
        .flags(FsyncFlags::DATASYNC)
        .build();
    run(file, None, &entry).await.map(drop)
}

fn run(file: &Rc<DmaFile>, buffer: Option<AlignedBuffer>, entry: &Entry) -> Operation {
    let seat = shard::seat();
    let key = seat.disk.begin(file, buffer, entry);
    Operation { seat, key }
}
