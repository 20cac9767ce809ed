"""The picture is well-formed, says in words what it shows, needs nothing from outside, and is the same every time."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.portfolio.model import OUTCOMES
from projections.portfolio.picture import LANGUAGES, WIDTH, RuleText, draw, wrap

SVG = "{http://www.w3.org/2000/svg}"
WEEKS = [
    ("fines/F-1", "2009-W53", "BREACH", 50_012),
    ("fines/F-1", "2010-W01", "PASS", 100_358),
    ("fines/F-2", "2012-W30", "REVIEW", 3),
    ("fines/F-3", "2012-W30", "PASS", 7),
]
TEXTS = {
    "fines/F-1": RuleText("A fine is sent within 90 days of its creation, <always> & “soon”.", "grade S")
}


def _drawn(language: str = "en") -> str:
    return draw(
        WEEKS, title="Fines & <rules>", cases=150_370, as_of="2026-11-24", texts=TEXTS, language=language
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_has_a_title_and_a_description_that_hold_every_number(language: str) -> None:
    root = ET.fromstring(_drawn(language))

    assert root.get("role") == "img"
    named = root.get("aria-labelledby", "").split()
    assert [root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")] == named  # type: ignore[union-attr]
    said = root.findtext(f"{SVG}desc", "")
    assert all(
        number in said
        for number in ("150,370", "150,380", "50,012 (33.3 %)", "100,358 (66.7 %)", "2026-11-24")
    )
    shown = "".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert ("cannot be proved" in shown) is False
    assert ("须人工判断" if language == "zh" else "for a person to judge") in shown


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = _drawn()
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|use|foreignObject|style)|href|url\(|@import| on\w+=", text)
    assert _drawn() == text


def test_bars_stay_inside_and_are_as_high_as_their_numbers() -> None:
    root = ET.fromstring(_drawn())
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("rx") is None]
    assert bars
    for rect in bars:
        x, width = float(rect.get("x", "")), float(rect.get("width", ""))
        assert x >= 0
        assert x + width <= WIDTH
    shares = [float(rect.get("width", "")) for rect in bars if rect.get("height") == "14"]
    assert round(shares[0] / (shares[0] + shares[1]), 3) == round(50_012 / 150_370, 3)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p/A", "p/B"]),
            st.builds(lambda y, w: f"{y}-W{w:02}", st.integers(1999, 2030), st.integers(1, 52)),
            st.sampled_from(OUTCOMES),
            st.integers(1, 10**6),
        )
    )
)
def test_any_counts_can_be_drawn(weeks: list[tuple[str, str, str, int]]) -> None:
    root = ET.fromstring(draw(weeks, title="x", cases=len(weeks)))
    total = Counter[str]()
    for rule, _, outcome, n in weeks:
        total[rule, outcome] += n  # type: ignore[index]
    said = root.findtext(f"{SVG}desc", "")
    assert all(f" {n:,} (" in said for n in total.values())


@given(st.text(alphabet="ab ，。罚款x-", max_size=200), st.integers(6, 60))
def test_lines_hold_the_whole_text_and_fit(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line == line.rstrip() for line in lines)


def test_chinese_breaks_between_characters_and_not_before_a_full_stop() -> None:
    assert wrap("申诉未结期间不得转信用追收。", 24) == ["申诉未结期间不得转信用追", "收。"]
    assert wrap("one two three", 7) == ["one two", "three"]
