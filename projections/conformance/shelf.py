"""Where the bytes of adopted packs are found: among those that this release ships, and in a folder of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.kernel.digest import sha256
from ledger.rules.model import shipped, shipped_pack


@dataclass(frozen=True)
class Shelf:
    """A `Resolve` over the shipped packs and the files `<id>@<version>.toml` in `folder` (None: no folder). The bytes
    that it gives have the digest that is asked for."""

    folder: Path | None = None

    def __call__(self, pack: str, version: str, digest: str) -> bytes | None:
        name = f"{pack}@{version}"
        if name in shipped():
            data = shipped_pack(name).data
            if sha256(data).hex() == digest:
                return data
        if self.folder is None or "/" in name:
            return None
        try:
            data = (self.folder / f"{name}.toml").read_bytes()
        except OSError:
            return None
        return data if sha256(data).hex() == digest else None
