"""Cases of one jurisdiction: for every rule one that passes and one that does not, in the words of
`make_pack_vectors.py`. Places count from the registration, which is event 0."""

from __future__ import annotations

from typing import Any

from make_pack_vectors import (
    AGENCY,
    STAFF,
    call,
    data,
    engaged,
    ev,
    incident,
    proof,
    reviewed,
)

BREACH, REVIEW, OPEN = "BREACH", "REVIEW", "INSUFFICIENT_EVIDENCE"
PIA = [proof("impact_assessment"), proof("contract", "cd" * 32)]


def _calls(count: int, outcome: str = "no_answer", purpose: str = "interactive") -> list[Any]:
    return [call(f"06-10 02:{n:02d}", outcome, purpose) for n in range(count)]


REQUEST = data("06-01 02:00", "request_received", "subject_right", ("all",), request="erase")
ANSWER = {"purpose": "subject_right", "fields": ("all",), "about": 1}
DP: list[tuple[Any, ...]] = [
    (
        "DP-1",
        [
            ev(
                "data.handled",
                "06-08 02:00",
                actor=STAFF,
                action="access",
                purpose="complaint",
                fields=["debt"],
            )
        ],
        1,
        [data("06-08 02:00", "access", "complaint", ("debt",))],
        1,
        OPEN,
        "field_missing",
    ),
    (
        "DP-2",
        [data("06-08 02:00", "access", "collection", ("debt",))],
        1,
        [data("06-08 02:00", "export", "collection", ("health",))],
        1,
        BREACH,
    ),
    (
        "DP-3",
        [
            engaged(evidence=PIA),
            data("06-08 02:00", "disclose", "entrustment", ("contact",), recipient_agency=AGENCY),
        ],
        2,
        [engaged(), data("06-08 02:00", "disclose", "entrustment", ("contact",), recipient_agency=AGENCY)],
        2,
        BREACH,
    ),
    (
        "DP-4",
        [REQUEST, data("07-01 02:00", "request_answered", **ANSWER, answer="granted")],
        1,
        [REQUEST, data("07-02 02:00", "request_answered", **ANSWER, answer="granted")],
        1,
        REVIEW,
        "due:2026-07-01",
    ),
    (
        "DP-5",
        [REQUEST, data("06-05 02:00", "request_answered", **ANSWER, answer="granted")],
        2,
        [REQUEST, data("06-05 02:00", "request_answered", **ANSWER, answer="refused")],
        2,
        BREACH,
        "no_reasons",
    ),
    (
        "DP-6",
        [reviewed("06-08 02:00", action="terminate", data_returned_on="2026-06-07")],
        1,
        [reviewed("06-08 02:00", action="terminate")],
        1,
        BREACH,
        "item_missing",
    ),
    (
        "DP-7",
        [incident("06-08 02:00", notified=[{"to": "regulator", "at": "2026-06-08T03:00:00.000000Z"}])],
        1,
        [incident("06-08 02:00", notified=[{"to": "person", "at": "2026-06-08T03:00:00.000000Z"}])],
        1,
        BREACH,
        "item_missing",
    ),
    (
        "DP-8",
        [data("2020-11-01 02:00", "audit", "audit", ("all",))],
        0,
        [call("06-08 02:00")],
        0,
        BREACH,
        "due:2021-01-02",
    ),
]
