"""A tile store in a directory that any web server can serve as it stands (formats 6).

After a crash at any moment the checkpoint that stands there has all its tiles: they are on the disk before it is.
What was staged beyond it may be missing or torn, and is written again before anything names it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ledger.kernel.tiles import entries_path, tile_path

HASH_BYTES = 32


class DirectoryTiles:
    """Tiles, entry bundles and checkpoint under `path`, named as C2SP tlog-tiles names them."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        self._root = str(self.path)
        self._syncs: list[Future[None]] = []
        self._folders: set[str] = set()
        self._known: set[str] = set()
        self._pool: ThreadPoolExecutor | None = None

    # -- reading ---------------------------------------------------------------------------------------------

    def read_tile(self, level: int, n: int, width: int = 256) -> bytes:
        data = self._read(tile_path(level, n), tile_path(level, n, width), width)
        if len(data) % HASH_BYTES or len(data) < width * HASH_BYTES:
            raise LookupError(f"tile {level}/{n} is {len(data)} bytes, which is not {width} hashes")
        return data[: width * HASH_BYTES]

    def read_entries(self, n: int, width: int = 256) -> bytes:
        return self._read(entries_path(n), entries_path(n, width), width)

    def checkpoint(self) -> bytes | None:
        try:
            return (self.path / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None

    def _read(self, full: str, exact: str, width: int) -> bytes:
        for name in (exact, full):
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                continue
        # A wider partial resource of a later size begins with the same bytes.
        try:
            wider = [int(one.name) for one in (self.path / f"{full}.p").iterdir() if one.name.isdigit()]
            return (self.path / f"{full}.p" / str(min(w for w in wider if w >= width))).read_bytes()
        except (FileNotFoundError, ValueError) as error:
            raise LookupError(f"no {exact} in the tile directory") from error

    # -- writing ---------------------------------------------------------------------------------------------

    def stage(self, files: Mapping[str, bytes]) -> None:
        if self._pool is None:
            # The disk works while the interpreter goes on hashing: flushing holds no lock of Python's.
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="tiles-sync")
        for name, data in files.items():
            target = f"{self._root}/{name}"
            folder = target.rpartition("/")[0]
            if folder not in self._known:
                self._make(folder)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            try:
                _write_all(descriptor, data)
            except OSError:
                os.close(descriptor)
                raise
            self._folders.add(folder)
            self._syncs.append(self._pool.submit(_sync_and_close, descriptor))

    def publish(self, checkpoint: bytes, superseded: Iterable[str] = ()) -> None:
        syncs, self._syncs = self._syncs, []
        for done in syncs:
            done.result()
        folders, self._folders = self._folders, set()
        for folder in sorted(folders):
            _sync_folder(folder)
        # From here every tile of the new checkpoint is on the disk.
        if checkpoint != self.checkpoint():
            temporary = self.path / "checkpoint.new"
            with temporary.open("wb") as file:
                file.write(checkpoint)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path / "checkpoint")
            _sync_folder(self._root)
        for name in superseded:
            partials = f"{self._root}/{name}.p"
            self._known.discard(partials)
            shutil.rmtree(partials, ignore_errors=True)

    def close(self) -> None:
        """Lets go of the flushing thread. What was staged and not published is promised to nobody."""
        pool, self._pool = self._pool, None
        self._syncs = []
        if pool is not None:
            pool.shutdown(wait=True)

    def _make(self, folder: str) -> None:
        path = Path(folder)
        missing = [p for p in (path, *path.parents) if not p.is_dir()]
        path.mkdir(parents=True, exist_ok=True)
        self._folders.update(str(p.parent) for p in missing)
        self._known.add(folder)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
