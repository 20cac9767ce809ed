"""Entries: an event in its place. Parsing one shows that its bytes are the one spelling of exactly these members;
whether the place is the right one is for acceptance.py and validation.py to say.

An entry is written around the bytes of its event and proof, which are never encoded again.
Source: docs/formats/ 4, and 5 for events that the ledger makes itself."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256 as _sha256
from operator import itemgetter
from typing import Any, Final

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import DIGEST_BYTES
from ledger.kernel.event import EVENT_BYTES_MAX, EVENT_DEPTH, LEDGER, check_envelope
from ledger.kernel.flush import Proof

# The largest length that an entry bundle can write (docs/formats/ 6).
ENTRY_BYTES_MAX: Final = 65535
SEAL: Final = "seal"
_MEMBERS: Final = (
    "event", "index", "origin", "prev", "proof", "sequenced", "stream_prev", "stream_seq", "term",
)  # fmt: skip
_COUNT: Final = len(_MEMBERS)
_members = itemgetter(*_MEMBERS)
_HEAD: Final = b'{"event":'
_AFTER: Final = b',"index":'
_PROOF: Final = b',"proof":'
_AFTER_PROOF: Final = b',"sequenced":"'
_unhex = binascii.unhexlify


class Entry:
    """One entry. `prev`, `stream_prev` and `leaf` are hashes; `index`, `stream_seq` and `term` count from 0, 0, 1.

    `event` and `proof_value` are the parsed JSON objects; treat them as frozen."""

    __slots__ = (
        "_event_raw", "_proof", "_proof_value", "event", "index", "leaf", "origin", "prev", "raw", "sequenced",
        "stream_prev", "stream_seq", "term",
    )  # fmt: skip

    def __init__(
        self,
        raw: bytes,
        leaf: bytes,
        event: dict[str, Any],
        index: int,
        origin: str,
        prev: bytes,
        proof_value: dict[str, Any] | None,
        sequenced: str,
        stream_prev: bytes,
        stream_seq: int,
        term: int,
        event_raw: bytes | None = None,
        proof: Proof | None = None,
    ) -> None:
        self.raw = raw
        self.leaf = leaf
        self.event = event
        self.index = index
        self.origin = origin
        self.prev = prev
        self._proof_value = proof_value
        self.sequenced = sequenced
        self.stream_prev = stream_prev
        self.stream_seq = stream_seq
        self.term = term
        self._event_raw = event_raw
        self._proof = proof

    def __repr__(self) -> str:
        return f"Entry({self.origin} index={self.index} term={self.term})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.leaf)

    @property
    def subject(self) -> str:
        """The stream, as the event names it."""
        return self.event["subject"]  # type: ignore[no-any-return]

    @property
    def event_raw(self) -> bytes:
        """The event's bytes exactly as signed."""
        if self._event_raw is None:
            # A quote inside a string is escaped, so the last occurrence is the entry's own member: in the proof,
            # which comes after it, `index` is the first member.
            self._event_raw = self.raw[len(_HEAD) : self.raw.rindex(_AFTER)]
        return self._event_raw

    @property
    def proof_raw(self) -> bytes:
        """The proof's bytes exactly as submitted."""
        raw = self.raw
        return raw[raw.rindex(_PROOF) + len(_PROOF) : raw.rindex(_AFTER_PROOF)]

    @property
    def proof_value(self) -> dict[str, Any]:
        """The proof as the JSON object it is."""
        if self._proof_value is None:
            self._proof_value = canonical.decode(self.proof_raw)
        return self._proof_value

    @property
    def proof(self) -> Proof:
        """The flush proof. Refused where it is none (formats 3)."""
        if self._proof is None:
            self._proof = Proof.from_value(self.proof_value)
        return self._proof

    @classmethod
    def read(cls, raw: bytes) -> Entry:
        """What acceptance asks of an entry's form: canonical, exactly these members, each of its kind. The event and
        the proof are only known to be objects."""
        if len(raw) > ENTRY_BYTES_MAX:
            raise Refused("E_LIMIT", f"an entry of {len(raw)} bytes, more than {ENTRY_BYTES_MAX}")
        value = canonical.decode(raw)
        if type(value) is not dict or len(value) != _COUNT:
            raise Refused("E_SCHEMA", "an entry has exactly its nine members")
        try:
            event, index, origin, prev, proof, sequenced, stream_prev, stream_seq, term = _members(value)
            prev_hash, stream_prev_hash = _unhex(prev), _unhex(stream_prev)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(
                "E_SCHEMA", "an entry has exactly its nine members, and its hashes are hex"
            ) from error
        if (
            type(event) is not dict
            or type(proof) is not dict
            or type(index) is not int
            or type(stream_seq) is not int
            or type(term) is not int
            or index < 0
            or stream_seq < 0
            or term < 1
            or type(origin) is not str
            or not _is_identifier(origin)
            or len(prev_hash) != DIGEST_BYTES
            or prev_hash.hex() != prev
            or len(stream_prev_hash) != DIGEST_BYTES
            or stream_prev_hash.hex() != stream_prev
            or type(sequenced) is not str
            or not _is_time(sequenced)
        ):
            raise Refused("E_SCHEMA", "a member of the entry is not spelled as the format says")
        return cls(
            raw,
            _sha256(b"\x00" + raw).digest(),
            event,
            index,
            origin,
            prev_hash,
            proof,
            sequenced,
            stream_prev_hash,
            stream_seq,
            term,
        )

    @classmethod
    def parse(cls, raw: bytes) -> Entry:
        """An entry whose event has its envelope and whose proof could verify (formats 2, 3, 4)."""
        entry = cls.read(raw)
        entry.check()
        return entry

    def check(self) -> None:
        """The event's size, depth and envelope, and the proof's form; what `read` leaves out."""
        check_event_form(self.event, self.event_raw)
        if self._proof is None:
            self._proof = Proof.from_value(self.proof_value)


