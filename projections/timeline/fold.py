"""From an entry to its line: a pure function. Protected members are named, never opened."""

from __future__ import annotations

from typing import Any

from ledger.kernel.entry import Entry

_STORED = frozenset(("cipher", "digest", "key", "nonce"))


def split(data: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(the payload without its protected members, the names of those). Protected members stand at the top of
    a payload only (`docs/events.md`)."""
    if dict not in map(type, data.values()):
        return data, ()
    hidden = tuple(name for name, value in data.items() if type(value) is dict and value.keys() == _STORED)
    return {k: v for k, v in data.items() if k not in hidden}, hidden


def row(stream: int, entry: Entry) -> tuple[Any, ...]:
    """An entry as a row of the table, all but `codes` in its place and that as it will be encoded."""
    event = entry.event
    codes, hidden = split(event["data"])
    return (
        stream,
        entry.stream_seq,
        entry.index,
        event["id"],
        event["type"],
        event["time"],
        event["recordedtime"],
        entry.sequenced,
        event["actorid"],
        event["actorrole"],
        event["actorcapacity"],
        event["producerid"],
        codes,
        ",".join(hidden),
    )
