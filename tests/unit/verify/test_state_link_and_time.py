"""What a reader remembers, and the reader's own time, weigh as rule R14 and R17 say."""

from __future__ import annotations

from functools import partial

import pytest

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import merkle
from ledger.testing.forge import ORIGIN, Bends, Forge, trust_file
from ledger.testing.forgery import golden, member, parts
from ledger.testing.story import play
from ledger.verify.checks import verify_bundle
from ledger.verify.link import Link, check_shape, make_link
from ledger.verify.trust import Trust


def trust(**given: object) -> Trust:
    return Trust.parse(trust_file(**given))  # type: ignore[arg-type]


def node(lo: int, hi: int) -> bytes:
    return merkle.tree_root(golden().leaves[lo:hi])


def codes(problems: object) -> list[str]:
    return [problem.code for problem in problems]  # type: ignore[attr-defined]


SIZE = len(golden().entries)
EARLY = golden().labels["seal-1"] + 1


def test_two_histories_of_one_size_are_kept_as_evidence() -> None:
    fork = play(Forge(Bends(event={"stage": member("data.stage", "litigation")}))).checkpoint(SIZE)
    verdict = verify_bundle(parts().pack(), trust(), state=fork)
    assert verdict.verdict == "REJECTED"
    assert codes(verdict.errors) == ["E_INCONSISTENT"]
    assert verdict.evidence == (fork, parts().files["checkpoint"])


def test_a_link_joins_what_no_witness_has_checked() -> None:
    operator = trust(quorum="quorum none")
    state = golden().checkpoint(EARLY)
    judge = partial(verify_bundle, parts().pack(), operator, state=state)
    assert codes(judge().errors) == ["E_ROLLBACK"]
    link = make_link(ORIGIN, EARLY, SIZE, node)
    assert Link.parse(link).encode() == link
    assert judge(link=link).verdict == "VERIFIED"


def test_a_link_of_other_sizes_joins_nothing() -> None:
    operator = trust(quorum="quorum none")
    state = golden().checkpoint(EARLY)
    link = make_link(ORIGIN, EARLY - 1, SIZE, node)
    verdict = verify_bundle(parts().pack(), operator, state=state, link=link)
    assert codes(verdict.errors) == ["E_ROLLBACK"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"format":"duecourse link 2","from":1,"hashes":[],"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":0,"hashes":[],"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":3,"hashes":[],"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":true,"hashes":[],"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":1,"hashes":["AA"],"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":1,"hashes":{},"origin":"a","to":2}',
        b'{"format":"duecourse link 1","from":1,"hashes":[],"origin":"a","to":2}\n',
        b'{"format":"duecourse link 1","from":1,"hashes":[],"origin":"a","to":2}' + b" " * 70_000,
    ],
)
def test_a_file_that_is_no_link_cannot_be_used(data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="link file"):
        verify_bundle(parts().pack(), trust(), link=data)


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5), (-1, 5)])
def test_no_consistency_proof_leads_from_nowhere(old: int, size: int) -> None:
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        check_shape(old, size, [])


@pytest.mark.parametrize("old", range(1, 12))
def test_a_consistency_proof_has_one_length(old: int) -> None:
    hashes = merkle.consistency_path(node, old, 11)
    check_shape(old, 11, hashes)
    with pytest.raises(Refused, match="E_PROOF_SHAPE"):
        check_shape(old, 11, [*hashes, bytes(32)])


@pytest.mark.parametrize("flaw", ["", "not a note", "a\n1\n\n", "\u2014 x y\n"])
def test_a_state_that_cannot_be_read_is_never_first_use(flaw: str) -> None:
    with pytest.raises(ConfigurationError, match="state file"):
        verify_bundle(parts().pack(), trust(), state=flaw.encode())


def test_an_unusable_state_is_said_so_whatever_the_bundle_is() -> None:
    with pytest.raises(ConfigurationError, match="state file"):
        verify_bundle(b"", trust(), state=b"garbage")


@pytest.mark.parametrize(
    "at", ["", "2026-03-03", "2026-03-03T00:00:00Z", "now", "2026-02-30T00:00:00.000000Z"]
)
def test_a_time_of_the_reader_has_one_spelling(at: str) -> None:
    with pytest.raises(ConfigurationError, match="--at"):
        verify_bundle(parts().pack(), trust(), at=at)


def test_age_is_measured_from_the_seal_by_the_reader_s_time_alone() -> None:
    proved = verify_bundle(parts().pack(), trust()).proved
    assert proved is not None
    limit = trust(max_age_s=3600)
    at = {"young": "2026-03-02T02:00:00.000000Z", "old": "2026-03-02T02:00:30.000000Z"}
    assert proved.sealed.startswith("2026-03-02T01:00:1")
    assert verify_bundle(parts().pack(), limit, at=at["young"]).verdict == "VERIFIED"
    stale = verify_bundle(parts().pack(), limit, at=at["old"])
    assert (stale.verdict, codes(stale.errors)) == ("UNVERIFIABLE", ["E_STALE"])
    unasked = verify_bundle(parts().pack(), limit)
    assert unasked.verdict == "VERIFIED"
    assert "age" in [item.what for item in unasked.unchecked]


def test_late_events_are_told_once_with_their_bound() -> None:
    def backfilled(event: dict[str, object]) -> None:
        event["time"] = "2019-01-01T00:00:00.000000Z"
        event["data"]["late_reason"] = "backfill"  # type: ignore[index]

    bends = Bends(event={"registered": backfilled, "debt": backfilled, "plan": backfilled})
    verdict = verify_bundle(play(Forge(bends)).parts().pack(), trust())
    assert verdict.verdict == "VERIFIED"
    late = [problem for problem in verdict.warnings if problem.code == "W_LATE"]
    assert len(late) == 1
    assert "2617 days" in late[0].detail
    assert late[0].where.count(",") == 2
