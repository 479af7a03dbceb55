"""Every tool once, two at a time; tells, and writes the table of docs/compatibility.md."""

import argparse
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import admin
import consumer_groups
import programs
import traffic
from harness import page
from harness.bench import text_lines
from harness.broker import Broker
from harness.driver import Failed
from kafka import Kafka

ROOT = Path(__file__).resolve().parents[2]

# The long ones first. What runs: one or more tools, named as their shell scripts are.
CHECKS = {
    "Streams smoke test, at-least-once": programs.streams,
    "kafka-consumer-groups, kafka-groups": consumer_groups.consumer_groups,
    "kafka-producer-perf-test, kafka-consumer-perf-test": traffic.perf,
    "Connect standalone, file source and sink": programs.connect,
    "kafka-topics": admin.topics,
    "kafka-configs": admin.configs,
    "kafka-configs, quotas": admin.quotas,
    "kafka-console-producer, kafka-console-consumer": traffic.console,
    "kafka-e2e-latency": traffic.end_to_end_latency,
    "kafka-verifiable-producer, kafka-verifiable-consumer": traffic.verifiable,
    "client-compatibility-test": traffic.client_compatibility,
    "kafka-get-offsets": admin.get_offsets,
    "kafka-delete-records": admin.delete_records,
    "kafka-log-dirs": admin.log_dirs,
    "kafka-acls, without security": admin.acls,
    "kafka-features": admin.features,
    "kafka-leader-election": admin.leader_election,
    "kafka-reassign-partitions": admin.reassign_partitions,
    "kafka-metadata-quorum": admin.metadata_quorum,
    "kafka-cluster": admin.cluster,
    "kafka-broker-api-versions": admin.broker_api_versions,
    "kafka-transactions": admin.transactions,
}
# Two minutes of it.
QUICK = ("consumer-groups", "console", "verifiable", "Connect", "kafka-topics", "get-offsets", "broker-api-versions")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/tools/run", description="Kafka's own tools against a broker.")
    parser.add_argument("--tools", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--bootstrap", help="HOST:PORT of a broker that runs; else the built riverrun is started")
    parser.add_argument("--only", help="parts of names, separated by commas")
    parser.add_argument("--quick", action="store_true", help="two minutes of it")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    return parser.parse_args()


def run(kafka, checks, jobs):
    """The outcome of each check: "yes" or "FAILED: what was seen"."""
    outcomes, telling = {}, threading.Lock()

    def one(name, check):
        began = time.monotonic()
        try:
            check(kafka)
            outcome = "yes"
        except Failed as failed:
            outcome = f"FAILED: {failed}"
        except Exception:
            outcome = f"FAILED: {traceback.format_exc()}"
        with telling:
            outcomes[name] = outcome
            print(f"  {name:55} {time.monotonic() - began:5.1f} s  {outcome}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        for job in [pool.submit(one, *item) for item in checks.items()]:
            job.result()
    return outcomes


def main():
    options = arguments()
    words = options.only.split(",") if options.only else QUICK if options.quick else ("",)
    checks = {name: check for name, check in CHECKS.items() if any(word in name for word in words)}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tools-") as scratch:
        broker = Broker(ROOT, Path(scratch), options.bootstrap)
        try:
            outcomes = run(
                Kafka(broker.bootstrap, options.tools, Path(scratch), text_lines(ROOT)), checks, options.jobs
            )
        finally:
            code = broker.stop()
        if code:
            outcomes["broker, SIGTERM"] = f"FAILED: exit code {code}"
    failures = {name: outcome for name, outcome in outcomes.items() if outcome != "yes"}
    rows = [[name, outcomes[name].split(":")[0]] for name in sorted(checks)]
    table = page.table(["tool of Kafka 4.3.0", "runs"], rows)
    print(table)
    if not (options.bootstrap or options.only or options.quick or failures):
        page.write(ROOT / "docs/compatibility.md", "tools", table)
    for name, outcome in failures.items():
        print(f"{name}: {outcome}", file=sys.stderr)
    print(f"tools: {len(failures)} failed, {time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
