"""Forged bundles whose findings, packs or disclosures were touched (promise P29): a house pack judges the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ledger.kernel import bundle, canonical
from ledger.kernel.digest import sha256
from ledger.kernel.disclosure import parse_disclosure
from ledger.rules.proof import Adoption, data_version, document, judge, open_pack, with_opened
from ledger.testing.forge import PACK, Bends, Forge, Parts
from ledger.testing.forgery import Album, json_edit, lines, swap
from ledger.testing.story import play

HOUSE = ("house", "1")
HOUSE_TOML = """\
# House rules for the story of the forged bundles.
[pack]
id = "house"
version = "1"
zone = "Asia/Shanghai"
title = {en = "House rules", zh = "机构规则"}
note = {en = "For forged bundles. This pack is no legal advice.", zh = "仅供伪造证据包测试。本规则包不构成法律意见。"}

[[rule]]
id = "H-1"
kind = "TW"
cite = "House policy 1"
grade = "T"
modality = "policy"
in_force = {from = 2026-01-01}
text.en = "Nobody is called between 22:00 and 08:00."
text.zh = "22:00 至次日 08:00 不得致电。"
on = [{types = ["contact.call_placed"]}]
window = {forbid = ["22:00", "08:00"]}

[[rule]]
id = "H-2"
kind = "ATT"
cite = "House policy 2"
grade = "T"
modality = "must"
in_force = {from = 2026-01-01}
text.en = "Numbers on the list of numbers that must not be used are not added."
text.zh = "不得新增禁用名单上的号码。"
on = [{types = ["party.contact_point_changed"]}]
clause = [{where = [{f = "address", in = ["+86 138 0000 0000"]}], outcome = "FAIL"}]

[[rule]]
id = "H-3"
kind = "RSP"
cite = "House policy 3"
grade = "T"
modality = "policy"
in_force = {from = 2026-01-01}
text.en = "A complaint is resolved within ten business days."
text.zh = "投诉应在十个工作日内处理完毕。"
on = [{types = ["complaint.received"]}]
then = [{types = ["complaint.resolved"], link = {f = "complaint"}}]
within = {n = 10, unit = "business_days", calendar = "CN"}
""".encode()
# The same name, and calls until eleven.
MILD_TOML = HOUSE_TOML.replace(b'"22:00", "08:00"', b'"23:00", "07:00"')
LATER_TOML = HOUSE_TOML.replace(b"[pack]\n", b'[pack]\nformat = "duecourse pack 2"\n')
ODD_TOML = HOUSE_TOML.replace(b"[pack]\n", b'[pack]\nmood = "mild"\n')
ELSEWHERE_TOML = HOUSE_TOML.replace(b"Asia/Shanghai", b"Asia/Atlantis")
OTHER_DATA = "1999z+holidays.0.1"
FINDINGS = "findings.json"

Item = dict[str, Any]


def adopting(pack: bytes, binding: tuple[str, ...] = ("H-1",)) -> Bends:
    """The story in which the house adopts its pack, and one call is made at five past ten at night."""

    def adopted(data: dict[str, Any]) -> None:
        data |= {"binding": list(binding), "from": "2026-01-01T00:00:00.000000Z"}
        data |= {"digest": sha256(pack).hex(), "id": HOUSE[0], "version": HOUSE[1]}

    def at_night(event: dict[str, Any]) -> None:
        event["time"] = "2026-03-01T14:05:00.000000Z"

    return Bends(order={"adopted": adopted}, event={"call-2": at_night})


@lru_cache(maxsize=4)
def house(pack: bytes = HOUSE_TOML) -> Forge:
    """That story. Look, do not touch."""
    return play(Forge(adopting(pack)))


def judged(
    forge: Forge, pack: bytes = HOUSE_TOML, *, read: bytes | None = None, tzdata: str = "", **wanted: Any
) -> Parts:
    """The bundle of the story with `pack` and its findings. `read`: the findings are those of another pack."""
    taken = forge.parts(**wanted).with_file(bundle.pack_name(*PACK), None)
    entries = [canonical.decode(line) for line in lines(taken.files["entries.jsonl"])]
    opened: dict[int, dict[str, Any]] = {}
    for line in map(canonical.decode, lines(taken.files["disclosures.jsonl"])):
        value = parse_disclosure(line["disclosure"], line["pointer"])
        opened.setdefault(line["index"], {})[line["pointer"]] = value
    adoptions = [
        Adoption.from_value(entry["event"]["data"])
        for entry in entries
        if entry["event"]["type"] == "duecourse.ledger.pack_adopted.v1"
    ]
    events = [
        (entry["index"], with_opened(entry["event"], opened.get(entry["index"], {}))) for entry in entries
    ]
    name = "@".join(HOUSE)
    made = judge(events, {name: open_pack(read or pack, name)}, adoptions, as_of=entries[-1]["sequenced"])
    findings = document(made.items(), [(*HOUSE, pack)], tzdata or data_version())
    return taken.with_file(FINDINGS, findings).with_file(bundle.pack_name(*HOUSE), pack)


def _edited(change: Callable[[list[Item]], list[Item] | None], **given: Any) -> Callable[[], bytes]:
    """The judged bundle with its list of findings changed."""

    def edit(value: Mapping[str, Any]) -> Any:
        items = value["findings"]
        changed = change(items)
        return {**value, "findings": items if changed is None else changed}

    def make() -> bytes:
        taken = judged(house(), **given)
        return taken.with_file(FINDINGS, json_edit(edit)(taken.files[FINDINGS])).pack()

    return make


def _breach(items: list[Item]) -> Item:
    """The finding about the call at night."""
    (found,) = (item for item in items if item["outcome"] == "BREACH" and item["rule"] == "house/H-1@1")
    return found


def _changed(**members: Any) -> Callable[[list[Item]], None]:
    def change(items: list[Item]) -> None:
        _breach(items).update(members)

    return change


def _with_pack(pack: bytes, **given: Any) -> Callable[[], bytes]:
    """The judged bundle with other bytes under the pack's name, and findings that name their digest."""
    return lambda: judged(house(), pack, **given).pack()


