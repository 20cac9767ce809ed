"""Starting: what the log holds, what of it stands, and the term note that says who goes on (formats 4.2).

This is the ordinary way in, after a crash or not: read the partition to its end, apply what is sealed, validate what
lies beyond, take the term at the first entry that fails or at the end, and read the own note back. Nothing here
trusts what a former life of the process believed, but a snapshot that leads to its checkpoint."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.errors import DuecourseError, LogUnavailable, Misbehaviour, Refused, StoreDamaged, Superseded
from ledger.kernel.acceptance import Acceptance, Accepted, Dead, Evidence
from ledger.kernel.checkpoint import Checkpoint, Receipt, TermNote, open_statement, sign_statement
from ledger.kernel.digest import EMPTY_ROOT
from ledger.kernel.entry import SEAL, Entry
from ledger.kernel.event import LEDGER, short_type
from ledger.kernel.headmap import head_value, stream_key
from ledger.kernel.keys import Signer
from ledger.kernel.note import VerifierKey
from ledger.kernel.orders import ORDERS
from ledger.kernel.validation import Validation
from ledger.log.port import Record, ShardLog
from ledger.sequencer import snapshot as snapshots
from ledger.sequencer.orders import Order
from ledger.sequencer.publish import Run
from ledger.sequencer.snapshot import Snapshot
from ledger.sequencer.step import Feed, Orders, Position, said
from ledger.sequencer.tail import runs_of

READ_RECORDS = 1000
LOOKS_MAX = 250
LOOK_S = 0.02


@dataclass(slots=True)
class State:
    """A shard as it was read: `cursor` behind the last record, `start` the size that the second path begins at."""

    acceptance: Acceptance
    validation: Validation
    cursor: int = 0
    submissions: int = 0
    start: int = 0
    start_root: bytes = EMPTY_ROOT
    checkpoint: bytes | None = None
    seal: bytes | None = None
    seal_cursor: int = -1
    # Where the entries from `start` on stand, up to the last seal and behind it.
    sealed_runs: list[Run] = field(default_factory=list)
    open_runs: list[Run] = field(default_factory=list)
    # The feeds as the last seal found them: what receipts may say.
    covered: dict[Feed, Position] = field(default_factory=dict)
    orders: Orders = field(default_factory=dict)
    # The last event of each feed among the entries that no seal covers yet.
    unsealed: dict[Feed, int] = field(default_factory=dict)
    dead: Counter[str] = field(default_factory=Counter)
    fault: Refused | None = None
    # The checkpoint of a snapshot that was of no other use.
    remembered: bytes | None = None


def empty(origin: str, log_key: VerifierKey, check_event: Callable[[dict[str, Any]], None]) -> State:
    return State(Acceptance(origin, log_key), Validation(origin, log_key, check_event))


def from_snapshot(
    found: Snapshot, origin: str, log_key: VerifierKey, check_event: Callable[[dict[str, Any]], None]
) -> State | None:
    """The state in a snapshot, or None where it does not lead to its own checkpoint's root and seal's map root."""
    try:
        checkpoint = open_statement(found.checkpoint, log_key, Checkpoint)
        acceptance = Acceptance.restore(found.acceptance, origin, log_key)
        validation = Validation.load(found.validation, origin, log_key, check_event)
        seal = Entry.parse(found.seal)
    except (DuecourseError, ValueError, KeyError, TypeError, IndexError, OverflowError):
        return None
    if (
        checkpoint.size != acceptance.final
        or checkpoint.size != acceptance.next_index
        or checkpoint.root != acceptance.root_at(checkpoint.size)
        or seal.leaf != acceptance.head
        or seal.index != checkpoint.size - 1
        or seal.event["data"].get("root") != _remade_map_root(validation).hex()
        or validation.next_index != checkpoint.size
    ):
        return None
    return State(
        acceptance,
        validation,
        cursor=found.cursor + 1,
        seal_cursor=found.cursor,
        submissions=found.submissions,
        start=checkpoint.size,
        start_root=checkpoint.root,
        checkpoint=found.checkpoint,
        seal=found.seal,
        covered=positions(validation),
        orders=dict(found.orders),
    )


def _remade_map_root(validation: Validation) -> bytes:
    """The head map's root, made again from what is known of each stream; empty where the map holds anything else."""
    head_map, streams = validation.head_map, validation.streams
    if len(head_map) != len(streams) - (SEAL in streams):
        return b""
    for subject, (count, leaf, number) in streams.items():
        if subject != SEAL and not head_map.holds(number, stream_key(subject), head_value(count, leaf)):
            return b""
    return head_map.remake()


