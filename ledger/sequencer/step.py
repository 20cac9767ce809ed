"""What happens to each thing that is handed in: the table of formats 3, as a function of state and time.

Pure but for the state it is given: it reads no clock, writes nowhere, and comes to the same entries for the same
batches, times and random bytes. Nothing of what it returns stands until it was appended and read back; after an error
the state is thrown away with it (run.py).

No submission stops the line. What cannot be judged at all, for a fault of ours, goes to the dead letters with the
name of the fault, and never with what stood in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import sha256
from ledger.kernel.entry import Entry
from ledger.kernel.event import short_type
from ledger.kernel.keys import Signer
from ledger.kernel.orders import ORDERS
from ledger.kernel.submission import Examined
from ledger.kernel.validation import Judged, Validation
from ledger.log.port import Submitted
from ledger.sequencer.intake import Handed
from ledger.sequencer.orders import Order, parse_order
from ledger.vault.port import StoredKey
from ledger.vault.sealing import received_keys

CLOCK_CORRECTED = "duecourse.ledger.clock_corrected.v1"
Feed = tuple[str, int]
Position = tuple[int, bytes]
# Orders that were carried out, by stream and place: what was said, without the approvals.
Orders = dict[tuple[str, int], bytes]


@dataclass(slots=True)
class Ordered:
    """What a batch comes to. `entries` and their leaf hashes in order; `moved` the last position of each feed that
    consumed a seq; `seen` feed and seq of each event that stands now or stood before; `keys` for the vault."""

    entries: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    moved: dict[Feed, Position] = field(default_factory=dict)
    seen: list[tuple[Feed, int]] = field(default_factory=list)
    keys: list[StoredKey] = field(default_factory=list)
    dead: list[tuple[Submitted, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry.raw)
        self.leaves.append(entry.leaf)


def said(order: Order) -> bytes:
    """Digest of what an order says, whoever approved it."""
    bare = {name: value for name, value in order.data.items() if name != "approvals"}
    return sha256(canonical.encode({"data": bare, "subject": order.subject, "type": order.type}))


class Line:
    """The order of one shard in one term, over a validation that holds everything that stands."""

    def __init__(
        self,
        validation: Validation,
        signer: Signer,
        *,
        term: int,
        entropy: Callable[[int], bytes],
        orders: Orders | None = None,
    ) -> None:
        self.validation = validation
        self.term = term
        self.orders: Orders = {} if orders is None else orders
        self._signer = signer
        self._entropy = entropy
        self._watch = False
        self._source = f"//{validation.origin.partition('/')[0]}"

    @property
    def last_us(self) -> int:
        """When the last entry was sequenced; 0 in an empty ledger."""
        return canonical.parse_time(self.validation.sequenced) if self.validation.sequenced else 0

    @property
    def floor_us(self) -> int:
        """The next entry is sequenced no earlier: when the last one was, or any time where that one corrects the
        clock."""
        corrected = self.validation.registry.clock_corrected
        free = corrected is not None and corrected == self.validation.next_index - 1
        return 0 if free else self.last_us

    def is_clock_order(self, submitted: Submitted) -> bool:
        """Is this an order that would correct the clock, now?"""
        if submitted.kind != "order":
            return False
        try:
            order = parse_order(submitted.value)
            at = self.validation.registry.registry_count
            if order.type == CLOCK_CORRECTED:
                self.validation.registry.check_order(order.type, order.subject, order.data, at)
                return True
        except Refused:
            pass
        return False

    def order(self, batch: Sequence[Handed], now_us: int, *, watch: bool = False) -> Ordered:
        """Judges a batch in its order, and places what is to be placed, all at one time. `watch` fills `seen`."""
        self._watch = watch
        found = Ordered()
        sequenced = canonical.format_time(now_us)
        for submitted, looked in batch:
            index = self.validation.next_index
            try:
                if isinstance(looked, Examined):
                    self._event(found, submitted, looked, sequenced, now_us)
                elif looked is not None:
                    found.dead.append((submitted, looked))
                elif submitted.kind == "order":
                    self._order(found, submitted, sequenced, now_us)
                else:
                    found.dead.append((submitted, "E_SCHEMA: neither an event nor an order"))
            except Refused as error:
                if self.validation.next_index != index:
                    raise
                found.dead.append((submitted, f"{error.code}: {error.detail}"))
            except Exception as error:
                if self.validation.next_index != index:
                    raise
                found.counts["unexpected"] += 1
                found.dead.append((submitted, f"unexpected {type(error).__name__}"))
        if found.dead:
            found.counts["dead_letters"] += len(found.dead)
        return found

    def seal(self, now_us: int) -> Entry:
        """The seal over everything that was placed."""
        return self.validation.seal_entry(
            sequenced=canonical.format_time(now_us),
            term=self.term,
            event_id=self._event_id(now_us),
            source=self._source,
            signer=self._signer,
        )

    # -- events

    def _event(
        self, found: Ordered, submitted: Submitted, examined: Examined, sequenced: str, now_us: int
    ) -> None:
        judged = self.validation.judge(examined, sequenced)
        fate = judged.fate
        if fate == "next":
            entry = self.validation.place(judged, sequenced=sequenced, term=self.term)
            found.entries.append(entry.raw)
            found.leaves.append(entry.leaf)
            self._consumed(found, examined)
            if submitted.wrapped_keys:
                self._hand_keys(found, submitted, examined)
            return
        found.counts[fate] += 1
        if fate == "duplicate":
            if self._watch:
                found.seen.append(((examined.producerid, examined.epoch), examined.seq))
            if submitted.wrapped_keys:
                self._hand_keys(found, submitted, examined)
        elif fate == "rejected":
            self._reject(found, judged, sequenced, now_us)
        elif fate == "equivocation":
            self._quarantine(found, judged, sequenced, now_us)
        elif fate == "dead":
            found.dead.append((submitted, f"{judged.code}: {judged.detail}"))
        # A seq too far ahead, a quarantined producer, an epoch not opened: no entry, and no receipt that moves.

    def _consumed(self, found: Ordered, examined: Examined) -> None:
        feed = (examined.producerid, examined.epoch)
        found.moved[feed] = (examined.seq, examined.digest)
        if self._watch:
            found.seen.append((feed, examined.seq))

    def _reject(self, found: Ordered, judged: Judged, sequenced: str, now_us: int) -> None:
        examined = judged.examined
        data = {
            "code": judged.code,
            "digest": examined.digest.hex(),
            "epoch": examined.epoch,
            "seq": canonical.counter(examined.seq),
        }
        subject = f"refused/{examined.producerid}"
        found.add(self._own("ledger.submission_rejected", subject, data, sequenced, now_us))
        self._consumed(found, examined)

    def _quarantine(self, found: Ordered, judged: Judged, sequenced: str, now_us: int) -> None:
        examined = judged.examined
        data = {
            "accepted": judged.accepted.hex(),
            "epoch": examined.epoch,
            "other": examined.digest.hex(),
            "seq": canonical.counter(examined.seq),
        }
        subject = f"producer/{examined.producerid}"
        found.add(self._own("ledger.equivocation_seen", subject, data, sequenced, now_us))

    def _hand_keys(self, found: Ordered, submitted: Submitted, examined: Examined) -> None:
        """Wrapped keys are not signed: a header that is none is dropped, the event stands all the same."""
        origin, stream = self.validation.origin, examined.event.get("subject", "")
        try:
            found.keys += received_keys(
                submitted.wrapped_keys, origin=origin, producerid=examined.producerid, stream=stream
            )
        except Refused:
            found.counts["wrapped_keys_unreadable"] += 1

    # -- orders, and what the ledger says itself

    def _order(self, found: Ordered, submitted: Submitted, sequenced: str, now_us: int) -> None:
        order = parse_order(submitted.value)
        place = (order.subject, order.data["at"])
        digest = said(order)
        if self.orders.get(place) == digest:
            found.counts["duplicate"] += 1
            return
        short = short_type(order.type)
        if short not in ORDERS:
            raise Refused("E_KEY_SCOPE", "the ledger makes this without orders", "type")
        count, _ = self.validation.stream(order.subject)
        self.validation.registry.check_order(order.type, order.subject, order.data, count)
        found.add(self._own(short, order.subject, dict(order.data), sequenced, now_us))
        self.orders[place] = digest
        found.counts["orders"] += 1

    def _own(self, short: str, subject: str, data: dict[str, object], sequenced: str, now_us: int) -> Entry:
        return self.validation.own_entry(
            short,
            subject,
            data,
            sequenced=sequenced,
            term=self.term,
            event_id=self._event_id(now_us),
            source=self._source,
            signer=self._signer,
        )

    def _event_id(self, now_us: int) -> str:
        """A UUIDv7: 48 bits of milliseconds, the rest random."""
        number = (max(now_us, 0) // 1000) << 80 | int.from_bytes(self._entropy(10), "big")
        number = number & ~(0xF << 76) | 7 << 76
        number = number & ~(3 << 62) | 2 << 62
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
