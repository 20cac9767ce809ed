"""A shard with a house pack that any test may adopt, and the views that judge by it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.kernel.canonical import format_time, parse_time
from ledger.kernel.digest import sha256
from ledger.testing.history import TENANT, Tool, case
from ledger.testing.rig import Rig
from projections.conformance.query import ExceptionRow, exceptions
from projections.conformance.shelf import Shelf
from projections.conformance.store import ConformanceView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore, connect
from projections.engine.views import Batch
from projections.portfolio.store import PortfolioView

HOUSE = """
[pack]
id = "house"
version = "1"
zone = "Europe/Rome"
title = {en = "House rules", zh = "机构规则"}
note = {en = "For tests.", zh = "测试用。"}

[[rule]]
id = "H-1"
kind = "RSP"
cite = "House policy 1"
grade = "T"
modality = "must"
in_force = {from = 2020-01-01}
text = {en = "A complaint is resolved within three days.", zh = "投诉三日内办结。"}
on = [{types = ["complaint.received"]}]
then = [{types = ["complaint.resolved"], link = {f = "complaint"}}]
within = {n = 3, unit = "days"}

[[rule]]
id = "H-2"
kind = "VAL"
cite = "House policy 2"
grade = "T"
modality = "must"
in_force = {from = 2020-01-01}
text = {en = "Whoever calls has a certificate.", zh = "外呼人员须持证。"}
on = [{types = ["contact.call_placed"]}]
valid = {by = "qualified", stream = "staff"}
item = [{types = ["staff.qualified"], where = [{f = "kind", in = ["certificate"]}], start = "valid_from", end = "valid_to"}]

[[rule]]
id = "H-3"
kind = "FC"
cite = "House policy 3"
grade = "T"
modality = "must"
in_force = {from = 2020-01-01}
text = {en = "At most two calls a day.", zh = "每日外呼至多两次。"}
on = [{types = ["contact.call_placed"]}]
cap = {n = 2, window = "calendar_day", zone = "Europe/Rome", key = ["party"]}
"""
# The same without the rule that leans on the streams of staff.
COUNTED = HOUSE[: HOUSE.index('[[rule]]\nid = "H-2"')] + HOUSE[HOUSE.index('[[rule]]\nid = "H-3"') :]
STAFF = case(77)[5:]
PARTY, DEBT, POINT = case(901)[5:], case(902)[5:], case(903)[5:]


class World:
    """A ledger under test. Events are said at times of day of March 2026 and get their place by `sequence`."""

    house, counted, staff = HOUSE, COUNTED, STAFF

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.packs = directory / "packs"
        self.packs.mkdir()
        self.rig = Rig(directory)
        self.rig.found()
        self.tool: Tool = self.rig.register(
            "crm", types=["case", "complaint", "conduct", "contact", "debt", "source", "staff"]
        )
        self.sequencer: Any = None
        self.judged: list[int] = []
        portfolio = PortfolioView()

        def sink(batch: Batch, cases: Mapping[int, Any]) -> None:
            self.judged += cases
            portfolio.take(batch, cases)

        self.view = ConformanceView(Shelf(self.packs), sink)
        self.store = ViewStore(directory / "views.db", [self.view, portfolio])
        self.batch = 1000

    def adopt(self, text: str = HOUSE, *, keep: bool = True, name: str = "house", version: str = "1") -> None:
        data = text.encode()
        if keep:
            (self.packs / f"{name}@{version}.toml").write_bytes(data)
        adopted = {"binding": [], "digest": sha256(data).hex(), "from": "2020-01-01T00:00:00.000000Z"}
        self.rig.order("pack_adopted", "registry", {**adopted, "id": name, "version": version})

    def say(self, subject: str, short: str, at: str, **data: Any) -> str:
        """Hands in one event of March 2026 (`05 10:30`, UTC), as captured at once; returns its id."""
        more = {name: data.pop(name) for name in ("corrects", "actorid") if name in data}
        time = f"2026-03-{at[:2]}T{at[3:]}:00.000000Z"
        raw = self.tool.event(
            subject,
            type=f"duecourse.{short}.v1",
            dataschema=f"urn:duecourse:{short}:1",
            time=time,
            recordedtime=time,
            tenantid=TENANT,
            data=data,
            **more,
        )
        self.rig.submit(self.tool.sign([raw]))
        return str(json.loads(raw)["id"])

    def call(self, number: int, at: str, **more: Any) -> str:
        given: dict[str, Any] = {"purpose": "interactive", "outcome": "no_answer", "contact_point": POINT}
        given |= {"parties": [{"party": PARTY, "role": "debtor"}], "debts": [DEBT]}
        given["zones"] = [{"zone": "Europe/Rome", "source": "residence"}]
        return self.say(case(number), "contact.call_placed", at, actorid=f"staff/{STAFF}", **given, **more)

    def complain(self, number: int, at: str, **more: Any) -> str:
        return self.say(case(number), "complaint.received", at, forum="bank", category="fees", **more)

    def sequence(self, at: str = "") -> None:
        """Everything handed in gets its place and is read; the sequencer's clock is set to this moment first."""
        if at:
            self.rig.clock.us = parse_time(f"2026-03-{at[:2]}T{at[3:]}:00.000000Z")
        if self.sequencer is None:
            self.sequencer = self.rig.sequencer()
            self.sequencer.start()
        self.sequencer.drain()
        self.judged.clear()
        Runner(self.store, self.shard(), batch=self.batch).catch_up()

    def shard(self) -> Shard:
        return Shard(self.rig.open_log("reader"), self.rig.origin, self.rig.log_key)

    def found(self, **asked: str) -> list[ExceptionRow]:
        db = connect(self.store.path)
        try:
            return list(exceptions(db, **asked))
        finally:
            db.close()

    def outcomes(self) -> list[tuple[str, str]]:
        return [(row.rule, row.outcome) for row in self.found()]

    def query(self, statement: str) -> list[Any]:
        db = connect(self.store.path)
        try:
            return db.execute(statement).fetchall()
        finally:
            db.close()

    def rebuilt(self) -> bool:
        """Whether the views are what a rebuild makes of the same entries."""
        live = self.store.digests()
        return rebuild(self.store, [self.shard()]) == live

    def now(self) -> str:
        return format_time(self.rig.clock.us)

    def close(self) -> None:
        self.store.close()
        self.rig.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.close()
