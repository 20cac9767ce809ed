"""What `record` promises, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, EventRefused, OutboxBusy, OutboxClosed, OutboxFull
from ledger.events.catalogue.case import CaseClosed
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO_HEX, leaf_hash, shard_of
from ledger.kernel.event import parse_event
from ledger.sdk import Recorder
from ledger.sdk.config import ProducerConfig
from ledger.sdk.ids import create_tenant_key
from ledger.testing.producer import recorder, settings

UUID = "0188d3a0-0000-4000-8000-00000000000a"


def test_seqs_have_no_hole_and_each_event_names_the_one_before(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        handles = [case.closed(reason="paid") for _ in range(5)]
        rows = made._outbox.rows(0, 0, 100)
    prev = ZERO_HEX
    for number, (row, handle) in enumerate(zip(rows, handles, strict=True)):
        event = parse_event(row.event)
        assert event["producerseq"] == canonical.counter(number)
        assert event["producerprev"] == prev
        assert (handle.seq, handle.id, handle.recorded) == (number, event["id"], True)
        prev = leaf_hash(row.event).hex()
        assert handle.digest.hex() == prev


def test_the_chain_goes_on_when_the_outbox_is_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        with recorder(settings(tmp_path)) as made:
            assert made.case(account="1").closed(reason="paid").seq == number


def test_a_case_goes_to_its_shard_and_staff_to_every_shard(tmp_path: Path) -> None:
    with recorder(settings(tmp_path, shards=3)) as made:
        for account in range(20):
            handle = made.case(account=str(account)).closed(reason="paid")
            assert handle.shard == shard_of(handle.subject, 3)
            assert handle.copies == ()
        first = made.staff(UUID).qualified(kind="exam", valid_from="2026-01-01")
        assert [copy.shard for copy in first.copies] == [0, 1, 2]
        assert len({copy.id for copy in first.copies}) == 3
        again = made.staff(UUID).qualified(kind="exam", valid_from="2026-01-02", corrects=first)
        for copy in again.copies:
            row = made._outbox.rows(copy.shard, copy.seq, 1)[0]
            assert canonical.decode(row.event)["corrects"] == first.in_shard(copy.shard)


def test_a_batch_is_recorded_at_its_end_or_not_at_all(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        with made.batch() as said:
            one = case.closed(reason="paid")
            assert not one.recorded
            assert made.status().pending == 0
            case.closed(reason="paid")
        assert [event.seq for event in said] == [0, 1]

        def interrupted(reason: str) -> None:
            with made.batch():
                case.closed(reason="paid")
                case.closed(reason=reason)  # type: ignore[arg-type]
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            interrupted("paid")
        with pytest.raises(EventRefused):
            interrupted("no such reason")
        assert made.status().pending == 2
        assert case.closed(reason="paid").seq == 2


def test_a_batch_in_a_batch_is_a_mistake(tmp_path: Path) -> None:
    with (
        recorder(settings(tmp_path)) as made,
        made.batch(),
        pytest.raises(RuntimeError, match="open in this thread"),
        made.batch(),
    ):
        pass


def test_a_bookmark_is_kept_with_the_events_or_not_at_all(tmp_path: Path) -> None:
    with recorder(settings(tmp_path, outbox_events=3)) as made:
        subject = made.case(account="1").subject

        def drafts(count: int) -> list[list[object]]:
            return [made.draft(CaseClosed(reason="paid"), subject=subject) for _ in range(count)]  # type: ignore[misc]

        assert made.bookmark("import") is None
        made.record_many(drafts(2), bookmark=("import", b"2"))  # type: ignore[arg-type]
        with pytest.raises(OutboxFull, match="NOT recorded"):
            made.record_many(drafts(2), bookmark=("import", b"4"))  # type: ignore[arg-type]
        assert made.bookmark("import") == b"2"
    with recorder(settings(tmp_path)) as made:
        assert made.bookmark("import") == b"2"
        assert made.status().pending == 2
        assert made.record_many([], bookmark=("import", b"end")) == []
        assert made.bookmark("import") == b"end"


def test_at_its_limit_the_outbox_is_full_and_says_so(tmp_path: Path) -> None:
    with recorder(settings(tmp_path, outbox_events=2)) as made:
        case = made.case(account="1")
        case.closed(reason="paid")
        case.closed(reason="paid")
        with pytest.raises(OutboxFull, match=r"limit is 2. NOT recorded"):
            case.closed(reason="paid")
        assert made.status().pending == 2


def test_a_closed_recorder_records_nothing(tmp_path: Path) -> None:
    made = recorder(settings(tmp_path))
    case = made.case(account="1")
    made.close()
    made.close()
    with pytest.raises(OutboxClosed, match="NOT recorded"):
        case.closed(reason="paid")
    with pytest.raises(OutboxClosed):
        made.bookmark("x")


def test_a_second_recorder_on_one_outbox_is_refused(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        with pytest.raises(OutboxBusy, match="NOT recorded"):
            recorder(settings(tmp_path))
        made.case(account="1").closed(reason="paid")
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == 1


def test_an_event_above_48_kib_is_refused(tmp_path: Path) -> None:
    with recorder(settings(tmp_path)) as made:
        case = made.case(account="1")
        with pytest.raises(EventRefused, match="E_LIMIT"):
            case.inbound_received(sender="+441", medium="email", summary="question", words="x" * 50_000)
        assert case.closed(reason="paid").seq == 0


@pytest.mark.parametrize(
    "changes",
    [{"epoch": 1}, {"producer": "dialler-2"}, {"shards": 2}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_outbox_serves_one_feed(tmp_path: Path, changes: dict[str, object]) -> None:
    recorder(settings(tmp_path)).close()
    with pytest.raises(ConfigurationError, match=next(iter(changes)).removesuffix("s")):
        recorder(settings(tmp_path, **changes))  # type: ignore[arg-type]


def test_a_recorder_opens_from_its_file(tmp_path: Path) -> None:
    from ledger.custody.file import FileSigner
    from ledger.log.port import create_log

    config = settings(tmp_path)
    create_log(config.log)
    FileSigner.create(config.signing_key)
    create_tenant_key(config.tenant_key)
    path = tmp_path / "dialler.toml"
    path.write_text(config.to_toml())
    with Recorder.open(path) as made:
        assert made.config == ProducerConfig.load(path)
        case = made.case(account="8841-2231")
        assert case.call_placed(to="+441", purpose="interactive", outcome="no_answer").seq == 0
        assert "dialler-1" in repr(made)
    config.signing_key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Recorder.open(path)
