"""The matrix of clients and cases: picks, runs two clients at a time, tells, and writes the page."""

import argparse
import itertools
import json
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import groups, page, records
from .bench import Bench, text_lines
from .broker import Broker
from .clients import NO_PAIR, PAIRS, all_clients
from .driver import Failed

ROOT = Path(__file__).resolve().parents[3]

# Name in the table, and what runs; the order is that of the table's columns.
CASES = {
    "codecs": records.codecs,
    "shapes": records.shapes,
    "idempotence": records.idempotence,
    "timestamps": records.timestamps,
    "times": records.times,
    "seek": records.seek,
    "join-leave": groups.join_leave,
    "crash": groups.crash,
    "static": groups.static,
    "cooperative": groups.cooperative,
    "resume": groups.resume,
    "rewind": groups.rewind,
}
SETS = {
    "records": ["codecs", "shapes", "idempotence", "timestamps", "times", "seek"],
    "groups": ["join-leave", "crash", "static", "cooperative", "resume", "rewind", "pairs"],
    "quick": ["codecs", "shapes", "idempotence", "crash", "static", "cooperative", "resume"],
}
YES = "yes"


class Matrix:
    """The results: (client or pair, case) to "yes", "n/a: reason" or "FAILED: what was seen"."""

    def __init__(self, options, broker, scratch):
        self.options, self.broker, self.scratch = options, broker, scratch
        self.lines = text_lines(ROOT)
        self.results, self.versions = {}, {}
        self.run_id = f"{time.time_ns() // 1_000_000:x}"
        self.telling = threading.Lock()

    def bench(self, *clients):
        return Bench(clients, self.broker.bootstrap, self.lines, self.scratch, self.run_id)

    def run_case(self, name, case, do, *arguments):
        began = time.monotonic()
        try:
            do(*arguments)
            outcome = YES
        except Failed as failed:
            outcome = f"FAILED: {failed}"
        except Exception:
            outcome = f"FAILED: {traceback.format_exc()}"
        with self.telling:
            self.results[name, case] = outcome
            print(f"  {name:30} {case:12} {time.monotonic() - began:5.1f} s  {outcome}", file=sys.stderr, flush=True)

    def run_client(self, client, cases):
        bench = self.bench(client)
        try:
            self.versions[client.name] = bench.ask("version")["version"]
            for case in cases:
                if case in client.absent:
                    self.results[client.name, case] = f"n/a: {client.absent[case]}"
                else:
                    self.run_case(client.name, case, CASES[case], bench)
        except Failed as failed:
            self.results[client.name, "driver"] = f"FAILED: {failed}"
        finally:
            bench.stop()

    def run_pair(self, one, other, assignor):
        bench = self.bench(one, other)
        try:
            self.run_case(f"{one.name} + {other.name}", assignor, groups.together, bench, other.name, assignor)
        finally:
            bench.stop()

    def run(self, clients, cases, pairs):
        by_name = {client.name: client for client in clients}
        with ThreadPoolExecutor(self.options.jobs) as pool:
            jobs = [pool.submit(self.run_client, client, cases) for client in clients if cases]
            jobs += [pool.submit(self.run_pair, by_name[a], by_name[b], assignor) for a, b, assignor in pairs]
            for job in jobs:
                job.result()

    def failures(self):
        return {place: outcome for place, outcome in self.results.items() if outcome.startswith("FAILED")}

    def text(self):
        """Both tables and the reasons, as the page has them."""
        notes = {}

        def cell(client, case):
            outcome = self.results.get((client, case), "")
            if not outcome.startswith("n/a"):
                return outcome.split(":")[0]
            number = notes.setdefault(f"{client}: {outcome[5:]}", len(notes) + 1)
            return f"n/a ({number})"

        clients = list(self.versions)
        cases = [case for case in CASES if any((client, case) in self.results for client in clients)]
        rows = [[c, self.versions[c], *(cell(c, case) for case in cases)] for c in sorted(clients)]
        told = [[case, CASES[case].__doc__] for case in cases]
        text = page.table(["case", "what each client does"], told)
        text += "\n\n" + page.table(["client", "version", *cases], rows)
        text += "".join(f"\n\n({number}) {reason}." for reason, number in notes.items())
        pairs = [[name, case, outcome.split(":")[0]] for (name, case), outcome in self.results.items() if " + " in name]
        if pairs:
            text += "\n\n" + page.table(["two clients in one group", "assignor", "runs"], sorted(pairs))
            text += "".join(f"\n\n{client} is in no pair: {reason}." for client, reason in NO_PAIR.items())
        return text


def arguments():
    parser = argparse.ArgumentParser(prog="tests/clients/run", description="Kafka clients against a broker.")
    parser.add_argument("--tools", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--bootstrap", help="HOST:PORT of a broker that runs; else the built riverrun is started")
    parser.add_argument("--only", help="names of clients, separated by commas")
    parser.add_argument("--cases", help=f"of {', '.join(CASES)}, pairs; or the sets {', '.join(SETS)}")
    parser.add_argument("--quick", action="store_true", help="the set `quick` and two pairs: two minutes")
    parser.add_argument("--json", action="store_true", help="results on standard output as JSON instead of tables")
    parser.add_argument("--jobs", type=int, default=2, help="how many clients at a time (2)")
    return parser.parse_args()


def picked(options):
    clients = all_clients(options.tools)
    names = options.only.split(",") if options.only else [client.name for client in clients]
    unknown = set(names) - {client.name for client in clients}
    words = (options.cases or ("quick,pairs" if options.quick else "records,groups")).split(",")
    cases = list(itertools.chain.from_iterable(SETS.get(word, [word]) for word in words))
    unknown |= set(cases) - {*CASES, "pairs"}
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}")
    clients = [client for client in clients if client.name in names]
    pairs = [pair for pair in PAIRS if "pairs" in cases and {*pair[:2]} <= {*names}]
    return clients, [case for case in CASES if case in cases], pairs[:2] if options.quick else pairs


def main():
    options = arguments()
    clients, cases, pairs = picked(options)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clients-") as scratch:
        broker = Broker(ROOT, Path(scratch), options.bootstrap)
        matrix = Matrix(options, broker, Path(scratch))
        try:
            matrix.run(clients, cases, pairs)
        finally:
            code = broker.stop()
        if code:
            matrix.results["broker", "SIGTERM"] = f"FAILED: exit code {code}"
    failures = matrix.failures()
    if options.json:
        results = [{"name": name, "case": case, "outcome": outcome} for (name, case), outcome in matrix.results.items()]
        print(json.dumps({"versions": matrix.versions, "results": results}, indent=1))
    else:
        print(matrix.text())
    everything = not (options.bootstrap or options.only or options.cases or options.quick)
    if everything and not failures:
        page.write(ROOT / "docs/compatibility.md", "clients", matrix.text())
    for (name, case), outcome in failures.items():
        print(f"{name}, {case}: {outcome}", file=sys.stderr)
    print(f"clients: {len(failures)} failed, {time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
