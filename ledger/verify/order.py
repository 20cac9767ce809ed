"""Steps 5 to 9: every entry in its one spelling, under the checkpoint, and every stream whole (formats 5, 6, 8, 9)."""

from __future__ import annotations

from typing import Any

from ledger.errors import Refused
from ledger.kernel import headmap, merkle
from ledger.kernel.digest import ZERO, shard_of
from ledger.kernel.entry import Entry, is_ledgers_own
from ledger.kernel.event import LEDGER, event_digest, is_ledger_type, schema_version, short_type, subject_kind
from ledger.kernel.orders import check_shape
from ledger.kernel.registry import check_place
from ledger.verify import container
from ledger.verify.examination import Examination, Fact, listed

ENTRIES = "entries.jsonl"
_SEALED = "duecourse.ledger.sealed.v1"
_FOUNDED = "duecourse.ledger.founded.v1"


def entries_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(5) Every entry is canonical, closed, of this origin, and its payload is what its schema says."""
    assert x.manifest is not None
    origin = x.manifest.origin
    member = x.members[ENTRIES]
    who: dict[tuple[object, ...], dict[str, Any]] = {}
    for number, (offset, line) in enumerate(container.lines(member, x.limits.entry_line, ENTRIES), 1):
        if number > x.limits.entries:
            raise Refused("E_LIMIT", f"more than {x.limits.entries} entries", ENTRIES)
        where = f"{ENTRIES} line {number}"
        try:
            entry = Entry.parse(line)
        except Refused as error:
            raise Refused(error.code, error.detail, f"{where} {error.where}".strip()) from error
        if entry.origin != origin:
            x.error("E_ORIGIN", f"an entry of {entry.origin}", where)
        event = entry.event
        try:
            x.check_schema(event)
        except Refused as error:
            x.refused(error, where)
            x.newer |= error.code == "E_VERSION" and is_ledger_type(event["type"])
        if event["producerid"] == LEDGER:
            x.own_bytes += len(line)
            if x.own_bytes > x.limits.own_entries:
                raise Refused(
                    "E_LIMIT", f"more than {x.limits.own_entries} bytes of the ledger's own entries", where
                )
            x.own[number - 1] = entry
        else:
            x.protected += line.count(b'{"cipher":')
            evidence = event["data"].get("evidence")
            x.evidence_digests += len(evidence) if isinstance(evidence, list) else 0
        x.facts.append(_fact(entry, event, offset, len(line), who))
    return "parsed", {"count": str(len(x.facts))}


def _fact(
    entry: Entry,
    event: dict[str, Any],
    offset: int,
    length: int,
    who: dict[tuple[object, ...], dict[str, Any]],
) -> Fact:
    kind = subject_kind(event["subject"])
    said = (
        event["producerid"],
        event["producerepoch"],
        event["tenantid"],
        event["actorcapacity"],
        event["type"],
        kind,
    )
    speaker = who.get(said)
    if speaker is None:
        names = ("producerid", "producerepoch", "tenantid", "actorcapacity", "type", "subject")
        speaker = who[said] = dict(zip(names, said, strict=True))
    return Fact(
        index=entry.index,
        offset=offset,
        length=length,
        leaf=entry.leaf,
        prev=entry.prev,
        subject=event["subject"],
        stream_seq=entry.stream_seq,
        stream_prev=entry.stream_prev,
        term=entry.term,
        sequenced=entry.sequenced,
        type=speaker["type"],
        event_id=event["id"],
        time=event["time"],
        recorded=event["recordedtime"],
        feed=(speaker["producerid"], event["producerepoch"]),
        seq=int(event["producerseq"]),
        feed_prev=bytes.fromhex(event["producerprev"]),
        expected=event.get("expectedversion"),
        digest=event_digest(entry.event_raw),
        proof=entry.proof,
        who=speaker,
    )


def inclusion_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(6) The leaf hash of every entry is made from its bytes; one compact proof leads from all of them to the root."""
    hashes = container.hashes(x.members["inclusion.json"], "inclusion.json")
    checkpoint = x.checkpoint
    assert checkpoint is not None
    leaves = [(fact.index, fact.leaf) for fact in x.facts]
    if merkle.root_from_compact(checkpoint.size, leaves, hashes) != checkpoint.root:
        raise Refused("E_INCLUSION", "these entries and hashes lead to another root than the checkpoint's")
    return "included", {"count": str(len(leaves)), "size": str(checkpoint.size)}


