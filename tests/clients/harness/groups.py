"""The cases of groups. One class knows what a group promises; each case is a life of a group."""

import collections
import threading
import time

from . import history
from .bench import record
from .driver import Failed, expect

PARTITIONS = 6
SESSION_MS = 6_000  # the least that a broker allows by default
STATIC_SESSION_MS = 20_000  # nobody waits for it: a static member is back before it ends
SETTLE_SECONDS = 30


class Member:
    """One membership of one driver: from its `join` to its `leave` or its death."""

    def __init__(self, driver, changed, instance):
        self.driver, self.changed = driver, changed
        # A static member that comes back is the same member to the group, in the same generation.
        self.identity = instance or id(self)
        self.late_microseconds = driver.client.late_microseconds
        self.owned, self.history, self.failure = frozenset(), [], None
        self.records = []
        driver.listener = self.take

    def take(self, event):
        with self.changed:
            if event["event"] == "owned":
                self.owned = frozenset(event["partitions"])
                self.history.append((event["at"], self.owned, event["generation"]))
            elif event["event"] == "records":
                self.records += [tuple(one) for one in event["records"]]
            else:
                self.failure = event["error"]
            self.changed.notify_all()

    def end(self, at):
        """Nothing is owned any more."""
        with self.changed:
            self.driver.listener = None
            if self.owned:
                self.history.append((at, frozenset(), None))
            self.owned = frozenset()

    def __str__(self):
        return f"{self.driver.client.name} pid {self.driver.process.pid} owns {sorted(self.owned)}"


