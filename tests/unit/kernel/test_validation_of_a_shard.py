"""What becomes of submissions, what an auditor finds, and going back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO, leaf_hash, shard_of
from ledger.kernel.entry import Entry, build_entry
from ledger.kernel.flush import FlushVerifier, sign_flush
from ledger.kernel.submission import examine, examine_batch
from ledger.kernel.validation import Validation
from ledger.testing.history import Shard, Tool, any_schema, case, event_id, signer

REJECTED = "duecourse.ledger.submission_rejected.v1"


def strict_schema(event: dict[str, Any]) -> None:
    if event["data"].get("outcome") == "bad":
        raise Refused("E_SCHEMA", "no such outcome", "/data/outcome")


def _shard(**changes: Any) -> tuple[Shard, Tool]:
    shard = Shard(check_schema=strict_schema, **changes)
    return shard, shard.register("dialler")


def _replayed(shard: Shard) -> Validation:
    """The same history through the auditor's door."""
    validation = Validation(shard.origin, shard.log_key, strict_schema)
    for entry in shard.entries:
        validation.apply(Entry.parse(entry.raw))
    return validation


def _state(validation: Validation) -> tuple[Any, ...]:
    feeds = {key: feed.dump() for key, feed in validation.feeds.items()}
    streams = {subject: validation.stream(subject) for subject in validation.streams}
    return (
        validation.head,
        validation.next_index,
        validation.term,
        validation.sequenced,
        streams,
        feeds,
        validation.registry.dump(),
        len(validation.ids),
        validation.map_root(),
    )


def test_what_is_next_becomes_an_entry_and_an_auditor_agrees() -> None:
    shard, tool = _shard()
    for submission in tool.flush(case(1), case(2), case(1)):
        assert shard.submit(*submission).fate == "next"
    shard.seal()
    assert [entry.stream_seq for entry in shard.entries] == [0, 0, 0, 0, 1, 0]
    assert shard.validation.stream(case(1)) == (2, shard.entries[4].leaf)
    assert shard.validation.stream(case(9)) == (0, ZERO)
    assert shard.validation.feed("dialler", 0) == (3, tool.prev)
    assert shard.validation.feed("nobody", 0) == (0, ZERO)
    assert _state(_replayed(shard)) == _state(shard.validation)


def test_the_same_bytes_again_are_a_duplicate_and_other_bytes_an_equivocation() -> None:
    shard, tool = _shard()
    first = tool.flush(case(1), case(2))
    for submission in first:
        shard.submit(*submission)
    count = len(shard.entries)
    for submission in first * 3:
        assert shard.submit(*submission).fate == "duplicate"
    assert len(shard.entries) == count
    clone = Tool(shard.origin, "dialler")
    clone.made = 7
    [other] = clone.flush(case(3))
    judged = shard.submit(*other)
    assert (judged.fate, judged.accepted) == ("equivocation", leaf_hash(first[0][0]))
    assert shard.entries[-1].event["data"] == judged.equivocation()
    # Quarantined: what comes next is held back, and uses no seq, until registrars lift it.
    [more] = tool.flush(case(1))
    assert [shard.submit(*each).fate for each in (more, other, first[0])] == [
        "refused",
        "refused",
        "duplicate",
    ]
    shard.order("ledger.quarantine_lifted", "producer/dialler", {"reason": "cloned disk"})
    assert shard.submit(*more).fate == "next"
    shard.seal()
    assert _state(_replayed(shard)) == _state(shard.validation)


