"""Reads SMS delivery receipts as gateways of the SMPP 3.4 kind write them, one a line:

    id:123A456B sub:001 dlvrd:001 submit date:2606101930 done date:260610193012 stat:DELIVRD err:000 text:Dear

The text of the message is passed over: it is kept nowhere, not even as a digest. The times have no zone, so the caller
must say in which they are written."""

from __future__ import annotations

from pathlib import Path
from re import ASCII
from re import compile as pattern
from typing import Final

from projections.exchange.outside.clock import Clock, WrongTime
from projections.exchange.outside.records import Collector
from projections.exchange.outside.textfile import facts, opened_text

MEDIA_TYPE: Final = "text/plain"
STATES: Final = frozenset(
    [
        "DELIVRD",
        "EXPIRED",
        "DELETED",
        "UNDELIV",
        "ACCEPTD",
        "UNKNOWN",
        "REJECTD",
        "ENROUTE",
        "SCHEDULED",
        "SKIPPED",
    ]
)
_RECEIPT = pattern(
    r"id:(\S{1,200}) sub:([0-9]{1,3}) dlvrd:([0-9]{1,3}) submit date:([0-9]+) done date:([0-9]+)"
    r" stat:([A-Z]{1,10}) err:(\S{1,16})(?: [Tt]ext:.*)?",
    ASCII,
)


def read_receipts(path: Path, clock: Clock, collector: Collector, *, encoding: str | None = None) -> None:
    """Adds the receipts of one file to the collector."""
    read = facts(path, MEDIA_TYPE)
    with opened_text(path, read, encoding) as text:
        collector.begin(read)
        for number, line in enumerate(text, 1):
            receipt = line.rstrip("\r\n")
            if receipt:
                _take(number, receipt, clock, collector)


def _take(number: int, receipt: str, clock: Clock, collector: Collector) -> None:
    match = _RECEIPT.fullmatch(receipt)
    if match is None:
        collector.complain(
            number,
            "not a receipt as id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…",
        )
        return
    identity, _, _, submitted, done, state, _ = match.groups()
    if state not in STATES:
        collector.complain(number, "stat: not a state of SMPP 3.4")
        return
    try:
        at_us = clock.instant(submitted, "smpp")
    except WrongTime as error:
        collector.complain(number, f"submit date: {error}")
        return
    try:
        clock.instant(done, "smpp")
    except WrongTime as error:
        collector.complain(number, f"done date: {error}")
        return
    collector.add(number, id=identity, at_us=at_us, day=clock.day(at_us), status=state)
