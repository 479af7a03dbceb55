//! What is behind each path.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use server::Acceptor;

use crate::metrics::{ShardReport, render};
use crate::node::Node;

use super::http::response;
use super::lags::Lags;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The pages of a node.
pub(super) struct Pages {
    node: Rc<Node>,
    acceptor: Rc<Acceptor>,
    lags: Lags,
}

impl Pages {
    /// Makes the pages.
    pub(super) fn new(node: Rc<Node>, acceptor: Rc<Acceptor>) -> Self {
        Self {
            node,
            acceptor,
            lags: Lags::default(),
        }
    }

    /// Answers a path.
    pub(super) async fn page(&self, path: &str) -> [Bytes; 2] {
        match path {
            "/metrics" => response("200 OK", METRICS, self.metrics().await),
            "/healthz" => self.health().await,
            "/readyz" => self.readiness().await,
            _ => response(
                "404 Not Found",
                TEXT,
                "there are /metrics, /healthz and /readyz\n",
            ),
        }
    }

    async fn metrics(&self) -> String {
        let shard = &self.node.shard;
        let reports = shard.reports().await;
        let lags = self.lags.measure(shard, &reports).await;
        let memory = runtime::resident_memory().map_or(0, |memory| memory.0);
        render(&reports, &lags, self.acceptor.metrics(), memory).await
    }

    async fn health(&self) -> [Bytes; 2] {
        let offline = offline(&self.node.shard.reports().await);
        if offline.is_empty() {
            response("200 OK", TEXT, "ok\n")
        } else {
            response("503 Service Unavailable", TEXT, offline)
        }
    }

    async fn readiness(&self) -> [Bytes; 2] {
        let ready = self.node.shard.reports().await.iter().all(|it| it.ready);
        if ready {
            response("200 OK", TEXT, "ready\n")
        } else {
            response("503 Service Unavailable", TEXT, "starting\n")
        }
    }
}

/// Names every data directory that is out of service, with the first reason that a shard has.
fn offline(reports: &[ShardReport]) -> String {
    let mut reasons = BTreeMap::new();
    for store in reports.iter().flat_map(|report| &report.stores) {
        if let Some(reason) = &store.offline {
            reasons.entry(&store.directory).or_insert(reason);
        }
    }
    let line = |(directory, reason): (&PathBuf, &String)| {
        format!("offline: {}: {reason}\n", directory.display())
    };
    reasons.into_iter().map(line).collect()
}
