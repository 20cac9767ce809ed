"""Whoever writes to a partition, in whatever order: every reader holds the same entries, in order, once."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel.acceptance import Acceptance, Accepted, Dead, Evidence
from ledger.kernel.checkpoint import Checkpoint, Receipt, TermNote, sign_statement
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.entry import Entry, build_entry, ledger_event
from ledger.kernel.flush import sign_flush
from ledger.kernel.merkle import tree_root
from ledger.kernel.note import ED25519, VerifierKey
from ledger.testing.history import Tool, case, event_id, signer

ORIGIN = "ledger.example.com/cards/0"
LOG = signer("LOG")
LOG_KEY = VerifierKey.of(ORIGIN, ED25519, LOG.public_key)
TIME = "2026-03-02T01:00:00.000000Z"
Record = tuple[str, bytes]


def entry_bytes(number: int, *, index: int, prev: bytes, term: int, origin: str = ORIGIN) -> bytes:
    tool = Tool(ORIGIN, "dialler")
    event = tool.event(case(number % 5), data={"number": number})
    [(event, proof)] = tool.sign([event])
    return build_entry(
        event,
        proof,
        index=index,
        origin=origin,
        prev=prev,
        sequenced=TIME,
        stream_prev=ZERO,
        stream_seq=0,
        term=term,
    )


def seal_bytes(*, index: int, prev: bytes, term: int, seal: tuple[int, bytes], **changes: Any) -> bytes:
    place = {"prev": prev, "epoch": term, "time": TIME, "signer": LOG} | changes
    event = ledger_event(
        type="ledger.sealed",
        subject="seal",
        data={"prev": place["prev"].hex(), "root": "ab" * 32},
        time=place["time"],
        epoch=place["epoch"],
        seq=index,
        prev_digest=ZERO,
        event_id=event_id(index),
        source="//ledger.example.com",
    )
    [proof] = sign_flush([event], ORIGIN, "ledger", place["signer"])
    return build_entry(
        event,
        proof,
        index=index,
        origin=ORIGIN,
        prev=prev,
        sequenced=TIME,
        stream_prev=seal[1],
        stream_seq=seal[0],
        term=term,
    )


def term_bytes(term: int, next_index: int, head: bytes, holder: bytes = b"h" * 32) -> bytes:
    return sign_statement(TermNote(ORIGIN, term, next_index, head, holder), LOG)


class Sequencer:
    """The simplest sequencer that keeps the rules of formats 4.2: appends ahead of what it reads back, and gives up
    its term at the first difference. It may be slow, and does not know that somebody took over."""

    def __init__(self, name: str, partition: list[Record]) -> None:
        self.partition = partition
        self.name = name
        self.reader = Acceptance(ORIGIN, LOG_KEY)
        self.cursor = 0
        self.takings = 0
        self.made = 0
        self.pending: bytes | None = None  # holder value of a term note not yet read back
        self.holds = False
        self.ahead: list[bytes] = []  # own entries not yet read back
        self.local: dict[str, Any] = {}
        self.to_sign: list[tuple[int, bytes]] = []

    def read(self, limit: int) -> None:
        for record in self.partition[self.cursor : self.cursor + limit]:
            self.cursor += 1
            outcome = self.reader.apply(*record)
            assert not isinstance(outcome, Evidence), outcome
            if not isinstance(outcome, Accepted):
                continue
            if outcome.term is not None:
                self.holds = outcome.term.holder == self.pending
                self.pending = None
                if self.holds:
                    self.ahead = []
                    self.local = {
                        "index": self.reader.next_index,
                        "head": self.reader.head,
                        "seal": self.reader.next_seal,
                        "term": self.reader.term,
                    }
            elif outcome.entry is not None and self.holds:
                if self.ahead and self.ahead[0] == outcome.entry.raw:
                    self.ahead.pop(0)
                    if outcome.entry.subject == "seal":
                        self.to_sign.append((self.reader.final, self.reader.frontier.root()))
                else:
                    self.holds = False

    def take(self, cut: int) -> None:
        self.read(len(self.partition))
        self.takings += 1
        self.holds = False
        reader = self.reader
        next_index = max(reader.final, reader.next_index - cut)
        head = reader.head if next_index == reader.next_index else (reader.leaf(next_index - 1) or ZERO)
        self.pending = sha256(f"{self.name} {self.takings}".encode()).digest()
        note = TermNote(ORIGIN, reader.term + 1, next_index, head, self.pending)
        self.partition.append(("term", sign_statement(note, LOG)))

    def append(self, count: int) -> None:
        for _ in range(count if self.holds else 0):
            self.made += 1
            number = int.from_bytes(sha256(f"{self.name} {self.made}".encode()).digest()[:4], "big")
            local = self.local
            raw = entry_bytes(number, index=local["index"], prev=local["head"], term=local["term"])
            self._write(raw)

    def _write(self, raw: bytes) -> None:
        self.partition.append(("entry", raw))
        self.ahead.append(raw)
        self.local["index"] += 1
        self.local["head"] = leaf_hash(raw)

    def seal(self) -> None:
        if self.holds:
            local = self.local
            raw = seal_bytes(index=local["index"], prev=local["head"], term=local["term"], seal=local["seal"])
            self._write(raw)
            local["seal"] = (local["seal"][0] + 1, leaf_hash(raw))

    def sign(self) -> None:
        """Possibly long after it lost its term: whoever signs, the root is the same."""
        if self.to_sign:
            size, root = self.to_sign.pop(0)
            self.partition.append(("checkpoint", sign_statement(Checkpoint(ORIGIN, size, root), LOG)))


class Foreigner:
    """Has the broker's credentials and no log key: writes what fits, what does not, and everything again."""

    def __init__(self, partition: list[Record]) -> None:
        self.partition = partition
        self.made = 0

    def fitting(self) -> None:
        reader = Acceptance(ORIGIN, LOG_KEY)
        for record in self.partition:
            reader.apply(*record)
        self.made += 1
        raw = entry_bytes(self.made, index=reader.next_index, prev=reader.head, term=max(1, reader.term))
        self.partition.append(("entry", raw))

    def again(self, place: int) -> None:
        if self.partition:
            self.partition.append(self.partition[place % len(self.partition)])

    def garbage(self, place: int) -> None:
        kinds = ("entry", "term", "checkpoint", "receipt")
        values = (b"{}", b"duecourse term v1\nx\n", b"x\n1\ny\n\n", b"", b"\xff")
        self.partition.append((kinds[place % 4], values[place % 5]))


