"""From events to the state of a case: a pure left fold, and the reading of corrections that comes before it.

`state_of(events)` is the definition. `fold` goes on from a state with events that correct nothing, and comes
to the same; the view relies on that, and a test compares the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from ledger.kernel.event import short_type
from projections.case_state.model import (
    CaseEvent,
    CaseState,
    Contact,
    Counts,
    Debt,
    Hold,
    OpenMatter,
    Plan,
    Restriction,
)

EMPTY: Final = CaseState()
_FIELDS: Final = tuple(f.name for f in fields(CaseState))
_COUNTS: Final = tuple(f.name for f in fields(Counts))
_DEBT: Final = tuple(f.name for f in fields(Debt))
_NO_DEBT: Final = {name: getattr(Debt(""), name) for name in _DEBT}

# The state while it is folded: the members of CaseState by name. It never leaves this module.
Draft = dict[str, Any]
Handler = Callable[[Draft, CaseEvent], None]


def state_of(events: Sequence[CaseEvent]) -> CaseState:
    """The state after these entries of one case, in stream order, corrections read."""
    read, corrections, voided, dangling, renamed = reading(events)
    state = fold(replace(EMPTY, renamed=renamed), read)
    if not events:
        return state
    last = events[-1]
    return replace(
        state,
        events=len(events),
        corrections=corrections,
        voided=voided,
        dangling=dangling,
        last_index=last.idx,
        last_time=last.time,
        last_sequenced=last.sequenced,
    )


def reading(
    events: Sequence[CaseEvent],
) -> tuple[list[CaseEvent], int, int, int, tuple[tuple[str, str], ...]]:
    """The events as they are to be read: a corrected one with the payload and time of its last correction, in
    its own place and under its own id; a voided one not at all. A correction of another type than what it
    corrects, or of nothing in this case, is left out and counted.

    Returns (events, corrections, voided, dangling, ((id of a correction, id that it takes), …))."""
    place: dict[str, int] = {}
    root: dict[str, str] = {}
    standing: dict[int, CaseEvent] = {}
    corrections = dangling = 0
    for number, event in enumerate(events):
        if not event.corrects:
            place[event.id] = number
            standing[number] = event
            continue
        corrections += 1
        original = root.get(event.corrects, event.corrects)
        at = place.get(original)
        if at is None or events[at].type != event.type:
            dangling += 1
            continue
        root[event.id] = original
        standing[at] = event._replace(id=original, idx=events[at].idx, seq=events[at].seq)
    read = [event for _, event in sorted(standing.items()) if event.data.get("void") is not True]
    return read, corrections, len(standing) - len(read), dangling, tuple(root.items())


def fold(state: CaseState, events: Iterable[CaseEvent]) -> CaseState:
    """Goes on from `state` with events that correct nothing."""
    draft: Draft = {name: getattr(state, name) for name in _FIELDS}
    # What most events touch is thawed once and frozen once, not for every event.
    draft["debts"] = {debt.debt: {name: getattr(debt, name) for name in _DEBT} for debt in state.debts}
    draft["counts"] = {name: getattr(state.counts, name) for name in _COUNTS}
    for event in events:
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(draft, event)
        # Any other type is somebody else's business, on purpose.
        draft["events"] += 1
        draft["last_index"] = event.idx
        draft["last_time"] = event.time
        draft["last_sequenced"] = event.sequenced
    draft["debts"] = tuple(Debt(**debt) for debt in draft["debts"].values())
    draft["counts"] = Counts(**draft["counts"])
    return CaseState(**draft)


# -- case and debts ------------------------------------------------------------------------------------------


def _registered(s: Draft, e: CaseEvent) -> None:
    s["origin"] = e.data["origin"]
    s["stage"] = e.data["stage"]
    s["places"] = tuple(place["place"] for place in e.data["places"])


def _assigned(s: Draft, e: CaseEvent) -> None:
    s["staff"] = e.data.get("staff", s["staff"])
    s["agency"] = e.data.get("to_agency", s["agency"])


def _stage_changed(s: Draft, e: CaseEvent) -> None:
    s["stage"] = e.data["stage"]
    if s["stage"] != "closed":
        s["closed"] = ""


def _closed(s: Draft, e: CaseEvent) -> None:
    s["closed"] = e.data["reason"]
    s["stage"] = "closed"


def _debt(s: Draft, number: str) -> dict[str, Any]:
    """The debt of this number, which may be spoken of before it is itemised."""
    found: dict[str, Any] | None = s["debts"].get(number)
    if found is None:
        found = s["debts"][number] = dict(_NO_DEBT, debt=number)
    return found


def _itemised(s: Draft, e: CaseEvent) -> None:
    data = e.data
    debt = _debt(s, data["debt"])
    # It states everything before it, but not to whom the debt went, nor what was stopped.
    debt.update(charged=0, waived=0, paid=0, cleared=False, due_on=data.get("due_on", ""))
    for name in ("currency", "product", "principal", "interest", "fees", "itemised_on"):
        debt[name] = data[name]


def _adjusted(s: Draft, e: CaseEvent) -> None:
    debt = _debt(s, e.data["debt"])
    match e.data["kind"]:
        case "waiver" | "reduction":
            debt["waived"] += e.data["amount"]
        case "fee_stop":
            debt["fees_stopped"] = True
        case "interest_stop":
            debt["interest_stopped"] = True
        case _:  # fee_charge, interest_charge, and a correction with its own sign
            debt["charged"] += e.data["amount"]


def _transferred(s: Draft, e: CaseEvent) -> None:
    for number in e.data["debts"]:
        _debt(s, number).update(transferee=e.data["transferee"], transferred_on=e.data["effective"])


def _payment(s: Draft, e: CaseEvent) -> None:
    left = e.data["amount"]
    for part in e.data["allocation"]:
        left -= part["amount"]
        _debt(s, part["debt"])["paid"] += part["amount"]
    for number in e.data.get("cleared", ()):
        _debt(s, number)["cleared"] = True
    if left:
        sums = dict(s["unallocated"])
        sums[e.data["currency"]] = sums.get(e.data["currency"], 0) + left
        s["unallocated"] = tuple(sorted(sums.items()))
    s["counts"]["payments"] += 1


def _promised(s: Draft, e: CaseEvent) -> None:
    s["promise"] = (e.data["amount"], e.data["currency"], e.data["due_on"])


# -- contact -------------------------------------------------------------------------------------------------


def _contact(counter: str, outcome: str, medium: str = "") -> Handler:
    def handler(s: Draft, e: CaseEvent) -> None:
        s["counts"][counter] += 1
        last: Contact | None = s["last_contact"]
        if last is None or last.time <= e.time:
            s["last_contact"] = Contact(
                e.id,
                short_type(e.type),
                e.time,
                medium or e.data["medium"],
                e.data[outcome] if outcome else "",
            )

    return handler


def _status(s: Draft, e: CaseEvent) -> None:
    party = e.data["party"]
    kept = tuple(r for r in s["restrictions"] if not (r.source == "status" and r.party == party))
    if e.data["contact_allowed"] != "all":
        new = Restriction(e.id, "status", party, e.data["contact_allowed"], e.data["effective"])
        kept = (*kept, new)
    s["restrictions"] = kept


def _preference(s: Draft, e: CaseEvent) -> None:
    data = e.data
    ended = _original(s, data["withdraws"]) if "withdraws" in data else ""
    kept = tuple(r for r in s["restrictions"] if r.event != ended)
    if not ended:
        kept = (
            *kept,
            Restriction(
                e.id,
                "preference",
                data["party"],
                data["kind"],
                e.time,
                media=tuple(data.get("media", ())),
                place_kind=data.get("place_kind", ""),
                expires=data.get("expires", ""),
            ),
        )
    s["restrictions"] = kept


def _cease(s: Draft, e: CaseEvent) -> None:
    data = e.data
    new = Restriction(
        e.id,
        "cease",
        data["party"],
        data["scope"],
        e.time,
        media=tuple(data.get("media", ())),
        contact_points=tuple(data.get("contact_points", ())),
        place_kind=data.get("place_kind", ""),
    )
    s["restrictions"] = (*s["restrictions"], new)


# -- plans, holds, disputes, complaints ----------------------------------------------------------------------


def _plan(s: Draft, number: str, **changes: Any) -> None:
    plans: tuple[Plan, ...] = s["plans"]
    old = next((plan for plan in plans if plan.plan == number), Plan(number, ""))
    s["plans"] = (*(plan for plan in plans if plan.plan != number), replace(old, **changes))


def _plan_proposed(s: Draft, e: CaseEvent) -> None:
    data = e.data
    _plan(
        s,
        data["plan"],
        status="proposed",
        by=data["by"],
        debts=tuple(data["debts"]),
        months=data.get("months"),
        amount=data.get("amount"),
        currency=data.get("currency", ""),
    )


_DECISIONS: Final = {"accept": "accepted", "reject": "rejected", "counter": "countered"}


def _plan_decided(s: Draft, e: CaseEvent) -> None:
    _plan(s, e.data["plan"], status=_DECISIONS[e.data["decision"]])


def _plan_agreed(s: Draft, e: CaseEvent) -> None:
    data = e.data
    _plan(
        s,
        data["plan"],
        status="agreed",
        debts=tuple(data["debts"]),
        months=data["months"],
        total=data["total"],
        currency=data["currency"],
        first_due_on=data["first_due_on"],
        last_due_on=data["last_due_on"],
        breached_on="",
    )


def _plan_breached(s: Draft, e: CaseEvent) -> None:
    _plan(s, e.data["plan"], status="breached", breached_on=e.data["due_on"])


def _hold_started(s: Draft, e: CaseEvent) -> None:
    data = e.data
    hold = Hold(
        e.id,
        data["kind"],
        tuple(data["blocks"]),
        tuple(data.get("debts", ())),
        data["starts"],
        data.get("last_day", ""),
        about=data.get("about", ""),
        extends=_original(s, data.get("extends", "")),
    )
    s["holds"] = (*s["holds"], hold)


def _hold_ended(s: Draft, e: CaseEvent) -> None:
    number = _original(s, e.data["hold"])
    s["holds"] = tuple(
        replace(hold, until=e.data["last_day"], ended=True) if hold.hold == number else hold
        for hold in s["holds"]
    )


def _dispute(s: Draft, e: CaseEvent) -> None:
    if "duplicate_of" not in e.data:
        new = OpenMatter(e.id, e.time, e.data["request"], tuple(e.data["debts"]))
        s["disputes"] = (*s["disputes"], new)


def _complaint(s: Draft, e: CaseEvent) -> None:
    s["complaints"] = (*s["complaints"], OpenMatter(e.id, e.time, e.data["category"]))


def _settled(matters: str, member: str) -> Handler:
    def handler(s: Draft, e: CaseEvent) -> None:
        number = _original(s, e.data[member])
        s[matters] = tuple(matter for matter in s[matters] if matter.event != number)

    return handler


def _hardship(s: Draft, e: CaseEvent) -> None:
    s["hardship"] = e.data["willingness"]
    s["plan_justified"] = e.data.get("plan_justified", s["plan_justified"])


def _legal(s: Draft, e: CaseEvent) -> None:
    s["legal_step"] = e.data["kind"]


def _original(s: Draft, number: str) -> str:
    """The id in whose place an event stands that was corrected: others may name it by the correction's."""
    for correction, original in s["renamed"]:
        if correction == number:
            return str(original)
    return number


