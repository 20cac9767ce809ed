"""A pack in a few lines, and events in a few lines."""

from __future__ import annotations

from typing import Any

HEAD = """
[pack]
id = "house"
version = "1"
zone = "Asia/Shanghai"
title = {en = "House rules", zh = "机构规则"}
note = {en = "No legal advice.", zh = "不构成法律意见。"}
"""
RULE = """
[[rule]]
id = "H-1"
kind = "TW"
cite = "House policy 7"
grade = "T"
modality = "must"
in_force = {from = 2020-01-01}
text = {en = "Not at night.", zh = "夜间不得催收。"}
on = [{types = ["contact.call_placed"]}]
window = {forbid = ["22:00", "08:00"]}
"""


def event(number: int, type_: str, time: str, recorded: str = "", /, **data: Any) -> dict[str, Any]:
    """An event at `2026-06-10T02:00:00`; `data` members whose names end in _ belong to the envelope."""
    envelope = {name[:-1]: value for name, value in data.items() if name.endswith("_")}
    values = {name: value for name, value in data.items() if not name.endswith("_")}
    return {
        "id": f"10000000-0000-4000-8000-{number:012d}",
        "type": type_,
        "time": f"{time}.000000Z",
        "recordedtime": f"{recorded or time}.000000Z",
        "actorcapacity": "first_party",
        "data": values,
    } | envelope


def call(number: int, time: str, recorded: str = "", /, **data: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "parties": [{"party": "p", "role": "debtor"}],
        "debts": ["d"],
        "contact_point": "c",
        "purpose": "interactive",
        "outcome": "no_answer",
    }
    return event(number, "contact.call_placed", time, recorded, **(given | data))