def test_a_seq_beyond_the_next_is_sent_back_with_the_one_to_go_on_from() -> None:
    shard, tool = _shard()
    first, second, third = tool.flush(case(1), case(1), case(1))
    judged = shard.submit(*third)
    assert (judged.fate, judged.next_seq) == ("resend", 0)
    assert [shard.submit(*each).fate for each in (first, second, third)] == ["next"] * 3


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E_SCHEMA", {"data": {"outcome": "bad"}}),
        ("E_KEY_SCOPE", {"tenantid": "other"}),
        ("E_KEY_SCOPE", {"actorcapacity": "law_firm"}),
        (
            "E_KEY_SCOPE",
            {"type": "duecourse.debt.adjusted.v1", "dataschema": "urn:duecourse:debt.adjusted:1"},
        ),
        ("E_KEY_SCOPE", {"subject": "registry"}),
        (
            "E_KEY_SCOPE",
            {
                "type": "duecourse.ledger.sealed.v1",
                "dataschema": "urn:duecourse:ledger.sealed:1",
                "subject": "seal",
            },
        ),
        ("E_CONTEXT", {"expectedversion": "0" * 19 + "1"}),
        ("E_CHAIN_BREAK", {"producerprev": "ab" * 32}),
        ("E_SCHEMA", {"actorrole": None}),
        ("E_SCHEMA", {"more": "x"}),
        ("E_SCHEMA", {"time": "2026-03-02"}),
        ("E_ENCODING", {"data": {"note": "\u202e"}}),
        ("E_NUMBER", {"data": {"amount": 1.5}}),
        ("E_LIMIT", {"data": {"note": "x" * 50_000}}),
    ],
)
def test_what_cannot_be_an_entry_uses_its_seq_and_the_feed_goes_on(
    code: str, changes: dict[str, Any]
) -> None:
    shard, tool = _shard()
    # Some of these no canonical writer makes: written by hand, sorted, and signed all the same.
    event = orjson.loads(tool.event(case(1)))
    event.update(changes)
    raw = orjson.dumps({k: v for k, v in event.items() if v is not None}, None, orjson.OPT_SORT_KEYS)
    tool.prev = leaf_hash(raw)
    [submission] = tool.sign([raw])
    judged = shard.submit(*submission)
    assert (judged.fate, judged.code) == ("rejected", code)
    entry = shard.entries[-1]
    assert (entry.event["type"], entry.subject) == (REJECTED, "refused/dialler")
    assert entry.event["data"] == judged.rejection()
    assert shard.submit(*submission).fate == "duplicate"
    [following] = tool.flush(case(1))
    assert shard.submit(*following).fate == "next"
    shard.seal()
    assert _state(_replayed(shard)) == _state(shard.validation)


def test_an_event_id_stands_once_whoever_uses_it_again() -> None:
    shard, tool = _shard()
    other = shard.register("gateway")
    [first] = tool.flush(case(1))
    shard.submit(*first)
    taken = orjson.loads(first[0])["id"]
    for each in (tool, other):
        [submission] = each.sign([each.event(case(2), id=taken)])
        judged = shard.submit(*submission)
        assert (judged.fate, judged.code) == ("rejected", "E_DUP_EVENT")


def test_a_case_of_another_shard_is_rejected_and_other_streams_are_not() -> None:
    shard, tool = _shard(shard=1, shards=3)
    here = next(case(n) for n in range(99) if shard_of(case(n), 3) == 1)
    there = next(case(n) for n in range(99) if shard_of(case(n), 3) != 1)
    staff = there.replace("case/", "staff/")
    judged = [shard.submit(*each) for each in tool.flush(here, there, staff)]
    assert [each.fate for each in judged] == ["next", "rejected", "next"]
    assert judged[1].code == "E_CASE_MISMATCH"


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("E_KEY_UNKNOWN", lambda shard: Tool(shard.origin, "nobody").flush(case(1))[0]),
        ("E_KEY_UNKNOWN", lambda shard: Tool(shard.origin, "dialler", key="new").flush(case(1))[0]),
        ("E_KEY_SCOPE", lambda shard: Tool(shard.origin, "dialler", key="gateway").flush(case(1))[0]),
        ("E_KEY_SCOPE", lambda shard: Tool(shard.origin, "dialler", key="A").flush(case(1))[0]),
        ("E_KEY_SCOPE", lambda shard: Tool(shard.origin, "dialler", key="LOG").flush(case(1))[0]),
        ("E_SIG", lambda shard: Tool("other/0", "dialler").flush(case(1))[0]),
        ("E_SIG", lambda shard: (Tool(shard.origin, "dialler").event(case(2)),
                                 Tool(shard.origin, "dialler").flush(case(1))[0][1])),
        ("E_SCHEMA", lambda shard: (Tool(shard.origin, "dialler").event(case(1)), b"{}")),
        ("E_SCHEMA", lambda shard: (Tool(shard.origin, "dialler").event(case(1)), b"")),
        ("E_SCHEMA", lambda shard: (b"{}", Tool(shard.origin, "dialler").flush(case(1))[0][1])),
        ("E_SCHEMA", lambda shard: (b"", b"")),
        ("E_NONCANONICAL", lambda shard: (b"not json", b"")),
        ("E_LIMIT", lambda shard: (b"[" * (2 << 20), b"")),
        ("E_LIMIT", lambda shard: (b"[" * 40_000, b"")),
    ],
)  # fmt: skip
def test_what_no_registered_producer_signed_never_enters(
    code: str, make: Callable[[Shard], tuple[bytes, bytes]]
) -> None:
    shard, _ = _shard()
    shard.register("gateway")
    before = _state(shard.validation)
    judged = shard.submit(*make(shard))
    assert (judged.fate, judged.code) == ("dead", code)
    assert _state(shard.validation) == before