def read_on(state: State, log: ShardLog, progress: Callable[[int], None] | None = None) -> None:
    """Reads the partition from `state.cursor` to its end, and applies what stands, taking back what a term note cuts
    off. Where an entry that no seal covers does not validate, `state.fault` says why, and `validation.next_index` is
    its index.

    `Misbehaviour` where the log contradicts itself. `StoreDamaged` where an entry that is sealed does not validate:
    no term can cut it off."""
    acceptance, validation = state.acceptance, state.validation
    sealed: list[int] = []
    unsealed: list[tuple[int, Feed, int]] = []
    while records := log.records(state.cursor, READ_RECORDS):
        for record in records:
            state.cursor = record.cursor + 1
            outcome = acceptance.apply(record.kind, record.value)
            if isinstance(outcome, Evidence):
                raise Misbehaviour(outcome.note, outcome.contradicts)
            if isinstance(outcome, Dead):
                state.dead.update(outcome.reasons)
            elif outcome.entry is not None:
                unsealed.append((record.cursor, *_apply(state, outcome.entry)))
                if acceptance.final == acceptance.next_index:
                    _settle(state, record)
                    sealed += [cursor for cursor, _, _ in unsealed]
                    unsealed = []
            elif outcome.term is not None:
                del unsealed[acceptance.next_index - acceptance.final :]
                _cut(state)
            elif outcome.kind == "checkpoint":
                state.checkpoint = record.value
        if progress is not None:
            progress(acceptance.next_index)
    del unsealed[validation.next_index - acceptance.final :]
    state.sealed_runs = runs_of(sealed)
    state.open_runs = runs_of([cursor for cursor, _, _ in unsealed])
    state.unsealed = {feed: seq for _, feed, seq in unsealed if feed[0] != LEDGER}


def _apply(state: State, entry: Entry) -> tuple[Feed, int]:
    """Validates an entry behind all that validate, and gives its place in its feed."""
    event = entry.event
    if state.fault is None:
        try:
            state.validation.apply(entry)
        except Refused as error:
            state.fault = error
        else:
            if "at" in event["data"] and short_type(event["type"]) in ORDERS:
                order = Order(event["type"], event["subject"], event["data"])
                state.orders[order.subject, order.data["at"]] = said(order)
            return (event["producerid"], event["producerepoch"]), int(event["producerseq"])
    return (LEDGER, 0), 0


def _cut(state: State) -> None:
    """A term note may have taken entries back."""
    validation, index = state.validation, state.acceptance.next_index
    if index <= validation.next_index:
        state.fault = None
        validation.rollback(index)
        gone = [place for place in state.orders if place[1] >= validation.stream(place[0])[0]]
        for place in gone:
            del state.orders[place]


def _settle(state: State, record: Record) -> None:
    """The record just applied is an accepted seal."""
    if state.fault is not None:
        raise StoreDamaged(f"a sealed entry does not validate: {state.fault}") from state.fault
    state.validation.settle(state.acceptance.final)
    state.seal, state.seal_cursor = record.value, record.cursor
    state.covered = positions(state.validation)


def positions(validation: Validation) -> dict[Feed, Position]:
    """The last consumed seq of each producer's feed, and its digest."""
    return {
        feed: (known.next_seq - 1, known.head)
        for feed, known in validation.feeds.items()
        if feed[0] != LEDGER
    }


