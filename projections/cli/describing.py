"""How a case is told in lines of text."""

from __future__ import annotations

from collections.abc import Iterable

from projections.case_state.model import CaseState


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: two decimals, as almost every currency has; others are told in minor units."""
    if currency in {"JPY", "KRW", "VND", "CLP"}:
        return f"{amount} {currency}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d} {currency}"


def owed(state: CaseState) -> str:
    return ", ".join(money(amount, currency) for currency, amount in sorted(state.owed.items())) or "-"


def described(case: str, origin: str, state: CaseState) -> Iterable[str]:
    yield f"case {case} in {origin}, as of entry {state.last_index} ({state.last_sequenced})"
    yield f"  stage         {state.stage or 'not recorded'}" + (
        f", closed: {state.closed}" if state.closed else ""
    )
    yield f"  owed          {owed(state)}"
    for debt in state.debts:
        yield f"    {debt.product or 'debt'} {debt.debt[:8]}  {money(debt.balance, debt.currency)}" + (
            f" of {money(debt.principal, debt.currency)} principal" if debt.currency else ""
        )
    if state.agency:
        yield f"  agency        {state.agency}"
    if (plan := state.plan) is not None:
        terms = f", {plan.months} months" if plan.months else ""
        yield f"  plan          {plan.status}{terms}" + (
            f", from {plan.first_due_on}" if plan.first_due_on else ""
        )
    for hold in state.holds:
        if not hold.ended:
            yield f"  hold          {hold.kind}: no {', '.join(hold.blocks)}" + (
                f" until {hold.until}" if hold.until else ""
            )
    for limit in state.restrictions:
        yield f"  restriction   {limit.source}: {limit.code} since {limit.since[:10]}"
    for dispute in state.disputes:
        yield f"  dispute open  {dispute.about} since {dispute.raised[:10]}"
    for complaint in state.complaints:
        yield f"  complaint     {complaint.about} since {complaint.raised[:10]}"
    if state.last_contact is not None:
        contact = state.last_contact
        yield f"  last contact  {contact.time[:19]}Z {contact.type}" + (
            f" ({contact.outcome})" if contact.outcome else ""
        )
    counts = state.counts
    yield (
        f"  counted       {counts.calls} calls, {counts.conversations} conversations, {counts.messages} messages,"
        f" {counts.visits} visits, {counts.payments} payments"
    )
    yield f"  entries       {state.events}, of which {state.corrections} correct others and {state.voided} are void"
