"""What the ledger holds of a channel, as the views read it, and what it says that a source has counted.

Corrections are applied: an event that was corrected counts as its last correction says, one that did not happen does not
count. What came in and is not sealed and read yet is not seen: bring the views up first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from ledger.events.registry import all_types
from ledger.kernel import canonical
from ledger.kernel.event import short_type
from ledger.log.port import ShardLog
from projections.engine.runner import entries_at
from projections.engine.streams import places
from projections.exchange.outside.clock import Clock, next_day
from projections.exchange.outside.commitments import ROOT_MEDIA_TYPE
from projections.exchange.outside.matching import LedgerRecord
from projections.exchange.outside.records import Channel

COUNTED: Final = "source.counted"
# What a channel's records are in the catalogue, and the medium that they must have.
_TYPES: Final[dict[Channel, tuple[str, str]]] = {
    "call": ("contact.call_placed", ""),
    "sms": ("contact.message_sent", "sms"),
    "mail": ("contact.message_sent", "email"),
    "payment": ("payment.received", ""),
}
# A bank books on working days: a payment may stand in the ledger days before or behind.
PAYMENT_MARGIN_US: Final = 7 * 86_400_000_000


def _versions(short: str) -> list[str]:
    return [f"duecourse.{one.TYPE}.v{one.VERSION}" for one in all_types() if short == one.TYPE]


def ledger_records(
    db: sqlite3.Connection,
    channel: Channel,
    clock: Clock,
    first: str,
    last: str,
    *,
    tolerance_us: int,
    producers: Collection[str] = (),
) -> Iterator[LedgerRecord]:
    """The ledger's events of a channel in the days `first` to `last`, and as far around them as a record may lie that
    belongs to one of them. `producers` are those whose events the source must know; none named: everybody's."""
    short, medium = _TYPES[channel]
    margin = PAYMENT_MARGIN_US if channel == "payment" else tolerance_us
    low, high = max(0, clock.begins(first) - margin), clock.begins(next_day(last)) + margin
    types = _versions(short)
    marks = ", ".join("?" * len(types))
    rows = db.execute(
        "SELECT s.shard, s.subject, t.stream, t.idx, t.event, t.time, t.producer, t.codes, t.corrects, t.corrected_by,"
        " t.voided FROM timeline t JOIN streams s ON s.id = t.stream"
        f" WHERE t.type IN ({marks}) AND t.time >= ? AND t.time < ?",
        (*types, canonical.format_time(low), canonical.format_time(high)),
    )
    # A case comes with several calls, and a producer with all of them: each text is kept once.
    keep: dict[str, str] = {}
    for shard, case, stream, index, event, time, producer, text, corrects, corrected_by, voided in rows:
        if corrected_by is not None or voided or (producers and producer not in producers):
            continue
        if corrects is not None and corrects >= 0 and not _stands(db, stream, corrects, index):
            continue
        codes = orjson.loads(text)
        if medium and codes.get("medium") != medium:
            continue
        at_us = canonical.parse_time(time)
        point = codes.get("contact_point", "")
        yield LedgerRecord(
            shard,
            index,
            event,
            keep.setdefault(case, case),
            at_us,
            clock.day(at_us),
            codes.get("source_ref", ""),
            keep.setdefault(point, point),
            keep.setdefault(producer, producer),
            codes.get("amount", 0),
            codes.get("currency", ""),
        )


def _stands(db: sqlite3.Connection, stream: int, original: int, correction: int) -> bool:
    """Is this the last correction of its event, and not one that takes it back?"""
    row = db.execute(
        "SELECT corrected_by, voided FROM timeline WHERE stream = ? AND idx = ?", (stream, original)
    ).fetchone()
    return row is not None and row[0] == correction and not row[1]


def known_messages(db: sqlite3.Connection, channel: Channel, wanted: Collection[str]) -> set[str]:
    """Which of these ids are the `source_ref` of a message in the ledger, of whatever day."""
    types = _versions(_TYPES[channel][0])
    marks = ", ".join("?" * len(types))
    looked, found = set(wanted), set()
    for (text,) in db.execute(f"SELECT codes FROM timeline WHERE type IN ({marks})", types):
        ref = orjson.loads(text).get("source_ref", "")
        if ref in looked:
            found.add(ref)
    return found


# -- what was counted before ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Counted:
    """A count that stands in the ledger: its payload as last corrected, and the id of its first event by shard."""

    data: Mapping[str, Any]
    ids: dict[int, str] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The Merkle root over the day's records, hex; "" where there is none."""
        return next((one["sha256"] for one in self._evidence() if one["media_type"] == ROOT_MEDIA_TYPE), "")

    @property
    def files(self) -> set[str]:
        """Digests of the files that it was counted from."""
        return {one["sha256"] for one in self._evidence() if one["media_type"] != ROOT_MEDIA_TYPE}

    def _evidence(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.data.get("evidence", [])
        return found


def counted(
    db: sqlite3.Connection, source: str, shards: int, open_log: Callable[[int], ShardLog]
) -> dict[tuple[str, str], Counted]:
    """What the stream of a source says, by unit and day. Counts that were taken back are left out."""
    found: dict[tuple[str, str], Counted] = {}
    for shard in range(shards):
        where = places(db, f"source/{source}", shard)
        if not where:
            continue
        log = open_log(shard)
        try:
            entries = entries_at(log, where)
        finally:
            log.close()
        for entry in entries:
            event = entry.event
            if short_type(event["type"]) != COUNTED:
                continue
            data = event["data"]
            key = (data["unit"], data["day"])
            if data.get("void") is True:
                found.pop(key, None)
                continue
            one = found.setdefault(key, Counted(data))
            one.data = data
            one.ids.setdefault(shard, event["id"])
    return found