def _adopted(pack: bytes, **given: Any) -> Callable[[], bytes]:
    """A bundle of the story in which these bytes were adopted; the findings are those of the honest pack."""
    return lambda: judged(house(pack), pack, read=HOUSE_TOML, **given).pack()


def _left_out() -> bytes:
    taken = judged(house()).with_file(bundle.pack_name(*HOUSE), None)
    return taken.with_file(FINDINGS, document([], [], data_version())).pack()


def _digest_edited() -> bytes:
    taken = judged(house())
    change = swap(sha256(HOUSE_TOML).hex().encode(), sha256(MILD_TOML).hex().encode())
    return taken.with_file(FINDINGS, change(taken.files[FINDINGS])).pack()


def _withheld() -> bytes:
    """The disclosure that H-2 rests on is taken out; the findings stay as they were."""
    taken = judged(house())
    return taken.with_file(
        "disclosures.jsonl", judged(house(), opened=("complaint",)).files["disclosures.jsonl"]
    ).pack()


def _not_adopted() -> bytes:
    taken = judged(house())
    name = bundle.pack_name("other", "1")
    data = HOUSE_TOML.replace(b'"house"', b'"other"')
    named = [(*HOUSE, HOUSE_TOML), ("other", "1", data)]
    items = canonical.decode(taken.files[FINDINGS])["findings"]
    return taken.with_file(FINDINGS, document(items, named, data_version())).with_file(name, data).pack()


def add(album: Album) -> None:
    def forged(flaw: str, codes: str, make: Callable[[], bytes], **given: Any) -> None:
        album.add("P29", flaw, codes, make, **given)

    wrong = "E_COMMITMENT"
    forged("findings-made-again", "", lambda: judged(house()).pack(), expect="VERIFIED")
    forged("findings-without-disclosures", "", lambda: judged(house(), opened=()).pack(), expect="VERIFIED")
    forged("breach-called-followed", wrong, _edited(_changed(outcome="PASS")))
    forged("breach-called-advice", wrong, _edited(_changed(outcome="ADVISORY", codes=["not_binding"])))
    forged("finding-about-another-call", wrong, _edited(lambda items: _breach(items).update(event=0)))
    forged("finding-rests-on-less", wrong, _edited(_changed(rests_on=[])))
    forged("finding-with-another-reason", wrong, _edited(_changed(codes=["consent"])))
    forged("finding-of-another-version", wrong, _edited(_changed(rule="house/H-1@2")))
    forged(
        "finding-dropped", wrong, _edited(lambda items: [one for one in items if one is not _breach(items)])
    )
    forged("finding-added", wrong, _edited(lambda items: [*items, {**_breach(items), "rule": "house/H-9@1"}]))
    forged("finding-twice", "E_NONCANONICAL", _edited(lambda items: [items[0], *items]))
    forged("findings-in-another-order", "E_NONCANONICAL", _edited(lambda items: items[::-1]))
    forged("finding-with-an-unknown-member", "E_SCHEMA", _edited(_changed(mood="mild")))
    forged("finding-with-an-outcome-of-its-own", "E_SCHEMA", _edited(_changed(outcome="FINE")))
    forged("all-findings-dropped", wrong, _edited(lambda _items: []))
    forged("pack-swapped-for-a-milder-one", wrong, _with_pack(MILD_TOML))
    forged("pack-with-a-byte-changed", wrong, _with_pack(HOUSE_TOML.replace(b"# House", b"# house")))
    forged("pack-with-another-digest-named", wrong, _digest_edited)
    forged("pack-that-nobody-adopted", "E_KEY_SCOPE", _not_adopted)
    forged("pack-left-out", "", _left_out, expect="VERIFIED", warnings="W_PACK_MISSING")
    forged("disclosure-withheld", wrong, _withheld)
    forged("milder-findings-of-the-adopted-pack", wrong, lambda: judged(house(), read=MILD_TOML).pack())
    undecided = {"expect": "UNVERIFIABLE"}
    forged(
        "other-zone-data-same-findings",
        "",
        lambda: judged(house(), tzdata=OTHER_DATA).pack(),
        expect="VERIFIED",
    )
    forged(
        "other-zone-data-other-findings",
        "E_VERSION",
        lambda: judged(house(), read=MILD_TOML, tzdata=OTHER_DATA).pack(),
        **undecided,
    )
    forged("pack-in-a-later-language", "E_VERSION", _adopted(LATER_TOML), **undecided)
    forged(
        "pack-with-a-zone-of-other-data",
        "E_VERSION",
        _adopted(ELSEWHERE_TOML, tzdata=OTHER_DATA),
        **undecided,
    )
    forged("pack-with-a-zone-that-is-none", "E_SCHEMA", _adopted(ELSEWHERE_TOML))
    forged("pack-with-an-unknown-key", "E_SCHEMA", _adopted(ODD_TOML))
