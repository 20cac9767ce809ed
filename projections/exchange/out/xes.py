"""Writes an XES log (IEEE 1849-2016): a trace is a case, an event an entry.

Standard extensions carry what they mean: `concept:name` the case id and the type of the event,
`time:timestamp` when it happened, in UTC, `lifecycle:transition` `complete`, `org:resource`, `org:role` and
`org:group` actor, role and capacity, `identity:id` the event's own id. Members of the payload keep their
names; what is the ledger's begins with `ledger.`. Lists and objects are JSON in a string: few readers of XES
know lists. A character that XML cannot hold is written as U+FFFD."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from projections.exchange.out.columns import kind_of, text_of
from projections.exchange.out.draft import stream
from projections.exchange.out.source import OutCase, OutEvent, Source, described

_EXTENSIONS: Final = (
    ("Concept", "concept"),
    ("Time", "time"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
    ("Identity", "identity"),
)
_SPECIAL: Final = re.compile('[&<>"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')
_NAMED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_TAG: Final = {"int": "int", "bool": "boolean", "time": "date", "text": "string", "date": "string"}


def escaped(text: str) -> str:
    """As it stands between double quotes in XML 1.0. Tabs and ends of lines survive as references."""
    return _SPECIAL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if (named := _NAMED.get(character)) is not None:
        return named
    if character in "\t\n\r" or "\x7f" <= character <= "\x9f":
        return f"&#{ord(character)};"
    return "\ufffd"


def _attribute(tag: str, key: str, value: str) -> str:
    return f'<{tag} key="{escaped(key)}" value="{escaped(value)}"/>\n'


def write(
    source: Source, path: Path, progress: Callable[[int], None], *, packed: bool = False
) -> dict[str, int]:
    """Writes the file anew, and returns how many cases and events it has."""
    counted = {"cases": 0, "events": 0}
    with stream(path, packed=packed) as file:
        file.write(_head(source).encode())
        pieces: list[str] = []
        for case in source:
            _trace(pieces, case)
            counted["cases"] += 1
            counted["events"] += len(case.events)
            if len(pieces) > 20_000:
                file.write("".join(pieces).encode())
                pieces.clear()
                progress(counted["cases"])
        file.write("".join(pieces).encode())
        file.write(b"</log>\n")
    return counted


def _head(source: Source) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    lines.append(
        '<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">\n'
        + "".join(
            f'<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>\n'
            for name, prefix in _EXTENSIONS
        )
        + '<global scope="trace">\n<string key="concept:name" value=""/>\n</global>\n'
        '<global scope="event">\n'
        '<string key="concept:name" value=""/>\n'
        '<date key="time:timestamp" value="1970-01-01T00:00:00.000000Z"/>\n'
        '<string key="lifecycle:transition" value="complete"/>\n'
        '<string key="org:resource" value=""/>\n'
        "</global>\n"
        '<classifier name="Activity" keys="concept:name"/>\n'
        '<classifier name="Resource" keys="org:resource"/>\n'
    )
    lines.append(_attribute("string", "concept:name", source.name))
    lines.append(_attribute("string", "lifecycle:model", "standard"))
    for name, value in described(source, {}).items():
        text = value if isinstance(value, str) else text_of(value)
        lines.append(_attribute("string", f"ledger.{name}", text))
    return "".join(lines)


def _trace(pieces: list[str], case: OutCase) -> None:
    pieces.append(
        f'<trace>\n<string key="concept:name" value="{case.case}"/>\n<int key="ledger.shard" value="{case.shard}"/>\n'
    )
    for event in case.events:
        _event(pieces, event)
    pieces.append("</trace>\n")


_opening: Final[dict[tuple[str, str, bool], str]] = {}


def _event(pieces: list[str], event: OutEvent) -> None:
    search = _SPECIAL.search
    actor = event.actor if search(event.actor) is None else escaped(event.actor)
    pieces.append(
        f'<event>\n<string key="concept:name" value="{event.type}"/>\n'
        f'<date key="time:timestamp" value="{event.time}"/>\n'
        '<string key="lifecycle:transition" value="complete"/>\n'
        f'<string key="org:resource" value="{actor}"/>\n'
        f'<string key="org:role" value="{escaped(event.role)}"/>\n'
        f'<string key="org:group" value="{escaped(event.capacity)}"/>\n'
        f'<id key="identity:id" value="{event.id}"/>\n'
        f'<int key="ledger.entry" value="{event.entry}"/>\n'
        f'<date key="ledger.recordedtime" value="{event.recordedtime}"/>\n'
        f'<date key="ledger.sequenced" value="{event.sequenced}"/>\n'
        f'<string key="ledger.producer" value="{escaped(event.producer)}"/>\n'
    )
    if event.corrected_by is not None:
        pieces.append(f'<int key="ledger.corrected_by" value="{event.corrected_by}"/>\n')
    if event.corrects is not None:
        pieces.append(f'<int key="ledger.corrects" value="{event.corrects}"/>\n')
    if not event.standing:
        pieces.append('<boolean key="ledger.standing" value="false"/>\n')
    if event.protected:
        pieces.append(_attribute("string", "ledger.protected", event.protected))
    kind = event.type
    for name, value in event.data.items():
        if type(value) is str:
            text = value if search(value) is None else escaped(value)
        elif value is True or value is False:
            text = "true" if value else "false"
        elif type(value) is int:
            text = str(value)
        else:
            text = escaped(text_of(value))
        shape = (kind, name, type(value) is str)
        opening = _opening.get(shape) if shape[2] else None
        if opening is None:
            opening = f'<{_TAG[kind_of(kind, name, value)]} key="{escaped(name)}" value="'
            if shape[2]:
                _opening[shape] = opening
        pieces.append(f'{opening}{text}"/>\n')
    pieces.append("</event>\n")
