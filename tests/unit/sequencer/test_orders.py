"""Registrars' orders: made, approved, carried out once, and refused where they should be."""

from __future__ import annotations

import pytest

from ledger.errors import Refused
from ledger.sequencer import orders
from ledger.testing.history import case, signer
from ledger.testing.rig import Rig

REASON = {"at": 1, "reason": "the clock was a day ahead"}


def subjects(shard: Rig) -> list[str]:
    return [entry.subject for entry in shard.accepted()]


def test_an_order_prints_back_to_its_bytes_and_collects_approvals_in_order_of_key() -> None:
    order = orders.make_order("clock_corrected", "registry", REASON)
    one = orders.approve(orders.approve(order, "x/0", signer("A")), "x/0", signer("B"))
    other = orders.approve(orders.approve(order, "x/0", signer("B")), "x/0", signer("A"))
    assert one == other == orders.approve(one, "x/0", signer("A"))
    parsed = orders.parse_order(one)
    assert parsed.encode() == one
    assert parsed.type == "duecourse.ledger.clock_corrected.v1"
    assert len(parsed.data["approvals"]) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"data":{"approvals":[],"at":0},"subject":"registry"}',
        b'{"data":{"approvals":[],"at":"0"},"subject":"registry","type":"t"}',
        b'{"data":{"approvals":[],"at":true},"subject":"registry","type":"t"}',
        b'{"data":{"approvals":[{"key":1,"signature":"x"}],"at":0},"subject":"registry","type":"t"}',
        b'{"data":{"approvals":{},"at":0},"subject":"registry","type":"t"}',
        b'{"data":[],"subject":"registry","type":"t"}',
        b'{"data":{"at":0},"subject":"registry","type":"t"}',
        b'{"data": {"approvals":[],"at":0},"subject":"registry","type":"t"}',
        b'{"data":{"approvals":[],"at":0},"subject":"registry","type":"t"}' + b" " * 40_000,
    ],
)
def test_what_is_no_order_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        orders.parse_order(raw)


def test_an_order_must_say_its_place() -> None:
    with pytest.raises(Refused) as caught:
        orders.make_order("clock_corrected", "registry", {"reason": "none"})
    assert caught.value.code == "E_CONTEXT"


def test_an_order_is_carried_out_once_however_often_it_is_handed_in(shard: Rig) -> None:
    shard.found()
    order = shard.order("clock_corrected", "registry", REASON)
    shard.front.submit([orders.submission(order)] * 3)
    sequencer = shard.sequencer()
    sequencer.drain()
    assert subjects(shard) == ["registry", "registry", "seal"]
    assert sequencer.counts["duplicate"] == 3
    assert shard.front.dead_letter_count() == 0
    # From a snapshot, and from the log alone.
    sequencer.close()
    shard.front.submit([orders.submission(order)])
    shard.sequencer().drain()
    (shard.state / "snapshot").unlink()
    shard.sequencer().drain()
    assert shard.front.dead_letter_count() == 0
    assert subjects(shard).count("registry") == 2


def test_refused_orders_are_dead_letters_with_their_code(shard: Rig) -> None:
    shard.found()
    order = orders.make_order("clock_corrected", "registry", REASON)
    shard.hand_in(order, by="")  # nobody approved
    shard.hand_in(order, by="B")  # no registrar
    shard.front.submit(
        [orders.submission(orders.approve(order, "another/0", signer("A")))]
    )  # another shard's
    shard.hand_in(orders.make_order("clock_corrected", "registry", {**REASON, "at": 2}))  # not its place
    shard.hand_in(orders.make_order("sealed", "seal", {"at": 0}))  # the ledger's own
    shard.hand_in(orders.make_order("clock_corrected", "registry", {**REASON, "more": 1}))
    shard.found()  # again: the same order
    sequencer = shard.sequencer()
    sequencer.drain()
    codes = [letter.reason.partition(":")[0] for letter in shard.front.dead_letters()]
    assert codes == ["E_SCHEMA", "E_KEY_UNKNOWN", "E_SIG", "E_CONTEXT", "E_KEY_SCOPE", "E_SCHEMA"]
    assert subjects(shard) == ["registry", "seal"]


def test_nothing_enters_before_the_founding(shard: Rig) -> None:
    tool = shard.register("dialler")
    shard.submit(tool.flush(case(1)))
    done = shard.sequencer().drain()
    assert done.size == 0
    assert shard.front.dead_letter_count() == 2


def test_a_founding_for_another_key_or_place_is_refused(shard: Rig) -> None:
    arguments = {
        "name": "ledger.example.com/cards",
        "shard": 0,
        "shards": 1,
        "registrars": [(signer("A").public_key, "A")],
        "threshold": 1,
        "vault_key": bytes(32),
    }
    shard.hand_in(orders.founding(log_key=signer("OTHER").public_key, **arguments))
    shard.hand_in(orders.founding(log_key=shard.signer.public_key, **{**arguments, "shard": 1, "shards": 2}))
    assert shard.sequencer().drain().size == 0
    assert len(shard.front.dead_letters()) == 2