def seal_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(7) The last entry is the seal at the end of the tree, made by the log key for this place; it names the root of
    the head map."""
    assert x.manifest is not None
    assert x.log_key is not None
    last = x.facts[-1] if x.facts else None
    if last is None or last.index != x.manifest.tree_size - 1 or last.subject != "seal":
        raise Refused("E_INCOMPLETE", "the last entry is not the seal at the end of the tree", ENTRIES)
    entry = x.own.get(len(x.facts) - 1)
    if entry is None or not is_ledgers_own(entry.event) or last.proof.key != x.log_key.public_key:
        raise Refused("E_KEY_SCOPE", "the seal is not made by the ledger under its log key", last.place)
    if last.type != _SEALED:
        raise Refused("E_VERSION", f"a seal of type {last.type}", last.place)
    data = entry.event["data"]
    check_shape("ledger.sealed", data)
    if data["prev"] != last.prev.hex():
        raise Refused("E_CHAIN_BREAK", "the seal was made for another place", last.place)
    if last.feed[1] != last.term or last.recorded != last.sequenced or last.proof.size != 1:
        raise Refused("E_CONTEXT", "term, time or flush of the seal are not those of its place", last.place)
    x.flushes.verify(last.proof, last.digest, x.manifest.origin, LEDGER)
    x.seal = last
    x.map_root = bytes.fromhex(data["root"])
    return "sealed", {"time": last.sequenced}


def streams_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(8) Every stream of the statement runs from its first entry to the one that the seal's map names, without a
    hole; no entry stands outside of them; `registry` and every producer who speaks are among them."""
    assert x.manifest is not None
    _required(x)
    by_stream: dict[str, list[Fact]] = {name: [] for name, _ in x.manifest.streams}
    before: Fact | None = None
    for fact in x.facts:
        if fact.subject in by_stream:
            by_stream[fact.subject].append(fact)
        elif fact is not x.seal:
            x.error(
                "E_CASE_MISMATCH", f"an entry of {fact.subject}, which is not in the statement", fact.place
            )
        if before is not None and before.index + 1 == fact.index and fact.prev != before.leaf:
            x.error("E_CHAIN_BREAK", "does not name the entry before it", fact.place)
        if before is not None and fact.term < before.term:
            x.error("E_CHAIN_BREAK", f"term {fact.term} comes after term {before.term}", fact.place)
        before = fact
    if x.facts and x.facts[0].index == 0 and x.facts[0].prev != ZERO:
        x.error("E_CHAIN_BREAK", "the first entry names one before it", x.facts[0].place)
    for name, facts in by_stream.items():
        _chain(x, name, facts)
    if x.seal is not None:
        _heads(x, by_stream)
    return "whole", {"count": str(len(by_stream))}


def _required(x: Examination) -> None:
    assert x.manifest is not None
    held = {name for name, _ in x.manifest.streams}
    producers = {fact.feed[0] for fact in x.facts} - {LEDGER}
    for name in ["registry", *(f"producer/{producer}" for producer in sorted(producers))]:
        if name not in held:
            x.error("E_INCOMPLETE", "a stream that the entries need is not in the statement", name)


def _chain(x: Examination, name: str, facts: list[Fact]) -> None:
    """One stream: seq from 0 without a hole, each entry naming the leaf of the one before."""
    expected, head = 0, ZERO
    for fact in facts:
        if fact.stream_seq != expected:
            code = "E_CHAIN_FORK" if fact.stream_seq < expected else "E_CHAIN_GAP"
            x.error(code, f"place {fact.stream_seq} of {name}, expected {expected}", fact.place)
        elif fact.stream_prev != head:
            x.error("E_CHAIN_BREAK", f"does not name the entry before it in {name}", fact.place)
        if fact.expected is not None and int(fact.expected) != fact.stream_seq:
            x.error("E_CONTEXT", f"made for place {int(fact.expected)} of {name}", fact.place)
        expected, head = fact.stream_seq + 1, fact.leaf


def _heads(x: Examination, by_stream: dict[str, list[Fact]]) -> None:
    """The map under the seal names each stream's count and last entry, so nothing was cut off its end."""
    assert x.manifest is not None
    where = "heads.json"
    value = container.value(x.members[where], x.limits.heads, where)
    if not isinstance(value, dict) or value.keys() != {"heads"} or not isinstance(value["heads"], list):
        raise Refused("E_SCHEMA", "not exactly a list of proofs", where)
    if len(value["heads"]) != len(x.manifest.streams):
        raise Refused("E_INCOMPLETE", "not one proof for each stream of the statement", where)
    for (name, count), proof in zip(x.manifest.streams, value["heads"], strict=True):
        try:
            _head(x, name, count, by_stream[name], proof)
        except Refused as error:
            x.error(error.code, error.detail, f"{where} {name}")


def _head(x: Examination, name: str, count: int, facts: list[Fact], proof: object) -> None:
    if not isinstance(proof, dict):
        raise Refused("E_SCHEMA", "a proof is an object")
    if len(facts) != count:
        raise Refused("E_INCOMPLETE", f"{len(facts)} entries, and the statement says {count}")
    key = headmap.stream_key(name)
    if not count:
        root = headmap.root_from_absence(key, proof)
    elif proof.keys() == {"steps"}:
        value = headmap.head_value(count, facts[-1].leaf)
        root = headmap.root_from_presence(key, value, headmap.parse_steps(proof["steps"]))
    else:
        raise Refused("E_SCHEMA", "a proof of presence has exactly its steps")
    if root != x.map_root:
        raise Refused("E_TRUNCATED", "the seal's map has another head for this stream")


def shard_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(9) The case is one of this shard's: the first 8 bytes of its digest, modulo the number of shards."""
    assert x.manifest is not None
    entry = x.own.get(0)
    if entry is None or entry.index != 0 or entry.subject != "registry":
        raise Refused("E_INCOMPLETE", "the bundle does not begin with the founding entry", ENTRIES)
    check_place(short_type(entry.event["type"]), schema_version(entry.event["type"]), "registry")
    if entry.event["type"] != _FOUNDED:
        raise Refused("E_INCOMPLETE", "the bundle does not begin with the founding entry", ENTRIES)
    data = entry.event["data"]
    check_shape(short_type(_FOUNDED), data)
    case, shard, shards = x.manifest.streams[0][0], data["shard"], data["shards"]
    if f"{data['name']}/{shard}" != x.manifest.origin:
        x.error("E_ORIGIN", f"founded as {data['name']}/{shard}", "entry 0")
    if shard_of(case, shards) != shard:
        x.error("E_CASE_MISMATCH", f"the case belongs to shard {shard_of(case, shards)} of {shards}", case)
    strangers = [
        fact.index for fact in x.facts if subject_kind(fact.subject) == "case" and fact.subject != case
    ]
    if strangers:
        x.error("E_CASE_MISMATCH", "entries of another case", listed(strangers))
    return "placed", {"shard": str(shard), "shards": str(shards)}
