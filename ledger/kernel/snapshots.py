"""The bytes of a validator's state: packed parts behind a JSON head, with a digest over all. Damage is noticed; the
state itself is only as good as whoever wrote it, so compare its roots with a checkpoint and a seal before use.

Source: docs/formats/ 4.2."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import sha256
from sys import byteorder
from typing import Any, Final

import orjson

from ledger.errors import Refused
from ledger.kernel.feeds import Feed

_LABEL: Final = b"duecourse validation dump 1\n"


def pack(head: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    """`head` is JSON; the parts come back from `unpack` in order."""
    written = orjson.dumps({"head": head, "lengths": [len(part) for part in parts]})
    data = b"".join((_LABEL, len(written).to_bytes(8, "little"), written, *parts))
    return data + sha256(data).digest()


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], list[memoryview]]:
    """E_INCOMPLETE for bytes that are damaged or something else."""
    view = memoryview(data)
    at = len(_LABEL) + 8
    if (
        len(view) < at + 32
        or bytes(view[: len(_LABEL)]) != _LABEL
        or sha256(view[:-32]).digest() != view[-32:]
    ):
        raise Refused("E_INCOMPLETE", "the dump is damaged or none")
    length = int.from_bytes(view[len(_LABEL) : at], "little")
    value = orjson.loads(view[at : at + length])
    at += length
    parts: list[memoryview] = []
    for size in value["lengths"]:
        parts.append(view[at : at + size])
        at += size
    return value["head"], parts


def pack_streams(streams: dict[str, tuple[int, bytes, int]]) -> tuple[bytes, bytes, bytes, bytes]:
    """Names, counts, numbers in the map, and last leaves."""
    counts = array("q", [count for count, _, _ in streams.values()])
    numbers = array("q", [number for _, _, number in streams.values()])
    if byteorder != "little":
        counts.byteswap()
        numbers.byteswap()
    leaves = b"".join([leaf for _, leaf, _ in streams.values()])
    return "\n".join(streams).encode(), counts.tobytes(), numbers.tobytes(), leaves


def unpack_streams(
    names: memoryview, counts: memoryview, numbers: memoryview, leaves: memoryview
) -> dict[str, tuple[int, bytes, int]]:
    subjects = bytes(names).decode().split("\n") if len(names) else []
    if len(leaves) != 32 * len(subjects):
        raise ValueError("streams of another number")
    joined = bytes(leaves)
    return {
        subject: (count, joined[at : at + 32], number)
        for subject, count, number, at in zip(
            subjects, _integers(counts), _integers(numbers), range(0, len(joined), 32), strict=True
        )
    }


def _integers(data: memoryview) -> array[int]:
    numbers = array("q")
    numbers.frombytes(data)
    if byteorder != "little":
        numbers.byteswap()
    return numbers


def pack_feeds(feeds: dict[tuple[str, int], Feed]) -> tuple[list[list[Any]], bytes]:
    """Where each feed stands, and all their digests one after the other."""
    heads: list[list[Any]] = []
    digests: list[bytes] = []
    for (producerid, epoch), feed in feeds.items():
        next_seq, first, kept = feed.dump()
        heads.append([producerid, epoch, next_seq, first])
        digests.append(kept)
    return heads, b"".join(digests)


def unpack_feeds(heads: list[list[Any]], digests: memoryview) -> dict[tuple[str, int], Feed]:
    feeds: dict[tuple[str, int], Feed] = {}
    at = 0
    for producerid, epoch, next_seq, first in heads:
        end = at + 32 * (next_seq - first)
        feeds[producerid, epoch] = Feed.load(next_seq, first, digests[at:end])
        at = end
    if at != len(digests):
        raise ValueError("digests of another number")
    return feeds
