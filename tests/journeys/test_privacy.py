"""P21 with canaries: what a tool says of people, and every secret key, is looked for in every byte of every file and in
everything that any command or log says. And it is there only where it must be: in what was opened on purpose."""

from __future__ import annotations

import base64
import codecs
import hashlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from ledger.errors import EventRefused
from ledger.sdk.recorder import Recorder
from ledger.testing.fines import HEAD, TAIL, event, trace
from ledger.testing.journey import NAME, Told, tell
from ledger.testing.shell import Ended
from ledger.vault.erase import erase_person
from ledger.vault.sqlite import SqliteVault

# Words that occur nowhere else: one for each kind of thing that a tool says.
MARK = "Quexzabulon"
PHONE = "+44 7911 550913"
ACCOUNT = f"ACC-{MARK}-5511"
TRACE = f"{MARK}-trace-77"
# Digits stand in hex and in times by chance; ten of them do not.
NEEDLES = (
    MARK,
    "Lovelace",
    "Milbanke",
    "Byron",
    "深夜来电",
    "St James's",
    PHONE,
    PHONE[4:],
    "7911550913",
    "7911 5509",
)


def _spellings(text: str) -> set[bytes]:
    """The bytes under which a text could stand somewhere: as it is, in UTF-16, escaped, in base64 at any offset, in hex."""
    raw = text.encode()
    found = {
        raw,
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
    }
    found.add(codecs.encode(text, "unicode_escape"))
    return found | _in_base64(raw)


def _in_base64(raw: bytes) -> set[bytes]:
    """What of `raw` is sure to stand in a base64 text that holds it somewhere: three possible shifts, ends left off."""
    found = set()
    for shift in range(3):
        coded = base64.b64encode(b"\x00" * shift + raw)
        whole = coded[4 if shift else 0 : len(coded) - 4]
        if len(whole) >= 8:
            found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def _found(data: bytes, needles: dict[str, set[bytes]]) -> list[str]:
    return [name for name, spellings in needles.items() if any(one in data for one in spellings)]


class World:
    """A ledger with canaries in it, and everything that was said while it was made."""

    def __init__(self, root: Path, command: Callable[..., Ended], caplog: pytest.LogCaptureFixture) -> None:
        self.root = root
        self.ledger = root / "ledger"
        self.caplog = caplog
        self.said: list[bytes] = []
        self._command = command
        self.needles = {needle: _spellings(needle) for needle in NEEDLES}
        self.told = Told()

    def run(self, *words: str | Path, status: int = 0) -> Ended:
        ended = self._command(*words)
        assert ended.status == status, ended
        self.said += [ended.out, ended.err]
        return ended

    def recorder(self) -> Recorder:
        return Recorder.open(self.ledger / "producers" / "crm" / "producer.toml")

    def secrets(self) -> dict[str, set[bytes]]:
        """Every private key of the directory by its file, in the ways in which it could be written down."""
        found = {}
        for file in [*self.ledger.glob("keys/*"), *self.ledger.glob("producers/*/*.pem")]:
            text = file.read_bytes()
            if file.suffix == ".pem":
                key = serialization.load_pem_private_key(text, None)
                raw = key.private_bytes(
                    serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
                )
            else:
                raw = bytes.fromhex(text.decode())
            found[file.name] = {raw, raw.hex().encode(), raw.hex().upper().encode()} | _in_base64(raw)
        assert len(found) >= 5
        return found

    def look(self, needles: dict[str, set[bytes]], *, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
        """Files under the root that hold a needle; names of files count too."""
        hits = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if name.startswith(but):
                continue
            data = name.encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
            if found := _found(data, needles):
                hits[name] = found
        return hits

    def heard(self, needles: dict[str, set[bytes]]) -> list[str]:
        """Needles in what commands and logs have said."""
        logs = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in self.caplog.records)
        return _found(b"\n".join([*self.said, logs.encode()]), needles)


@pytest.fixture
def world(tmp_path: Path, command: Callable[..., Ended], caplog: pytest.LogCaptureFixture) -> World:
    caplog.set_level(logging.DEBUG)
    made = World(tmp_path / "all", command, caplog)
    made.root.mkdir()
    made.run("init", made.ledger, "--name", NAME)
    made.run("registry", "add", made.ledger, "crm")
    with made.recorder() as recorder:
        made.told = tell(recorder, account=ACCOUNT, mark=MARK, phone=PHONE)
    made.run("run", made.ledger, "--once")
    return made


