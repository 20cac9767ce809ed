"""The vault's file: who may read it, what is left in it, and what happens when it is interrupted or damaged."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ledger.custody.wrapping import WrappedKey
from ledger.errors import VaultError
from ledger.vault.port import StoredKey
from ledger.vault.sqlite import SqliteVault

AT = "2026-03-01T12:00:00.000000Z"
CASE = "case/00000000-0000-4000-8000-00000000000c"
ANN = "00000000-0000-4000-8000-0000000000a1"


def a_key(number: int) -> StoredKey:
    wrapped = f"canary-{number:06d}-".encode().ljust(80, b"w")
    return StoredKey("a/0", "crm-1", WrappedKey(f"00000000-0000-4000-8000-{number:012x}", ANN, CASE, wrapped))


def in_any_file(folder: Path, needle: bytes) -> bool:
    return any(needle in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_every_file_of_it_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with SqliteVault(tmp_path / "vault.db") as vault:
            vault.store([a_key(1)])
            files = sorted(tmp_path.iterdir())
            assert [file.name for file in files] == [
                "vault.db",
                "vault.db-shm",
                "vault.db-wal",
                "vault.db.lock",
            ]
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)


def test_its_settings_are_those_that_its_promises_need(tmp_path: Path) -> None:
    with SqliteVault(tmp_path / "vault.db") as vault:
        connection = vault._open_connection()
        found = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "temp_store")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "temp_store": 2}


def test_the_canary_can_be_found_while_it_is_there(tmp_path: Path) -> None:
    with SqliteVault(tmp_path / "vault.db") as vault:
        vault.store([a_key(1)])
        assert in_any_file(tmp_path, a_key(1).key.wrapped)
        vault.erase(CASE, ANN, AT)
        assert not in_any_file(tmp_path, b"canary-")


def test_a_reader_in_the_way_is_named_and_the_next_call_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.vault.sqlite.BUSY_TIMEOUT_S", 0.05)
    with SqliteVault(tmp_path / "vault.db") as vault:
        vault.store([a_key(1)])
        reader = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
        try:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM keys").fetchone()
            with pytest.raises(VaultError, match="call again"):
                vault.erase(CASE, ANN, AT)
        finally:
            reader.close()
        assert vault.keys_of(CASE) == []
        assert in_any_file(tmp_path, b"canary-")
        assert vault.erase(CASE, ANN, AT) == 0
        assert not in_any_file(tmp_path, b"canary-")


def test_an_erasure_that_a_crash_cut_short_is_finished_by_opening(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import os
        from ledger.vault.sqlite import SqliteVault
        from tests_key import a_key
        vault = SqliteVault({str(tmp_path / "vault.db")!r})
        vault.store([a_key(1)])
        vault._clean = lambda: os.kill(os.getpid(), 9)
        vault.erase({CASE!r}, {ANN!r}, {AT!r})
        """
    )
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "tests_key.py").write_text(
        "from ledger.vault.port import StoredKey\nfrom ledger.custody.wrapping import WrappedKey\n"
        f"def a_key(n):\n    return StoredKey('a/0', 'crm-1', WrappedKey('00000000-0000-4000-8000-000000000001',"
        f" {ANN!r}, {CASE!r}, b'can' + b'ary-x'.ljust(77, b'w')))\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path / "code")}, check=False
    )
    assert died.returncode == -9
    assert in_any_file(tmp_path, b"canary-x")
    with SqliteVault(tmp_path / "vault.db") as vault:
        assert vault.keys_of(CASE) == []
        assert vault.erased_of(CASE) == 1
    assert not in_any_file(tmp_path, b"canary-x")


def test_all_of_a_batch_or_nothing(tmp_path: Path) -> None:
    with SqliteVault(tmp_path / "vault.db") as vault:
        broken = StoredKey("a/0", "crm-1", WrappedKey("x", ANN, CASE, None))  # type: ignore[arg-type]
        with pytest.raises((VaultError, TypeError)):
            vault.store([a_key(1), broken])
        assert vault.keys_of(CASE) == []
        assert vault.store([a_key(1)]) == 1


def test_a_missing_vault_is_made_only_where_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no vault"):
        SqliteVault(tmp_path / "vault.db", create=False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(VaultError):
        SqliteVault(tmp_path / "no" / "such" / "folder" / "vault.db")


def test_another_file_is_not_taken_for_a_vault(tmp_path: Path) -> None:
    (tmp_path / "garbage.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(VaultError):
        SqliteVault(tmp_path / "garbage.db")
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("CREATE TABLE precious (x)")
    foreign.commit()
    foreign.close()
    with pytest.raises(VaultError, match="not a vault"):
        SqliteVault(tmp_path / "foreign.db")


def test_a_damaged_file_is_an_error_of_the_vault(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    with SqliteVault(path) as vault:
        vault.store([a_key(n) for n in range(200)])
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(VaultError), SqliteVault(path) as vault:
        vault.keys_of(CASE)


def test_a_repr_shows_the_place_and_nothing_else(tmp_path: Path) -> None:
    with SqliteVault(tmp_path / "vault.db") as vault:
        assert repr(vault) == f"SqliteVault({str(tmp_path / 'vault.db')!r})"
