"""Writes `methods/`: one method for each type of the catalogue, with its members as named arguments.

    python -m ledger.sdk.generate          writes the modules anew

A test compares what is on disk with what this would write, so the two cannot drift apart."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

from ledger.events import registry
from ledger.events.catalogue.common import Contact, Payload
from ledger.events.pages import notes_of

TARGET: Final = Path(__file__).resolve().parent / "methods"

# Uuids that are no events: people, debts, plans, contact points, and streams of their own.
_NO_EVENTS: Final = frozenset(
    {
        "agency",
        "contact_point",
        "contact_points",
        "debt",
        "debts",
        "cleared",
        "optout_for",
        "party",
        "plan",
        "recipient_agency",
        "staff",
        "to_agency",
        "transferee",
    }
)
_STREAMS: Final = {"agency": "Agency", "staff": "Staff", "source": "Source"}
# Whose own words say enough: everything else is called by its family and its word.
_OWN_WORDS: Final = frozenset({"case", "contact", "party", *_STREAMS})
_ENVELOPE: Final = (
    "time: Moment | None = None",
    "corrects: EventRef | None = None",
    "correlation: EventRef | None = None",
    "causation: EventRef | None = None",
    "expected_version: int | None = None",
    "actor: Actor | str | None = None",
)


def method_name(short_type: str) -> str:
    """`contact.call_placed` is `call_placed`, `payment.received` is `payment_received`."""
    family, _, word = short_type.partition(".")
    return word if family in _OWN_WORDS else f"{family}_{word}"


def _types() -> Iterator[type[Payload]]:
    for cls in registry.all_types():
        if issubclass(cls, Payload):
            yield cls


def _annotation(name: str, text: str) -> str:
    text = re.sub(r"\bcodes\.", "families.", text)
    text = re.sub(r"\b(?:Personal|Sensitive)\[(.*?)\](?= \||$)", r"\1", text)
    text = re.sub(r"\bDate\b", "Day", re.sub(r"\bTime\b", "Moment", text))
    if name not in _NO_EVENTS:
        text = re.sub(r"\bUuid\b", "EventRef", text)
    return text


def _arguments(cls: type[Payload]) -> list[str]:
    hints: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        hints.update(inspect.get_annotations(base))
    found = []
    for one in sorted(fields(cls), key=lambda f: f.default is None):
        text = _annotation(one.name, hints[one.name])
        if one.name == "parties":
            text = f"{text} | None = None"
        elif one.name == "debts" and issubclass(cls, Contact):
            text = f"{text} = ()"
        elif one.name == "party" and cls.TYPE.partition(".")[0] not in _STREAMS:
            text = text.replace("Uuid", "Party | Uuid")
        elif (
            cls.TYPE == "party.contact_point_changed" and one.name in ("role", "contact_point")
        ) or one.name == "role":
            text = f"{text} | None = None"
        if one.default is None and not text.endswith("= None"):
            text = f"{text} = None"
        found.append(f"{one.name}: {text}")
    if issubclass(cls, Contact) and cls.TYPE != "contact.visit_made" and "to" not in hints:
        name = "sender" if cls.TYPE == "contact.inbound_received" else "to"
        found.append(f"{name}: str | None = None")
    return [*(a for a in found if "=" not in a), *(a for a in found if "=" in a), *_ENVELOPE]


def _method(cls: type[Payload]) -> str:
    notes = notes_of(cls)
    own = [name for name in inspect.get_annotations(cls) if name in notes]
    lines = [" ".join((cls.__doc__ or "").split()), ""]
    lines += [f"{name}: {' '.join(notes[name].split())}" for name in own]
    doc = "\n".join(
        wrapped
        for line in lines
        for wrapped in (textwrap.wrap(line, 100, subsequent_indent="    ") if line else [""])
    ).rstrip()
    arguments = ",\n        ".join(_arguments(cls))
    body = textwrap.indent(f'"""{doc}"""', "        ").lstrip()
    return (
        f"    def {method_name(cls.TYPE)}(\n        self,\n        *,\n        {arguments},\n    ) -> R_co:\n"
        f"        {body}\n"
        f"        return self._tell({cls.__name__}, locals())\n"
    )


def modules() -> dict[str, str]:
    """Every module of `methods/`, by file name, before the formatter."""
    groups: dict[str, list[type[Payload]]] = {}
    for cls in _types():
        groups.setdefault(cls.__module__.rpartition(".")[2], []).append(cls)
    return {f"{name}.py": _module(name, classes) for name, classes in groups.items()}


def _module(name: str, classes: list[type[Payload]]) -> str:
    by_class: dict[str, list[type[Payload]]] = {}
    for cls in classes:
        stream = _STREAMS.get(cls.TYPE.partition(".")[0], f"{name.capitalize()}Methods")
        by_class.setdefault(stream, []).append(cls)
    bodies = []
    for stream, members in by_class.items():
        alone = stream in _STREAMS.values()
        base = "Stream" if alone else "CaseStream"
        what = f"The stream of one {stream.lower()}." if alone else f"What a tool says of a case: {name}."
        kind = f'\n    KIND = "{stream.lower()}"\n' if alone else ""
        methods = "\n".join(_method(cls) for cls in members)
        bodies.append(f'class {stream}({base}[R_co]):\n    """{what}"""\n{kind}\n{methods}')
    body = "\n\n".join(bodies)
    used = set(re.findall(r"\b[A-Z][A-Za-z]*\b", re.sub(r'""".*?"""', "", body, flags=re.DOTALL)))
    names = sorted(cls.__name__ for cls in classes)
    common = sorted(
        used
        & {"Allocation", "Evidence", "Notification", "Party", "Place", "Policy", "Record", "Window", "Zone"}
    )
    kinds = sorted(
        used
        & {
            "Count",
            "Currency",
            "Digest",
            "Id",
            "Minute",
            "Money",
            "Objects",
            "PlaceCode",
            "Template",
            "Text",
            "Uuid",
        }
    )
    streams = sorted(used & {"CaseStream", "Day", "EventRef", "Moment", "R_co", "Stream"} | {"R_co"})
    head = [
        f'"""Written by `ledger.sdk.generate` from `ledger.events.catalogue.{name}`: change that, not this."""',
        "",
    ]
    head += ["from __future__ import annotations", "", "from collections.abc import Sequence", ""]
    head += ["from ledger.events import codes as families"]
    head += [f"from ledger.events.catalogue.{name} import {', '.join(names)}"]
    if common:
        head += [f"from ledger.events.catalogue.common import {', '.join(common)}"]
    head += [f"from ledger.events.kinds import {', '.join(kinds)}"]
    head += ["from ledger.sdk.config import Actor", f"from ledger.sdk.streams import {', '.join(streams)}"]
    if "Sequence" not in used:
        head.remove("from collections.abc import Sequence")
    if "families" not in body:
        head.remove("from ledger.events import codes as families")
    return "\n".join(head) + "\n\n\n" + body


def formatted(source: str) -> str:
    """As `ruff` of this environment formats it."""
    command = [sys.executable, "-m", "ruff"]
    for arguments in (("check", "--select", "I", "--fix-only", "-q"), ("format", "-q")):
        done = subprocess.run(
            [*command, *arguments, "--stdin-filename", str(TARGET / "x.py"), "-"],
            input=source,
            capture_output=True,
            text=True,
            check=True,
        )
        source = done.stdout
    return source


def write() -> None:
    """Writes every module."""
    TARGET.mkdir(exist_ok=True)
    for name, source in modules().items():
        (TARGET / name).write_text(formatted(source), encoding="utf-8")


if __name__ == "__main__":
    write()
