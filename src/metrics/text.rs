//! The metrics page: every family with its help, labels by shard, API, partition and group.

use std::fmt::Display;

use controller::quota::QuotaKind;
use server::{AcceptorMetrics, ApiMetrics};
use storage::StoreMetrics;
use types::{LATENCY_BUCKETS, Latencies};
use wire::api::ApiKey;

use super::exposition::{Exposition, Kind};
use super::lag::{self, GroupLag, ROWS_AT_ONCE};
use super::report::ShardReport;

/// Renders the page.
///
/// *Cost*: linear in the partitions and the lags; others have their turn meanwhile.
pub async fn render(
    reports: &[ShardReport],
    lags: &[GroupLag],
    acceptor: AcceptorMetrics,
    memory_bytes: u64,
) -> String {
    let mut page = Exposition::default();
    process(&mut page, reports, memory_bytes);
    connections(&mut page, reports, acceptor);
    requests(&mut page, reports);
    quotas(&mut page, reports);
    for (name, kind, help, value) in STORE_FAMILIES {
        page.family(name, *kind, help);
        for (shard, directory, store) in stores(reports) {
            let labels = [("shard", shard.as_str()), ("directory", directory.as_str())];
            page.sample(name, &labels, value(store));
        }
    }
    sync_latency(&mut page, reports);
    partitions(&mut page, reports).await;
    lag::write(&mut page, lags).await;
    page.finish()
}

/// Returns every store with its shard and its data directory as text.
fn stores(reports: &[ShardReport]) -> impl Iterator<Item = (String, String, &StoreMetrics)> {
    reports.iter().flat_map(|report| {
        let told = |store: &StoreMetrics| store.directory.display().to_string();
        let stores = report.stores.iter();
        stores.map(move |store| (report.shard.to_string(), told(store), store))
    })
}

fn process(page: &mut Exposition, reports: &[ShardReport], memory_bytes: u64) {
    page.family(
        "riverrun_build_info",
        Kind::Gauge,
        "Always 1; the version is a label.",
    );
    page.sample(
        "riverrun_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
    page.family(
        "riverrun_memory_resident_bytes",
        Kind::Gauge,
        "Resident memory of the process.",
    );
    page.sample("riverrun_memory_resident_bytes", &[], memory_bytes);
    by_shard(
        page,
        "riverrun_shard_ready",
        Kind::Gauge,
        "1 once the shard serves its partitions.",
        reports,
        |report| u8::from(report.ready),
    );
    by_shard(
        page,
        "riverrun_shard_stalls_total",
        Kind::Counter,
        "Times a shard stopped turning.",
        reports,
        |report| report.stalls.count,
    );
    by_shard(
        page,
        "riverrun_shard_stall_seconds_max",
        Kind::Gauge,
        "Longest time a shard did not turn.",
        reports,
        |report| report.stalls.longest.as_secs_f64(),
    );
}

fn connections(page: &mut Exposition, reports: &[ShardReport], acceptor: AcceptorMetrics) {
    by_shard(
        page,
        "riverrun_connections",
        Kind::Gauge,
        "Open connections.",
        reports,
        |report| report.server.connections,
    );
    by_shard(
        page,
        "riverrun_connections_moved_total",
        Kind::Counter,
        "Connections that moved from this shard to the one that does their work.",
        reports,
        |report| report.server.moved,
    );
    let name = "riverrun_connections_refused_total";
    page.family(
        name,
        Kind::Counter,
        "Connections closed at once, by the bound that was spent.",
    );
    page.sample(name, &[("bound", "total")], acceptor.refused_total);
    page.sample(name, &[("bound", "address")], acceptor.refused_address);
    let name = "riverrun_connections_broken_total";
    page.family(
        name,
        Kind::Counter,
        "Connections that neither client nor shutdown ended.",
    );
    let mut merged = server::Metrics::default();
    for report in reports {
        merged.merge(&report.server);
    }
    for (reason, count) in &merged.broken {
        page.sample(name, &[("reason", reason)], count);
    }
    by_shard(
        page,
        "riverrun_request_memory_bytes",
        Kind::Gauge,
        "Memory that request frames and answers hold.",
        reports,
        |report| report.server.memory_held.0,
    );
    by_shard(
        page,
        "riverrun_fetch_sessions",
        Kind::Gauge,
        "Fetch sessions.",
        reports,
        |report| report.fetch_sessions,
    );
}

/// A family with one sample for each shard.
fn by_shard<V: Display>(
    page: &mut Exposition,
    name: &str,
    kind: Kind,
    help: &str,
    reports: &[ShardReport],
    value: impl Fn(&ShardReport) -> V,
) {
    page.family(name, kind, help);
    for report in reports {
        let shard = report.shard.to_string();
        page.sample(name, &[("shard", &shard)], value(report));
    }
}

/// One family per counted thing of an API.
type ApiFamily = (&'static str, &'static str, fn(&ApiMetrics) -> u64);

const API_FAMILIES: &[ApiFamily] = &[
    ("riverrun_requests_total", "Requests read.", |api| {
        api.requests
    }),
    (
        "riverrun_request_errors_total",
        "Requests answered with an error.",
        |api| api.errors,
    ),
    (
        "riverrun_request_bytes_total",
        "Bytes of requests.",
        |api| api.bytes_in,
    ),
    (
        "riverrun_response_bytes_total",
        "Bytes of answers.",
        |api| api.bytes_out,
    ),
];

fn requests(page: &mut Exposition, reports: &[ShardReport]) {
    let mut merged = server::Metrics::default();
    for report in reports {
        merged.merge(&report.server);
    }
    for (name, help, value) in API_FAMILIES {
        page.family(name, Kind::Counter, help);
        for (key, api) in &merged.apis {
            page.sample(name, &[("api", api_name(*key))], value(api));
        }
    }
    let name = "riverrun_request_seconds";
    page.family(
        name,
        Kind::Histogram,
        "From a whole request to its answer being handed over.",
    );
    for (key, api) in &merged.apis {
        if api.latencies.count() > 0 {
            histogram(page, name, &[("api", api_name(*key))], &api.latencies);
        }
    }
}

fn quotas(page: &mut Exposition, reports: &[ShardReport]) {
    let name = "riverrun_quota_throttle_seconds";
    let help = "Times that clients beyond a quota were told to wait, by the kind of quota.";
    page.family(name, Kind::Histogram, help);
    for kind in QuotaKind::ALL {
        let mut merged = Latencies::default();
        for waits in reports
            .iter()
            .filter_map(|report| report.quota_waits.get(&kind))
        {
            merged.merge(waits);
        }
        if merged.count() > 0 {
            histogram(page, name, &[("quota", kind.name())], &merged);
        }
    }
}

fn api_name(key: ApiKey) -> &'static str {
    key.api().name
}

