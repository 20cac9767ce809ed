"""Validation: what the holder of the log key answers for, and what auditors make again. Whoever has applied every
entry from the first knows that each is of a registered producer within its rights, next in its feed and its stream,
and that every seal holds the true root of the head map. It does not know what happened outside the ledger.

A sequencer judges submissions and places them; `fsck` and auditors apply entries: one state, one set of checks.
Source: docs/formats/ 3, 4.2, 5."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256 as _sha256
from typing import Any, Literal

from ledger.errors import Refused
from ledger.kernel.canonical import counter
from ledger.kernel.digest import ZERO, leaf_hash, shard_of
from ledger.kernel.entry import SEAL, Entry, build_entry, check_event_form, ledger_event
from ledger.kernel.event import LEDGER, is_ledger_type
from ledger.kernel.feeds import EventIds, Feed
from ledger.kernel.flush import FlushVerifier, sign_flush
from ledger.kernel.headmap import HeadMap, head_value, stream_key
from ledger.kernel.keys import Signer
from ledger.kernel.note import VerifierKey
from ledger.kernel.registry import Producer, Registry
from ledger.kernel.snapshots import pack, pack_feeds, pack_streams, unpack, unpack_feeds, unpack_streams
from ledger.kernel.submission import CheckSchema, Examined, examine

Fate = Literal["next", "duplicate", "equivocation", "resend", "rejected", "refused", "dead"]
_NO_STREAM = (0, ZERO, -1)
_FOUNDED = "duecourse.ledger.founded.v1"
_REJECTED = "duecourse.ledger.submission_rejected.v1"
_EQUIVOCATION = "duecourse.ledger.equivocation_seen.v1"


@dataclass(slots=True)
class Judged:
    """What happens to a submission (docs/formats/ 3). `code` and `detail` say why, where it does not become an entry.

    - `next`: place it.
    - `duplicate`: drop and count it.
    - `equivocation`: enter `equivocation_seen`; `accepted` is the digest that has the seq.
    - `resend`: a seq beyond the next; tell the producer `next_seq`. No entry.
    - `rejected`: the seq is consumed; enter `submission_rejected` with `code` and the digest.
    - `refused`: quarantined, or an epoch that was not opened. No entry, no seq; tell the producer.
    - `dead`: no registered producer's valid signature. Dead-letter store."""

    fate: Fate
    examined: Examined
    code: str = ""
    detail: str = ""
    next_seq: int = 0
    accepted: bytes = ZERO

    def rejection(self) -> dict[str, Any]:
        """Payload of the `submission_rejected` that a `rejected` submission becomes."""
        examined = self.examined
        return {
            "code": self.code,
            "digest": examined.digest.hex(),
            "epoch": examined.epoch,
            "seq": counter(examined.seq),
        }

    def equivocation(self) -> dict[str, Any]:
        """Payload of the `equivocation_seen` that an `equivocation` becomes."""
        examined = self.examined
        return {
            "accepted": self.accepted.hex(),
            "epoch": examined.epoch,
            "other": examined.digest.hex(),
            "seq": counter(examined.seq),
        }


class _Undo:
    """What one entry changed, so that it can be taken back. `consumed`: the feeds whose seq it used, in order.
    `registry`: the one before it, where it changed that. `map_leaves`: of a seal, the streams in the map."""

    __slots__ = (
        "consumed",
        "event_id",
        "head",
        "map_leaves",
        "registry",
        "sequenced",
        "stream",
        "subject",
        "term",
    )

    def __init__(
        self,
        state: Validation,
        subject: str,
        stream: tuple[int, bytes, int] | None,
        event_id: tuple[int, int],
    ) -> None:
        self.head = state.head
        self.term = state.term
        self.sequenced = state.sequenced
        self.subject = subject
        self.stream = stream
        self.event_id = event_id
        self.consumed: tuple[tuple[str, int], ...] = ()
        self.registry: Registry | None = None
        self.map_leaves: int | None = None


