"""The pure half: moments at which time alone may change something, weeks and products, and what a basis leans on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.kernel.canonical import format_time, parse_time
from ledger.kernel.digest import sha256
from ledger.rules import calendar
from ledger.rules.model import shipped, shipped_pack
from ledger.rules.proof import Adoption, judge
from ledger.rules.vectors import read_vectors
from projections.conformance.basis import Basis, nothing_at_hand, opened
from projections.conformance.fold import _midnight_after, case_findings, closing_ref, contact_days, references
from projections.conformance.model import EXCEPTIONS, Cell, Told
from projections.conformance.shelf import Shelf

ZONES = ["UTC", "Europe/Rome", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati",
         "Pacific/Pago_Pago", "Africa/Cairo", "America/St_Johns"]  # fmt: skip


@given(st.dates(min_value=__import__("datetime").date(1990, 1, 1)), st.sampled_from(ZONES))
def test_the_moment_after_a_local_day_is_the_first_one_behind_it(date: Any, zone: str) -> None:
    if date.year > 2100:
        date = date.replace(year=2026, day=1)
    at = _midnight_after(date.isoformat(), zone)

    assert calendar.local(at, zone)[0] > date.toordinal()
    assert calendar.local(at - 1, zone)[0] <= date.toordinal()


def _adopted(name: str) -> Adoption:
    pack = shipped_pack(name)
    rules = tuple(sorted({rule.id for rule in pack.rules}))
    return Adoption(pack.id, pack.version, sha256(pack.data).hex(), rules, "1999-12-31T00:00:00.000000Z")


def _basis(*names: str) -> Basis:
    return Basis.of([_adopted(name) for name in names], Shelf())


def _event(n: int, kind: str, at: str, **data: Any) -> Told:
    event = {
        "id": f"10000000-0000-4000-8000-{n:012d}",
        "type": f"duecourse.{kind}.v1",
        "time": at,
        "recordedtime": at,
        "subject": "case/10000000-0000-4000-8000-000000000000",
        "actorid": "clerk",
        "actorcapacity": "first_party",
        "data": data,
    }
    return Told(100 + n, at, event)


DEBT = "20000000-0000-4000-8000-000000000000"


def _fine(at: str, **more: Any) -> Told:
    given: dict[str, Any] = {"debt": DEBT, "product": "other", "currency": "EUR", "principal": 3500}
    return _event(1, "debt.itemised", at, **given, interest=0, fees=0, itemised_on=at[:10], **more)


def test_a_case_that_waits_says_when_to_look_again_and_until_then_nothing() -> None:
    case = [_fine("2026-01-01T23:30:00.000000Z")]  # 2 January in Rome, so the 90th day is 2 April
    basis = _basis("example-fines")

    early = case_findings(case, [], basis, as_of="2026-02-01T00:00:00.000000Z")
    assert early.found == ()
    assert early.counts == {Cell("example-fines", "FINE-01", "NOT_APPLICABLE", "", "other", "2026-W01"): 1}
    assert early.look_us == parse_time("2026-04-02T22:00:00.000000Z")

    just = case_findings(case, [], basis, as_of=format_time(early.look_us - 1))
    assert just == early
    late = case_findings(case, [], basis, as_of=format_time(early.look_us))
    (found,) = late.found
    assert (found.outcome, found.index, found.rests, found.codes) == (
        "BREACH",
        101,
        (101,),
        ("due:2026-04-02",),
    )
    assert late.look_us is None


def test_a_week_is_that_of_the_local_day_and_may_belong_to_the_next_year() -> None:
    # In Rome it is Monday 5 January 2026, and Thursday 31 December 2026 lies in week 53.
    first = case_findings(
        [_fine("2026-01-04T23:00:00.000000Z")],
        [],
        _basis("example-fines"),
        as_of="2026-01-05T00:00:00.000000Z",
    )
    last = case_findings(
        [_fine("2027-01-01T12:00:00.000000Z")],
        [],
        _basis("example-fines"),
        as_of="2027-01-02T00:00:00.000000Z",
    )

    assert [cell.week for cell in first.counts] == ["2026-W02"]
    assert [cell.week for cell in last.counts] == ["2026-W53"]


def test_a_finding_about_an_event_without_debts_has_the_product_of_the_case_if_it_has_one() -> None:
    stage = _event(3, "case.stage_changed", "2026-03-01T00:00:00.000000Z", stage="entrusted")
    one = [_fine("2026-01-02T00:00:00.000000Z"), stage]
    other = _event(2, "debt.itemised", "2026-01-02T00:00:00.000000Z", **{
        **one[0].event["data"], "debt": DEBT.replace("2", "3"), "product": "utility",
    })  # fmt: skip
    basis, as_of = _basis("example-fines"), "2026-03-02T00:00:00.000000Z"

    def product(case: list[Told]) -> set[str]:
        counts = case_findings(case, [], basis, as_of=as_of).counts
        return {cell.product for cell in counts if cell.rule == "FINE-05"}

    assert product(one) == {"other"}
    assert product([one[0], other, stage]) == {""}


def test_streams_that_a_case_names_are_those_of_its_staff_and_agencies() -> None:
    staff, agency = DEBT.replace("2", "4"), DEBT.replace("2", "5")
    events = [
        {"actorid": f"staff/{staff}", "data": {"agency": agency}},
        {"actorid": "clerk", "data": {"staff": [DEBT], "to_agency": agency}},
        {"actorid": "clerk", "data": {"staff": staff}},
    ]
    assert references(events) == {f"staff/{staff}", f"staff/{DEBT}", f"agency/{agency}"}
    assert contact_days([_event(1, "contact.call_placed", "2026-03-02T23:59:00.000000Z").event]) == frozenset(
        range(calendar.ordinal("2026-03-01"), calendar.ordinal("2026-03-04"))
    )


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("example-fines", set()),
        ("us-regf", {"source"}),
        ("cn-card", {"agency", "staff", "source"}),
    ],
)
def test_a_pack_leans_on_what_its_rules_read(name: str, kinds: set[str]) -> None:
    assert _basis(name).leans == kinds
    assert _basis(name).reach == (7 if name == "us-regf" else 1)


def test_the_mark_of_a_basis_tells_whether_anything_changed() -> None:
    fines = _adopted("example-fines")
    marks = {
        _basis("example-fines").mark,
        Basis.of([fines], nothing_at_hand).mark,
        Basis.of([fines._replace(starts="2020-01-01T00:00:00.000000Z")], Shelf()).mark,
        _basis("example-fines", "us-ma").mark,
    }
    assert len(marks) == 4
    assert Basis.of([fines], nothing_at_hand).missing == {"example-fines@1"}


@pytest.mark.parametrize("change", [{"digest": "00" * 32}, {"version": "9"}, {"pack": "../../etc/passwd"}])
def test_a_shelf_gives_only_what_was_adopted(change: dict[str, str], tmp_path: Any) -> None:
    adoption = _adopted("example-fines")
    (tmp_path / "example-fines@9.toml").write_bytes(b"[pack]")

    assert opened(adoption, Shelf(tmp_path)) is not None
    assert opened(adoption._replace(**change), Shelf(tmp_path)) is None


def test_bytes_that_were_adopted_under_another_name_are_not_that_pack(tmp_path: Any) -> None:
    pack = shipped_pack("example-fines")
    (tmp_path / "milder@1.toml").write_bytes(pack.data)
    adoption = _adopted("example-fines")._replace(pack="milder")

    assert Shelf(tmp_path)("milder", "1", adoption.digest) == pack.data
    assert opened(adoption, Shelf(tmp_path)) is None


def test_what_closes_an_exception_fits_into_an_identifier() -> None:
    from ledger.kernel.canonical import is_identifier

    for name in shipped():
        pack = shipped_pack(name)
        assert all(
            is_identifier(closing_ref(pack.id, rule.id, "INSUFFICIENT_EVIDENCE")) for rule in pack.rules
        )


def _told(vector: Any) -> list[Told]:
    """The events of a vector as entries of a case and of what it leans on."""
    return [
        Told(
            10 + n,
            event["time"],
            {
                "actorid": "clerk",
                **event,
                "subject": event.get("stream", "case/x"),
                "type": f"duecourse.{event['type']}.v1",
            },
        )
        for n, event in enumerate(vector["events"])
    ]


@pytest.mark.parametrize("name", shipped())
def test_what_the_view_keeps_is_what_a_bundle_would_say(root: Any, name: str) -> None:
    """Over every vector that lies beside a pack: the same findings, in the same number."""
    path = root / "ledger" / "rules" / "packs" / f"{name.replace('@', '-')}.vectors.json"
    basis = _basis(name)
    compared = 0
    for vector in read_vectors(path.read_bytes()):
        told = _told(vector)
        judged = judge(
            [(one.idx, one.event) for one in told], basis.packs, basis.adoptions, as_of=vector["as_of"]
        )
        corrected = [one for one in judged.findings if one.reading == "corrected"]
        case = [one for one in told if one.event["subject"] == "case/x"]
        others = [one for one in told if one.event["subject"] != "case/x"]
        kept = case_findings(case, others, basis, as_of=vector["as_of"])

        assert {(one.rule, one.index, one.outcome, one.codes, one.rests) for one in kept.found} == {
            (
                one.rule.id,
                judged.indexes[one.event],
                one.outcome,
                tuple(sorted(set(one.codes))),
                tuple(judged.indexes[place] for place in one.rests),
            )
            for one in corrected
            if one.outcome in EXCEPTIONS
        }
        counts = Counter((one.rule.id, one.outcome) for one in corrected)
        assert counts == sum((Counter({(c.rule, c.outcome): n}) for c, n in kept.counts.items()), Counter())
        compared += len(corrected)
    assert compared


@pytest.mark.parametrize("name", shipped())
def test_between_two_looks_nothing_changes(root: Any, name: str) -> None:
    """The view looks again only when it said it would: at any other moment it would have found the same. Tried with the
    beginnings of every vector, since what is not answered yet is what waits."""
    path = root / "ledger" / "rules" / "packs" / f"{name.replace('@', '-')}.vectors.json"
    basis = _basis(name)
    looks = 0
    for vector in read_vectors(path.read_bytes()):
        whole = _told(vector)
        for told in (whole[:2], whole[:-1], whole):
            looks += _looked(told, basis)
    assert looks or not any(rule.kind == "RSP" for rule in shipped_pack(name).rules)


def _looked(told: list[Told], basis: Basis) -> int:
    at = max(parse_time(one.event["recordedtime"]) for one in told)
    for looks in range(6):
        kept = case_findings(told, [], basis, as_of=format_time(at))
        if kept.look_us is None:
            for days in (1, 40, 400, 4000):
                assert case_findings(told, [], basis, as_of=format_time(at + days * calendar.DAY_US)) == kept
            return looks
        assert kept.look_us > at
        for moment in (at + (kept.look_us - at) // 3, kept.look_us - 1):
            assert case_findings(told, [], basis, as_of=format_time(moment)) == kept
        at = kept.look_us
    return 6


def test_where_zones_decide_there_is_a_look_for_each_of_them() -> None:
    zones = ["Pacific/Kiritimati", "Europe/Rome", "Pacific/Pago_Pago"]
    told = [
        _event(
            1,
            "contact.call_placed",
            "2026-01-10T12:00:00.000000Z",
            parties=[{"party": DEBT, "role": "debtor"}],
            debts=[DEBT],
            purpose="interactive",
            outcome="no_answer",
            zones=[{"zone": zone, "source": "statement"} for zone in zones],
        ),
        _event(
            2, "dispute.raised", "2026-01-10T12:00:00.000000Z", debts=[DEBT], form="oral", request="dispute"
        ),
    ]
    told = [Told(idx, at, {**event, "actorcapacity": "agency"}) for idx, at, event in told]
    basis = _basis("us-ny")

    seen = []
    at = parse_time("2026-01-12T00:00:00.000000Z")
    while True:
        kept = case_findings(told, [], basis, as_of=format_time(at))
        seen += [(format_time(at)[5:16], one.outcome) for one in kept.found if one.rule == "NY-01"]
        if kept.look_us is None:
            break
        assert case_findings(told, [], basis, as_of=format_time(kept.look_us - 1)) == kept
        at = kept.look_us
    # 14 days after the 11th in the east, and after the 10th in the west.
    assert seen[0] == ("01-24T23:00", "REVIEW")
    assert seen[-1] == ("01-25T11:00", "BREACH")
    assert {outcome for _, outcome in seen[:-1]} == {"REVIEW"}
