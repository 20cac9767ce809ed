"""Steps 13 and 15: what was opened, and what remains unsaid (formats 2.1, 8, 9; rule R22)."""

from __future__ import annotations

import re
from typing import Any

import orjson

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.disclosure import Protected, disclosure_digest, parse_disclosure
from ledger.verify import container
from ledger.verify.examination import Examination, Fact

DISCLOSURES = "disclosures.jsonl"
_POINTER = re.compile(r"/data(?:/[a-z0-9_]{1,100}){1,30}")
_PLACE = re.compile(r"0|[1-9][0-9]{0,4}")


def event_of(x: Examination, fact: Fact) -> dict[str, Any]:
    """The event of an entry, read again from the bytes that were proved."""
    view = x.members["entries.jsonl"]
    event: dict[str, Any] = orjson.loads(view[fact.offset : fact.offset + fact.length])["event"]
    return event


def disclosures_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(13) Every opened field is the one that its entry committed to; each is opened once, in order."""
    opener = _Opener(x)
    member = x.members[DISCLOSURES]
    for number, (_, line) in enumerate(container.lines(member, x.limits.disclosure_line, DISCLOSURES), 1):
        if number > x.limits.disclosures:
            raise Refused("E_LIMIT", f"more than {x.limits.disclosures} disclosures", DISCLOSURES)
        try:
            opener.open(line)
        except Refused as error:
            x.error(error.code, error.detail, f"{DISCLOSURES} line {number} {error.where}".strip())
            if error.code not in ("E_COMMITMENT", "E_SCHEMA"):
                break
    count = sum(len(fields) for fields in x.opened.values())
    closed = x.protected - count
    if closed > 0:
        x.warn("W_REDACTED", f"{closed} of {x.protected} protected fields are not opened", DISCLOSURES)
    return "opened", {"opened": str(count), "closed": str(closed)}


class _Opener:
    """Opens fields one after the other; an event is read once for all of its own."""

    def __init__(self, x: Examination) -> None:
        self._x = x
        self._by_index = {fact.index: fact for fact in x.facts}
        self._before = (-1, "")
        self._event: dict[str, Any] = {}

    def open(self, line: bytes) -> None:
        index, pointer, disclosure = _line(line)
        if (index, pointer) <= self._before:
            raise Refused("E_NONCANONICAL", "disclosures do not ascend by entry and pointer")
        fact = self._by_index.get(index)
        if fact is None:
            raise Refused("E_COMMITMENT", f"entry {index} is not in the bundle")
        if index != self._before[0]:
            self._event = event_of(self._x, fact)
        self._before = (index, pointer)
        # The digest first: nothing of a disclosure is looked at that the entry did not commit to.
        if disclosure_digest(disclosure) != _field(self._event, pointer).digest:
            raise Refused("E_COMMITMENT", "not the value that the entry committed to")
        self._x.opened.setdefault(index, {})[pointer] = parse_disclosure(disclosure, pointer)


def _line(line: bytes) -> tuple[int, str, str]:
    value = canonical.decode(line)
    if not isinstance(value, dict) or value.keys() != {"disclosure", "index", "pointer"}:
        raise Refused("E_SCHEMA", "a disclosure has exactly disclosure, index and pointer")
    index, pointer, disclosure = value["index"], value["pointer"], value["disclosure"]
    if type(index) is not int or index < 0 or not isinstance(pointer, str) or not isinstance(disclosure, str):
        raise Refused("E_SCHEMA", "a member of the disclosure is not of its kind")
    if _POINTER.fullmatch(pointer) is None:
        raise Refused("E_SCHEMA", "not a pointer to a field of a payload")
    return index, pointer, disclosure


def _field(event: dict[str, Any], pointer: str) -> Protected:
    """The protected field at a pointer; E_COMMITMENT where none stands there."""
    value: Any = event
    for token in pointer.split("/")[1:]:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and _PLACE.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise Refused("E_COMMITMENT", "no such field in the entry")
    try:
        return Protected.from_value(value)
    except Refused as error:
        raise Refused("E_COMMITMENT", "the field is not a protected one") from error


def not_checked_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(15) What was not checked, and why: as much a part of the verdict as the rest."""
    x.leave("feeds")
    x.leave("other_streams")
    x.leave("other_shards")
    if x.seal is not None:
        x.leave("later", sealed=x.seal.sequenced)
    if x.state is None:
        x.leave("memory")
    if x.trust.policy.quorum is None:
        x.leave("witnesses")
    if not x.trust.auditors:
        x.leave("auditors")
    closed = x.protected - sum(len(fields) for fields in x.opened.values())
    if closed > 0:
        x.leave("closed_fields", count=str(closed))
    if x.protected:
        x.leave("cipher")
    if x.evidence_digests:
        x.leave("evidence", count=str(x.evidence_digests))
    return "listed", {"count": str(len(x.unchecked))}
