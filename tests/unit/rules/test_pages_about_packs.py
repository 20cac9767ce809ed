"""The page of rule packs is the packs, written out; the page about writing one is true."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.rules.model import parse_pack
from ledger.rules.pages import PAGE, page
from ledger.rules.vectors import run_vectors


def test_the_page_of_packs_says_what_the_packs_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m ledger.rules.pages --write"


def test_the_pack_on_the_page_is_read_and_its_vectors_hold(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "writing-packs.md").read_text("utf-8")
    (pack_text,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (vector_text,) = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    pack = parse_pack(pack_text.encode(), "house-cards.toml")
    path = tmp_path / "house-cards.vectors.json"
    path.write_text(vector_text, "utf-8")

    assert run_vectors(path, lambda _name: [pack]) == []
    assert pack.name == "house-cards@1"


def test_every_key_of_the_language_stands_on_the_page(root: Path) -> None:
    text = (root / "docs" / "writing-packs.md").read_text("utf-8")
    keys: set[str] = set()
    for file in ("model.py", "filters.py"):
        source = (root / "ledger" / "rules" / file).read_text("utf-8")
        keys |= set(
            re.findall(r'\.(?:text|texts|number|flag|table|tables|date|take)\(\s*"(\w+)"', source)
            + re.findall(r'maybe_(?:span|before)\(\w+, "(\w+)"\)', source)
        )

    missing = {key for key in keys if not re.search(rf"(?<!\w){key}(?!\w)", text)}

    assert missing == set()
