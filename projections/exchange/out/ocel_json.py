"""Writes an OCEL 2.0 log as JSON.

Events are written as they come; objects wait in a file without a name until all events are out, so that
memory holds one case. The first value of an object's attribute stands at 1970-01-01, as OCEL has it for what
is known from the beginning."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import orjson

from projections.exchange.out.columns import Kind, members_of
from projections.exchange.out.draft import stream
from projections.exchange.out.objects import ATTRIBUTES, Thing, event_id, read
from projections.exchange.out.ocel import BEGINNING, attributes_of, values_of
from projections.exchange.out.source import Source

TYPE_NAMES: Final[dict[Kind, str]] = {
    "text": "string",
    "int": "integer",
    "bool": "boolean",
    "time": "time",
    "date": "string",
}


def write(
    source: Source, path: Path, progress: Callable[[int], None], *, packed: bool = False
) -> dict[str, int]:
    """Writes the file anew, and returns how many cases, events and objects it has."""
    counted = {"cases": 0, "events": 0, "objects": 0}
    with (
        stream(path, packed=packed) as file,
        tempfile.TemporaryFile(dir=path.parent, buffering=1 << 20) as waiting,
    ):
        file.write(b'{"eventTypes":' + orjson.dumps([_event_type(short) for short in source.types()]))
        file.write(b',\n"objectTypes":' + orjson.dumps([_object_type(name) for name in ATTRIBUTES]))
        file.write(b',\n"events":[')
        comma = b"\n"
        agencies: dict[str, None] = {}
        things = _Things(waiting)
        for case in source:
            reading = read(case)
            pieces: list[bytes] = []
            for event, links in zip(case.events, reading.links, strict=True):
                values = values_of(event, members_of(event.type))
                pieces.append(comma)
                pieces.append(
                    orjson.dumps(
                        {
                            "id": event_id(event),
                            "type": event.type,
                            "time": event.time,
                            "attributes": [{"name": name, "value": value} for name, value in values.items()],
                            "relationships": [
                                {"objectId": number, "qualifier": how} for number, how in links
                            ],
                        }
                    )
                )
                comma = b",\n"
            file.write(b"".join(pieces))
            for thing in reading.things.values():
                things.add(thing)
            agencies.update(reading.agencies)
            counted["cases"] += 1
            counted["events"] += len(case.events)
            if counted["cases"] % 500 == 0:
                progress(counted["cases"])
        for agency in sorted(agencies):
            things.add(Thing(agency, "agency"))
        counted["objects"] = things.count
        file.write(b'\n],\n"objects":[')
        waiting.seek(0)
        shutil.copyfileobj(waiting, file, 1 << 20)
        file.write(b"\n]}\n")
    return counted


class _Things:
    """Objects on their way to a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def add(self, thing: Thing) -> None:
        values = [{"name": name, "time": BEGINNING, "value": value} for name, value in thing.first.items()]
        values += [{"name": name, "time": time, "value": value} for name, time, value in thing.changes]
        made: dict[str, Any] = {
            "id": thing.id,
            "type": thing.type,
            "attributes": values,
            "relationships": [{"objectId": other, "qualifier": how} for other, how in thing.relations],
        }
        self._file.write((b",\n" if self.count else b"\n") + orjson.dumps(made))
        self.count += 1


def _event_type(short: str) -> dict[str, Any]:
    return {
        "name": short,
        "attributes": [{"name": c.name, "type": TYPE_NAMES[c.kind]} for c in attributes_of(short)],
    }


def _object_type(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "attributes": [{"name": n, "type": TYPE_NAMES[kind]} for n, kind in ATTRIBUTES[name].items()],
    }