def test_the_canaries_are_seen_where_they_are(tmp_path: Path) -> None:
    """The search itself: whatever hides a canary in one of these ways is found."""
    needles = {needle: _spellings(needle) for needle in NEEDLES}
    text = f"Ms Ada {MARK}Lovelace 深夜来电"
    for data in (
        text.encode(), text.encode("utf-16-le"), base64.b64encode(b"xy" + text.encode()), text.encode().hex().encode(),
        base64.urlsafe_b64encode(b"z" + text.encode()), ascii(text).encode(),
    ):  # fmt: skip
        assert MARK in _found(data, needles)
        assert "深夜来电" in _found(data, needles)
    assert _found(b"nothing of the kind", needles) == []
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (?)", (text,))
    db.close()
    assert _found((tmp_path / "x.db").read_bytes(), needles)


def test_nothing_that_was_said_of_people_stands_anywhere_in_the_clear(world: World, tmp_path: Path) -> None:
    case, trust = world.told.case, world.ledger / "trust.toml"
    bundle, page = world.root / "case.duecourse", world.root / "page.html"
    for words in (
        ["cases", world.ledger], ["cases", world.ledger, "--json"], ["case", "show", world.ledger, case],
        ["case", "show", world.ledger, case, "--json"], ["case", "timeline", world.ledger, case],
        ["case", "timeline", world.ledger, case, "--json"], ["export", world.ledger, case, "-o", bundle],
        ["verify", bundle, "--trust", trust, "--html", page], ["verify", bundle, "--trust", trust, "--json"],
        ["verify", bundle, "--trust", trust, "--lang", "zh"], ["fsck", world.ledger], ["fsck", world.ledger, "--json"],
        ["rebuild", world.ledger, "--check"], ["status", world.ledger], ["registry", "show", world.ledger, "--json"],
    ):  # fmt: skip
        world.run(*words)
    assert page.is_file()
    # While a recorder is open its journal holds what is new; that is looked at too.
    with world.recorder() as recorder:
        tell(recorder, account=f"{ACCOUNT}-2", mark=MARK, phone=PHONE)
        assert world.look(world.needles) == {}
    assert world.look(world.needles) == {}
    assert world.heard(world.needles) == []
    assert sum(len(said) for said in world.said) > 10_000


def test_refusals_and_errors_do_not_say_what_they_refuse(world: World) -> None:
    with world.recorder() as recorder:
        case = recorder.case(account=ACCOUNT)
        zones = [{"zone": "Europe/London", "source": "residence"}]
        wrong: list[Callable[[], Any]] = [
            lambda: case.call_placed(to=f"+44 {MARK}", purpose=MARK, outcome="no_answer", zones=zones),  # type: ignore[arg-type]
            lambda: case.message_sent(
                medium="letter", kind="reminder", template=f"{MARK} {MARK}", visibility="private", zones=zones,
                contact_point=case.contact_point("home"), to=f"{MARK}",
            ),
            lambda: case.complaint_received(forum="bank", category="hours", words=[MARK]),  # type: ignore[arg-type]
            lambda: case.complaint_received(forum="bank", category="hours", words=f"{MARK}\ud800"),
            lambda: case.hardship_declared(willingness="willing", causes=[MARK], currency="GBP"),  # type: ignore[list-item]
            lambda: case.hardship_declared(willingness="willing", can_pay=MARK, currency="GBP"),  # type: ignore[arg-type]
            lambda: case.registered(origin="own", stage="registered", places=[], time=MARK),
            lambda: case.registered(origin="own", stage="registered", places=[], actor=f"Ada {MARK}"),
            lambda: case.registered(origin="own", stage="registered", places=[], source_ref=f"{MARK} {MARK}"),
            lambda: recorder.case(id=MARK),
            lambda: case.status_changed(party=MARK, contact_allowed="none", effective="2026-01-01"),
        ]  # fmt: skip
        for number, call in enumerate(wrong):
            with pytest.raises((EventRefused, Exception)) as refused:
                call()
            # The whole chain, as a traceback in some log would show it.
            error: BaseException | None = refused.value
            assert isinstance(error, EventRefused), number
            assert "NOT recorded" in str(error)
            while error is not None:
                assert MARK not in f"{error} {error!r}", number
                error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert world.look(world.needles) == {}
    assert world.heard(world.needles) == []


def test_an_import_names_places_and_keeps_names_to_itself(world: World) -> None:
    log, outside = world.root.parent / "log.xes", world.root.parent
    good = trace(TRACE, event("Create Fine", "2011-01-03T00:00:00+01:00", amount="35.00", article=MARK))
    log.write_text(HEAD + good + TAIL)
    asked = ["import", "xes", log, "--into", world.ledger, "--mapping", "road-traffic-fines"]
    world.run(*asked)
    assert world.look(world.needles) == {}
    for number, flawed in enumerate(
        (
            good.replace("35.00", f"35.00{MARK}"),
            good.replace("2011-01-03", f"{MARK}-01-03"),
            good.replace('value="Quex', 'value="Quex<'),
        )
    ):
        log.write_text(HEAD + flawed + TAIL)
        ended = world.run(*asked, status=1)
        assert "log.xes:" in ended.complaint, number
    assert outside.is_dir()
    assert world.look(world.needles) == {}
    assert world.heard(world.needles) == []


