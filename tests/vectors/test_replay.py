"""An auditor's replay of whole directories: the control passes, each flaw is refused with its code (formats 4.2).

The payload schemas are not part of the vectors: every payload but the ledger's own passes here."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.kernel.note import VerifierKey
from ledger.kernel.replay import replay_tiles
from ledger.testing.history import any_schema

LOG = VerifierKey.parse("ledger.example.com/cards/1+c885e010+AfBJcHaeNLSAoy+bOEKZqvqyPvc0/ea4iNH9r0ZeinKq")
REGISTRARS = frozenset(
    {
        "6daf8ef2b2064195dc581d33aa9130a0c151c8158bbe2a132f45a3abf317bf8a",
        "bcc587aac42b11218be95e188d5be0e8067ad9febecc24d2f338d701512184ed",
        "bcfaf6619496f0fe7ba65aa45b0323249eb7303e9d567d33be7b658da3a555ca",
    }
)


@pytest.fixture(scope="module")
def bundles(shared: Path) -> Path:
    return shared / "vectors/duecourse/bundle"


def _patched(bundles: Path, patch: dict[str, Any]) -> bytes:
    data = bytearray((bundles / patch["base"]).read_bytes())
    for offset, removed, put in reversed(json.loads(zlib.decompress(base64.b64decode(patch["patch"])))):
        data[offset : offset + removed] = put.encode("latin-1")
    assert hashlib.sha256(data).hexdigest() == patch["sha256"]
    return bytes(data)


def test_the_control_passes_and_every_flaw_is_refused_with_its_code(bundles: Path) -> None:
    rows = [row for row in json.loads((bundles / "mutations.json").read_text())["rows"] if "tiles" in row]
    assert len(rows) == 15
    for row in rows:
        files = {name: _patched(bundles, patch) for name, patch in row["tiles"].items()}
        if row["expect"] == "VERIFIED":
            replay_tiles(files.get, LOG, any_schema, registrars=REGISTRARS)
            continue
        with pytest.raises(Refused) as caught:
            replay_tiles(files.get, LOG, any_schema, registrars=REGISTRARS)
        assert caught.value.code in row["codes"], row["name"]


def test_the_directory_as_it_stands_is_whole(bundles: Path) -> None:
    def read(name: str) -> bytes | None:
        path = bundles / "tiles" / name
        return path.read_bytes() if path.is_file() else None

    checkpoint, validation = replay_tiles(read, LOG, any_schema, registrars=REGISTRARS)
    assert checkpoint.size == validation.next_index == 43
    assert validation.registry.shards == validation.registry.founded["shards"]  # type: ignore[index]
    assert len(validation.head_map) == len(validation.streams) - 1
    with pytest.raises(Refused, match="E_KEY_UNKNOWN"):
        replay_tiles(read, LOG, any_schema, registrars=frozenset({"ab" * 32}))


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000.p/43", "tile/0/000.p/43"])
def test_a_directory_that_lacks_a_resource_is_refused(bundles: Path, name: str) -> None:
    def read(asked: str) -> bytes | None:
        path = bundles / "tiles" / asked
        return path.read_bytes() if asked != name and path.is_file() else None

    with pytest.raises(Refused) as caught:
        replay_tiles(read, LOG, any_schema)
    assert caught.value.code == "E_MISSING_FILE"
