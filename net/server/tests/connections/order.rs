//! Answers leave in the order of their requests.

use bytes::Bytes;
use runtime::{AlignedBuffer, Chunk, File, OpenMode};
use server::ServerOptions;
use types::BLOCK_SIZE;
use wire::api::ApiKey;

use crate::support::{Host, framed, header, request};

runtime::both_arms!(
    an_answer_carries_the_correlation_id_of_its_request,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        for (correlation, text) in [(7, &b"nseven"[..]), (-1, b"n"), (i32::MAX, b"nmost")] {
            client.send(&[request(correlation, text)]).await;
            assert_eq!(
                client.answer().await,
                (correlation, Bytes::copy_from_slice(&text[1..]))
            );
        }
    }
);

runtime::both_arms!(
    flexible_versions_have_tagged_fields_in_both_headers,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let mut flexible = header(3, 9, 5);
        flexible.extend([1, 9, 2, b'?', b'?']); // one tag that nobody knows
        client.send(&[framed(&flexible, b"nbody")]).await;
        assert_eq!(client.answer().await, (5, Bytes::from_static(b"\0body")));
        // But never in the response header of ApiVersions.
        let mut flexible = header(18, 3, 6);
        flexible.push(0);
        client.send(&[framed(&flexible, b"nbody")]).await;
        assert_eq!(client.answer().await, (6, Bytes::from_static(b"body")));
    }
);

runtime::both_arms!(
    answers_that_resolve_out_of_order_leave_in_order,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let requests = [
            request(0, b"l\x01first"),
            request(1, b"l\x02second"),
            request(2, b"nthird"),
            request(3, b"l\x03fourth"),
        ];
        client.send(&requests).await;
        host.toy.calls.wait_until(|&calls| calls == 4).await;
        for gate in [3, 2, 1] {
            assert!(
                runtime::timeout(std::time::Duration::from_millis(20), client.answer())
                    .await
                    .is_err()
            );
            host.toy.open(gate);
        }
        for (correlation, text) in [(0, "first"), (1, "second"), (2, "third"), (3, "fourth")] {
            assert_eq!(client.answer().await, (correlation, Bytes::from(text)));
        }
    }
);

runtime::both_arms!(
    a_call_that_waits_holds_back_the_next_call_of_its_connection,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client
            .send(&[request(0, b"w\x01a"), request(1, b"nb")])
            .await;
        host.toy.calls.wait_until(|&calls| calls == 1).await;
        host.assert_serves_others().await;
        assert_eq!(
            host.toy.calls.get(),
            2,
            "the other connection's, not the second of this one"
        );
        host.toy.open(1);
        assert_eq!(client.answer().await, (0, Bytes::from("a")));
        assert_eq!(client.answer().await, (1, Bytes::from("b")));
    }
);

runtime::both_arms!(
    ten_thousand_pipelined_requests_are_answered_in_order,
    |_dir| async move {
        const COUNT: i32 = 10_000;
        let host = Host::start(ServerOptions::default());
        host.toy.open(1);
        let mut client = host.client().await;
        let bodies: [&[u8]; 3] = [b"nnow", b"l\x01later", b"w\x01waited"];
        let mut correlation = 0;
        // As much as the sockets hold; the client reads before it sends more.
        while correlation < COUNT {
            let burst: Vec<_> = (correlation..correlation + 1000)
                .map(|correlation| {
                    let kind = usize::try_from(correlation).unwrap() % bodies.len();
                    request(correlation, bodies[kind])
                })
                .collect();
            client.send(&burst).await;
            for expected in correlation..correlation + 1000 {
                assert_eq!(client.answer().await.0, expected);
            }
            correlation += 1000;
        }
        let metrics = host.server.metrics();
        let api = &metrics.apis[&ApiKey::Metadata];
        assert_eq!((api.requests, api.errors), (10_000, 0));
        assert_eq!(api.latencies.count(), 10_000);
        host.assert_returns_its_memory().await;
        assert_eq!(host.toy.in_flight.get(), 0);
    }
);

runtime::both_arms!(requests_without_an_answer_leave_no_gap, |_dir| async move {
    let host = Host::start(ServerOptions::default());
    let mut client = host.client().await;
    let mut burst: Vec<_> = (0..200)
        .map(|correlation| request(correlation, b"x"))
        .collect();
    burst.push(request(200, b"nend"));
    client.send(&burst).await;
    assert_eq!(client.answer().await, (200, Bytes::from("end")));
    assert_eq!(host.server.metrics().apis[&ApiKey::Metadata].requests, 201);
});

runtime::both_arms!(
    file_ranges_stand_between_the_bytes_around_them,
    |dir| async move {
        const BLOCKS: u64 = 700; // several flushes
        let host = Host::start(ServerOptions::default());
        let file = File::open(&dir.join("range"), OpenMode::CreateNew)
            .await
            .unwrap();
        let size = usize::try_from(BLOCKS * BLOCK_SIZE).unwrap();
        let mut buffer = AlignedBuffer::zeroed(size);
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = u8::try_from(index % 251).unwrap();
        }
        let content = Bytes::copy_from_slice(&buffer);
        file.write_at(buffer, 0).await.unwrap();
        let (position, length) = (10, BLOCKS * BLOCK_SIZE - 20);
        *host.toy.file.borrow_mut() = Some(Chunk::File {
            reader: file.reader(),
            position,
            length,
        });

        let mut client = host.client().await;
        client
            .send(&[request(0, b"f"), request(1, b"nsmall"), request(2, b"f")])
            .await;
        let expected = [b"before", &content[10..size - 10], b"behind"].concat();
        for correlation in 0..3 {
            let (found, body) = client.answer().await;
            assert_eq!(found, correlation);
            let expected = if correlation == 1 {
                &b"small"[..]
            } else {
                &expected[..]
            };
            assert!(body == expected, "answer {correlation} has other bytes");
        }
        let api = &host.server.metrics().apis[&ApiKey::Metadata];
        let bytes_out = 2 * (u64::try_from(expected.len()).unwrap() + 8) + 8 + 5;
        assert_eq!(api.bytes_out, bytes_out);
        file.close().await.unwrap();
    }
);
