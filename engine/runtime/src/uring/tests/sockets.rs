//! Listeners and connections.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use types::ByteCount;

use super::support::{Pair, any_port, in_child, is_child, on_shard, pair, pattern};
use crate::{Chunk, ConnectionLimits, Listener, Queue, spawn};

const FRAME_MAX: ByteCount = ByteCount::mib(8);

fn framed(body: &[u8]) -> Bytes {
    let length = i32::try_from(body.len()).unwrap().to_be_bytes();
    [&length, body].concat().into()
}

/// glommio's own bind shares the port: two brokers would each get half of the connections.
#[test]
fn a_second_listener_on_the_port_is_refused() {
    on_shard("second_bind", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let second = Listener::bind(listener.local_addr());
        assert_eq!(second.unwrap_err().kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn a_port_can_be_listened_on_again_right_after_its_connections_closed() {
    on_shard("bind_again", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let address = listener.local_addr();
        let client = TcpStream::connect(address).unwrap();
        let accepted = listener.accept().await.unwrap();
        // This side closes first, so the port is left in TIME_WAIT.
        drop((accepted, listener, client));
        let again = crate::bind_retrying(address).await.unwrap();
        assert_eq!(again.local_addr(), address);
    });
}

#[test]
fn an_accepted_descriptor_closes_on_exec_and_has_no_delay() {
    on_shard("accepted_flags", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let client = TcpStream::connect(listener.local_addr()).unwrap();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.peer_addr(), client.local_addr().unwrap());
        assert_eq!(accepted.local_addr(), listener.local_addr());
        let own: Vec<_> = socket_descriptors()
            .into_iter()
            .filter(|(_, socket)| socket.peer_addr().ok() == Some(accepted.peer_addr()))
            .collect();
        assert_eq!(own.len(), 1);
        for (flags, socket) in own {
            assert_ne!(flags & libc::O_CLOEXEC, 0);
            assert!(socket.nodelay().unwrap());
        }
    });
}

/// Lists the process's TCP sockets by duplicates of them, with the flags of the originals.
fn socket_descriptors() -> Vec<(i32, TcpStream)> {
    use std::os::fd::{FromRawFd, OwnedFd};
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let number: i32 = entry.file_name().to_str()?.parse().ok()?;
            target.to_str()?.starts_with("socket:").then_some(number)
        })
        .filter_map(|number| {
            let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
            // SAFETY: `dup` of any number is safe; its result is owned only when it is one.
            #[expect(unsafe_code, reason = "std duplicates only what is already owned")]
            let copy = unsafe { libc::dup(number) };
            if copy < 0 {
                return None;
            }
            // SAFETY: just returned by the kernel to this caller.
            #[expect(unsafe_code, reason = "owning the duplicate")]
            let copy = unsafe { OwnedFd::from_raw_fd(copy) };
            Some((flags, TcpStream::from(copy)))
        })
        .collect()
}

#[test]
fn frames_that_arrive_together_are_all_served_from_one_read() {
    on_shard("frames_together", |_| async move {
        let Pair {
            mut client,
            mut server,
        } = pair().await;
        let bodies: Vec<Vec<u8>> = (0..100).map(|size| pattern(size, 37)).collect();
        for body in &bodies {
            client.1.queue(Chunk::Memory(framed(body)));
        }
        client.1.flush().await.unwrap();
        let mut without_waiting = 0;
        for body in &bodies {
            without_waiting += usize::from(server.0.has_frame());
            let frame = server.0.frame(FRAME_MAX).await.unwrap().unwrap();
            assert_eq!(frame, body[..]);
        }
        assert!(without_waiting > 90, "{without_waiting}");
    });
}

#[test]
fn frames_of_all_sizes_arrive_whole_in_both_directions() {
    on_shard("frame_sizes", |_| async move {
        let Pair {
            mut client,
            mut server,
        } = pair().await;
        let sizes = [
            0, 1, 4091, 4092, 4093, 65_532, 65_536, 1_000_000, 3, 7_000_000, 10,
        ];
        let echo = spawn(Queue::Latency, async move {
            while let Some(frame) = server.0.frame(FRAME_MAX).await.unwrap() {
                server.1.queue(Chunk::Memory(framed(&frame)));
                server.1.flush().await.unwrap();
            }
            server.1.close().await.unwrap();
        });
        for size in sizes {
            let body = pattern(1, size);
            client.1.queue(Chunk::Memory(framed(&body)));
            // The echo needs its answer read while this still sends.
            let (mut reader, mut writer) = client;
            let sending = spawn(Queue::Latency, async move {
                writer.flush().await.unwrap();
                writer
            });
            let frame = reader.frame(FRAME_MAX).await.unwrap().unwrap();
            assert!(frame == body[..], "a frame of {size} bytes differs");
            client = (reader, sending.await);
        }
        client.1.close().await.unwrap();
        assert!(client.0.frame(FRAME_MAX).await.unwrap().is_none());
        echo.await;
    });
}

#[test]
fn many_small_chunks_leave_in_order() {
    on_shard("small_chunks", |_| async move {
        let Pair {
            mut client,
            mut server,
        } = pair().await;
        let body = pattern(0, 100_000);
        let mut rest = Bytes::from(body.clone());
        let mut size = 1;
        while !rest.is_empty() {
            client
                .1
                .queue(Chunk::Memory(rest.split_to(size.min(rest.len()))));
            size = size % 97 + 1;
        }
        client.1.close().await.unwrap();
        let mut received = Vec::new();
        while let Some(bytes) = server.0.bytes().await.unwrap() {
            received.extend_from_slice(&bytes);
        }
        assert!(received == body);
    });
}

