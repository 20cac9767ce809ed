"""Writes the vectors that lie beside each shipped pack: for every rule a case that passes and one that does not.

`python tests/unit/rules/make_pack_vectors.py --write`; a test compares the files with what this makes."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from ledger.rules.vectors import FORMAT

PACKS = Path(__file__).resolve().parents[3] / "ledger" / "rules" / "packs"
AS_OF = "2026-12-31T00:00:00.000000Z"
AGENCY, STAFF, DEBT, DEBTOR, POINT, OTHER, PLAN = (
    f"00000000-0000-4000-8000-0000000000{n:02x}" for n in range(1, 8)
)
SHA = "ab" * 32
Event = dict[str, Any]


def _time(at: str) -> dt.datetime:
    """`06-10 02:00`, or with a year before it; UTC."""
    return dt.datetime.strptime(at if at[4:5] == "-" else f"2026-{at}", "%Y-%m-%d %H:%M").replace(
        tzinfo=dt.UTC
    )


def ev(type_: str, at: str, /, stream: str = "", capacity: str = "", actor: str = "", **data: Any) -> Event:
    """One event; its id and what its pack adds to every event are filled in by `_vector`."""
    event: Event = {"type": type_, "time": f"{_time(at):%Y-%m-%dT%H:%M:%S.000000Z}", "data": data}
    event["recordedtime"] = f"{_time(at) + dt.timedelta(seconds=5):%Y-%m-%dT%H:%M:%S.000000Z}"
    if stream:
        event["stream"] = stream
    if capacity:
        event["actorcapacity"] = capacity
    if actor:
        event["actorid"] = actor
    return event


def _contact(roles: str = "debtor", party: str = DEBTOR, **data: Any) -> dict[str, Any]:
    return {"parties": [{"party": party, "role": roles}], "debts": [DEBT], "contact_point": POINT, **data}


def call(
    at: str, outcome: str = "no_answer", purpose: str = "interactive", role: str = "debtor", **more: Any
) -> Event:
    who = OTHER if role not in ("debtor", "guarantor") else DEBTOR
    capacity = more.pop("capacity", "")
    data = _contact(role, more.pop("party", who), purpose=purpose, outcome=outcome, **more)
    return ev("contact.call_placed", at, capacity=capacity, **data)


REC = [
    {
        "kind": "recording",
        "sha256": SHA,
        "bytes": 9,
        "media_type": "audio/ogg",
        "captured": "2026-01-01T00:00:00.000000Z",
    }
]


def proof(kind: str, sha: str = SHA) -> dict[str, Any]:
    return {**REC[0], "kind": kind, "sha256": sha}


def talk(at: str, by: str = "creditor_side", role: str = "debtor", **more: Any) -> Event:
    capacity, actor = more.pop("capacity", ""), more.pop("actor", "")
    who = OTHER if role not in ("debtor", "guarantor") else DEBTOR
    given: dict[str, Any] = {
        "medium": "voice",
        "initiated_by": by,
        "recording": "made",
        "evidence": REC,
        **more,
    }
    return ev("contact.conversation_held", at, capacity=capacity, actor=actor, **_contact(role, who, **given))


def msg(at: str, kind: str = "demand", medium: str = "sms", role: str = "debtor", **more: Any) -> Event:
    who = OTHER if role not in ("debtor", "guarantor") else DEBTOR
    capacity = more.pop("capacity", "")
    given = {"medium": medium, "kind": kind, "template": f"{kind}@1", "visibility": "private", **more}
    return ev("contact.message_sent", at, capacity=capacity, **_contact(role, who, **given))


def third(at: str, said: tuple[str, ...] = ("own_name",), **more: Any) -> Event:
    given: dict[str, Any] = {
        "medium": "voice",
        "purpose": "locate",
        "basis": "none",
        "refused": False,
        "evidence": REC,
    }
    given |= {"location_known": False, **more}
    return ev("contact.third_party", at, **_contact("contact_person", OTHER, said=list(said), **given))


def visit(at: str, **more: Any) -> Event:
    given = {
        "place_kind": "home",
        "purpose": "discuss",
        "staff": [STAFF],
        "entered": "by_consent",
        "recording": "made",
        **more,
    }
    data = _contact(**given)
    del data["contact_point"]
    return ev("contact.visit_made", at, **data)


def got(at: str, message: int, status: str = "delivered") -> Event:
    return ev("contact.delivery_status", at, message=message, status=status)


def told(at: str, *kinds: str, contact: int, **more: Any) -> Event:
    return ev("disclosure.given", at, kinds=list(kinds), contact=contact, form="oral", **more)


def plan(at: str, **more: Any) -> Event:
    given: dict[str, Any] = {
        "plan": PLAN,
        "debts": [DEBT],
        "form": "written",
        "months": 12,
        "total": 800000,
        "currency": "CNY",
    }
    given |= {"first_due_on": "2026-10-05", "last_due_on": "2027-09-05", "signed_by": ["debtor"]}
    given["items"] = ["balance", "schedule", "charges", "no_new_card", "rights_duties", "other_terms"]
    return (
        ev("plan.agreed", at, **given, **more)
        if not set(more) & set(given)
        else ev("plan.agreed", at, **(given | more))
    )


def owe(at: str = "2025-01-02 00:00", **more: Any) -> Event:
    given = {
        "debt": DEBT,
        "product": "credit_card",
        "currency": "CNY",
        "principal": 800000,
        "interest": 0,
        "fees": 0,
    }
    return ev("debt.itemised", at, itemised_on="2025-01-02", **given, **more)


def pay(at: str, **more: Any) -> Event:
    given = {"amount": 100, "currency": "CNY", "method": "transfer", "payer": "debtor"}
    return ev("payment.received", at, allocation=[{"debt": DEBT, "amount": 100}], **given, **more)


def law(at: str, kind: str = "filed", **more: Any) -> Event:
    return ev("legal.step_taken", at, kind=kind, debts=[DEBT], authority="committee", **more)


def dispute(at: str, request: str = "dispute", form: str = "written", **more: Any) -> Event:
    return ev("dispute.raised", at, debts=[DEBT], form=form, request=request, **more)


def answer(at: str, about: int, *sent: str, outcome: str = "rejected") -> Event:
    return ev("dispute.answered", at, dispute=about, outcome=outcome, sent=list(sent))


def hold(at: str, kind: str, *blocks: str, **more: Any) -> Event:
    return ev(
        "hold.started",
        at,
        kind=kind,
        blocks=list(blocks),
        starts=f"{_time(at):%Y-%m-%dT%H:%M:%S.000000Z}",
        authority="statute",
        **more,
    )


def pref(at: str, kind: str, form: str = "oral", **more: Any) -> Event:
    return ev("party.preference_recorded", at, party=DEBTOR, kind=kind, form=form, **more)


def consent(at: str, *scope: str, **more: Any) -> Event:
    return ev(
        "consent.recorded",
        at,
        party=DEBTOR,
        action="grant",
        scope=list(scope),
        form="oral",
        given_to="collector",
        **more,
    )


def file(at: str, **more: Any) -> Event:
    given = {
        "party": DEBTOR,
        "role": "debtor",
        "contact_point": POINT,
        "action": "add",
        "medium": "voice",
        "source": "contract",
    }
    return ev("party.contact_point_changed", at, **(given | more))


def data(
    at: str, action: str, purpose: str = "retention", fields: tuple[str, ...] = ("recording",), **more: Any
) -> Event:
    return ev("data.handled", at, action=action, purpose=purpose, fields=list(fields), **more)


def engaged(at: str = "2026-01-05 02:00", **more: Any) -> Event:
    given = {"contract_from": "2026-01-05", "contract_to": "2026-12-01", "pay_model": "mixed"}
    return ev("agency.engaged", at, stream=f"agency/{AGENCY}", **(given | more))


def reviewed(at: str, **more: Any) -> Event:
    given = {"period_from": "2025-07-01", "period_to": "2026-05-31", "result": "good", "action": "continue"}
    return ev("agency.reviewed", at, stream=f"agency/{AGENCY}", **(given | more))


def qualified(at: str, kind: str, **more: Any) -> Event:
    return ev(
        "staff.qualified",
        at,
        stream=f"staff/{STAFF}",
        kind=kind,
        valid_from=at[:10] if at[4:5] == "-" else f"2026-{at[:5]}",
        **more,
    )


def quality(at: str, about: int, *codes: str, by: str = "person") -> Event:
    return ev("conduct.reviewed", at, about=about, sample="random", found_by=by, codes=list(codes))


def party_status(at: str, allowed: str, **more: Any) -> Event:
    return ev(
        "party.status_changed", at, party=DEBTOR, contact_allowed=allowed, effective=f"2026-{at[:5]}", **more
    )


def verified(at: str, result: str = "confirmed", **more: Any) -> Event:
    return ev("identity.verified", at, party=DEBTOR, role="debtor", method="questions", result=result, **more)


def complaint(at: str, forum: str = "collector") -> Event:
    return ev("complaint.received", at, forum=forum, category="conduct")


def incident(at: str, **more: Any) -> Event:
    given: dict[str, Any] = {"kind": "data", "detected": f"{_time(at):%Y-%m-%dT%H:%M:%S.000000Z}"}
    return ev("incident.reported", at, **(given | more))


def visit_notice(at: str) -> Event:
    return ev(
        "contact.visit_notified",
        at,
        **_contact(visit_on="2026-06-15", from_min=600, to_min=720, purpose="discuss", medium="letter"),
    )


def proposed(at: str, by: str = "party", **more: Any) -> Event:
    return ev("plan.proposed", at, plan=PLAN, by=by, debts=[DEBT], **more)


def decided(at: str, decision: str, **more: Any) -> Event:
    return ev("plan.decided", at, plan=PLAN, decision=decision, authority="staff", **more)


def sent_on(at: str, kind: str, about: int) -> Event:
    return ev("document.exchanged", at, direction="to_creditor", kind=kind, about=about)


def reported(at: str, **more: Any) -> Event:
    return ev("credit.reported", at, debts=[DEBT], item="delinquency", disputed=False, **more)


# Members that hold the id of another event; here they hold its place.
_BY_PLACE = {
    "message",
    "contact",
    "call",
    "about",
    "dispute",
    "hold",
    "complaint",
    "notice",
    "in_reply_to",
    "confirms",
    "given_in",
}
# What a pack's cases have in common: capacity, place, zone (none: the pack's own).
_CASES = {
    "cn-card": ("first_party", "CN", ""),
    "us-regf": ("agency", "US-CA", "America/Los_Angeles"),
    "us-ma": ("agency", "US-MA", "America/New_York"),
    "us-dc": ("first_party", "US-DC", "America/New_York"),
    "us-ny": ("agency", "US-NY", "America/New_York"),
    "us-bk": ("agency", "US-NY", "America/New_York"),
    "in-rbi": ("agency", "IN", ""),
    "uk-conc": ("first_party", "GB-ENG", "Europe/London"),
    "privacy": ("first_party", "CN", ""),
    "example-fines": ("first_party", "IT", ""),
}


def _vector(
    pack: str, rule: str, name: str, events: list[Event], at: int, outcome: str, codes: tuple[str, ...]
) -> Event:
    capacity, place, zone = _CASES[pack]
    policies = [
        {"kind": kind, "version": "1", "valid_from": "2019-01-01"} for kind in ("arrears", "vulnerable")
    ]
    if name == "no-policy":
        policies = policies[:1]
    first = ev(
        "case.registered",
        "2020-01-02 00:00",
        origin="own",
        stage="overdue",
        places=[{"place": place, "since": "2020-01-01"}],
        policies=policies,
    )
    made = []
    for n, event in enumerate([first, *events]):
        values = dict(event["data"])
        for member in _BY_PLACE & values.keys():
            if isinstance(values[member], int):
                values[member] = f"10000000-0000-4000-8000-{values[member]:012d}"
        if zone and "parties" in values and "zones" not in values:
            values["zones"] = [{"zone": zone, "source": "residence"}]
        who = event.get("actorcapacity", capacity)
        if who == "agency" and "stream" not in event:
            values.setdefault("agency", AGENCY)
        made.append(
            {"actorcapacity": who} | event | {"id": f"10000000-0000-4000-8000-{n:012d}", "data": values}
        )
    expect: Event = {"rule": rule, "event": at, "outcome": outcome}
    if codes:
        expect["must_mention"] = list(codes)
    binding = [{"pack": pack, "rules": [rule], "from": "2020-01-01"}]
    return {
        "id": f"{rule}-{name}",
        "kind": "rule",
        "packs": [pack],
        "setup": {"binding": binding},
        "events": made,
        "as_of": AS_OF,
        "expect": [expect],
    }


def vectors(pack: str, cases: list[tuple[Any, ...]]) -> list[Event]:
    """`(rule, passing events, place, not passing events, place, outcome, codes…)` becomes two vectors."""
    made = []
    if pack == "cn-card":
        # Nobody has read the hours of this rule, so nothing can pass it.
        unread = [call("2025-01-10 02:00")]
        made.append(_vector(pack, "CN-01N", "asks", unread, 1, "REVIEW", ("unconfirmed",)))
    for rule, passing, good, failing, bad, outcome, *codes in cases:
        made.append(_vector(pack, rule, "passes", passing, good, "PASS", ()))
        made.append(
            _vector(
                pack, rule, "no-policy" if rule == "UK-01" else "fails", failing, bad, outcome, tuple(codes)
            )
        )
    return made


def _file(pack: str, cases: list[tuple[Any, ...]]) -> str:
    return (
        json.dumps({"format": FORMAT, "vectors": vectors(pack, cases)}, indent=1, ensure_ascii=False) + "\n"
    )


def files() -> dict[Path, str]:
    """Every file of vectors, with its text."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from pack_cases import CASES

    return {PACKS / f"{pack}-1.vectors.json": _file(pack, cases) for pack, cases in CASES.items()}


if __name__ == "__main__" and "--write" in sys.argv:
    sys.modules["make_pack_vectors"] = sys.modules["__main__"]
    for path, text in files().items():
        path.write_text(text, "utf-8")
