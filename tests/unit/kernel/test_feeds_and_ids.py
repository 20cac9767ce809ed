"""What is remembered of feeds and event ids, however much of it there is."""

from __future__ import annotations

import pytest

from ledger.kernel import feeds
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.feeds import EventIds, Feed
from ledger.testing.history import START_US, event_id


def _digest(number: int) -> bytes:
    return leaf_hash(str(number).encode())


def test_a_feed_knows_its_next_seq_and_every_digest() -> None:
    feed = Feed()
    assert (feed.next_seq, feed.head, feed.digest(0)) == (0, ZERO, None)
    for number in range(5):
        feed.consume(_digest(number))
    assert (feed.next_seq, feed.head) == (5, _digest(4))
    assert [feed.digest(seq) for seq in range(5)] == [_digest(seq) for seq in range(5)]
    assert feed.digest(5) is None
    feed.take_back()
    assert (feed.next_seq, feed.head, feed.digest(4)) == (4, _digest(3), None)
    for _ in range(4):
        feed.take_back()
    assert (feed.next_seq, feed.head) == (0, ZERO)


def test_a_long_feed_forgets_its_oldest_digests_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "DIGESTS_KEPT", 8)
    feed = Feed()
    for number in range(10):
        feed.consume(_digest(number))
    assert feed.digest(0) == _digest(0)
    feed.consume(_digest(10))
    assert [feed.digest(seq) for seq in range(11)] == [None] * 3 + [_digest(seq) for seq in range(3, 11)]
    loaded = Feed.load(*feed.dump())
    assert (loaded.next_seq, loaded.head, loaded.digest(3), loaded.digest(2)) == (
        11,
        _digest(10),
        _digest(3),
        None,
    )


@pytest.mark.parametrize("parts", [(1, 0, b""), (1, 2, b""), (2, 0, bytes(32)), (3, 3, b"")])
def test_a_feed_of_another_size_is_not_loaded(parts: tuple[int, int, bytes]) -> None:
    with pytest.raises(ValueError, match="another size"):
        Feed.load(*parts)


def _parts(number: int) -> tuple[int, int]:
    return EventIds.parts(event_id(number, START_US + number * 1000))


def test_ids_are_found_whether_young_or_packed_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "_YOUNG_MAX", 10)
    ids = EventIds()
    for number in range(95):
        assert _parts(number) not in ids
        ids.add(_parts(number))
        ids.pack()
    assert len(ids) == 95
    assert all(_parts(number) in ids for number in range(95))
    assert not any(_parts(number) in ids for number in range(95, 200))
    # An id with an old time that was never seen is looked for in the old runs, and not found.
    assert EventIds.parts(event_id(1000, START_US)) not in ids
    ids.add(_parts(500))
    ids.discard(_parts(500))
    assert _parts(500) not in ids
    ids.discard(_parts(94))
    assert _parts(94) not in ids
    loaded = EventIds.load(ids.dump())
    assert len(loaded) == 94
    assert all(_parts(number) in loaded for number in range(94))


def test_ids_that_may_still_be_undone_stay_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "_YOUNG_MAX", 10)
    ids = EventIds()
    for number in range(30):
        ids.add(_parts(number))
        ids.pack([_parts(n) for n in range(max(0, number - 20), number + 1)])
    for number in range(29, 15, -1):
        ids.discard(_parts(number))
    assert [number for number in range(30) if _parts(number) in ids] == list(range(16))


def test_the_same_random_bits_at_another_time_are_another_id() -> None:
    ids = EventIds()
    ids.add(EventIds.parts(event_id(1, START_US)))
    assert EventIds.parts(event_id(1, START_US + 5000)) not in ids


def test_ids_that_end_early_are_not_loaded() -> None:
    ids = EventIds()
    ids.add(_parts(1))
    with pytest.raises(ValueError, match="too early"):
        EventIds.load(ids.dump()[:-1])
