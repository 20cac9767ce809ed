"""Submissions, looked at without any state: form, schema, digest, and whose signature stands under the flush.
Everything here can be done in another process, and before the order of events is known.

What it means for the ledger is decided by validation.py. Source: docs/formats/ 2, 3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.event import EPOCH_MAX, LEDGER, is_ledger_type, is_producerid, parse_event
from ledger.kernel.feeds import EventIds
from ledger.kernel.flush import FlushVerifier, Proof

CheckSchema = Callable[[dict[str, Any]], None]
# A flaw of a submission: code and detail for people.
Flaw = tuple[str, str]
# Kafka's own limit on a record is of this order; beyond it nothing is parsed, and the feed is not looked for.
_LENIENT_BYTES_MAX: Final = 1 << 20
_SIZE: Final = b',"size":'
_FIRST: Final = b'{"index":0,'


class Examined:
    """One submission. `unsigned` says why it has no valid signature, or is empty; `flaw` why it could not become an
    entry even so. With `unsigned` set nothing else means anything; with `flaw`, `event` may lack its envelope,
    but producer, epoch and seq are those that the event names."""

    __slots__ = (
        "digest", "epoch", "event", "event_raw", "flaw", "id_parts", "key", "prev", "producerid", "proof_raw", "seq",
        "unsigned",
    )  # fmt: skip

    def __init__(self, event_raw: bytes, proof_raw: bytes) -> None:
        self.event_raw = event_raw
        self.proof_raw = proof_raw
        self.digest = leaf_hash(event_raw)
        self.event: dict[str, Any] = {}
        self.key = b""
        self.producerid = ""
        self.epoch = 0
        self.seq = 0
        self.prev = ZERO
        self.id_parts = (0, 0)
        self.flaw: Flaw | None = None
        self.unsigned: Flaw | None = None

    def __repr__(self) -> str:
        return f"Examined({self.producerid}/{self.epoch} seq={self.seq})"


def _flaw(error: Refused) -> Flaw:
    return error.code, error.detail + (f" ({error.where})" if error.where else "")


def _read(event_raw: bytes, proof_raw: bytes, check_schema: CheckSchema) -> Examined:
    found = Examined(event_raw, proof_raw)
    try:
        event = parse_event(event_raw)
    except Refused as error:
        return _read_leniently(found, error)
    _name_feed(found, event)
    found.id_parts = EventIds.parts(event["id"])
    if is_ledger_type(event["type"]) or event["producerid"] == LEDGER:
        found.flaw = ("E_KEY_SCOPE", "only the ledger itself says this")
        return found
    try:
        check_schema(event)
    except Refused as error:
        found.flaw = _flaw(error)
    return found


def _name_feed(found: Examined, event: dict[str, Any]) -> None:
    found.event = event
    found.producerid = event["producerid"]
    found.epoch = event["producerepoch"]
    found.seq = int(event["producerseq"])
    found.prev = bytes.fromhex(event["producerprev"])


def _read_leniently(found: Examined, error: Refused) -> Examined:
    """The event breaks the format. If it can be read in one way only, and names a feed, its seq can be consumed."""
    found.flaw = _flaw(error)
    found.unsigned = found.flaw
    if len(found.event_raw) > _LENIENT_BYTES_MAX:
        return found
    try:
        event = orjson.loads(found.event_raw)
        same = orjson.dumps(event, None, orjson.OPT_SORT_KEYS) == found.event_raw
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return found
    if (
        same
        and isinstance(event, dict)
        and is_producerid(event.get("producerid"))
        and type(event.get("producerepoch")) is int
        and 0 <= event["producerepoch"] <= EPOCH_MAX
        and canonical.is_counter(event.get("producerseq"))
        and canonical.is_digest(event.get("producerprev"))
    ):
        _name_feed(found, event)
        found.unsigned = None
    return found


def examine(
    event_raw: bytes, proof_raw: bytes, *, origin: str, verifier: FlushVerifier, check_schema: CheckSchema
) -> Examined:
    """One submission. Never raises for what a submission may hold."""
    found = _read(event_raw, proof_raw, check_schema)
    if found.unsigned is None:
        _verify(found, origin, verifier)
    return found


def _verify(found: Examined, origin: str, verifier: FlushVerifier) -> None:
    try:
        proof = Proof.parse(found.proof_raw)
        verifier.verify(proof, found.digest, origin, found.producerid)
    except Refused as error:
        found.unsigned = _flaw(error)
        return
    found.key = proof.key


def examine_batch(
    items: Sequence[tuple[bytes, bytes]], *, origin: str, verifier: FlushVerifier, check_schema: CheckSchema
) -> list[Examined]:
    """Many submissions, `(event, proof)`, with the same findings as `examine`; faster where whole flushes stand
    together, for then one tree and one signature are checked for all of them."""
    found = [_read(event_raw, proof_raw, check_schema) for event_raw, proof_raw in items]
    at = 0
    while at < len(found):
        size = _flush_at(found, at)
        if size > 1 and _verify_whole(found[at : at + size], origin, verifier):
            at += size
            continue
        if found[at].unsigned is None:
            _verify(found[at], origin, verifier)
        at += 1
    return found


def _flush_at(found: Sequence[Examined], at: int) -> int:
    """How many submissions from here on look like one whole flush; 0 if none does."""
    first = found[at].proof_raw
    if not first.startswith(_FIRST):
        return 0
    digits = first[first.rfind(_SIZE) + len(_SIZE) : -1]
    if not 1 <= len(digits) <= 3 or not digits.isdigit():
        return 0
    size = int(digits)
    flush = found[at : at + size]
    if len(flush) < size or any(
        one.unsigned is not None or one.producerid != flush[0].producerid for one in flush
    ):
        return 0
    return size


def _verify_whole(flush: Sequence[Examined], origin: str, verifier: FlushVerifier) -> bool:
    proofs = [one.proof_raw for one in flush]
    try:
        verifier.verify_whole(
            proofs,
            [one.event_raw for one in flush],
            origin,
            flush[0].producerid,
            digests=[one.digest for one in flush],
        )
    except Refused:
        return False
    key = Proof.parse(proofs[0]).key
    for one in flush:
        one.key = key
    return True
