"""One bundle on the table: what the numbered steps of `checks.py` know so far, and what they complain of.

Nothing here judges. An entry is kept as a `Fact`, the little of it that later steps need, so that a bundle of a
hundred thousand entries fits in memory; its bytes stay in the bundle and are read again to be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.errors import Refused
from ledger.kernel.bundle import Manifest
from ledger.kernel.checkpoint import Checkpoint
from ledger.kernel.entry import Entry
from ledger.kernel.flush import FlushVerifier, Proof
from ledger.kernel.note import VerifierKey
from ledger.kernel.registry import Registry
from ledger.rules.proof import Judgement
from ledger.verify.container import Limits
from ledger.verify.link import Link
from ledger.verify.trust import Trust
from ledger.verify.verdict import Check, Problem, Unchecked, Voucher

CheckSchema = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Fact:
    """What is kept of one entry. `offset` and `length` find its bytes in `entries.jsonl`; `who` is what the
    registry needs to know of its event, one object for all events that say the same."""

    index: int
    offset: int
    length: int
    leaf: bytes
    prev: bytes
    subject: str
    stream_seq: int
    stream_prev: bytes
    term: int
    sequenced: str
    type: str
    event_id: str
    time: str
    recorded: str
    feed: tuple[str, int]
    seq: int
    feed_prev: bytes
    expected: str | None
    digest: bytes
    proof: Proof
    who: dict[str, Any]

    @property
    def place(self) -> str:
        return f"entry {self.index}"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The checkpoint of a state file, and the file's bytes."""

    note: bytes
    checkpoint: Checkpoint


@dataclass(slots=True)
class Examination:
    """The state of one verification."""

    data: bytes | memoryview
    trust: Trust
    state: Remembered | None
    link: Link | None
    at: str | None
    check_schema: CheckSchema
    limits: Limits

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    evidence: list[bytes] = field(default_factory=list)

    members: dict[str, memoryview] = field(default_factory=dict)
    manifest: Manifest | None = None
    log_key: VerifierKey | None = None
    checkpoint: Checkpoint | None = None
    vouchers: list[Voucher] = field(default_factory=list)
    cosigned_s: list[int] = field(default_factory=list)
    quorum_met: bool = False
    auditors: tuple[str, ...] = ()
    consistency: dict[int, tuple[bytes, ...]] = field(default_factory=dict)

    facts: list[Fact] = field(default_factory=list)
    # Entries that the ledger made itself, whole, by their place in `facts`.
    own: dict[int, Entry] = field(default_factory=dict)
    # An entry of the ledger's own of a type or version that is not known here: what follows from the registry
    # is then uncertain, and its complaints accuse nobody (formats 9).
    newer: bool = False
    seal: Fact | None = None
    map_root: bytes = b""
    registry: Registry | None = None
    flushes: FlushVerifier = field(default_factory=FlushVerifier)
    signatures: set[bytes] = field(default_factory=set)
    own_bytes: int = 0
    protected: int = 0
    evidence_digests: int = 0
    opened: dict[int, dict[str, Any]] = field(default_factory=dict)
    # What the adopted packs say of the entries: made here, never taken from the bundle.
    judgement: Judgement | None = None

    _step_errors: int = 0
    _left_out: int = 0

    def error(self, code: str, detail: str, where: str = "") -> None:
        """One thing that is wrong. Past the limit of a step it is only counted."""
        self._step_errors += 1
        if self._step_errors > self.limits.errors_per_step:
            self._left_out += 1
            # The class must not depend on what was left out.
            if any(problem.code == code for problem in self.errors):
                return
        self.errors.append(Problem(code, where, detail))

    def refused(self, error: Refused, where: str = "") -> None:
        """The same, from what the kernel refused; `where` goes before the place that it names."""
        self.error(error.code, error.detail, f"{where} {error.where}".strip())

    def warn(self, code: str, detail: str, where: str = "") -> None:
        self.warnings.append(Problem(code, where, detail))

    def begin(self) -> None:
        """A new step: its complaints are counted anew."""
        self._step_errors = self._left_out = 0

    def complaints(self) -> int:
        """How many things the present step found wrong, left out or not."""
        return self._step_errors

    def leave(self, what: str, **given: str) -> None:
        """Something that this verdict does not speak about."""
        self.unchecked.append(Unchecked(what, tuple(given.items())))


def listed(places: Iterable[int], limit: int = 10) -> str:
    """Entry numbers for a message: the first few, and how many more."""
    numbers = list(places)
    text = ", ".join(str(number) for number in numbers[:limit])
    return f"entries {text}" + (f" and {len(numbers) - limit} more" if len(numbers) > limit else "")
