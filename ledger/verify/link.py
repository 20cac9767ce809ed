"""Links: proof that the log which a reader remembers is the beginning of the one that a bundle shows.

A link vouches for nothing by itself: both its ends are compared with signed checkpoints, the remembered one and the
bundle's. The file is one canonical JSON value, `{"format", "from", "hashes", "origin", "to"}` (formats 7, 8; rule R14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical, merkle

FORMAT = "duecourse link 1"
# A consistency proof has at most two hashes a level, and a tree no more than 64 levels.
HASHES_MAX = 128
LINK_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """`hashes` lead from the tree of `old` entries to that of `size`."""

    origin: str
    old: int
    size: int
    hashes: tuple[bytes, ...]

    def encode(self) -> bytes:
        return canonical.encode(
            {
                "format": FORMAT,
                "from": self.old,
                "hashes": [item.hex() for item in self.hashes],
                "origin": self.origin,
                "to": self.size,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Link:
        """ConfigurationError for a file that is no link: the reader named it, so the reader must mend it."""
        if len(data) > LINK_BYTES_MAX:
            raise ConfigurationError(f"link file: larger than {LINK_BYTES_MAX} bytes")
        try:
            return _parse(data)
        except Refused as error:
            raise ConfigurationError(f"link file: {error}") from error


def _parse(data: bytes) -> Link:
    value = canonical.decode(data)
    if not isinstance(value, dict) or value.keys() != {"format", "from", "hashes", "origin", "to"}:
        raise Refused("E_SCHEMA", "not exactly the members of a link")
    if value["format"] != FORMAT or not canonical.is_identifier(value["origin"]):
        raise Refused("E_SCHEMA", "not the format of a link")
    old, size = value["from"], value["to"]
    if type(old) is not int or type(size) is not int or not 0 < old <= size:
        raise Refused("E_SCHEMA", "sizes that no consistency proof has")
    return Link(value["origin"], old, size, parse_hashes(value["hashes"]))


def make_link(origin: str, old: int, size: int, node: Callable[[int, int], bytes]) -> bytes:
    """The link file from `old` to `size`, out of a tree whose `node(lo, hi)` is the root over those entries
    (`kernel.tiles.TileTree.node`). Refused E_INDEX where no such proof exists."""
    return Link(origin, old, size, tuple(merkle.consistency_path(node, old, size))).encode()


def parse_hashes(value: object) -> tuple[bytes, ...]:
    """The hashes of a consistency proof out of their JSON form."""
    if not isinstance(value, list) or len(value) > HASHES_MAX:
        raise Refused("E_SCHEMA", f"hashes are a list of at most {HASHES_MAX}")
    return tuple(canonical.unhex(item) for item in value)


def check_shape(old: int, size: int, hashes: Sequence[bytes]) -> None:
    """E_PROOF_SHAPE unless a proof from `old` to `size` has so many hashes: all that can be said of one whose
    beginning nobody remembers."""
    if not 0 < old <= size:
        raise Refused("E_PROOF_SHAPE", f"no consistency proof leads from size {old} to {size}")
    if len(hashes) != len(merkle.consistency_path(lambda _lo, _hi: bytes(32), old, size)):
        raise Refused("E_PROOF_SHAPE", f"another number of hashes than a proof from {old} to {size} has")
