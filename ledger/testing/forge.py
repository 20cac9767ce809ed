"""A small ledger in memory whose every key is known: for making bundles, good ones and forged ones.

`play()` writes one fixed story of a card debt, with real payloads, and is bent at named points by `Bends`: an event
before it is signed, its bytes, its proof, its entry before it is hashed, an order before or after it is approved. All
keys are derived from words, and nothing reads a clock or draws lots: the same bends give the same bytes.
Never for a real ledger: anybody can make these keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ledger.kernel import bundle, canonical, headmap, merkle
from ledger.kernel.checkpoint import Checkpoint
from ledger.kernel.digest import ZERO, leaf_hash, sha256, shard_of
from ledger.kernel.disclosure import Protected, open_field, protect
from ledger.kernel.entry import build_entry, ledger_event
from ledger.kernel.event import LEDGER
from ledger.kernel.flush import sign_flush
from ledger.kernel.keys import SeedSigner
from ledger.kernel.note import COSIGNATURE, ED25519, Note, VerifierKey, cosign_text, sign_text
from ledger.kernel.registry import approval_message

NAME = "ledger.example.com/cards"
ORIGIN = f"{NAME}/0"
SHARDS = 2
START_US = 1_772_413_200_000_000  # 2026-03-02T01:00:00Z
DAY_US = 86_400_000_000
ZONE_DATA = "2026a"
PACK = ("none", "1")
PACK_TOML = b'# a rule pack without rules\nid = "none"\nversion = "1"\n'

Bend = Callable[[Any], Any]


def signer(word: str) -> SeedSigner:
    """The key of this word."""
    return SeedSigner(sha256(f"duecourse/forge/{word}".encode()))


def identity(word: str) -> str:
    """The UUID of this word."""
    digits = sha256(f"duecourse/forge/{word}".encode()).hex()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def case_of(shard: int, word: str = "case") -> str:
    """A case stream of this shard."""
    number = 0
    while shard_of(f"case/{identity(f'{word}{number}')}", SHARDS) != shard:
        number += 1
    return f"case/{identity(f'{word}{number}')}"


CASE = case_of(0)
OTHER_CASE = case_of(0, "other")
FOREIGN_CASE = case_of(1)
ABSENT_CASE = case_of(0, "absent")
STAFF = f"staff/{identity('anna')}"
WITNESSES = ("w1", "w2")
AUDITOR = "auditor"
REGISTRARS = ("registrar 1", "registrar 2", "registrar 3")
THRESHOLD = 2


def registrars(names: Sequence[str] = REGISTRARS) -> list[dict[str, str]]:
    items = [{"key": signer(name).public_key.hex(), "name": name} for name in names]
    return sorted(items, key=lambda item: item["key"])


def vkey(word: str, algorithm: int = COSIGNATURE) -> VerifierKey:
    name = ORIGIN if algorithm == ED25519 else f"{word}.example.com"
    return VerifierKey.of(name, algorithm, signer(word).public_key)


def trust_file(
    *,
    quorum: str = "group outside any w1 w2\nquorum outside",
    auditors: Iterable[str] = (AUDITOR,),
    pinned: Sequence[str] = REGISTRARS,
    max_age_s: int = 0,
    origin_key: str = "log",
) -> bytes:
    """A reader's trust file for this ledger."""
    witnesses = "\n".join(f"witness {name} {vkey(name).format()}" for name in WITNESSES)
    keys = ", ".join(f'"{vkey(name).format()}"' for name in auditors)
    pins = ", ".join(f'"{item["key"]}"' for item in registrars(pinned)) if pinned else ""
    return (
        f'format = "duecourse trust 1"\npolicy = """\nlog {vkey(origin_key, ED25519).format()}\n{witnesses}\n{quorum}\n"""\n'
        f"auditors = [{keys}]\nregistrars = [{pins}]\nmax_age_s = {max_age_s}\nskew_s = 300\n"
    ).encode()


