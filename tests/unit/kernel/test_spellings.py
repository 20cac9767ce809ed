"""Times, counters, base64, hex, identifiers: one text, one value. And what Python reads too kindly."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.datetimes()  # of the years 1 to 9999, without a zone


@given(instants)
def test_a_time_has_one_spelling(at: datetime) -> None:
    us = (at.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    text = canonical.format_time(us)
    assert text == at.isoformat(timespec="microseconds") + "Z"
    assert canonical.parse_time(text) == us
    assert canonical.is_time(text)
    assert canonical.is_date(text[:10])


@given(st.integers(0, 10**20 - 1))
def test_a_counter_has_one_spelling(number: int) -> None:
    text = canonical.counter(number)
    assert len(text) == 20
    assert canonical.parse_counter(text) == number


@given(st.binary(max_size=100))
def test_base64_and_hex_have_one_spelling(data: bytes) -> None:
    assert canonical.unb64(canonical.b64(data)) == data
    assert canonical.unhex(data.hex(), len(data)) == data


@given(st.text(alphabet=list("ABab01+/=-_ \n"), max_size=12))
def test_whatever_base64_is_read_is_written_the_same(text: str) -> None:
    try:
        data = canonical.unb64(text)
    except Refused:
        return
    assert canonical.b64(data) == text


@pytest.mark.parametrize(
    "text", ["aGVsbG9=", "aGVsbG8", "aGVs\nbG8=", " aGVsbG8=", "aGVsbG8==", "aGVsbG8=x", "é==="]
)
def test_base64_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        canonical.unb64(text)


def test_python_itself_reads_base64_with_spare_bits() -> None:
    assert base64.b64decode("aGVsbG9=", validate=True) == b"hello"


@pytest.mark.parametrize("text", ["de ad", "DEAD", "0xde", "dea", "deadbe", "de\nad"[:4], "ｄｅａｄ"])
def test_hex_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        canonical.unhex(text, 2)


@pytest.mark.parametrize(
    "text", ["1", "+" + "0" * 19, "0" * 19 + "\n", "0" * 18 + "_1", "٠" * 20, "１" * 20, "0" * 21, " " * 20]
)
def test_a_counter_in_another_spelling_is_refused(text: str) -> None:
    assert not canonical.is_counter(text)
    with pytest.raises(Refused) as refusal:
        canonical.parse_counter(text)
    assert refusal.value.code == "E_NONCANONICAL"


@pytest.mark.parametrize("number", [-1, 10**20])
def test_a_counter_out_of_range_is_not_written(number: int) -> None:
    with pytest.raises(Refused):
        canonical.counter(number)


@pytest.mark.parametrize(
    "text",
    [
        "2026-W10-1T01:00:00.000000Z",
        "2026-03-02T01:00:00,000000Z",
        "2026-03-02T01:00:00.000000+00:00",
        "2026-03-02T01:00:00.0000000Z",
        "2026-03-02T01:00:00.00000Z",
        "2026-03-02T01:00:00Z",
        "2026-03-02T01:00:60.000000Z",
        "2026-03-02T24:00:00.000000Z",
        "2026-02-29T01:00:00.000000Z",
        "2026-13-02T01:00:00.000000Z",
        "0000-03-02T01:00:00.000000Z",
        "2026-03-02t01:00:00.000000Z",
        "2026-03-02T01:00:00.000000z",
        "2026-03-02 01:00:00.000000Z",
        "2026-03-02T01:00:00.000000Z\n",
        "２026-03-02T01:00:00.000000Z",
        "2026-03-02T01:00:00.٠00000Z",
        "20260302T010000.000000Z    ",
        "",
    ],
)
def test_a_time_in_another_spelling_is_refused(text: str) -> None:
    assert not canonical.is_time(text)
    with pytest.raises(Refused) as refusal:
        canonical.parse_time(text)
    assert refusal.value.code == "E_NONCANONICAL"


@pytest.mark.parametrize("us", [10**18, -(10**18)])
def test_a_time_outside_the_calendar_is_not_written(us: int) -> None:
    with pytest.raises(Refused):
        canonical.format_time(us)


def test_a_uuid_has_one_spelling_where_python_reads_four() -> None:
    one = "019cac01-0000-7000-8000-000000000000"
    others = [one.upper().replace("0", "a", 1), "{" + one + "}", "urn:uuid:" + one, one.replace("-", "")]
    assert all(uuid.UUID(other) for other in others[1:])
    assert canonical.is_uuid(one)
    assert not any(canonical.is_uuid(other) for other in [*others, one + "\n", " " + one])


@pytest.mark.parametrize("value", ["", "a b", "a\n", "é", "а", "ſ", "a" * 201, None, 7, b"a"])  # а: Cyrillic
def test_what_is_no_identifier(value: Any) -> None:
    assert not canonical.is_identifier(value)


@pytest.mark.parametrize("value", ["a", "staff/e2470e06", "8841-2231", "EUR", "a" * 200, "x+y@z:/._-"])
def test_what_is_an_identifier(value: str) -> None:
    assert canonical.is_identifier(value)


@pytest.mark.parametrize(
    "value", ["2026-2-29", "2026-02-29", "2026-02-30", "20260228", "2026-02-28 ", None, 0]
)
def test_what_is_no_date(value: Any) -> None:
    assert not canonical.is_date(value)


def test_dates_and_digests_in_their_spelling() -> None:
    assert canonical.is_date("2024-02-29")
    assert canonical.is_digest("0" * 64)
    assert not canonical.is_digest("A" * 64)
    assert not canonical.is_digest("0" * 63)
    assert not canonical.is_digest("0" * 64 + "\n")
    assert not canonical.is_text(None)
    assert not canonical.is_text("a\u00a0b")
    assert canonical.is_text("")
