"""A trust file is used whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigurationError
from ledger.testing.forge import ORIGIN, trust_file, vkey
from ledger.verify.trust import Trust


def test_a_trust_file_says_who_is_trusted() -> None:
    trust = Trust.parse(trust_file(max_age_s=60))
    log = trust.log(ORIGIN)
    assert log is not None
    assert log.public_key == vkey("log", 1).public_key
    assert set(trust.policy.witnesses) == {"w1", "w2"}
    assert [key.name for key in trust.auditors] == ["auditor.example.com"]
    assert len(trust.registrars) == 3
    assert (trust.max_age_s, trust.skew_s) == (60, 300)
    assert trust.log("somewhere.example.com/else") is None


def test_the_fingerprint_is_of_the_bytes_and_reads_in_groups_of_four() -> None:
    one, two = Trust.parse(trust_file()), Trust.parse(trust_file() + b"\n")
    assert one.fingerprint != two.fingerprint
    assert one.spoken.replace(" ", "") == one.fingerprint
    assert {len(group) for group in one.spoken.split(" ")} == {4}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"skew_s = 300", b"skew_s = 300\nlate_s = 1", "late_s"),
        (b"max_age_s = 0\n", b"", "max_age_s"),
        (b"duecourse trust 1", b"duecourse trust 9", "format"),
        (b"max_age_s = 0", b"max_age_s = 0.5", "max_age_s"),
        (b"max_age_s = 0", b"max_age_s = 9007199254740992", "max_age_s"),
        (b"skew_s = 300", b"skew_s = -1", "skew_s"),
        (b"skew_s = 300", b"skew_s = false", "skew_s"),
        (b"auditors = [", b"auditors = [1, ", "auditors"),
        (b"registrars = [", b'registrars = ["zz", ', "registrar"),
        (b"quorum outside", b"quorum inside", "inside"),
        (b"log ledger", b"lag ledger", "policy"),
    ],
)
def test_what_is_wrong_is_named(old: bytes, new: bytes, says: str) -> None:
    data = trust_file()
    assert old in data
    place = data.rindex(old)
    with pytest.raises(ConfigurationError, match=says):
        Trust.parse(data[:place] + new + data[place + len(old) :])


def test_two_keys_for_one_origin_are_refused() -> None:
    line = f"log {vkey('log', 1).format()}"
    other = f"log {vkey('successor', 1).format()}"
    text = trust_file().decode().replace(line, f"{line}\n{other}")
    with pytest.raises(ConfigurationError, match="two log keys"):
        Trust.parse(text.encode())


def test_a_policy_without_a_log_is_refused() -> None:
    text = trust_file().decode().replace(f"log {vkey('log', 1).format()}", "")
    with pytest.raises(ConfigurationError, match="no log"):
        Trust.parse(text.encode())


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Trust.load(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigurationError, match="larger"):
        Trust.load(tmp_path / "large.toml")


@given(data=st.binary(max_size=200))
def test_no_bytes_escape_as_another_error(data: bytes) -> None:
    with pytest.raises(ConfigurationError):
        Trust.parse(data)


@given(at=st.integers(0, 10_000), put=st.binary(max_size=3), cut=st.integers(0, 5))
def test_no_changed_trust_file_escapes_as_another_error(at: int, put: bytes, cut: int) -> None:
    data = trust_file()
    at %= len(data)
    try:
        trust = Trust.parse(data[:at] + put + data[at + cut :])
    except ConfigurationError:
        return
    assert trust.policy.logs
