"""A pack that cannot be meant is refused, with the line to look at and the reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from house_rules import HEAD, RULE

from ledger.rules.model import parse_pack
from ledger.rules.shapes import Pack
from ledger.rules.toml import PackRefused


def refusal(text: str) -> PackRefused:
    with pytest.raises(PackRefused) as caught:
        parse_pack(text.encode(), "house.toml")
    return caught.value


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('grade = "T"', 'grade = "T"\nurgency = 3', "unknown key"),
        ("window = {forbid", 'window = {touches = "span", forbid', "unknown key"),
        ("window = {forbid", 'window = {zone = "Asia/Beijing", forbid', "no such time zone"),
        (
            'window = {forbid = ["22:00", "08:00"]}',
            'window = {permit = ["21:00", "08:00"]}',
            "ends before it begins",
        ),
        (
            'window = {forbid = ["22:00", "08:00"]}',
            'window = {forbid = ["22:00", "22:00"]}',
            "ends before it begins",
        ),
        ("{from = 2020-01-01}", "{from = 2020-01-01, to = 2019-12-31}", "ends before it begins"),
        ("in_force = {from = 2020-01-01}\n", "", "is missing"),
        ("{from = 2020-01-01}", "{to = 2020-01-01}", "is missing"),
        ('cite = "House policy 7"\n', "", "is missing"),
        ('cite = "House policy 7"', 'cite = " "', "a text is expected"),
        ('grade = "T"\n', "", "is missing"),
        ('grade = "T"', 'grade = "T/S"', "none of"),
        ('modality = "must"', 'modality = "ought"', "none of"),
        (', zh = "夜间不得催收。"', "", "is missing"),
        ('types = ["contact.call_placed"]', 'types = ["contact.called"]', "not known here"),
        ('on = [{types = ["contact.call_placed"]}]', 'on = [{roles = ["debtor"]}]', "types"),
        (
            '"contact.call_placed"]}',
            '"contact.call_placed"], where = [{f = "mood", in = ["bad"]}]}',
            "no such member",
        ),
        (
            '"contact.call_placed"]}',
            '"contact.call_placed"], where = [{f = "outcome", in = ["bussy"]}]}',
            "not known",
        ),
        ('"contact.call_placed"]}', '"contact.call_placed"], where = [{f = "outcome"}]}', "exactly one"),
        ('window = {forbid = ["22:00", "08:00"]}', 'window = {forbid = ["25:00", "08:00"]}', "a pair"),
        ('grade = "T"', 'grade = "T"\nreading = [{name = "x", grade = "S", set = []}]', "grade of U"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_with_its_line(old: str, new: str, reason: str) -> None:
    text = (HEAD + RULE).replace(old, new)
    assert text != HEAD + RULE

    found = refusal(text)

    assert reason.replace("grade of U", "of grade U") in found.reason
    assert found.name == "house.toml"
    # The line is in the rule, at the key where there is one.
    assert line_of(text, "[[rule]]") <= found.line <= len(text.splitlines())
    if reason == "unknown key":
        assert found.line in (line_of(text, "urgency") if "urgency" in text else 0, line_of(text, "window ="))


def test_definitions_that_refer_to_each_other_in_a_circle_are_refused() -> None:
    text = HEAD + '[define]\na = [{use = "b"}]\nb = [{use = "a"}]\n' + RULE

    found = refusal(text)

    assert "refers to itself: a > b > a" in found.reason
    assert found.line == line_of(text, "a = [")


def test_a_definition_that_does_not_exist_is_refused() -> None:
    assert "'night' is not defined" in refusal(HEAD + '[define]\na = [{use = "night"}]\n' + RULE).reason


def test_broken_toml_is_refused_with_the_line_that_the_parser_names() -> None:
    text = HEAD + RULE + "\nwindow = {\n"

    found = refusal(text)

    assert found.line >= line_of(text, "[[rule]]")


def test_a_pack_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(PackRefused, match="not UTF-8"):
        parse_pack((HEAD + RULE).encode("gb18030"), "house.toml")


def test_a_rule_that_stands_there_twice_is_refused() -> None:
    assert "stands there twice" in refusal(HEAD + RULE + RULE).reason


def test_business_days_need_a_calendar_that_exists(pack: Callable[..., Pack]) -> None:
    rule = RULE.replace('kind = "TW"', 'kind = "RSP"').replace(
        'window = {forbid = ["22:00", "08:00"]}',
        'then = [{types = ["contact.delivery_status"], link = {f = "message"}}]\nwithin = {n = 2, unit = "business_days"}',
    )

    with pytest.raises(PackRefused, match="need a calendar"):
        pack(rule=rule)
    with pytest.raises(PackRefused, match="no such calendar: 'GB-ATLANTIS'"):
        pack(('"business_days"', '"business_days", calendar = "GB-ATLANTIS"'), rule=rule)
    assert (
        pack(('"business_days"', '"business_days", calendar = "GB-ENG"'), rule=rule).rule("H-1").kind == "RSP"
    )


def test_a_reading_of_a_place_that_is_not_there_is_refused(pack: Callable[..., Pack]) -> None:
    reading = 'grade = "T"\nreading = [{name = "x", grade = "U", set = [{at = "except.3.code", to = "y"}]}]'

    with pytest.raises(PackRefused, match="no such place in the rule"):
        pack(('grade = "T"', reading))


def test_a_definition_narrowed_to_nothing_is_refused_and_not_taken_for_anything() -> None:
    defined = HEAD + '[define]\ncalls = [{types = ["contact.call_placed"]}]\n' + RULE
    text = defined.replace(
        'on = [{types = ["contact.call_placed"]}]', 'on = [{use = "calls", types = ["contact.visit_made"]}]'
    )
    assert text != defined

    found = refusal(text)

    assert "leave nothing of 'calls'" in found.reason
