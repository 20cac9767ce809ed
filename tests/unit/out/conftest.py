"""Views made by hand, so that what a ledger would never let in can be written out too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pytest

from projections.exchange.out.source import Selection, Source

NAME = "ledger.example.com/out"


def case_id(number: int) -> str:
    return f"00000000-0000-8000-8000-{number:012d}"


class Views:
    """The published tables of the readings, as far as they are written out."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.executescript(
            """
            CREATE TABLE streams (id INTEGER PRIMARY KEY, shard INTEGER, subject TEXT, UNIQUE (subject, shard));
            CREATE TABLE places (stream INTEGER, seq INTEGER, idx INTEGER, cursor INTEGER,
                PRIMARY KEY (stream, seq));
            CREATE TABLE timeline (stream INTEGER, seq INTEGER, idx INTEGER, event TEXT, type TEXT, time TEXT,
                recordedtime TEXT, sequenced TEXT, actor TEXT, role TEXT, capacity TEXT, producer TEXT,
                codes TEXT, protected TEXT, corrects INTEGER, PRIMARY KEY (stream, seq));
            CREATE TABLE case_state (stream INTEGER PRIMARY KEY, stage TEXT);
            CREATE TABLE generations (generation INTEGER PRIMARY KEY, current INTEGER);
            CREATE TABLE progress (tracking TEXT, generation INTEGER, position INTEGER);
            INSERT INTO generations VALUES (1, 1);
            """
        )
        self._index: dict[int, int] = {}

    def clear(self) -> None:
        """Takes every event away, for the next example of a property."""
        self.db.execute("DELETE FROM timeline")
        self.db.execute("DELETE FROM places")

    def stream(self, subject: str, shard: int = 0, stage: str = "") -> int:
        found = self.db.execute(
            "SELECT id FROM streams WHERE subject = ? AND shard = ?", (subject, shard)
        ).fetchone()
        if found is not None:
            return int(found[0])
        (number,) = self.db.execute("SELECT IFNULL(MAX(id), 0) + 1 FROM streams").fetchone()
        self.db.execute("INSERT INTO streams VALUES (?, ?, ?)", (number, shard, subject))
        self.db.execute("INSERT INTO case_state VALUES (?, ?)", (number, stage))
        return int(number)

    def event(
        self, number: int, short: str, data: dict[str, Any] | None = None, *, shard: int = 0, stage: str = "",
        corrects: int | None = None, **more: Any,
    ) -> int:  # fmt: skip
        """One entry of case `number`; returns its index in the shard."""
        stream = self.stream(f"case/{case_id(number)}", shard, stage)
        index = self._index.get(shard, 0)
        self._index[shard] = index + 1
        (seq,) = self.db.execute("SELECT COUNT(*) FROM timeline WHERE stream = ?", (stream,)).fetchone()
        given = {
            "event": f"01000000-0000-7000-8000-{shard:04d}{index:08d}",
            "time": f"2026-03-01T00:00:{index % 60:02d}.000000Z",
            "recordedtime": "2026-03-02T00:00:00.000000Z",
            "sequenced": "2026-03-02T00:00:01.000000Z",
            "actor": "staff/1",
            "role": "collector",
            "capacity": "first_party",
            "producer": "crm",
            "protected": "",
            **more,
        }
        self.db.execute(
            "INSERT INTO timeline VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stream, seq, index, given["event"], f"duecourse.{short}.v1", given["time"],
                given["recordedtime"], given["sequenced"], given["actor"], given["role"], given["capacity"],
                given["producer"], orjson.dumps(data or {}).decode(), given["protected"], corrects,
            ),
        )  # fmt: skip
        self.db.execute("INSERT INTO places VALUES (?, ?, ?, ?)", (stream, seq, index, index))
        self.db.execute("DELETE FROM progress WHERE tracking = ?", (f"{NAME}/{shard}@1",))
        self.db.execute("INSERT INTO progress VALUES (?, 1, ?)", (f"{NAME}/{shard}@1", index + 1))
        return index

    def source(
        self,
        cases: Sequence[str] = (),
        *,
        stage: str | None = None,
        every_entry: bool = False,
        shards: int = 1,
    ) -> Source:
        return Source(self.db, NAME, shards, Selection(tuple(cases), stage, every_entry))


@pytest.fixture
def views() -> Iterator[Views]:
    made = Views()
    yield made
    made.db.close()


@pytest.fixture
def story(views: Views) -> Views:
    """Two cases in which every kind of object is spoken of, one event is corrected and one voided."""
    debt, party, point, plan = (case_id(n) for n in (901, 902, 903, 904))
    agency = case_id(905)
    views.event(1, "case.registered", {"origin": "own", "stage": "registered", "places": []}, stage="overdue")
    views.event(
        1, "debt.itemised",
        {"debt": debt, "product": "credit_card", "currency": "CNY", "principal": 1000, "interest": -5, "fees": 0,
         "itemised_on": "2026-03-01"},
    )  # fmt: skip
    views.event(
        1, "party.contact_point_changed",
        {"party": party, "role": "debtor", "contact_point": point, "action": "add", "medium": "voice",
         "source": "reserved", "is_work": False},
        protected="address",
    )  # fmt: skip
    views.event(
        2, "case.registered", {"origin": "bought", "stage": "registered", "places": []}, stage="closed"
    )
    wrong = views.event(
        1, "contact.call_placed",
        {"parties": [{"party": party, "role": "debtor"}], "debts": [debt], "contact_point": point,
         "purpose": "interactive", "outcome": "busy", "duration_ms": 1},
    )  # fmt: skip
    views.event(
        1, "contact.call_placed",
        {"parties": [{"party": party, "role": "debtor"}], "debts": [debt], "contact_point": point,
         "purpose": "interactive", "outcome": "answered", "duration_ms": 2},
        corrects=wrong, actor="staff/2",
    )  # fmt: skip
    double = views.event(1, "payment.promised", {"debts": [debt], "amount": 1, "currency": "CNY"})
    views.event(
        1,
        "payment.promised",
        {"debts": [debt], "amount": 1, "currency": "CNY", "void": True},
        corrects=double,
    )
    views.event(1, "case.stage_changed", {"stage": "overdue"}, corrects=-1)
    views.event(1, "case.stage_changed", {"stage": "overdue"})
    views.event(1, "case.assigned", {"to_agency": agency}, actor=f"agency/{agency}")
    views.event(1, "plan.proposed", {"plan": plan, "by": "debtor", "debts": [debt], "months": 6})
    views.event(
        1, "payment.received",
        {"amount": 10, "currency": "CNY", "method": "other", "payer": "debtor", "cleared": [debt],
         "allocation": [{"debt": debt, "amount": 10}]},
    )  # fmt: skip
    views.event(2, "case.closed", {"reason": "paid"})
    return views
