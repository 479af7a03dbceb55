//! System calls that neither std nor socket2 offers, each behind a safe and checked function.

#![expect(
    unsafe_code,
    reason = "system calls; but for mapped memory, nothing here keeps a pointer after its call"
)]

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use glommio::io::BufferedFile;
use glommio::net::TcpStream;
use types::ByteCount;

use crate::dir::DiskSpace;

/// Turns a result of -1 into the thread's last error.
fn check(result: libc::c_long) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Makes an eventfd that closes on exec. Blocking, so that a ring's read of it waits.
pub(super) fn event_fd(initial: u32, flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::eventfd(initial, flags | libc::EFD_CLOEXEC) };
    own(fd)
}

/// Adds to an eventfd.
///
/// *Errors*: none that a caller can act on; the counter is 64 bits wide and never near its end.
pub(super) fn event_add(fd: BorrowedFd<'_>, count: u64) -> io::Result<()> {
    let bytes = count.to_ne_bytes();
    // SAFETY: `bytes` is readable for its length during the call.
    let written = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    check(isize_to_long(written)).map(drop)
}

/// Blocks SIGTERM and SIGINT on this thread and on those it starts from now on.
pub(super) fn block_signals() -> io::Result<()> {
    let set = signal_set();
    // SAFETY: `set` is initialised; a null old set is allowed.
    let result =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    match result {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Makes a descriptor that reads the signals blocked by [`block_signals`].
pub(super) fn signal_fd() -> io::Result<OwnedFd> {
    let set = signal_set();
    // SAFETY: `set` is initialised; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    own(fd)
}

fn signal_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is valid for writing; the call initialises all of the set and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by the call before.
    let mut set = unsafe { set.assume_init() };
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: `set` is initialised and `signal` a valid number.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// Registers the process for the expedited memory barrier that glommio uses before every sleep.
///
/// While the process has one thread this takes microseconds, later milliseconds. A kernel without it
/// is no error: glommio finds another way.
pub(super) fn register_memory_barrier() {
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
    // SAFETY: no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0, 0) };
}

/// Fills the front of a buffer with random bytes and returns how many.
pub(super) fn random(bytes: &mut [u8]) -> io::Result<usize> {
    // SAFETY: `bytes` is writable for its length during the call.
    let count = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    check(isize_to_long(count))
}

/// Returns the cores in this thread's affinity.
pub(super) fn affinity() -> io::Result<Vec<usize>> {
    // A set of 1,024 cores is what libc offers and more than a node may have shards.
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: the pointer is valid for writing `size` bytes.
    let result = unsafe { libc::sched_getaffinity(0, size, set.as_mut_ptr()) };
    check(result.into())?;
    // SAFETY: zeroed, and a set of bits has no invalid value.
    let set = unsafe { set.assume_init() };
    let cores = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    Ok((0..cores)
        .filter(|&core| {
            // SAFETY: `core` is below CPU_SETSIZE.
            unsafe { libc::CPU_ISSET(core, &set) }
        })
        .collect())
}

/// Returns the soft limit of a resource; `None` is unlimited.
pub(super) fn limit(resource: libc::__rlimit_resource_t) -> io::Result<Option<u64>> {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: the pointer is valid for writing.
    let result = unsafe { libc::getrlimit(resource, limit.as_mut_ptr()) };
    check(result.into())?;
    // SAFETY: zeroed, and any value is valid.
    let limit = unsafe { limit.assume_init() };
    Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
}

/// Returns the kernel's release, such as `6.18.44`.
pub(super) fn kernel_release() -> io::Result<String> {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the pointer is valid for writing.
    let result = unsafe { libc::uname(name.as_mut_ptr()) };
    check(result.into())?;
    // SAFETY: zeroed, and any value is valid.
    let name = unsafe { name.assume_init() };
    let release: Vec<u8> = name
        .release
        .iter()
        .map(|&byte| byte.cast_unsigned())
        .take_while(|&byte| byte != 0)
        .collect();
    Ok(String::from_utf8_lossy(&release).into_owned())
}

/// Returns the room on the file system that holds `path`.
pub(super) fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends with a zero byte; `stat` is valid for writing.
    let result = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    check(result.into())?;
    // SAFETY: zeroed, and any value is valid.
    let stat = unsafe { stat.assume_init() };
    let bytes = |blocks: u64| ByteCount(blocks.saturating_mul(stat.f_frsize));
    Ok(DiskSpace {
        total: bytes(stat.f_blocks),
        free: bytes(stat.f_bavail),
    })
}

/// What a trial of io_uring showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RingTrial {
    /// A ring can be made and asked what it can do.
    Works,
    /// `io_uring_setup` failed with this error number.
    SetupDenied(i32),
    /// `io_uring_register` failed with this error number.
    RegisterDenied(i32),
}

