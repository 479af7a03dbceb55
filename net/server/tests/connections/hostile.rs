//! Frames that follow no rule end their own connection and nothing else.

use bytes::{BufMut, Bytes};
use server::ServerOptions;
use types::ByteCount;

use crate::support::{Host, METADATA, framed, header, request};

/// Sends bytes behind one good request; returns how the connection ended.
async fn end_of(host: &Host, bytes: &[u8]) -> Result<(), &'static str> {
    let before = host.ends.get().len();
    let mut client = host.client().await;
    client
        .send(&[request(1, b"nfirst"), Bytes::copy_from_slice(bytes)])
        .await;
    assert_eq!(
        client.answer().await,
        (1, Bytes::from("first")),
        "what came before is answered"
    );
    client.assert_closed().await;
    host.ends(before + 1).await[before]
}

runtime::both_arms!(
    lengths_that_are_not_served_end_the_connection,
    |_dir| async move {
        let frame_max = ByteCount::kib(64);
        let host = Host::start(ServerOptions {
            frame_max,
            ..ServerOptions::default()
        });
        for length in [-1, i32::MIN, i32::MAX, 64 * 1024 + 1] {
            assert_eq!(
                end_of(&host, &length.to_be_bytes()).await,
                Err("frame_length"),
                "{length}"
            );
        }
        host.assert_serves_others().await;
    }
);

runtime::both_arms!(
    headers_that_are_not_served_end_the_connection,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut long_client_id = header(METADATA, 0, 2);
        long_client_id.truncate(8);
        long_client_id.put_i16(i16::MAX);
        let mut negative_client_id = long_client_id.clone();
        negative_client_id.truncate(8);
        negative_client_id.put_i16(-2);
        let mut tag_bomb = header(METADATA, 9, 2);
        tag_bomb.put_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        for (header, label) in [
            (header(999, 0, 2), "unknown_key"),
            (header(-1, 0, 2), "unknown_key"),
            (header(METADATA, 99, 2), "unknown_version"),
            (header(METADATA, -1, 2), "unknown_version"),
            (header(0, 2, 2), "unknown_version"), // Produce is advertised from 0 and served from 3
            (long_client_id, "header"),
            (negative_client_id, "header"),
            (tag_bomb, "header"),
            (vec![0, 3, 0], "header"),
            (Vec::new(), "header"),
        ] {
            assert_eq!(
                end_of(&host, &framed(&header, b"")).await,
                Err(label),
                "{header:?}"
            );
        }
        host.assert_serves_others().await;
        assert_eq!(host.server.metrics().broken["unknown_version"], 3);
        host.assert_returns_its_memory().await;
    }
);

runtime::both_arms!(
    an_unknown_version_of_api_versions_is_answered_so_that_it_is_asked_again,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        for version in [5, i16::MAX, -1] {
            // What a future header holds behind the correlation id is not read.
            client
                .send(&[framed(&header(18, version, 8)[..8], b"whatever")])
                .await;
            let body = Bytes::from_static(&[0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
            assert_eq!(client.answer().await, (8, body));
        }
        client.send(&[request(9, b"nagain")]).await;
        assert_eq!(client.answer().await, (9, Bytes::from("again")));
    }
);

runtime::both_arms!(a_frame_cut_at_any_byte_is_not_answered, |_dir| async move {
    let host = Host::start(ServerOptions::default());
    let whole = request(4, b"nwhole");
    for cut in 0..whole.len() {
        let mut client = host.client().await;
        client.send(&[whole.slice(..cut)]).await;
        client.finish().await;
        client.assert_closed().await;
        let expected = if cut == 0 { Ok(()) } else { Err("io") };
        assert_eq!(host.ends(cut + 1).await[cut], expected, "cut at {cut}");
    }
    assert_eq!(host.toy.calls.get(), 0);
    host.assert_returns_its_memory().await;
    host.assert_serves_others().await;
});

runtime::both_arms!(
    a_frame_that_arrives_byte_by_byte_is_served,
    |_dir| async move {
        let host = Host::start(ServerOptions::default());
        let mut client = host.client().await;
        for byte in request(4, b"nslowly") {
            client.send(&[Bytes::copy_from_slice(&[byte])]).await;
            runtime::sleep(std::time::Duration::from_micros(100)).await;
        }
        assert_eq!(client.answer().await, (4, Bytes::from("slowly")));
    }
);
