//! A muted connection is read no further, and loses nothing else.

use std::time::Duration;

use bytes::Bytes;
use server::ServerOptions;
use types::ByteCount;

use crate::support::{Host, LIMIT, request, within};

/// Long enough for everything that can happen without a further event.
const SETTLED: Duration = Duration::from_millis(50);

/// A request that mutes its connection, in the body's way `how`.
fn muting(correlation: i32, how: u8, time: Duration) -> Bytes {
    let mut body = vec![how];
    let time = u16::try_from(time.as_millis()).unwrap();
    body.extend_from_slice(&time.to_be_bytes());
    request(correlation, &body)
}

runtime::both_arms!(
    the_answer_leaves_at_once_and_what_follows_waits,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let time = Duration::from_millis(400);
        let begun = runtime::now();
        client
            .send(&[muting(0, b'm', time), request(1, b"n"), request(2, b"n")])
            .await;
        assert_eq!(client.answer().await.0, 0);
        // A machine that stalls may be seen after the mute only.
        let is_over = || runtime::now().since(begun) >= time;
        let calls = host.toy.calls.get();
        assert!(calls == 1 || is_over(), "{calls} calls");
        host.assert_serves_others().await;
        let memory = host.server.metrics().memory_held;
        assert!(
            memory == ByteCount::ZERO || is_over(),
            "nothing is held for what is not read: {memory}"
        );
        for correlation in [1, 2] {
            assert_eq!(client.answer().await.0, correlation);
        }
        assert!(runtime::now().since(begun) >= time);
    }
);

runtime::both_arms!(
    answers_that_are_owed_leave_during_the_mute,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let burst = [
            request(0, b"l\x01owed"),
            muting(1, b'm', Duration::from_secs(15)),
            request(2, b"nunread"),
        ];
        client.send(&burst).await;
        within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
        host.toy.open(1);
        assert_eq!(client.answer().await, (0, Bytes::from("owed")));
        assert_eq!(client.answer().await.0, 1);
        runtime::sleep(SETTLED).await;
        assert_eq!(host.toy.calls.get(), 2);
    }
);

runtime::both_arms!(
    an_answer_that_mutes_late_stops_the_request_that_is_on_its_way,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client
            .send(&[muting(0, b'M', Duration::from_secs(15))])
            .await;
        within(host.toy.calls.wait_until(|&calls| calls == 1)).await;
        // The reading half waits for the next frame before the mute begins.
        runtime::sleep(SETTLED).await;
        host.toy.open(1);
        assert_eq!(client.answer().await.0, 0);
        client.send(&[request(1, b"nunread")]).await;
        runtime::sleep(SETTLED).await;
        assert_eq!(host.toy.calls.get(), 1);
        host.assert_returns_its_memory().await;
    }
);

runtime::both_arms!(
    a_muted_connection_is_not_idle_and_goes_on_afterwards,
    |_dir| async move {
        let host = Host::start(ServerOptions {
            idle_timeout: LIMIT,
            ..ServerOptions::default()
        });
        let mut client = host.client().await;
        let time = LIMIT * 3 / 2;
        let begun = runtime::now();
        client.send(&[muting(0, b'm', time)]).await;
        assert_eq!(client.answer().await.0, 0);
        runtime::sleep_until(begun.after(time)).await;
        client.send(&[request(1, b"n")]).await;
        assert_eq!(client.answer().await.0, 1);
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("idle")]);
    }
);

runtime::both_arms!(
    a_client_that_leaves_during_the_mute_is_seen_at_once,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client
            .send(&[muting(0, b'm', Duration::from_mins(1))])
            .await;
        assert_eq!(client.answer().await.0, 0);
        drop(client);
        host.ends(1).await;
    }
);

runtime::both_arms!(shutdown_does_not_wait_for_the_mute, |_dir| async move {
    let host = Host::start(ServerOptions::default());
    let mut client = host.client().await;
    let for_ever = Duration::from_millis(u16::MAX.into());
    client
        .send(&[muting(0, b'm', for_ever), request(1, b"nunread")])
        .await;
    assert_eq!(client.answer().await.0, 0);
    runtime::sleep(SETTLED).await;
    let patience = Duration::from_secs(10);
    let begun = runtime::now();
    within(host.server.shutdown(patience)).await;
    assert!(runtime::now().since(begun) < patience);
    client.assert_closed().await;
    assert_eq!(host.ends(1).await, [Ok(())]);
    assert_eq!(host.toy.calls.get(), 1);
});
