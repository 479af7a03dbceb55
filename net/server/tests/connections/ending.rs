//! Every end of a connection returns what it held.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use runtime::{Listener, Queue};
use server::{Arrival, Server, ServerOptions};

use crate::support::{Client, Host, request, within};

runtime::both_arms!(
    what_was_asked_before_a_half_close_is_answered,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let burst: Vec<_> = (0..20)
            .map(|correlation| request(correlation, b"l\x01"))
            .collect();
        client.send(&burst).await;
        client.finish().await;
        within(host.toy.calls.wait_until(|&calls| calls == 20)).await;
        host.toy.open(1);
        for correlation in 0..20 {
            assert_eq!(client.answer().await.0, correlation);
        }
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Ok(())]);
    }
);

runtime::both_arms!(
    a_half_closed_connection_does_not_wait_for_ever,
    |_dir| async move {
        let write_timeout = Duration::from_millis(200);
        let host = Host::start(ServerOptions {
            write_timeout,
            ..ServerOptions::default()
        });
        let mut client = host.client().await;
        client.send(&[request(0, b"l\x01")]).await;
        client.finish().await;
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("half_closed")]);
        assert_eq!(host.toy.in_flight.get(), 0, "the waiting reply was dropped");
    }
);

runtime::both_arms!(a_refusal_follows_the_answers_before_it, |_dir| async move {
    for refusing in [&b"c"[..], b"C\x02"] {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let burst = [
            request(0, b"l\x01"),
            request(1, refusing),
            request(2, b"nno"),
        ];
        client.send(&burst).await;
        host.toy.open(2);
        runtime::sleep(Duration::from_millis(10)).await;
        host.toy.open(1);
        assert_eq!(client.answer().await.0, 0);
        client.assert_closed().await;
        assert_eq!(host.ends(1).await, [Err("refused")]);
    }
});

runtime::both_arms!(
    a_client_that_vanishes_leaves_nothing_behind,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let burst: Vec<_> = (0..20)
            .map(|correlation| request(correlation, b"l\x01"))
            .collect();
        client.send(&burst).await;
        within(host.toy.calls.wait_until(|&calls| calls == 20)).await;
        drop(client);
        host.toy.open(1);
        host.ends(1).await;
        host.assert_returns_its_memory().await;
        assert_eq!(host.server.metrics().connections, 0);
        assert_eq!(host.toy.in_flight.get(), 0);
    }
);

runtime::both_arms!(
    shutdown_answers_what_was_read_and_reads_no_more,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        let mut idle = host.client().await;
        idle.send(&[request(0, b"n")]).await;
        idle.answer().await;
        client.send(&[request(0, b"l\x01read")]).await;
        within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
        let server = Rc::clone(&host.server);
        let stopping = runtime::spawn(Queue::Latency, async move {
            server.shutdown(Duration::from_secs(10)).await;
        });
        idle.assert_closed().await;
        client.send(&[request(1, b"nunread")]).await;
        host.toy.open(1);
        assert_eq!(client.answer().await, (0, Bytes::from("read")));
        client.assert_closed().await;
        within(stopping).await;
        assert_eq!(host.toy.calls.get(), 2);
        assert_eq!(host.ends(2).await, [Ok(()), Ok(())]);
        host.client().await.assert_closed().await;
    }
);

runtime::both_arms!(shutdown_cuts_what_is_not_done_in_time, |_dir| async move {
    let host = Host::start(ServerOptions::default());
    let mut later = host.client().await;
    let mut waiting = host.client().await;
    later.send(&[request(0, b"l\x01")]).await;
    waiting.send(&[request(0, b"w\x01")]).await;
    within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
    within(host.server.shutdown(Duration::from_millis(50))).await;
    later.assert_closed().await;
    waiting.assert_closed().await;
    assert_eq!(host.ends(2).await, [Err("shutdown"), Err("shutdown")]);
    assert_eq!(host.toy.in_flight.get(), 0);
    host.assert_returns_its_memory().await;
});

runtime::both_arms!(
    dropping_the_future_of_a_connection_cuts_it,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = Client::connect(listener.local_addr()).await;
        let accepted = within(listener.accept()).await.unwrap();
        let server: Rc<Server<_>> = Rc::clone(&host.server);
        let serving = runtime::spawn(Queue::Latency, async move {
            server.serve(Arrival::new(accepted)).await
        });
        client
            .send(&[request(0, b"nserved"), request(1, b"l\x01never")])
            .await;
        assert_eq!(client.answer().await.0, 0);
        within(host.toy.calls.wait_until(|&calls| calls == 2)).await;
        assert_eq!(host.server.metrics().connections, 1);
        drop(serving);
        client.assert_closed().await;
        assert_eq!(host.server.metrics().connections, 0);
        host.assert_returns_its_memory().await;
        assert_eq!(host.toy.in_flight.get(), 0);
    }
);
