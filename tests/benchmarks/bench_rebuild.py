"""How fast both views are made again from an SQLite log: `python tests/benchmarks/bench_rebuild.py [EVENTS]`.

Makes a founded shard with cases of a collection process (six events each, one after the other), sequences and
seals it, and then times a rebuild. Prints one JSON line. Not a test: nothing here asserts a figure."""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import heading

from ledger.testing.history import TENANT, Tool, case
from ledger.testing.rig import Rig
from projections.case_state.store import CaseStateView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore
from projections.timeline.store import TimelineView

FLUSH = 64


def _uuid(number: int) -> str:
    return case(number).removeprefix("case/")


def _life(number: int) -> list[tuple[str, dict[str, Any]]]:
    debt, party, point = _uuid(number + 1), _uuid(number + 2), _uuid(number + 3)
    common = {"late_reason": "backfill", "source_ref": f"xes/activity/{number}/1"}
    money = {"currency": "EUR", **common}
    message = {
        "parties": [{"party": party, "role": "debtor"}],
        "debts": [debt],
        "contact_point": point,
        **common,
    }
    return [
        ("case.registered", {"origin": "own", "stage": "registered", "places": [], **common}),
        (
            "debt.itemised",
            {
                "debt": debt,
                "product": "other",
                "principal": 3500,
                "interest": 0,
                "fees": 0,
                "itemised_on": "2006-07-24",
                **money,
            },
        ),
        (
            "contact.message_sent",
            {"medium": "letter", "kind": "demand", "template": "t@1", "visibility": "private", **message},
        ),
        (
            "debt.adjusted",
            {"debt": debt, "kind": "fee_charge", "amount": 1100, "authority": "statute", **money},
        ),
        (
            "payment.received",
            {
                "amount": 4600,
                "method": "other",
                "payer": "debtor",
                "allocation": [{"amount": 4600, "debt": debt}],
                **money,
            },
        ),
        ("case.stage_changed", {"stage": "entrusted", **common}),
    ]


def fill(rig: Rig, events: int) -> int:
    rig.found()
    tool = rig.register("import", types=["case", "contact", "debt", "payment"])
    sequencer = rig.sequencer()
    sequencer.start()
    pending: list[bytes] = []
    made = number = 0
    while made < events:
        number += 1
        subject = case(number * 7919)
        for short, data in _life(number * 16):
            pending.append(_event(tool, subject, short, data))
            made += 1
        while len(pending) >= FLUSH:
            rig.submit(tool.sign(pending[:FLUSH]))
            del pending[:FLUSH]
        if number % 2000 == 0:
            sequencer.drain()
    if pending:
        rig.submit(tool.sign(pending))
    sequencer.drain()
    return made


def _event(tool: Tool, subject: str, short: str, data: dict[str, Any]) -> bytes:
    return tool.event(
        subject,
        type=f"duecourse.{short}.v1",
        dataschema=f"urn:duecourse:{short}:1",
        data=data,
        tenantid=TENANT,
    )


def main(events: int) -> None:
    print(heading(f"{events:,} made events of a collection process, six to a case"))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        directory = Path(folder)
        rig = Rig(directory)
        stack.callback(rig.close)
        fill(rig, events)
        store = stack.enter_context(ViewStore(directory / "views.db", [CaseStateView(), TimelineView()]))
        shard = Shard(rig.open_log("reader"), rig.origin, rig.log_key)
        gc.collect()
        gc.freeze()
        begun = time.perf_counter()
        runner = Runner(store, shard)
        runner.catch_up()
        live_s = time.perf_counter() - begun
        live = store.digests()
        begun = time.perf_counter()
        if rebuild(store, [shard]) != live:
            sys.exit("the rebuild does not equal the live views: no figure")
        rebuild_s = time.perf_counter() - begun
        print(
            json.dumps(
                {
                    "measure": "rebuild both views",
                    "entries": runner.position,
                    "from_nothing_entries_per_s": round(runner.position / live_s),
                    "rebuild_with_digests_and_switch_entries_per_s": round(runner.position / rebuild_s),
                    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120_000)