class Follower:
    """Keeps a state of what counts: applies entries below `sealed`, and no others. It can always start again from
    its snapshot."""

    def __init__(self) -> None:
        self.acceptance = Acceptance(ORIGIN, LOG_KEY)
        self.cursor = 0
        self.waiting: list[Entry] = []
        self.applied: list[bytes] = []

    def follow(self, partition: list[Record], limit: int) -> None:
        for record in partition[self.cursor : self.cursor + limit]:
            self.cursor += 1
            outcome = self.acceptance.apply(*record)
            if isinstance(outcome, Accepted):
                if outcome.entry is not None:
                    self.waiting.append(outcome.entry)
                elif outcome.cut:
                    del self.waiting[-outcome.cut :]
                elif outcome.checkpoint is not None:
                    while self.waiting and self.waiting[0].index < self.acceptance.sealed:
                        entry = self.waiting.pop(0)
                        assert entry.index == len(self.applied)
                        self.applied.append(entry.raw)

    def start_again(self) -> None:
        snapshot = json.loads(json.dumps(self.acceptance.snapshot()))
        self.acceptance = Acceptance.restore(snapshot, ORIGIN, LOG_KEY)


actions = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "read",
                "take",
                "append",
                "append",
                "seal",
                "sign",
                "fit",
                "again",
                "garbage",
                "follow",
                "restart",
            ]
        ),
        st.integers(0, 1),
        st.integers(0, 12),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(actions)