/// Tries what glommio does first, and panics over when it fails: makes a ring and probes it.
pub(super) fn try_ring() -> RingTrial {
    const REGISTER_PROBE: libc::c_int = 8;
    const PARAMS_SIZE: usize = 120;
    const PROBE_OPS: usize = 64;
    // struct io_uring_params and struct io_uring_probe: zeros in, plain integers out.
    let mut params = [0_u64; PARAMS_SIZE / 8];
    // SAFETY: `params` is writable for the 120 bytes that the kernel knows of.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 2, params.as_mut_ptr()) };
    let ring = match check(ring).and_then(|fd| own(RawFd::try_from(fd).unwrap_or(-1))) {
        Ok(ring) => ring,
        Err(error) => return RingTrial::SetupDenied(error.raw_os_error().unwrap_or(0)),
    };
    let mut probe = [0_u64; 2 + PROBE_OPS];
    // SAFETY: `probe` is writable for its head of 16 bytes and 64 operations of 8 bytes.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            REGISTER_PROBE,
            probe.as_mut_ptr(),
            PROBE_OPS,
        )
    };
    match check(result) {
        Ok(_) => RingTrial::Works,
        Err(error) => RingTrial::RegisterDenied(error.raw_os_error().unwrap_or(0)),
    }
}

/// Sets how many kernel workers the rings of this thread may use, and returns what it was before:
/// bounded ones (files), unbounded ones (the rest). Zero leaves a limit as it is.
pub(super) fn ring_workers_max(ring: RawFd, limits: [u32; 2]) -> io::Result<[u32; 2]> {
    const REGISTER_IOWQ_MAX_WORKERS: libc::c_int = 19;
    let mut limits = limits;
    // SAFETY: `limits` is readable and writable for two integers; a descriptor that is no ring is
    // an error and nothing else.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring,
            REGISTER_IOWQ_MAX_WORKERS,
            limits.as_mut_ptr(),
            limits.len(),
        )
    };
    check(result).map(|_| limits)
}

/// Answers of `cachestat`, in pages. *Source*: cachestat(2), struct cachestat.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CacheStat {
    pub(super) cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// Counts the pages of a file range that are in the page cache.
///
/// *Errors*: `ENOSYS` before Linux 6.5, `EOPNOTSUPP` for file systems without a page cache.
pub(super) fn cache_stat(fd: BorrowedFd<'_>, position: u64, length: u64) -> io::Result<CacheStat> {
    const SYS_CACHESTAT: libc::c_long = 451;
    let range = [position, length];
    let mut stat = CacheStat::default();
    // SAFETY: `range` is readable as two integers, `stat` writable as five, the layout the kernel has.
    let result = unsafe {
        libc::syscall(
            SYS_CACHESTAT,
            fd.as_raw_fd(),
            range.as_ptr(),
            &raw mut stat,
            0,
        )
    };
    check(result).map(|_| stat)
}

/// Sends up to `count` bytes of a file from `position` on; `WouldBlock` when the socket is full.
pub(super) fn send_file(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    position: u64,
    count: usize,
) -> io::Result<usize> {
    let mut offset = libc::off_t::try_from(position).map_err(io::Error::other)?;
    // SAFETY: `offset` is readable and writable during the call.
    let sent =
        unsafe { libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count) };
    check(isize_to_long(sent))
}

/// Receives into the spare capacity of a buffer, without waiting.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut BytesMut) -> io::Result<usize> {
    let spare = buffer.spare_capacity_mut();
    // SAFETY: the spare capacity is writable for its length; the kernel only writes to it.
    let received = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            spare.as_mut_ptr().cast(),
            spare.len(),
            libc::MSG_DONTWAIT,
        )
    };
    let received = check(isize_to_long(received))?;
    // SAFETY: the kernel has written `received` bytes, no more than the spare capacity.
    unsafe { buffer.advance_mut(received) };
    Ok(received)
}

/// What epoll tells about one descriptor. *Source*: epoll_ctl(2), struct epoll_event.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Event(libc::epoll_event);

impl Default for Event {
    fn default() -> Self {
        Self(libc::epoll_event { events: 0, u64: 0 })
    }
}

impl Event {
    /// Returns the number given at the registration.
    pub(super) fn key(self) -> u64 {
        self.0.u64
    }

    /// Returns whether a read may give something: data, the end, an error.
    pub(super) fn is_readable(self) -> bool {
        self.has(libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR)
    }

    /// Returns whether a write may succeed, or fail for good.
    pub(super) fn is_writable(self) -> bool {
        self.has(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR)
    }

    /// Returns whether the peer sends no more.
    pub(super) fn has_ended(self) -> bool {
        self.has(libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR)
    }

    fn has(self, flags: libc::c_int) -> bool {
        self.0.events & flags.cast_unsigned() != 0
    }
}

/// Makes an epoll instance that closes on exec.
pub(super) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the result is checked before it is owned.
    own(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// Registers a descriptor for both directions, edge-triggered.
pub(super) fn epoll_add(epoll: BorrowedFd<'_>, socket: BorrowedFd<'_>, key: u64) -> io::Result<()> {
    let flags = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
    let mut event = libc::epoll_event {
        events: flags.cast_unsigned(),
        u64: key,
    };
    // SAFETY: `event` is readable during the call.
    let result = unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            socket.as_raw_fd(),
            &raw mut event,
        )
    };
    check(result.into()).map(drop)
}

