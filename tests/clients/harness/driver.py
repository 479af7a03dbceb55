"""A driver's process, seen from the harness: requests, replies, and events of the member that it hosts."""

import json
import os
import queue
import signal
import subprocess
import threading
import time


class Failed(Exception):
    """A case saw something else than it must."""


def expect(true, what):
    if not true:
        raise Failed(what)


class Driver:
    """One process of a client's driver. Its events go to `listener`, a function, while there is one."""

    def __init__(self, client, bootstrap, log):
        self.client = client
        self.replies = queue.Queue()
        self.listener = None
        self.log = log
        self.process = subprocess.Popen(
            [*client.command, bootstrap],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=open(log, "ab"),
            env=os.environ | client.environment,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "event" not in message:
                self.replies.put(message)
            elif self.listener:
                self.listener(message)
        self.replies.put({"error": "the driver's process ended"})

    def ask(self, do, **fields):
        self.send(do, **fields)
        return self.receive(do)

    def send(self, do, **fields):
        try:
            self.process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.client.name}'s driver is gone{self.last_words()}") from None

    def receive(self, do, seconds=40):
        """The reply to the oldest request without one, which was to `do`."""
        try:
            reply = self.replies.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"{self.client.name} did not {do} within {seconds} s{self.last_words()}") from None
        if "error" in reply:
            raise Failed(f"{self.client.name}, asked to {do}: {reply['error']}{self.last_words()}")
        return reply["reply"]

    def last_words(self):
        with open(self.log, errors="replace") as log:
            lines = log.read().splitlines()[-8:]
        return "".join(f"\n      | {line}" for line in lines)

    def kill(self):
        """kill -9 of the driver and of what it started. Returns when, in Unix microseconds."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        return time.time_ns() // 1000

    def stop(self):
        """Ends a driver that hosts no member."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


class Drivers:
    """The idle drivers of one client: a process is used again after its member left."""

    def __init__(self, client, bootstrap, scratch):
        self.client, self.bootstrap, self.scratch = client, bootstrap, scratch
        self.idle, self.all = [], []

    def take(self):
        if self.idle:
            return self.idle.pop()
        log = self.scratch / f"{self.client.name}-{len(self.all)}.log"
        driver = Driver(self.client, self.bootstrap, log)
        self.all.append(driver)
        return driver

    def give(self, driver):
        self.idle.append(driver)

    def ask(self, do, **fields):
        """Asks an idle driver."""
        driver = self.take()
        reply = driver.ask(do, **fields)
        self.give(driver)
        return reply

    def stop(self):
        for driver in self.idle:
            driver.stop()
        for driver in self.all:
            driver.kill()
