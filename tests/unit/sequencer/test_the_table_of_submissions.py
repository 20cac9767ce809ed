"""What happens to what is handed in (docs/formats/ 3)."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.custody.wrapping import WrappedKey, encode_header
from ledger.errors import Refused
from ledger.kernel.checkpoint import Receipt, open_statement
from ledger.kernel.digest import leaf_hash
from ledger.log.port import Submission
from ledger.testing.history import Tool, case, event_id
from ledger.testing.rig import Rig
from ledger.vault.port import StoredKey


def founded(shard: Rig) -> Tool:
    shard.found()
    return shard.register("dialler")


def types(shard: Rig) -> list[str]:
    return [entry.event["type"].split(".")[-2] for entry in shard.accepted() if entry.subject != "seal"]


def receipt(shard: Rig, feed: str = "dialler/0") -> Receipt:
    raw = shard.front.receipt(feed)
    assert raw is not None
    return open_statement(raw, shard.log_key, Receipt)


def test_the_next_event_becomes_an_entry_and_is_receipted(shard: Rig) -> None:
    tool = founded(shard)
    flush = tool.flush(case(1), case(2), case(1))
    shard.submit(flush)
    done = shard.sequencer().drain()
    assert (done.size, done.sealed) == (6, 6)
    assert receipt(shard).seq == 2
    assert receipt(shard).digest == leaf_hash(flush[2][0])
    assert receipt(shard).size == 6
    shard.check([event for event, _ in flush])


def test_a_duplicate_is_dropped_and_counted(shard: Rig) -> None:
    tool = founded(shard)
    flush = tool.flush(case(1), case(2))
    for _ in range(5):
        shard.submit(flush)
    sequencer = shard.sequencer()
    sequencer.drain()
    assert sequencer.counts["duplicate"] == 8
    shard.check([event for event, _ in flush])


def test_other_bytes_under_a_consumed_seq_quarantine_the_producer_until_registrars_lift_it(
    shard: Rig,
) -> None:
    tool = founded(shard)
    fork = Tool(tool.origin, "dialler")
    flush = tool.flush(case(1))
    shard.submit(flush)
    shard.submit(fork.sign([fork.event(case(9))]))
    later = tool.flush(case(1))
    shard.submit(later)
    sequencer = shard.sequencer()
    sequencer.drain()
    assert types(shard) == ["founded", "producer_registered", "call_placed", "equivocation_seen"]
    seen = shard.accepted()[-2].event
    assert seen["subject"] == "producer/dialler"
    assert seen["data"]["accepted"] == leaf_hash(flush[0][0]).hex()
    assert seen["data"]["seq"] == "0" * 20
    assert receipt(shard).seq == 0
    # The equivocation stands in the producer's stream, so the lifting order is for place 2.
    shard.order("quarantine_lifted", "producer/dialler", {"at": 2, "reason": "the clone was switched off"})
    shard.submit(later)
    sequencer.drain()
    assert types(shard)[-2:] == ["quarantine_lifted", "call_placed"]
    assert receipt(shard).seq == 1


def test_a_seq_beyond_the_next_makes_no_entry_and_moves_no_receipt(shard: Rig) -> None:
    tool = founded(shard)
    first, second = tool.flush(case(1)), tool.flush(case(1))
    shard.submit(second)
    sequencer = shard.sequencer()
    sequencer.drain()
    assert sequencer.counts["resend"] == 1
    assert shard.front.receipts() == {}
    shard.submit(first, second)
    sequencer.drain()
    assert receipt(shard).seq == 1
    shard.check([first[0][0], second[0][0]])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tenantid": "other"}, "E_KEY_SCOPE"),
        ({"actorcapacity": "law_firm"}, "E_KEY_SCOPE"),
        ({"expectedversion": f"{7:020d}"}, "E_CONTEXT"),
        ({"producerprev": "1" * 64}, "E_CHAIN_BREAK"),
        ({"data": {"refuse": "me"}}, "E_SCHEMA"),
        (
            {"type": "duecourse.payment.received.v1", "dataschema": "urn:duecourse:payment.received:1"},
            "E_KEY_SCOPE",
        ),
    ],
)
def test_what_is_signed_and_not_acceptable_consumes_its_seq(
    shard: Rig, changes: dict[str, Any], code: str
) -> None:
    def check(event: dict[str, Any]) -> None:
        if "refuse" in event["data"]:
            raise Refused("E_SCHEMA", "not in this test", "/data/refuse")

    shard.check_event = check
    tool = founded(shard)
    bad = tool.event(case(1), **changes)
    good = tool.event(case(1))
    shard.submit(tool.sign([bad, good]))
    shard.sequencer().drain()
    rejected = next(entry for entry in shard.accepted() if entry.subject == "refused/dialler")
    assert rejected.event["data"] == {
        "code": code,
        "digest": leaf_hash(bad).hex(),
        "epoch": 0,
        "seq": "0" * 20,
    }
    assert types(shard)[-1] == "call_placed"
    assert receipt(shard).seq == 1
    shard.check([good])


def test_what_no_registered_producer_signed_goes_to_the_dead_letters(shard: Rig) -> None:
    tool = founded(shard)
    stranger = Tool(tool.origin, "stranger")
    elsewhere = Tool("another.example.com/0", "dialler", key="dialler")
    shard.submit(stranger.flush(case(1)), elsewhere.flush(case(1)))
    shard.front.submit([Submission("case", b"not even JSON", b"{}"), Submission("x", b"", b"", kind="gift")])
    good = tool.flush(case(1))
    shard.submit(good)
    sequencer = shard.sequencer()
    sequencer.drain()
    reasons = [letter.reason for letter in shard.front.dead_letters()]
    assert len(reasons) == 4 == sequencer.counts["dead_letters"]
    assert reasons[0].startswith("E_KEY_UNKNOWN")
    assert reasons[1].startswith("E_SIG")
    shard.check([good[0][0]])


def test_a_forged_proof_is_dead_and_the_true_one_still_enters(shard: Rig) -> None:
    tool = founded(shard)
    flush = tool.flush(*[case(i) for i in range(64)])
    forged = [(event, proof.replace(b'"signature":"', b'"signature":"AA')[:-2]) for event, proof in flush]
    swapped = [(flush[0][0], flush[1][1]), (flush[1][0], flush[0][1])]
    shard.submit(forged, swapped, flush)
    shard.sequencer().drain()
    assert shard.front.dead_letter_count() == 66
    shard.check([event for event, _ in flush])


def test_a_submission_that_makes_the_sequencer_stumble_does_not_stop_the_others(shard: Rig) -> None:
    def check(event: dict[str, Any]) -> None:
        if event["subject"] == case(500):
            raise RuntimeError("a fault of ours")

    shard.check_event = check
    tool, other = founded(shard), shard.register("gateway")
    events = [tool.event(case(i)) for i in range(500)]
    shard.submit(*[tool.sign(events[at : at + 50]) for at in range(0, 500, 50)])
    shard.submit(tool.flush(case(500)))
    rest = [other.event(case(i)) for i in range(499)]
    shard.submit(*[other.sign(rest[at : at + 50]) for at in range(0, 499, 50)])
    sequencer = shard.sequencer()
    sequencer.drain()
    assert sequencer.counts["unexpected"] == 0
    assert [letter.reason for letter in shard.front.dead_letters()] == ["unexpected RuntimeError"]
    shard.check([*events, *rest])


def test_wrapped_keys_reach_the_vault_before_the_seal(shard: Rig) -> None:
    kept: list[StoredKey] = []
    seals: list[int] = []

    def store(keys: Any) -> None:
        seals.append(sum(entry.subject == "seal" for entry in shard.accepted()))
        kept.extend(keys)

    tool = founded(shard)
    key = WrappedKey(event_id(1), event_id(2), case(1), bytes(80))
    shard.submit(tool.flush(case(1), case(1)), wrapped=encode_header([key]))
    shard.submit(tool.flush(case(1)), wrapped=b"no header")
    sequencer = shard.sequencer(store_wrapped=store)
    sequencer.drain()
    assert kept == [StoredKey(shard.origin, "dialler", key)]
    assert seals == [0]
    assert sequencer.counts["wrapped_keys_unreadable"] == 1
    assert receipt(shard).seq == 2


def test_nothing_is_sealed_while_the_vault_does_not_take_the_keys(shard: Rig) -> None:
    tool = founded(shard)
    key = WrappedKey(event_id(1), "", case(1), bytes(80))
    shard.submit(tool.flush(case(1)), wrapped=encode_header([key]))
    calls: list[int] = []

    def store(keys: Any) -> None:
        calls.append(len(keys))
        if len(calls) < 3:
            raise OSError("the vault's disk is full")

    sequencer = shard.sequencer(store_wrapped=store)
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            sequencer.drain()
        assert shard.front.receipts() == {}
    sequencer.drain()
    assert calls == [1, 1, 1]
    assert receipt(shard).seq == 0
    shard.check()


def test_keys_of_entries_that_a_dead_sequencer_left_unsealed_reach_the_vault_before_they_are_sealed(
    shard: Rig,
) -> None:
    tool = founded(shard)
    kept: list[StoredKey] = []
    key = WrappedKey(event_id(1), "", case(1), bytes(80))
    shard.submit(tool.flush(case(1)), wrapped=encode_header([key]))
    first = shard.sequencer(cadence_s=1000.0)
    first.step()
    assert first.size == 3
    assert kept == []

    def store(keys: Any) -> None:
        assert not shard.values("checkpoint"), "sealed before the vault had the key"
        kept.extend(keys)

    second = shard.sequencer(store_wrapped=store, batch=1)
    second.step()
    assert second.sealed == 0, "its submissions are read again first"
    second.drain()
    assert kept == [StoredKey(shard.origin, "dialler", key)]
    assert second.counts["duplicate"] == 3
    shard.check()