/// Takes a socket out of an epoll instance.
pub(super) fn epoll_remove(epoll: BorrowedFd<'_>, socket: BorrowedFd<'_>) -> io::Result<()> {
    let (epoll, socket) = (epoll.as_raw_fd(), socket.as_raw_fd());
    // SAFETY: no event is read for a removal.
    let result =
        unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, socket, std::ptr::null_mut()) };
    check(result.into()).map(drop)
}

/// Takes the events there are, without waiting, and returns how many.
pub(super) fn epoll_collect(epoll: BorrowedFd<'_>, events: &mut [Event]) -> io::Result<usize> {
    let room = libc::c_int::try_from(events.len()).unwrap_or(libc::c_int::MAX);
    // SAFETY: `events` is writable for `room` records of the kernel's layout.
    let count = unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr().cast(), room, 0) };
    match check(count.into()) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        result => result,
    }
}

/// Waits for events, for `longest` at most, and returns how many there are.
///
/// *Errors*: `Interrupted` by a signal or by the completions of a ring.
pub(super) fn epoll_sleep(
    epoll: BorrowedFd<'_>,
    events: &mut [Event],
    longest: Duration,
) -> io::Result<usize> {
    let room = libc::c_int::try_from(events.len()).unwrap_or(libc::c_int::MAX);
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(longest.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: longest.subsec_nanos().into(),
    };
    // SAFETY: `events` is writable for `room` records of the kernel's layout, `timeout` readable; no
    // signal mask is given.
    let count = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            events.as_mut_ptr(),
            room,
            &raw const timeout,
            std::ptr::null::<libc::sigset_t>(),
            0,
        )
    };
    check(count)
}

/// Reads from a descriptor that does not block.
pub(super) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: `buffer` is writable for its length during the call.
    let count = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    check(isize_to_long(count))
}

/// Hands a descriptor to glommio, for reading through its ring.
pub(super) fn ring_file(fd: OwnedFd) -> BufferedFile {
    let fd = std::os::fd::IntoRawFd::into_raw_fd(fd);
    // SAFETY: the descriptor was owned and is given away here, once.
    unsafe { BufferedFile::from_raw_fd(fd) }
}

/// Hands a descriptor to glommio as a stream, for polling it through its ring.
pub(super) fn ring_stream(fd: OwnedFd) -> TcpStream {
    let fd = std::os::fd::IntoRawFd::into_raw_fd(fd);
    // SAFETY: the descriptor was owned and is given away here, once.
    unsafe { TcpStream::from_raw_fd(fd) }
}

/// Duplicates a descriptor; the copy closes on exec.
pub(super) fn duplicate(fd: &impl AsFd) -> io::Result<OwnedFd> {
    fd.as_fd().try_clone_to_owned()
}

fn own(fd: RawFd) -> io::Result<OwnedFd> {
    check(fd.into())?;
    // SAFETY: the kernel just returned it to this caller, who owns it alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn isize_to_long(value: isize) -> libc::c_long {
    libc::c_long::try_from(value).unwrap_or(-1)
}

/// Returns the processor time that this thread has taken.
pub(super) fn thread_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: room for one timespec.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    if result != 0 {
        return Duration::ZERO;
    }
    // SAFETY: the call succeeded, so it was written.
    let time = unsafe { time.assume_init() };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What the kernel gives as one page where it can, in bytes. *Source*: Documentation/admin-guide/mm/transhuge.rst.
pub(super) const HUGE_PAGE_SIZE: usize = 2 * 1024 * 1024;

/// Private memory, zero at first, that starts at a huge page.
pub(super) struct Mapping {
    start: NonNull<u8>,
    whole: (NonNull<libc::c_void>, usize),
}

impl Mapping {
    /// Maps `len` bytes and asks for huge pages; without them it is as good, but slower.
    pub(super) fn of_huge_pages(len: usize) -> io::Result<Self> {
        // Room to begin at a multiple.
        let size = len + HUGE_PAGE_SIZE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: new memory, at a place of the kernel's choice.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapped = NonNull::new(mapped).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let skip = mapped.as_ptr().align_offset(HUGE_PAGE_SIZE);
        // SAFETY: less than a huge page was skipped, of which there is one more than `len`.
        let start = unsafe { mapped.byte_add(skip) };
        // SAFETY: memory of this mapping, which nobody uses yet.
        let advised = unsafe { libc::madvise(start.as_ptr(), len, libc::MADV_HUGEPAGE) };
        if advised != 0 {
            let error = io::Error::last_os_error();
            tracing::debug!(%error, "no huge pages");
        }
        Ok(Self {
            start: start.cast(),
            whole: (mapped, size),
        })
    }

    /// Returns where it starts.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let (start, size) = self.whole;
        // SAFETY: mapped by `of_huge_pages`; whoever uses it keeps this.
        let unmapped = unsafe { libc::munmap(start.as_ptr(), size) };
        debug_assert_eq!(unmapped, 0, "the whole of a mapping");
    }
}
