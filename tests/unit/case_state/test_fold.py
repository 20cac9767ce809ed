"""What each family of events does to a case, and how corrections are read."""

from __future__ import annotations

from typing import Any

import pytest

from projections.case_state.fold import EMPTY, fold, state_of
from projections.case_state.model import CaseEvent, CaseState

DEBT = "00000000-0000-8000-8000-00000000000d"
PARTY = "00000000-0000-8000-8000-00000000000a"
PLAN = "00000000-0000-8000-8000-00000000000b"


class Story:
    """Events of one case, numbered as they are told."""

    def __init__(self) -> None:
        self.events: list[CaseEvent] = []

    def tell(self, short: str, corrects: str = "", time: str = "", **data: Any) -> str:
        number = len(self.events)
        event_id = f"event-{number}"
        time = time or f"2026-03-{number + 1:02d}T10:00:00.000000Z"
        self.events.append(
            CaseEvent(
                number * 10,
                number,
                event_id,
                f"duecourse.{short}.v1",
                time,
                data,
                corrects,
                f"sequenced-{number}",
            )
        )
        return event_id

    @property
    def state(self) -> CaseState:
        return state_of(self.events)


def _itemised(story: Story, **changes: Any) -> str:
    data = {
        "debt": DEBT,
        "product": "credit_card",
        "currency": "EUR",
        "principal": 10000,
        "interest": 500,
        "fees": 200,
        "itemised_on": "2026-03-01",
    }
    return story.tell("debt.itemised", **{**data, **changes})


def test_a_case_is_registered_moves_and_closes() -> None:
    story = Story()
    story.tell(
        "case.registered", origin="own", stage="registered", places=[{"place": "IT", "since": "2020-01-01"}]
    )
    story.tell("case.assigned", staff="s", to_agency="a")
    story.tell("case.stage_changed", stage="litigation")
    state = story.state
    assert (state.origin, state.stage, state.places, state.staff, state.agency) == (
        "own",
        "litigation",
        ("IT",),
        "s",
        "a",
    )
    story.tell("case.closed", reason="paid")
    assert (story.state.stage, story.state.closed) == ("closed", "paid")
    story.tell("case.stage_changed", stage="overdue")
    assert (story.state.stage, story.state.closed) == ("overdue", "")


def test_a_balance_is_what_was_itemised_and_everything_after_it() -> None:
    story = Story()
    _itemised(story)
    story.tell("debt.adjusted", debt=DEBT, kind="fee_charge", amount=300, currency="EUR", authority="staff")
    story.tell("debt.adjusted", debt=DEBT, kind="waiver", amount=1000, currency="EUR", authority="supervisor")
    story.tell("debt.adjusted", debt=DEBT, kind="correction", amount=-50, currency="EUR", authority="staff")
    story.tell(
        "payment.received",
        amount=2500,
        currency="EUR",
        method="card",
        payer="debtor",
        allocation=[{"debt": DEBT, "amount": 2000}],
    )
    state = story.state
    assert state.debts[0].balance == 10000 + 500 + 200 + 300 - 1000 - 50 - 2000
    assert state.unallocated == (("EUR", 500),)
    assert state.owed == {"EUR": state.debts[0].balance - 500}
    assert state.counts.payments == 1


def test_a_new_itemisation_states_everything_before_it() -> None:
    story = Story()
    _itemised(story)
    story.tell("debt.adjusted", debt=DEBT, kind="interest_stop", amount=0, currency="EUR", authority="court")
    story.tell(
        "payment.received",
        amount=100,
        currency="EUR",
        method="card",
        payer="debtor",
        allocation=[{"debt": DEBT, "amount": 100}],
    )
    _itemised(story, principal=7000, interest=0, fees=0)
    (debt,) = story.state.debts
    assert debt.balance == 7000
    assert debt.interest_stopped


def test_a_debt_that_was_transferred_is_owed_to_somebody_else() -> None:
    story = Story()
    _itemised(story)
    story.tell("debt.transferred", debts=[DEBT], transferee="buyer", effective="2026-04-01")
    assert story.state.owed == {}
    assert story.state.debts[0].transferee == "buyer"