@dataclass(slots=True)
class Bends:
    """Where a story is bent. Each maps a label of the story to what is done there; `then` runs after that entry."""

    event: Mapping[str, Bend] = field(default_factory=dict)
    raw: Mapping[str, Bend] = field(default_factory=dict)
    proof: Mapping[str, Bend] = field(default_factory=dict)
    entry: Mapping[str, Bend] = field(default_factory=dict)
    leaf: Mapping[str, Bend] = field(default_factory=dict)
    order: Mapping[str, Bend] = field(default_factory=dict)
    approvals: Mapping[str, Bend] = field(default_factory=dict)
    signer: Mapping[str, str] = field(default_factory=dict)
    then: Mapping[str, Callable[[Forge], None]] = field(default_factory=dict)


@dataclass(slots=True)
class Parts:
    """A bundle taken apart. `pack()` puts it together, with a manifest that fits."""

    origin: str
    tree_size: int
    streams: list[tuple[str, int]]
    files: dict[str, bytes]

    def manifest(self) -> bytes:
        return bundle.build_manifest(
            list(self.files.items()), origin=self.origin, tree_size=self.tree_size, streams=self.streams
        )

    def pack(self, manifest: bytes | None = None) -> bytes:
        first = self.manifest() if manifest is None else manifest
        return bundle.write_container([("manifest.json", first), *self.files.items()])

    def with_file(self, name: str, data: bytes | None) -> Parts:
        """The same with one member changed, added at the end, or (None) left out."""
        files = {**self.files, name: data}
        return replace(self, files={key: value for key, value in files.items() if value is not None})


