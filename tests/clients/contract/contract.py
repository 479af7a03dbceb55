"""The Python drivers' side of the contract of README.md beside this file: requests in, replies and events out."""

import json
import os
import queue
import sys
import threading
import time


def emit(message):
    """One write: threads do not cut each other's lines."""
    os.write(1, (json.dumps(message) + "\n").encode())


def text(data):
    return None if data is None else data.decode()


def data(value):
    return None if value is None else value.encode()


class Share:
    """What a member owns, and how far it has handed records on in each of those partitions."""

    def __init__(self):
        self.owned = set()
        self.positions = {}

    def gain(self, partitions, generation=None):
        self.owned |= set(partitions)
        self._tell(generation)

    def lose(self, partitions, generation=None):
        self.owned -= set(partitions)
        for partition in partitions:
            self.positions.pop(partition, None)
        self._tell(generation)

    def _tell(self, generation):
        at = time.time_ns() // 1000
        emit({"event": "owned", "partitions": sorted(self.owned), "generation": generation, "at": at})

    def hand_on(self, records):
        """Takes triples of a partition, an offset and a value."""
        records = [record for record in records if record[0] in self.owned]
        for partition, offset, _ in records:
            self.positions[partition] = offset + 1
        if records:
            emit({"event": "records", "records": records})


def serve(client):
    """Answers requests until the input ends, and polls the member, if there is one, between them.

    `client` has a method for each request but `commit` and `leave`; `join` returns a member, which has
    `poll`, `commit(offsets)` (None: all that was handed on) and `leave`.
    """
    requests = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    member = None
    while True:
        try:
            request = requests.get(block=member is None)
        except queue.Empty:
            try:
                member.poll()
            except Exception as error:
                emit({"event": "failed", "error": repr(error)})
                member = None
            continue
        if request is None:
            return
        try:
            do = request.pop("do")
            reply = None
            if do == "join":
                member = client.join(**request)
            elif do == "commit":
                member.commit(request.get("offsets"))
            elif do == "leave":
                leaver, member = member, None
                leaver.leave()
            else:
                reply = getattr(client, do)(**request)
            emit({"reply": reply or {}})
        except Exception as error:
            emit({"error": repr(error)})


def _read(requests):
    for line in sys.stdin:
        requests.put(json.loads(line))
    requests.put(None)