def test_holds_are_in_force_by_their_days() -> None:
    story = Story()
    first = story.tell(
        "hold.started",
        kind="dispute",
        blocks=["demand"],
        starts="2026-03-02T00:00:00.000000Z",
        last_day="2026-03-20",
        authority="staff",
    )
    second = story.tell(
        "hold.started",
        kind="dispute",
        blocks=["demand", "contact"],
        starts="2026-03-21T00:00:00.000000Z",
        extends=first,
        authority="staff",
    )
    holds = story.state.holds
    assert [hold.in_force("2026-03-20") for hold in holds] == [True, False]
    assert [hold.in_force("2026-03-21") for hold in holds] == [False, True]
    assert [hold.in_force("2030-01-01") for hold in holds] == [False, True]
    story.tell("hold.ended", hold=second, last_day="2026-04-01")
    assert [hold.in_force("2026-04-01") for hold in story.state.holds] == [False, True]
    assert [hold.in_force("2026-04-02") for hold in story.state.holds] == [False, False]
    assert story.state.holds[1].extends == first


def test_a_plan_goes_from_proposal_to_breach() -> None:
    story = Story()
    story.tell("plan.proposed", plan=PLAN, by="party", debts=[DEBT], months=12, amount=100, currency="EUR")
    assert story.state.plan is not None
    assert story.state.plan.status == "proposed"
    story.tell("plan.decided", plan=PLAN, decision="accept", authority="staff")
    story.tell(
        "plan.agreed",
        plan=PLAN,
        debts=[DEBT],
        form="written",
        months=12,
        total=1200,
        currency="EUR",
        first_due_on="2026-05-01",
        last_due_on="2027-04-01",
        items=["balance"],
        signed_by=["debtor"],
    )
    story.tell("plan.proposed", plan="other", by="creditor_side", debts=[DEBT])
    story.tell("plan.breached", plan=PLAN, due_on="2026-06-01")
    plan = story.state.plan
    assert plan is not None
    assert (plan.plan, plan.status, plan.total, plan.by, plan.breached_on) == (
        PLAN,
        "breached",
        1200,
        "party",
        "2026-06-01",
    )
    assert len(story.state.plans) == 2


def test_restrictions_come_and_go() -> None:
    story = Story()
    story.tell("party.status_changed", party=PARTY, contact_allowed="none", effective="2026-03-01")
    wish = story.tell(
        "party.preference_recorded",
        party=PARTY,
        kind="avoid_medium",
        form="oral",
        media=["voice"],
        expires="2026-04-01",
    )
    story.tell("cease.requested", party=PARTY, form="written", scope="medium", media=["sms"])
    assert [r.source for r in story.state.restrictions] == ["status", "preference", "cease"]
    assert story.state.restrictions[1].in_force("2026-04-01")
    assert not story.state.restrictions[1].in_force("2026-04-02")
    story.tell("party.preference_recorded", party=PARTY, kind="avoid_medium", form="oral", withdraws=wish)
    story.tell("party.status_changed", party=PARTY, contact_allowed="all", effective="2026-03-05")
    assert [r.source for r in story.state.restrictions] == ["cease"]


def test_disputes_and_complaints_are_open_until_they_are_answered() -> None:
    story = Story()
    dispute = story.tell("dispute.raised", debts=[DEBT], form="written", request="dispute")
    story.tell("dispute.raised", debts=[DEBT], form="written", request="dispute", duplicate_of=dispute)
    complaint = story.tell("complaint.received", forum="bank", category="conduct")
    assert [m.event for m in story.state.disputes] == [dispute]
    assert [m.about for m in story.state.complaints] == ["conduct"]
    story.tell("dispute.answered", dispute=dispute, outcome="rejected", sent=[])
    story.tell("complaint.resolved", complaint=complaint, outcome="upheld")
    assert story.state.disputes == story.state.complaints == ()


def test_the_last_contact_is_the_latest_by_its_own_time() -> None:
    story = Story()
    story.tell("contact.call_placed", time="2026-03-09T10:00:00.000000Z", purpose="service", outcome="busy")
    story.tell(
        "contact.message_sent",
        time="2026-03-05T10:00:00.000000Z",
        medium="sms",
        kind="reminder",
        template="t@1",
    )
    story.tell("contact.delivery_status", time="2026-03-30T10:00:00.000000Z", message="m", status="delivered")
    contact = story.state.last_contact
    assert contact is not None
    assert (contact.type, contact.medium, contact.outcome) == ("contact.call_placed", "voice", "busy")
    assert (story.state.counts.calls, story.state.counts.messages) == (1, 1)


