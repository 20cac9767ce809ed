"""Verification, as the numbered list of formats 9. Each step is a function, and its number opens its docstring.

`verify_bundle` reads no clock, no environment and no network, writes nothing, and takes its trust from the trust file
alone. It tries every step whose inputs exist, so that a verdict names all that is wrong; VERIFIED means that all
fifteen were done and none complained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from ledger.errors import ConfigurationError, Refused
from ledger.events.schemas import check_event
from ledger.kernel import canonical
from ledger.verify import authors, content, findings, order, outer
from ledger.verify.container import Limits
from ledger.verify.examination import CheckSchema, Examination
from ledger.verify.judged import Clock, Judged, PackSeen
from ledger.verify.link import Link
from ledger.verify.trust import Trust
from ledger.verify.verdict import (
    UNDECIDED,
    Check,
    Outcome,
    Problem,
    Proved,
    Row,
    Stream,
    Unchecked,
    Verdict,
    classify,
)

Step = Callable[[Examination], tuple[str, dict[str, str]]]

# What each step needs from the ones before it: without that it cannot be tried, and says so.
STEPS: tuple[tuple[Step, tuple[int, ...]], ...] = (
    (outer.container_step, ()),  # (1) container
    (outer.manifest_step, (1,)),  # (2) manifest, sizes, digests
    (outer.trust_step, (2,)),  # (3) trust file: origin and log key known
    (outer.checkpoint_step, (3,)),  # (4) checkpoint signature, quorum, auditors, state file, consistency
    (order.entries_step, (2,)),  # (5) canonical form and schema of every entry
    (order.inclusion_step, (4, 5)),  # (6) leaf hash of every entry, one proof for all
    (order.seal_step, (3, 5)),  # (7) seal: last entry, log key, map root
    (order.streams_step, (5,)),  # (8) every stream whole, no entry outside the statement
    (order.shard_step, (5,)),  # (9) the case belongs to this shard
    (authors.registry_step, (3, 5)),  # (10) registry and producers replayed
    (authors.producers_step, (3, 5)),  # (11) producer proof of every entry, feeds
    (authors.times_step, (5,)),  # (12) times
    (content.disclosures_step, (5,)),  # (13) disclosures against digests
    (findings.findings_step, (10,)),  # (14) findings, packs
    (content.not_checked_step, ()),  # (15) what was not checked, and why
)


def verify_bundle(
    data: bytes | memoryview,
    trust: Trust,
    *,
    state: bytes | None = None,
    link: bytes | None = None,
    at: str | None = None,
    check_schema: CheckSchema = check_event,
    limits: Limits | None = None,
) -> Verdict:
    """The verdict on a bundle. `state` is a remembered checkpoint, `link` a link file, `at` the reader's time.

    ConfigurationError where a file of the reader's cannot be used; nothing else is raised on any input."""
    if at is not None and not canonical.is_time(at):
        raise ConfigurationError("--at: a time is written YYYY-MM-DDThh:mm:ss.ffffffZ")
    x = Examination(
        data=data,
        trust=trust,
        state=None if state is None else outer.read_state(state, trust),
        link=None if link is None else Link.parse(link),
        at=at,
        check_schema=check_schema,
        limits=limits or Limits(),
    )
    broken: set[int] = set()
    for number, (step, needs) in enumerate(STEPS, 1):
        missing = sorted(broken & set(needs))
        if missing:
            broken.add(number)
            x.checks.append(Check(number, "not done", "needs", (("step", str(missing[0])),)))
        elif not _try(x, number, step):
            broken.add(number)
    return _conclude(x, broken)


def _try(x: Examination, number: int, step: Step) -> bool:
    """Runs a step. False when what it should have found out is not known, so that later steps cannot use it."""
    x.begin()
    before = len(x.errors)
    whole = True
    why, given = "", dict[str, str]()
    try:
        why, given = step(x)
    except Refused as error:
        x.refused(error)
        whole = False
    if number == 4 and x.checkpoint is None:
        whole = False
    outcome: Outcome = "done"
    if x.complaints():
        contradicted = any(problem.code not in UNDECIDED for problem in x.errors[before:])
        outcome = "failed" if contradicted else "undecided"
        why, given = "errors", {"count": str(x.complaints())}
    x.checks.append(Check(number, outcome, why, tuple(given.items())))
    return whole


