"""The verdict contract (rules of proof 4): one class, coded errors and warnings, every check accounted for.

A verdict is a value. Same bundle, trust file, state, link and `--at` give the same verdict, and `json()`
of it the same bytes, on every machine. A verdict that is not VERIFIED proves nothing, and says so: `proved`
is then None."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from ledger.rules.local import LocalTime
from ledger.verify.judged import Judged

Class = Literal["VERIFIED", "REJECTED", "UNVERIFIABLE", "ERROR"]
Outcome = Literal["done", "failed", "undecided", "not done"]

EXIT: dict[Class, int] = {"VERIFIED": 0, "REJECTED": 1, "UNVERIFIABLE": 2, "ERROR": 3}

ERRORS = (
    "E_CONTAINER",
    "E_LIMIT",
    "E_PATH",
    "E_DUP_NAME",
    "E_MANIFEST",
    "E_EXTRA_FILE",
    "E_MISSING_FILE",
    "E_ENCODING",
    "E_DUP_KEY",
    "E_NUMBER",
    "E_NONCANONICAL",
    "E_SCHEMA",
    "E_VERSION",
    "E_ALG",
    "E_SIG",
    "E_CONTEXT",
    "E_KEY_UNKNOWN",
    "E_KEY_WEAK",
    "E_KEY_REVOKED",
    "E_KEY_SCOPE",
    "E_CHAIN_BREAK",
    "E_CHAIN_GAP",
    "E_CHAIN_FORK",
    "E_CASE_MISMATCH",
    "E_DUP_EVENT",
    "E_PRODUCER_GAP",
    "E_INCLUSION",
    "E_PROOF_SHAPE",
    "E_INDEX",
    "E_LEAF_BINDING",
    "E_MIXED",
    "E_ORIGIN",
    "E_CHECKPOINT",
    "E_QUORUM",
    "E_INCONSISTENT",
    "E_ROLLBACK",
    "E_STALE",
    "E_INCOMPLETE",
    "E_TRUNCATED",
    "E_TIME_ORDER",
    "E_TIME_BOUND",
    "E_COMMITMENT",
    "E_KEY_COMMIT",
    "E_DECRYPT",
    "E_REPORT",
)
WARNINGS = (
    "W_REDACTED",
    "W_CLOCK_SKEW",
    "W_KEY_WINDOW",
    "W_UNLINKED",
    "W_UNWITNESSED",
    "W_UNAUDITED",
    "W_PACK_MISSING",
    "W_LATE",
)

# What these say is "could not tell", and accuses nobody. Every other error contradicts something.
UNDECIDED = frozenset({"E_QUORUM", "E_ROLLBACK", "E_STALE", "E_VERSION"})

# The steps of formats 9, by number.
STEPS = (
    "container",
    "manifest",
    "trust",
    "checkpoint",
    "entries",
    "inclusion",
    "seal",
    "streams",
    "shard",
    "registry",
    "producers",
    "times",
    "disclosures",
    "findings",
    "not_checked",
)

NON_PROMISES = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8")


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning: a code of the contract, the place, and what was expected and found."""

    code: str
    where: str
    detail: str

    def value(self) -> dict[str, str]:
        return {"code": self.code, "detail": self.detail, "where": self.where}


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered step and what became of it. `why` is a key of `i18n.REASONS`, `given` fills its blanks."""

    step: int
    outcome: Outcome
    why: str = ""
    given: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return STEPS[self.step - 1]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that this verdict does not speak about: a key of `i18n.UNCHECKED`, and its blanks."""

    what: str
    given: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Voucher:
    """Somebody whose signature stands under the checkpoint. `at` is when, by their own clock; "" for the log."""

    role: Literal["log", "witness", "auditor"]
    name: str
    at: str


@dataclass(frozen=True, slots=True)
class Stream:
    stream: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the case as proved: where it stands, what its signed event says, which fields were opened, and
    when it happened by the debtor's own clock."""

    index: int
    sequenced: str
    event: dict[str, Any]
    opened: dict[str, Any]
    local: tuple[LocalTime, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """What a VERIFIED bundle proves. `rows()` reads the case's entries again from the bytes that were proved."""

    origin: str
    tree_size: int
    root: str
    sealed: str
    vouchers: tuple[Voucher, ...]
    quorum: str
    complete_by: tuple[str, ...]
    threshold: int
    registrars: int
    case: str
    streams: tuple[Stream, ...]
    entries: int
    signatures: int
    first: str
    last: str
    opened: int
    closed: int
    rows: Callable[[], Iterator[Row]]
    judged: Judged

    def value(self) -> dict[str, Any]:
        return {
            "as_of": {"root": self.root, "sealed": self.sealed, "tree_size": self.tree_size},
            "case": self.case,
            "complete_by": list(self.complete_by),
            "entries": self.entries,
            "fields": {"not_disclosed": self.closed, "opened": self.opened},
            "first_sequenced": self.first,
            "last_sequenced": self.last,
            "origin": self.origin,
            "quorum": self.quorum,
            "registrars": {"count": self.registrars, "threshold": self.threshold},
            "signatures": self.signatures,
            "streams": [{"count": item.count, "stream": item.stream} for item in self.streams],
            **self.judged.value(),
            "vouched_by": [{"at": item.at, "name": item.name, "role": item.role} for item in self.vouchers],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    verdict: Class
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    checks: tuple[Check, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    proved: Proved | None = None
    bundle_sha256: str = ""
    bundle_bytes: int = 0
    trust_sha256: str = ""
    # The bundle's signed checkpoint as it stands there, for a reader who wants to remember it. Not in the JSON.
    checkpoint: bytes = b""
    # Signed notes that contradict each other, for the reader to keep (R14). Not in the JSON.
    evidence: tuple[bytes, ...] = ()

    @property
    def exit_code(self) -> int:
        return EXIT[self.verdict]

    def with_error(self, problem: Problem) -> Verdict:
        """This verdict with one more error, and the class that follows from it."""
        errors = (*self.errors, problem)
        kind = self.verdict if self.verdict == "ERROR" else classify(errors)
        return replace(self, verdict=kind, errors=errors, proved=None if kind != "VERIFIED" else self.proved)

    def json(self) -> bytes:
        """The verdict as one JSON object in ASCII, members sorted, ended by a newline."""
        from ledger.verify import i18n

        value = {
            "bundle": {"bytes": self.bundle_bytes, "sha256": self.bundle_sha256},
            "checks": [
                {
                    "name": check.name,
                    "outcome": check.outcome,
                    "step": check.step,
                    "why": i18n.reason("en", check.why, check.given) if check.why else "",
                }
                for check in self.checks
            ],
            "errors": [problem.value() for problem in self.errors],
            "format": "duecourse verdict 1",
            "non_promises": list(NON_PROMISES),
            "not_checked": [
                {"what": item.what, "why": i18n.unchecked("en", item.what, item.given)}
                for item in self.unchecked
            ],
            "proved": self.proved.value() if self.proved else None,
            "trust": {"sha256": self.trust_sha256},
            "verdict": self.verdict,
            "warnings": [problem.value() for problem in self.warnings],
        }
        text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return text.replace("\x7f", "\\u007f").encode("ascii") + b"\n"


def classify(errors: tuple[Problem, ...]) -> Class:
    """REJECTED where anything contradicts; UNVERIFIABLE where something could not be decided; else VERIFIED."""
    if any(problem.code not in UNDECIDED for problem in errors):
        return "REJECTED"
    return "UNVERIFIABLE" if errors else "VERIFIED"
