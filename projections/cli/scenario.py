"""A card case to try things with: registration, calls and messages, hardship, a complaint, notice of entrusted
recovery, a plan, and no litigation. Made up by the project: no person, number or account in it exists.

It is played through the SDK by two producers, the bank's CRM and the dialler of the agency that the bank hires."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from ledger.sdk.recorder import Recorder

ACCOUNT: Final = "6222-0000-0418-7731"
PHONE: Final = "+86 10 5550 0142"
AGENCY: Final = "3f0c8f6e-6f0e-4d0c-9a55-0f6a3a1c7b21"
STAFF: Final = "b1f4a2d0-7c39-4b52-8f43-5a1f0c2e9d10"
ZONES: Final = [{"zone": "Asia/Shanghai", "source": "residence"}]

Step = tuple[str, Callable[[], object]]


def _evidence(kind: str, label: str, captured: str, media_type: str, size: int) -> list[dict[str, Any]]:
    """What would be the digest of a recording or paper; here it is that of its label."""
    digest = hashlib.sha256(f"duecourse scenario: {label}".encode()).hexdigest()
    return [{"kind": kind, "sha256": digest, "bytes": size, "media_type": media_type, "captured": captured}]


def _recording(label: str, captured: str) -> list[dict[str, Any]]:
    return _evidence("recording", label, captured, "audio/wav", 1_920_044)


def steps(crm: Recorder, dialler: Recorder) -> Iterator[tuple[Recorder, str, Callable[[], object]]]:
    """The scenario in order: who says it, what it is in a few words, and the call that says it."""
    bank, agency = crm.case(account=ACCOUNT), dialler.case(account=ACCOUNT)
    debt = bank.debt("card")
    debts = [debt]
    said: dict[str, Any] = {}
    late: Final = "backfill"

    def keep(name: str, make: Callable[[], Any]) -> Callable[[], object]:
        def call() -> object:
            said[name] = make()
            return said[name]

        return call

    yield crm, "the case is registered", lambda: bank.registered(
        origin="own", stage="registered", places=[{"place": "CN", "since": "2019-05-01"}],
        time="2026-03-02T01:00:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "what is owed, item by item", lambda: bank.debt_itemised(
        debt=debt, product="credit_card", currency="CNY", principal=1_864_350, interest=41_230, fees=9_900,
        itemised_on="2026-03-01", due_on="2026-02-10", time="2026-03-02T01:00:05.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "the number that was left with the bank", lambda: bank.contact_point_changed(
        party=bank.party(), contact_point=bank.contact_point(PHONE), action="add", medium="voice", address=PHONE,
        source="reserved", zone="Asia/Shanghai", zone_source="residence", is_reserved=True,
        time="2026-03-02T01:00:10.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "a reminder before anything else", keep("reminder", lambda: bank.message_sent(
        medium="sms", kind="reminder", template="card-reminder@3", visibility="private", to=PHONE, debts=debts, zones=ZONES,
        content=["debtor_name", "balance", "query_route", "pay_route", "objection_route"],
        time="2026-03-03T02:00:00.000000Z", late_reason=late,
    ))  # fmt: skip
    yield (
        crm,
        "the gateway says that it was delivered",
        lambda: bank.delivery_status(
            message=said["reminder"], status="delivered", time="2026-03-03T02:00:07.000000Z", late_reason=late
        ),
    )
    yield (
        crm,
        "overdue collection begins",
        lambda: bank.stage_changed(stage="overdue", time="2026-03-09T01:00:00.000000Z", late_reason=late),
    )
    yield crm, "a call that nobody answers", lambda: bank.call_placed(
        to=PHONE, purpose="interactive", outcome="no_answer", line="registered", debts=debts, zones=ZONES,
        time="2026-03-10T02:15:00.000000Z", duration_ms=25_000, late_reason=late,
    )  # fmt: skip
    yield crm, "a text goes out ten seconds before ten at night", keep("late_text", lambda: bank.message_sent(
        medium="sms", kind="reminder", template="card-reminder@3", visibility="private", to=PHONE, debts=debts, zones=ZONES,
        content=["debtor_name", "balance", "query_route", "pay_route", "objection_route"], line="registered",
        time="2026-03-10T13:59:50.000000Z", late_reason=late,
    ))  # fmt: skip
    yield (
        crm,
        "and arrives three minutes after ten",
        lambda: bank.delivery_status(
            message=said["late_text"],
            status="delivered",
            time="2026-03-10T14:03:10.000000Z",
            late_reason=late,
        ),
    )
    yield crm, "a call after ten at night", lambda: bank.call_placed(
        to=PHONE, purpose="interactive", outcome="no_answer", line="registered", debts=debts, zones=ZONES,
        time="2026-03-11T14:05:00.000000Z", duration_ms=25_000, late_reason=late,
    )  # fmt: skip
    yield crm, "which the debtor complains about", keep("complaint", lambda: bank.complaint_received(
        forum="bank", category="hours", words="晚上十点多还打电话来，孩子都被吵醒了。请白天联系。",
        time="2026-03-12T00:30:00.000000Z", late_reason=late,
    ))  # fmt: skip
    yield crm, "the bank upholds the complaint", lambda: bank.complaint_resolved(
        complaint=said["complaint"], outcome="upheld", staff_action="coached",
        time="2026-03-13T06:00:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "a call in the afternoon is answered", keep("call", lambda: bank.call_placed(
        to=PHONE, purpose="interactive", outcome="answered", line="registered", debts=debts, zones=ZONES,
        time="2026-03-16T06:30:00.000000Z", duration_ms=412_000, late_reason=late,
    ))  # fmt: skip
    yield crm, "who is calling, and that it is recorded", lambda: bank.disclosure_given(
        kinds=["identity", "recording_notice"], contact=said["call"], form="oral", language="zh",
        time="2026-03-16T06:30:20.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "they talk", lambda: bank.conversation_held(
        medium="voice", initiated_by="creditor_side", call=said["call"], to=PHONE, debts=debts, zones=ZONES, recording="made",
        evidence=_recording("call of 16 March", "2026-03-16T06:37:12.000000Z"), duration_ms=390_000,
        time="2026-03-16T06:30:20.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "the debtor lost the job, and wants to pay", lambda: bank.hardship_declared(
        willingness="willing", causes=["unemployment"], can_pay=80_000, currency="CNY",
        time="2026-03-16T06:36:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "with a paper that shows it", lambda: bank.document_exchanged(
        direction="from_party", kind="hardship_proof", time="2026-03-18T03:00:00.000000Z", late_reason=late,
        evidence=_evidence("letter_scan", "proof of hardship", "2026-03-18T03:00:00.000000Z", "application/pdf", 88_214),
    )  # fmt: skip
    yield crm, "collection pauses while a plan is talked over", keep("talks", lambda: bank.hold_started(
        kind="plan_talks", blocks=["demand", "charges"], starts="2026-03-18T03:05:00.000000Z", authority="staff",
        time="2026-03-18T03:05:00.000000Z", late_reason=late,
    ))  # fmt: skip
    yield crm, "the bank finds that a plan is justified", lambda: bank.hardship_assessed(
        plan_justified=True, willingness="willing", capacity=80_000, currency="CNY",
        time="2026-03-20T07:00:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "the case will go to an agency, and the debtor is told first", keep("notice", lambda: bank.message_sent(
        medium="sms", kind="agency_notice", template="entrusted-recovery@2", visibility="private", to=PHONE, debts=debts,
        zones=ZONES, content=["debtor_name", "creditor_name", "collector_name", "objection_route"],
        time="2026-03-23T02:00:00.000000Z", late_reason=late,
    ))  # fmt: skip
    yield (
        crm,
        "that notice is delivered",
        lambda: bank.delivery_status(
            message=said["notice"], status="delivered", time="2026-03-23T02:00:09.000000Z", late_reason=late
        ),
    )
    yield (
        crm,
        "the agency gets the case",
        lambda: bank.assigned(
            to_agency=AGENCY, staff=STAFF, time="2026-03-24T01:00:00.000000Z", late_reason=late
        ),
    )
    yield (
        crm,
        "entrusted recovery begins",
        lambda: bank.stage_changed(stage="entrusted", time="2026-03-24T01:00:05.000000Z", late_reason=late),
    )
    yield dialler, "the agency calls", keep("agency_call", lambda: agency.call_placed(
        to=PHONE, purpose="interactive", outcome="answered", line="registered", debts=debts, zones=ZONES,
        time="2026-03-25T07:00:00.000000Z", duration_ms=305_000, late_reason=late,
    ))  # fmt: skip
    yield dialler, "and says who it is", lambda: agency.disclosure_given(
        kinds=["agency_identity", "recording_notice"], contact=said["agency_call"], form="oral", language="zh",
        time="2026-03-25T07:00:15.000000Z", late_reason=late,
    )  # fmt: skip
    yield dialler, "they talk about instalments, and nothing is demanded", lambda: agency.conversation_held(
        medium="voice", initiated_by="creditor_side", call=said["agency_call"], to=PHONE, debts=debts, zones=ZONES,
        recording="made", demanded=False, duration_ms=290_000,
        evidence=_recording("call of 25 March", "2026-03-25T07:05:05.000000Z"),
        time="2026-03-25T07:00:15.000000Z", late_reason=late,
    )  # fmt: skip
    plan = bank.plan("2026-03")
    yield crm, "the bank proposes 24 instalments, and waives the fees", lambda: bank.plan_proposed(
        plan=plan, by="creditor_side", debts=debts, months=24, amount=79_399, waiver=9_900, currency="CNY",
        time="2026-03-27T02:00:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "the fees are waived", lambda: bank.debt_adjusted(
        debt=debt, kind="waiver", amount=9_900, currency="CNY", authority="supervisor",
        time="2026-03-30T02:00:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield crm, "the plan is signed", lambda: bank.plan_agreed(
        plan=plan, debts=debts, form="written", months=24, total=1_905_580, currency="CNY", first_due_on="2026-04-15",
        last_due_on="2028-03-15", signed_by=["debtor"],
        items=["balance", "schedule", "charges", "no_new_card", "rights_duties", "other_terms"],
        evidence=_evidence("signed_document", "plan", "2026-03-30T02:10:00.000000Z", "application/pdf", 120_331),
        time="2026-03-30T02:10:00.000000Z", late_reason=late,
    )  # fmt: skip
    yield (
        crm,
        "the talks are over",
        lambda: bank.hold_ended(
            hold=said["talks"], last_day="2026-03-30", time="2026-03-30T02:10:05.000000Z", late_reason=late
        ),
    )
    yield crm, "and collection stays paused while the plan is kept", lambda: bank.hold_started(
        kind="plan", blocks=["contact", "demand", "enforcement"], starts="2026-03-30T02:10:05.000000Z", last_day="2028-03-15",
        authority="supervisor", time="2026-03-30T02:10:05.000000Z", late_reason=late,
    )  # fmt: skip
    for month, day in (("04", "14"), ("05", "15"), ("06", "12")):
        yield crm, f"the instalment of month {int(month)} comes in", lambda month=month, day=day: bank.payment_received(  # type: ignore[misc]
            amount=79_399, currency="CNY", method="transfer", payer="debtor", allocation=[{"debt": debt, "amount": 79_399}],
            time=f"2026-{month}-{day}T04:20:00.000000Z", late_reason=late,
        )  # fmt: skip
    yield (
        crm,
        "the agency gives the case back, and nobody goes to court",
        lambda: bank.stage_changed(stage="overdue", time="2026-06-30T01:00:00.000000Z", late_reason=late),
    )
