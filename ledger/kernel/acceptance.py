"""Acceptance: which records of a partition are the ledger. A pure fold, run by every reader; two readers that were
shown the same records hold the same entries in the same order, each once, whoever wrote to the partition.

It says what the order is, not that an entry is right: that the holder of the log key answers for (validation.py).
Apply entries to kept state only below `sealed`; what is below `final` is never cut off again.
Source: docs/formats/ 4.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ledger.errors import Refused
from ledger.kernel import canonical, keys
from ledger.kernel.checkpoint import TERM_LABEL, Checkpoint, TermNote
from ledger.kernel.digest import ZERO
from ledger.kernel.entry import SEAL, Entry, is_ledgers_own
from ledger.kernel.event import event_digest
from ledger.kernel.flush import submission_message
from ledger.kernel.merkle import Frontier
from ledger.kernel.note import Note, VerifierKey, verify_note

_TERM_MARK = f"{TERM_LABEL}\n".encode()
_STATEMENT_MARK = b"duecourse "
SEAL_TYPE = "duecourse.ledger.sealed.v1"
# Leaf hashes kept below `final`, so that an old checkpoint can still be compared with the tree: at least the last
# 65,536 entries, at most twice as many (some 9 MB).
_WINDOW = 65536
# Roots at seals. A day of seals at one a second.
_ROOTS_KEPT = 86400


@dataclass(slots=True)
class Accepted:
    """The record changed the state, or (`late`) repeats what the state holds. Exactly one member is there: the
    entry, the term note, or the checkpoint. `cut` counts the entries that a term note took back. `checked` is False
    for a late checkpoint of a size so old that its root could not be compared."""

    kind: Literal["entry", "term", "checkpoint", "late"]
    entry: Entry | None = None
    term: TermNote | None = None
    checkpoint: Checkpoint | None = None
    cut: int = 0
    checked: bool = True

    @property
    def reasons(self) -> tuple[str, ...]:
        return ("repeat",) if self.kind == "late" else ()


@dataclass(slots=True)
class Dead:
    """The record changed nothing, for these reasons: `kind`, `form`, `origin`, `term`, `index`, `prev`, `seal`,
    `signature`, `next_index`, `head`, `stopped`. `detail` is for people."""

    reasons: tuple[str, ...]
    detail: str = ""
    kind: Literal["dead"] = "dead"


@dataclass(slots=True)
class Evidence:
    """The log contradicts itself under its own signature. Nothing is accepted any more; keep both."""

    note: bytes
    contradicts: str
    kind: Literal["evidence"] = "evidence"

    @property
    def reasons(self) -> tuple[str, ...]:
        return ("evidence",)


Outcome: TypeAlias = Accepted | Dead | Evidence
_STOPPED = Dead(("stopped",), "a signed contradiction was found before")


class Acceptance:
    """The state `(term, next_index, head, final, sealed, frontier)` and what each record does to it.

    `old_root(size)` may give the tree's root at a size that has left the memory (from tiles, say), so that late
    checkpoints of any age are compared; without it those are passed over."""

    __slots__ = (
        "_base", "_final_frontier", "_leaves", "_old_root", "_origin_key", "_roots", "_seal_prev", "_seal_seq",
        "evidence", "final", "head", "log_key", "next_index", "origin", "sealed", "stopped", "term",
    )  # fmt: skip

    def __init__(
        self, origin: str, log_key: VerifierKey, *, old_root: Callable[[int], bytes | None] | None = None
    ) -> None:
        if log_key.name != origin:
            raise Refused("E_ORIGIN", f"the log key is of {log_key.name}, not of {origin}")
        self.origin = origin
        self.log_key = log_key
        self.term = 0
        self.next_index = 0
        self.head = ZERO
        self.final = 0
        self.sealed = 0
        self.stopped = False
        self.evidence: Evidence | None = None
        self._seal_seq = 0
        self._seal_prev = ZERO
        self._final_frontier = Frontier()  # at `final`
        self._base = Frontier()  # at the first of `_leaves`
        self._leaves: list[bytes] = []
        self._roots: dict[int, bytes] = {}  # size after an accepted seal: root there
        self._old_root = old_root
        self._origin_key = log_key.public_key.hex()

    @property
    def frontier(self) -> Frontier:
        """Of the tree over all entries that stand now."""
        made = self._final_frontier.copy()
        made.extend(self._leaves[self.final - self._base.size :])
        return made

    @property
    def next_seal(self) -> tuple[int, bytes]:
        """`stream_seq` and `stream_prev` of the next seal."""
        return self._seal_seq, self._seal_prev

    def leaf(self, index: int) -> bytes | None:
        """Leaf hash of an entry that stands, where it is remembered: of all since `final` it is."""
        at = index - self._base.size
        return self._leaves[at] if 0 <= at < len(self._leaves) else None

    # -- records

    def apply(self, kind: str, value: bytes) -> Outcome:
        """What this record does. Never raises for what stands in a partition."""
        if self.stopped:
            return _STOPPED
        if kind == "entry":
            if value[:1] != b"{":
                return Dead(("kind",), "the bytes are not those of an entry")
            try:
                entry = Entry.read(value)
            except Refused as error:
                return Dead(("form",), str(error))
            return self._entry(entry)
        if kind == "term":
            if not value.startswith(_TERM_MARK):
                return Dead(("kind",), "the bytes are not those of a term note")
            return self._term_note(value)
        if kind == "checkpoint":
            if value[:1] == b"{" or value.startswith(_STATEMENT_MARK):
                return Dead(("kind",), "the bytes are not those of a checkpoint")
            return self._checkpoint_note(value)
        return Dead(("kind",), "a record of no known kind")

    def apply_own(self, entry: Entry) -> Outcome:
        """The same as `apply` of the entry's bytes, for an entry that this process has built or read itself."""
        return _STOPPED if self.stopped else self._entry(entry)

    def extend_own(self, leaves: Sequence[bytes]) -> None:
        """The same as `apply_own` for entries that the holder of the term has chained itself and read back, given by
        their leaf hashes. None of them may be a seal."""
        if leaves and not self.stopped:
            self._leaves += leaves
            self.head = leaves[-1]
            self.next_index += len(leaves)

    def _entry(self, entry: Entry) -> Outcome:
        if (
            entry.term != self.term
            or entry.index != self.next_index
            or entry.prev != self.head
            or entry.origin != self.origin
            or not self.term
        ):
            return Dead(self._misplaced(entry))
        seal = entry.event.get("subject") == SEAL
        if seal:
            flaw = self._seal_flaw(entry)
            if flaw:
                return Dead(("seal",), flaw)
        leaf = entry.leaf
        self._leaves.append(leaf)
        self.head = leaf
        self.next_index += 1
        if seal:
            self._seal_seq += 1
            self._seal_prev = leaf
            self._advance()
        return Accepted("entry", entry)

    def _misplaced(self, entry: Entry) -> tuple[str, ...]:
        found: list[str] = []
        if entry.origin != self.origin:
            found.append("origin")
        if entry.term != self.term or not self.term:
            found.append("term")
        if entry.index != self.next_index:
            found.append("index")
        if entry.prev != self.head:
            found.append("prev")
        return tuple(found)

    def _seal_flaw(self, entry: Entry) -> str:
        """Why this entry of the seal stream is not what its signed event and the state determine; empty if it is."""
        try:
            entry.check()
        except Refused as error:
            return str(error)
        event, proof = entry.event, entry.proof
        data = event["data"]
        if not is_ledgers_own(event) or event["type"] != SEAL_TYPE:
            return "not the ledger's own"
        if data.keys() != {"prev", "root"} or not canonical.is_digest(data["root"]):
            return "a seal holds prev and root"
        if event["producerepoch"] != self.term:
            return "made in another term"
        if data["prev"] != entry.prev.hex():
            return "made for another place"
        if event["recordedtime"] != entry.sequenced:
            return "made at another time"
        if (entry.stream_seq, entry.stream_prev) != (self._seal_seq, self._seal_prev):
            return "not next after the last seal"
        if proof.size != 1 or proof.key != self.log_key.public_key:
            return "not signed alone by the log key"
        message = submission_message(self.origin, event["producerid"], 1, event_digest(entry.event_raw))
        if not keys.verify(proof.key, proof.signature, message):
            return "the signature does not verify"
        return ""

    def _advance(self) -> None:
        """The newest entry is an accepted seal: everything up to here is final."""
        base = self._base.size
        self._final_frontier.extend(self._leaves[self.final - base :])
        self.final = self.next_index
        self._roots[self.final] = self._final_frontier.root()
        if len(self._roots) > _ROOTS_KEPT:
            oldest = next(iter(self._roots))
            if oldest <= self.sealed:
                del self._roots[oldest]
        if len(self._leaves) > 2 * _WINDOW:
            drop = len(self._leaves) - _WINDOW
            self._base.extend(self._leaves[:drop])
            del self._leaves[:drop]

    def _open(self, value: bytes) -> Note | Dead:
        """The note, where the log key signed it. Whose it is comes after: first the signature, then the text (R1)."""
        try:
            note = Note.parse(value)
        except Refused as error:
            return Dead(("form",), str(error))
        try:
            signed = verify_note(note, [self.log_key])
        except Refused as error:
            return Dead(("signature",), str(error))
        if not signed:
            named = any(signature.name == self.origin for signature in note.signatures)
            other = not named and not note.text.startswith(
                (f"{self.origin}\n", f"{TERM_LABEL}\n{self.origin}\n")
            )
            return Dead(("signature", "origin") if other else ("signature",), "not signed by the log key")
        return note

    def _term_note(self, value: bytes) -> Outcome:
        note = self._open(value)
        if isinstance(note, Dead):
            return note
        try:
            term = TermNote.parse_text(note.text)
        except Refused as error:
            return Dead(("form",), str(error))
        found: list[str] = []
        if term.origin != self.origin:
            found.append("origin")
        if term.term != self.term + 1:
            found.append("term")
        if not self.final <= term.next_index <= self.next_index:
            found.append("next_index")
        elif self._head_at(term.next_index) != term.head:
            found.append("head")
        if found:
            return Dead(tuple(found))
        cut = self.next_index - term.next_index
        if cut:
            del self._leaves[len(self._leaves) - cut :]
            self.next_index = term.next_index
            self.head = term.head
        self.term = term.term
        return Accepted("term", term=term, cut=cut)

    def _head_at(self, index: int) -> bytes:
        """The accepted head at an index from `final` to the current one."""
        if index == self.next_index:
            return self.head
        if index == self.final:
            return self._seal_prev if index else ZERO
        return self._leaves[index - 1 - self._base.size]

    def _checkpoint_note(self, value: bytes) -> Outcome:
        note = self._open(value)
        if isinstance(note, Dead):
            return note
        try:
            checkpoint = Checkpoint.parse_text(note.text)
        except Refused as error:
            return Dead(("form",), str(error))
        if checkpoint.origin != self.origin:
            return Dead(("origin",))
        size, root = checkpoint.size, checkpoint.root
        if size > self.sealed:
            if self._roots.get(size) != root:
                sealed = size in self._roots
                return self._contradicted(
                    value,
                    f"another root at size {size}" if sealed else f"no accepted seal ends at size {size}",
                )
            self.sealed = size
            return Accepted("checkpoint", checkpoint=checkpoint)
        known = self.root_at(size)
        if known is None:
            return Accepted("late", checkpoint=checkpoint, checked=False)
        if known != root:
            return self._contradicted(value, f"another root at the old size {size}")
        return Accepted("late", checkpoint=checkpoint)

    def root_at(self, size: int) -> bytes | None:
        """Root of the tree at a size that is not above the number of entries; None where it is not remembered."""
        if not 0 <= size <= self.next_index:
            return None
        known = self._roots.get(size)
        if known is None and size >= self._base.size:
            frontier = self._final_frontier if size >= self.final else self._base
            made = frontier.copy()
            made.extend(self._leaves[frontier.size - self._base.size : size - self._base.size])
            return made.root()
        if known is None and size == 0:
            return Frontier().root()
        if known is None and self._old_root is not None:
            return self._old_root(size)
        return known

    def _contradicted(self, value: bytes, why: str) -> Evidence:
        self.stopped = True
        self.evidence = Evidence(value, why)
        return self.evidence

    # -- snapshots

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON values, to be kept beside a cursor. Older roots and leaves are left out. A state
        that stopped has none (ValueError): whoever starts again has to meet the evidence again."""
        if self.stopped:
            raise ValueError("a stopped state is not kept")
        frontier = self._final_frontier
        return {
            "final": self.final,
            "frontier": [item.hex() for item in frontier.nodes],
            "leaves": [item.hex() for item in self._leaves[self.final - self._base.size :]],
            "origin": self.origin,
            "roots": [[size, root.hex()] for size, root in self._roots.items() if size >= self.sealed],
            "seal_prev": self._seal_prev.hex(),
            "seal_seq": self._seal_seq,
            "sealed": self.sealed,
            "term": self.term,
        }

    @classmethod
    def restore(
        cls,
        snapshot: dict[str, Any],
        origin: str,
        log_key: VerifierKey,
        *,
        old_root: Callable[[int], bytes | None] | None = None,
    ) -> Acceptance:
        """A state from its snapshot. E_INCOMPLETE for one that is not of this log or not whole. Compare
        `root_at(sealed)` with a signed checkpoint before use: a snapshot proves nothing of itself."""
        made = cls(origin, log_key, old_root=old_root)
        try:
            if snapshot["origin"] != origin:
                raise Refused("E_ORIGIN", f"a snapshot of {snapshot['origin']}")
            made.final = int(snapshot["final"])
            made.sealed = int(snapshot["sealed"])
            made.term = int(snapshot["term"])
            made._seal_seq = int(snapshot["seal_seq"])
            made._seal_prev = canonical.unhex(snapshot["seal_prev"])
            nodes = [canonical.unhex(item) for item in snapshot["frontier"]]
            made._final_frontier = Frontier.restore(made.final, nodes)
            made._base = made._final_frontier.copy()
            made._leaves = [canonical.unhex(item) for item in snapshot["leaves"]]
            made._roots = {int(size): canonical.unhex(root) for size, root in snapshot["roots"]}
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("E_INCOMPLETE", "not a snapshot of acceptance") from error
        made.next_index = made.final + len(made._leaves)
        made.head = made._leaves[-1] if made._leaves else made._seal_prev
        if made.final and made._roots.get(made.final) != made._final_frontier.root():
            raise Refused("E_INCOMPLETE", "the snapshot's roots do not agree")
        return made
