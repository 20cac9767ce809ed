"""From what a tool says to the bytes of an event that the ledger will take: typed, protected, checked, and complete but
for its place in the feed.

What comes out was read back by the strict reader and judged by the released schema, as the sequencer will do: what
it would refuse is refused here, before anything is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import uuid_utils

from ledger.custody.wrapping import WrappedKey
from ledger.errors import EventRefused, Refused
from ledger.events.catalogue.common import Payload
from ledger.events.registry import to_data
from ledger.events.schemas import check_event
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO_HEX, shard_of
from ledger.kernel.event import parse_event
from ledger.sdk.config import Actor, ProducerConfig
from ledger.sdk.outbox import Draft
from ledger.sdk.protect import Keyring, ProtectingKey, protect_data
from ledger.sdk.streams import EventRef, RecordedEvent, Said, spell_moment

_PREV: Final = b'"producerprev":"'
_SKIPPED: Final = len(ZERO_HEX) + len('","producerseq":"') + 20
_NO_SEQ: Final = "0" * 20


def now_us() -> int:
    """The clock of this machine, in microseconds since the Unix epoch."""
    return time.time_ns() // 1000


class _Speller:
    """Spells instants that come one after the other: the second is worked out once."""

    def __init__(self) -> None:
        self._last = (-1, "")

    def __call__(self, us: int) -> str:
        second, rest = divmod(us, 1_000_000)
        known, prefix = self._last
        if second != known:
            prefix = canonical.format_time(second * 1_000_000)[:20]
            self._last = (second, prefix)
        return f"{prefix}{rest:06d}Z"


class Composed(NamedTuple):
    """An event that is ready for the outbox, and the handle that the caller gets."""

    draft: Draft
    handle: RecordedEvent


@dataclass(slots=True)
class Composer:
    """Makes events for one producer. Threads may share it."""

    config: ProducerConfig
    keys: Keyring = field(default_factory=Keyring)
    clock: Callable[[], int] = now_us
    _vault_key: bytes = b""
    _spell: _Speller = field(default_factory=_Speller)

    def __post_init__(self) -> None:
        self._vault_key = bytes.fromhex(self.config.vault_key)

    def compose(self, subject: str, payload: Payload, said: Said) -> list[Composed]:
        """The event for each shard that the stream is written to: one for a case, every shard for all others.

        Raises `EventRefused`, which never repeats a value."""
        if subject.startswith("case/"):
            shards = [shard_of(subject, self.config.shards)]
        else:
            shards = list(range(self.config.shards))
            if said.id is not None:
                raise EventRefused(
                    f"{payload.TYPE}: only events of a case take an id of the caller's. NOT recorded"
                )
        try:
            found = [self._compose(subject, payload, said, shard) for shard in shards]
        except Refused as error:
            place = f" ({error.where})" if error.where else ""
            raise EventRefused(
                f"{payload.TYPE}: {error.code}: {error.detail}{place}. NOT recorded"
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            # A value of a Python type that no member has. The cause may repeat it, so it is not kept.
            raise EventRefused(
                f"{payload.TYPE}: a member has a value that JSON does not have ({type(error).__name__})."
                " NOT recorded"
            ) from None
        if len(found) > 1:
            copies = tuple(one.handle for one in found)
            for one in found:
                one.handle.copies = copies
        return found

    def _compose(self, subject: str, payload: Payload, said: Said, shard: int) -> Composed:
        config = self.config
        recorded = self._spell(self.clock())
        happened = recorded if said.time is None else spell_moment(said.time)
        event_id = said.id or str(uuid_utils.uuid7())
        short_type, version = payload.TYPE, payload.VERSION
        data = to_data(payload)
        actor = self._actor(said.actor)
        if actor.agency is not None and actor.capacity == "agency":
            data.setdefault("agency", actor.agency)
        key = protect_data(
            data,
            short_type,
            version,
            event_id=event_id,
            stream=subject,
            month=recorded[:7],
            keys=self.keys,
        )
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": event_id,
            "source": config.source,
            "type": f"duecourse.{short_type}.v{version}",
            "subject": subject,
            "time": happened,
            "recordedtime": recorded,
            "dataschema": f"urn:duecourse:{short_type}:{version}",
            "datacontenttype": "application/json",
            "producerid": config.producer,
            "producerepoch": config.epoch,
            "producerseq": _NO_SEQ,
            "producerprev": ZERO_HEX,
            "tenantid": config.tenant,
            "actorid": actor.id,
            "actorrole": actor.role,
            "actorcapacity": actor.capacity,
            "data": data,
        }
        for name, reference in (
            ("corrects", said.corrects),
            ("correlationid", said.correlation),
            ("causationid", said.causation),
        ):
            if reference is not None:
                event[name] = _reference(reference, shard)
        if said.expected_version is not None:
            event["expectedversion"] = canonical.counter(said.expected_version)
        raw = canonical.dumps(event)
        check_event(parse_event(raw))
        # Behind `data` no text of the envelope can hold a quotation mark, so the last one found is the attribute.
        cut = raw.rindex(_PREV) + len(_PREV)
        handle = RecordedEvent(event_id, short_type, subject, happened, recorded, shard)
        return Composed(Draft(shard, raw[:cut], raw[cut + _SKIPPED :], self._travelling(key, shard)), handle)

    def _actor(self, given: Actor | str | None) -> Actor:
        actor = self.config.actor
        if given is None:
            return actor
        if isinstance(given, Actor):
            return given
        if not canonical.is_identifier(given):
            raise Refused("E_SCHEMA", "an actor is an identifier, never a name", "actorid")
        return Actor(given, actor.role, actor.capacity, actor.agency)

    def _travelling(
        self, key: ProtectingKey | None, shard: int
    ) -> tuple[tuple[ProtectingKey, WrappedKey], ...]:
        if key is None:
            return ()
        if not self._vault_key:
            raise EventRefused(
                "something personal was given, and the settings have no vault_key to protect it for. NOT recorded"
            )
        # Whether an earlier event has it already is decided where events get their order: in the outbox.
        wrapped = key.wrapped(self._vault_key, self.config.origin(shard), self.config.producer)
        return ((key, wrapped),)


def _reference(reference: EventRef, shard: int) -> str:
    return reference.in_shard(shard) if isinstance(reference, RecordedEvent) else reference
