"""The XES that is written is well-formed whatever the text, and our own reader reads it back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.exchange.out.formats import extract
from projections.exchange.out.xes import escaped
from projections.exchange.xes import XesReader

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@given(TEXT)
def test_any_text_comes_back_from_an_attribute(text: str) -> None:
    element = ET.fromstring(f'<a v="{escaped(text)}"/>')
    assert element.attrib["v"] == FORBIDDEN.sub("\ufffd", text)
    assert list(element) == []


@pytest.mark.parametrize("text", ['"/><event/>', "]]>", "&amp;", "&#0;", "<!--", "\ud800", "a\r\nb\tc"])
def test_no_text_ends_its_attribute(text: str) -> None:
    element = ET.fromstring(f'<a v="{escaped(text)}"/>'.encode())
    assert element.attrib["v"] == text.replace("\ud800", "\ufffd")


def test_our_own_reader_reads_every_event_and_time_back(story: Any, tmp_path: Path) -> None:
    counted = extract(story.source(every_entry=True), "xes", tmp_path / "log.xes")
    assert counted == {"cases": 2, "events": 14}
    cases = list(story.source(every_entry=True))
    traces = list(XesReader(tmp_path / "log.xes"))
    assert [trace.attributes["concept:name"] for trace in traces] == [case.case for case in cases]
    for trace, case in zip(traces, cases, strict=True):
        assert len(trace.events) == len(case.events)
        for read, event in zip(trace.events, case.events, strict=True):
            found = read.attributes
            assert found["concept:name"] == event.type
            assert found["time:timestamp"] == event.time
            assert found["lifecycle:transition"] == "complete"
            assert (found["org:resource"], found["org:role"], found["org:group"]) == (
                event.actor, event.role, event.capacity,
            )  # fmt: skip
            assert (found["identity:id"], found["ledger.entry"]) == (event.id, str(event.entry))
            assert ("ledger.standing" in found) is (not event.standing)


def test_values_have_the_tag_of_their_kind(story: Any, tmp_path: Path) -> None:
    extract(story.source(), "xes", tmp_path / "log.xes")
    text = (tmp_path / "log.xes").read_text(encoding="utf-8")
    assert '<int key="interest" value="-5"/>' in text
    assert '<boolean key="is_work" value="false"/>' in text
    assert '<string key="itemised_on" value="2026-03-01"/>' in text
    assert '<string key="parties" value="[{&quot;party&quot;' in text
    assert '<string key="ledger.protected" value="address"/>' in text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849.2016"')
    root = ET.fromstring(text)
    space = "{http://www.xes-standard.org/}"
    prefixes = {element.attrib["prefix"] for element in root.findall(f"{space}extension")}
    used = {
        element.attrib["key"].partition(":")[0]
        for element in root.iter()
        if ":" in element.attrib.get("key", "")
    }
    assert used == prefixes == {"concept", "time", "lifecycle", "org", "identity"}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8), TEXT, max_size=4), TEXT
)
def test_a_hostile_event_stays_one_event(
    views: Any, tmp_path: Path, data: dict[str, str], actor: str
) -> None:
    views.clear()
    views.event(1, "contact.call_placed", data, actor=actor)
    extract(views.source(), "xes", tmp_path / "log.xes", force=True)
    (trace,) = XesReader(tmp_path / "log.xes")
    (event,) = trace.events
    assert event.attributes["org:resource"] == FORBIDDEN.sub("\ufffd", actor)
    for name, value in data.items():
        assert event.attributes[name] == FORBIDDEN.sub("\ufffd", value)
