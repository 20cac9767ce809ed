"""How fast a bundle is judged: `python tests/benchmarks/bench_verify.py [ENTRIES …]`.

Every event is a flush of its own, the worst case, and then flushes of 64, as a busy tool makes them; every signature
is checked, with the real schemas. Prints entries a second, the median of five runs, and the peak of memory."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from ledger.testing.forge import Forge, trust_file
from ledger.testing.story import CALL, found
from ledger.verify.checks import verify_bundle
from ledger.verify.trust import Trust


def case_of(entries: int, flush: int) -> bytes:
    """A bundle whose case has so many calls."""
    forge = Forge()
    found(forge)
    for number in range(entries):
        forge.event(f"call-{number}", "dialler", "contact.call_placed", CALL)
        if number % flush == flush - 1 or number == entries - 1:
            forge.flush()
    forge.seal()
    return forge.parts(opened=()).pack()


def measure(entries: int, flush: int, runs: int = 5) -> dict[str, float | int | str]:
    data = case_of(entries, flush)
    trust = Trust.parse(trust_file())
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        verdict = verify_bundle(data, trust)
        seconds.append(time.perf_counter() - began)
        assert verdict.proved is not None
    proved = verdict.proved
    middle = statistics.median(seconds)
    return {
        "measure": "verify",
        "entries": proved.entries,
        "signatures": proved.signatures,
        "flush": flush,
        "bytes": len(data),
        "seconds": round(middle, 4),
        "entries_per_s": round(proved.entries / middle),
        "peak_mib": _peak_mib(),
    }


def _peak_mib() -> int:
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    return next(
        int(line.split()[1]) // 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM")
    )


def main(arguments: list[str]) -> None:
    for entries in [int(item) for item in arguments] or [1_000]:
        for flush in (1, 64):
            print(json.dumps(measure(entries, flush, 5 if entries <= 10_000 else 1)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