def test_a_revoked_or_expired_key_makes_dead_letters() -> None:
    shard, tool = _shard()
    [first, second] = tool.flush(case(1), case(2))
    shard.submit(*first)
    key = signer("dialler").public_key.hex()
    shard.order("ledger.producer_key_revoked", "producer/dialler", {"key": key, "reason": "lost"})
    judged = shard.submit(*second)
    assert (judged.fate, judged.code) == ("dead", "E_KEY_REVOKED")


def test_an_epoch_starts_anew_once_it_is_opened() -> None:
    shard, tool = _shard()
    [first] = tool.flush(case(1))
    shard.submit(*first)
    after = Tool(shard.origin, "dialler", epoch=1)
    [submission] = after.flush(case(1))
    judged = shard.submit(*submission)
    assert (judged.fate, judged.code) == ("refused", "E_PRODUCER_GAP")
    shard.order("ledger.producer_epoch_opened", "producer/dialler", {"epoch": 1, "last_seq": "0" * 20})
    assert shard.submit(*submission).fate == "next"
    assert (shard.validation.feed("dialler", 0)[0], shard.validation.feed("dialler", 1)[0]) == (1, 1)


def test_only_what_was_judged_next_by_this_state_is_placed() -> None:
    shard, tool = _shard()
    [submission] = tool.flush(case(1))
    judged = shard.validation.judge_submission(*submission, shard.now())
    shard.validation.place(judged, sequenced=shard.now(), term=1)
    duplicate = shard.validation.judge_submission(*submission, shard.now())
    with pytest.raises(ValueError, match="judged next"):
        shard.validation.place(duplicate, sequenced=shard.now(), term=1)


def test_a_batch_is_examined_as_each_by_itself() -> None:
    shard, tool = _shard()
    other = shard.register("gateway")
    whole = tool.flush(*(case(n) for n in range(5)))
    cut = tool.flush(*(case(n) for n in range(4)))[:3]
    mixed = other.flush(case(1), case(2))
    forged = [(event, whole[0][1]) for event, _ in tool.flush(case(1), case(2))]
    swapped = [mixed[1], mixed[0]]
    bad = tool.sign([tool.event(case(1), data={"outcome": "bad"}), tool.event(case(2), more="x")])
    stranger = [(mixed[0][0], mixed[0][1]), (whole[1][0], mixed[1][1])]
    batch = [
        *whole,
        *cut,
        *mixed,
        *forged,
        *swapped,
        *bad,
        *stranger,
        (b"", b""),
        (b"{}", b'{"index":0,"size":0}'),
    ]

    def findings(each: Any) -> tuple[Any, ...]:
        return (
            each.digest,
            each.key,
            each.producerid,
            each.epoch,
            each.seq,
            each.flaw,
            each.unsigned,
            each.event,
        )

    together = examine_batch(batch, origin=shard.origin, verifier=FlushVerifier(), check_schema=strict_schema)
    alone = [
        examine(event, proof, origin=shard.origin, verifier=FlushVerifier(), check_schema=strict_schema)
        for event, proof in batch
    ]
    assert [findings(each) for each in together] == [findings(each) for each in alone]
    assert [each.unsigned is None for each in together[:10]] == [True] * 10


def test_a_whole_flush_costs_one_signature() -> None:
    shard, tool = _shard()
    verifier = FlushVerifier()
    batch = tool.flush(*(case(n) for n in range(64)))
    found = examine_batch(batch, origin=shard.origin, verifier=verifier, check_schema=any_schema)
    assert all(each.unsigned is None and each.flaw is None for each in found)
    assert len(verifier) == 1


# -- what an auditor refuses


