//! Connections: frames in, chunks out.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use runtime::{
    AlignedBuffer, Chunk, ChunkWriter, Connection, ConnectionLimits, File, FrameReader, Listener,
    OpenMode, Queue, bind_retrying, both_arms, connect, sleep, spawn, timeout,
};
use types::ByteCount;

const FRAME_MAX: ByteCount = ByteCount::mib(8);
const PATIENCE: Duration = Duration::from_secs(20);

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Opens a connection to oneself: the dialling side, then the accepting one.
async fn pair() -> (Connection, Connection) {
    let listener = Listener::bind(any_port()).expect("a port is free");
    let address = listener.local_addr();
    let dialling = spawn(
        Queue::Latency,
        connect(address, ConnectionLimits::default()),
    );
    let accepted = listener.accept().await.expect("somebody dials");
    assert_eq!(accepted.local_addr(), address);
    let accepting = accepted.into_connection(ConnectionLimits::default());
    let dialling = dialling.await.expect("somebody listens");
    let accepting = accepting.expect("the connection stands");
    assert_eq!(dialling.peer_addr(), address);
    assert_eq!(dialling.local_addr(), accepting.peer_addr());
    assert_eq!(accepting.local_addr(), address);
    (dialling, accepting)
}

fn frame(content: &[u8]) -> Chunk {
    let length = i32::try_from(content.len()).expect("frames are small");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    Chunk::Memory(bytes.into())
}

fn raw(bytes: &'static [u8]) -> Chunk {
    Chunk::Memory(Bytes::from_static(bytes))
}

/// Bytes that tell their place.
fn pattern(len: usize) -> Vec<u8> {
    let byte = |place: usize| u8::try_from((place / 3 + place / 4096) % 251).expect("below 251");
    (0..len).map(byte).collect()
}

/// Sends back every frame, until the end.
async fn echo(mut reader: FrameReader, mut writer: ChunkWriter) {
    while let Some(content) = reader.frame(FRAME_MAX).await.expect("frames are whole") {
        writer.queue(frame(&content));
        if !reader.has_frame() {
            writer.flush().await.expect("the peer reads");
        }
    }
    writer.close().await.expect("the peer reads to the end");
}

both_arms!(
    frames_of_every_size_come_back_as_they_were_sent,
    |_dir| async {
        let (dialling, accepting) = pair().await;
        let (reader, writer) = accepting.split();
        let server = spawn(Queue::Latency, echo(reader, writer));
        let (mut reader, mut writer) = dialling.split();
        for size in [0, 1, 5, 4091, 4092, 4093, 65_536, 1_000_000, 3_000_000, 17] {
            let content = pattern(size);
            writer.queue(frame(&content));
            // A large frame fills the windows: both directions move together.
            let sending = spawn(Queue::Latency, async move {
                writer.flush().await.unwrap();
                writer
            });
            let received = reader.frame(FRAME_MAX).await.unwrap().unwrap();
            assert!(received == content, "{size} bytes");
            writer = sending.await;
        }
        writer.close().await.unwrap();
        assert_eq!(reader.frame(FRAME_MAX).await.unwrap(), None);
        server.await;
    }
);

both_arms!(many_small_frames_are_cut_apart_in_order, |_dir| async {
    let (dialling, accepting) = pair().await;
    let (mut reader, _writer) = accepting.split();
    let (_reader, mut writer) = dialling.split();
    let sender = spawn(Queue::Latency, async move {
        for number in 0..5000_u32 {
            writer.queue(frame(&number.to_be_bytes()));
            if number % 700 == 0 {
                writer.flush().await.unwrap();
            }
        }
        writer.close().await.unwrap();
    });
    let mut together = 0;
    for number in 0..5000_u32 {
        let ready = reader.has_frame();
        together += u32::from(ready);
        let wait = if ready { Duration::ZERO } else { PATIENCE };
        let received = timeout(wait, reader.frame(ByteCount(4))).await.unwrap();
        assert_eq!(received.unwrap().unwrap()[..], number.to_be_bytes());
    }
    assert!(
        together > 2500,
        "most were served without another read: {together}"
    );
    assert!(!reader.has_frame());
    assert_eq!(reader.frame(ByteCount(4)).await.unwrap(), None);
    sender.await;
});