_HANDLERS: Final[dict[str, Handler]] = {
    f"duecourse.{short}.v1": handler
    for short, handler in {
        "case.registered": _registered,
        "case.assigned": _assigned,
        "case.stage_changed": _stage_changed,
        "case.closed": _closed,
        "debt.itemised": _itemised,
        "debt.adjusted": _adjusted,
        "debt.transferred": _transferred,
        "payment.received": _payment,
        "payment.promised": _promised,
        "contact.call_placed": _contact("calls", "outcome", "voice"),
        "contact.conversation_held": _contact("conversations", "initiated_by"),
        "contact.message_sent": _contact("messages", "kind"),
        "contact.visit_made": _contact("visits", "purpose", "visit"),
        "contact.third_party": _contact("third_party", "purpose"),
        "contact.inbound_received": _contact("inbound", "summary"),
        "party.status_changed": _status,
        "party.preference_recorded": _preference,
        "cease.requested": _cease,
        "plan.proposed": _plan_proposed,
        "plan.decided": _plan_decided,
        "plan.agreed": _plan_agreed,
        "plan.breached": _plan_breached,
        "hold.started": _hold_started,
        "hold.ended": _hold_ended,
        "dispute.raised": _dispute,
        "dispute.answered": _settled("disputes", "dispute"),
        "complaint.received": _complaint,
        "complaint.resolved": _settled("complaints", "complaint"),
        "hardship.declared": _hardship,
        "hardship.assessed": _hardship,
        "legal.step_taken": _legal,
    }.items()
}
