"""From the outbox to the ledger: in order, again and again, until a signed receipt covers it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LogUnavailable, NotRecorded, OutboxCorrupt, OutboxFull
from ledger.kernel import canonical
from ledger.kernel.checkpoint import Receipt, sign_statement
from ledger.kernel.digest import leaf_hash
from ledger.kernel.flush import FlushVerifier, Proof
from ledger.log.faulty import FaultyLog, seeded
from ledger.log.port import Record, ShardLog, Submission
from ledger.sdk import Alarm, Recorder, Rejection
from ledger.sdk.config import DeliverySettings
from ledger.testing.history import NAME, signer
from ledger.testing.producer import PRODUCER, recorder, settings

FEED = f"{PRODUCER}/0"


class Wire:
    """A log that does as it is told. `submitted` is what arrived; receipts come when the test says so."""

    def __init__(self) -> None:
        self.submitted: list[Submission] = []
        self.batches: list[int] = []
        self.notes: dict[str, bytes] = {}
        self.down = False
        self.lose_reply = False
        self.opened = self.closed = 0
        self.shard = 0

    def open(self, shard: int, _role: str) -> ShardLog:
        self.opened += 1
        self.shard = shard
        if self.down:
            raise LogUnavailable("down")
        return self  # type: ignore[return-value]

    def submit(self, batch: Sequence[Submission]) -> None:
        if self.down:
            raise LogUnavailable("down")
        self.submitted += batch
        self.batches.append(len(batch))
        if self.lose_reply:
            self.lose_reply = False
            raise LogUnavailable("the reply was lost")

    def receipt(self, feed: str) -> bytes | None:
        if self.down:
            raise LogUnavailable("down")
        return self.notes.get(feed)

    def end(self) -> int:
        return 0

    def records(self, _cursor: int, _limit: int) -> list[Record]:
        return []

    def close(self) -> None:
        self.closed += 1

    # -- what the test does

    def give(self, seq: int, digest: bytes | None = None, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "origin": f"{NAME}/0",
            "producerid": PRODUCER,
            "epoch": 0,
            "seq": seq,
            "digest": digest if digest is not None else self.digest_of(seq),
            "size": 1000 + seq,
            "root": bytes(32),
        }
        note = sign_statement(Receipt(**{**values, **changes}), signer("LOG"))
        self.notes[FEED] = note
        return note

    def digest_of(self, seq: int) -> bytes:
        return leaf_hash(next(s.value for s in self.submitted if seq_of(s) == seq))


def seq_of(submission: Submission) -> int:
    return int(canonical.decode(submission.value)["producerseq"])


def seqs(wire: Wire) -> list[int]:
    return [seq_of(s) for s in wire.submitted]


def settle(**changes: Any) -> DeliverySettings:
    values: dict[str, Any] = {"mode": "manual", "close_timeout_s": 0, "linger_s": 0}
    return DeliverySettings(**{**values, **changes})


def say(made: Recorder, count: int) -> None:
    case = made.case(account="1")
    with made.batch():
        for _ in range(count):
            case.closed(reason="paid")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def clocked(made: Recorder) -> Clock:
    clock = Clock()
    made._delivery._clock = clock
    return clock


def test_flushes_verify_and_hold_as_many_events_as_the_settings_say(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path, delivery=settle(flush_events=4)), wire.open) as made:
        say(made, 10)
        assert made.deliver_once().sent == 10
    verifier = FlushVerifier()
    for submission in wire.submitted:
        proof = Proof.parse(submission.proof)
        verifier.verify(proof, leaf_hash(submission.value), f"{NAME}/0", PRODUCER)
        assert proof.key == signer(PRODUCER).public_key
    assert [Proof.parse(s.proof).size for s in wire.submitted] == [4] * 8 + [2] * 2
    assert {s.subject for s in wire.submitted} == {made.case(account="1").subject}


def test_an_event_stays_until_a_receipt_covers_it(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 5)
        made.deliver_once()
        assert made.status().pending == 5
        wire.give(2)
        assert made.deliver_once()[1:] == (3, 0, 2)
        assert made.deliver_once()[:2] == (0, 0)
        wire.give(4)
        assert made.deliver_once().pending == 0
    assert seqs(wire) == [0, 1, 2, 3, 4]
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 1)
        made.deliver_once()
    assert seqs(wire)[-1] == 5
    event = canonical.decode(wire.submitted[-1].value)
    assert event["producerprev"] == wire.digest_of(4).hex()


def test_after_a_restart_everything_without_a_receipt_is_sent_again(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 3)
        made.deliver_once()
        wire.give(0)
        made.deliver_once()
    with recorder(settings(tmp_path), wire.open) as made:
        made.deliver_once()
    assert seqs(wire) == [0, 1, 2, 1, 2]
    assert wire.submitted[1].value == wire.submitted[3].value


def test_a_log_that_is_down_loses_nothing_and_is_asked_less_and_less_often(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        clock = clocked(made)
        say(made, 2)
        wire.down = True
        attempts = 0
        for _ in range(600):
            clock.now += 0.1
            before = wire.opened
            try:
                made.deliver_once()
            except LogUnavailable:
                attempts += 1
            assert wire.opened - before <= 1
        assert 5 <= attempts <= 20
        wire.down = False
        clock.now += 60
        assert made.deliver_once().sent == 2
    assert seqs(wire) == [0, 1]


def test_a_lost_reply_leads_to_a_resend_of_the_same_bytes(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        clock = clocked(made)
        say(made, 3)
        wire.lose_reply = True
        with pytest.raises(LogUnavailable):
            made.deliver_once()
        clock.now += 10
        made.deliver_once()
    assert seqs(wire) == [0, 1, 2, 0, 1, 2]
    assert [s.value for s in wire.submitted[:3]] == [s.value for s in wire.submitted[3:]]


def test_without_receipts_it_sends_again_after_a_while_and_raises_an_alarm(tmp_path: Path) -> None:
    wire, alarms = Wire(), []
    config = settings(tmp_path, delivery=settle(resend_after_s=30, alarm_after_s=60))
    with recorder(config, wire.open, on_alarm=alarms.append) as made:
        clock = clocked(made)
        say(made, 2)
        made.deliver_once()
        clock.now += 29
        made.deliver_once()
        assert seqs(wire) == [0, 1]
        clock.now += 2
        made.deliver_once()
        assert seqs(wire) == [0, 1, 0, 1]
        for _ in range(20):
            clock.now += 30
            made.deliver_once()
        assert len(wire.submitted) < 20
    assert [alarm.kind for alarm in alarms] == ["no_receipt"]


def test_what_is_in_flight_is_bounded(tmp_path: Path) -> None:
    wire = Wire()
    config = settings(tmp_path, delivery=settle(in_flight=10, batch_events=4))
    with recorder(config, wire.open) as made:
        say(made, 25)
        assert made.deliver_once().sent == 10
        assert made.deliver_once().sent == 0
        assert made.status().in_flight == 10
        wire.give(5)
        assert made.deliver_once()[:2] == (6, 6)
    assert max(wire.batches) <= 4
    assert seqs(wire) == list(range(16))


def test_back_pressure_reaches_the_application(tmp_path: Path) -> None:
    wire = Wire()
    config = settings(tmp_path, outbox_events=5)
    with recorder(config, wire.open) as made:
        say(made, 5)
        with pytest.raises(OutboxFull, match="NOT recorded"):
            say(made, 1)
        made.deliver_once()
        wire.give(4)
        made.deliver_once()
        say(made, 5)


def damaged(note: bytes) -> bytes:
    lines = note.split(b"\n")
    lines[5] = b"9999"
    return b"\n".join(lines)


@pytest.mark.parametrize(
    "make",
    [
        lambda wire: damaged(wire.give(2)),
        lambda wire: wire.give(2, origin=f"{NAME}/1"),
        lambda wire: wire.give(2, producerid="dialler-2"),
        lambda wire: wire.give(2, epoch=1),
        lambda wire: sign_statement(
            Receipt(f"{NAME}/0", PRODUCER, 0, 2, wire.digest_of(2), 9, bytes(32)), signer("not the log")
        ),
        lambda wire: b"nonsense",
        lambda wire: b"",
    ],
    ids=["changed", "other-shard", "other-producer", "other-epoch", "other-key", "nonsense", "empty"],
)
def test_a_receipt_that_the_log_did_not_sign_for_us_covers_nothing_and_is_kept(
    tmp_path: Path, make: Callable[[Wire], bytes]
) -> None:
    wire, alarms = Wire(), []
    with recorder(settings(tmp_path), wire.open, on_alarm=alarms.append) as made:
        say(made, 3)
        made.deliver_once()
        wire.notes[FEED] = note = make(wire)
        for _ in range(3):
            assert made.deliver_once().covered == 0
        assert made.status().pending == 3
        (alarm,) = made.alarms()
        assert alarms == [alarm]
        assert (alarm.kind, alarm.note) == ("bad_receipt", note)
        wire.give(2)
        assert made.deliver_once().covered == 3


def test_a_receipt_for_other_bytes_stops_the_outbox_for_good(tmp_path: Path) -> None:
    wire, alarms = Wire(), []
    with recorder(settings(tmp_path), wire.open, on_alarm=alarms.append) as made:
        say(made, 3)
        made.deliver_once()
        note = wire.give(2, digest=bytes(32))
        with pytest.raises(OutboxCorrupt, match="second installation"):
            made.deliver_once()
        with pytest.raises(OutboxCorrupt, match="NOT recorded"):
            say(made, 1)
        assert made.status().failed
    assert [(a.kind, a.note) for a in alarms] == [("outbox_diverged", note)]
    with recorder(settings(tmp_path), wire.open) as made, pytest.raises(OutboxCorrupt, match="NOT recorded"):
        say(made, 1)


def test_an_older_copy_of_the_outbox_is_found_by_the_receipt(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 1)
    before = {p: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 3)
        made.deliver_once()
        wire.give(3)
    for path, content in before.items():
        path.write_bytes(content)
    with recorder(settings(tmp_path), wire.open) as made:
        with pytest.raises(OutboxCorrupt, match="an older copy"):
            made.deliver_once()
        with pytest.raises(OutboxCorrupt, match="NOT recorded"):
            say(made, 1)


def test_a_new_outbox_in_the_place_of_a_lost_one_is_refused_before_anything_is_recorded(
    tmp_path: Path,
) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 3)
        made.deliver_once()
        wire.give(2)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(OutboxCorrupt, match="a new file in the place of a lost one"):
        recorder(settings(tmp_path), wire.open)


def test_a_new_outbox_begins_though_the_log_does_not_answer_and_is_looked_at_later(tmp_path: Path) -> None:
    wire = Wire()
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 3)
        made.deliver_once()
        wire.give(2)
    for path in tmp_path.iterdir():
        path.unlink()
    wire.down = True
    with recorder(settings(tmp_path), wire.open) as made:
        say(made, 1)
        wire.down = False
        with pytest.raises(OutboxCorrupt):
            made.deliver_once()


def test_a_thread_delivers_in_the_background(tmp_path: Path) -> None:
    wire = Wire()
    config = settings(
        tmp_path, delivery=settle(mode="background", poll_s=0.02, linger_s=0.005, close_timeout_s=5)
    )
    with recorder(config, wire.open) as made:
        say(made, 3)
        deadline = time.monotonic() + 10
        while len(wire.submitted) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        wire.give(2)
        assert made.flush(10)
        say(made, 2)
        assert not made.flush(0.1)
    # Closing sends the rest.
    assert seqs(wire)[:5] == [0, 1, 2, 3, 4]


def test_closing_without_a_log_is_quick_and_keeps_everything(tmp_path: Path) -> None:
    wire = Wire()
    wire.down = True
    config = settings(tmp_path, delivery=settle(mode="background", poll_s=0.02, close_timeout_s=0.5))
    started = time.monotonic()
    with recorder(config, wire.open) as made:
        say(made, 3)
    assert time.monotonic() - started < 5
    with recorder(settings(tmp_path), wire.open) as made:
        assert made.status().pending == 3


def test_one_shard_that_is_down_does_not_hold_up_the_others(tmp_path: Path) -> None:
    wires = {shard: Wire() for shard in range(3)}
    wires[1].down = True
    config = settings(tmp_path, shards=3)
    with recorder(config, lambda shard, role: wires[shard].open(shard, role)) as made:
        for account in range(30):
            made.case(account=str(account)).closed(reason="paid")
        with pytest.raises(LogUnavailable):
            made.deliver_once()
    assert not wires[1].submitted
    assert len(wires[0].submitted) + len(wires[2].submitted) + made._outbox.feed(1).next_seq == 30
    for shard in (0, 2):
        assert seqs(wires[shard]) == list(range(len(wires[shard].submitted)))


def test_an_alarm_whose_callback_raises_is_kept_all_the_same(tmp_path: Path) -> None:
    wire = Wire()

    def raises(_alarm: Alarm) -> None:
        raise ZeroDivisionError

    with recorder(settings(tmp_path), wire.open, on_alarm=raises) as made:
        say(made, 1)
        wire.notes[FEED] = b"nonsense"
        assert made.deliver_once().sent == 1
        assert len(made.alarms()) == 1


# -- with a real sequencer ---------------------------------------------------------------------------------


def real(shard: Any, tmp_path: Path, **options: Any) -> Recorder:
    config = settings(tmp_path / "tool", delivery=settle(), log=shard.rig.config)
    config.outbox.parent.mkdir(exist_ok=True)
    return recorder(config, None, **options)


def test_what_is_recorded_reaches_the_ledger_once_and_in_order(shard: Any, tmp_path: Path) -> None:
    with real(shard, tmp_path) as made:
        case = made.case(account="1")
        ids = [case.call_placed(to="+441", purpose="legal", outcome="busy").id for _ in range(200)]
        ids.append(
            case.message_sent(
                to="+441", medium="sms", kind="reminder", template="r@1", visibility="private"
            ).id
        )
        made.deliver_once()
        shard.work()
        assert made.flush(5)
        assert made.status().pending == 0
    assert [event["id"] for event in shard.events()] == ids
    shard.rig.check()


def test_sending_everything_again_changes_nothing(shard: Any, tmp_path: Path) -> None:
    for _ in range(3):
        with real(shard, tmp_path) as made:
            made.case(account="1").closed(reason="paid")
            made.deliver_once()
    shard.work()
    with real(shard, tmp_path) as made:
        assert made.flush(5)
    assert len(shard.events()) == 3
    shard.rig.check()


@pytest.mark.parametrize("seed", range(6))
def test_over_a_log_that_loses_replies_tears_and_repeats_everything_arrives_once(
    shard: Any, tmp_path: Path, seed: int
) -> None:
    plan = seeded(seed, 0.5, 40)

    def open_shard(_shard: int, role: str) -> ShardLog:
        return FaultyLog(shard.rig.open_log(role), plan)

    config = settings(tmp_path, delivery=settle(batch_events=7, flush_events=3))
    ids = []
    with recorder(config, open_shard) as made:
        clock = clocked(made)
        case = made.case(account="1")
        for number in range(60):
            ids.append(case.closed(reason="paid").id)
            clock.now += 40
            with contextlib.suppress(LogUnavailable):
                made.deliver_once()
            if number % 5 == 0:
                shard.work()
        for _ in range(100):
            clock.now += 700
            with contextlib.suppress(LogUnavailable):
                made.deliver_once()
            shard.work()
        assert made.status().pending == 0
        assert [a.kind for a in made.alarms() if a.kind != "no_receipt"] == []
    assert [event["id"] for event in shard.events()] == ids
    shard.rig.check()


def test_a_refused_event_comes_back_with_its_code(shard: Any, tmp_path: Path) -> None:
    refused: list[Rejection] = []
    with real(shard, tmp_path, on_rejected=refused.append) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        wrong = case.closed(reason="paid", expected_version=7)
        out_of_scope = case.payment_received(
            amount=1, currency="CNY", method="cash", payer="debtor", allocation=[]
        )
        last = case.closed(reason="sold")
        made.deliver_once()
        shard.work()
        assert made.deliver_once().rejected == 2
        assert made.status().pending == 0
        assert [(r.seq, r.event["id"]) for r in refused] == [(1, wrong.id), (2, out_of_scope.id)]
        assert refused[1].code == "E_KEY_SCOPE"
        assert made.rejections() == refused
        assert "paid" not in repr(refused)
    assert [event["id"] for event in shard.events()][-1] == last.id


def test_a_refusal_is_handed_over_until_it_was_taken(shard: Any, tmp_path: Path) -> None:
    calls: list[Rejection] = []

    def fails(rejection: Rejection) -> None:
        calls.append(rejection)
        raise ZeroDivisionError

    with real(shard, tmp_path, on_rejected=fails) as made:
        made.case(account="1").closed(reason="paid", expected_version=7)
        made.deliver_once()
        shard.work()
        made.deliver_once()
        made.deliver_once()
    assert len(calls) == 1
    taken: list[Rejection] = []
    for _ in range(2):
        with real(shard, tmp_path, on_rejected=taken.append) as made:
            made.case(account="1").closed(reason="paid")
            made.deliver_once()
    assert taken == calls


def test_without_the_right_to_read_refusals_are_not_looked_for(shard: Any, tmp_path: Path) -> None:
    opened: list[str] = []

    def open_shard(_shard: int, role: str) -> ShardLog:
        opened.append(role)
        return shard.rig.open_log(role)  # type: ignore[no-any-return]

    config = settings(tmp_path, delivery=settle(rejections="off"))
    with recorder(config, open_shard) as made:
        made.case(account="1").closed(reason="paid", expected_version=7)
        made.deliver_once()
        shard.work()
        assert made.deliver_once()[1:3] == (1, 0)
        assert made.rejections() == []
    assert "reader" not in opened


def test_keys_that_travelled_with_a_refused_event_travel_again(shard: Any, tmp_path: Path) -> None:
    sms: Mapping[str, Any] = {"medium": "sms", "kind": "reminder", "template": "r@1", "visibility": "private"}
    with real(shard, tmp_path) as made:
        case = made.case(account="1")
        case.message_sent(to="+441", expected_version=9, **sms)
        made.deliver_once()
        shard.work()
        made.deliver_once()
        case.message_sent(to="+441", **sms)
        case.message_sent(to="+441", **sms)
        rows = made._outbox.rows(0, 1, 2)
    assert [bool(row.wrapped) for row in rows] == [True, False]


def test_a_cloned_installation_is_noticed(shard: Any, tmp_path: Path) -> None:
    with real(shard, tmp_path) as made:
        made.case(account="1").closed(reason="paid")
    clone = tmp_path / "clone"
    clone.mkdir()
    for path in (tmp_path / "tool").iterdir():
        (clone / path.name).write_bytes(path.read_bytes())
    cloned = settings(clone, delivery=settle(), log=shard.rig.config)
    with real(shard, tmp_path) as one, recorder(cloned, None) as two:
        one.case(account="1").closed(reason="paid")
        two.case(account="1").closed(reason="sold")
        one.deliver_once()
        two.deliver_once()
        shard.work()
        assert one.flush(5)
        with pytest.raises(OutboxCorrupt, match="second installation"):
            two.deliver_once()
        with pytest.raises(NotRecorded):
            two.case(account="1").closed(reason="sold")
        # The ledger has seen two events for one place, and trusts this producer no more.
        one.case(account="1").closed(reason="paid")
        one.deliver_once()
        shard.work()
        assert not one.flush(0.05)