def _rebuilt(entry: Entry, **changes: Any) -> Entry:
    place: dict[str, Any] = {
        name: getattr(entry, name)
        for name in ("index", "origin", "prev", "sequenced", "stream_prev", "stream_seq", "term")
    }
    raws = {"event_raw": entry.event_raw, "proof_raw": entry.proof_raw}
    for name in raws:
        if name in changes:
            raws[name] = changes.pop(name)
    return Entry.parse(build_entry(raws["event_raw"], raws["proof_raw"], **(place | changes)))


EARLY = "2026-03-02T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E_ORIGIN", {"origin": "other/0"}),
        ("E_INDEX", {"index": 9}),
        ("E_INDEX", {"index": 0}),
        ("E_CHAIN_BREAK", {"prev": ZERO}),
        ("E_TIME_ORDER", {"sequenced": EARLY}),
        ("E_CHAIN_FORK", {"stream_seq": 0}),
        ("E_CHAIN_GAP", {"stream_seq": 2}),
        ("E_CHAIN_BREAK", {"stream_prev": ZERO}),
    ],
)
def test_an_entry_out_of_its_place_is_refused_and_changes_nothing(code: str, changes: dict[str, Any]) -> None:
    shard, tool = _shard()
    for submission in tool.flush(case(1), case(1)):
        shard.submit(*submission)
    validation = Validation(shard.origin, shard.log_key, strict_schema)
    for entry in shard.entries[:-1]:
        validation.apply(entry)
    before = _state(validation)
    with pytest.raises(Refused) as caught:
        validation.apply(_rebuilt(shard.entries[-1], **changes))
    assert (caught.value.code, caught.value.where) == (code, f"entry {changes.get('index', 3)}")
    assert _state(validation) == before
    validation.apply(shard.entries[-1])


def _next_entry(shard: Shard, submission: tuple[bytes, bytes]) -> Entry:
    """An entry that fits its place, whatever it holds: made by an operator who checks nothing."""
    validation = shard.validation
    count, last = validation.stream(orjson.loads(submission[0])["subject"])
    return Entry.parse(
        build_entry(
            *submission,
            index=validation.next_index,
            origin=shard.origin,
            prev=validation.head,
            sequenced=shard.now(),
            stream_prev=last,
            stream_seq=count,
            term=1,
        )
    )


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("E_SCHEMA", {"data": {"outcome": "bad"}}),
        ("E_KEY_SCOPE", {"tenantid": "other"}),
        ("E_CONTEXT", {"expectedversion": "0" * 20}),
        ("E_CHAIN_BREAK", {"producerprev": "ab" * 32}),
        ("E_PRODUCER_GAP", {"producerseq": "0" * 19 + "2"}),
        ("E_DUP_EVENT", {"producerseq": "0" * 20}),
        ("E_PRODUCER_GAP", {"producerepoch": 1}),
    ],
)
def test_an_entry_that_a_sequencer_should_not_have_made_is_refused(
    code: str, changes: dict[str, Any]
) -> None:
    shard, tool = _shard()
    shard.submit(*tool.flush(case(1))[0])
    [submission] = tool.sign([tool.event(case(1), **changes)])
    with pytest.raises(Refused) as caught:
        shard.validation.apply(_next_entry(shard, submission))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("code", "key", "producerid"),
    [
        ("E_KEY_UNKNOWN", "new", "dialler"),
        ("E_KEY_SCOPE", "gateway", "dialler"),
        ("E_KEY_UNKNOWN", "new", "nobody"),
        ("E_KEY_SCOPE", "LOG", "ledger"),
        ("E_SIG", "dialler", "dialler"),
    ],
)
def test_an_entry_under_a_wrong_key_is_refused(code: str, key: str, producerid: str) -> None:
    shard, _ = _shard()
    shard.register("gateway")
    tool = Tool(shard.origin if code != "E_SIG" else "other/0", producerid, key=key)
    [submission] = tool.flush(case(1))
    with pytest.raises(Refused) as caught:
        shard.validation.apply(_next_entry(shard, submission))
    assert caught.value.code == code