class Group:
    """A group of a topic's consumers, and all that it was given and handed on."""

    def __init__(self, bench, assignor=None, session_ms=SESSION_MS):
        self.bench, self.session_ms = bench, session_ms
        self.assignor = assignor or bench.client.assignor
        self.topic, self.name = bench.topic(PARTITIONS), bench.name("group")
        self.changed = threading.Condition()
        self.members, self.past = [], []
        self.sent = collections.defaultdict(list)

    def until(self, true, what, seconds=SETTLE_SECONDS):
        """Waits until `true()`; fails with what the members own and had when the time is up."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.failures() or true(), seconds):
                words = "".join(member.driver.last_words() for member in self.members)
                raise Failed(f"{what}: not within {seconds} s; {self.state()}{words}")
        expect(not self.failures(), f"{what}: {self.failures()}")

    def failures(self):
        return [f"{member}: {member.failure}" for member in self.members if member.failure]

    def state(self):
        return "; ".join(str(member) for member in self.members) or "no member"

    def join(self, client=None, instance=None):
        driver = self.bench.drivers[client or self.bench.client.name].take()
        member = Member(driver, self.changed, instance)
        driver.ask(
            "join",
            group=self.name,
            topic=self.topic,
            assignor=self.assignor,
            instance=instance,
            session_ms=self.session_ms,
        )
        self.members.append(member)
        return member

    def leave(self, member):
        member.driver.send("leave")
        self._gone(member)

    def crash(self, member):
        self._part(member)
        member.end(member.driver.kill())

    def _part(self, member):
        self.members.remove(member)
        self.past.append(member)

    def close(self):
        """All leave at once."""
        for member in self.members:
            member.driver.send("leave")
        while self.members:
            self._gone(self.members[0])

    def _gone(self, member):
        self._part(member)
        member.driver.receive("leave")
        member.end(time.time_ns() // 1000)
        self.bench.drivers[member.driver.client.name].give(member.driver)

    def settle(self, seconds=SETTLE_SECONDS):
        """Every partition has one owner, and every member owns some."""
        self.until(self.settled, f"{len(self.members)} members share {PARTITIONS} partitions", seconds)

    def settled(self):
        shares = [member.owned for member in self.members]
        return all(shares) and sorted(p for share in shares for p in share) == list(range(PARTITIONS))

    def send(self, each=4):
        """Writes some lines to every partition. Returns their places and values."""
        records = [record(line, partition=p) for p in range(PARTITIONS) for line in self.bench.lines(each)]
        self.bench.produce(self.topic, records, idempotent=True)
        new = set()
        for one in records:
            log = self.sent[one["partition"]]
            new.add((one["partition"], len(log), one["value"]))
            log.append(one["value"])
        return new

    def receive(self, new, what="records arrive"):
        """Waits until the members of now have handed on all of `new`."""
        with self.changed:
            before = self.seen()
        try:
            self.until(lambda: new <= self.seen(), what)
        except Failed as failed:
            missing = sorted(new - self.seen())
            raise Failed(f"{failed}; missing {len(missing)} of {len(new)}: {missing[:3]}; seen before: {len(before)}")

    def seen(self):
        return {one for member in self.members for one in member.records}

    def commit(self, offsets=None):
        for member in self.members:
            member.driver.send("commit", offsets=offsets)
        for member in self.members:
            member.driver.receive("commit")

    def wave(self):
        """Writes, waits until it is handed on, commits."""
        self.receive(self.send())
        self.commit()

    def check(self, once=True):
        sent = {(p, offset, value) for p, log in self.sent.items() for offset, value in enumerate(log)}
        history.check_records(sent, self.past + self.members, once)
        history.check_owners(self.past + self.members)


def join_leave(bench, most=5):
    """One to five members join and leave one by one, the leader first; each record is handed on exactly once."""
    group = Group(bench)
    for _ in range(most):
        group.join()
        group.settle()
        group.wave()
    while len(group.members) > 2:
        group.leave(group.members[0])
        group.settle()
        group.wave()
    group.close()
    group.check()


def crash(bench):
    """kill -9 of a member: its partitions move when its session ends, not before, and nothing is lost."""
    group = Group(bench)
    for _ in range(3):
        group.join()
    group.settle()
    group.wave()
    uncommitted = group.send()
    group.receive(uncommitted)
    victim = group.members[1]
    lost = {one for one in uncommitted & set(victim.records)}
    killed = time.monotonic()
    group.crash(victim)
    meanwhile = group.send()
    group.settle(seconds=SESSION_MS / 1000 + 10)
    waited = time.monotonic() - killed
    expect(waited >= SESSION_MS / 1000 - 2, f"the dead member's partitions moved after {waited:.1f} s already")
    group.receive(meanwhile, "what was written while the member was dead arrives")
    if not bench.client.commits_itself:
        group.receive(lost, "what the dead member had not committed arrives again")
    group.close()
    group.check(once=False)


def static(bench):
    """A static member comes back, after an orderly end and after kill -9, and nobody notices."""
    group = Group(bench, session_ms=STATIC_SESSION_MS)
    first = group.join(instance="first")
    group.settle()
    second = group.join(instance="second")
    group.settle()
    group.wave()
    for go in (group.leave, group.crash):
        share, events = second.owned, len(first.history)
        go(second)
        while_away = group.send()
        second = group.join(instance="second")
        group.until(lambda: second.owned == share, f"the static member owns {sorted(share)} again")
        group.receive({one for one in while_away if one[0] in share}, "what the static member missed arrives")
        group.receive(while_away)
        group.commit()
        group.wave()
        new = [sorted(owned) for _, owned, _ in first.history[events:]]
        expect(not new, f"the other member was rebalanced although nobody came or went for the group: {new}")
    group.close()
    group.check(once=not bench.client.commits_itself)


def cooperative(bench):
    """Members that join or leave take nothing from the others but what moves."""
    group = Group(bench, assignor="cooperative-sticky")
    group.join()
    group.settle()
    group.wave()
    for change in (group.join, group.join, lambda: group.leave(group.members[-1])):
        before = [(member, member.owned, len(member.history)) for member in group.members]
        change()
        group.settle()
        group.wave()
        for member, old, events in before:
            if member in group.members:
                kept = old & member.owned
                for _, owned, _ in member.history[events:]:
                    expect(kept <= owned, f"{member} gave up {sorted(kept - owned)} for a while")
    group.close()
    group.check()


def resume(bench):
    """A group commits, ends, and goes on exactly where it was."""
    group = Group(bench)
    for _ in range(3):
        group.join()
        group.join()
        group.settle()
        group.wave()
        group.close()
        meanwhile = group.send()
        group.join()
        group.settle()
        group.receive(meanwhile)
        group.commit()
        group.close()
    group.check()


def rewind(bench):
    """A committed offset in the middle of each partition is where the next member begins."""
    group = Group(bench)
    reader = group.join()
    group.settle()
    group.receive(group.send(each=10))
    middle = [(partition, 2 + partition) for partition in range(PARTITIONS)]
    group.commit(middle)
    group.leave(reader)
    again = group.join()
    group.settle()
    due = {(p, o, v) for p, from_ in middle for o, v in enumerate(group.sent[p]) if o >= from_}
    group.receive(due)
    expect(set(again.records) == due, f"read besides: {sorted(set(again.records) - due)[:3]}")
    group.close()
    group.check(once=False)


def together(bench, other, assignor):
    """Two different clients in one group: each leads once, each goes once, one by kill -9."""
    one = bench.client.name
    group = Group(bench, assignor)
    first = group.join(one)
    group.settle()
    group.wave()
    group.join(other)
    group.settle()
    group.wave()
    group.leave(first)
    group.settle()
    group.wave()
    group.join(one)
    group.settle()
    group.wave()
    group.crash(next(member for member in group.members if member.driver.client.name == other))
    group.settle(seconds=SESSION_MS / 1000 + 10)
    group.wave()
    group.close()
    group.check()
