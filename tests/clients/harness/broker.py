"""The broker under test: the built binary on a free port, or one that runs already."""

import os
import re
import signal
import subprocess
import time


class Broker:
    def __init__(self, root, scratch, bootstrap=None):
        self.process, self.bootstrap = None, bootstrap
        if bootstrap is None:
            target = os.environ.get("CARGO_TARGET_DIR", str(root / "target"))
            binary = os.environ.get("RIVERRUN", f"{target}/release/riverrun")
            self._start(binary, scratch)

    def _start(self, binary, scratch):
        out, log = scratch / "broker.out", scratch / "broker.log"
        self.process = subprocess.Popen(
            [binary, "dev", "--listen", "127.0.0.1:0", "--data", str(scratch / "data")],
            stdout=open(out, "wb"),
            stderr=open(log, "wb"),
        )
        deadline = time.monotonic() + 10
        while not (told := re.search(r"listening on (\S+)", out.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the broker does not listen:\n{log.read_text()}")
            time.sleep(0.02)
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
