"""K01, K02, F5, F8: somebody edits, removes or replaces the outbox. It is found before anything is sent, and never
answered with a fresh chain."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, NotRecorded, OutboxCorrupt
from ledger.sdk import Recorder
from ledger.sdk.outboxfile import marker_path
from ledger.testing.producer import no_log, recorder, settings


def filled(directory: Path, count: int = 5) -> Path:
    with recorder(settings(directory)) as made:
        say(made, count)
        return made._outbox.path


def say(made: Recorder, count: int = 1) -> None:
    case = made.case(account="1")
    for _ in range(count):
        case.closed(reason="paid")


def edit(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


DAMAGE = {
    "an event edited": (
        "UPDATE events SET event = CAST(replace(CAST(event AS TEXT), 'paid', 'sold') AS BLOB) WHERE place = 2"
    ),
    "one byte of the newest event": "UPDATE events SET event = CAST(event || x'20' AS BLOB) WHERE place = 4",
    "wrapped keys put beside an event": "UPDATE events SET wrapped = x'5b5d' WHERE place = 1",
    "a chain value edited": "UPDATE events SET chain = zeroblob(32) WHERE place = 3",
    "the newest event removed": "DELETE FROM events WHERE place = 4",
    "a middle event removed": "DELETE FROM events WHERE place = 2",
    "the oldest event removed": "DELETE FROM events WHERE place = 0",
    "all events removed": "DELETE FROM events",
    "an event added": "INSERT INTO events SELECT 5, event, wrapped, chain FROM events WHERE place = 4",
    "an event added in another shard": "INSERT INTO events SELECT 9999999999999, event, wrapped, chain FROM events",
    "two events exchanged": (
        "UPDATE events SET place = CASE place WHEN 1 THEN -1 WHEN 2 THEN 1 ELSE place END;"
        "UPDATE events SET place = 2 WHERE place = -1"
    ),
    "the head put back": "UPDATE feeds SET next_seq = 4; DELETE FROM events WHERE place = 4",
    "the feed removed": "DELETE FROM feeds; DELETE FROM events",
    "a feed made up": "INSERT INTO feeds SELECT 1, 0, head, chain, 0, head, chain, x'', mac FROM feeds",
}


@pytest.mark.parametrize(
    "damage", [pytest.param(v, id=k) for k, v in DAMAGE.items() if k != "the feed removed"]
)
def test_damage_is_found_on_opening(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    if "9999999999999" in damage:
        damage += " WHERE place = 4"
    edit(path, *damage.split(";"))
    for _ in range(2):
        with pytest.raises(OutboxCorrupt, match=r"NOT (recorded|sent)"):
            recorder(settings(tmp_path))
    assert sqlite3.connect(path).execute("SELECT count(*) FROM meta").fetchone() == (6,)


def test_the_complaint_names_the_place(tmp_path: Path) -> None:
    path = filled(tmp_path)
    edit(path, DAMAGE["an event edited"])
    with pytest.raises(OutboxCorrupt, match="event 2 of shard 0 was changed"):
        recorder(settings(tmp_path))
    edit(path, "DELETE FROM events WHERE place = 1")
    with pytest.raises(OutboxCorrupt, match="event 1 of shard 0 is missing"):
        recorder(settings(tmp_path))


@pytest.mark.parametrize(
    "damage", [pytest.param(DAMAGE[k], id=k) for k in ("an event edited", "the newest event removed")]
)
def test_damage_done_while_it_is_open_is_found_before_sending_and_before_recording(
    tmp_path: Path, damage: str
) -> None:
    sent: list[object] = []

    class Wire:
        def submit(self, batch: list[object]) -> None:
            sent.extend(batch)

        def receipt(self, _feed: str) -> None:
            return None

        def end(self) -> int:
            return 0

        def close(self) -> None: ...

    with recorder(settings(tmp_path), lambda *_: Wire()) as made:  # type: ignore[arg-type, return-value]
        say(made, 5)
        edit(made._outbox.path, damage)
        with pytest.raises(OutboxCorrupt, match="NOT"):
            made.deliver_once()
        with pytest.raises(OutboxCorrupt, match="NOT"):
            say(made)
    assert sent == []
    other = tmp_path / "other"
    other.mkdir()
    with recorder(settings(other)) as made:
        say(made, 5)
        edit(made._outbox.path, damage)
        with pytest.raises(OutboxCorrupt, match="NOT"):
            say(made)


def test_another_program_that_changes_nothing_of_ours_is_borne(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        say(made, 3)
        edit(made._outbox.path, "CREATE TABLE other (x)")
        say(made, 1)
        assert made.status().pending == 4


def test_a_bookmark_that_was_edited_is_refused(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        made.record_many([], bookmark=("import", b"7"))
        path = made._outbox.path
    edit(path, "UPDATE bookmarks SET value = x'38'")
    with recorder(settings(tmp_path)) as made, pytest.raises(OutboxCorrupt, match="bookmark"):
        made.bookmark("import")


@pytest.mark.parametrize("offset", [0, 20, 100, 4096, 5000, 8192, 12288])
def test_a_flipped_byte_is_found_or_does_no_harm(tmp_path: Path, offset: int) -> None:
    path = filled(tmp_path, 20)
    content = bytearray(path.read_bytes())
    assert offset < len(content)
    content[offset] ^= 0xFF
    path.write_bytes(content)
    found: object = None
    try:
        with recorder(settings(tmp_path)) as made:
            found = len(made._outbox.rows(0, 0, 100))
    except (NotRecorded, ConfigurationError) as error:
        found = type(error)
    assert found in (20, OutboxCorrupt, ConfigurationError)


@pytest.mark.parametrize(
    "content", [b"", b"not a database" * 500, b"SQLite format 3\x00"], ids=["empty", "text", "torn"]
)
def test_another_file_in_its_place_is_refused(tmp_path: Path, content: bytes) -> None:
    path = filled(tmp_path)
    path.write_bytes(content)
    with pytest.raises(OutboxCorrupt, match="NOT recorded"):
        recorder(settings(tmp_path))
    assert path.read_bytes()[:15] == content[:15]


def test_a_removed_outbox_is_not_begun_anew(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.unlink()
    for _ in range(2):
        with pytest.raises(OutboxCorrupt, match=r"is gone.*new epoch"):
            recorder(settings(tmp_path))
    assert not path.exists()


def test_a_lost_outbox_is_confessed_by_a_new_epoch(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.unlink()
    with recorder(settings(tmp_path, epoch=1)) as made:
        assert made.case(account="1").closed(reason="paid").seq == 0
    with pytest.raises(ConfigurationError, match="epoch"):
        recorder(settings(tmp_path))
    with recorder(settings(tmp_path, epoch=1)) as made:
        say(made)
    assert list(tmp_path.glob("*.before-epoch-1"))


def test_an_outbox_without_its_marker_is_refused_once_it_was_used(tmp_path: Path) -> None:
    path = filled(tmp_path)
    marker_path(path).unlink()
    with pytest.raises(OutboxCorrupt, match="marker"):
        recorder(settings(tmp_path))


def test_a_creation_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    recorder(settings(tmp_path)).close()
    marker_path(tmp_path / "outbox.db").unlink()
    with recorder(settings(tmp_path)) as made:
        say(made)
    assert marker_path(tmp_path / "outbox.db").exists()


def test_another_outbox_in_its_place_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(filled(other), filled(tmp_path))
    with pytest.raises(OutboxCorrupt, match="not the outbox that its marker names"):
        recorder(settings(tmp_path))


def test_an_outbox_under_another_tenant_key_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    from ledger.testing.history import signer

    with pytest.raises(OutboxCorrupt):
        Recorder(settings(tmp_path), signer=signer("x"), tenant_key=b"y" * 32, open_shard=no_log)


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


def wal_removed(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


@pytest.mark.parametrize("deed", [removed, replaced, wal_removed])
def test_a_file_that_goes_away_while_it_is_open_is_noticed_by_the_next_record(
    tmp_path: Path, deed: Callable[[Path], None]
) -> None:
    with recorder(settings(tmp_path)) as made:
        say(made, 2)
        deed(made._outbox.path)
        for _ in range(2):
            with pytest.raises(OutboxCorrupt, match="removed or replaced"):
                say(made)
