"""Events: one action, as the producer signed it (`docs/formats/` 2).

What `parse_event` returns is a CloudEvents 1.0 object in its one spelling, with exactly the attributes of
the format, each spelled as the format says, in a stream where its type may stand. Not checked here: the
payload against its schema, the feed, the producer's rights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import leaf_hash

EVENT_BYTES_MAX: Final = 48 * 1024
EVENT_DEPTH: Final = 30
EPOCH_MAX: Final = 2**31 - 1
LEDGER: Final = "ledger"
CAPACITIES: Final = ("first_party", "agency", "debt_buyer", "law_firm", "system")
LEDGER_KINDS: Final = frozenset({"registry", "producer", "refused", "seal"})

REQUIRED: Final = frozenset(
    {
        "actorcapacity", "actorid", "actorrole", "data", "datacontenttype", "dataschema", "id",
        "producerepoch", "producerid", "producerprev", "producerseq", "recordedtime", "source",
        "specversion", "subject", "tenantid", "time", "type",
    }
)  # fmt: skip
OPTIONAL: Final = frozenset({"causationid", "correlationid", "corrects", "expectedversion"})
ATTRIBUTES: Final = REQUIRED | OPTIONAL
_FEWEST: Final = len(REQUIRED)

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_EVENT_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_PRODUCER = r"[a-z0-9][a-z0-9.-]{0,62}"
_NAME = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*"
_MAJOR = r"[1-9][0-9]{0,5}"
_SUBJECT = rf"(?:case|staff|agency|source)/{_UUID}|(?:producer|refused)/{_PRODUCER}|registry|seal"

PRODUCERID: Final = re.compile(_PRODUCER)
EVENT_ID: Final = re.compile(_EVENT_ID)
SUBJECT: Final = re.compile(_SUBJECT)
SOURCE: Final = re.compile(r"//[A-Za-z0-9][A-Za-z0-9._:-]{0,197}")
TYPE: Final = re.compile(rf"duecourse\.({_NAME})\.v({_MAJOR})")

_IDENTIFIER = r"[A-Za-z0-9._:/@+-]{1,200}"
_WORD = r"[a-z][a-z0-9_]{0,63}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
# An event of a producer, from its beginning to its payload, and from its payload to its end. Each is
# narrower than `check_envelope`, never wider: no types of the ledger's own, no long names.
_HEAD = re.compile(
    (
        rf'\{{"actorcapacity":"(?:{"|".join(CAPACITIES)})","actorid":"{_IDENTIFIER}",'
        rf'"actorrole":"{_IDENTIFIER}",(?:"causationid":"{_EVENT_ID}",)?(?:"correlationid":"{_EVENT_ID}",)?'
        rf'(?:"corrects":"{_EVENT_ID}",)?"data":\{{'
    ).encode()
)
_TAIL = re.compile(
    (
        rf',"datacontenttype":"application/json","dataschema":"urn:duecourse:(?!ledger\.)({_WORD}\.{_WORD})'
        rf':([1-9][0-9]?)",(?:"expectedversion":"[0-9]{{20}}",)?"id":"{_EVENT_ID}",'
        rf'"producerepoch":(?:0|[1-9][0-9]{{0,8}}),"producerid":"{_PRODUCER}",'
        rf'"producerprev":"[0-9a-f]{{64}}","producerseq":"[0-9]{{20}}","recordedtime":"{_TIME}",'
        rf'"source":"//[A-Za-z0-9][A-Za-z0-9._:-]{{0,197}}","specversion":"1\.0",'
        rf'"subject":"(?:case|staff|agency|source)/{_UUID}","tenantid":"{_IDENTIFIER}","time":"{_TIME}",'
        rf'"type":"duecourse\.\1\.v\2"\}}'
    ).encode()
)


def parse_event(data: bytes) -> dict[str, Any]:
    """The event that these bytes are the one spelling of. Refused E_LIMIT, E_SCHEMA, E_KEY_SCOPE, or as
    `canonical.decode` refuses. `data` is only known to be an object."""
    if len(data) > EVENT_BYTES_MAX:
        raise Refused("E_LIMIT", f"an event of {len(data)} bytes, more than {EVENT_BYTES_MAX}")
    if type(data) is not bytes:
        data = bytes(data)
    # The common event in one go: two patterns read the envelope off the canonical bytes, where attributes
    # stand in one order, so that only the payload is walked. Whatever they do not know goes the long way.
    event = canonical.parse_plain(data)
    if event is not canonical.NOT_PLAIN and _HEAD.match(data) is not None:
        tail = data.rfind(b',"datacontenttype":"')
        if (
            tail > 0
            and _TAIL.fullmatch(data, tail) is not None
            and (len(event) == _FEWEST or len(event) == _FEWEST + sum(name in event for name in OPTIONAL))
            and canonical.is_date(event["time"][:10])
            and canonical.is_date(event["recordedtime"][:10])
            and canonical.shaped(event["data"], EVENT_DEPTH - 1)
        ):
            return event  # type: ignore[no-any-return]
    event = canonical.decode(data, depth=EVENT_DEPTH)
    check_envelope(event)
    return event  # type: ignore[no-any-return]


def check_envelope(event: Mapping[str, Any]) -> None:
    """Refuse an envelope that is not as formats 2 says; `where` is the attribute."""
    if not isinstance(event, dict):
        raise Refused("E_SCHEMA", "an event is a JSON object")
    missing = REQUIRED - event.keys()
    if missing:
        raise Refused("E_SCHEMA", "a required attribute is missing", min(missing))
    if not event.keys() <= ATTRIBUTES:
        raise Refused("E_SCHEMA", "an attribute that the format does not have")
    for name, value in event.items():
        if not _SPELLED[name](value):
            raise Refused("E_SCHEMA", "the attribute is not spelled as the format says", name)
    match = TYPE.fullmatch(event["type"])
    if match is None or event["dataschema"] != f"urn:duecourse:{match[1]}:{match[2]}":
        raise Refused("E_SCHEMA", "dataschema and type do not name the same schema", "dataschema")
    if is_ledger_type(event["type"]) != (subject_kind(event["subject"]) in LEDGER_KINDS):
        raise Refused("E_KEY_SCOPE", "this type may not stand in this stream", "subject")


def _matches(pattern: re.Pattern[str]) -> Any:
    def check(value: object) -> bool:
        return isinstance(value, str) and pattern.fullmatch(value) is not None

    return check


def _is(*expected: str) -> Any:
    return lambda value: isinstance(value, str) and value in expected


_SPELLED: Final[dict[str, Any]] = {
    "actorcapacity": _is(*CAPACITIES),
    "actorid": canonical.is_identifier,
    "actorrole": canonical.is_identifier,
    "causationid": _matches(EVENT_ID),
    "correlationid": _matches(EVENT_ID),
    "corrects": _matches(EVENT_ID),
    "data": lambda value: type(value) is dict,
    "datacontenttype": _is("application/json"),
    "dataschema": canonical.is_identifier,
    "expectedversion": canonical.is_counter,
    "id": _matches(EVENT_ID),
    "producerepoch": lambda value: type(value) is int and 0 <= value <= EPOCH_MAX,
    "producerid": _matches(PRODUCERID),
    "producerprev": canonical.is_digest,
    "producerseq": canonical.is_counter,
    "recordedtime": canonical.is_time,
    "source": _matches(SOURCE),
    "specversion": _is("1.0"),
    "subject": lambda value: is_subject(value),
    "tenantid": canonical.is_identifier,
    "time": canonical.is_time,
    "type": lambda value: canonical.is_identifier(value) and TYPE.fullmatch(value) is not None,
}


def is_subject(value: object) -> bool:
    """A stream's name. There is no `producer/ledger`, nor `refused/ledger`."""
    return (
        isinstance(value, str)
        and SUBJECT.fullmatch(value) is not None
        and value not in ("producer/ledger", "refused/ledger")
    )


def is_producerid(value: object) -> bool:
    """`[a-z0-9][a-z0-9.-]{0,62}`; `ledger` is one, and is the ledger's own."""
    return isinstance(value, str) and PRODUCERID.fullmatch(value) is not None


def event_digest(data: bytes) -> bytes:
    """The digest of an event: `H(0x00 || event bytes)`, its leaf in a flush (formats 3)."""
    return leaf_hash(data)


def _type_parts(event_type: str) -> re.Match[str]:
    match = TYPE.fullmatch(event_type)
    if match is None:
        raise Refused("E_SCHEMA", "not an event type of this ledger", "type")
    return match


def short_type(event_type: str) -> str:
    """`duecourse.contact.call_placed.v1` is `contact.call_placed`."""
    return _type_parts(event_type)[1]


def schema_version(event_type: str) -> int:
    """The major version at the end of a type."""
    return int(_type_parts(event_type)[2])


def is_ledger_type(event_type: str) -> bool:
    """Does the ledger itself make events of this type?"""
    return event_type.startswith("duecourse.ledger.")


def subject_kind(subject: str) -> str:
    """`case`, `staff`, `agency`, `source`, `producer`, `refused`, `registry` or `seal`."""
    return subject.partition("/")[0]
