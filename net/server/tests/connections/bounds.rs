//! Windows, memory, time and counts are bounded.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use runtime::yield_if_due;
use server::{AcceptorMetrics, ConnectionBounds, ServerOptions};
use types::ByteCount;

use crate::support::{Client, Host, LIMIT, request, within};

/// Long enough for everything that can happen without a further event.
const SETTLED: Duration = Duration::from_millis(50);

runtime::both_arms!(
    a_connection_is_read_no_further_than_its_window,
    |_dir| async move {
        let options = ServerOptions {
            requests_max: 8,
            ..ServerOptions::default()
        };
        let host = Host::start(options);
        let mut client = host.client().await;
        let burst: Vec<_> = (0..50)
            .map(|correlation| request(correlation, b"l\x01"))
            .collect();
        client.send(&burst).await;
        within(host.toy.calls.wait_until(|&calls| calls == 8)).await;
        runtime::sleep(SETTLED).await;
        assert_eq!(host.toy.calls.get(), 8);
        host.assert_serves_others().await;
        host.toy.open(1);
        for correlation in 0..50 {
            assert_eq!(client.answer().await.0, correlation);
        }
    }
);

/// A request of 16 KiB that is answered when gate 1 opens.
fn held_request(correlation: i32) -> Bytes {
    let mut body = b"l\x01".to_vec();
    body.resize(16 * 1024, 0);
    request(correlation, &body)
}

runtime::both_arms!(
    reading_stops_while_the_memory_of_the_shard_is_spent,
    |_dir| async move {
        // 256 KiB for small frames: 15 of these, over all connections.
        let memory_max = ByteCount::kib(512);
        let host = Host::start(ServerOptions {
            memory_max,
            ..ServerOptions::default()
        });
        let mut clients = Vec::new();
        for _ in 0..5 {
            let mut client = host.client().await;
            let burst: Vec<_> = (0..10).map(held_request).collect();
            client.send(&burst).await;
            clients.push(client);
        }
        within(host.toy.calls.wait_until(|&calls| calls == 15)).await;
        runtime::sleep(SETTLED).await;
        assert_eq!(host.toy.calls.get(), 15);
        assert!(host.server.metrics().memory_held <= memory_max);
        host.toy.open(1);
        for client in &mut clients {
            for correlation in 0..10 {
                assert_eq!(client.answer().await.0, correlation);
            }
        }
        host.assert_returns_its_memory().await;
    }
);

runtime::both_arms!(
    large_frames_do_not_take_the_memory_of_small_ones,
    |_dir| async move {
        let memory_max = ByteCount::mib(8);
        let host = Host::start(ServerOptions {
            memory_max,
            ..ServerOptions::default()
        });
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = host.client().await;
            // Announced and never sent: the first one holds all that large frames may hold.
            client
                .send(&[Bytes::copy_from_slice(&(90_i32 << 20).to_be_bytes())])
                .await;
            clients.push(client);
        }
        runtime::sleep(SETTLED).await;
        assert_eq!(host.server.metrics().memory_held, ByteCount::mib(90));
        host.assert_serves_others().await;
    }
);

runtime::both_arms!(an_idle_connection_is_closed, |_dir| async move {
    let host = Host::start(ServerOptions {
        idle_timeout: LIMIT,
        ..ServerOptions::default()
    });
    let mut idle = host.client().await;
    let mut busy = host.client().await;
    busy.send(&[request(0, b"l\x01")]).await; // it is owed an answer
    idle.assert_closed().await;
    assert_eq!(host.ends(1).await, [Err("idle")]);
    host.toy.open(1);
    assert_eq!(busy.answer().await.0, 0);
    assert_eq!(host.server.metrics().broken["idle"], 1);
});

runtime::both_arms!(
    a_frame_that_does_not_arrive_in_time_ends_the_connection,
    |_dir| async move {
        let frame_timeout = Duration::from_millis(200);
        let host = Host::start(ServerOptions {
            frame_timeout,
            ..ServerOptions::default()
        });
        let mut slow = host.client().await;
        slow.send(&[request(0, b"n"), request(1, b"nnever").slice(..12)])
            .await;
        assert_eq!(slow.answer().await.0, 0);
        slow.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("slow_writer")]);
        host.assert_returns_its_memory().await;
    }
);

