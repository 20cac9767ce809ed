"""The lines of one case, in the order of the ledger, up to now or to any past index."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator

import orjson

from ledger.kernel.event import short_type
from projections.timeline.model import Line


def timeline(db: sqlite3.Connection, case: str, shard: int, *, until: int | None = None) -> Iterator[Line]:
    """Every entry of the case, those up to index `until` (included) if it is given. A correction that came
    later than `until` does not show."""
    rows = db.execute(
        "SELECT idx, seq, event, type, time, recordedtime, sequenced, actor, role, capacity, producer, codes,"
        " protected, corrects FROM timeline"
        " WHERE stream = (SELECT id FROM streams WHERE subject = ? AND shard = ?) AND idx <= ? ORDER BY seq",
        (f"case/{case}", shard, 2**63 - 1 if until is None else until),
    ).fetchall()
    codes = [orjson.loads(row[11]) for row in rows]
    # The last correction below `until` decides, and the rows tell which that is.
    corrected = {
        row[13]: (row[0], payload.get("void") is True)
        for row, payload in zip(rows, codes, strict=True)
        if row[13] is not None
    }
    for row, payload in zip(rows, codes, strict=True):
        (
            index,
            seq,
            event,
            kind,
            time,
            recorded,
            sequenced,
            actor,
            role,
            capacity,
            producer,
            _,
            hidden,
            place,
        ) = row
        by, voided = corrected.get(index, (None, False))
        yield Line(
            index=index,
            stream_seq=seq,
            event=event,
            type=short_type(kind),
            time=time,
            recordedtime=recorded,
            sequenced=sequenced,
            actor=actor,
            role=role,
            capacity=capacity,
            producer=producer,
            codes=payload,
            protected=tuple(hidden.split(",")) if hidden else (),
            corrects=place if place is not None and place >= 0 else None,
            corrected_by=by,
            voided=voided,
        )


def count_by_source(db: sqlite3.Connection, prefix: str) -> Counter[str]:
    """How many entries carry a `source_ref` of the form `<prefix>/<code>/…`, by code: what became of the
    activities of an imported log (docs/importing.md)."""
    counts: Counter[str] = Counter()
    for (codes,) in db.execute(
        "SELECT codes FROM timeline WHERE codes LIKE ?", (f'%"source_ref":"{prefix}/%',)
    ):
        first, _, rest = orjson.loads(codes).get("source_ref", "").partition("/")
        if first == prefix:
            counts[rest.partition("/")[0]] += 1
    return counts
