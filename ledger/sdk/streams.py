"""What all streams of a recorder have in common: how what a tool says becomes a payload, and the ids of a case.

The methods themselves, one a type, are written by `generate.py` into `methods/`. They are generic in what they
return: `Recorder` gives a `RecordedEvent`, `AsyncRecorder` an awaitable of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

from ledger.errors import EventRefused
from ledger.events.catalogue.common import Contact, Party, Payload
from ledger.events.codes import Role
from ledger.kernel import canonical
from ledger.sdk.config import Actor
from ledger.sdk.ids import contact_reference, local_id

R_co = TypeVar("R_co", covariant=True)

Day: TypeAlias = date | str
"""A day: a `date`, or `YYYY-MM-DD`."""
Moment: TypeAlias = datetime | str
"""An instant: an aware `datetime`, or `YYYY-MM-DDThh:mm:ss.ffffffZ`."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AS_THEY_ARE: Final = frozenset({str, int, bool})


class RecordedEvent:
    """An event that is on this machine's disk; inside `with recorder.batch()`, one that will be at its end.

    `id` is what later events refer to. `seq` is its place in the feed of `shard`, -1 as long as it is not recorded.
    A stream that is written to every shard has an event in each: the others are `copies`."""

    __slots__ = ("copies", "digest", "id", "recordedtime", "seq", "shard", "subject", "time", "type")

    def __init__(
        self, event_id: str, short_type: str, subject: str, time: str, recordedtime: str, shard: int
    ):
        self.id = event_id
        self.type = short_type
        self.subject = subject
        self.time = time
        self.recordedtime = recordedtime
        self.shard = shard
        self.seq = -1
        self.digest = b""
        self.copies: tuple[RecordedEvent, ...] = ()

    @property
    def recorded(self) -> bool:
        return self.seq >= 0

    def in_shard(self, shard: int) -> str:
        """The id of the copy that stands in a shard."""
        return next((copy.id for copy in self.copies if copy.shard == shard), self.id)

    def __repr__(self) -> str:
        place = f"shard {self.shard}, seq {self.seq}" if self.recorded else "not recorded yet"
        return f"RecordedEvent({self.id}, {self.type}, {place})"


EventRef: TypeAlias = RecordedEvent | str
"""Another event: what recording it returned, or its id."""


@dataclass(frozen=True, slots=True)
class Said:
    """The part of the envelope that a call may give. `actor` is an `Actor`, or the id of one who acts in the role
    and capacity of the settings. `id` is a UUIDv7 that the caller has made for this event of a case, because others
    of the same batch refer to it."""

    time: Moment | None = None
    corrects: EventRef | None = None
    correlation: EventRef | None = None
    causation: EventRef | None = None
    expected_version: int | None = None
    actor: Actor | str | None = None
    id: str | None = None


_ENVELOPE: Final = ("time", "corrects", "correlation", "causation", "expected_version", "actor")
Say: TypeAlias = Callable[[str, Payload, Said], R_co]


def spell_moment(value: Moment) -> str:
    """The one spelling of an instant. `EventRefused` for a `datetime` without a zone: it names no instant."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise EventRefused("a time needs its zone: use an aware datetime. NOT recorded")
    since = value.astimezone(UTC) - _EPOCH
    return canonical.format_time((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _plain(value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, RecordedEvent):
        return value.id
    if isinstance(value, datetime):
        return spell_moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


class Stream(Generic[R_co]):
    """One stream, and what can be said in it. Made by a recorder."""

    KIND = ""

    def __init__(self, identity: str, say: Say[R_co], tenant_key: bytes) -> None:
        self.id = identity
        self.subject = f"{self.KIND}/{identity}"
        self._say = say
        self._tenant_key = tenant_key
        self._ids: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"

    def _tell(self, cls: type[Payload], given: dict[str, Any]) -> R_co:
        """Says what the named arguments of a generated method hold: `given` is that method's `locals()`."""
        del given["self"]
        said = Said(*[given.pop(name) for name in _ENVELOPE])
        members = {name: _plain(value) for name, value in given.items() if value is not None}
        self._complete(cls, members)
        try:
            payload = cls(**members)
        except TypeError as error:
            raise EventRefused(f"{cls.TYPE}: {_without_values(error)}. NOT recorded") from None
        return self._say(self.subject, payload, said)

    def _complete(self, cls: type[Payload], members: dict[str, Any]) -> None:
        """Fills in what follows from the stream alone."""

    def record(self, payload: Payload, said: Said | None = None) -> R_co:
        """Records a payload of the catalogue's own classes in this stream."""
        return self._say(self.subject, payload, said or Said())


def _without_values(error: TypeError) -> str:
    """A complaint of Python's about arguments names members only."""
    return str(error).partition("() ")[2] or "wrong arguments"


class CaseStream(Stream[R_co]):
    """A case. Uuids of its people, debts, plans and contact points are worked out under the tenant key: the same
    reference gives the same uuid in this case, and another one in every other case."""

    KIND = "case"

    def __init__(self, identity: str, say: Say[R_co], tenant_key: bytes) -> None:
        super().__init__(identity, say, tenant_key)
        self._debtor: Party | None = None

    def party(self, role: Role = "debtor", reference: str | None = None) -> Party:
        """A person of this case. `reference` is what the tool knows the person by, and decides the uuid; without one
        there is one person a role. Somebody who changes roles keeps the uuid if the reference stays."""
        return Party(
            party=self._id("party", f"role:{role}" if reference is None else f"ref:{reference}"), role=role
        )

    def debt(self, reference: str = "") -> str:
        """The uuid of a debt that the tool knows by `reference`; without one, of the only debt of the case."""
        return self._id("debt", reference)

    def plan(self, reference: str) -> str:
        """The uuid of a plan."""
        return self._id("plan", reference)

    def contact_point(self, number: str) -> str:
        """The uuid of a number, address or account. Written with a leading `+`, a number's spacing does not count;
        everything else must be written in one way always."""
        return self._id("contact_point", contact_reference(number))

    def _id(self, kind: str, reference: str) -> str:
        known = self._ids.get((kind, reference))
        if known is None:
            known = self._ids[kind, reference] = local_id(self._tenant_key, kind, self.subject, reference)
        return known

    def _complete(self, cls: type[Payload], members: dict[str, Any]) -> None:
        party = members.get("party")
        if isinstance(party, Party):
            members["party"] = party.party
            if "role" in cls.__dataclass_fields__:
                members.setdefault("role", party.role)
        point = members.get("address") if cls.TYPE == "party.contact_point_changed" else None
        if issubclass(cls, Contact):
            if "parties" not in members:
                self._debtor = self._debtor or self.party()
                members["parties"] = [self._debtor]
            own = "to" in cls.__dataclass_fields__
            point = members.get("to") if own else members.pop("to", members.pop("sender", None))
        if isinstance(point, str) and "contact_point" not in members:
            members["contact_point"] = self.contact_point(point)
