//! What is behind each path.

use std::rc::Rc;

use bytes::Bytes;
use server::Acceptor;

use crate::metrics::render;
use crate::node::Node;

use super::http::response;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers a path.
pub(super) async fn page(node: &Rc<Node>, acceptor: &Acceptor, path: &str) -> Bytes {
    match path {
        "/metrics" => {
            let reports = node.shard.reports().await;
            let memory = runtime::resident_memory().map_or(0, |memory| memory.0);
            response(
                "200 OK",
                METRICS,
                &render(&reports, acceptor.metrics(), memory),
            )
        }
        "/healthz" => {
            let offline = node
                .shard
                .reports()
                .await
                .into_iter()
                .find_map(|report| report.store?.offline);
            match offline {
                None => response("200 OK", TEXT, "ok\n"),
                Some(why) => response(
                    "503 Service Unavailable",
                    TEXT,
                    &format!("offline: {why}\n"),
                ),
            }
        }
        "/readyz" => {
            let ready = node.shard.reports().await.iter().all(|report| report.ready);
            if ready {
                response("200 OK", TEXT, "ready\n")
            } else {
                response("503 Service Unavailable", TEXT, "starting\n")
            }
        }
        _ => response(
            "404 Not Found",
            TEXT,
            "there are /metrics, /healthz and /readyz\n",
        ),
    }
}
