"""A schema that was released never changes, is what its class says, and is found wherever the package lies."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jsonschema
import orjson
import pytest
import rfc8785

from ledger.errors import ConfigurationError, Refused
from ledger.events import build, registry, schemas

# The digests of all schemas of release 1, in the order of their names. If this test fails, a schema was changed after
# its release: put it back, and give the change a new version.
RELEASE_1 = "1ecf8cbf1bda200e2eb408e29b7f713b2bbea115d78940866af6b2d7989cb726"
RELEASE_1_COUNT = 61


def test_the_first_release_stands_as_it_was_released() -> None:
    names = sorted(name for name in schemas.released() if name.endswith(":1"))
    lines = "".join(f"{name} {schemas.released()[name]}\n" for name in names)
    assert len(names) == RELEASE_1_COUNT
    assert hashlib.sha256(lines.encode()).hexdigest() == RELEASE_1


def test_the_register_names_exactly_the_files_with_their_digests(root: Path) -> None:
    folder = root / "schemas"
    found = {}
    for file in folder.glob("*/*.json"):
        value = json.loads(file.read_text(encoding="utf-8"))
        # By another encoder than the one that wrote the register.
        found[f"urn:duecourse:{file.parent.name}:{file.stem}"] = hashlib.sha256(
            rfc8785.dumps(value)
        ).hexdigest()
        assert value["$id"] == f"urn:duecourse:{file.parent.name}:{file.stem}"
    assert schemas.released() == found


@pytest.mark.parametrize("cls", registry.all_types(), ids=lambda cls: cls.TYPE)
def test_the_schema_on_disk_is_the_one_that_the_class_says(cls: type[registry.AnyPayload]) -> None:
    assert schemas.schema(cls.TYPE, cls.VERSION) == build.schema_of(cls)


@pytest.mark.parametrize("cls", registry.all_types(), ids=lambda cls: cls.TYPE)
def test_a_schema_is_well_formed_and_closed_all_the_way_down(cls: type[registry.AnyPayload]) -> None:
    value = schemas.schema(cls.TYPE, cls.VERSION)
    jsonschema.Draft202012Validator.check_schema(value)
    closed = [value, *value.get("$defs", {}).values()]
    assert all(part["type"] == "object" and part["additionalProperties"] is False for part in closed)


def test_writing_again_changes_nothing_and_a_changed_class_is_refused(tmp_path: Path, root: Path) -> None:
    assert len(schemas.write(tmp_path)) == RELEASE_1_COUNT
    assert schemas.write(tmp_path) == []
    for file in sorted((root / "schemas").rglob("*.json")):
        assert (tmp_path / file.relative_to(root / "schemas")).read_bytes() == file.read_bytes()
    register = tmp_path / "RELEASED.json"
    value = orjson.loads(register.read_bytes())
    value["schemas"]["urn:duecourse:case.closed:1"] = "0" * 64
    register.write_bytes(orjson.dumps(value))
    with pytest.raises(ConfigurationError, match=r"case\.closed"):
        schemas.write(tmp_path)


def test_an_unknown_type_or_version_is_newer_than_this_release() -> None:
    for name, version in (("case.closed", 2), ("case.dreamt", 1)):
        with pytest.raises(Refused) as refused:
            schemas.schema(name, version)
        assert refused.value.code == "E_VERSION"


def test_the_packaged_copy_is_taken_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "_PACKAGED", tmp_path / "packaged")
    checkout = schemas.directory()
    assert (checkout / "case.closed" / "1.json").is_file()
    (tmp_path / "packaged").mkdir()
    (tmp_path / "packaged" / "RELEASED.json").write_text("{}")
    assert schemas.directory() == tmp_path / "packaged"


def test_an_installation_without_schemas_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "_PACKAGED", tmp_path / "a")
    monkeypatch.setattr(schemas, "_CHECKOUT", tmp_path / "b")
    with pytest.raises(ConfigurationError, match="install duecourse again"):
        schemas.directory()


def test_the_wheel_carries_the_schemas(root: Path) -> None:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    assert '"schemas" = "ledger/_schemas"' in text
