"""One container, every field of it (docs/formats/ 8)."""

from __future__ import annotations

import json
from pathlib import Path

from ledger.kernel.bundle import read_container, write_container


def test_the_container_is_the_one_spelling_of_its_members(shared: Path) -> None:
    vector = json.loads((shared / "vectors/duecourse/zip-header.json").read_text())
    members = [(row["name"], bytes.fromhex(row["hex"])) for row in vector["members"]]
    container = bytes.fromhex(vector["container"])
    assert write_container(members) == container
    assert [(name, bytes(content)) for name, content in read_container(container)] == members
    for field in vector["fields"]:
        value = bytes.fromhex(field["hex"])
        assert container[field["at"] : field["at"] + len(value)] == value, field["is"]


def test_the_good_bundle_is_written_again_from_its_members(shared: Path) -> None:
    data = (shared / "vectors/duecourse/bundle/good.duecourse").read_bytes()
    assert write_container([(name, bytes(content)) for name, content in read_container(data)]) == data
