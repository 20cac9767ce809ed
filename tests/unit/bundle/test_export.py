"""A bundle is proved against the published tree while it is made, and is the same bytes every time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError, Erased, Refused
from ledger.kernel.bundle import MEMBERS, parse_manifest, read_container
from ledger.kernel.checkpoint import Checkpoint
from ledger.kernel.disclosure import Protected, open_field, parse_disclosure, protect
from ledger.kernel.entry import Entry
from ledger.kernel.note import Note, VerifierKey
from ledger.kernel.tiles import unpack_entries
from ledger.testing.history import case, event_id
from ledger.testing.rig import Rig
from ledger.tilestore.directory import DirectoryTiles
from ledger.verify.checks import verify_bundle
from ledger.verify.trust import Trust
from projections.bundle.export import Source, export_case, write_bundle
from projections.bundle.heads import from_cache, from_snapshot, head_map
from projections.engine.reader import Resume
from projections.engine.runner import Runner, Shard
from projections.engine.store import ViewStore, connect
from projections.engine.views import Batch, Placed

KEY = bytes(range(32))
STAFF, AGENCY = case(501)[5:], case(502)[5:]
CALL = {
    "contact_point": case(900)[5:],
    "debts": [],
    "outcome": "no_answer",
    "parties": [],
    "purpose": "service",
}
MESSAGE = {"contact_point": case(900)[5:], "debts": [], "parties": [], "kind": "demand", "medium": "letter",
           "template": "t@1", "visibility": "private"}  # fmt: skip


def _protected(number: int, value: str) -> dict[str, str]:
    return protect(
        value,
        event_id=event_id(number),
        pointer="/data/to",
        protecting_key=KEY,
        nonce=bytes(12),
        salt_source=lambda n: "A" * n,
    ).value()


def _open(event: Mapping[str, Any], pointer: str) -> str:
    if event["id"] == event_id(2):
        raise Erased("gone")
    field = Protected.from_value(event["data"]["to"])
    return open_field(field, event_id=event["id"], pointer=pointer, protecting_key=KEY)[0]


class World:
    """A ledger of ninety cases, one of which has letters, staff and an agency."""

    def __init__(self, directory: Path) -> None:
        self.rig = Rig(directory)
        self.rig.found()
        dialler = self.rig.register("dialler", types=["contact"])
        office = self.rig.register("office", types=["agency", "case", "contact", "staff"])
        self.rig.submit(dialler.sign([dialler.event(case(n), data=CALL) for n in range(90)]))

        def event(subject: str, short: str, data: dict[str, Any], **more: Any) -> bytes:
            names = {"type": f"duecourse.{short}.v1", "dataschema": f"urn:duecourse:{short}:1"}
            return office.event(subject, data=data, **names, **more)

        self.rig.submit(
            office.sign(
                [
                    event(case(7), "case.assigned", {"staff": STAFF, "to_agency": AGENCY}),
                    event(f"staff/{STAFF}", "staff.qualified", {"kind": "exam", "valid_from": "2026-01-01"}),
                    event(
                        case(7),
                        "contact.message_sent",
                        {**MESSAGE, "to": _protected(1, "Anna")},
                        id=event_id(1),
                    ),
                    event(
                        case(7),
                        "contact.message_sent",
                        {**MESSAGE, "to": _protected(2, "Bruno")},
                        id=event_id(2),
                    ),
                ]
            )
        )
        self.sequencer = self.rig.sequencer()
        self.sequencer.start()
        self.sequencer.drain()
        self.store = ViewStore(directory / "views.db", [])
        self.runner = Runner(
            self.store, Shard(self.rig.open_log("reader"), self.rig.origin, self.rig.log_key)
        )
        self.runner.catch_up()
        self.db = connect(self.store.path)
        self.tiles = DirectoryTiles(self.rig.tiles)

    @property
    def source(self) -> Source:
        return Source(self.tiles, self.rig.log_key, self.db, 0)

    def trust(self) -> Trust:
        text = (
            'format = "duecourse trust 1"\n'
            f"policy = '''\nlog {self.rig.log_key.format()}\nquorum none\n'''\n"
            "auditors = []\nregistrars = []\nmax_age_s = 0\nskew_s = 300\n"
        )
        return Trust.parse(text.encode())

    def close(self) -> None:
        self.db.close()
        self.store.close()
        self.rig.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_a_bundle_holds_the_case_and_everything_its_proof_rests_on(world: World) -> None:
    made = export_case(world.source, case(7)[5:])
    assert [name for name, _ in made.streams] == [
        case(7), "producer/dialler", "producer/office", "registry", f"staff/{STAFF}",
    ]  # fmt: skip
    members = dict(read_container(made.data))
    assert tuple(members) == MEMBERS
    manifest = parse_manifest(bytes(members["manifest.json"]))
    assert manifest.streams == made.streams
    assert manifest.tree_size == made.tree_size == world.runner.position
    entries = [Entry.parse(line) for line in bytes(members["entries.jsonl"]).splitlines()]
    assert [entry.index for entry in entries] == sorted({entry.index for entry in entries})
    assert entries[-1].subject == "seal"
    assert entries[-1].index == made.tree_size - 1
    assert len(entries) == made.entries == sum(count for _, count in made.streams) + 1
    assert json.loads(bytes(members["findings.json"]))["findings"] == []
    assert bytes(members["disclosures.jsonl"]) == b""


def test_the_verifier_says_verified(world: World) -> None:
    made = export_case(world.source, case(7)[5:], disclose=["to"], open_field=_open)
    verdict = verify_bundle(made.data, world.trust())
    assert verdict.verdict == "VERIFIED", verdict.json()


def test_the_same_export_twice_gives_the_same_bytes_wherever_the_head_map_comes_from(
    world: World, tmp_path: Path
) -> None:
    from_views = export_case(world.source, case(7)[5:]).data
    kept = replace(world.source, cache=tmp_path / "heads")
    assert export_case(kept, case(7)[5:]).data == from_views
    assert (tmp_path / "heads").exists()
    assert export_case(kept, case(7)[5:]).data == from_views
    world.sequencer.close()
    snapshot = from_snapshot(world.rig.state, world.rig.origin)
    held = snapshot()
    assert held is not None
    assert len(held) == 90 + 2 + 1 + 1
    assert export_case(replace(world.source, heads=[snapshot]), case(7)[5:]).data == from_views


def test_a_head_map_that_does_not_lead_to_the_seal_is_passed_over(world: World, tmp_path: Path) -> None:
    good = export_case(replace(world.source, cache=tmp_path / "heads"), case(7)[5:]).data
    dump = (tmp_path / "heads").read_bytes()
    (tmp_path / "heads").write_bytes(dump[:100] + bytes([dump[100] ^ 1]) + dump[101:])
    assert export_case(replace(world.source, cache=tmp_path / "heads"), case(7)[5:]).data == good
    world.rig.submit([])
    with pytest.raises(Refused, match="E_INCOMPLETE"):
        head_map(bytes(32), [from_cache(tmp_path / "heads"), from_cache(tmp_path / "none")])


def test_an_export_stands_at_the_checkpoint_while_the_ledger_goes_on(world: World) -> None:
    before = export_case(world.source, case(7)[5:])
    note = world.tiles.checkpoint()
    tool = world.rig.register("late", types=["contact"])
    for _ in range(2):
        world.rig.submit(tool.sign([tool.event(case(7), data=CALL) for _ in range(150)]))
    world.sequencer.drain()
    world.runner.catch_up()

    class AsItWas:
        read_tile = world.tiles.read_tile
        read_entries = world.tiles.read_entries

        def checkpoint(self) -> bytes | None:
            return note

    assert export_case(replace(world.source, tiles=AsItWas()), case(7)[5:]).data == before.data
    assert export_case(world.source, case(7)[5:]).entries == before.entries + 300 + 1


def test_fields_are_opened_by_name_or_pointer_and_what_is_erased_is_named(world: World) -> None:
    by_name = export_case(world.source, case(7)[5:], disclose=["to"], open_field=_open)
    by_pointer = export_case(world.source, case(7)[5:], disclose=["/data/to"], open_field=_open)
    assert by_name.data == by_pointer.data
    lines = [
        json.loads(line)
        for line in bytes(dict(read_container(by_name.data))["disclosures.jsonl"]).splitlines()
    ]
    assert [line["pointer"] for line in lines] == ["/data/to"]
    assert parse_disclosure(lines[0]["disclosure"], "/data/to") == "Anna"
    assert by_name.disclosed == 1
    ((index, pointer),) = by_name.erased
    assert pointer == "/data/to"
    assert index > lines[0]["index"]


def test_a_field_that_opens_to_another_value_is_not_written(world: World) -> None:
    forged = Protected.from_value(_protected(3, "Carla"))
    disclosure = open_field(forged, event_id=event_id(3), pointer="/data/to", protecting_key=KEY)[0]
    with pytest.raises(Refused, match="E_COMMITMENT"):
        export_case(world.source, case(7)[5:], disclose=["to"], open_field=lambda *_: disclosure)


@pytest.mark.parametrize(
    ("case_id", "options", "words"),
    [
        (case(7777)[5:], {}, "there is no case"),
        ("7777", {}, "not the id of a case"),
        (case(7)[5:], {"disclose": ["to"]}, "vault"),
        (case(7)[5:], {"disclose": ["words"], "open_field": _open}, "no event of the case holds"),
    ],
)
def test_what_cannot_be_exported_says_why(
    world: World, case_id: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        export_case(world.source, case_id, **options)


def test_views_that_are_behind_are_told_so(world: World) -> None:
    tool = world.rig.register("late", types=["contact"])
    world.rig.submit(tool.sign([tool.event(case(7), data=CALL)]))
    world.sequencer.drain()
    with pytest.raises(ConfigurationError, match="run the ledger once more"):
        export_case(world.source, case(7)[5:])


def test_nothing_published_is_no_bundle(world: World, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing is published"):
        export_case(replace(world.source, tiles=DirectoryTiles(tmp_path / "empty")), case(7)[5:])


def _tampered(world: World, change: Callable[[sqlite3.Connection, dict[str, str]], None]) -> None:
    with sqlite3.connect(world.store.path) as db:
        change(db, world.store.tables(1))
    db.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {places} WHERE stream = {number} AND seq = (SELECT MAX(seq) FROM {places} WHERE stream = {number})",
        "UPDATE {places} SET idx = idx - 1 WHERE stream = {number} AND seq = 1",
        "DELETE FROM {places} WHERE stream = {number} AND seq = 0",
    ],
    ids=["a view without the last entry", "a view with another index", "a view without the first entry"],
)
def test_a_doctored_view_costs_an_error_never_a_wrong_bundle(world: World, statement: str) -> None:
    def change(db: sqlite3.Connection, tables: dict[str, str]) -> None:
        (number,) = db.execute(f"SELECT id FROM {tables['streams']} WHERE subject = ?", (case(7),)).fetchone()
        db.execute(statement.format(number=number, **tables))

    _tampered(world, change)
    with pytest.raises(Refused, match="E_INCOMPLETE"):
        export_case(world.source, case(7)[5:])


def test_a_doctored_tile_store_costs_an_error_never_a_wrong_bundle(world: World) -> None:
    class Doctored:
        read_tile = world.tiles.read_tile
        checkpoint = world.tiles.checkpoint

        def read_entries(self, n: int, width: int = 256) -> bytes:
            return world.tiles.read_entries(n, width).replace(b'"no_answer"', b'"answered!"')

    with pytest.raises(Refused, match="E_LEAF_BINDING"):
        export_case(replace(world.source, tiles=Doctored()), case(7)[5:])

    class WrongTree(Doctored):
        read_entries = world.tiles.read_entries

        def read_tile(self, level: int, n: int, width: int = 256) -> bytes:
            data = world.tiles.read_tile(level, n, width)
            return data[:-32] + bytes(32) if level == 0 and n == 0 else data

    with pytest.raises(Refused, match=r"E_INCLUSION|E_LEAF_BINDING"):
        export_case(replace(world.source, tiles=WrongTree()), case(7)[5:])


def test_a_bundle_is_written_whole_and_never_over_another(tmp_path: Path) -> None:
    target = tmp_path / "case.duecourse"
    write_bundle(target, b"one")
    with pytest.raises(ConfigurationError, match="--force"):
        write_bundle(target, b"two")
    assert target.read_bytes() == b"one"
    write_bundle(target, b"two", force=True)
    assert target.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_bundle(tmp_path / "missing" / "case.duecourse", b"")


def test_the_golden_log_gives_the_golden_proofs(shared: Path, tmp_path: Path) -> None:
    """The members that do not depend on findings, byte for byte, out of the tiles of the golden bundle."""
    folder = shared / "vectors" / "duecourse" / "bundle"
    tiles = DirectoryTiles(folder / "tiles")
    golden = dict(read_container((folder / "good.duecourse").read_bytes()))
    note = tiles.checkpoint()
    assert note is not None
    checkpoint = Checkpoint.parse_text(Note.parse(note).text)
    trust = Trust.parse((folder / "trust.toml").read_bytes())
    log_key = trust.log(checkpoint.origin)
    assert isinstance(log_key, VerifierKey)
    entries = [Entry.parse(raw) for raw in unpack_entries(tiles.read_entries(0, checkpoint.size))]
    with ViewStore(tmp_path / "views.db", []) as store:
        store.position(checkpoint.origin, 1)
        with store.apply(checkpoint.origin, 1, 0, len(entries), Resume.start()) as db:
            placed = [Placed(entry, entry.index) for entry in entries]
            store.streams.apply(Batch(db, 1, store.tables(1), placed, lambda *_: []))
        views = connect(store.path)
        subject = parse_manifest(bytes(golden["manifest.json"])).streams[0][0]
        made = export_case(Source(tiles, log_key, views, 1), subject[5:])
        views.close()
    members = dict(read_container(made.data))
    assert made.streams == parse_manifest(bytes(golden["manifest.json"])).streams
    for name in ("checkpoint", "entries.jsonl", "inclusion.json", "heads.json"):
        assert bytes(members[name]) == bytes(golden[name]), name
