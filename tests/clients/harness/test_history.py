"""Each check of `history.py` is shown a history without a fault, and one with exactly the fault that it is for."""

import unittest
from dataclasses import dataclass, field

from .driver import Failed
from .history import check_owners, check_records

ONE, OTHER = (0, 0, "one"), (0, 1, "other")


@dataclass
class Member:
    identity: str
    records: list = field(default_factory=list)
    history: list = field(default_factory=list)
    late_microseconds: int = 0


def owning(identity, *history, **more):
    return Member(identity, history=[(at, frozenset(owned), generation) for at, owned, generation in history], **more)


class History(unittest.TestCase):
    def refused(self, what, check, *arguments):
        with self.assertRaisesRegex(Failed, what):
            check(*arguments)

    def test_each_record_once_passes(self):
        check_records({ONE, OTHER}, [Member("a", [ONE]), Member("b", [OTHER])], True)

    def test_a_lost_record_is_seen(self):
        self.refused("never handed on", check_records, {ONE, OTHER}, [Member("a", [ONE])], False)

    def test_a_changed_record_is_seen(self):
        self.refused("never written", check_records, {ONE}, [Member("a", [ONE, (0, 0, "changed")])], False)

    def test_a_record_twice_is_seen_unless_allowed(self):
        members = [Member("a", [ONE]), Member("b", [ONE])]
        check_records({ONE}, members, False)
        self.refused("more than once", check_records, {ONE}, members, True)

    def test_a_partition_that_moves_passes(self):
        check_owners([owning("a", (0, {0}, 1), (9_000, {}, None)), owning("b", (10_000, {0}, 2))])

    def test_two_owners_at_one_time_are_seen(self):
        members = [owning("a", (0, {0}, 1), (90_000, {}, None)), owning("b", (10_000, {0}, 2))]
        self.refused("owned twice for 78000 us", check_owners, members)
        members[0].late_microseconds = 80_000
        check_owners(members)

    def test_an_owner_that_never_gave_up_is_seen(self):
        self.refused("owned twice", check_owners, [owning("a", (0, {0}, 1)), owning("b", (10_000, {0}, 2))])

    def test_two_owners_in_one_generation_are_seen(self):
        members = [owning("a", (0, {0}, 7), (9_000, {}, None)), owning("b", (20_000, {0}, 7))]
        self.refused("generation 7", check_owners, members)
        members[1].identity = "a"
        check_owners(members)


if __name__ == "__main__":
    unittest.main()