def _conclude(x: Examination, broken: set[int]) -> Verdict:
    errors = tuple(x.errors)
    verdict = classify(errors)
    if broken and not errors:
        raise AssertionError("a step was not done, and nothing says why")
    if verdict != "VERIFIED" and broken:
        x.unchecked.append(Unchecked("everything"))
    return Verdict(
        verdict=verdict,
        errors=errors,
        warnings=tuple(x.warnings),
        checks=tuple(x.checks),
        unchecked=tuple(x.unchecked),
        proved=_proved(x) if verdict == "VERIFIED" else None,
        bundle_sha256=hashlib.sha256(x.data).hexdigest(),
        bundle_bytes=len(x.data),
        trust_sha256=x.trust.fingerprint,
        checkpoint=bytes(x.members["checkpoint"]) if verdict == "VERIFIED" else b"",
        evidence=tuple(x.evidence),
    )


def _proved(x: Examination) -> Proved:
    assert x.manifest is not None
    assert x.checkpoint is not None
    assert x.registry is not None
    assert x.seal is not None
    assert x.judgement is not None
    case = x.manifest.streams[0][0]
    times = [fact.sequenced for fact in x.facts if fact.subject == case]
    opened = sum(len(fields) for fields in x.opened.values())
    clock = Clock(lambda: findings.events(x))
    return Proved(
        origin=x.checkpoint.origin,
        tree_size=x.checkpoint.size,
        root=x.checkpoint.root.hex(),
        sealed=x.seal.sequenced,
        vouchers=tuple(x.vouchers),
        quorum=x.trust.policy.quorum or "none",
        complete_by=x.auditors,
        threshold=x.registry.threshold,
        registrars=len(x.registry.registrars),
        case=case,
        streams=tuple(Stream(name, count) for name, count in x.manifest.streams),
        entries=len(x.facts),
        signatures=len(x.signatures),
        first=min(times, default=""),
        last=max(times, default=""),
        opened=opened,
        closed=max(x.protected - opened, 0),
        rows=lambda: _rows(x, case, clock),
        judged=Judged(x.judgement, _packs(x), clock),
    )


def _packs(x: Examination) -> tuple[PackSeen, ...]:
    assert x.judgement is not None
    adopted = findings.adoptions(x)
    return tuple(PackSeen.of(pack, adopted) for pack in x.judgement.packs)


def _rows(x: Examination, case: str, clock: Clock) -> Iterator[Row]:
    """The entries of the case, each read again from the bytes that were proved."""
    nothing: dict[str, Any] = {}
    zones = clock.zones
    for fact in x.facts:
        if fact.subject == case:
            event = content.event_of(x, fact)
            opened = x.opened.get(fact.index, nothing)
            yield Row(fact.index, fact.sequenced, event, opened, zones.of(event))


def judge(
    data: bytes | memoryview,
    trust: Trust,
    *,
    state: bytes | None = None,
    link: bytes | None = None,
    at: str | None = None,
    check_schema: CheckSchema = check_event,
    limits: Limits | None = None,
) -> Verdict:
    """As `verify_bundle`, where everything that could go wrong with the verifier itself is a verdict of class ERROR:
    a crash is never VERIFIED, and never a traceback (rule R23)."""
    try:
        return verify_bundle(
            data, trust, state=state, link=link, at=at, check_schema=check_schema, limits=limits
        )
    except ConfigurationError as error:
        return failed("UNUSABLE", str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader gets a verdict that is not a pass
        return failed("UNEXPECTED", type(error).__name__)


def failed(code: str, detail: str) -> Verdict:
    """No verdict was reached. `detail` names no content of the bundle."""
    return Verdict(
        verdict="ERROR",
        errors=(Problem(code, "", detail),),
        checks=(),
        unchecked=(Unchecked("everything"),),
    )