class Forge:
    """The ledger: entries, their leaves, streams, feeds, and the head map under every seal."""

    def __init__(self, bends: Bends | None = None, *, origin: str = ORIGIN, log: str = "log") -> None:
        self.bends = bends or Bends()
        self.origin = origin
        self.log = log
        self.now_us = START_US
        self.term = 1
        self.entries: list[bytes] = []
        self.leaves: list[bytes] = []
        self.subjects: list[str] = []
        self.labels: dict[str, int] = {}
        self.streams: dict[str, list[int]] = {}
        self.feeds: dict[tuple[str, int], tuple[int, bytes]] = {}
        self.map = headmap.HeadMap()
        self.heads: dict[int, dict[str, dict[str, Any]]] = {}
        self.waiting: list[tuple[str, str, bytes]] = []
        self.fields: list[tuple[int, str, str]] = []

    # -- events

    def event(
        self,
        label: str,
        producer: str,
        short: str,
        data: Mapping[str, Any],
        *,
        subject: str = CASE,
        protected: Mapping[str, Any] | None = None,
        epoch: int = 0,
        version: int = 1,
        **attributes: Any,
    ) -> None:
        """One event of a producer, waiting for its flush. `protected` are members that are sealed."""
        self.now_us += 1_000_000
        now = canonical.format_time(self.now_us)
        seq, prev = self.feeds.get((producer, epoch), (0, ZERO))
        event_id = self.event_id(label)
        payload = dict(data)
        for name, value in (protected or {}).items():
            payload[name] = self.sealed(event_id, name, value, label).value()
        event: dict[str, Any] = {
            "actorcapacity": "first_party",
            "actorid": STAFF,
            "actorrole": "collector",
            "data": payload,
            "datacontenttype": "application/json",
            "dataschema": f"urn:duecourse:{short}:{version}",
            "id": event_id,
            "producerepoch": epoch,
            "producerid": producer,
            "producerprev": prev.hex(),
            "producerseq": canonical.counter(seq),
            "recordedtime": now,
            "source": f"//{producer}.example.com",
            "specversion": "1.0",
            "subject": subject,
            "tenantid": "bank",
            "time": now,
            "type": f"duecourse.{short}.v{version}",
            **attributes,
        }
        event = _bend(self.bends.event, label, event)
        raw = _bend(self.bends.raw, label, canonical.dumps(event))
        self.feeds[producer, epoch] = (seq + 1, leaf_hash(raw))
        self.waiting.append((label, producer, raw))
        for name in protected or {}:
            self.fields.append((len(self.waiting), label, f"/data/{name}"))

    def event_id(self, label: str) -> str:
        digits = sha256(f"event/{label}".encode()).hex()
        at = f"{self.now_us // 1000:012x}"
        return f"{at[:8]}-{at[8:]}-7{digits[:3]}-8{digits[3:6]}-{digits[6:18]}"

    def sealed(self, event_id: str, name: str, value: Any, label: str) -> Any:
        digits = sha256(f"salt/{label}/{name}".encode()).hex()
        return protect(
            value,
            event_id=event_id,
            pointer=f"/data/{name}",
            protecting_key=sha256(b"protecting"),
            nonce=sha256(f"nonce/{label}/{name}".encode())[:12],
            salt_source=lambda length: (digits * 4)[:length],
        )

    def flush(self, signed_by: str | None = None) -> None:
        """Signs what waits, all by one producer, and gives each event its entry."""
        waiting, self.waiting = self.waiting, []
        producer = waiting[0][1]
        key = signer(signed_by or self.bends.signer.get(waiting[0][0], producer))
        proofs = sign_flush([raw for _, _, raw in waiting], self.origin, producer, key)
        for (label, _, raw), proof in zip(waiting, proofs, strict=True):
            self.append(label, raw, proof)

    # -- entries

    def append(self, label: str, raw: bytes, proof: bytes, subject: str | None = None) -> None:
        """The entry of an event, in the next place."""
        self.now_us += 10_000
        if subject is None:
            subject = _subject(raw)
        stream = self.streams.setdefault(subject, [])
        members: dict[str, Any] = {
            "index": len(self.entries),
            "origin": self.origin,
            "prev": self.leaves[-1] if self.leaves else ZERO,
            "sequenced": canonical.format_time(self.now_us),
            "stream_prev": self.leaves[stream[-1]] if stream else ZERO,
            "stream_seq": len(stream),
            "term": self.term,
        }
        proof = _bend(self.bends.proof, label, proof)
        members = _bend(self.bends.entry, label, members)
        entry = _bend(self.bends.leaf, label, build_entry(raw, proof, **members))
        stream.append(len(self.entries))
        self.labels[label] = len(self.entries)
        self.entries.append(entry)
        self.leaves.append(leaf_hash(entry))
        self.subjects.append(subject)
        if subject != "seal":
            value = headmap.head_value(len(stream), self.leaves[-1])
            self.map.set(headmap.stream_key(subject), value)
        if label in self.bends.then:
            self.bends.then[label](self)

    def own(self, label: str, short: str, subject: str, data: Mapping[str, Any]) -> None:
        """An event that the ledger makes itself."""
        seq, prev = self.feeds.get((LEDGER, self.term), (0, ZERO))
        now = canonical.format_time(self.now_us + 10_000)
        raw = ledger_event(
            type=short,
            subject=subject,
            data=data,
            time=now,
            epoch=self.term,
            seq=seq,
            prev_digest=prev,
            event_id=self.event_id(f"{label}/{len(self.entries)}"),
            source="//ledger.example.com",
        )
        raw = _bend(self.bends.raw, label, raw)
        self.feeds[LEDGER, self.term] = (seq + 1, leaf_hash(raw))
        key = signer(self.bends.signer.get(label, self.log))
        self.append(label, raw, sign_flush([raw], self.origin, LEDGER, key)[0], subject)

    def order(
        self,
        label: str,
        short: str,
        subject: str,
        approvers: Sequence[str] = REGISTRARS[:THRESHOLD],
        **data: Any,
    ) -> None:
        """An order of the registrars, carried out."""
        payload = {**data, "at": len(self.streams.get(subject, ()))}
        payload = _bend(self.bends.order, label, payload)
        message = approval_message(self.origin, f"duecourse.{short}.v1", subject, payload)
        approvals = [
            {"key": signer(name).public_key.hex(), "signature": canonical.b64(signer(name).sign(message))}
            for name in approvers
        ]
        approvals.sort(key=lambda item: item["key"])
        payload["approvals"] = _bend(self.bends.approvals, label, approvals)
        self.own(label, short, subject, payload)

    def seal(self, label: str = "seal") -> int:
        """The seal, which closes a tree. Gives its size."""
        root = self.map.root()
        size = len(self.entries) + 1
        self.heads[size] = {
            name: self.map.prove(headmap.stream_key(name))
            for name in [*self.streams, OTHER_CASE, FOREIGN_CASE, ABSENT_CASE]
            if name != "seal"
        }
        data = {"prev": self.leaves[-1].hex(), "root": root.hex()}
        data = _bend(self.bends.order, label, data)
        self.own(label, "ledger.sealed", "seal", data)
        return size

    # -- proofs

    def checkpoint(
        self,
        size: int,
        *,
        cosigners: Sequence[str] = ("w1", AUDITOR),
        after_s: int = 2,
        root: bytes | None = None,
        text: str | None = None,
    ) -> bytes:
        """The signed checkpoint of the first `size` entries."""
        made = text or Checkpoint(self.origin, size, root or merkle.tree_root(self.leaves[:size])).text()
        at = self.now_us // 1_000_000 + after_s
        lines = [sign_text(made, self.origin, signer(self.log))]
        lines += [cosign_text(made, f"{name}.example.com", signer(name), at) for name in cosigners]
        return Note(made, tuple(lines)).encode()

    def parts(
        self,
        size: int | None = None,
        *,
        case: str = CASE,
        opened: Sequence[str] = ("point", "complaint"),
        remembered: Sequence[int] = (),
        checkpoint: bytes | None = None,
    ) -> Parts:
        """The bundle of a case as of `size`, taken apart."""
        size = size or len(self.entries)
        held = {name: [at for at in places if at < size] for name, places in self.streams.items()}
        others = sorted(
            name for name in held if held[name] and name.split("/")[0] in ("producer", "registry", "staff")
        )
        names = [case, *others]
        places = sorted({at for name in names for at in held.get(name, [])} | {size - 1})
        node = self._node(size)
        heads = self.heads[size]
        absent = {name: proof for name, proof in heads.items() if not held.get(name)}
        files = {
            "checkpoint": checkpoint or self.checkpoint(size),
            "entries.jsonl": b"".join(self.entries[at] + b"\n" for at in places),
            "inclusion.json": hash_list(merkle.compact_proof(size, places, node)),
            "heads.json": canonical.dumps({"heads": [absent.get(name, heads[name]) for name in names]}),
            "disclosures.jsonl": self.disclosures(opened, size),
            "findings.json": canonical.dumps(
                {
                    "findings": [],
                    "packs": [{"digest": sha256(PACK_TOML).hex(), "id": PACK[0], "version": PACK[1]}],
                    "tzdata": ZONE_DATA,
                }
            ),
            bundle.pack_name(*PACK): PACK_TOML,
        }
        if remembered:
            files["consistency.json"] = self.consistency(remembered, size)
        return Parts(self.origin, size, [(name, len(held.get(name, []))) for name in names], files)

    def consistency(self, remembered: Sequence[int], size: int) -> bytes:
        node = self._node(size)
        proofs = [
            {"from": old, "hashes": [item.hex() for item in merkle.consistency_path(node, old, size)]}
            for old in remembered
        ]
        return canonical.dumps({"proofs": proofs})

    def _node(self, size: int) -> Callable[[int, int], bytes]:
        return lambda lo, hi: merkle.tree_root(self.leaves[lo : min(hi, size)])

    def disclosures(self, labels: Sequence[str], size: int) -> bytes:
        lines = []
        for _, label, pointer in self.fields:
            if label in labels and self.labels[label] < size:
                lines.append((self.labels[label], pointer, self.disclosure(label, pointer)))
        return b"".join(disclosure_line(*line) for line in sorted(lines))

    def disclosure(self, label: str, pointer: str) -> str:
        event = canonical.decode(self.entries[self.labels[label]])["event"]
        value = event["data"][pointer.rpartition("/")[2]]
        field = Protected.from_value(value)
        return open_field(field, event_id=event["id"], pointer=pointer, protecting_key=sha256(b"protecting"))[
            0
        ]


def disclosure_line(index: int, pointer: str, disclosure: str) -> bytes:
    return canonical.dumps({"disclosure": disclosure, "index": index, "pointer": pointer}) + b"\n"


def hash_list(hashes: Iterable[bytes]) -> bytes:
    return canonical.dumps({"hashes": [item.hex() for item in hashes]})


def _bend(bends: Mapping[str, Bend], label: str, value: Any) -> Any:
    """The value, bent where the story is bent here. A bend changes it in place, or gives another."""
    if label not in bends:
        return value
    changed = bends[label](value)
    return value if changed is None else changed


def _subject(raw: bytes) -> str:
    """The subject of an event whose bytes may be bent: the last one that stands in them."""
    _, _, after = raw.rpartition(b'"subject":"')
    return after.partition(b'"')[0].decode("utf-8", "replace")
