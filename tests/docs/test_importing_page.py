"""The page about importing says what the importer does."""

from __future__ import annotations

import re
from pathlib import Path

from projections.exchange.mapping import SAMPLES, load_mapping, parse_mapping


def test_the_example_on_the_page_is_a_mapping(root: Path) -> None:
    text = (root / "docs" / "importing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    mapping = parse_mapping(example.encode())
    assert mapping.activities.keys() == {"Reminder sent"}


def test_every_kind_of_value_is_on_the_page(root: Path) -> None:
    text = (root / "docs" / "importing.md").read_text(encoding="utf-8")
    for kind in SAMPLES:
        assert f'as = "{kind}"' in text, kind


def test_the_table_of_the_shipped_mapping_is_the_mapping(root: Path) -> None:
    text = (root / "docs" / "importing.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1:4] for row in text.splitlines() if re.match(r"\| [A-Z].* \| `", row)]
    written = {
        name.strip(): (re.findall(r"`([a-z_.]+)`", main), re.findall(r"`([a-z_.]+)`", beside))
        for name, main, beside in rows
    }
    mapping = load_mapping("road-traffic-fines")
    made = {
        name: (
            [activity.templates[activity.main].type],
            [one.type for place, one in enumerate(activity.templates) if place != activity.main],
        )
        for name, activity in mapping.activities.items()
    }
    assert written == made
