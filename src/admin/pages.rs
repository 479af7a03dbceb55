//! What is behind each path.

use std::rc::Rc;

use bytes::Bytes;
use server::Acceptor;

use crate::crossing::{Answer, Ask};
use crate::metrics::{ShardReport, render};
use crate::node::Node;

use super::http::response;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers a path.
pub(super) async fn page(node: &Rc<Node>, acceptor: &Acceptor, path: &str) -> Bytes {
    match path {
        "/metrics" => {
            let reports = reports(node).await;
            let memory = runtime::resident_memory().map_or(0, |memory| memory.0);
            response(
                "200 OK",
                METRICS,
                &render(&reports, acceptor.metrics(), memory),
            )
        }
        "/healthz" => {
            let offline = reports(node)
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
            let ready = reports(node).await.iter().all(|report| report.ready);
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

/// Asks every shard what it counted; one that is gone is left out.
async fn reports(node: &Rc<Node>) -> Vec<ShardReport> {
    let shard = &node.shard;
    let mut replies = Vec::new();
    for peer in shard.router.all() {
        replies.push(shard.mesh.call(peer, Ask::Report).await);
    }
    let mut reports = Vec::with_capacity(replies.len());
    for reply in replies {
        if let Ok(Answer::Report(report)) = reply.await {
            reports.push(*report);
        }
    }
    reports
}