def test_no_key_is_anywhere_but_in_its_file(world: World) -> None:
    secrets = world.secrets()
    bundle = world.root / "case.duecourse"
    world.run("export", world.ledger, world.told.case, "-o", bundle, "--disclose", "words")
    world.run("key", "new", world.root.parent / "k.pem", "--json")
    world.run("key", "show", world.ledger / "keys" / "log-0.pem")
    world.run("registry", "show", world.ledger, "--json")
    world.run("trust", world.ledger / "trust.toml")
    hits = world.look(secrets)
    allowed = {f"ledger/keys/{name}" for name in secrets} | {
        "ledger/producers/crm/signing.pem",
        "ledger/producers/crm/tenant.key",
    }
    assert set(hits) <= allowed
    assert {f"ledger/keys/{name}" for name in secrets if name != "signing.pem"} <= set(hits)
    for path in hits:
        assert (world.root / path).stat().st_mode & 0o077 == 0
    assert world.heard(secrets) == []
    with world.recorder() as recorder:
        text = f"{recorder!r} {recorder.config!r} {recorder.case(account=ACCOUNT)!r}"
    assert _found(text.encode(), secrets | world.needles) == []


def test_what_is_opened_stands_in_its_bundle_alone_and_after_an_erasure_nowhere(world: World) -> None:
    case, trust = world.told.case, world.ledger / "trust.toml"
    bundle = world.root / "opened.duecourse"
    world.run("export", world.ledger, case, "-o", bundle, "--disclose", "words")
    # A disclosure is base64url, so the search sees through it; and a reader is shown what was opened.
    assert set(world.look(world.needles)) == {"opened.duecourse"}
    shown = world._command("verify", bundle, "--trust", trust)
    assert MARK in shown.text
    # What was not opened is not in it.
    assert not {"Lovelace", "Milbanke", "Byron"} & set(world.look(world.needles)["opened.duecourse"])
    bundle.unlink()
    wrapped = _wrapped(world.ledger / "vault.db")
    assert wrapped
    with world.recorder() as recorder, SqliteVault(world.ledger / "vault.db", create=False) as vault:
        mine = recorder.case(id=case)
        erase_person(
            vault, stream=mine.subject, party=None, erased_at="2026-03-01T00:00:00.000000Z",
            purpose="subject_right", record=mine.record,
        )  # fmt: skip
    world.run("run", world.ledger, "--once")
    after = world.root / "after.duecourse"
    world.run("export", world.ledger, case, "-o", after, "--disclose", "words")
    world.run("verify", after, "--trust", trust)
    assert world.look(world.needles) == {}
    # The wrapped keys are gone from every file of the vault, and no other file of the ledger has them but the
    # submissions and the outboxes, whose retention ends by itself.
    left = world.look({"wrapped": wrapped | {base64.b64encode(one) for one in wrapped}})
    assert not any(name.startswith("ledger/vault.db") for name in left)
    assert world.heard(world.needles) == []


def _wrapped(vault: Path) -> set[bytes]:
    db = sqlite3.connect(vault)
    try:
        return {bytes(row[0]) for row in db.execute("SELECT wrapped FROM keys")}
    finally:
        db.close()


def test_what_outsiders_may_not_read_is_closed_to_them(world: World) -> None:
    """Others may walk to the tiles, and read the trust file; keys, outboxes and the vault are behind closed doors."""
    for path in world.ledger.rglob("*"):
        inside = path.relative_to(world.ledger).parts[0]
        if inside in {"keys", "producers", "state"}:
            assert (world.ledger / inside).stat().st_mode & 0o077 == 0, path
        elif inside.startswith(("vault.db", "views.db")):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_bundle_of_one_case_holds_nothing_of_another(world: World) -> None:
    with world.recorder() as recorder:
        other = tell(recorder, account="another account", mark="Zanzibar")
    world.run("run", world.ledger, "--once")
    bundle = world.root / "case.duecourse"
    world.run(
        "export", world.ledger, world.told.case, "-o", bundle, "--disclose", "words", "--disclose", "to"
    )
    data = bundle.read_bytes()
    for hidden in (other.case, other.party, "Zanzibar", hashlib.sha256(other.case.encode()).hexdigest()):
        assert not _found(data, {"x": _spellings(hidden)})