def test_two_sequencers_and_a_foreign_writer_give_every_reader_one_prefix(
    steps: list[tuple[str, int, int]],
) -> None:
    partition: list[Record] = []
    sequencers = [Sequencer("one", partition), Sequencer("two", partition)]
    foreigner = Foreigner(partition)
    followers = [Follower(), Follower()]
    sequencers[0].take(0)
    sequencers[0].read(1)
    for action, who, amount in steps:
        one = sequencers[who]
        match action:
            case "read":
                one.read(amount)
            case "take":
                one.take(amount % 4)
            case "append":
                one.append(1 + amount % 3)
            case "seal":
                one.read(3)
                one.seal()
            case "sign":
                one.read(amount)
                one.sign()
            case "fit":
                foreigner.fitting()
            case "again":
                foreigner.again(amount)
            case "garbage":
                foreigner.garbage(amount)
            case "follow":
                followers[who].follow(partition, amount)
            case "restart":
                followers[who].start_again()
        applied = [follower.applied for follower in followers]
        shorter, longer = sorted(applied, key=len)
        assert longer[: len(shorter)] == shorter
    # Everybody reads to the end, and the ledger goes on: a taking always brings the line back.
    sequencers[1].take(0)
    sequencers[1].read(len(partition))
    assert sequencers[1].holds
    sequencers[1].append(2)
    sequencers[1].seal()
    sequencers[1].read(len(partition))
    while sequencers[1].to_sign:
        sequencers[1].sign()
    sequencers[0].read(len(partition))
    for follower in followers:
        follower.follow(partition, len(partition))
    whole = Follower()
    whole.follow(partition, len(partition))
    assert followers[0].applied == followers[1].applied == whole.applied
    assert not whole.acceptance.stopped
    assert whole.acceptance.sealed == whole.acceptance.final == len(whole.applied) >= 3
    assert tree_root([leaf_hash(raw) for raw in whole.applied]) == whole.acceptance.root_at(
        len(whole.applied)
    )
    entries = [Entry.read(raw) for raw in whole.applied]
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert [entry.prev for entry in entries] == [ZERO, *(entry.leaf for entry in entries[:-1])]


def _line(count: int = 3) -> tuple[Acceptance, list[bytes]]:
    """A state in term 1 with so many entries, a seal after them, and no checkpoint."""
    acceptance = Acceptance(ORIGIN, LOG_KEY)
    acceptance.apply("term", term_bytes(1, 0, ZERO))
    leaves: list[bytes] = []
    for number in range(count):
        raw = entry_bytes(number, index=number, prev=acceptance.head, term=1)
        assert acceptance.apply("entry", raw).kind == "entry"
        leaves.append(leaf_hash(raw))
    raw = seal_bytes(index=count, prev=acceptance.head, term=1, seal=acceptance.next_seal)
    assert acceptance.apply("entry", raw).kind == "entry"
    leaves.append(leaf_hash(raw))
    return acceptance, leaves


def _checkpoint(size: int, root: bytes) -> bytes:
    return sign_statement(Checkpoint(ORIGIN, size, root), LOG)


def test_an_entry_that_was_built_here_is_taken_as_one_that_was_read() -> None:
    one, _ = _line()
    two, _ = _line()
    raw = entry_bytes(9, index=4, prev=one.head, term=1)
    assert one.apply("entry", raw).reasons == two.apply_own(Entry.read(raw)).reasons == ()
    assert (one.head, one.next_index) == (two.head, two.next_index)
    assert two.apply_own(Entry.read(raw)).reasons == ("index", "prev")


@pytest.mark.parametrize(
    ("flaw", "changes"),
    [
        ("made for another place", {"prev": b"x" * 32}),
        ("made in another term", {"epoch": 2}),
        ("made at another time", {"time": "2026-03-02T01:00:00.000001Z"}),
        ("not signed alone by the log key", {"signer": signer("other")}),
    ],
)
def test_a_seal_that_its_place_does_not_determine_is_dead(flaw: str, changes: dict[str, Any]) -> None:
    acceptance, _ = _line()
    place = {"index": 4, "prev": acceptance.head, "term": 1, "seal": acceptance.next_seal}
    raw = seal_bytes(**place)
    if "prev" in changes:
        event_prev, changed = acceptance.head.hex().encode(), changes["prev"].hex().encode()
        raw = raw.replace(b'"data":{"prev":"' + event_prev, b'"data":{"prev":"' + changed)
    else:
        raw = seal_bytes(**place, **changes)
    outcome = acceptance.apply("entry", raw)
    assert isinstance(outcome, Dead)
    assert (outcome.reasons, outcome.detail) == (("seal",), flaw)
    assert acceptance.apply("entry", seal_bytes(**place)).kind == "entry"


