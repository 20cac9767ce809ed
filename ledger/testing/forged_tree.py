"""Forged bundles of group M: chains with holes, proofs that lie, streams cut off at the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ledger.kernel import canonical, headmap, merkle
from ledger.kernel.digest import sha256
from ledger.testing.forge import (
    ABSENT_CASE,
    AUDITOR,
    CASE,
    FOREIGN_CASE,
    OTHER_CASE,
    Bends,
    Forge,
    Parts,
    hash_list,
    trust_file,
)
from ledger.testing.forgery import (
    Album,
    bent,
    edited,
    golden,
    joined,
    json_edit,
    lines,
    member,
    parts,
    swap,
)
from ledger.testing.story import play

ENTRIES = "entries.jsonl"
UNDECIDED = "UNVERIFIABLE"


def add(album: Album) -> None:
    _chains(album)
    _proofs(album)
    _completeness(album)


def _without_lines(*labels: str) -> Parts:
    """The golden bundle without these entries, its inclusion proof made to fit."""
    forge = golden()
    gone = {forge.labels[label] for label in labels}
    return _only(parts(), lambda at: at not in gone)


def _only(taken: Parts, keep: Callable[[int], bool]) -> Parts:
    forge = golden()
    places = [canonical.decode(line)["index"] for line in lines(taken.files[ENTRIES])]
    kept = [at for at in places if keep(at)]
    proof = merkle.compact_proof(taken.tree_size, kept, lambda lo, hi: merkle.tree_root(forge.leaves[lo:hi]))
    taken = taken.with_file(ENTRIES, joined([forge.entries[at] for at in kept]))
    return taken.with_file("inclusion.json", hash_list(proof))


def _count(taken: Parts, stream: str, less: int) -> Parts:
    taken.streams = [(name, count - less if name == stream else count) for name, count in taken.streams]
    return taken


def _chains(album: Album) -> None:
    case = "E_CHAIN_BREAK E_CHAIN_GAP"
    album.add("M01", "middle-entry-left-out", case, lambda: _count(_without_lines("call-2"), CASE, 1).pack())
    album.add(
        "M02",
        "first-entry-left-out",
        "E_CHAIN_GAP",
        lambda: _count(_without_lines("registered"), CASE, 1).pack(),
    )
    album.add(
        "M03",
        "last-two-left-out",
        "E_INCOMPLETE E_TRUNCATED",
        lambda: _count(_without_lines("call-5", "stage"), CASE, 2).pack(),
    )
    album.add(
        "M03", "last-left-out-count-kept", "E_INCOMPLETE E_TRUNCATED", lambda: _without_lines("stage").pack()
    )
    album.add("M06", "two-entries-swapped", "E_CHAIN_BREAK E_INDEX", lambda: edited(ENTRIES, _swapped))
    album.add(
        "M07", "one-entry-again-at-the-end", "E_DUP_EVENT E_INCLUSION", lambda: bent(then={"stage": _again})
    )
    album.add(
        "M07",
        "one-entry-again-unproved",
        "E_CHAIN_FORK E_INDEX",
        lambda: edited(ENTRIES, lambda data: joined([*lines(data)[:-1], *lines(data)[-2:]])),
    )
    album.add("M08", "entry-of-another-case", "E_CASE_MISMATCH", _another_case)
    album.add(
        "M12", "index-beyond-the-tree", "E_INDEX", lambda: bent(entry={"seal": member("index", 10_000)})
    )
    album.add(
        "M12", "index-below-zero", "E_INDEX E_SCHEMA", lambda: bent(entry={"call-1": member("index", -1)})
    )
    album.add("M12", "size-zero", "E_INDEX E_SCHEMA", _size_zero)
    album.add(
        "M16",
        "leaf-hash-supplied",
        "E_LEAF_BINDING E_SCHEMA",
        lambda: edited(ENTRIES, swap(b',"origin"', b',"leaf_hash":"' + b"0" * 64 + b'","origin"')),
    )
    album.add(
        "M17",
        "one-place-of-the-case-taken-twice",
        "E_CHAIN_FORK",
        lambda: bent(entry={"call-3": _same_place}),
    )
    album.add(
        "M18", "indexes-fall", "E_CHAIN_BREAK E_INDEX", lambda: bent(entry={"call-3": member("index", 3)})
    )
    album.add("M21", "dead-record-as-an-entry", "E_CHAIN_FORK E_INCLUSION", _dead_record)
    album.add(
        "M23",
        "number-skipped-behind-an-unopened-epoch",
        "E_PRODUCER_GAP",
        lambda: bent(order={"epoch": member("epoch", 2)}),
    )
    album.add(
        "M23",
        "feed-goes-back",
        "E_DUP_EVENT E_PRODUCER_GAP",
        lambda: bent(event={"call-3": member("producerseq", f"{0:020d}")}),
    )
    album.add(
        "M23",
        "feed-names-another-event",
        "E_CHAIN_BREAK E_PRODUCER_GAP",
        lambda: bent(event={"call-3": member("producerprev", "7" * 64)}),
    )


def _swapped(data: bytes) -> bytes:
    items = lines(data)
    items[7], items[8] = items[8], items[7]
    return joined(items)


def _again(forge: Forge) -> None:
    entry = canonical.decode(forge.entries[forge.labels["call-1"]])
    forge.append("again", canonical.dumps(entry["event"]), canonical.dumps(entry["proof"]))


def _same_place(members: dict[str, Any]) -> None:
    members["stream_seq"] -= 1


def _another_case() -> bytes:
    forge, taken = golden(), parts()
    places = [canonical.decode(line)["index"] for line in lines(taken.files[ENTRIES])]
    places = sorted({*places, forge.labels["other"]})
    proof = merkle.compact_proof(
        taken.tree_size, places, lambda lo, hi: merkle.tree_root(forge.leaves[lo:hi])
    )
    taken = taken.with_file(ENTRIES, joined([forge.entries[at] for at in places]))
    return taken.with_file("inclusion.json", hash_list(proof)).pack()


def _size_zero() -> bytes:
    taken = parts()
    taken.tree_size = 0
    return taken.pack()


def _dead_record() -> bytes:
    """An entry of a sequencer whose term was over stands in the place of the one that counts."""
    zombie = play(Forge(Bends(event={"stage": member("data.stage", "litigation")})))
    line = zombie.entries[zombie.labels["stage"]]
    return edited(ENTRIES, lambda data: joined([*lines(data)[:-2], line, lines(data)[-1]]))


def _proofs(album: Album) -> None:
    def hashes(change: Callable[[list[str]], Any]) -> Callable[[], bytes]:
        return lambda: edited("inclusion.json", json_edit(lambda value: change(value["hashes"]) and None))

    album.add("M10", "proof-of-another-set", "E_INCLUSION E_INDEX E_PROOF_SHAPE", _proof_of_another)
    album.add(
        "M11", "one-hash-too-many", "E_INCLUSION E_PROOF_SHAPE", hashes(lambda items: items.append("0" * 64))
    )
    album.add("M11", "one-hash-missing", "E_INCLUSION E_PROOF_SHAPE", hashes(lambda items: items.pop()))
    album.add(
        "M11",
        "hashes-reordered",
        "E_INCLUSION E_PROOF_SHAPE",
        lambda: edited("inclusion.json", json_edit(lambda value: value["hashes"].reverse())),
    )
    album.add("M15", "odd-node-doubled", "E_INCLUSION", _doubled)


def _proof_of_another() -> bytes:
    forge, taken = golden(), parts()
    places = [canonical.decode(line)["index"] for line in lines(taken.files[ENTRIES])]
    other = sorted({*places, forge.labels["other"]} - {forge.labels["registered"]})
    proof = merkle.compact_proof(taken.tree_size, other, lambda lo, hi: merkle.tree_root(forge.leaves[lo:hi]))
    return taken.with_file("inclusion.json", hash_list(proof)).pack()


def _doubled() -> bytes:
    """A tree in which a last node without a sibling is hashed with itself, signed by everybody."""
    forge = golden()
    level = list(forge.leaves)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256(b"\1" + level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return forge.parts(checkpoint=forge.checkpoint(len(forge.leaves), root=level[0])).pack()


def _completeness(album: Album) -> None:
    heads = "heads.json"

    def proofs(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[], bytes]:
        return lambda: edited(heads, json_edit(lambda value: change(value["heads"]) and None))

    album.add(
        "M04",
        "last-left-out-with-its-proof",
        "E_INCOMPLETE E_MISSING_FILE E_SCHEMA E_TRUNCATED",
        lambda: _count(_without_lines("stage"), CASE, 1).with_file(heads, None).pack(),
    )
    album.add(
        "M04",
        "no-proof-for-the-case",
        "E_INCOMPLETE E_SCHEMA E_TRUNCATED",
        proofs(lambda items: items.pop(0)),
    )
    first = golden().labels["seal-1"] + 1
    album.add("M05", "genuine-older-bundle", "", lambda: parts(size=first).pack(), expect="VERIFIED")
    aged = partial(trust_file, max_age_s=3600)
    album.add(
        "M05",
        "genuine-older-bundle-too-old",
        "E_STALE",
        lambda: parts(size=first).pack(),
        expect=UNDECIDED,
        trust=aged,
        at="2026-03-04T00:00:00.000000Z",
    )
    album.add(
        "M19",
        "proof-of-another-case",
        "E_CASE_MISMATCH E_INCOMPLETE E_TRUNCATED",
        lambda: edited(heads, json_edit(_others_proof)),
    )
    album.add(
        "M19",
        "wrong-bit-in-a-step",
        "E_INCOMPLETE E_PROOF_SHAPE E_TRUNCATED",
        lambda: edited(heads, json_edit(_wrong_bit)),
    )
    album.add("M20", "head-of-an-earlier-state", "E_CHAIN_BREAK E_INCOMPLETE E_TRUNCATED", _earlier_heads)
    album.add(
        "M24",
        "case-without-entries",
        "",
        lambda: _nothing_of(ABSENT_CASE),
        expect="VERIFIED",
    )
    album.add(
        "M24",
        "case-without-entries-no-proof",
        "E_INCOMPLETE",
        lambda: _claimed_empty(ABSENT_CASE),
    )
    album.add(
        "M24",
        "case-with-entries-claimed-empty",
        "E_INCOMPLETE E_PROOF_SHAPE E_TRUNCATED",
        lambda: _claimed_empty(OTHER_CASE),
    )
    album.add(
        "M24", "case-of-another-shard", "E_CASE_MISMATCH", lambda: parts(case=FOREIGN_CASE, opened=()).pack()
    )
    album.add("M24", "no-name-of-a-case", "E_SCHEMA", _no_name)
    album.add(
        "M24", "registry-left-out", "E_CASE_MISMATCH E_INCOMPLETE", lambda: _stream_left_out("registry")
    )
    album.add(
        "M24",
        "producer-left-out",
        "E_CASE_MISMATCH E_INCOMPLETE",
        lambda: _stream_left_out("producer/dialler"),
    )
    album.add(
        "M24",
        "tail-hidden-by-a-lying-map",
        "",
        partial(_lying_map, auditor=False),
        expect="VERIFIED",
        trust=partial(trust_file, auditors=()),
        warnings="W_UNAUDITED",
    )
    album.add(
        "M24", "tail-hidden-auditor-refused", "E_QUORUM", partial(_lying_map, auditor=False), expect=UNDECIDED
    )


def _others_proof(value: dict[str, Any]) -> None:
    value["heads"][0] = golden().heads[len(golden().entries)][OTHER_CASE]


def _wrong_bit(value: dict[str, Any]) -> None:
    steps = value["heads"][0]["steps"]
    steps[0] = f"{int(steps[0][:2], 16) + 1:02x}{steps[0][2:]}"


def _earlier_heads() -> bytes:
    forge, taken = golden(), parts()
    size = forge.labels["seal-2"] + 1
    names = [name for name, _ in taken.streams]
    earlier = canonical.dumps({"heads": [forge.heads[size].get(name, {"steps": []}) for name in names]})
    return taken.with_file("heads.json", earlier).pack()


def _nothing_of(case: str) -> bytes:
    return parts(case=case, opened=()).pack()


def _no_name() -> bytes:
    taken = parts(case=ABSENT_CASE, opened=())
    taken.streams[0] = ("case/of a friend", 0)
    return taken.pack()


def _claimed_empty(case: str) -> bytes:
    taken = parts(case=case, opened=())
    forge = golden()
    gone = set(forge.streams.get(case, ()))
    taken = _only(taken, lambda at: at not in gone)
    taken.streams[0] = (case, 0)
    if gone:
        return taken.pack()
    value = canonical.decode(taken.files["heads.json"])
    value["heads"][0] = {"steps": value["heads"][0]["steps"]}
    return taken.with_file("heads.json", canonical.dumps(value)).pack()


def _stream_left_out(stream: str) -> bytes:
    taken = parts()
    at = [name for name, _ in taken.streams].index(stream)
    del taken.streams[at]
    value = canonical.decode(taken.files["heads.json"])
    del value["heads"][at]
    gone = set(golden().streams[stream])
    return _only(
        taken.with_file("heads.json", canonical.dumps(value)), lambda index: index not in gone
    ).pack()


def _lying_map(*, auditor: bool) -> bytes:
    """The operator seals a map that forgets the last entry of the case; only who replays the log can tell."""

    def lie(forge: Forge) -> None:
        places = forge.streams[CASE]
        value = headmap.head_value(len(places) - 1, forge.leaves[places[-2]])
        forge.map.set(headmap.stream_key(CASE), value)

    forge = play(Forge(Bends(then={"stage": lie})))
    hidden = forge.streams[CASE].pop()
    size = len(forge.entries)
    cosigners = ("w1", AUDITOR) if auditor else ("w1",)
    note = forge.checkpoint(size, cosigners=cosigners)
    assert hidden == forge.labels["stage"]
    return forge.parts(checkpoint=note).pack()