def test_a_correction_is_read_in_the_place_of_what_it_corrects() -> None:
    story = Story()
    first = _itemised(story)
    _itemised(story, principal=1)
    story.tell("debt.adjusted", debt=DEBT, kind="fee_charge", amount=5, currency="EUR", authority="staff")
    _itemised(story, corrects=first, principal=99999)
    state = story.state
    # The second itemisation still comes after the first, whatever the first now says.
    assert state.debts[0].principal == 1
    assert (state.events, state.corrections, state.voided, state.dangling) == (4, 1, 0, 0)
    assert (state.last_index, state.last_sequenced) == (30, "sequenced-3")


def test_the_last_correction_counts_and_may_correct_a_correction() -> None:
    story = Story()
    first = story.tell("contact.call_placed", purpose="service", outcome="busy")
    second = story.tell("contact.call_placed", corrects=first, purpose="service", outcome="answered")
    story.tell("contact.call_placed", corrects=second, purpose="service", outcome="dropped")
    contact = story.state.last_contact
    assert contact is not None
    assert (contact.outcome, contact.event) == ("dropped", first)
    assert story.state.counts.calls == 1
    assert story.state.corrections == 2


def test_a_voided_event_did_not_happen_until_it_is_corrected_again() -> None:
    story = Story()
    first = story.tell("contact.call_placed", purpose="service", outcome="busy")
    void = story.tell("contact.call_placed", corrects=first, purpose="service", outcome="busy", void=True)
    assert story.state.counts.calls == 0
    assert story.state.last_contact is None
    assert story.state.voided == 1
    story.tell("contact.call_placed", corrects=void, purpose="service", outcome="answered")
    assert story.state.counts.calls == 1
    assert story.state.voided == 0


def test_a_correction_that_fits_nothing_changes_nothing_and_is_counted() -> None:
    story = Story()
    call = story.tell("contact.call_placed", purpose="service", outcome="busy")
    before = story.state
    story.tell("contact.call_placed", corrects="event-of-another-case", purpose="service", outcome="answered")
    story.tell("case.closed", corrects=call, reason="paid")
    state = story.state
    assert state.dangling == state.corrections == 2
    assert (state.counts, state.last_contact, state.closed) == (before.counts, before.last_contact, "")


def test_what_names_a_correction_means_the_event_that_it_corrects() -> None:
    story = Story()
    hold = {
        "kind": "plan",
        "blocks": ["demand"],
        "starts": "2026-03-01T00:00:00.000000Z",
        "authority": "staff",
    }
    first = story.tell("hold.started", **hold)
    corrected = story.tell("hold.started", corrects=first, **{**hold, "blocks": ["contact"]})
    story.tell("hold.ended", hold=corrected, last_day="2026-03-09")
    (held,) = story.state.holds
    assert (held.blocks, held.until, held.ended) == (("contact",), "2026-03-09", True)


def test_a_state_comes_back_from_its_encoding() -> None:
    story = Story()
    _itemised(story)
    story.tell(
        "hold.started",
        kind="plan",
        blocks=["demand"],
        starts="2026-03-01T00:00:00.000000Z",
        authority="staff",
    )
    story.tell("plan.proposed", plan=PLAN, by="party", debts=[DEBT])
    story.tell("cease.requested", party=PARTY, form="written", scope="all")
    story.tell("dispute.raised", debts=[DEBT], form="written", request="dispute")
    first = story.tell("contact.call_placed", purpose="service", outcome="busy")
    story.tell("contact.call_placed", corrects=first, purpose="service", outcome="answered")
    story.tell("payment.promised", debts=[DEBT], amount=5, currency="EUR", due_on="2026-05-01", form="oral")
    story.tell("payment.received", amount=5, currency="EUR", method="card", payer="debtor", allocation=[])
    state = story.state
    assert CaseState.decode(state.encode()) == state
    value = state.value()
    assert value["promise"] == {"amount": 5, "currency": "EUR", "due_on": "2026-05-01"}
    assert value["debts"][0]["balance"] == 10700
    assert value["owed"] == {"EUR": 10695}


@pytest.mark.parametrize("cut", range(6))
def test_folding_goes_on_from_any_state(cut: int) -> None:
    story = Story()
    _itemised(story)
    story.tell("contact.call_placed", purpose="service", outcome="busy")
    story.tell("case.stage_changed", stage="overdue")
    story.tell("plan.proposed", plan=PLAN, by="party", debts=[DEBT])
    story.tell("conduct.reviewed", about="x", sample="random", found_by="person", codes=[])
    before = fold(EMPTY, story.events[:cut])
    assert fold(before, story.events[cut:]) == story.state
