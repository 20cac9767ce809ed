"""The head map against a model that is one recursive definition."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.errors import Refused
from ledger.kernel.headmap import (
    EMPTY_MAP_ROOT,
    HeadMap,
    head_value,
    parse_steps,
    root_from_absence,
    root_from_presence,
    stream_key,
    unhex32,
)


def _bit(key: bytes, bit: int) -> int:
    return key[bit // 8] >> (7 - bit % 8) & 1


def model(items: dict[bytes, bytes], bit: int = 0) -> bytes:
    if not items:
        return sha256(b"").digest()
    if len(items) == 1:
        [(key, value)] = items.items()
        return sha256(key + value).digest()
    while len({_bit(key, bit) for key in items}) == 1:
        bit += 1
    left = {key: value for key, value in items.items() if not _bit(key, bit)}
    right = {key: value for key, value in items.items() if _bit(key, bit)}
    return sha256(model(left, bit + 1) + model(right, bit + 1) + bytes((bit,))).digest()


# Keys that agree in long beginnings, in the first byte, and in nothing.
keys = st.one_of(
    st.builds(lambda tail: bytes(30) + tail, st.binary(min_size=2, max_size=2)),
    st.builds(lambda tail: b"\xff" + bytes(29) + tail, st.binary(min_size=2, max_size=2)),
    st.binary(min_size=32, max_size=32),
)
values = st.binary(min_size=32, max_size=32)


class Maps(RuleBasedStateMachine):
    """Any order of sets, roots, pops and reloads."""

    def __init__(self) -> None:
        super().__init__()
        self.map = HeadMap()
        self.items: dict[bytes, bytes] = {}
        self.numbers: dict[bytes, int] = {}

    @rule(key=keys, value=values)
    def set_one(self, key: bytes, value: bytes) -> None:
        self.numbers[key] = self.map.set(key, value)
        self.items[key] = value

    @precondition(lambda self: self.items)
    @rule(data=st.data(), value=values)
    def put_one(self, data: st.DataObject, value: bytes) -> None:
        key = data.draw(st.sampled_from(sorted(self.items)))
        self.map.put(self.numbers[key], value)
        self.items[key] = value

    @precondition(lambda self: self.items)
    @rule()
    def take_the_last_back(self) -> None:
        key = list(self.items)[-1]
        assert self.map.pop() == key
        del self.items[key]

    @rule()
    def reload(self) -> None:
        self.map = HeadMap.load(self.map.dump())

    @rule()
    def hash_it(self) -> None:
        assert self.map.root() == model(self.items)

    @invariant()
    def it_holds_what_was_set(self) -> None:
        assert len(self.map) == len(self.items)
        for key, value in self.items.items():
            assert self.map.get(key) == value

    def teardown(self) -> None:
        root = self.map.root()
        assert root == model(self.items)
        for key, value in self.items.items():
            proof = self.map.prove(key)
            assert root_from_presence(key, value, parse_steps(proof["steps"])) == root
            assert root_from_presence(key, bytes(32), parse_steps(proof["steps"])) != root or value == bytes(
                32
            )


Maps.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMaps = Maps.TestCase


@settings(deadline=None)
@given(st.dictionaries(keys, values, min_size=1, max_size=30), keys)
def test_absence_is_proved_of_keys_that_are_not_there_and_of_no_others(
    items: dict[bytes, bytes], key: bytes
) -> None:
    head_map = HeadMap.build(items.items())
    proof = head_map.prove(key)
    if key in items:
        assert set(proof) == {"steps"}
        return
    assert root_from_absence(key, proof) == model(items) == head_map.root()
    other = bytes.fromhex(proof["other_key"])
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        root_from_absence(other, proof)


def test_an_empty_map_has_the_empty_root_and_proves_nothing() -> None:
    head_map = HeadMap()
    assert head_map.root() == EMPTY_MAP_ROOT
    assert head_map.get(bytes(32)) is None
    with pytest.raises(Refused, match="E_INCOMPLETE"):
        head_map.prove(bytes(32))
    with pytest.raises(IndexError):
        head_map.pop()
    assert HeadMap.load(head_map.dump()).root() == EMPTY_MAP_ROOT


def test_keys_and_values_have_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        HeadMap().set(bytes(31), bytes(32))
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        root_from_presence(bytes(32), bytes(31), [])


def test_a_count_or_leaf_of_its_own_makes_a_value_of_its_own() -> None:
    assert len({head_value(1, bytes(32)), head_value(2, bytes(32)), head_value(1, b"x" * 32)}) == 3
    assert stream_key("registry") != stream_key("seal")


def test_a_dump_with_any_byte_changed_is_not_loaded() -> None:
    head_map = HeadMap.build((stream_key(str(i)), head_value(i, bytes(32))) for i in range(5))
    dump = head_map.dump()
    assert HeadMap.load(dump).root() == head_map.root()
    for at in range(len(dump)):
        with pytest.raises(Refused, match="E_INCOMPLETE"):
            HeadMap.load(dump[:at] + bytes((dump[at] ^ 1,)) + dump[at + 1 :])
        with pytest.raises(Refused, match="E_INCOMPLETE"):
            HeadMap.load(dump[:at])
    lying = dump[:25] + (99).to_bytes(8, "little") + dump[33:-32]
    with pytest.raises(Refused, match="another length"):
        HeadMap.load(lying + sha256(lying).digest())


def _absence() -> tuple[bytes, dict[str, Any]]:
    head_map = HeadMap.build((stream_key(str(i)), head_value(i, bytes(32))) for i in range(20))
    key = stream_key("absent")
    return key, head_map.prove(key)


def test_proofs_of_another_form_are_refused() -> None:
    key, proof = _absence()
    assert len(proof["steps"]) > 1
    bad: list[dict[str, Any]] = [
        {"steps": proof["steps"]},
        {**proof, "more": 1},
        {**proof, "other_key": proof["other_key"].upper()},
        {**proof, "other_value": proof["other_value"][:-2]},
        {**proof, "other_value": 7},
        {**proof, "steps": [step.upper() for step in proof["steps"]]},
        {**proof, "steps": [step[:-2] for step in proof["steps"]]},
        {**proof, "steps": ["zz" * 33]},
        {**proof, "steps": "no list"},
        {**proof, "steps": [7]},
        {**proof, "steps": proof["steps"][::-1]},
        {**proof, "steps": [proof["steps"][0], *proof["steps"]]},
        {**proof, "steps": ["00" * 33] * 257},
    ]
    for each in bad:
        with pytest.raises(Refused) as caught:
            root_from_absence(key, each)
        assert caught.value.code in ("E_PROOF_SHAPE", "E_INCOMPLETE")


def test_absence_needs_two_keys_that_agree_at_every_step() -> None:
    key, proof = _absence()
    other = bytes.fromhex(proof["other_key"])
    bit = bytes.fromhex(proof["steps"][0])[0]
    turned = bytearray(key)
    turned[bit // 8] ^= 128 >> bit % 8
    assert bytes(turned) != other
    with pytest.raises(Refused, match="part before the end"):
        root_from_absence(bytes(turned), proof)


@pytest.mark.parametrize("text", [None, "", "0" * 63, "0" * 66, "G" * 64, "A" * 64, " " * 64])
def test_a_digest_has_one_spelling(text: object) -> None:
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        unhex32(text)
