"""Canonical JSON: one value, one spelling, and the fast reading never differs from the slow one."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical

_SPANS = [span.partition("-") for span in canonical.CODE_POINTS.split()]
_LISTED = [
    st.characters(min_codepoint=int(low, 16), max_codepoint=int(high or low, 16)) for low, _, high in _SPANS
]
listed_text = st.text(st.one_of(*_LISTED), max_size=20)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
integers = st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX)
values = st.recursive(
    st.none() | st.booleans() | integers | listed_text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)
# Values that JSON knows and the profile mostly does not.
wild_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | listed_text,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | keys, inner, max_size=4)
    ),
    max_leaves=20,
)


def code_of(read: Any, data: bytes, depth: int = canonical.DEPTH_MAX) -> str:
    try:
        read(data, depth=depth)
    except Refused as error:
        return error.code
    return "accepted"


@given(values)
@settings(max_examples=300, deadline=None)
def test_a_value_is_written_as_rfc_8785_writes_it_and_read_back(value: Any) -> None:
    data = canonical.encode(value)
    assert data == rfc8785.dumps(value) == canonical.dumps(value)
    for read in (canonical.decode, canonical.decode_slowly, canonical.decode_free):
        again = read(data)
        assert again == value
        assert canonical.encode(again) == data


@given(wild_values, st.booleans(), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
@settings(max_examples=500, deadline=None)
def test_fast_and_slow_reading_agree_on_any_json(
    value: Any, escape: bool, in_order: bool, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=escape, sort_keys=in_order, separators=separators)
    data = text.encode(errors="surrogatepass")
    assert code_of(canonical.decode, data) == code_of(canonical.decode_slowly, data)


@given(values, st.integers(0, 2**32))
@settings(max_examples=500, deadline=None)
def test_fast_and_slow_reading_agree_on_damaged_bytes(value: Any, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(canonical.encode(value))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.randrange(3)] = rng.choice(
            [
                b"",
                b"1.5",
                b"\\",
                b'"',
                b"\\u0041",
                b"\\n",
                b"[",
                b"}",
                b"e3",
                b"-0",
                b"\x7f",
                b"\xff",
                b"A",
                b" ",
            ]
        )
    for depth in (canonical.DEPTH_MAX, 2):
        assert code_of(canonical.decode, bytes(data), depth) == code_of(
            canonical.decode_slowly, bytes(data), depth
        )


@given(st.binary(max_size=40))
@example(b"\xef\xbb\xbf{}")
@example(b'"\\\\u0041"')
def test_fast_and_slow_reading_agree_on_any_bytes(data: bytes) -> None:
    assert code_of(canonical.decode, data) == code_of(canonical.decode_slowly, data)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E_SCHEMA"),
        ("  ", "E_NONCANONICAL"),
        ('{"a":1,"a":2}', "E_DUP_KEY"),
        ('{"a":1,"\\u0061":2}', "E_DUP_KEY"),
        ('{"b":{"a":1,"a":1}}', "E_DUP_KEY"),
        ("1.5", "E_NUMBER"),
        ('{"a":1.0}', "E_NUMBER"),
        ("[1e3]", "E_NUMBER"),
        ("-0", "E_NUMBER"),
        ("-0.0", "E_NUMBER"),
        ("NaN", "E_NUMBER"),
        ("[Infinity]", "E_NUMBER"),
        ("1e400", "E_NUMBER"),
        ("9007199254740992", "E_NUMBER"),
        ("9007199254740993.0", "E_NUMBER"),
        ("9" * 5000, "E_NUMBER"),
        ('"\\ud800"', "E_ENCODING"),
        ('"\u202e"', "E_ENCODING"),
        ('"e\u0301"', "E_ENCODING"),
        ('"\\n"', "E_ENCODING"),
        ('"\x7f"', "E_ENCODING"),
        ('"\\/"', "E_NONCANONICAL"),
        ('"\\u0041"', "E_NONCANONICAL"),
        ('{"b":1,"a":2}', "E_NONCANONICAL"),
        ('{"a": 1}', "E_NONCANONICAL"),
        ("{}\n", "E_NONCANONICAL"),
        ("{}\0", "E_NONCANONICAL"),
        ('{"A":1}', "E_SCHEMA"),
        ('{"":1}', "E_SCHEMA"),
        ("[" * 100_000, "E_LIMIT"),
        ('{"a":' * 33 + "1" + "}" * 33, "E_LIMIT"),
    ],
)
def test_each_flaw_has_its_code(text: str, code: str) -> None:
    data = text.encode(errors="surrogatepass")
    assert code_of(canonical.decode, data) == code
    assert code_of(canonical.decode_slowly, data) == code


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    value = {"a": "[" * 100 + '"{' + "\\" * 3, "b": "\\", "c": '\\"['}
    data = canonical.encode(value)
    assert canonical.decode(data) == canonical.decode_slowly(data) == value


def test_depth_is_counted_from_the_outermost_container() -> None:
    for depth in (1, 2, 30, 32):
        data = b"[" * depth + b"]" * depth
        assert code_of(canonical.decode, data, depth) == "accepted"
        assert code_of(canonical.decode_slowly, data, depth) == "accepted"
        assert code_of(canonical.decode, data, depth - 1) == "E_LIMIT"
        assert code_of(canonical.decode_slowly, data, depth - 1) == "E_LIMIT"
    assert canonical.decode(b"7", depth=0) == 7


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.0, "E_NUMBER"),
        (2**53, "E_NUMBER"),
        ({"a": float("nan")}, "E_NUMBER"),
        ("\ud800", "E_ENCODING"),
        (["\n"], "E_ENCODING"),
        ({1: "a"}, "E_SCHEMA"),
        ({"a-b": 1}, "E_SCHEMA"),
        ({"a": b"bytes"}, "E_NONCANONICAL"),
        ({"a": {1, 2}}, "E_NONCANONICAL"),
    ],
)
def test_what_the_profile_lacks_is_not_written(value: Any, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        canonical.encode(value)
    assert refusal.value.code == code


def test_a_refusal_names_the_place_and_never_the_value() -> None:
    with pytest.raises(Refused) as refusal:
        canonical.encode({"to": [{"name": "Jane\nDoe"}]})
    assert refusal.value.where == "/to/0/name"
    assert "Jane" not in str(refusal.value)


def test_text_of_any_kind_stands_only_inside_a_protected_field() -> None:
    value = ["first\r\nsecond\t\u202e\u0007", "\U0001f600", {"a": "\x7f\u2028"}]
    data = canonical.encode_free(value)
    assert data == rfc8785.dumps(value)
    assert canonical.decode_free(data) == value
    assert code_of(canonical.decode, data) == "E_ENCODING"
    with pytest.raises(Refused):
        canonical.encode_free("\ud800")


def test_the_memo_of_keys_stays_small() -> None:
    for batch in range(100):
        canonical.decode(canonical.encode({f"k{batch}_{n}": n for n in range(60)}))
    canonical.decode(canonical.encode({f"wide{n}": n for n in range(10_000)}))
    assert len(canonical._keys) <= canonical._KEYS_MAX


def test_a_view_of_bytes_is_read_like_bytes() -> None:
    assert canonical.decode(memoryview(b'{"a":"\\\\"}')) == {"a": "\\"}  # type: ignore[arg-type]
    assert code_of(canonical.decode, memoryview(b'"\\n"')) == "E_ENCODING"  # type: ignore[arg-type]


def test_every_code_point_is_in_the_clear_exactly_where_the_list_says() -> None:
    listed = {point for low, _, high in _SPANS for point in range(int(low, 16), int(high or low, 16) + 1)}
    assert all(canonical.is_text(chr(point)) == (point in listed) for point in range(sys.maxunicode + 1))
