"""Step 14: what was concluded. Every finding is made again from what was proved: entries, opened fields and the
packs that the registry adopted, byte for byte (formats 8, 9; docs/formats/findings.md; promise P29).

A finding in a bundle is nothing to believe: it is compared. Where something else contradicts already, nothing is
judged, since there is nothing proved to judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import pack_name
from ledger.kernel.digest import sha256
from ledger.rules.proof import (
    KINDS,
    Adoption,
    Judgement,
    data_version,
    document,
    judge,
    open_pack,
    with_opened,
)
from ledger.rules.shapes import OUTCOMES, Pack
from ledger.rules.toml import PackNewer, PackRefused
from ledger.verify import container
from ledger.verify.content import event_of
from ledger.verify.examination import Examination

FINDINGS = "findings.json"
_SINGLE = frozenset({"codes", "event", "outcome", "reading", "rests_on", "rule"})
_GROUP = frozenset({"codes", "events", "outcome", "reading", "rule"})
# Who vouches and how old it is: that changes nothing about what the entries say.
_BESIDE = frozenset({"E_QUORUM", "E_ROLLBACK", "E_STALE"})

Held = tuple[str, str, bytes]


def findings_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(14) The rule packs are those that the registry adopted, byte for byte, and the findings are those that they
    make over the proved entries and the opened fields. Adopted packs that are not there are named."""
    proved = all(problem.code in _BESIDE for problem in x.errors)
    held = list(_held(x))
    packs = _adopted_packs(x, held)
    if proved and len(packs) == len(held):
        x.judgement = _judged(x, packs)
    member = x.members[FINDINGS]
    # Ours to the byte, as they mostly are: then there is nothing in them to be read.
    if x.judgement is None or document(x.judgement.items(), held, data_version()) != member:
        claimed = _claimed(x)
        _named(x, claimed, held)
        if x.judgement is not None:
            _compare(x, x.judgement, claimed)
    if not proved:
        x.leave("unproved")
    _missing(x, held)
    rules = sum(len(pack.rules) for pack in packs.values())
    if not rules:
        x.leave("rules")
        return "packs", {"count": str(len(held))}
    x.leave("leaned_on")
    count = 0 if x.judgement is None else len(x.judgement.findings)
    return "judged", {"count": str(count), "packs": str(len(held)), "rules": str(rules)}


def _held(x: Examination) -> Iterator[Held]:
    """Id, version and bytes of each pack in the bundle, ascending."""
    found = []
    for name, member in x.members.items():
        if name.startswith("packs/"):
            if len(member) > x.limits.pack:
                raise Refused("E_LIMIT", f"{len(member)} bytes are more than {x.limits.pack}", name)
            pack, _, version = name.removeprefix("packs/").removesuffix(".toml").partition("@")
            found.append((pack, version, bytes(member)))
    yield from sorted(found)


def _claimed(x: Examination) -> dict[str, Any]:
    """`findings.json` as a value, with the members of its form."""
    value = container.value(x.members[FINDINGS], x.limits.findings, FINDINGS)
    if not isinstance(value, dict) or value.keys() != {"findings", "packs", "tzdata"}:
        raise Refused("E_SCHEMA", "not exactly findings, packs and tzdata", FINDINGS)
    if not isinstance(value["findings"], list) or not isinstance(value["packs"], list):
        raise Refused("E_SCHEMA", "findings and packs are lists", FINDINGS)
    if not canonical.is_identifier(value["tzdata"]):
        raise Refused("E_SCHEMA", "tzdata is the version of a time zone database", FINDINGS)
    for item in value["findings"]:
        if not _is_finding(item):
            raise Refused("E_SCHEMA", "not the members of a finding", FINDINGS)
    return value


