"""What a group promises, checked on what its members saw. `test_history.py` shows each check the fault that it is for.

A member here has `records`, triples of a partition, an offset and a value; `history`, triples of a time in microseconds,
the partitions owned from then on, and the generation or None; `identity`, the same for a static member that came back;
and `late_microseconds`, how late it may have told.
"""

import collections

from .driver import expect

CLOCK_MICROSECONDS = 2_000  # how exactly a driver knows the time


def check_records(sent, members, once):
    """Nothing foreign, nothing lost, and, if `once`, nothing twice."""
    handed_on = collections.Counter(one for member in members for one in member.records)
    foreign, lost = sorted(set(handed_on) - sent), sorted(sent - set(handed_on))
    expect(not foreign, f"handed on but never written like this: {foreign[:3]}")
    expect(not lost, f"written but never handed on: {lost[:3]}")
    twice = sorted(one for one, count in handed_on.items() if count > 1)
    expect(not (once and twice), f"{len(twice)} records handed on more than once: {twice[:3]}")


def check_owners(members):
    """No partition has two owners at one time, nor two in one generation."""
    tenures, owners = collections.defaultdict(list), {}
    for member in members:
        for partition, start, end in tenures_of(member):
            tenures[partition].append((start, end, member))
        for _, owned, generation in member.history:
            for partition in owned if generation is not None else ():
                owner = owners.setdefault((generation, partition), member)
                both = f"generation {generation}: partition {partition} belongs to {owner} and to {member}"
                expect(owner.identity == member.identity, both)
    for partition, spans in tenures.items():
        spans.sort(key=lambda span: span[:2])
        for (_, end, one), (start, _, other) in zip(spans, spans[1:]):
            expect(end <= start, f"partition {partition} was owned twice for {end - start} us: by {one} and by {other}")


def tenures_of(member):
    """From when to when a member surely owned each partition; to infinity what it still owns."""
    slack, since = CLOCK_MICROSECONDS + member.late_microseconds, {}
    for at, owned, _ in member.history:
        for partition in owned - since.keys():
            since[partition] = at
        for partition in since.keys() - owned:
            yield partition, since.pop(partition), at - slack
    for partition, start in since.items():
        yield partition, start, float("inf")
