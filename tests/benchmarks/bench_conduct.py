"""Rules over a ledger: how fast a pack is evaluated, and how far findings are behind a live stream.

    python tests/benchmarks/bench_conduct.py [--traces N | --all] [--cases N]

The evaluator runs over the first N cases of the real log (../shared/data or $DUECOURSE_SHARED; `--all`: every one),
as the shipped mapping says them, in one process and without a ledger. The stream is made: cases that go on side by
side, each of their events in another batch, sealed and read by the views of a ledger directory. No figure is printed
unless a rebuild finds the same."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import resource
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from bench_rebuild import FLUSH, _event, _life
from machine import ROOT, heading

sys.path.insert(0, str(ROOT / "tests"))
from picture import first_traces

from ledger.kernel.digest import sha256
from ledger.rules.evaluate import Binding, evaluate
from ledger.rules.model import shipped_pack
from ledger.sequencer.run import quiet_collector
from ledger.testing.history import case
from ledger.testing.rig import Rig
from projections.access_log.store import AccessLogView
from projections.case_state.store import CaseStateView
from projections.conformance.shelf import Shelf
from projections.conformance.store import ConformanceView
from projections.engine.rebuild import rebuild
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore
from projections.engine.views import View
from projections.exchange.importer import check_log
from projections.exchange.mapping import load_mapping
from projections.portfolio.store import PortfolioView
from projections.timeline.store import TimelineView

PACK = shipped_pack("example-fines")
ADOPTION = {
    "binding": sorted({rule.id for rule in PACK.rules}),
    "digest": sha256(PACK.data).hex(),
    "from": "1999-12-31T00:00:00.000000Z",
    "id": PACK.id,
    "version": PACK.version,
}
AS_OF = "2026-01-01T00:00:00.000000Z"
PER_S = 5000


def evaluator(log: Path, traces: int) -> None:
    """Every case of the log, judged once from its first to its last event."""
    mapped, source_events = _cases(log, traces)
    events = sum(map(len, mapped))
    bindings = [Binding(PACK.id, (), "1999-12-31")]
    gc.collect()
    gc.freeze()
    counts: Counter[tuple[str, str]] = Counter()
    begun = time.process_time()
    for held in mapped:
        findings = evaluate([PACK], held, as_of=AS_OF, bindings=bindings)
        for (_, outcome, _, reading), (rule, places) in findings.groups.items():
            if reading == "corrected":
                counts[rule.id, outcome] += len(places)
        for finding in findings.single:
            counts[finding.rule.id, finding.outcome] += finding.reading == "corrected"
    spent = time.process_time() - begun
    gc.unfreeze()
    if not counts["FINE-01", "PASS"] or sum(n for (rule, _), n in counts.items() if rule == "FINE-01") != len(
        mapped
    ):
        sys.exit("FINE-01 does not speak of every case: no figure")
    print(
        json.dumps(
            {
                "measure": "evaluate example-fines over the real log, one core",
                "cases": len(mapped),
                "events": events,
                "events_per_s": round(events / spent),
                "events_of_the_log_per_s": round(source_events / spent),
                "breaches": sum(n for (_, outcome), n in counts.items() if outcome == "BREACH"),
            }
        )
    )


def _cases(log: Path, traces: int) -> tuple[list[list[dict[str, Any]]], int]:
    """The events of each case as rules read them, and how many events of the log they are."""
    namespace = uuid.UUID(int=0)
    with tempfile.TemporaryDirectory() as folder:
        if traces:
            log = first_traces(log, traces, Path(folder) / "part.xes")
        with check_log(
            log,
            load_mapping("road-traffic-fines"),
            lambda account: lambda label: str(uuid.uuid5(namespace, account + label)),
        ) as checked:
            made = [
                [
                    {
                        "id": event_id,
                        "type": f"duecourse.{short}.v{version}",
                        "time": at,
                        "recordedtime": AS_OF,
                        "actorcapacity": "first_party",
                        "actorid": "import",
                        "subject": "case/x",
                        "data": data,
                    }
                    for short, version, data, at, event_id in trace.events
                ]
                for _, trace in checked.traces()
            ]
            return made, checked.report.source_events


def stream(cases: int, *, judging: bool, visit: int) -> None:
    """Six events a case, `visit` of them at a time in one case after the other, read by all views of a ledger
    directory. With 1, every event is the only one of its case in its batch: the most that judging can cost."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        directory = Path(folder)
        rig = Rig(directory)
        stack.callback(rig.close)
        _fill(rig, cases, judging=judging, visit=visit)
        portfolio = PortfolioView()
        conformance = ConformanceView(Shelf(), portfolio.take)
        views: list[View] = [CaseStateView(), TimelineView(), AccessLogView(), conformance, portfolio]
        store = stack.enter_context(ViewStore(directory / "views.db", views))
        shard = Shard(rig.open_log("reader"), rig.origin, rig.log_key)
        gc.collect()
        gc.freeze()
        runner = Runner(store, shard)
        seconds: list[float] = []
        done = 0
        last = begun = time.perf_counter()
        while (applied := runner.step()) or runner.position < runner.sealed or done < 6 * cases:
            done += applied
            # What arrives in a second at this rate is sealed once and then read: so long it is behind.
            if done // PER_S > (done - applied) // PER_S:
                now = time.perf_counter()
                seconds.append(now - last)
                last = now
        spent = time.perf_counter() - begun
        live = store.digests()
        if rebuild(store, [shard]) != live:
            sys.exit("the rebuild does not equal the live views: no figure")
        seconds.sort()
        print(
            json.dumps(
                {
                    "measure": "rules over a live stream" if judging else "the same with no pack adopted",
                    "events_of_a_case_at_a_time": visit,
                    "entries": done,
                    "entries_per_s": round(done / spent),
                    f"behind_at_{PER_S}_per_s_median_s": round(seconds[len(seconds) // 2], 2),
                    f"behind_at_{PER_S}_per_s_worst_s": round(seconds[-1], 2),
                    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
        )


def _fill(rig: Rig, cases: int, *, judging: bool, visit: int) -> None:
    rig.found()
    tool = rig.register("import", types=["case", "contact", "debt", "payment"])
    if judging:
        rig.order("pack_adopted", "registry", ADOPTION)
    sequencer = rig.sequencer()
    sequencer.start()
    lives = [_life(number * 16) for number in range(1, cases + 1)]
    pending: list[bytes] = []
    for step in range(0, 6, visit):
        for number, life in enumerate(lives, 1):
            for said in life[step : step + visit]:
                pending.append(_event(tool, case(number * 7919), *said))
            if len(pending) >= FLUSH:
                rig.submit(tool.sign(pending[:FLUSH]))
                del pending[:FLUSH]
        sequencer.drain()
    if pending:
        rig.submit(tool.sign(pending))
    sequencer.drain()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--traces", type=int, default=20_000)
    asked.add_argument("--all", action="store_true")
    asked.add_argument("--cases", type=int, default=6_000)
    given = asked.parse_args()
    log = (
        Path(os.environ.get("DUECOURSE_SHARED", ROOT.parent / "shared"))
        / "data"
        / "road-traffic-fines.xes.zip"
    )
    print(heading(f"the real log, and {given.cases:,} made cases of six events each"), flush=True)
    if log.is_file():
        evaluator(log, 0 if given.all else given.traces)
    else:
        print(f"no event log at {log}: no figure of the evaluator")
    quiet_collector()
    for judging, visit in ((True, 3), (True, 1), (False, 1)):
        stream(given.cases, judging=judging, visit=visit)


if __name__ == "__main__":
    main()
