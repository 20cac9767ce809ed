"""All forged bundles, and the script that writes them: `python -m ledger.testing.forgeries DIRECTORY`.

Each is a golden bundle with one flaw, and is named for the row of the attack catalogue and for its flaw; `index.json`
beside them says which verdict it deserves. The same release writes the same bytes. Whoever writes another verifier can
judge it by them."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from ledger.testing import (
    forged_bytes,
    forged_findings,
    forged_keys,
    forged_times,
    forged_tree,
    forged_witness,
)
from ledger.testing.forgery import Album, Forgery


@cache
def forgeries() -> tuple[Forgery, ...]:
    """Every forgery, in the order of the catalogue. Names are unique."""
    album = Album()
    for group in (forged_bytes, forged_keys, forged_tree, forged_witness, forged_times, forged_findings):
        group.add(album)
    names = [forgery.name for forgery in album.forgeries]
    if len(set(names)) != len(names):
        raise AssertionError("two forgeries have one name")
    return tuple(album.forgeries)


def write(directory: Path) -> int:
    """Writes every forgery with its trust, state and link file into `directory`, and gives their number."""
    directory.mkdir(parents=True, exist_ok=True)
    index: list[dict[str, Any]] = []
    for forgery in forgeries():
        files = {"duecourse": forgery.make(), "trust.toml": forgery.trust()}
        if forgery.state is not None:
            files["state"] = forgery.state()
        if forgery.link is not None:
            files["link"] = forgery.link()
        for ending, data in files.items():
            (directory / f"{forgery.name}.{ending}").write_bytes(data)
        index.append(
            {
                "at": forgery.at,
                "codes": sorted(forgery.codes),
                "expect": forgery.expect,
                "flaw": forgery.flaw,
                "name": forgery.name,
                "row": forgery.row,
                "sha256": hashlib.sha256(files["duecourse"]).hexdigest(),
                "warnings": sorted(forgery.warnings),
            }
        )
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    (directory / "index.json").write_bytes(orjson.dumps(index, option=options))
    return len(index)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m ledger.testing.forgeries DIRECTORY")
    sys.stdout.write(f"{write(Path(sys.argv[1]))} bundles\n")
