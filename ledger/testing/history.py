"""Histories for tests: a founded shard with real keys, whose producers sign real flushes. Everything is made from
numbers, so the same calls give the same bytes. The keys are known to everybody: nothing made here is evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ledger.kernel import canonical
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.entry import Entry
from ledger.kernel.flush import sign_flush
from ledger.kernel.keys import SeedSigner
from ledger.kernel.note import ED25519, VerifierKey
from ledger.kernel.registry import approval_message
from ledger.kernel.submission import CheckSchema
from ledger.kernel.validation import Judged, Validation

NAME = "ledger.example.com/cards"
START_US = 1_772_413_200_000_000  # 2026-03-02T01:00:00Z
TENANT = "bank"


def signer(letter: str) -> SeedSigner:
    """The key of this name."""
    return SeedSigner(sha256(f"duecourse test key {letter}".encode()).digest())


def case(number: int) -> str:
    """The stream of a case."""
    digits = f"{number:032x}"
    return f"case/{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def event_id(number: int, us: int = START_US) -> str:
    """A UUIDv7 of this time, its random bits made from a number."""
    bits = int.from_bytes(sha256(f"id {number}".encode()).digest()[:10], "big")
    value = (us // 1000) << 80 | bits
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(3 << 62) | 2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def approve(
    origin: str, short: str, subject: str, data: Mapping[str, Any], by: Sequence[SeedSigner]
) -> dict[str, Any]:
    """An order's data with the approvals of these registrars. `short` without `duecourse.` and version."""
    message = approval_message(origin, f"duecourse.{short}.v1", subject, data)
    approvals = [
        {"key": one.public_key.hex(), "signature": canonical.b64(one.sign(message))}
        for one in sorted(by, key=lambda one: one.public_key)
    ]
    return {**data, "approvals": approvals}


def registrar_list(letters: str) -> list[dict[str, str]]:
    """Registrars of these letters as orders name them."""
    return sorted(
        ({"key": signer(one).public_key.hex(), "name": one} for one in letters), key=lambda one: one["key"]
    )


class Tool:
    """A producer: makes events in its feed and signs them in flushes."""

    def __init__(self, origin: str, producerid: str, *, key: str | None = None, epoch: int = 0) -> None:
        self.origin = origin
        self.producerid = producerid
        self.signer = signer(key or producerid)
        self.epoch = epoch
        self.seq = 0
        self.prev = ZERO
        self.made = 0

    def event(self, subject: str, **changes: Any) -> bytes:
        """The next event of the feed; `changes` replace attributes, and None removes one."""
        self.made += 1
        time = canonical.format_time(START_US + self.made)
        event: dict[str, Any] = {
            "actorcapacity": "first_party",
            "actorid": "staff/1",
            "actorrole": "collector",
            "data": {"outcome": "no_answer", "purpose": "interactive"},
            "datacontenttype": "application/json",
            "dataschema": "urn:duecourse:contact.call_placed:1",
            "id": event_id(
                int.from_bytes(
                    sha256(f"{self.producerid} {self.epoch} {self.made}".encode()).digest()[:8], "big"
                )
            ),
            "producerepoch": self.epoch,
            "producerid": self.producerid,
            "producerprev": self.prev.hex(),
            "producerseq": canonical.counter(self.seq),
            "recordedtime": time,
            "source": "//dialler.example.com",
            "specversion": "1.0",
            "subject": subject,
            "tenantid": TENANT,
            "time": time,
            "type": "duecourse.contact.call_placed.v1",
        }
        event.update(changes)
        raw = canonical.dumps({name: value for name, value in event.items() if value is not None})
        self.seq += 1
        self.prev = leaf_hash(raw)
        return raw

    def sign(self, events: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Events and proofs of one flush."""
        return list(zip(events, sign_flush(events, self.origin, self.producerid, self.signer), strict=True))

    def flush(self, *subjects: str) -> list[tuple[bytes, bytes]]:
        """One event for each subject, in one flush."""
        return self.sign([self.event(subject) for subject in subjects])


def any_schema(_event: dict[str, Any]) -> None:
    """Lets every payload pass."""


class Shard:
    """A shard under validation, and how its holder makes entries."""

    def __init__(
        self,
        *,
        registrars: str = "ABC",
        threshold: int = 2,
        shard: int = 0,
        shards: int = 1,
        check_schema: CheckSchema = any_schema,
    ) -> None:
        self.origin = f"{NAME}/{shard}"
        self.signer = signer("LOG")
        self.log_key = VerifierKey.of(self.origin, ED25519, self.signer.public_key)
        self.validation = Validation(self.origin, self.log_key, check_schema)
        self.registrars = registrars
        self.term = 1
        self.made = 0
        self.entries: list[Entry] = []
        self.order(
            "ledger.founded",
            "registry",
            {
                "format": "duecourse ledger 1",
                "log_key": self.signer.public_key.hex(),
                "name": NAME,
                "registrars": registrar_list(registrars),
                "shard": shard,
                "shards": shards,
                "threshold": threshold,
                "vault_key": sha256(b"vault").hexdigest(),
            },
        )

    def now(self) -> str:
        self.made += 1
        return canonical.format_time(START_US + self.made * 1000)

    def own(self, short: str, subject: str, data: Mapping[str, Any]) -> Entry:
        """An entry of the ledger's own."""
        sequenced = self.now()
        return self._keep(
            self.validation.own_entry(
                short,
                subject,
                dict(data),
                sequenced=sequenced,
                term=self.term,
                event_id=event_id(-self.made),
                source="//ledger.example.com",
                signer=self.signer,
            )
        )

    def order(self, short: str, subject: str, data: Mapping[str, Any], by: str | None = None) -> Entry:
        """An order carried out; approved by all first registrars unless `by` names others."""
        at = {"at": self.validation.registry.stream_count(subject), **data}
        signers = [signer(letter) for letter in (self.registrars if by is None else by)]
        return self.own(short, subject, approve(self.origin, short, subject, at, signers))

    def register(
        self, producerid: str, *, key: str | None = None, types: Sequence[str] = ("contact",)
    ) -> Tool:
        """A producer registered, and its tool."""
        self.order(
            "ledger.producer_registered",
            f"producer/{producerid}",
            {
                "capacities": ["agency", "first_party"],
                "key": signer(key or producerid).public_key.hex(),
                "tenants": [TENANT],
                "types": sorted(types),
            },
        )
        return Tool(self.origin, producerid, key=key)

    def submit(self, event_raw: bytes, proof_raw: bytes) -> Judged:
        """Judges a submission, and does to the ledger what the judgement says."""
        sequenced = self.now()
        judged = self.validation.judge_submission(event_raw, proof_raw, sequenced)
        examined = judged.examined
        if judged.fate == "next":
            self._keep(self.validation.place(judged, sequenced=sequenced, term=self.term))
        elif judged.fate == "rejected":
            self.own("ledger.submission_rejected", f"refused/{examined.producerid}", judged.rejection())
        elif judged.fate == "equivocation":
            self.own("ledger.equivocation_seen", f"producer/{examined.producerid}", judged.equivocation())
        return judged

    def seal(self) -> Entry:
        """Seals what stands."""
        sequenced = self.now()
        return self._keep(
            self.validation.seal_entry(
                sequenced=sequenced,
                term=self.term,
                event_id=event_id(-self.made),
                source="//ledger.example.com",
                signer=self.signer,
            )
        )

    def _keep(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        return entry
