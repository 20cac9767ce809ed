"""Private keys in files: for one machine, and for tests. Whoever can read the file can speak for its owner.

A key file is PKCS8 in PEM, not encrypted, readable by its owner alone. Promised: `create` never writes over
a file and returns once the file would survive a power cut; `load` refuses a file that others could have
read; a key is not in a repr, and cannot be pickled or copied. Not promised: protection from root, backups
or a stolen disk; for those, keep the key in a module that never gives it out."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.custody.wrapping import unwrap, wrap
from ledger.errors import ConfigurationError

MODE: Final = 0o600
# A PEM file of one key is under 200 bytes. Anything much larger is another file.
FILE_BYTES_MAX: Final = 16 * 1024


def _write_new(path: Path, pem: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} exists already: a key file is never written over") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be created: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), MODE)
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    # From here the key survives a power cut, and may be used.


def _read(path: Path) -> bytes:
    try:
        # Without waiting: a pipe in the file's place must not hold the process.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be opened: {error.strerror}") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ConfigurationError(f"{path} is not a file")
        if stat.S_IMODE(mode) & ~MODE:
            raise ConfigurationError(
                f"others could use {path}: run `chmod 600 {path}`, and consider a new key"
            )
        data = os.read(descriptor, FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"{path} is too large for a key file")
    return data


class _KeptKey:
    """What both kinds of key refuse: to be shown, pickled or copied."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a private key is neither pickled nor copied")


class FileSigner(_KeptKey):
    """An Ed25519 signing key from a file; a `ledger.kernel.keys.Signer`."""

    __slots__ = ("_private", "_public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_bytes_raw()

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> FileSigner:
        """Makes a new key and its file. ConfigurationError where the file exists or cannot be made."""
        private = Ed25519PrivateKey.generate()
        _write_new(Path(path), private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(private)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FileSigner:
        """Reads the key. ConfigurationError where the file is missing, open to others, or no Ed25519 key."""
        try:
            private = load_pem_private_key(_read(Path(path)), password=None)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{path} is not a key file in PEM without a password") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigurationError(f"{path} holds another kind of key than Ed25519")
        return cls(private)

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"FileSigner(public_key={self._public.hex()[:8]}…)"


class VaultKey(_KeptKey):
    """The X25519 key to which protecting keys are wrapped. Whoever holds it and the vault can read every
    person."""

    __slots__ = ("_private", "_public")

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_bytes_raw()

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> VaultKey:
        """Makes a new key and its file. ConfigurationError where the file exists or cannot be made."""
        private = X25519PrivateKey.generate()
        _write_new(Path(path), private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(private)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> VaultKey:
        """Reads the key. ConfigurationError where the file is missing, open to others, or no X25519 key."""
        try:
            private = load_pem_private_key(_read(Path(path)), password=None)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{path} is not a key file in PEM without a password") from error
        if not isinstance(private, X25519PrivateKey):
            raise ConfigurationError(f"{path} holds another kind of key than X25519")
        return cls(private)

    @property
    def public_key(self) -> bytes:
        """The 32 raw bytes."""
        return self._public

    def open(self, wrapped: bytes, info: bytes) -> bytes:
        """The protecting key, 32 bytes; VaultError where it was not wrapped to this key for this purpose."""
        return unwrap(self._private, wrapped, info)

    def __repr__(self) -> str:
        return f"VaultKey(public_key={self._public.hex()[:8]}…)"


__all__ = ["FileSigner", "VaultKey", "wrap"]
