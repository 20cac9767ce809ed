"""Steps 13 to 15: what was opened, what was concluded, and what remains unsaid (formats 2.1, 8, 9; rule R22)."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from typing import Any

import orjson

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import pack_name
from ledger.kernel.digest import sha256
from ledger.kernel.disclosure import Protected, disclosure_digest, parse_disclosure
from ledger.verify import container
from ledger.verify.examination import Examination, Fact

DISCLOSURES = "disclosures.jsonl"
FINDINGS = "findings.json"
_POINTER = re.compile(r"/data(?:/[a-z0-9_]{1,100}){1,30}")
_PLACE = re.compile(r"0|[1-9][0-9]{0,4}")


def event_of(x: Examination, fact: Fact) -> dict[str, Any]:
    """The event of an entry, read again from the bytes that were proved."""
    view = x.members["entries.jsonl"]
    event: dict[str, Any] = orjson.loads(view[fact.offset : fact.offset + fact.length])["event"]
    return event


def disclosures_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(13) Every opened field is the one that its entry committed to; each is opened once, in order."""
    opener = _Opener(x)
    member = x.members[DISCLOSURES]
    for number, (_, line) in enumerate(container.lines(member, x.limits.disclosure_line, DISCLOSURES), 1):
        if number > x.limits.disclosures:
            raise Refused("E_LIMIT", f"more than {x.limits.disclosures} disclosures", DISCLOSURES)
        try:
            opener.open(line)
        except Refused as error:
            x.error(error.code, error.detail, f"{DISCLOSURES} line {number} {error.where}".strip())
            if error.code not in ("E_COMMITMENT", "E_SCHEMA"):
                break
    count = sum(len(fields) for fields in x.opened.values())
    closed = x.protected - count
    if closed > 0:
        x.warn("W_REDACTED", f"{closed} of {x.protected} protected fields are not opened", DISCLOSURES)
    return "opened", {"opened": str(count), "closed": str(closed)}


class _Opener:
    """Opens fields one after the other; an event is read once for all of its own."""

    def __init__(self, x: Examination) -> None:
        self._x = x
        self._by_index = {fact.index: fact for fact in x.facts}
        self._before = (-1, "")
        self._event: dict[str, Any] = {}

    def open(self, line: bytes) -> None:
        index, pointer, disclosure = _line(line)
        if (index, pointer) <= self._before:
            raise Refused("E_NONCANONICAL", "disclosures do not ascend by entry and pointer")
        fact = self._by_index.get(index)
        if fact is None:
            raise Refused("E_COMMITMENT", f"entry {index} is not in the bundle")
        if index != self._before[0]:
            self._event = event_of(self._x, fact)
        self._before = (index, pointer)
        # The digest first: nothing of a disclosure is looked at that the entry did not commit to.
        if disclosure_digest(disclosure) != _field(self._event, pointer).digest:
            raise Refused("E_COMMITMENT", "not the value that the entry committed to")
        self._x.opened.setdefault(index, {})[pointer] = parse_disclosure(disclosure, pointer)


def _line(line: bytes) -> tuple[int, str, str]:
    value = canonical.decode(line)
    if not isinstance(value, dict) or value.keys() != {"disclosure", "index", "pointer"}:
        raise Refused("E_SCHEMA", "a disclosure has exactly disclosure, index and pointer")
    index, pointer, disclosure = value["index"], value["pointer"], value["disclosure"]
    if type(index) is not int or index < 0 or not isinstance(pointer, str) or not isinstance(disclosure, str):
        raise Refused("E_SCHEMA", "a member of the disclosure is not of its kind")
    if _POINTER.fullmatch(pointer) is None:
        raise Refused("E_SCHEMA", "not a pointer to a field of a payload")
    return index, pointer, disclosure


def _field(event: dict[str, Any], pointer: str) -> Protected:
    """The protected field at a pointer; E_COMMITMENT where none stands there."""
    value: Any = event
    for token in pointer.split("/")[1:]:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and _PLACE.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise Refused("E_COMMITMENT", "no such field in the entry")
    try:
        return Protected.from_value(value)
    except Refused as error:
        raise Refused("E_COMMITMENT", "the field is not a protected one") from error


