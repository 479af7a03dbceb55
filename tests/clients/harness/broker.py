"""The broker under test: the built binary on a free port, or one that runs already."""

import os
import re
import signal
import subprocess
import threading


class Broker:
    def __init__(self, root, scratch, bootstrap=None):
        self.process, self.bootstrap = None, bootstrap
        if bootstrap is None:
            target = os.environ.get("CARGO_TARGET_DIR", str(root / "target"))
            binary = os.environ.get("RIVERRUN", f"{target}/release/riverrun")
            self._start(binary, scratch)

    def _start(self, binary, scratch):
        log = scratch / "broker.log"
        self.process = subprocess.Popen(
            [binary, "dev", "--listen", "127.0.0.1:0", "--data", str(scratch / "data")],
            stdout=subprocess.PIPE,
            stderr=open(log, "wb"),
            text=True,
        )
        # The greeting ends with the address; a broker that ends, or is made to, ends the reading.
        patience = threading.Timer(60, self.process.kill)
        patience.start()
        told = None
        for line in self.process.stdout:
            if told := re.search(r"listening on (\S+)", line):
                break
        patience.cancel()
        if told is None:
            raise SystemExit(f"the broker does not listen:\n{log.read_text()}")
        self.bootstrap = told[1]

    def stop(self):
        """Ends the broker in order; returns its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