def test_a_seal_out_of_its_stream_or_with_a_broken_signature_is_dead() -> None:
    acceptance, _ = _line()
    place = {"index": 4, "prev": acceptance.head, "term": 1}
    for seal in ((0, ZERO), (2, acceptance.head), (1, ZERO)):
        assert acceptance.apply("entry", seal_bytes(**place, seal=seal)).reasons == ("seal",)
    raw = seal_bytes(**place, seal=acceptance.next_seal)
    changed = raw.replace(b'"root":"ab', b'"root":"cd')
    outcome = acceptance.apply("entry", changed)
    assert isinstance(outcome, Dead)
    assert outcome.detail == "the signature does not verify"


def test_a_term_note_puts_back_everything_above_final_and_nothing_below() -> None:
    acceptance, leaves = _line()
    heads = [acceptance.head]
    for number in range(4, 8):
        acceptance.apply("entry", entry_bytes(number, index=number, prev=acceptance.head, term=1))
        heads.append(acceptance.head)
    assert acceptance.apply("term", term_bytes(2, 3, leaves[2])).reasons == ("next_index",)
    assert acceptance.apply("term", term_bytes(2, 6, heads[1])).reasons == ("head",)
    outcome = acceptance.apply("term", term_bytes(2, 6, heads[2]))
    assert isinstance(outcome, Accepted)
    assert (outcome.kind, outcome.cut, acceptance.next_index, acceptance.head) == ("term", 2, 6, heads[2])
    assert (acceptance.leaf(5), acceptance.leaf(6)) == (heads[2], None)
    outcome = acceptance.apply("term", term_bytes(3, 4, leaves[-1]))
    assert isinstance(outcome, Accepted)
    assert (outcome.cut, acceptance.next_index, acceptance.frontier.root()) == (2, 4, tree_root(leaves))


def test_a_checkpoint_of_an_old_size_is_compared_wherever_the_root_can_be_known() -> None:
    acceptance, leaves = _line()
    root = tree_root(leaves)
    assert acceptance.apply("checkpoint", _checkpoint(4, root)).kind == "checkpoint"
    assert acceptance.sealed == 4
    for size in range(5):
        outcome = acceptance.apply("checkpoint", _checkpoint(size, tree_root(leaves[:size])))
        assert isinstance(outcome, Accepted)
        assert (outcome.kind, outcome.checked) == ("late", True)
    for size in range(5):
        fresh, _ = _line()
        fresh.apply("checkpoint", _checkpoint(4, root))
        assert fresh.apply("checkpoint", _checkpoint(size, b"?" * 32)).kind == "evidence"
        assert fresh.stopped
        assert fresh.evidence is not None
        assert fresh.apply("entry", b"{}").reasons == ("stopped",)
        assert fresh.apply_own(Entry.read(entry_bytes(0, index=0, prev=ZERO, term=1))).reasons == ("stopped",)
        with pytest.raises(ValueError, match="stopped"):
            fresh.snapshot()


def test_a_restored_state_asks_for_old_roots_and_passes_over_what_nobody_knows() -> None:
    acceptance, leaves = _line()
    acceptance.apply("checkpoint", _checkpoint(4, tree_root(leaves)))
    snapshot = acceptance.snapshot()
    alone = Acceptance.restore(snapshot, ORIGIN, LOG_KEY)
    outcome = alone.apply("checkpoint", _checkpoint(2, b"?" * 32))
    assert isinstance(outcome, Accepted)
    assert (outcome.kind, outcome.checked, alone.stopped) == ("late", False, False)
    knowing = Acceptance.restore(snapshot, ORIGIN, LOG_KEY, old_root=lambda size: tree_root(leaves[:size]))
    assert knowing.apply("checkpoint", _checkpoint(2, tree_root(leaves[:2]))).kind == "late"
    assert knowing.apply("checkpoint", _checkpoint(2, b"?" * 32)).kind == "evidence"


