//! A connection that moves to another shard: nothing is lost, nothing overtakes, nobody notices.

use std::time::Duration;

use bytes::Bytes;
use server::ServerOptions;

use crate::support::{Host, request, within};

/// An answer with this text.
fn told(correlation: i32, text: &'static str) -> (i32, Bytes) {
    (correlation, Bytes::from_static(text.as_bytes()))
}

runtime::both_arms!(
    what_was_sent_before_during_and_after_a_move_is_answered_in_order,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let burst = [
            request(0, b"nbefore"),
            request(1, b"s1moving"),
            request(2, b"nread ahead"),
            request(3, b"r"),
        ];
        client.send(&burst).await;
        assert_eq!(client.answer().await, told(0, "before"));
        within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
        client.send(&[request(4, b"nmeanwhile")]).await;
        host.toy.open(1);
        assert_eq!(client.answer().await, told(1, "moving"));
        assert_eq!(client.answer().await, told(2, "read ahead"));
        assert_eq!(
            client.answer().await,
            told(3, "4"),
            "the session goes along"
        );
        assert_eq!(client.answer().await, told(4, "meanwhile"));
        let (here, there) = (host.server.metrics(), host.other.metrics());
        assert_eq!((here.opened, here.moved, here.connections), (1, 1, 0));
        assert_eq!((there.opened, there.moved, there.connections), (0, 0, 1));
        // And back, in the middle of a frame.
        let frame = request(6, b"nsplit");
        let mut first = request(5, b"s0back").to_vec();
        first.extend_from_slice(&frame[..7]);
        client.send(&[first.into()]).await;
        assert_eq!(client.answer().await, told(5, "back"));
        client.send(&[frame.slice(7..)]).await;
        assert_eq!(client.answer().await, told(6, "split"));
        assert_eq!(host.server.metrics().connections, 1);
        client.finish().await;
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Ok(())]);
        host.assert_returns_its_memory().await;
    }
);

runtime::both_arms!(
    a_mute_and_the_end_of_the_client_are_not_lost_by_a_move,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        // Muted for 300 ms, when it is on its way already.
        client
            .send(&[request(0, b"M\x01\x2cmuted"), request(1, b"s1moves")])
            .await;
        within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
        client.send(&[request(2, b"nlast")]).await;
        client.finish().await;
        let began = runtime::now();
        host.toy.open(1);
        for (correlation, text) in [(0, "muted"), (1, "moves"), (2, "last")] {
            assert_eq!(client.answer().await, told(correlation, text));
        }
        assert!(runtime::now().since(began) >= Duration::from_millis(300));
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Ok(())]);
        assert_eq!(host.other.metrics().ended, 1);
    }
);

runtime::both_arms!(
    a_connection_that_moves_to_a_stopping_server_is_answered_and_closed,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client
            .send(&[request(0, b"s1asked"), request(1, b"nnot read")])
            .await;
        within(host.toy.calls.wait_until(|&calls| calls == 1)).await;
        within(host.other.shutdown(Duration::from_secs(1))).await;
        host.toy.open(1);
        assert_eq!(client.answer().await, told(0, "asked"));
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("shutdown")]);
        assert_eq!(host.toy.in_flight.get(), 0);
        host.assert_returns_its_memory().await;
    }
);

runtime::both_arms!(
    a_connection_cut_while_it_waits_to_move_is_gone,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client.send(&[request(0, b"s1never answered")]).await;
        within(host.toy.calls.wait_until(|&calls| calls == 1)).await;
        within(host.server.shutdown(Duration::from_millis(50))).await;
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("shutdown")]);
        assert_eq!(host.toy.in_flight.get(), 0);
        assert_eq!(host.other.metrics().connections, 0);
    }
);

runtime::both_arms!(
    a_request_is_alone_when_all_before_it_are_answered,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        client.send(&[request(0, b"a")]).await;
        assert_eq!(client.answer().await, told(0, "true"));
        client
            .send(&[request(1, b"l\x01first"), request(2, b"a")])
            .await;
        within(host.toy.calls.wait_until(|&calls| calls == 3)).await;
        host.toy.open(1);
        assert_eq!(client.answer().await, told(1, "first"));
        assert_eq!(client.answer().await, told(2, "false"));
        client.send(&[request(3, b"a")]).await;
        assert_eq!(client.answer().await, told(3, "true"));
    }
);