def _is_finding(item: object) -> bool:
    if not isinstance(item, dict) or item.keys() not in (_SINGLE, _GROUP):
        return False
    single = "event" in item
    places = [item["event"], *_list(item["rests_on"])] if single else _list(item["events"])
    return (
        bool(places)
        and all(type(place) is int and place >= 0 for place in places)
        and (not single or isinstance(item["rests_on"], list))
        and isinstance(item["codes"], list)
        and all(canonical.is_identifier(code) for code in item["codes"])
        and item["outcome"] in OUTCOMES
        and item["reading"] in ("corrected", "first", "today")
        and canonical.is_identifier(item["rule"])
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(x: Examination, claimed: Mapping[str, Any], held: list[Held]) -> None:
    """Packs named and packs held are the same, with the same digests."""
    named = [_pack(item) for item in claimed["packs"]]
    if any(one >= two for one, two in pairwise(named)):
        raise Refused("E_SCHEMA", "packs do not ascend by id and version", FINDINGS)
    told = {pack_name(pack, version) for pack, version, _ in named}
    there = {pack_name(pack, version): sha256(data).hex() for pack, version, data in held}
    for name in sorted(there.keys() - told):
        raise Refused("E_EXTRA_FILE", "a pack that the findings do not name", name)
    for name in sorted(told - there.keys()):
        raise Refused("E_MISSING_FILE", "a pack that the findings name", name)
    for pack, version, digest in named:
        name = pack_name(pack, version)
        if there[name] != digest:
            x.error("E_COMMITMENT", "not the digest that the findings name", name)


def _pack(item: object) -> tuple[str, str, str]:
    if not isinstance(item, dict) or item.keys() != {"digest", "id", "version"}:
        raise Refused("E_SCHEMA", "a pack has exactly digest, id and version", FINDINGS)
    if not canonical.is_digest(item["digest"]) or not all(
        canonical.is_identifier(item[k]) for k in ("id", "version")
    ):
        raise Refused("E_SCHEMA", "a member of the pack is not of its kind", FINDINGS)
    return item["id"], item["version"], item["digest"]


def adoptions(x: Examination) -> list[Adoption]:
    """What the registry adopted, in order, up to the seal."""
    return [Adoption.from_value(item) for item in (x.registry.packs if x.registry else ())]


def _adopted_packs(x: Examination, held: list[Held]) -> dict[str, Pack]:
    """Those packs that are the adopted ones, read. Nothing is read of bytes that nobody adopted."""
    adopted = {adoption.name: adoption.digest for adoption in adoptions(x)}
    found: dict[str, Pack] = {}
    for pack_id, version, data in held:
        where = pack_name(pack_id, version)
        name = f"{pack_id}@{version}"
        if name not in adopted:
            x.error("E_VERSION" if x.newer else "E_KEY_SCOPE", "the ledger has not adopted this pack", where)
        elif adopted[name] != sha256(data).hex():
            x.error("E_COMMITMENT", "not the pack that the ledger adopted under this name", where)
        else:
            pack = _read(x, data, where)
            if pack is not None and pack.name != name:
                x.error("E_SCHEMA", "the pack calls itself otherwise", where)
            elif pack is not None:
                found[name] = pack
    return found


def _read(x: Examination, data: bytes, where: str) -> Pack | None:
    try:
        return open_pack(data, where)
    except PackNewer:
        x.error("E_VERSION", "a pack in a later language than this verifier reads", where)
    except PackRefused as error:
        # A zone or a calendar may be newer than those that this verifier has.
        code = "E_SCHEMA" if _claimed(x)["tzdata"] == data_version() else "E_VERSION"
        x.error(code, f"not a pack that this verifier can evaluate: line {error.line}", where)
    return None


def _judged(x: Examination, packs: Mapping[str, Pack]) -> Judgement:
    assert x.seal is not None
    told = events(x) if any(pack.rules for pack in packs.values()) else ()
    return judge(told, packs, adoptions(x), as_of=x.seal.sequenced)


def events(x: Examination) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and event of every entry that is judged, with what was opened in its place."""
    for fact in x.facts:
        if fact.subject.partition("/")[0] in KINDS:
            event = event_of(x, fact)
            opened = x.opened.get(fact.index)
            yield fact.index, with_opened(event, opened) if opened else event


def _compare(x: Examination, made: Judgement, claimed: Mapping[str, Any]) -> None:
    """The findings in the bundle are ours, one for one and in order."""
    ours = made.items()
    theirs = claimed["findings"]
    same_data = claimed["tzdata"] == data_version()
    if theirs == ours:
        if not same_data and made.packs and any(pack.rules for pack in made.packs):
            x.leave("tzdata", theirs=claimed["tzdata"], ours=data_version())
        return
    if not made.findings and not any(pack.rules for pack in made.packs):
        x.error("E_SCHEMA", "findings, and no pack in the bundle holds a rule", FINDINGS)
        return
    wanted = {canonical.dumps(item): item for item in ours}
    given = {canonical.dumps(item): item for item in theirs}
    lost = [item for key, item in wanted.items() if key not in given]
    added = [item for key, item in given.items() if key not in wanted]
    if not same_data:
        x.error(
            "E_VERSION",
            f"{len(lost) + len(added)} findings differ, and they were made with zones and holidays {claimed['tzdata']},"
            f" not {data_version()}",
            FINDINGS,
        )
        return
    for item in lost:
        x.error(
            "E_COMMITMENT", f"the rules say {item['outcome']} here, and the bundle does not", _where(item)
        )
    for item in added:
        x.error("E_COMMITMENT", f"the bundle says {item['outcome']} here, and the rules do not", _where(item))
    if not lost and not added:
        x.error("E_NONCANONICAL", "findings are not in their order, or stand there twice", FINDINGS)


def _where(item: Mapping[str, Any]) -> str:
    place = item["event"] if "event" in item else item["events"][0]
    return f"{FINDINGS} {item['rule']} entry {place}"


def _missing(x: Examination, held: list[Held]) -> None:
    """Names every adopted pack that is not in the bundle: its rules may say what nobody shows."""
    there = {(pack, version, sha256(data).hex()) for pack, version, data in held}
    names = list(
        dict.fromkeys(
            adoption.name
            for adoption in adoptions(x)
            if (adoption.pack, adoption.version, adoption.digest) not in there
        )
    )
    if names:
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        x.warn("W_PACK_MISSING", f"adopted and not in the bundle: {shown}", FINDINGS)
        x.leave("packs", names=shown)
