"""Event logs in XES for tests of the import, made from a number: fines in the words of the shipped mapping
`road-traffic-fines`, and what must stand in the ledger after each. No case of any real log is in them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0">\n'
TAIL = "</log>\n"
CODES = {
    "Create Fine": "create-fine",
    "Send Fine": "send-fine",
    "Insert Fine Notification": "insert-fine-notification",
    "Add penalty": "add-penalty",
    "Payment": "payment",
    "Send for Credit Collection": "send-for-credit-collection",
    "Insert Date Appeal to Prefecture": "insert-date-appeal-to-prefecture",
}


@dataclass(slots=True)
class Fines:
    """A log that was written, and what it says: `refs` by trace are the `source_ref` of its events in their order."""

    path: Path
    activities: Counter[str] = field(default_factory=Counter)
    refs: list[list[str]] = field(default_factory=list)

    @property
    def source_events(self) -> int:
        return self.activities.total()

    @property
    def events(self) -> int:
        """How many events of the catalogue they become."""
        return sum(len(trace) for trace in self.refs)


def event(activity: str, when: str, **attributes: str) -> str:
    """One event element; `attributes` with a decimal point are floats, others text."""
    rows = [f'<string key="concept:name" value={quoteattr(activity)}/>']
    rows += [
        f"<{'float' if '.' in value else 'string'} key={quoteattr(key)} value={quoteattr(value)}/>"
        for key, value in attributes.items()
    ]
    rows.append(f'<date key="time:timestamp" value={quoteattr(when)}/>')
    return f"<event>{''.join(rows)}</event>\n"


def trace(account: str, *events: str) -> str:
    return f'<trace><string key="concept:name" value={quoteattr(account)}/>\n{"".join(events)}</trace>\n'


def write_fines(path: Path, traces: int, seed: int) -> Fines:
    """Writes a log of so many traces, each from two to eight events."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    made = Fines(path)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for number in range(1, traces + 1):
            file.write(trace(f"T{seed}-{number}", *_events(made, number, chance)))
        file.write(TAIL)
    return made


def _events(made: Fines, number: int, chance: random.Random) -> list[str]:
    refs: list[str] = []
    rows: list[str] = []
    day = chance.randrange(1, 20)

    def say(activity: str, *beside: str, before: bool = False, **attributes: str) -> None:
        place = f"{CODES[activity]}/{number}/{len(rows) + 1}"
        main, also = [f"xes/{place}"], [f"xes-also/{place}" for _ in beside]
        refs.extend(also + main if before else main + also)
        made.activities[activity] += 1
        when = f"2011-0{1 + len(rows)}-{day:02d}T00:00:00+01:00"
        rows.append(event(activity, when, **attributes))

    amount = chance.randrange(2000, 9000)
    say("Create Fine", "case", before=True, amount=_money(amount))
    if chance.random() < 0.2:
        say("Payment", paymentAmount=_money(amount))
    expense = chance.choice([0, 1100, 1350])
    say("Send Fine", *(["fee"] if expense else []), expense=_money(expense))
    if chance.random() < 0.7:
        say("Insert Fine Notification")
        if chance.random() < 0.2:
            say("Insert Date Appeal to Prefecture")
        say("Add penalty", amount=_money(2 * amount))
        for _ in range(chance.randrange(3)):
            say("Payment", paymentAmount=_money(chance.randrange(100, amount)))
        if chance.random() < 0.5:
            say("Send for Credit Collection")
    made.refs.append(refs)
    return rows


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
