"""Forged bundles of groups T and X: times that cannot be, and disclosures of what was never committed to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ledger.kernel import canonical
from ledger.kernel.digest import sha256
from ledger.testing.forge import (
    AUDITOR,
    DAY_US,
    Bends,
    Forge,
    disclosure_line,
)
from ledger.testing.forgery import (
    Album,
    bent,
    cosigned,
    edited,
    golden,
    joined,
    lines,
    member,
    parts,
)
from ledger.testing.story import play


def add(album: Album) -> None:
    _times(album)
    _disclosures(album)


def _times(album: Album) -> None:
    def earlier(event: dict[str, Any], days: int) -> None:
        event["recordedtime"] = canonical.format_time(
            canonical.parse_time(event["recordedtime"]) - days * DAY_US
        )
        event["time"] = event["recordedtime"]

    def later(event: dict[str, Any]) -> None:
        event["recordedtime"] = canonical.format_time(
            canonical.parse_time(event["recordedtime"]) + DAY_US // 24
        )

    def claimed_later(event: dict[str, Any]) -> None:
        event["time"] = canonical.format_time(canonical.parse_time(event["time"]) + DAY_US // 24)

    def back(members: dict[str, Any]) -> None:
        members["sequenced"] = canonical.format_time(canonical.parse_time(members["sequenced"]) - DAY_US)

    skew = "W_CLOCK_SKEW"
    album.add(
        "T01",
        "captured-three-days-before",
        "",
        lambda: bent(event={"stage": partial(earlier, days=3)}),
        expect="VERIFIED",
        warnings=skew,
    )
    album.add(
        "T02",
        "captured-after-it-was-sequenced",
        "",
        lambda: bent(event={"stage": later}),
        expect="VERIFIED",
        warnings=skew,
    )
    album.add(
        "T02",
        "claimed-after-it-was-captured",
        "",
        lambda: bent(event={"stage": claimed_later}),
        expect="VERIFIED",
        warnings=skew,
    )
    album.add("T03", "sequenced-times-run-back", "E_TIME_ORDER", lambda: bent(entry={"stage": back}))
    album.add(
        "T03",
        "seal-sequenced-after-its-cosignatures",
        "E_TIME_BOUND",
        cosigned(("w1", AUDITOR), after_s=-3600),
    )
    for flaw, at, codes, expect in (
        ("reader-in-2001", "2001-01-01T00:00:00.000000Z", "E_TIME_BOUND", "REJECTED"),
        ("reader-in-2099", "2099-01-01T00:00:00.000000Z", "", "VERIFIED"),
    ):
        album.add("T07", flaw, codes, lambda: parts().pack(), expect=expect, at=at)
    album.add(
        "T07", "reader-without-a-spelling", "", lambda: parts().pack(), expect="exit 3", at="2026-03-03"
    )


def _disclosures(album: Album) -> None:
    name = "disclosures.jsonl"

    def opened(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[], bytes]:
        def edit(data: bytes) -> bytes:
            items = [canonical.decode(line) for line in lines(data)]
            changed = change(items)
            return joined([canonical.dumps(item) for item in (items if changed is None else changed)])

        return lambda: edited(name, edit)

    album.add(
        "X02",
        "disclosure-of-another-entry",
        "E_COMMITMENT E_DECRYPT E_LEAF_BINDING",
        opened(lambda items: member("index", items[0]["index"] + 1)(items[0]) and None),
    )
    album.add(
        "X02",
        "disclosure-of-another-field",
        "E_COMMITMENT",
        opened(lambda items: member("disclosure", items[1]["disclosure"])(items[0]) and None),
    )
    album.add(
        "X02",
        "disclosure-of-a-clear-member",
        "E_COMMITMENT",
        opened(lambda items: member("pointer", "/data/medium")(items[0]) and None),
    )
    album.add(
        "X02",
        "disclosure-outside-the-bundle",
        "E_COMMITMENT",
        opened(lambda items: member("index", golden().labels["other"])(items[0]) and None),
    )
    album.add("X03", "short-salt", "E_COMMITMENT", lambda: _made_up(["short", "words", "x"], committed=True))
    album.add(
        "X06",
        "made-up-plaintext",
        "E_COMMITMENT",
        lambda: _made_up(["s" * 22, "words", "I agree to everything"], committed=False),
    )
    album.add(
        "X06", "opened-twice", "E_NONCANONICAL E_SCHEMA", opened(lambda items: [items[0], items[0], items[1]])
    )
    album.add(
        "X07", "nothing-opened", "", lambda: parts(opened=()).pack(), expect="VERIFIED", warnings="W_REDACTED"
    )
    album.add(
        "X07", "claim-of-erasure", "E_SCHEMA", opened(lambda items: member("erased", True)(items[0]) and None)
    )


def _made_up(array: list[str], *, committed: bool) -> bytes:
    """A disclosure of the forger's; `committed` puts its digest into the event, as a forging producer would."""
    text = canonical.b64(canonical.encode_free(array)).replace("+", "-").replace("/", "_").rstrip("=")
    digest = sha256(text.encode()).hex()
    forge = (
        play(Forge(Bends(event={"complaint": member("data.words.digest", digest)})))
        if committed
        else golden()
    )
    taken = forge.parts(opened=())
    line = disclosure_line(forge.labels["complaint"], "/data/words", text)
    return taken.with_file("disclosures.jsonl", line).pack()
