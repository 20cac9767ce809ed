"""The views of a ledger directory, as commands read them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from ledger.errors import ConfigurationError
from ledger.kernel.canonical import is_uuid
from ledger.kernel.digest import shard_of
from projections.case_state.store import CaseStateView
from projections.cli.directory import LedgerDirectory
from projections.engine.store import connect
from projections.engine.views import View
from projections.timeline.store import TimelineView


def all_views() -> list[View]:
    """Every view that a ledger directory keeps."""
    return [CaseStateView(), TimelineView()]


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


def case_shard(ledger: LedgerDirectory, case: str) -> tuple[str, int]:
    """The case id without `case/`, and its shard. `ConfigurationError` for what is no case id."""
    case = case.removeprefix("case/")
    if not is_uuid(case):
        raise ConfigurationError(f"{case!r} is no case id: `duecourse cases {ledger.root}` lists them")
    return case, shard_of(f"case/{case}", ledger.shards)