both_arms!(a_length_out_of_bounds_is_refused_at_once, |_dir| async {
    for length in [&[0xff, 0xff, 0xff, 0xff], &[0x80, 0, 0, 0], &[0, 0, 4, 1]] {
        let (dialling, accepting) = pair().await;
        let (mut reader, _writer) = accepting.split();
        let (_reader, mut writer) = dialling.split();
        writer.queue(raw(length));
        writer.flush().await.unwrap();
        // Nothing of the frame itself is ever sent.
        let refused = timeout(PATIENCE, reader.frame(ByteCount(1024)))
            .await
            .unwrap();
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidData);
        assert!(!reader.has_frame());
    }
});

both_arms!(
    an_end_within_a_frame_is_an_error_wherever_it_is_cut,
    |_dir| async {
        const WHOLE: &[u8] = b"\0\0\0\x05hello";
        for cut in 1..WHOLE.len() {
            let (dialling, accepting) = pair().await;
            let (mut reader, _writer) = accepting.split();
            let (_reader, mut writer) = dialling.split();
            writer.queue(raw(&WHOLE[..cut]));
            writer.close().await.unwrap();
            let ended = reader.frame(FRAME_MAX).await.unwrap_err();
            assert_eq!(ended.kind(), ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }
);

both_arms!(
    answers_still_flow_after_the_peer_has_finished,
    |_dir| async {
        let (dialling, accepting) = pair().await;
        let (mut server_reader, mut server_writer) = accepting.split();
        let (mut reader, mut writer) = dialling.split();
        writer.queue(frame(b"question"));
        writer.close().await.unwrap();
        let question = server_reader.frame(FRAME_MAX).await.unwrap().unwrap();
        assert_eq!(question, &b"question"[..]);
        assert_eq!(server_reader.frame(FRAME_MAX).await.unwrap(), None);
        server_writer.queue(frame(&pattern(100_000)));
        let answering = spawn(Queue::Latency, server_writer.close());
        let answer = reader.frame(FRAME_MAX).await.unwrap().unwrap();
        assert_eq!(answer, pattern(100_000));
        answering.await.unwrap();
        assert_eq!(reader.frame(FRAME_MAX).await.unwrap(), None);
    }
);

both_arms!(a_dropped_connection_is_aborted, |_dir| async {
    let (dialling, accepting) = pair().await;
    let (mut reader, mut writer) = accepting.split();
    drop(dialling);
    let ended = timeout(PATIENCE, reader.frame(FRAME_MAX)).await.unwrap();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    writer.queue(frame(&pattern(1_000_000)));
    assert!(timeout(PATIENCE, writer.flush()).await.unwrap().is_err());
});

both_arms!(a_reader_that_stops_stops_the_writer, |_dir| async {
    let (dialling, accepting) = pair().await;
    let (mut reader, _writer) = accepting.split();
    let (_reader, mut writer) = dialling.split();
    let content = pattern(6_000_000);
    for _ in 0..4 {
        writer.queue(frame(&content));
    }
    let whole = writer.queued();
    assert_eq!(whole, ByteCount(4 * 6_000_004));
    let stuck = Duration::from_millis(300);
    assert!(timeout(stuck, writer.flush()).await.is_err());
    let left = writer.queued();
    assert!(left > ByteCount::ZERO && left < whole, "{left} of {whole}");
    // Cut short, the flush is called again, and nothing is lost or sent twice.
    let sending = spawn(Queue::Latency, async move { writer.close().await });
    for _ in 0..4 {
        let received = reader.frame(FRAME_MAX).await.unwrap().unwrap();
        assert!(received == content, "the frame is as it was sent");
    }
    assert_eq!(reader.frame(FRAME_MAX).await.unwrap(), None);
    sending.await.unwrap();
});

both_arms!(a_frame_read_that_is_cut_short_loses_nothing, |_dir| async {
    let (dialling, accepting) = pair().await;
    let (mut reader, _writer) = accepting.split();
    let (_reader, mut writer) = dialling.split();
    let sending = spawn(Queue::Latency, async move {
        for part in [&b"\0\0"[..], b"\0\x0bhel", b"lo ", b"world"] {
            writer.queue(Chunk::Memory(Bytes::copy_from_slice(part)));
            writer.flush().await.unwrap();
            sleep(Duration::from_millis(7)).await;
        }
        writer
    });
    let mut cut = 0;
    let received = loop {
        match timeout(Duration::from_millis(2), reader.frame(FRAME_MAX)).await {
            Ok(received) => break received.unwrap().unwrap(),
            Err(_) => cut += 1,
        }
    };
    assert_eq!(received, &b"hello world"[..]);
    assert!(cut > 0, "some waits were cut short");
    drop(sending.await);
});

both_arms!(
    file_ranges_and_memory_leave_in_the_order_queued,
    |dir| async move {
        const BLOCK: usize = 4096;
        let file = File::open(&dir.join("f"), OpenMode::Create).await.unwrap();
        let mut buffer = AlignedBuffer::zeroed(300 * BLOCK);
        let content = pattern(300 * BLOCK);
        buffer.copy_from_slice(&content);
        file.write_at(buffer, 0).await.unwrap();
        let (dialling, accepting) = pair().await;
        let (mut reader, _writer) = accepting.split();
        let (_reader, mut writer) = dialling.split();
        let range = |position: usize, length: usize| Chunk::File {
            reader: file.reader(),
            position: u64::try_from(position).unwrap(),
            length: u64::try_from(length).unwrap(),
        };
        let ranges = [(0, 1), (777, 1_000_001), (299 * BLOCK, BLOCK), (5, 0)];
        let mut expected = Vec::new();
        let total: usize = ranges.iter().map(|(_, length)| length + 3).sum();
        writer.queue(Chunk::Memory(Bytes::copy_from_slice(
            &u32::try_from(total).unwrap().to_be_bytes(),
        )));
        for (position, length) in ranges {
            writer.queue(raw(b"abc"));
            writer.queue(range(position, length));
            expected.extend_from_slice(b"abc");
            expected.extend_from_slice(&content[position..position + length]);
        }
        // The descriptor in the queue keeps the bytes reachable.
        file.close().await.unwrap();
        let sending = spawn(Queue::Latency, writer.close());
        let received = reader.frame(FRAME_MAX).await.unwrap().unwrap();
        assert!(received == expected, "ranges arrive whole and in order");
        sending.await.unwrap();
        assert_eq!(reader.frame(FRAME_MAX).await.unwrap(), None);
    }
);

both_arms!(a_file_range_past_the_end_is_an_error, |dir| async move {
    let file = File::open(&dir.join("f"), OpenMode::Create).await.unwrap();
    file.write_at(AlignedBuffer::zeroed(4096), 0).await.unwrap();
    let (dialling, _accepting) = pair().await;
    let (_reader, mut writer) = dialling.split();
    writer.queue(Chunk::File {
        reader: file.reader(),
        position: 4000,
        length: 200,
    });
    let ended = timeout(PATIENCE, writer.flush()).await.unwrap();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.close().await.unwrap();
});

both_arms!(unframed_bytes_come_as_they_arrive, |_dir| async {
    let (dialling, accepting) = pair().await;
    let (mut reader, _writer) = accepting.split();
    let (_reader, mut writer) = dialling.split();
    writer.queue(raw(b"GET / HTTP/1.1\r\n\r\n"));
    writer.close().await.unwrap();
    let mut received = Vec::new();
    while let Some(bytes) = reader.bytes().await.unwrap() {
        assert!(!bytes.is_empty());
        received.extend_from_slice(&bytes);
    }
    assert_eq!(received, b"GET / HTTP/1.1\r\n\r\n");
});

both_arms!(
    a_port_is_refused_while_it_is_taken_and_after_it_is_closed,
    |_dir| async {
        let listener = Listener::bind(any_port()).unwrap();
        let address = listener.local_addr();
        assert_ne!(address.port(), 0);
        let taken = Listener::bind(address).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let closing = spawn(Queue::Latency, async move {
            sleep(Duration::from_millis(100)).await;
            drop(listener);
        });
        // It gives up after a while, in which a machine that stalls may not have closed the other.
        let again = bind_retrying(address).await;
        closing.await;
        let listener = again.or_else(|_| Listener::bind(address)).unwrap();
        drop(listener);
        sleep(Duration::from_millis(10)).await;
        let refused = connect(address, ConnectionLimits::default())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
);
