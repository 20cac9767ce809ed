"""A sequencer's memory across restarts: its state at one sealed size, bound to the checkpoint of that size.

Trusted as far as its owner's disk is: it is written by the sequencer for itself. Damage, another ledger's file, and
one that does not lead to its checkpoint's root and its seal's map root are noticed, and the file is thrown away:
then the log is read from its beginning, which takes longer and comes to the same (formats 4.2)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

NAME = "snapshot"
MAGIC = b"duecourse sequencer snapshot 1\n"
DIGEST_BYTES = 32
LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`cursor` is where the seal stands in the log, which ends what is in here; `submissions` is where those that are
    not in here begin. `checkpoint` is the signed note, `seal` the bytes of the entry before it."""

    origin: str
    cursor: int
    submissions: int
    checkpoint: bytes
    seal: bytes
    acceptance: dict[str, Any]
    orders: dict[tuple[str, int], bytes]
    validation: bytes


def write(directory: Path, snapshot: Snapshot) -> None:
    """Replaces the snapshot in one step; durable on return."""
    head = orjson.dumps(
        {
            "acceptance": snapshot.acceptance,
            "checkpoint": snapshot.checkpoint.decode(),
            "cursor": snapshot.cursor,
            "orders": [[subject, at, digest.hex()] for (subject, at), digest in snapshot.orders.items()],
            "origin": snapshot.origin,
            "seal": snapshot.seal.decode(),
            "submissions": snapshot.submissions,
        }
    )
    parts = (MAGIC, len(head).to_bytes(LENGTH_BYTES, "big"), head, snapshot.validation)
    digest = hashlib.sha256()
    temporary = directory / f"{NAME}.new"
    with temporary.open("wb") as file:
        for part in parts:
            digest.update(part)
            file.write(part)
        file.write(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / NAME)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(directory: Path, origin: str) -> Snapshot | None:
    """The snapshot that lies there, whole and of this origin, or None. Whether it leads to its checkpoint is for
    `recover` to see."""
    try:
        data = (directory / NAME).read_bytes()
    except FileNotFoundError:
        return None
    body, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if not body.startswith(MAGIC) or hashlib.sha256(body).digest() != digest:
        return None
    at = len(MAGIC) + LENGTH_BYTES
    length = int.from_bytes(body[len(MAGIC) : at], "big")
    head = orjson.loads(body[at : at + length])
    if head["origin"] != origin:
        return None
    return Snapshot(
        origin=origin,
        cursor=head["cursor"],
        submissions=head["submissions"],
        checkpoint=head["checkpoint"].encode(),
        seal=head["seal"].encode(),
        acceptance=head["acceptance"],
        orders={(subject, at): bytes.fromhex(digest) for subject, at, digest in head["orders"]},
        validation=body[at + length :],
    )


def discard(directory: Path) -> None:
    """Throws the snapshot away."""
    (directory / NAME).unlink(missing_ok=True)
