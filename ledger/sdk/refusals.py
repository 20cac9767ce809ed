"""How a producer learns that the ledger refused an event: it follows the ledger for two kinds of the ledger's own entries.

Light on purpose: it looks for its own name in the bytes, and believes only what carries a proof by the log key; it
does not run the acceptance function. So it can tell of a refusal in an entry that a new term has cut off, and that was
judged again; it never misses one that stands. It needs the right to read the ledger partition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import leaf_hash
from ledger.kernel.entry import Entry
from ledger.kernel.flush import FlushVerifier
from ledger.kernel.note import VerifierKey
from ledger.log.port import ShardLog

_REJECTED: Final = "duecourse.ledger.submission_rejected.v1"
_EQUIVOCATION: Final = "duecourse.ledger.equivocation_seen.v1"
# Records read at once: about 1.6 MB.
_BATCH: Final = 1000


class Refusal(NamedTuple):
    """`kind` "rejected": the seq is consumed, with `code`. "equivocation": the producer is quarantined."""

    kind: str
    seq: int
    code: str
    digest: bytes


class Refusals:
    """Follows one shard from `cursor`; None begins at its end."""

    def __init__(
        self, reader: ShardLog, log_key: VerifierKey, producerid: str, epoch: int, cursor: int | None
    ) -> None:
        self._reader = reader
        self._log_key = log_key
        self._producerid = producerid
        self._epoch = epoch
        self._verifier = FlushVerifier()
        self._needles = (
            f'"subject":"refused/{producerid}"'.encode(),
            f'"subject":"producer/{producerid}"'.encode(),
        )
        self.cursor = reader.end() if cursor is None else cursor

    def read_to_end(self) -> Iterator[Refusal]:
        """What stands between the cursor and what was the end when this began."""
        refused, quarantined = self._needles
        end = self._reader.end()
        while self.cursor < end:
            records = self._reader.records(self.cursor, _BATCH)
            if not records:
                return
            for record in records:
                if refused in record.value or quarantined in record.value:
                    found = self._read(record.kind, record.value)
                    if found is not None:
                        yield found
            self.cursor = records[-1].cursor + 1

    def _read(self, kind: str, value: bytes) -> Refusal | None:
        if kind != "entry":
            return None
        try:
            entry = Entry.parse(value)
            event = entry.event
            if entry.origin != self._log_key.name or event["type"] not in (_REJECTED, _EQUIVOCATION):
                return None
            proof = entry.proof
            if proof.key != self._log_key.public_key:
                return None
            self._verifier.verify(proof, leaf_hash(entry.event_raw), entry.origin, "ledger")
            data = event["data"]
            if event["producerid"] != "ledger" or data["epoch"] != self._epoch:
                return None
            seq = canonical.parse_counter(data["seq"])
            if event["type"] == _EQUIVOCATION:
                return Refusal("equivocation", seq, "", canonical.unhex(data["other"]))
            return Refusal("rejected", seq, str(data["code"]), canonical.unhex(data["digest"]))
        except (Refused, KeyError, TypeError):
            # Not the ledger's own word: whoever wrote it has not the log key.
            return None
