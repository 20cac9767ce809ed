"""A private key in a file: made once, read by its owner alone, never shown."""

from __future__ import annotations

import copy
import os
import pickle
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.custody.file import FileSigner, VaultKey
from ledger.errors import ConfigurationError
from ledger.kernel.keys import Signer, check_public_key, verify

KINDS = [FileSigner, VaultKey]


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_comes_back_from_its_file(kind: type[FileSigner | VaultKey], tmp_path: Path) -> None:
    made = kind.create(tmp_path / "key.pem")
    assert kind.load(tmp_path / "key.pem").public_key == made.public_key
    assert len(made.public_key) == 32
    assert kind.create(tmp_path / "other.pem").public_key != made.public_key


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_pkcs8_in_pem_for_its_owner_alone_whatever_the_umask(
    kind: type[FileSigner | VaultKey], tmp_path: Path
) -> None:
    for number, umask in enumerate((0o000, 0o022, 0o777)):
        path = tmp_path / f"{number}.pem"
        before = os.umask(umask)
        try:
            kind.create(path)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_there_is_never_written_over(
    kind: type[FileSigner | VaultKey], tmp_path: Path
) -> None:
    path = write(tmp_path / "key.pem", b"precious")
    with pytest.raises(ConfigurationError, match="never written over"):
        kind.create(path)
    assert path.read_bytes() == b"precious"
    link = tmp_path / "link.pem"
    link.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(ConfigurationError):
        kind.create(link)
    assert not (tmp_path / "elsewhere.pem").exists()


def test_the_folder_is_synced_after_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    FileSigner.create(tmp_path / "key.pem")
    assert synced == [False, True]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o700, 0o601, 0o4600])
def test_a_file_that_others_could_use_is_refused(
    kind: type[FileSigner | VaultKey], mode: int, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    kind.create(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        kind.load(path)
    path.chmod(0o400)
    kind.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_such_key_is_refused_without_being_shown(
    kind: type[FileSigner | VaultKey], tmp_path: Path
) -> None:
    other = FileSigner if kind is VaultKey else VaultKey
    other.create(tmp_path / "other.pem")
    elliptic = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    files = [
        tmp_path / "other.pem",
        write(tmp_path / "elliptic.pem", elliptic),
        write(tmp_path / "locked.pem", locked),
        write(tmp_path / "empty.pem", b""),
        write(tmp_path / "garbage.pem", b"canary" * 10),
        write(tmp_path / "large.pem", b"canary" * 10_000),
        tmp_path / "missing.pem",
        tmp_path / "pipe.pem",
        tmp_path,
    ]
    for file in files:
        with pytest.raises(ConfigurationError) as caught:
            kind.load(file)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_neither_shown_nor_pickled_nor_copied(
    kind: type[FileSigner | VaultKey], tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    key = kind.create(path)
    private = load_pem_private_key(path.read_bytes(), None)
    raw = private.private_bytes_raw()  # type: ignore[union-attr]
    for shown in (repr(key), str(key), f"{key}"):
        assert raw.hex() not in shown
        assert key.public_key.hex() not in shown
        assert key.public_key.hex()[:8] in shown
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            take(key)
    assert not hasattr(key, "__dict__")


def test_a_signer_signs_as_the_ledger_wants_it(tmp_path: Path) -> None:
    signer: Signer = FileSigner.create(tmp_path / "key.pem")
    check_public_key(signer.public_key)
    signature = signer.sign(b"message")
    assert signature == FileSigner.load(tmp_path / "key.pem").sign(b"message")
    assert verify(signer.public_key, signature, b"message")
    assert not verify(signer.public_key, signature, b"another")
