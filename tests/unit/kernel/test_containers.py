"""The container: one spelling, no free byte; and the manifest in it."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import (
    MEMBERS,
    Limits,
    build_manifest,
    check_files,
    check_members,
    member_order,
    pack_name,
    parse_manifest,
    read_container,
    write_container,
)

CASE = "case/00000000-0000-4000-8000-000000000001"
STREAMS = [(CASE, 3), ("producer/dialler", 1), ("registry", 2)]
SMALL = [("manifest.json", b"{}"), ("checkpoint", b"note\n"), ("packs/none@1.toml", b"")]


def _read(data: bytes) -> list[tuple[str, bytes]]:
    return [(name, bytes(content)) for name, content in read_container(data)]


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,9}(/[a-z@.]{1,9}x)?", fullmatch=True), st.binary(max_size=99)),
                max_size=6, unique_by=lambda member: member[0]))  # fmt: skip
def test_members_come_back_as_they_were_written_and_any_zip_reader_agrees(
    members: list[tuple[str, bytes]],
) -> None:
    data = write_container(members)
    assert _read(data) == members
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert [(info.filename, archive.read(info)) for info in archive.infolist()] == members


def test_every_bit_of_every_byte_is_the_one_it_has_to_be() -> None:
    data = write_container(SMALL)
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(Refused):
                read_container(bytes(changed))


def test_a_container_cut_short_or_grown_anywhere_is_refused() -> None:
    data = write_container(SMALL)
    for at in range(len(data)):
        with pytest.raises(Refused):
            read_container(data[:at])
        with pytest.raises(Refused):
            read_container(data[at + 1 :])
        with pytest.raises(Refused):
            read_container(data[:at] + b"\x00" + data[at:])
    for more in (data + b"\x00", data + data, b"%PDF" + data):
        with pytest.raises(Refused, match="E_CONTAINER"):
            read_container(more)


def test_what_another_writer_makes_is_refused() -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            archive.writestr("manifest.json", b"{}" * 50)
        with pytest.raises(Refused, match="E_CONTAINER"):
            read_container(buffer.getvalue())


@pytest.mark.parametrize(
    "name",
    ["../x", "/abs", "a//b", "a/./b", "C:x", "a\\b", "a b", "", "a/", ".."],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="E_PATH"):
        read_container(write_container([(name, b"")]))


def test_a_name_with_a_null_or_beyond_ascii_is_refused() -> None:
    data = write_container([("abcd", b"")])
    for raw in (b"a\x00cd", "äbc".encode()):
        with pytest.raises(Refused, match="E_PATH"):
            read_container(data.replace(b"abcd", raw))


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(Refused, match="E_DUP_NAME"):
        read_container(write_container([("a", b"1"), ("a", b"2")]))


def test_limits_stand_before_any_work() -> None:
    data = write_container(SMALL)
    for limits in (
        Limits(total_bytes=len(data) - 1),
        Limits(members=2),
        Limits(member_bytes=4),
        Limits(name_bytes=12),
    ):
        with pytest.raises(Refused, match="E_LIMIT"):
            read_container(data, limits)
    assert len(read_container(data, Limits(len(data), 5, 3, 17))) == 3


def test_a_declared_size_of_gigabytes_costs_nothing() -> None:
    data = bytearray(write_container(SMALL))
    for at in (18, 22):
        data[at : at + 4] = (0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(Refused, match="E_LIMIT"):
        read_container(bytes(data))


def test_members_of_a_bundle_have_one_order() -> None:
    names = [*MEMBERS, "packs/a@1.toml", "packs/a@2.toml", "packs/b@1.toml", "consistency.json"]
    assert member_order(reversed(names)) == names
    check_members(names)
    check_members(MEMBERS)
    with pytest.raises(Refused, match="E_CONTAINER"):
        check_members(names[::-1])
    with pytest.raises(Refused, match="E_CONTAINER"):
        check_members([*MEMBERS, MEMBERS[0]])
    for name in MEMBERS:
        with pytest.raises(Refused, match="E_MISSING_FILE"):
            check_members([each for each in names if each != name])
    for name in ("trust.toml", "packs/a.toml", "packs/x/a@1.toml", "Manifest.json"):
        with pytest.raises(Refused, match="E_EXTRA_FILE"):
            check_members([*names, name])
    assert pack_name("us-fdcpa", "2026.1") == "packs/us-fdcpa@2026.1.toml"
    with pytest.raises(Refused, match="E_PATH"):
        pack_name("../x", "1")


def _manifest(**changes: Any) -> bytes:
    value = json.loads(build_manifest(SMALL[1:], origin="ledger.example.com/1", tree_size=9, streams=STREAMS))
    value.update(changes)
    return canonical.dumps(value)


def test_a_manifest_says_what_the_container_holds() -> None:
    manifest = parse_manifest(_manifest())
    assert manifest.streams == tuple(STREAMS)
    assert (manifest.origin, manifest.tree_size) == ("ledger.example.com/1", 9)
    check_files(manifest, SMALL)
    with pytest.raises(Refused, match="E_EXTRA_FILE"):
        check_files(manifest, [*SMALL, ("heads.json", b"")])
    with pytest.raises(Refused, match="E_MISSING_FILE"):
        check_files(manifest, SMALL[:2])
    with pytest.raises(Refused, match="E_MANIFEST"):
        check_files(manifest, [SMALL[0], SMALL[2], SMALL[1]])
    with pytest.raises(Refused, match="E_MANIFEST"):
        check_files(manifest, [SMALL[0], ("checkpoint", b"note\r"), SMALL[2]])


FILE = {"bytes": 0, "name": "checkpoint", "sha256": "0" * 64}


def _statement(**changes: Any) -> dict[str, Any]:
    streams = [{"count": count, "stream": stream} for stream, count in STREAMS]
    return {"origin": "o", "streams": streams, "tree_size": 1, **changes}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E_VERSION", {"format": "duecourse bundle 2"}),
        ("E_VERSION", {"format": "duecourse bundle 2", "new": 1}),
        ("E_SCHEMA", {"format": "duecourse bundle 01"}),
        ("E_SCHEMA", {"format": "another bundle 1"}),
        ("E_SCHEMA", {"format": 1}),
        ("E_SCHEMA", {"made": "2026-03-02"}),
        ("E_SCHEMA", {"files": {}}),
        ("E_SCHEMA", {"files": [{**FILE, "more": 1}]}),
        ("E_SCHEMA", {"files": [{**FILE, "bytes": True}]}),
        ("E_SCHEMA", {"files": [{**FILE, "bytes": -1}]}),
        ("E_SCHEMA", {"files": [{**FILE, "sha256": "A" * 64}]}),
        ("E_MANIFEST", {"files": [{**FILE, "name": "manifest.json"}]}),
        ("E_MANIFEST", {"files": [FILE, FILE]}),
        ("E_SCHEMA", {"statement": _statement(tree_size=0)}),
        ("E_SCHEMA", {"statement": _statement(tree_size="1")}),
        ("E_SCHEMA", {"statement": _statement(origin="")}),
        ("E_SCHEMA", {"statement": _statement(streams=[])}),
        ("E_SCHEMA", {"statement": _statement(streams=[{"count": 1, "stream": "registry"}])}),
        ("E_SCHEMA", {"statement": _statement(streams=[{"count": -1, "stream": CASE}])}),
        ("E_SCHEMA", {"statement": _statement(streams=[{"count": 1, "stream": CASE}] * 2)}),
        ("E_SCHEMA", {"statement": _statement(streams=[{"count": 1, "stream": s} for s in (CASE, "seal")])}),
        (
            "E_SCHEMA",
            {"statement": _statement(streams=[{"count": 1, "stream": s} for s in (CASE, "b", "a")])},
        ),
        (
            "E_SCHEMA",
            {"statement": _statement(streams=[{"count": 1, "stream": s} for s in (CASE, "a", "a")])},
        ),
    ],
)
def test_a_manifest_of_another_form_is_refused_with_its_code(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        parse_manifest(_manifest(**changes))
    assert caught.value.code == code


def test_a_manifest_in_another_spelling_is_refused() -> None:
    for data in (b" " + _manifest(), _manifest() + b"\n", b"[]", b"null", b""):
        with pytest.raises(Refused):
            parse_manifest(data)