#[test]
fn a_flush_waits_for_a_peer_that_does_not_read_and_can_be_dropped() {
    on_shard("back_pressure", |_| async move {
        let Pair {
            mut client,
            mut server,
        } = pair().await;
        let body = pattern(0, 32 * 1024 * 1024);
        server.1.queue(Chunk::Memory(Bytes::from(body.clone())));
        // The peer reads nothing: cut the flush short, twice.
        for _ in 0..2 {
            let cut = crate::timeout(Duration::from_millis(20), server.1.flush()).await;
            assert!(cut.is_err(), "32 MiB do not fit two socket buffers");
        }
        let taken = ByteCount::of(&body).0 - server.1.queued().0;
        assert!(taken > 0, "what fits was taken");
        let sending = spawn(Queue::Latency, async move { server.1.close().await });
        let mut received = Vec::with_capacity(body.len());
        while let Some(bytes) = client.0.bytes().await.unwrap() {
            received.extend_from_slice(&bytes);
        }
        assert!(received == body, "nothing is lost or sent twice");
        sending.await.unwrap();
    });
}

/// A long answer must not hold the shard: others are served while it leaves.
#[test]
fn other_connections_are_served_during_a_long_flush() {
    on_shard("fair_flush", |_| async move {
        let Pair {
            mut client,
            mut server,
        } = pair().await;
        let long = spawn(Queue::Latency, async move {
            for _ in 0..64 {
                server
                    .1
                    .queue(Chunk::Memory(Bytes::from(vec![1; 1024 * 1024])));
            }
            server.1.close().await.unwrap();
        });
        let reading = spawn(Queue::Latency, async move {
            while client.0.bytes().await.unwrap().is_some() {}
        });
        let mut other = pair().await;
        let started = crate::now();
        other.client.1.queue(Chunk::Memory(framed(b"ping")));
        other.client.1.flush().await.unwrap();
        let frame = other.server.0.frame(FRAME_MAX).await.unwrap().unwrap();
        assert_eq!(frame, b"ping"[..]);
        let waited = crate::now().since(started);
        long.await;
        reading.await;
        let flushed = crate::now().since(started);
        assert!(waited < flushed / 2, "{waited:?} of {flushed:?}");
    });
}

#[test]
fn dropping_both_halves_resets_and_closing_does_not() {
    on_shard("abort_or_close", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let limits = ConnectionLimits::default();
        let mut client = TcpStream::connect(listener.local_addr()).unwrap();
        let connection = listener
            .accept()
            .await
            .unwrap()
            .into_connection(limits)
            .unwrap();
        let (reader, writer) = connection.split();
        drop(writer);
        drop(reader);
        let error = client.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);

        let mut client = TcpStream::connect(listener.local_addr()).unwrap();
        let connection = listener
            .accept()
            .await
            .unwrap()
            .into_connection(limits)
            .unwrap();
        let (reader, mut writer) = connection.split();
        writer.queue(Chunk::Memory(Bytes::from_static(b"bye")));
        writer.close().await.unwrap();
        drop(reader);
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"bye");
    });
}

#[test]
fn answers_queued_when_the_peer_stops_sending_still_reach_it() {
    on_shard("half_close", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let mut client = TcpStream::connect(listener.local_addr()).unwrap();
        let limits = ConnectionLimits::default();
        let connection = listener
            .accept()
            .await
            .unwrap()
            .into_connection(limits)
            .unwrap();
        let (mut reader, mut writer) = connection.split();
        client.write_all(&framed(b"question")).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let frame = reader.frame(FRAME_MAX).await.unwrap().unwrap();
        assert!(reader.frame(FRAME_MAX).await.unwrap().is_none());
        writer.queue(Chunk::Memory(frame));
        writer.close().await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"question");
    });
}

#[test]
fn a_refused_connection_is_an_error() {
    on_shard("refused", |_| async move {
        let address = Listener::bind(any_port()).unwrap().local_addr();
        let refused = crate::connect(address, ConnectionLimits::default()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}

/// Without descriptors accepting must neither fail nor spin, and go on when there are some again.
#[test]
fn accepting_pauses_without_descriptors_and_goes_on_after() {
    if !is_child() {
        let name = "uring::tests::sockets::accepting_pauses_without_descriptors_and_goes_on_after";
        let output = in_child(name, |_| ());
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let limit = libc::rlimit {
        rlim_cur: 64,
        rlim_max: 64,
    };
    // SAFETY: `limit` is readable during the call.
    #[expect(unsafe_code, reason = "a limit for this process alone")]
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(result, 0);
    on_shard("no_descriptors", |_| async move {
        let listener = Listener::bind(any_port()).unwrap();
        let client = TcpStream::connect(listener.local_addr()).unwrap();
        let mut held = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            held.push(file);
        }
        let before = cpu_time();
        let waited = crate::timeout(Duration::from_millis(300), listener.accept()).await;
        assert!(waited.is_err(), "there is no descriptor to accept with");
        let used = cpu_time().saturating_sub(before);
        assert!(used < Duration::from_millis(100), "it spins: {used:?}");
        held.truncate(held.len() - 8);
        let accepted = crate::timeout(Duration::from_secs(5), listener.accept()).await;
        let accepted = accepted.unwrap().unwrap();
        assert_eq!(accepted.peer_addr(), client.local_addr().unwrap());
    });
}

/// Returns the processor time of this process, without opening anything.
fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable during the call.
    #[expect(unsafe_code, reason = "the clock that needs no descriptor")]
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}