def test_old_leaves_leave_the_memory_and_the_roots_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.kernel.acceptance._WINDOW", 4)
    monkeypatch.setattr("ledger.kernel.acceptance._ROOTS_KEPT", 2)
    acceptance, leaves = _line(1)
    for number in range(8):
        for _ in range(2):
            index = acceptance.next_index
            raw = entry_bytes(number, index=index, prev=acceptance.head, term=1)
            acceptance.apply("entry", raw)
            leaves.append(leaf_hash(raw))
        raw = seal_bytes(index=acceptance.next_index, prev=acceptance.head, term=1, seal=acceptance.next_seal)
        assert acceptance.apply("entry", raw).kind == "entry"
        leaves.append(leaf_hash(raw))
        size = acceptance.final
        assert acceptance.apply("checkpoint", _checkpoint(size, tree_root(leaves))).kind == "checkpoint"
        assert acceptance.frontier.root() == tree_root(leaves)
    assert acceptance.root_at(5) is None
    assert acceptance.leaf(5) is None
    assert acceptance.root_at(len(leaves) + 1) is None
    assert acceptance.root_at(0) == tree_root([])
    known = [size for size in range(1, len(leaves) + 1) if acceptance.root_at(size) is not None]
    assert len(known) >= 4
    for size in known:
        assert acceptance.root_at(size) == tree_root(leaves[:size])


def test_a_record_whose_bytes_are_of_another_kind_is_dead() -> None:
    acceptance, leaves = _line()
    receipt = sign_statement(Receipt(ORIGIN, "dialler", 0, 1, ZERO, 4, tree_root(leaves)), LOG)
    entry = entry_bytes(1, index=4, prev=acceptance.head, term=1)
    for kind, value in (
        ("entry", term_bytes(2, 4, acceptance.head)),
        ("entry", receipt),
        ("term", entry),
        ("term", receipt),
        ("checkpoint", entry),
        ("checkpoint", receipt),
        ("checkpoint", term_bytes(2, 4, acceptance.head)),
        ("receipt", receipt),
        ("", entry),
    ):
        assert acceptance.apply(kind, value).reasons == ("kind",)
    assert acceptance.apply("checkpoint", b"").reasons == ("form",)


def test_a_checkpoint_with_a_second_line_that_does_not_verify_is_dead() -> None:
    acceptance, leaves = _line()
    note = _checkpoint(4, tree_root(leaves))
    other = sign_statement(Checkpoint(ORIGIN, 5, ZERO), LOG).rsplit(b"\n\n", 1)[1]
    assert acceptance.apply("checkpoint", note + other).reasons == ("signature",)
    assert acceptance.apply("checkpoint", note).kind == "checkpoint"


def test_a_signed_text_that_is_no_checkpoint_is_dead_and_no_evidence() -> None:
    from ledger.kernel.note import Note, sign_text

    acceptance, leaves = _line()
    text = Checkpoint(ORIGIN, 4, tree_root(leaves)).text() + "extension\n"
    note = Note(text, (sign_text(text, ORIGIN, LOG),)).encode()
    assert acceptance.apply("checkpoint", note).reasons == ("form",)


def test_a_key_of_another_origin_is_not_taken() -> None:
    with pytest.raises(Refused, match="E_ORIGIN"):
        Acceptance("ledger.example.com/cards/1", LOG_KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "other/0"},
        {"final": "x"},
        {"final": 3},
        {"frontier": []},
        {"frontier": ["00" * 32]},
        {"seal_prev": "zz"},
        {"roots": [[4, "00" * 32]]},
        {"roots": []},
        {"leaves": [7]},
    ],
)
def test_a_snapshot_that_does_not_hold_together_is_refused(change: dict[str, Any]) -> None:
    acceptance, _ = _line()
    with pytest.raises(Refused):
        Acceptance.restore({**acceptance.snapshot(), **change}, ORIGIN, LOG_KEY)
    with pytest.raises(Refused):
        Acceptance.restore({}, ORIGIN, LOG_KEY)
