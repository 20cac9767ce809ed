"""A ledger that a new user has founded with the installed command, and a case in it with every kind of protected field."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.sdk.recorder import Recorder
from ledger.testing.shell import duecourse

NAME = "ledger.example.com/cards"
ACCOUNT = "6222-0000-0418-7731"
ZONES = [{"zone": "Europe/London", "source": "residence"}]


@dataclass(slots=True)
class Told:
    """What was recorded: the case, and by member the values that its protected fields hold."""

    case: str = ""
    party: str = ""
    events: int = 0
    values: dict[str, list[Any]] = field(default_factory=dict)


def tell(recorder: Recorder, account: str = ACCOUNT, mark: str = "", phone: str = "+44 7700 900123") -> Told:
    """Records a case in which every protected member of the case's types stands, `mark` in each free text."""
    case = recorder.case(account=account)
    told = Told(case.id, case.party().party)

    def keep(**values: Any) -> dict[str, Any]:
        for name, value in values.items():
            told.values.setdefault(name, []).append(value)
        return values

    case.registered(origin="own", stage="registered", places=[])
    case.contact_point_changed(
        party=case.party(), action="add", medium="voice", source="reserved", **keep(address=phone)
    )
    case.consent_recorded(
        party=case.party(), action="grant", scope=["calls"], form="oral", given_to="creditor",
        **keep(wording=f"Yes, ring {mark}me on my own number"),
    )  # fmt: skip
    case.status_changed(
        party=case.party(), contact_allowed="review", effective="2026-03-01", **keep(status="vulnerable")
    )
    case.call_placed(to=phone, purpose="interactive", outcome="no_answer", zones=ZONES)
    case.message_sent(
        medium="letter", kind="reminder", template="reminder@1", visibility="private", zones=ZONES,
        contact_point=case.contact_point("home"), **keep(to=f"Ms Ada {mark}Lovelace, 12 St James's Square"),
    )  # fmt: skip
    case.inbound_received(
        medium="email", summary="complaint", zones=ZONES, sender=f"ada{mark}@example.org",
        **keep(words=f"Bitte nicht {mark}mehr 深夜来电"),
    )  # fmt: skip
    case.third_party(
        medium="voice", purpose="locate", basis="contact_invalid", said=[], refused=False, zones=ZONES,
        to=phone[:-2] + "99", parties=[case.party("household", f"brother {mark}")],
        **keep(relation=f"brother, {mark}Byron"),
    )  # fmt: skip
    case.hardship_declared(
        willingness="willing", currency="GBP", **keep(causes=["illness", "unemployment"], can_pay=4321)
    )
    case.hardship_assessed(plan_justified=True, willingness="willing", currency="GBP", **keep(capacity=5432))
    hold = case.hold_started(
        kind="person", blocks=["contact"], starts="2026-03-01T00:00:00.000000Z", authority="staff",
        **keep(reason="mental_crisis"),
    )  # fmt: skip
    case.hold_ended(hold=hold, last_day="2026-03-30", **keep(trigger_on="2026-03-29"))
    case.complaint_received(forum="bank", category="hours", **keep(words=f"You rang {mark}at ten at night"))
    case.data_handled(
        action="request_received", purpose="subject_right", fields=["all"], request="access",
        **keep(requester=f"Annabella {mark}Milbanke"),
    )  # fmt: skip
    told.events = 14
    return told


@dataclass(frozen=True, slots=True)
class World:
    """A founded ledger with a producer `crm`, one case, everything sealed and read."""

    ledger: Path
    told: Told

    @property
    def trust(self) -> Path:
        return self.ledger / "trust.toml"

    @property
    def settings(self) -> Path:
        return self.ledger / "producers" / "crm" / "producer.toml"

    def export(self, output: Path, *more: str, status: int = 0) -> Path:
        duecourse("export", self.ledger, self.told.case, "-o", output, *more, status=status)
        return output

    def record_more(self) -> None:
        with Recorder.open(self.settings) as recorder:
            recorder.case(account="another").registered(origin="own", stage="registered", places=[])
        duecourse("run", self.ledger, "--once")


def found(ledger: Path) -> World:
    duecourse("init", ledger, "--name", NAME)
    duecourse("registry", "add", ledger, "crm")
    with Recorder.open(ledger / "producers" / "crm" / "producer.toml") as recorder:
        told = tell(recorder)
    duecourse("run", ledger, "--once")
    return World(ledger, told)
