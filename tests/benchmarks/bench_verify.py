"""How fast a bundle is judged: `python tests/benchmarks/bench_verify.py [ENTRIES …]`.

Every event is a flush of its own, the worst case, and then flushes of 64, as a busy tool makes them; every signature
is checked, with the real schemas. Then the same with findings made again: the flushes of 64, in a case that all
shipped packs judge. Prints entries a second, the median of five runs, and the peak of memory; of the judged case also
its share of the plain rate, and how long all packs take over it."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import orjson

from ledger.kernel import canonical
from ledger.kernel.bundle import pack_name, read_container
from ledger.kernel.digest import sha256
from ledger.rules.model import shipped, shipped_pack
from ledger.rules.proof import Adoption, data_version, document, judge, open_pack
from ledger.testing.forge import DAY_US, PACK, START_US, Forge, trust_file
from ledger.testing.story import CALL, found
from ledger.verify.checks import verify_bundle
from ledger.verify.trust import Trust

PLACE = {"place": "CN-31", "since": "2019-05-01"}


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


def judged_case(entries: int, flush: int) -> tuple[bytes, bytes]:
    """Two bundles of a case like a real one, four calls a working day to a person whose home is known: without
    packs, and with all shipped packs and their findings."""

    forge = Forge()
    found(forge)
    adopted = []
    for name in shipped():
        pack = shipped_pack(name)
        members = {"binding": [], "digest": sha256(pack.data).hex(), "id": pack.id, "version": pack.version}
        moment = "2026-01-01T00:00:00.000000Z"
        forge.order(f"adopt-{name}", "ledger.pack_adopted", "registry", **members, **{"from": moment})
        adopted.append((pack, Adoption(pack.id, pack.version, members["digest"], (), moment)))
    forge.event(
        "registered", "crm", "case.registered", {"origin": "own", "stage": "overdue", "places": [PLACE]}
    )
    forge.flush()
    call = {**CALL, "line": "registered", "zones": [{"zone": "Asia/Shanghai", "source": "residence"}]}
    outcomes = ("no_answer", "answered", "busy", "not_in_service")
    for number in range(entries):
        at = canonical.format_time(START_US + (number // 4) * DAY_US + (number % 4) * 7_200_000_000)
        data = {**call, "outcome": outcomes[number % 4]}
        late = {"late_reason": "backfill"}
        forge.event(
            f"call-{number}", "dialler", "contact.call_placed", {**data, **late}, time=at, recordedtime=at
        )
        if number % flush == flush - 1 or number == entries - 1:
            forge.flush()
    forge.seal()
    plain = forge.parts(opened=()).with_file(pack_name(*PACK), None)
    files = sorted((pack.id, pack.version, pack.data) for pack, _ in adopted)
    events = [
        (one["index"], one["event"]) for one in map(orjson.loads, plain.files["entries.jsonl"].splitlines())
    ]
    packs = {pack.name: pack for pack, _ in adopted}
    as_of = orjson.loads(forge.entries[-1])["sequenced"]
    made = judge(events, packs, [one for _, one in adopted], as_of=as_of)
    bare = plain.with_file("findings.json", document([], [], data_version()))
    told = plain.with_file("findings.json", document(made.items(), files, data_version()))
    for pack_id, version, data in files:
        told = told.with_file(pack_name(pack_id, version), data)
    return bare.pack(), told.pack()


def measure_judged(entries: int, flush: int, runs: int = 5) -> dict[str, float | int | str]:
    """What it costs to make the findings again."""
    bare, told = judged_case(entries, flush)
    plain, full = (measure_bundle(data, flush, runs) for data in (bare, told))
    trust = Trust.parse(trust_file())
    verdict = verify_bundle(told, trust)
    assert verdict.proved is not None
    return {
        **full,
        "measure": "verify with findings made again",
        "findings": len(verdict.proved.judged.judgement.findings),
        "share_of_plain": round(float(plain["seconds"]) / float(full["seconds"]), 2),
        "evaluate_ms": round(1000 * evaluation(told, runs), 1),
    }


def evaluation(data: bytes, runs: int) -> float:
    """Seconds that all packs take over the case of this bundle, alone."""
    members = {name: bytes(content) for name, content in read_container(data)}
    entries = [orjson.loads(line) for line in members["entries.jsonl"].splitlines()]
    events = [(one["index"], one["event"]) for one in entries]
    packs = {name: open_pack(members[name], name) for name in members if name.startswith("packs/")}
    held = {pack.name: pack for pack in packs.values()}
    adoptions = [Adoption(pack.id, pack.version, "", (), entries[0]["sequenced"]) for pack in packs.values()]
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        judge(events, held, adoptions, as_of=entries[-1]["sequenced"])
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(entries: int, flush: int, runs: int = 5) -> dict[str, float | int | str]:
    return measure_bundle(case_of(entries, flush), flush, runs)


def measure_bundle(data: bytes, flush: int, runs: int) -> dict[str, float | int | str]:
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
        print(json.dumps(measure_judged(entries, 64, 5 if entries <= 10_000 else 1)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