def test_the_ledgers_own_word_needs_the_log_key_and_the_term() -> None:
    shard, _ = _shard()
    entry = shard.seal()
    shard.validation.rollback(entry.index)
    for signed_by, changes, code in (
        ("dialler", {}, "E_KEY_SCOPE"),
        ("LOG", {"producerepoch": 2}, "E_CONTEXT"),
        ("LOG", {"actorrole": "clerk"}, "E_KEY_SCOPE"),
        ("LOG", {"data": {"prev": "00" * 32, "root": entry.event["data"]["root"]}}, "E_CONTEXT"),
        ("LOG", {"data": {"prev": entry.prev.hex(), "root": "00" * 32}}, "E_INCOMPLETE"),
        ("LOG", {"data": {"prev": entry.prev.hex()}}, "E_SCHEMA"),
        ("LOG", {"recordedtime": EARLY}, "E_CONTEXT"),
    ):
        event = dict(entry.event) | changes
        if "producerepoch" in changes:
            event |= {"producerseq": "0" * 20, "producerprev": "00" * 32}
        raw = canonical.encode(event)
        [proof] = sign_flush([raw], shard.origin, "ledger", signer(signed_by))
        with pytest.raises(Refused) as caught:
            shard.validation.apply(_rebuilt(entry, event_raw=raw, proof_raw=proof))
        assert caught.value.code == code
    two = sign_flush([entry.event_raw, entry.event_raw], shard.origin, "ledger", shard.signer)
    with pytest.raises(Refused, match="E_CONTEXT: a seal is signed alone"):
        shard.validation.apply(_rebuilt(entry, proof_raw=two[0]))
    shard.validation.apply(entry)


def test_terms_do_not_go_back_and_the_ledgers_feed_starts_anew_with_each() -> None:
    shard, _ = _shard()
    shard.term = 3
    assert shard.seal().event["producerseq"] == "0" * 20
    shard.term = 2
    with pytest.raises(Refused, match="E_CHAIN_BREAK: the term goes back"):
        shard.seal()


def test_time_may_go_back_once_directly_after_a_correction() -> None:
    shard, _ = _shard()
    shard.made = 500
    shard.order("ledger.clock_corrected", "registry", {"reason": "ntp"})
    shard.made = 400
    shard.seal()
    shard.made = 300
    with pytest.raises(Refused, match="E_TIME_ORDER"):
        shard.seal()
    assert _state(_replayed(shard)) == _state(shard.validation)


def test_the_ledger_cannot_reject_or_accuse_what_never_came() -> None:
    shard, tool = _shard()
    [first] = tool.flush(case(1))
    shard.submit(*first)
    accepted = leaf_hash(first[0]).hex()
    good = {"code": "E_SCHEMA", "digest": "ab" * 32, "epoch": 0, "seq": "0" * 19 + "1"}
    seen = {"accepted": accepted, "epoch": 0, "other": "cd" * 32, "seq": "0" * 20}
    for short, subject, data, code in (
        ("ledger.submission_rejected", "refused/dialler", {**good, "seq": "0" * 20}, "E_DUP_EVENT"),
        ("ledger.submission_rejected", "refused/dialler", {**good, "seq": "0" * 19 + "2"}, "E_PRODUCER_GAP"),
        ("ledger.submission_rejected", "refused/dialler", {**good, "epoch": 1}, "E_PRODUCER_GAP"),
        ("ledger.submission_rejected", "refused/nobody", good, "E_KEY_UNKNOWN"),
        ("ledger.submission_rejected", "refused/dialler", {**good, "code": "why"}, "E_SCHEMA"),
        ("ledger.equivocation_seen", "producer/dialler", {**seen, "accepted": "ab" * 32}, "E_CONTEXT"),
        ("ledger.equivocation_seen", "producer/dialler", {**seen, "other": accepted}, "E_CONTEXT"),
        ("ledger.equivocation_seen", "producer/dialler", {**seen, "seq": "0" * 19 + "1"}, "E_CONTEXT"),
        ("ledger.equivocation_seen", "producer/dialler", {**seen, "seq": 0}, "E_CONTEXT"),
        ("ledger.equivocation_seen", "producer/dialler", {**seen, "more": 0}, "E_SCHEMA"),
    ):
        before = _state(shard.validation)
        with pytest.raises(Refused) as caught:
            shard.own(short, subject, data)
        assert caught.value.code == code
        assert _state(shard.validation) == before
    shard.own("ledger.submission_rejected", "refused/dialler", good)
    shard.own("ledger.equivocation_seen", "producer/dialler", seen)


def test_nothing_stands_before_the_founding() -> None:
    founded = Shard()
    validation = Validation(founded.origin, founded.log_key, any_schema)
    with pytest.raises(Refused, match="E_CONTEXT: the shard is not founded"):
        validation.seal_entry(
            sequenced=founded.now(), term=1, event_id=event_id(1), source="//x", signer=founded.signer
        )
    tool = Tool(founded.origin, "dialler")
    [submission] = tool.flush(case(1))
    assert validation.judge_submission(*submission, founded.now()).fate == "dead"
    with pytest.raises(Refused, match="E_ORIGIN"):
        Validation("other/0", founded.log_key, any_schema)


