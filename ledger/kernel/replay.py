"""An auditor's replay of a published log: every entry of a tlog-tiles directory, validated from the first.
Who gets a `Validation` back may cosign the checkpoint as far as the log itself goes.

Source: docs/formats/ 4.2, 5, 6; C2SP tlog-tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.errors import Refused
from ledger.kernel.checkpoint import Checkpoint, open_statement
from ledger.kernel.digest import leaf_hash
from ledger.kernel.entry import SEAL, Entry
from ledger.kernel.merkle import Frontier, tree_root
from ledger.kernel.note import VerifierKey
from ledger.kernel.submission import CheckSchema
from ledger.kernel.tiles import (
    TILE_WIDTH,
    bundles_of,
    entries_path,
    tile_path,
    tile_width,
    unpack_entries,
)
from ledger.kernel.validation import Validation

# The bytes of a resource by its name, or None where there is none.
Read = Callable[[str], bytes | None]


def read_checkpoint(read: Read, log_key: VerifierKey) -> Checkpoint:
    """The directory's checkpoint, signed by the log."""
    data = read("checkpoint")
    if data is None:
        raise Refused("E_MISSING_FILE", "there is no checkpoint", "checkpoint")
    return open_statement(data, log_key, Checkpoint)


def _resource(read: Read, path: str, full: str) -> bytes:
    data = read(path)
    if data is None and full != path:
        # A partial resource may have been dropped in favour of the full one.
        data = read(full)
    if data is None:
        raise Refused("E_MISSING_FILE", "a resource of the log is missing", path)
    return data


def entries_of(read: Read, size: int) -> Iterator[bytes]:
    """The bytes of every entry below `size`, in order."""
    for n, width in bundles_of(size):
        path = entries_path(n, width)
        entries = unpack_entries(_resource(read, path, entries_path(n)))
        if len(entries) < width:
            raise Refused("E_MISSING_FILE", f"{len(entries)} entries in a bundle of {width}", path)
        yield from entries[:width]


def check_tree(read: Read, checkpoint: Checkpoint) -> None:
    """Entries, hash tiles and checkpoint agree, every hash made again from the entries' bytes: E_INCLUSION,
    E_MISSING_FILE."""
    frontier = Frontier()
    levels: list[list[bytes]] = [[]]
    written = [0]

    def close(level: int, hashes: list[bytes]) -> None:
        n = written[level]
        written[level] += 1
        path = tile_path(level, n, len(hashes))
        if _resource(read, path, tile_path(level, n))[: 32 * len(hashes)] != b"".join(hashes):
            raise Refused("E_INCLUSION", "a hash tile is not made of the entries below it", path)

    def add(level: int, item: bytes) -> None:
        if level == len(levels):
            levels.append([])
            written.append(0)
        levels[level].append(item)
        if len(levels[level]) == TILE_WIDTH:
            close(level, levels[level])
            root = tree_root(levels[level])
            levels[level] = []
            add(level + 1, root)

    for raw in entries_of(read, checkpoint.size):
        leaf = leaf_hash(raw)
        frontier.append(leaf)
        add(0, leaf)
    if frontier.root() != checkpoint.root:
        raise Refused("E_INCLUSION", "the entries do not give the checkpoint's root", "checkpoint")
    for level, hashes in enumerate(levels):
        if hashes:
            assert tile_width(checkpoint.size, level, written[level]) == len(hashes)
            close(level, hashes)


def replay_tiles(
    read: Read,
    log_key: VerifierKey,
    check_schema: CheckSchema,
    *,
    registrars: frozenset[str] = frozenset(),
) -> tuple[Checkpoint, Validation]:
    """Checks the whole directory. Refused with the code of the first thing that is wrong. `registrars`: hex keys
    that the founding has to name, exactly, if there are any."""
    checkpoint = read_checkpoint(read, log_key)
    check_tree(read, checkpoint)
    validation = Validation(log_key.name, log_key, check_schema)
    last: Entry | None = None
    for raw in entries_of(read, checkpoint.size):
        last = Entry.parse(raw)
        validation.apply(last)
        if last.subject == SEAL:
            validation.settle(validation.next_index)
    if last is None or last.subject != SEAL:
        raise Refused("E_INCOMPLETE", "the checkpoint does not end in a seal", "checkpoint")
    founded = validation.registry.founded
    if registrars and (founded is None or {item["key"] for item in founded["registrars"]} != registrars):
        raise Refused("E_KEY_UNKNOWN", "founded by other registrars than those that are trusted")
    return checkpoint, validation
