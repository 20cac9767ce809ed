"""A file that appears under its name whole and durable, or not at all."""

from __future__ import annotations

import contextlib
import gzip
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from ledger.errors import ConfigurationError

_BUFFER: Final = 1 << 20


def check_free(path: Path, *, force: bool) -> None:
    """`ConfigurationError` where something stands at `path` that must not be replaced, or no file can."""
    if path.is_dir():
        raise ConfigurationError(f"{path} is a directory: name a file")
    if path.exists() and not force:
        raise ConfigurationError(f"{path} is there already: choose another name, or give --force")
    if not path.parent.is_dir():
        raise ConfigurationError(f"there is no directory {path.parent}")


@contextlib.contextmanager
def draft(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A name beside `path` to write to. At the end the file goes to the disk and takes its place at once;
    after an error nothing has changed. What a killed process leaves begins with a dot and ends in `.draft`.

    `ConfigurationError` where the file cannot be written, or something stands there and `force` is not
    given."""
    check_free(path, force=force)
    name = path.with_name(f".{path.name}.{secrets.token_hex(6)}.draft")
    try:
        yield name
        _sync(name, os.O_RDWR)
        if force:
            name.replace(path)
        else:
            # A link refuses to replace what somebody else has put there meanwhile.
            os.link(name, path)
        _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already: choose another name, or give --force") from error
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        # What cannot be taken away was not there, or the error on its way says more.
        with contextlib.suppress(OSError):
            name.unlink(missing_ok=True)


@contextlib.contextmanager
def stream(path: Path, *, packed: bool) -> Iterator[BinaryIO]:
    """A new file to write bytes to, packed with gzip if wanted: the same bytes in give the same bytes out."""
    with path.open("xb", buffering=_BUFFER) as raw:
        if packed:
            # Neither the name nor the time of packing goes into the file.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packing:
                yield cast("BinaryIO", packing)
        else:
            yield raw


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
