"""The views of a ledger directory, as commands read them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_uuid
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.digest import shard_of
from ledger.tilestore.directory import DirectoryTiles
from projections.access_log.store import AccessLogView
from projections.case_state.store import CaseStateView
from projections.cli.directory import LedgerDirectory
from projections.conformance.shelf import Shelf
from projections.conformance.store import ConformanceView
from projections.engine.store import applied, connect
from projections.engine.views import View
from projections.portfolio.store import PortfolioView
from projections.timeline.store import TimelineView


def all_views(ledger: LedgerDirectory) -> list[View]:
    """Every view that a ledger directory keeps."""
    portfolio = PortfolioView()
    # What is judged of a case is counted in the same transaction.
    conformance = ConformanceView(Shelf(ledger.packs), portfolio.take)
    return [CaseStateView(), TimelineView(), AccessLogView(), conformance, portfolio]


@contextlib.contextmanager
def open_readings(ledger: LedgerDirectory) -> Iterator[sqlite3.Connection]:
    """The views for reading only. `ConfigurationError` where there are none yet."""
    db = connect(ledger.views)
    try:
        # One state of the views for the whole command, whatever is written meanwhile.
        db.execute("BEGIN")
        yield db
    finally:
        db.close()


def views_are_current(ledger: LedgerDirectory) -> bool:
    """Do the views hold everything that is under a published checkpoint?"""
    with open_readings(ledger) as db:
        read = applied(db)
    for shard in range(ledger.shards):
        note = DirectoryTiles(ledger.tiles(shard)).checkpoint()
        if note is not None:
            checkpoint = open_statement(note, ledger.log_keys[shard], Checkpoint)
            if read.get(checkpoint.origin, 0) < checkpoint.size:
                return False
    return True


def case_shard(ledger: LedgerDirectory, case: str) -> tuple[str, int]:
    """The case id without `case/`, and its shard. `ConfigurationError` for what is no case id."""
    case = case.removeprefix("case/")
    if not is_uuid(case):
        raise ConfigurationError(f"{case!r} is no case id: `duecourse cases {ledger.root}` lists them")
    return case, shard_of(f"case/{case}", ledger.shards)
