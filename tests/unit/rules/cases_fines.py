"""Cases of road traffic fines, as the shipped mapping brings them in: for every rule one that passes and one that does
not. Places count from the registration, which is event 0."""

from __future__ import annotations

from typing import Any

from make_pack_vectors import DEBT, dispute, ev, got, msg, owe, pay

BREACH, OPEN = "BREACH", "INSUFFICIENT_EVIDENCE"


def _notice(at: str) -> Any:
    return msg(at, "statutory_notice", "letter", template="fine-notice@1")


def _charge(at: str, amount: int = 1100) -> Any:
    return ev(
        "debt.adjusted", at, debt=DEBT, kind="fee_charge", amount=amount, currency="EUR", authority="statute"
    )


def _stage(at: str, stage: str) -> Any:
    return ev("case.stage_changed", at, stage=stage)


_SENT = [owe("2026-01-02 00:00"), _notice("01-12 00:00"), got("01-20 00:00", 2)]

FINES: list[tuple[Any, ...]] = [
    (
        "FINE-01",
        [owe("2026-01-02 00:00"), _notice("04-02 00:00")],
        1,
        [owe("2026-01-02 00:00"), _notice("04-03 00:00")],
        1,
        BREACH,
        "due:2026-04-02",
    ),
    ("FINE-02", [*_SENT, dispute("03-21 00:00")], 4, [*_SENT, dispute("03-22 00:00")], 4, BREACH, "expired"),
    (
        "FINE-03",
        [*_SENT, _charge("03-21 00:00")],
        4,
        [*_SENT, _charge("03-20 00:00")],
        4,
        BREACH,
        "too_early",
    ),
    (
        "FINE-04",
        [*_SENT, _charge("03-21 00:00")],
        4,
        [*_SENT, pay("02-01 00:00", cleared=[DEBT]), _charge("03-21 00:00")],
        5,
        BREACH,
    ),
    (
        "FINE-05",
        [
            *_SENT,
            dispute("02-01 00:00"),
            ev("legal.step_taken", "05-01 00:00", kind="judgment", debts=[DEBT], authority="statute"),
            _stage("06-01 00:00", "entrusted"),
        ],
        6,
        [*_SENT, dispute("02-01 00:00"), _stage("06-01 00:00", "entrusted")],
        5,
        BREACH,
    ),
    (
        "FINE-06",
        [*_SENT, _stage("06-01 00:00", "entrusted")],
        4,
        [*_SENT, pay("02-01 00:00"), _stage("06-01 00:00", "entrusted")],
        5,
        OPEN,
        "field_missing",
    ),
]