# A ledger has one origin, and the entries of one batch have the same time.
_is_identifier = lru_cache(maxsize=64)(canonical.is_identifier)
_is_time = lru_cache(maxsize=1024)(canonical.is_time)


def check_event_form(event: dict[str, Any], event_raw: bytes) -> None:
    """Size, depth and envelope of an event that is known to be canonical in an entry."""
    if len(event_raw) > EVENT_BYTES_MAX:
        raise Refused("E_LIMIT", f"an event of {len(event_raw)} bytes, more than {EVENT_BYTES_MAX}")
    # Only brackets nest, and few payloads have thirty of them: the count is a bound, the walk decides.
    if event_raw.count(b"{") + event_raw.count(b"[") > EVENT_DEPTH:
        _check_depth(event, EVENT_DEPTH)
    check_envelope(event)


def _check_depth(value: object, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise Refused("E_LIMIT", f"an event nested deeper than {EVENT_DEPTH}")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth - 1)


def build_entry(
    event_raw: bytes,
    proof_raw: bytes,
    *,
    index: int,
    origin: str,
    prev: bytes,
    sequenced: str,
    stream_prev: bytes,
    stream_seq: int,
    term: int,
) -> bytes:
    """The entry's bytes. `event_raw` and `proof_raw` are canonical, as their parsers have found."""
    tail = f',"sequenced":"{sequenced}","stream_prev":"{stream_prev.hex()}","stream_seq":{stream_seq},"term":{term}}}'
    middle = f',"index":{index},"origin":"{origin}","prev":"{prev.hex()}","proof":'
    return b"".join((_HEAD, event_raw, middle.encode(), proof_raw, tail.encode()))


def ledger_event(
    *,
    type: str,  # noqa: A002 - the attribute's own name
    subject: str,
    data: Mapping[str, Any],
    time: str,
    epoch: int,
    seq: int,
    prev_digest: bytes,
    event_id: str,
    source: str,
) -> bytes:
    """An event that the ledger makes itself (formats 4). `type` without `duecourse.` and version, `epoch` is the
    term, `source` is `//` and the ledger's host-like name. `data` has to be what formats 5 says of the type."""
    event = {
        "actorcapacity": "system",
        "actorid": LEDGER,
        "actorrole": "system",
        "data": dict(data),
        "datacontenttype": "application/json",
        "dataschema": f"urn:duecourse:{type}:1",
        "id": event_id,
        "producerepoch": epoch,
        "producerid": LEDGER,
        "producerprev": prev_digest.hex(),
        "producerseq": canonical.counter(seq),
        "recordedtime": time,
        "source": source,
        "specversion": "1.0",
        "subject": subject,
        "tenantid": LEDGER,
        "time": time,
        "type": f"duecourse.{type}.v1",
    }
    check_envelope(event)
    return canonical.encode(event, depth=EVENT_DEPTH)


def is_ledgers_own(event: Mapping[str, Any]) -> bool:
    """Does the envelope say what that of every event made by the ledger says (formats 4)?"""
    return bool(
        event["producerid"] == LEDGER
        and event["tenantid"] == LEDGER
        and event["actorid"] == LEDGER
        and event["actorrole"] == "system"
        and event["actorcapacity"] == "system"
    )