/// A request for an answer of `size` bytes.
fn big_request(correlation: i32, size: u32) -> Bytes {
    let mut body = b"b".to_vec();
    body.put_u32(size);
    request(correlation, &body)
}

runtime::both_arms!(
    a_client_that_does_not_read_is_cut_and_holds_up_nobody,
    |_dir| async move {
        let host = Host::start(ServerOptions {
            write_timeout: LIMIT,
            ..ServerOptions::default()
        });
        let mut deaf = host.client().await;
        deaf.send(&[big_request(0, 20 << 20)]).await;
        host.assert_serves_others().await;
        assert!(host.server.metrics().memory_held >= ByteCount::mib(20));
        assert_eq!(host.ends(2).await[1], Err("slow_reader"));
        host.assert_returns_its_memory().await;
        host.assert_serves_others().await;
    }
);

runtime::both_arms!(
    answers_that_nobody_reads_stop_reading_until_they_are_cut,
    |_dir| async move {
        let options = ServerOptions {
            memory_max: ByteCount::mib(16), // 4 MiB of answers
            pressed_timeout: Duration::from_millis(300),
            ..ServerOptions::default()
        };
        let host = Host::start(options);
        let mut deaf = host.client().await;
        deaf.send(&[big_request(0, 30 << 20), big_request(1, 30 << 20)])
            .await;
        within(host.toy.calls.wait_until(|&calls| calls >= 1)).await;
        let mut other = host.client().await;
        other.send(&[request(5, b"nstill")]).await;
        assert_eq!(other.answer().await, (5, Bytes::from("still")));
        assert_eq!(host.ends(1).await, [Err("slow_reader")]);
        assert_eq!(
            host.toy.calls.get(),
            2,
            "the second big answer was never made"
        );
    }
);

runtime::both_arms!(
    a_large_answer_reaches_a_client_that_reads_on,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let size = 5_000_001;
        client
            .send(&[big_request(0, size), request(1, b"nnext")])
            .await;
        let (correlation, body) = client.answer().await;
        assert_eq!(
            (correlation, body.len()),
            (0, usize::try_from(size).unwrap())
        );
        assert!(body.iter().all(|&byte| byte == 7));
        assert_eq!(client.answer().await, (1, Bytes::from("next")));
    }
);

runtime::both_arms!(
    connections_beyond_the_bounds_are_closed_at_once,
    |_dir| async move {
        let bounds = ConnectionBounds {
            total_max: 10,
            per_address_max: 2,
        };
        let host = Host::bounded(ServerOptions::default(), bounds);
        let mut first = host.client().await;
        let mut second = host.client().await;
        for client in [&mut first, &mut second] {
            client.send(&[request(0, b"n")]).await;
            assert_eq!(client.answer().await.0, 0);
        }
        host.client().await.assert_closed().await;
        let metrics = host.acceptor.metrics();
        assert_eq!(
            metrics,
            AcceptorMetrics {
                open: 2,
                refused_total: 0,
                refused_address: 1
            }
        );
        drop(first);
        host.ends(1).await;
        host.assert_serves_others().await;
    }
);

runtime::both_arms!(
    one_connection_that_never_pauses_leaves_turns_to_others,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut flood = host.client().await;
        let address = host.address;
        let flooding = runtime::spawn(runtime::Queue::Latency, async move {
            let burst: Vec<_> = (0..500)
                .map(|correlation| request(correlation, b"n"))
                .collect();
            loop {
                flood.send(&burst).await;
                for correlation in 0..500 {
                    assert_eq!(flood.answer().await.0, correlation);
                }
                yield_if_due().await;
            }
        });
        let mut client = Client::connect(address).await;
        for correlation in 0..20 {
            client.send(&[request(correlation, b"n")]).await;
            assert_eq!(client.answer().await.0, correlation);
        }
        drop(flooding);
    }
);
