"""No input makes the verifier crash, pass by mistake, or take more than its limits (rules R21, R23; promise P13)."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel.bundle import write_container
from ledger.testing.forge import trust_file
from ledger.testing.forgery import golden, parts
from ledger.verify.checks import judge, verify_bundle
from ledger.verify.container import Limits, hashes, lines
from ledger.verify.trust import Trust

TRUST = Trust.parse(trust_file())
GOLDEN = parts().pack()
NAMES = list(parts().files)


def _judged(data: bytes) -> str:
    """The class of the verdict by the function that lets exceptions through."""
    return verify_bundle(data, TRUST).verdict


@given(data=st.binary(max_size=2000))
def test_bytes_from_nowhere_are_rejected(data: bytes) -> None:
    assert _judged(data) == "REJECTED"


@given(at=st.integers(0, len(GOLDEN)), put=st.binary(max_size=8), cut=st.integers(0, 8))
@settings(deadline=None)
def test_a_changed_container_never_escapes(at: int, put: bytes, cut: int) -> None:
    data = GOLDEN[:at] + put + GOLDEN[at + cut :]
    assert (_judged(data) == "VERIFIED") == (data == GOLDEN)


@given(
    name=st.sampled_from(["manifest.json", *NAMES]),
    place=st.floats(0, 1),
    put=st.binary(max_size=6)
    | st.sampled_from([b"\xed\xa0\x80", b"-0", b"1e9", b"null", b"{}", b"[]", b"\n", b'"']),
    cut=st.integers(0, 40),
)
@settings(deadline=None)
def test_a_changed_member_never_escapes_though_all_around_it_fits(
    name: str, place: float, put: bytes, cut: int
) -> None:
    taken = parts()
    content = taken.manifest() if name == "manifest.json" else taken.files[name]
    at = int(place * len(content))
    changed = content[:at] + put + content[at + cut :]
    data = taken.pack(changed) if name == "manifest.json" else taken.with_file(name, changed).pack()
    if _judged(data) == "VERIFIED":
        # Time zone data of findings, and which fields to open, are the exporter's to choose.
        assert changed == content or name in ("disclosures.jsonl", "findings.json")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "a", "case/x", "0" * 64, "registry"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["files", "format", "statement", "heads", "hashes", "steps", "findings", "packs"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    name=st.sampled_from(["inclusion.json", "heads.json", "findings.json", "consistency.json"]), value=_JSON
)
@settings(deadline=None)
def test_another_value_in_the_place_of_a_member_never_escapes(name: str, value: Any) -> None:
    from ledger.kernel import canonical

    assert _judged(parts().with_file(name, canonical.dumps(value)).pack()) in ("REJECTED", "UNVERIFIABLE")


@given(value=_JSON)
@settings(deadline=None)
def test_another_value_in_the_place_of_the_manifest_never_escapes(value: Any) -> None:
    from ledger.kernel import canonical

    assert _judged(parts().pack(canonical.dumps(value))) == "REJECTED"


def test_a_fault_of_the_verifier_is_a_verdict_and_no_pass() -> None:
    def broken(event: Any) -> None:
        raise KeyError("a fault")

    verdict = judge(GOLDEN, TRUST, check_schema=broken)
    assert (verdict.verdict, verdict.exit_code) == ("ERROR", 3)
    assert verdict.errors[0].detail == "KeyError"


@pytest.mark.parametrize("count", [1, 25, 400])
def test_complaints_are_counted_and_cut(count: int) -> None:
    def refuse(event: Any) -> None:
        raise Refused("E_SCHEMA", "no event of any type")

    verdict = judge(
        GOLDEN, TRUST, check_schema=refuse, limits=dataclasses.replace(Limits(), errors_per_step=count)
    )
    found = [problem for problem in verdict.errors if problem.code == "E_SCHEMA"]
    assert len(found) == min(count, len(list(lines(memoryview(parts().files["entries.jsonl"]), 65_535, ""))))
    assert dict(verdict.checks[4].given)["count"] == "22"


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("entries", 5),
        ("entry_line", 100),
        ("manifest", 10),
        ("heads", 10),
        ("findings", 10),
        ("pack", 1),
        ("own_entries", 1000),
        ("disclosures", 1),
        ("disclosure_line", 20),
    ],
)
def test_every_limit_is_kept(limit: str, value: int) -> None:
    verdict = judge(GOLDEN, TRUST, limits=dataclasses.replace(Limits(), **{limit: value}))
    assert verdict.verdict == "REJECTED"
    assert "E_LIMIT" in {problem.code for problem in verdict.errors}


def test_lines_are_cut_where_they_end_whatever_the_chunks() -> None:
    text = [b"a" * number for number in (0, 1, 70_000, 3, 1_048_576, 0)]
    data = b"".join(line + b"\n" for line in text)
    found = list(lines(memoryview(data), 2_000_000, "x"))
    assert [line for _, line in found] == text
    assert all(data[at : at + len(line)] == line for at, line in found)
    with pytest.raises(Refused, match="E_NONCANONICAL"):
        list(lines(memoryview(data + b"rest"), 2_000_000, "x"))


@given(items=st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_hashes_are_read_as_they_stand(items: list[bytes]) -> None:
    from ledger.testing.forge import hash_list

    assert hashes(memoryview(hash_list(items)), "x") == items


# The child's own peak: what `getrusage` says of it would be that of the test run that started it.
_CHILD = """
import resource, sys
from ledger.verify.__main__ import main
status = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as status_file:
    peak = next(int(line.split()[1]) // 1024 for line in status_file if line.startswith("VmHWM"))
sys.stderr.write(f"{peak} {used.ru_utime + used.ru_stime:.3f}")
sys.exit(status)
"""


BOMB_BYTES = 48 << 20


def _packed(name: str, data: bytes) -> bytes:
    return parts().with_file(name, data).pack()


def _repeated(name: str, line: bytes) -> bytes:
    return _packed(name, line * (BOMB_BYTES // len(line)))


BOMBS: dict[str, Callable[[], bytes]] = {
    "empty-lists-as-heads": lambda: _packed("heads.json", b"[" + b"[]," * (BOMB_BYTES // 3) + b"[]]"),
    "empty-lists-as-findings": lambda: _packed("findings.json", b"[" + b"[]," * (BOMB_BYTES // 3) + b"[]]"),
    "empty-lists-as-hashes": lambda: _packed(
        "inclusion.json", b'{"hashes":[' + b"[]," * (BOMB_BYTES // 3) + b"[]]}"
    ),
    "hashes-without-end": lambda: _packed(
        "inclusion.json", b'{"hashes":["' + b'","'.join([b"0" * 64] * (BOMB_BYTES // 67)) + b'"]}'
    ),
    "lists-of-eight-megabytes": lambda: _packed("heads.json", b'{"heads":[' + b"[]," * (2_700_000) + b"[]]}"),
    "one-long-line": lambda: _packed("entries.jsonl", b"a" * BOMB_BYTES),
    "empty-lines": lambda: _packed("entries.jsonl", b"\n" * BOMB_BYTES),
    "one-entry-for-ever": lambda: _repeated(
        "entries.jsonl", golden().entries[golden().labels["call-1"]] + b"\n"
    ),
    "one-order-for-ever": lambda: _repeated("entries.jsonl", golden().entries[0] + b"\n"),
    "disclosures-without-end": lambda: _repeated("disclosures.jsonl", parts().files["disclosures.jsonl"]),
    "manifest-without-end": lambda: write_container(
        [("manifest.json", b"[" + b"0," * (BOMB_BYTES // 2) + b"0]"), *parts().files.items()]
    ),
    "ten-thousand-members": lambda: write_container([(f"m{number}", b"") for number in range(10_000)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_a_file_of_fifty_megabytes_is_decided_in_ten_seconds_and_half_a_gigabyte(
    bomb: str, tmp_path: Path
) -> None:
    (tmp_path / "bomb.duecourse").write_bytes(BOMBS[bomb]())
    (tmp_path / "trust.toml").write_bytes(trust_file())
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _CHILD,
            str(tmp_path / "bomb.duecourse"),
            "--trust",
            str(tmp_path / "trust.toml"),
            "--json",
        ],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
        timeout=120,
    )
    assert done.returncode == 1, (done.stdout[-2000:], done.stderr)
    peak, seconds = done.stderr.split()
    assert int(peak) <= 512
    assert float(seconds) <= 10
