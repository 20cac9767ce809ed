"""A day of calls against a carrier's statement: `python tests/benchmarks/bench_reconcile.py [CALLS]`.

Founds a ledger, puts a day of calls into its views (straight into their tables: sequencing a million is another bench),
writes the carrier's CSV, and times the installed command over both. One call in a hundred is known by its contact point
alone; some stand on one side only, and the figure counts only if exactly those were told."""

from __future__ import annotations

import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import ROOT, heading

from ledger.kernel.canonical import format_time, parse_time
from ledger.sdk.ids import case_id, load_tenant_key, local_id

DUECOURSE = [sys.executable, "-m", "projections.cli"]
MIDNIGHT_US = parse_time("2026-06-09T16:00:00.000000Z")  # in Shanghai
OFFSET_US = 8 * 3_600_000_000
CALLS_A_CASE = 4
ONE_SIDED = 100


def run(*words: str) -> None:
    subprocess.run([*DUECOURSE, *words], check=True, capture_output=True, cwd=ROOT)


def fill(ledger: Path, calls: int, statement: Path) -> None:
    chance = random.Random(7)
    key = load_tenant_key(ledger / "keys" / "tenant.key")
    streams, rows = [], []
    with statement.open("w", encoding="utf-8") as out:
        case = point = number = ""
        for n in range(calls + ONE_SIDED):
            if n % CALLS_A_CASE == 0:
                case = f"case/{case_id(key, f'account {n}')}"
                number = f"+86139{chance.randrange(10**8):08d}"
                point = local_id(key, "contact_point", case, number)
                streams.append((1_000_000 + n // CALLS_A_CASE, 0, case))
            at_us = (
                MIDNIGHT_US + chance.randrange(8 * 3600, 21 * 3600) * 1_000_000 + chance.randrange(1_000_000)
            )
            identity = f"{chance.getrandbits(128):032x}"
            identity = "-".join(
                (identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:])
            )
            if n >= ONE_SIDED:
                stamp = format_time(at_us + OFFSET_US)[:19].replace("T", " ")
                out.write(f'"李雷","95500","{number}","default","{stamp}","{stamp}","{stamp}","12","9","NO_ANSWER",'
                          f'"{identity}","","","PCMA","PCMA"\n')  # fmt: skip
            if n < calls:
                codes = {
                    "contact_point": point, "debts": [local_id(key, "debt", case, "")], "outcome": "no_answer",
                    "parties": [{"party": local_id(key, "party", case, "role:debtor"), "role": "debtor"}],
                    "purpose": "interactive", "zones": [{"source": "residence", "zone": "Asia/Shanghai"}],
                }  # fmt: skip
                if n % 100:
                    codes["source_ref"] = identity
                time_text = format_time(at_us)
                rows.append((1_000_000 + n // CALLS_A_CASE, n % CALLS_A_CASE, 1000 + n, identity,
                             "duecourse.contact.call_placed.v1", time_text, time_text, time_text, "dialler", "agent",
                             "first_party", "dialler", json.dumps(codes, separators=(",", ":")), ""))  # fmt: skip
            if len(rows) >= 50_000 or n == calls + ONE_SIDED - 1:
                insert(ledger / "views.db", streams, rows)
                streams, rows = [], []


def insert(views: Path, streams: list[tuple[int, int, str]], rows: list[tuple[object, ...]]) -> None:
    db = sqlite3.connect(views)
    with db:
        (generation,) = db.execute("SELECT generation FROM generations WHERE current = 1").fetchone()
        db.executemany(f"INSERT OR IGNORE INTO streams_{generation} VALUES (?, ?, ?)", streams)
        marks = ", ".join("?" * 14)
        db.executemany(f"INSERT INTO timeline_{generation} VALUES ({marks}, NULL, NULL, 0)", rows)
    db.close()


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(heading(f"{calls:,} calls of one day, made from a number"), flush=True)
    with tempfile.TemporaryDirectory(prefix="duecourse-bench-") as work:
        ledger, statement = Path(work) / "ledger", Path(work) / "day.csv"
        run("init", str(ledger), "--name", "bench.example.com/calls")
        run("run", str(ledger), "--once")
        fill(ledger, calls, statement)
        size = statement.stat().st_size
        start = time.monotonic()
        done = subprocess.run(
            [*DUECOURSE, "reconcile", str(ledger), "--source", str(statement), "--layout", "freeswitch-cdr-csv",
             "--times-zone", "Asia/Shanghai", "--json"],
            capture_output=True, check=False, cwd=ROOT,
        )  # fmt: skip
        seconds = time.monotonic() - start
        if done.returncode != 1:
            sys.exit(f"reconcile ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        told = json.loads(done.stdout)
        (day,) = told["days"]
        one_sided = (day["source_only"], day["ledger_only"], day["differing"])
        if (
            one_sided != (ONE_SIDED, ONE_SIDED, 0)
            or day["stated"] != calls
            or not day["matched_by_contact_point"]
        ):
            sys.exit(f"the comparison is wrong, so there is no figure: {day}")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"reconcile {calls:,} calls ({size / 1e6:,.0f} MB): {seconds:.1f} s, {calls / seconds:,.0f} calls/s,"
              f" most memory {memory:,.0f} MB; {day['matched_by_contact_point']:,} by contact point")  # fmt: skip


if __name__ == "__main__":
    main()
