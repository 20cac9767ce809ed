"""The draw depends on the checkpoints and the cases, and on nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.kernel.checkpoint import Checkpoint
from projections.exchange.out.draw import draw, population, rank, seed

ONE = Checkpoint("ledger.example.com/out/0", 3, bytes(range(32)))
TWO = Checkpoint("ledger.example.com/out/1", 1, bytes(32))


def test_the_seed_is_as_written_down() -> None:
    written = (
        "duecourse sample 1\n"
        f"ledger.example.com/out/0\n3\n{bytes(range(32)).hex()}\n"
        f"ledger.example.com/out/1\n1\n{'00' * 32}\n"
    )
    assert seed([ONE, TWO]) == hashlib.sha256(written.encode()).digest()
    assert seed([ONE]) != seed([TWO]) != seed([ONE, TWO]) != seed([TWO, ONE])
    case = "6e5714bf-1c49-8148-ad10-2976c4844fe5"
    assert (
        rank(seed([ONE]), case)
        == hashlib.sha256(b"duecourse sample rank 1\n" + seed([ONE]) + case.encode()).digest()
    )
    # Fixed for ever: an auditor of next year draws the same cases.
    assert seed([ONE]).hex() == "545477b8ec3d83fa4473489cdb8556eff280bff266a3052095533430d25cf20d"
    assert rank(seed([ONE]), case).hex() == "4f431ff0a3fd57392c993dfbee40f940484b01a61b25c568da2a31f426aad554"


@given(st.sets(st.uuids().map(str), min_size=1, max_size=40), st.integers(1, 50), st.randoms())
def test_order_and_size_of_the_asking_do_not_matter(cases: set[str], size: int, chance: Any) -> None:
    shuffled = [(case, 0) for case in cases]
    chance.shuffle(shuffled)
    drawn = draw(seed([ONE]), shuffled, size)
    assert drawn == draw(seed([ONE]), sorted(shuffled), size)
    assert len(drawn) == min(size, len(cases))
    assert [one.rank for one in drawn] == sorted(one.rank for one in drawn)
    # A larger sample begins with the smaller one.
    assert draw(seed([ONE]), shuffled, size + 1)[: len(drawn)] == drawn


def test_another_root_draws_others() -> None:
    cases = [(f"00000000-0000-8000-8000-{n:012d}", 0) for n in range(1000)]
    first, second = ({one.case for one in draw(seed([c]), cases, 100)} for c in (ONE, TWO))
    # Two draws of a tenth have a hundredth in common, give or take.
    assert len(first & second) < 40


def test_only_cases_under_the_checkpoints_can_be_drawn(views: Any) -> None:
    for shard, number in ((0, 1), (0, 2), (0, 1), (0, 3), (1, 4), (1, 5)):
        views.event(number, "case.stage_changed", {"stage": "overdue"}, shard=shard)
    views.stream("agency/00000000-0000-8000-8000-000000000001")
    found = [(int(case[-3:]), shard) for case, shard in population(views.db, [ONE, TWO])]
    # Case 3 began with entry 3 of shard 0, case 5 with entry 1 of shard 1: behind the checkpoints.
    assert sorted(found) == [(1, 0), (2, 0), (4, 1)]