def findings_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(14) The rule packs are those that the registry adopted, byte for byte. This verifier evaluates no rule: it
    accepts packs that hold none, and then there can be no finding."""
    value = container.value(x.members[FINDINGS], x.limits.findings, FINDINGS)
    if not isinstance(value, dict) or value.keys() != {"findings", "packs", "tzdata"}:
        raise Refused("E_SCHEMA", "not exactly findings, packs and tzdata", FINDINGS)
    if not isinstance(value["findings"], list) or not isinstance(value["packs"], list):
        raise Refused("E_SCHEMA", "findings and packs are lists", FINDINGS)
    if not canonical.is_identifier(value["tzdata"]):
        raise Refused("E_SCHEMA", "tzdata is the version of a time zone database", FINDINGS)
    packs = [_pack(item) for item in value["packs"]]
    if any(one >= two for one, two in pairwise(packs)):
        raise Refused("E_SCHEMA", "packs do not ascend by id and version", FINDINGS)
    _same_packs(x, packs)
    rules = [_judge_pack(x, *pack) for pack in packs]
    if value["findings"]:
        if any(rules):
            x.error("E_VERSION", "findings that this verifier cannot make again", FINDINGS)
        else:
            x.error("E_SCHEMA", "findings, and no pack in the bundle holds a rule", FINDINGS)
    _missing_packs(x, packs)
    x.leave("rules")
    return "packs", {"count": str(len(packs))}


def _pack(item: object) -> tuple[str, str, str]:
    if not isinstance(item, dict) or item.keys() != {"digest", "id", "version"}:
        raise Refused("E_SCHEMA", "a pack has exactly digest, id and version", FINDINGS)
    if not canonical.is_digest(item["digest"]) or not all(
        canonical.is_identifier(item[k]) for k in ("id", "version")
    ):
        raise Refused("E_SCHEMA", "a member of the pack is not of its kind", FINDINGS)
    return item["id"], item["version"], item["digest"]


def _same_packs(x: Examination, packs: list[tuple[str, str, str]]) -> None:
    """Packs named and packs held are the same."""
    named = {pack_name(pack_id, version) for pack_id, version, _ in packs}
    held = {name for name in x.members if name.startswith("packs/")}
    for name in sorted(held - named):
        raise Refused("E_EXTRA_FILE", "a pack that the findings do not name", name)
    for name in sorted(named - held):
        raise Refused("E_MISSING_FILE", "a pack that the findings name", name)


def _judge_pack(x: Examination, pack_id: str, version: str, digest: str) -> bool:
    """Is the pack the adopted one? True where it holds rules, which only a newer verifier can evaluate."""
    where = pack_name(pack_id, version)
    member = x.members[where]
    if len(member) > x.limits.pack:
        raise Refused("E_LIMIT", f"{len(member)} bytes are more than {x.limits.pack}", where)
    data = bytes(member)
    if sha256(data).hex() != digest:
        x.error("E_COMMITMENT", "not the digest that the findings name", where)
        return False
    adopted = {
        (pack["id"], pack["version"]): pack["digest"] for pack in (x.registry.packs if x.registry else ())
    }
    if (pack_id, version) not in adopted:
        x.error("E_VERSION" if x.newer else "E_KEY_SCOPE", "the ledger has not adopted this pack", where)
    elif adopted[pack_id, version] != digest:
        x.error("E_COMMITMENT", "not the pack that the ledger adopted under this name", where)
    try:
        table = tomllib.loads(data.decode("utf-8", "strict"))
    except (ValueError, RecursionError) as error:
        raise Refused("E_SCHEMA", "a pack is TOML in UTF-8", where) from error
    if table.get("id") != pack_id or table.get("version") != version:
        x.error("E_SCHEMA", "the pack calls itself otherwise", where)
    if table.keys() - {"id", "version"}:
        x.error("E_VERSION", "a pack that holds more than a name: this verifier evaluates no rules", where)
        return True
    return False


def _missing_packs(x: Examination, packs: list[tuple[str, str, str]]) -> None:
    held = {(pack_id, version) for pack_id, version, _ in packs}
    names = [
        f"{pack['id']}@{pack['version']}"
        for pack in (x.registry.packs if x.registry else ())
        if (pack["id"], pack["version"]) not in held
    ]
    if names:
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        x.warn("W_PACK_MISSING", f"adopted and not in the bundle: {shown}", FINDINGS)
        x.leave("packs", names=shown)


def not_checked_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(15) What was not checked, and why: as much a part of the verdict as the rest."""
    x.leave("feeds")
    x.leave("other_streams")
    x.leave("other_shards")
    if x.seal is not None:
        x.leave("later", sealed=x.seal.sequenced)
    if x.state is None:
        x.leave("memory")
    if x.trust.policy.quorum is None:
        x.leave("witnesses")
    if not x.trust.auditors:
        x.leave("auditors")
    closed = x.protected - sum(len(fields) for fields in x.opened.values())
    if closed > 0:
        x.leave("closed_fields", count=str(closed))
    if x.protected:
        x.leave("cipher")
    if x.evidence_digests:
        x.leave("evidence", count=str(x.evidence_digests))
    return "listed", {"count": str(len(x.unchecked))}