fn histogram(page: &mut Exposition, name: &str, labels: &[(&str, &str)], latencies: &Latencies) {
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (index, count) in latencies.counts().iter().enumerate().take(LATENCY_BUCKETS) {
        below += count;
        let end = match Latencies::bucket_end(index) {
            Some(end) => end.as_secs_f64().to_string(),
            None => "+Inf".to_owned(),
        };
        page.sample(&bucket, &[labels, &[("le", &end)]].concat(), below);
    }
    page.sample(
        &format!("{name}_sum"),
        labels,
        latencies.sum().as_secs_f64(),
    );
    page.sample(&format!("{name}_count"), labels, latencies.count());
}

/// One family per thing that a store tells.
type StoreFamily = (&'static str, Kind, &'static str, fn(&StoreMetrics) -> u64);

const STORE_FAMILIES: &[StoreFamily] = &[
    (
        "riverrun_journal_rounds_total",
        Kind::Counter,
        "Commit rounds: one sync each.",
        |s| s.rounds,
    ),
    (
        "riverrun_journal_bytes_total",
        Kind::Counter,
        "Bytes written to the journal.",
        |s| s.journal_written_bytes,
    ),
    (
        "riverrun_journal_payload_bytes_total",
        Kind::Counter,
        "Batch bytes among them.",
        |s| s.journal_payload_bytes,
    ),
    (
        "riverrun_journal_size_bytes",
        Kind::Gauge,
        "Size of the journal's ring.",
        |s| s.journal_size_bytes,
    ),
    (
        "riverrun_journal_used_bytes",
        Kind::Gauge,
        "Part of the ring not yet checkpointed.",
        |s| s.journal_live_bytes,
    ),
    (
        "riverrun_journal_stalls_total",
        Kind::Counter,
        "Rounds that waited for the ring.",
        |s| s.journal_stalls,
    ),
    (
        "riverrun_segment_bytes_total",
        Kind::Counter,
        "Bytes written to segments.",
        |s| s.segment_written_bytes,
    ),
    (
        "riverrun_checkpoints_total",
        Kind::Counter,
        "Journal files freed.",
        |s| s.checkpoints,
    ),
    (
        "riverrun_checkpoint_microseconds_max",
        Kind::Gauge,
        "Longest checkpoint.",
        |s| s.checkpoint_us_max,
    ),
    (
        "riverrun_tail_bytes",
        Kind::Gauge,
        "Batches in memory, not yet in a segment.",
        |s| s.tail_bytes,
    ),
    (
        "riverrun_segment_files_open",
        Kind::Gauge,
        "Open segment files.",
        |s| s.open_files,
    ),
    (
        "riverrun_producers",
        Kind::Gauge,
        "Idempotent producers that the logs remember.",
        |s| s.producers,
    ),
    ("riverrun_logs", Kind::Gauge, "Logs.", |s| s.logs),
    (
        "riverrun_disk_full",
        Kind::Gauge,
        "1 while the disk is full.",
        |s| u64::from(s.is_full),
    ),
    (
        "riverrun_log_directory_offline",
        Kind::Gauge,
        "1 while the data directory is out of service.",
        |s| u64::from(s.offline.is_some()),
    ),
];

fn sync_latency(page: &mut Exposition, reports: &[ShardReport]) {
    let name = "riverrun_journal_sync_seconds";
    page.family(
        name,
        Kind::Histogram,
        "Time of a commit round's write and sync.",
    );
    for (shard, directory, store) in stores(reports) {
        let labels = [("shard", shard.as_str()), ("directory", directory.as_str())];
        histogram(page, name, &labels, &store.sync_latencies);
    }
}

async fn partitions(page: &mut Exposition, reports: &[ShardReport]) {
    by_shard(
        page,
        "riverrun_partitions",
        Kind::Gauge,
        "Partitions of the shard that are in service.",
        reports,
        |report| report.partitions.len(),
    );
    let families = [
        ("riverrun_log_start_offset", "First offset of a partition."),
        ("riverrun_high_watermark", "End of what consumers may read."),
        ("riverrun_log_end_offset", "Offset of the next record."),
    ];
    for (which, (name, help)) in families.into_iter().enumerate() {
        page.family(name, Kind::Gauge, help);
        let partitions = reports.iter().flat_map(|report| &report.partitions);
        for (row, partition) in partitions.enumerate() {
            if row % ROWS_AT_ONCE == 0 {
                runtime::yield_if_due().await;
            }
            let value = match which {
                0 => partition.start,
                1 => partition.high_watermark,
                _ => partition.end,
            };
            let index = partition.partition.to_string();
            page.sample(
                name,
                &[("topic", &partition.topic), ("partition", &index)],
                value,
            );
        }
    }
}
