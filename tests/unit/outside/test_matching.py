"""Pairs of statement and ledger: each once, as many as there can be, and none that is not one."""

from __future__ import annotations

import hmac
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.kernel.canonical import format_time
from projections.exchange.outside.compare import Day
from projections.exchange.outside.matching import BY_ID, BY_POINT, DIFFERS, LedgerRecord, match
from projections.exchange.outside.records import Channel, Collector, FileRead, Records

DAY = "2026-06-10"
BASE = 1_781_049_600_000_000
SECOND = 1_000_000


def point_of(case: str, number: str) -> str:
    return hmac.digest(b"key", f"{case} {number}".encode(), "sha256").hex()


def records(rows: list[tuple[str, float, str]], channel: Channel = "call") -> Records:
    collector = Collector(channel)
    collector.begin(FileRead("f", "00", 0, "text/csv", 0))
    for line, (identity, at, number) in enumerate(rows, 1):
        collector.add(line, id=identity, at_us=BASE + round(at * SECOND), day=DAY, number=number)
    return collector.finish()


def held(
    idx: int, at: float, *, ref: str = "", case: str = "case/1", number: str = "", day: str = DAY
) -> LedgerRecord:
    point = point_of(case, number) if number else ""
    return LedgerRecord(0, idx, f"e{idx}", case, BASE + round(at * SECOND), day, ref, point, "p")


def test_the_id_comes_first_and_the_times_must_agree() -> None:
    said = records([("a", 0, "1"), ("b", 100, "1"), ("c", 200, "2")])
    told = match(said, [held(1, 3, ref="a"), held(2, 150, ref="b")], {DAY}, point_of)
    assert list(told.found) == [BY_ID, DIFFERS, 0]
    assert (told.missing, told.extra) == ([2], [])
    assert [(number, event.idx) for number, event in told.differing] == [(1, 2)]


def test_the_same_id_twice_in_the_ledger_is_one_too_many() -> None:
    told = match(records([("a", 0, "1")]), [held(1, 0, ref="a"), held(2, 0, ref="a")], {DAY}, point_of)
    assert [event.idx for event in told.extra] == [2]


def test_a_contact_point_counts_in_its_own_case_only() -> None:
    said = records([("a", 0, "+1"), ("b", 0, "+2")])
    ledger = [held(1, 1, case="case/1", number="+1"), held(2, 1, case="case/2", number="+2")]
    assert list(match(said, ledger, {DAY}, point_of).found) == [BY_POINT, BY_POINT]
    swapped = [one._replace(case="case/3") for one in ledger]
    assert list(match(said, swapped, {DAY}, point_of).found) == [0, 0]


def test_an_event_beyond_midnight_may_be_a_partner_and_is_never_extra() -> None:
    said = records([("a", 0, "+1")])
    told = match(said, [held(1, -1, number="+1", day="2026-06-09")], {DAY}, point_of)
    assert (list(told.found), told.extra) == ([BY_POINT], [])
    told = match(said, [held(1, -60, number="+1", day="2026-06-09")], {DAY}, point_of)
    assert (told.missing, told.extra) == ([0], [])


def test_payments_agree_by_amount() -> None:
    collector = Collector("payment")
    collector.begin(FileRead("f", "00", 0, "text/csv", 0))
    for line, amount in enumerate((500, 700, 700, 900), 1):
        collector.add(line, id=f"p{line}", at_us=-1, day=DAY, amount=amount, currency="EUR")
    said = collector.finish()
    ledger = [
        held(1, 0, ref="p1")._replace(amount=500, currency="EUR"),
        held(2, 0, ref="p4")._replace(amount=901, currency="EUR"),
        held(3, 0, ref="x")._replace(amount=700, currency="EUR"),
        held(4, 0, ref="y")._replace(amount=700, currency="USD"),
    ]
    told = match(said, ledger, {DAY}, point_of)
    assert list(told.found) == [BY_ID, BY_POINT, 0, DIFFERS]
    assert [event.idx for event in told.extra] == [4]


_SAID = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["+1", "+2", ""])), max_size=8)
_HELD = st.lists(
    st.tuples(
        st.integers(0, 40), st.sampled_from(["case/1", "case/2"]), st.sampled_from(["+1", "+2", "+3", ""])
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(rows=_SAID, events=_HELD)
def test_without_ids_there_are_as_many_pairs_as_there_can_be(
    rows: list[tuple[int, str]], events: list[tuple[int, str, str]]
) -> None:
    said = records([(f"r{n}", at, number) for n, (at, number) in enumerate(rows)])
    ledger = [held(n, at, case=case, number=number) for n, (at, case, number) in enumerate(events)]
    told = match(said, ledger, {DAY}, point_of)
    pairs = sum(mark == BY_POINT for mark in told.found)
    assert pairs == _most(tuple(rows), tuple((at, number) for at, _, number in events))
    assert len(told.missing) == len(rows) - pairs
    assert len(told.extra) == len(events) - pairs


def _most(rows: tuple[tuple[int, str], ...], events: tuple[tuple[int, str], ...]) -> int:
    """How many pairs there can be, by trying every way."""

    @cache
    def best(place: int, used: int) -> int:
        if place == len(rows):
            return 0
        at, number = rows[place]
        found = best(place + 1, used)
        for n, (time, dialled) in enumerate(events):
            if number and dialled == number and abs(time - at) <= 10 and not used >> n & 1:
                found = max(found, 1 + best(place + 1, used | 1 << n))
        return found

    return best(0, 0)


@given(
    stated=st.integers(0, 50),
    missing=st.integers(0, 50),
    extra=st.integers(0, 50),
    differing=st.integers(0, 50),
)
def test_found_equals_stated_exactly_when_nothing_differs(
    stated: int, missing: int, extra: int, differing: int
) -> None:
    missing = min(missing, stated)
    differing = min(differing, stated - missing)
    day = Day(DAY, stated, stated - missing - differing, 0, missing, extra, differing, b"")
    assert (day.found == stated) is not day.differs
    assert day.found >= 0


def test_what_is_listed_is_in_the_order_of_time() -> None:
    said = records([("b", 30, ""), ("a", 20, ""), ("c", 10, "")])
    told = match(said, [held(2, 5), held(1, 2)], {DAY}, point_of)
    assert [format_time(said.at[n])[17:19] for n in told.missing] == ["10", "20", "30"]
    assert [event.idx for event in told.extra] == [1, 2]