class Validation:
    """The whole state of a shard. Entries are applied (or placed) in index order; those not yet settled can be taken
    back with `rollback`.

    `check_schema(event)` raises Refused for a payload that its schema does not allow; it is asked for every event
    but the ledger's own, whose shapes are checked here."""

    def __init__(
        self,
        origin: str,
        log_key: VerifierKey,
        check_schema: CheckSchema,
        *,
        verifier: FlushVerifier | None = None,
    ) -> None:
        if log_key.name != origin:
            raise Refused("E_ORIGIN", f"the log key is of {log_key.name}, not of {origin}")
        self.origin = origin
        self.log_key = log_key
        self.check_schema = check_schema
        self.verifier = verifier or FlushVerifier()
        self.registry = Registry(origin, log_key.public_key)
        self.next_index = 0
        self.head = ZERO
        self.term = 0
        self.sequenced = ""
        # Entries, last leaf, and number in the map (-1: not there yet).
        self.streams: dict[str, tuple[int, bytes, int]] = {}
        self.feeds: dict[tuple[str, int], Feed] = {}
        self.ids = EventIds()
        self.head_map = HeadMap()
        self._changed: set[str] = set()
        self._undo: list[_Undo] = []
        self._map_leaves = 0  # streams in the map as of the last settled seal
        self._mapped: list[str] = []  # those that entered it since, in their order

    # -- what is known

    def stream(self, subject: str) -> tuple[int, bytes]:
        """Entries in a stream, and the leaf hash of its last; (0, zeros) for none."""
        known = self.streams.get(subject)
        return known[:2] if known else (0, ZERO)

    def feed(self, producerid: str, epoch: int) -> tuple[int, bytes]:
        """Next seq of a feed, and the digest that its next event names."""
        known = self.feeds.get((producerid, epoch))
        return (known.next_seq, known.head) if known else (0, ZERO)

    def map_root(self) -> bytes:
        """Root of the head map over everything applied so far."""
        streams, head_map = self.streams, self.head_map
        for subject in self._changed:
            count, leaf, number = streams[subject]
            if number < 0:
                number = head_map.set(stream_key(subject), head_value(count, leaf))
                streams[subject] = count, leaf, number
                self._mapped.append(subject)
            else:
                head_map.put(number, head_value(count, leaf))
        self._changed.clear()
        return head_map.root()

    # -- submissions

    def examine(self, event_raw: bytes, proof_raw: bytes) -> Examined:
        """Form, schema and signature of one submission, without the state."""
        return examine(
            event_raw, proof_raw, origin=self.origin, verifier=self.verifier, check_schema=self.check_schema
        )

    def judge_submission(self, event_raw: bytes, proof_raw: bytes, sequenced: str) -> Judged:
        """What happens to a submission that would be sequenced at this time, by the state as it is now."""
        return self.judge(self.examine(event_raw, proof_raw), sequenced)

    def judge(self, examined: Examined, sequenced: str) -> Judged:
        """The same of a submission that was examined before, perhaps elsewhere."""
        if examined.unsigned is not None:
            return Judged("dead", examined, *examined.unsigned)
        producerid, epoch, seq = examined.producerid, examined.epoch, examined.seq
        known = self.registry.producers.get(producerid)
        if known is None:
            return Judged("dead", examined, "E_KEY_UNKNOWN", "no such producer")
        try:
            self.registry.check_key(examined.key, producerid, self.next_index, sequenced)
        except Refused as error:
            return Judged("dead", examined, error.code, error.detail)
        feed = self.feeds.get((producerid, epoch))
        next_seq = feed.next_seq if feed else 0
        if seq < next_seq:
            return self._judge_old(examined, feed, known.quarantined)
        if known.quarantined:
            return Judged("refused", examined, "E_KEY_SCOPE", "the producer is quarantined", next_seq)
        if epoch not in known.epochs:
            return Judged("refused", examined, "E_PRODUCER_GAP", f"epoch {epoch} was not opened", next_seq)
        if seq > next_seq:
            return Judged("resend", examined, "E_PRODUCER_GAP", f"the next seq is {next_seq}", next_seq)
        flaw = examined.flaw
        if flaw is None:
            try:
                self._check_rights(examined, known, feed.head if feed else ZERO)
            except Refused as error:
                flaw = (error.code, error.detail)
        if flaw is not None:
            return Judged("rejected", examined, *flaw, next_seq)
        return Judged("next", examined, next_seq=next_seq)

    def _judge_old(self, examined: Examined, feed: Feed | None, quarantined: bool) -> Judged:
        assert feed is not None
        accepted = feed.digest(examined.seq)
        if accepted is None or accepted == examined.digest:
            return Judged("duplicate", examined, next_seq=feed.next_seq)
        if quarantined:
            return Judged("refused", examined, "E_KEY_SCOPE", "the producer is quarantined", feed.next_seq)
        return Judged(
            "equivocation", examined, "E_DUP_EVENT", "other bytes have this seq", feed.next_seq, accepted
        )

    def _check_rights(self, examined: Examined, known: Producer, head: bytes) -> None:
        """May this event of a producer, whose seq and key are right, become the next entry?"""
        if examined.prev != head:
            raise Refused("E_CHAIN_BREAK", "producerprev is not the digest of the event before")
        event = examined.event
        self.registry.check_scope(known, event)
        count = self._check_stream(event)
        expected = event.get("expectedversion")
        if expected is not None and int(expected) != count:
            raise Refused("E_CONTEXT", f"expectedversion is {int(expected)}, the stream has {count}")
        if examined.id_parts in self.ids:
            raise Refused("E_DUP_EVENT", "the event id stands in the ledger already")

    def _check_stream(self, event: dict[str, Any]) -> int:
        """Entries of the event's stream. E_CASE_MISMATCH for a case of another shard."""
        subject = event["subject"]
        known = self.streams.get(subject)
        if known is not None:
            return known[0]
        if subject.startswith("case/"):
            founded = self.registry.founded
            if founded is None:
                raise Refused("E_CONTEXT", "the shard is not founded")
            shard = shard_of(subject, founded["shards"])
            if shard != founded["shard"]:
                raise Refused("E_CASE_MISMATCH", f"the case belongs to shard {shard}")
        return 0

    def place(self, judged: Judged, *, sequenced: str, term: int) -> Entry:
        """The entry of a submission judged `next` by this very state; the state then holds it."""
        examined = judged.examined
        if judged.fate != "next" or judged.next_seq != examined.seq:
            raise ValueError("only what was judged next is placed")
        event = examined.event
        subject = event["subject"]
        stream = self.streams.get(subject)
        count, last, _ = stream or _NO_STREAM
        raw = build_entry(
            examined.event_raw,
            examined.proof_raw,
            index=self.next_index,
            origin=self.origin,
            prev=self.head,
            sequenced=sequenced,
            stream_prev=last,
            stream_seq=count,
            term=term,
        )
        leaf = _sha256(b"\x00" + raw).digest()
        entry = Entry(
            raw,
            leaf,
            event,
            self.next_index,
            self.origin,
            self.head,
            None,
            sequenced,
            last,
            count,
            term,
            examined.event_raw,
        )
        undo = _Undo(self, subject, stream, examined.id_parts)
        self._consume(undo, (examined.producerid, examined.epoch), examined.digest)
        self._advance(undo, entry, count + 1)
        return entry

    def own_entry(
        self,
        type: str,  # noqa: A002 - the attribute's own name
        subject: str,
        data: dict[str, Any],
        *,
        sequenced: str,
        term: int,
        event_id: str,
        source: str,
        signer: Signer,
    ) -> Entry:
        """An entry that the ledger makes itself (`type` without `duecourse.` and version), signed, checked like any
        other and applied. Refused as `apply`, and then nothing is changed."""
        seq, before = self.feed(LEDGER, term)
        event_raw = ledger_event(
            type=type,
            subject=subject,
            data=data,
            time=sequenced,
            epoch=term,
            seq=seq,
            prev_digest=before,
            event_id=event_id,
            source=source,
        )
        [proof_raw] = sign_flush([event_raw], self.origin, LEDGER, signer)
        count, last = self.stream(subject)
        raw = build_entry(
            event_raw,
            proof_raw,
            index=self.next_index,
            origin=self.origin,
            prev=self.head,
            sequenced=sequenced,
            stream_prev=last,
            stream_seq=count,
            term=term,
        )
        entry = Entry.parse(raw)
        self.apply(entry)
        return entry

    def seal_entry(self, *, sequenced: str, term: int, event_id: str, source: str, signer: Signer) -> Entry:
        """The seal over everything applied so far."""
        data = {"prev": self.head.hex(), "root": self.map_root().hex()}
        return self.own_entry(
            "ledger.sealed",
            SEAL,
            data,
            sequenced=sequenced,
            term=term,
            event_id=event_id,
            source=source,
            signer=signer,
        )

    # -- entries

    def apply(self, entry: Entry) -> None:
        """The next entry. Refused with the code of the first thing that is wrong and the index as `where`; then
        nothing is changed."""
        try:
            self._apply(entry)
        except Refused as error:
            raise Refused(
                error.code, error.detail + (f", {error.where}" if error.where else ""), f"entry {entry.index}"
            ) from error

    def _apply(self, entry: Entry) -> None:
        event_raw = entry.event_raw
        check_event_form(entry.event, event_raw)
        self._check_place(entry)
        event = entry.event
        subject, producerid, epoch = event["subject"], event["producerid"], event["producerepoch"]
        digest = leaf_hash(event_raw)
        own = is_ledger_type(event["type"])
        stream = self.streams.get(subject)
        count = self._check_stream(event)
        self._check_chain(entry, stream)
        expected = event.get("expectedversion")
        if expected is not None and int(expected) != count:
            raise Refused("E_CONTEXT", f"expectedversion is {int(expected)}, the stream has {count}")
        event_id = EventIds.parts(event["id"])
        if event_id in self.ids:
            raise Refused("E_DUP_EVENT", "the event id stands in the ledger already")
        if not own:
            self.check_schema(event)
            self.registry.check_producer(event, entry.proof.key, entry.index, entry.sequenced)
        self.verifier.verify(entry.proof, digest, self.origin, producerid)
        self._check_feed((producerid, epoch), int(event["producerseq"]), event["producerprev"])
        undo = _Undo(self, subject, stream, event_id)
        if own:
            self._apply_own(entry, undo)
        self._consume(undo, (producerid, epoch), digest)
        self._advance(undo, entry, count + 1)

    def _check_place(self, entry: Entry) -> None:
        if entry.origin != self.origin:
            raise Refused("E_ORIGIN", f"an entry of {entry.origin}")
        if entry.index != self.next_index:
            raise Refused("E_INDEX", f"expected index {self.next_index}")
        if entry.prev != self.head:
            raise Refused("E_CHAIN_BREAK", "prev is not the leaf hash of the entry before")
        if entry.term < self.term:
            raise Refused("E_CHAIN_BREAK", f"the term goes back from {self.term} to {entry.term}")
        if entry.sequenced < self.sequenced and (
            self.registry.clock_corrected is None or self.registry.clock_corrected != entry.index - 1
        ):
            raise Refused("E_TIME_ORDER", f"sequenced goes back from {self.sequenced} to {entry.sequenced}")

    def _check_chain(self, entry: Entry, stream: tuple[int, bytes, int] | None) -> None:
        count, last, _ = stream or _NO_STREAM
        if entry.stream_seq < count:
            raise Refused("E_CHAIN_FORK", f"stream_seq {entry.stream_seq} is taken, the next is {count}")
        if entry.stream_seq > count:
            raise Refused("E_CHAIN_GAP", f"stream_seq {entry.stream_seq}, the next is {count}")
        if entry.stream_prev != last:
            raise Refused("E_CHAIN_BREAK", "stream_prev is not the leaf hash of the stream's last entry")

    def _check_feed(self, key: tuple[str, int], seq: int, prev: str | None) -> None:
        known = self.feeds.get(key)
        next_seq = known.next_seq if known else 0
        if seq < next_seq:
            raise Refused("E_DUP_EVENT", f"seq {seq} of {key[0]}/{key[1]} is consumed")
        if seq > next_seq:
            raise Refused("E_PRODUCER_GAP", f"seq {seq} of {key[0]}/{key[1]}, the next is {next_seq}")
        if prev is not None and prev != (known.head.hex() if known else ZERO.hex()):
            raise Refused("E_CHAIN_BREAK", "producerprev is not the digest of the event before")

    def _apply_own(self, entry: Entry, undo: _Undo) -> None:
        """An entry by the ledger itself: registry, refusals, seals. Last of the checks, for it changes things."""
        event, data = entry.event, entry.event["data"]
        subject = event["subject"]
        producerid = subject.partition("/")[2]
        if self.registry.founded is None and event["type"] != _FOUNDED:
            raise Refused("E_CONTEXT", "the shard is not founded")
        if event["type"] == _REJECTED:
            self.registry.apply(entry)
            feed = (producerid, data["epoch"])
            known = self.registry.producers[producerid]
            self.registry.check_epoch(known, data["epoch"])
            self._check_feed(feed, int(data["seq"]), None)
            self._consume(undo, feed, bytes.fromhex(data["digest"]))
            return
        if subject == SEAL:
            self.registry.apply(entry)
            self._check_seal(entry)
            undo.map_leaves = len(self.head_map)
            return
        if event["type"] == _EQUIVOCATION:
            feeds = self.feeds.get((producerid, data.get("epoch")))
            seq = data.get("seq")
            if feeds is None or not isinstance(seq, str) or not seq.isdigit() or int(seq) >= feeds.next_seq:
                raise Refused("E_CONTEXT", "no event has this seq")
            accepted = feeds.digest(int(seq))
            if accepted is not None and accepted.hex() != data.get("accepted"):
                raise Refused("E_CONTEXT", "another event has this seq")
        before = self.registry.copy()
        self.registry.apply(entry)
        undo.registry = before

    def _check_seal(self, entry: Entry) -> None:
        data = entry.event["data"]
        if data["prev"] != entry.prev.hex():
            raise Refused("E_CONTEXT", "the seal was made for another place")
        if entry.event["recordedtime"] != entry.sequenced:
            raise Refused("E_CONTEXT", "the seal was made at another time")
        if entry.proof.size != 1:
            raise Refused("E_CONTEXT", "a seal is signed alone")
        if data["root"] != self.map_root().hex():
            raise Refused("E_INCOMPLETE", "the seal does not hold the root of the head map")

    def _consume(self, undo: _Undo, feed: tuple[str, int], digest: bytes) -> None:
        known = self.feeds.get(feed)
        if known is None:
            known = self.feeds[feed] = Feed()
        known.consume(digest)
        undo.consumed += (feed,)

    def _advance(self, undo: _Undo, entry: Entry, count: int) -> None:
        self._undo.append(undo)
        leaf = entry.leaf
        self.ids.add(undo.event_id)
        self.streams[undo.subject] = (count, leaf, undo.stream[2] if undo.stream else -1)
        if undo.subject != SEAL:
            self._changed.add(undo.subject)
        self.head = leaf
        self.term = entry.term
        self.sequenced = entry.sequenced
        self.next_index += 1

    # -- going back

    def settle(self, final: int) -> None:
        """Entries below `final` will never be taken back: forget how."""
        settled = len(self._undo) - (self.next_index - final)
        if settled <= 0:
            return
        for undo in self._undo[:settled]:
            if undo.map_leaves is not None:
                del self._mapped[: undo.map_leaves - self._map_leaves]
                self._map_leaves = undo.map_leaves
        del self._undo[:settled]
        self.ids.pack(undo.event_id for undo in self._undo)

    def rollback(self, index: int) -> None:
        """The state as it was before the entry at `index`, which is not below what is settled (else ValueError)."""
        count = self.next_index - index
        if not 0 <= count <= len(self._undo):
            raise ValueError(f"cannot go back from {self.next_index} to {index}")
        if not count:
            return
        # Streams that entered the map since the last settled seal leave it, and come back with the next root.
        while len(self.head_map) > self._map_leaves:
            self.head_map.pop()
        unmapped, self._mapped = self._mapped, []
        self._changed.update(undo.subject for undo in self._undo)
        for _ in range(count):
            self._take_back(self._undo.pop())
        self._changed.update(unmapped)
        self._changed = {subject for subject in self._changed if subject in self.streams and subject != SEAL}
        for subject in self._changed:
            entries, leaf, number = self.streams[subject]
            if number >= self._map_leaves:
                self.streams[subject] = entries, leaf, -1

    def _take_back(self, undo: _Undo) -> None:
        if undo.stream is None:
            del self.streams[undo.subject]
        else:
            self.streams[undo.subject] = undo.stream
        for feed in reversed(undo.consumed):
            self.feeds[feed].take_back()
            if not self.feeds[feed].next_seq:
                del self.feeds[feed]
        if undo.registry is not None:
            self.registry = undo.registry
        self.ids.discard(undo.event_id)
        self.head, self.term, self.sequenced = undo.head, undo.term, undo.sequenced
        self.next_index -= 1

    # -- snapshots

    def dump(self) -> bytes:
        """The whole state. Everything has to be settled (else ValueError): what may be taken back is no snapshot."""
        if self._undo:
            raise ValueError(f"{len(self._undo)} entries are not settled")
        self.map_root()
        heads, digests = pack_feeds(self.feeds)
        head = {
            "feeds": heads,
            "head": self.head.hex(),
            "next_index": self.next_index,
            "origin": self.origin,
            "registry": self.registry.dump(),
            "sequenced": self.sequenced,
            "term": self.term,
        }
        return pack(head, (*pack_streams(self.streams), digests, self.ids.dump(), self.head_map.dump()))

    @classmethod
    def load(
        cls,
        data: bytes | memoryview,
        origin: str,
        log_key: VerifierKey,
        check_schema: CheckSchema,
        *,
        verifier: FlushVerifier | None = None,
    ) -> Validation:
        """A dumped state. E_INCOMPLETE for bytes that are damaged, E_ORIGIN for another log's. Compare `head` and
        `map_root()` with a sealed entry under a checkpoint before use."""
        made = cls(origin, log_key, check_schema, verifier=verifier)
        head, parts = unpack(data)
        try:
            if head["origin"] != origin or head["registry"]["log_key"] != log_key.public_key.hex():
                raise Refused("E_ORIGIN", "a dump of another log")
            names, counts, numbers, leaves, digests, ids, head_map = parts
            made.registry = Registry.load(head["registry"])
            made.streams = unpack_streams(names, counts, numbers, leaves)
            made.feeds = unpack_feeds(head["feeds"], digests)
            made.ids = EventIds.load(ids)
            made.head_map = HeadMap.load(head_map)
            made.head = bytes.fromhex(head["head"])
            made.next_index, made.sequenced, made.term = head["next_index"], head["sequenced"], head["term"]
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("E_INCOMPLETE", "not a dump of a validation") from error
        made._map_leaves = len(made.head_map)
        return made