# -- going back, and snapshots


def _busy(shard: Shard, tools: list[Tool], steps: list[int]) -> None:
    """Does something different for each number."""
    for step in steps:
        tool = tools[step % len(tools)]
        match step % 9:
            case 0:
                shard.seal()
            case 1:
                [submission] = tool.sign([tool.event(case(step), tenantid="other")])
                shard.submit(*submission)
            case 2:
                key = signer(f"key {shard.made}").public_key.hex()
                shard.order("ledger.producer_key_added", f"producer/{tool.producerid}", {"key": key})
            case 3:
                shard.order("ledger.clock_corrected", "registry", {"reason": "ntp"})
            case _:
                for submission in tool.flush(case(step), case(step // 2)):
                    shard.submit(*submission)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12), st.lists(st.integers(0, 40), max_size=12), st.data())
def test_going_back_and_doing_it_again_comes_to_the_same(
    before: list[int], after: list[int], data: st.DataObject
) -> None:
    shard, one = _shard()
    tools = [one, shard.register("gateway")]
    _busy(shard, tools, before)
    settled = shard.validation.next_index
    shard.validation.settle(settled)
    _busy(shard, tools, after)
    validation = shard.validation
    states = {}
    model = Validation(shard.origin, shard.log_key, strict_schema)
    for entry in shard.entries:
        states[model.next_index] = _state(model)
        model.apply(entry)
    states[model.next_index] = _state(model)
    for _ in range(3):
        index = data.draw(st.integers(settled, validation.next_index))
        validation.rollback(index)
        assert _state(validation) == states[index]
        again = data.draw(st.integers(index, len(shard.entries)))
        for entry in shard.entries[index:again]:
            validation.apply(entry)
        assert _state(validation) == states[again]
    with pytest.raises(ValueError, match="cannot go back"):
        validation.rollback(settled - 1)
    validation.settle(validation.next_index)
    loaded = Validation.load(validation.dump(), shard.origin, shard.log_key, strict_schema)
    assert _state(loaded) == _state(validation)
    for entry in shard.entries[loaded.next_index :]:
        loaded.apply(entry)
    assert _state(loaded) == states[len(shard.entries)]


def test_settling_in_the_middle_keeps_what_may_still_be_taken_back() -> None:
    shard, tool = _shard()
    shard.seal()
    for submission in tool.flush(case(1), case(2)):
        shard.submit(*submission)
    shard.seal()
    middle = _state(shard.validation)
    for submission in tool.flush(case(3), case(1)):
        shard.submit(*submission)
    shard.seal()
    shard.validation.settle(shard.entries[5].index + 1)
    shard.validation.settle(2)
    with pytest.raises(ValueError, match="not settled"):
        shard.validation.dump()
    shard.validation.rollback(6)
    assert _state(shard.validation) == middle
    with pytest.raises(ValueError, match="cannot go back"):
        shard.validation.rollback(5)
    with pytest.raises(ValueError, match="cannot go back"):
        shard.validation.rollback(99)


def test_a_damaged_or_foreign_dump_is_not_loaded() -> None:
    shard, tool = _shard()
    shard.submit(*tool.flush(case(1))[0])
    shard.validation.settle(shard.validation.next_index)
    dump = shard.validation.dump()
    for at in range(0, len(dump), 7):
        changed = dump[:at] + bytes((dump[at] ^ 4,)) + dump[at + 1 :]
        with pytest.raises(Refused, match="E_INCOMPLETE"):
            Validation.load(changed, shard.origin, shard.log_key, any_schema)
    with pytest.raises(Refused, match="E_INCOMPLETE"):
        Validation.load(b"", shard.origin, shard.log_key, any_schema)
    other = Shard(shard=1, shards=2)
    with pytest.raises(Refused, match="E_ORIGIN"):
        Validation.load(dump, other.origin, other.log_key, any_schema)


def test_nothing_of_an_event_is_shown_in_a_log_line() -> None:
    shard, tool = _shard()
    [submission] = tool.flush(case(1))
    examined = shard.validation.examine(*submission)
    assert repr(examined) == "Examined(dialler/0 seq=0)"