def take_term(state: State, log: ShardLog, signer: Signer, holder: bytes, notes: set[bytes]) -> None:
    """Appends a term note for `validation.next_index`, and reads it back as accepted.

    `Superseded` where another's note was accepted first; `LogUnavailable` where the log does not confirm, or where
    writes that were given up for lost landed meanwhile: begin again. `notes` are the notes of this process; this one
    is added. Cuts off what stands behind that index, whoever wrote it: nobody was promised anything of it."""
    acceptance = state.acceptance
    index = state.validation.next_index
    head = acceptance.head if index == acceptance.next_index else _head_before(acceptance, index)
    raw = sign_statement(TermNote(acceptance.origin, acceptance.term + 1, index, head, holder), signer)
    notes.add(raw)
    log.append([("term", raw)])
    looks = 0
    late = False
    while True:
        records = log.records(state.cursor, READ_RECORDS)
        for record in records:
            state.cursor = record.cursor + 1
            outcome = acceptance.apply(record.kind, record.value)
            if isinstance(outcome, Evidence):
                raise Misbehaviour(outcome.note, outcome.contradicts)
            if isinstance(outcome, Dead):
                state.dead.update(outcome.reasons)
            elif outcome.kind == "checkpoint":
                state.checkpoint = record.value
            if record.value == raw:
                if isinstance(outcome, Accepted):
                    # From here the term is ours, and the head is where the validated entries end.
                    return
                if late or "term" not in outcome.reasons:
                    raise LogUnavailable("the log moved while the term was taken")
                raise Superseded("another sequencer took the term first")
            if isinstance(outcome, Accepted) and outcome.term is not None:
                late = record.value in notes
        if not records:
            looks += 1
            if looks > LOOKS_MAX:
                raise LogUnavailable("the log confirmed a term note and does not show it")
            log.wait(state.cursor, "records", LOOK_S)


def _head_before(acceptance: Acceptance, index: int) -> bytes:
    if index == acceptance.final:
        return acceptance.next_seal[1]
    leaf = acceptance.leaf(index - 1)
    assert leaf is not None
    return leaf


def _is_of(state: State, log: ShardLog) -> bool:
    """Does the snapshot's seal stand in this log where the snapshot says?"""
    return [(r.cursor, r.value) for r in log.records(state.seal_cursor, 1)] == [
        (state.seal_cursor, state.seal)
    ]


def open_state(
    log: ShardLog,
    directory: Path | None,
    origin: str,
    log_key: VerifierKey,
    check_event: Callable[[dict[str, Any]], None],
    fits: Callable[[int, bytes], bool],
) -> State:
    """Where reading begins: the snapshot, if there is one, it leads to its checkpoint, its seal stands in the log, and
    the second path can begin there too (`fits`); else the beginning of the log. `state.remembered` is then the
    checkpoint of the snapshot, which is of no other use."""
    remembered: bytes | None = None
    if directory is not None:
        found = snapshots.read(directory, origin)
        state = None if found is None else from_snapshot(found, origin, log_key, check_event)
        if state is not None and _is_of(state, log) and fits(state.start, state.start_root):
            return state
        remembered = None if found is None else found.checkpoint
    if not fits(0, EMPTY_ROOT):
        raise StoreDamaged("the second code path does not begin")
    state = empty(origin, log_key, check_event)
    state.remembered = remembered
    return state


def missing_receipts(
    covered: Mapping[Feed, Position], promised: Mapping[str, Receipt]
) -> dict[Feed, Position]:
    """Feeds whose receipt does not reach what the last seal covers."""
    return {
        feed: position
        for feed, position in covered.items()
        if (known := promised.get(f"{feed[0]}/{feed[1]}")) is None or known.seq != position[0]
    }


def promises(log: ShardLog, log_key: VerifierKey) -> dict[str, Receipt]:
    """The receipts that stand where producers look, by feed: those that the log key signed."""
    found: dict[str, Receipt] = {}
    for feed, raw in log.receipts().items():
        with contextlib.suppress(Refused):
            found[feed] = open_statement(raw, log_key, Receipt)
    return found


def check_promises(
    acceptance: Acceptance, notes: Iterable[bytes | None], receipts: Iterable[Receipt], log_key: VerifierKey
) -> None:
    """`StoreDamaged` where the log key has signed for more than the log holds, or for something else: an older copy
    of the log was put in its place, or another one. Going on would sign a second history."""
    said = [(receipt.size, receipt.root, "a receipt") for receipt in receipts]
    for note in notes:
        with contextlib.suppress(DuecourseError):
            checkpoint = open_statement(note or b"", log_key, Checkpoint)
            said.append((checkpoint.size, checkpoint.root, "a checkpoint that was kept"))
    for size, root, what in said:
        if size > acceptance.final:
            raise StoreDamaged(
                f"{what} covers {size} entries, and only {acceptance.final} are sealed in the log: it is an older copy, "
                "or was cut. Restore the newest one; nothing was signed"
            )
        if acceptance.root_at(size) not in (None, root):
            raise StoreDamaged(f"{what} of {size} entries has another root than the log. Nothing was signed")
