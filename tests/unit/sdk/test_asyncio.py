"""The recorder of an event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ledger.errors import EventRefused, OutboxClosed, OutboxFull
from ledger.events.catalogue.case import CaseClosed
from ledger.sdk.aio import AsyncRecorder
from ledger.testing.producer import recorder, settings


def test_what_is_awaited_is_recorded_in_the_order_in_which_it_was_said(tmp_path: Path) -> None:
    async def work() -> list[int]:
        async with AsyncRecorder(lambda: recorder(settings(tmp_path))) as made:
            case = made.case(account="1")
            first = await case.closed(reason="paid")
            assert first.recorded
            many = await asyncio.gather(*(case.closed(reason="sold") for _ in range(200)))
            return [first.seq, *(event.seq for event in many)]

    assert asyncio.run(work()) == list(range(201))
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == 201


def test_events_that_wait_together_share_a_transaction(tmp_path: Path) -> None:
    appended: list[int] = []

    async def work() -> None:
        async with AsyncRecorder(lambda: recorder(settings(tmp_path))) as made:
            inner = made._opened()
            append = inner._outbox.append
            inner._outbox.append = lambda drafts, bookmark=None: (  # type: ignore[method-assign]
                appended.append(len(drafts)),
                append(drafts, bookmark),
            )[1]
            case = made.case(account="1")
            await asyncio.gather(*(case.closed(reason="paid") for _ in range(100)))

    asyncio.run(work())
    assert sum(appended) == 100
    assert len(appended) < 50


def test_an_error_says_that_it_is_not_recorded(tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncRecorder(lambda: recorder(settings(tmp_path, outbox_events=1))) as made:
            case = made.case(account="1")
            await case.closed(reason="paid")
            with pytest.raises(OutboxFull, match="NOT recorded"):
                await case.closed(reason="paid")
            with pytest.raises(EventRefused, match="NOT recorded"):
                await case.closed(reason="x")  # type: ignore[arg-type]
            assert made.status().pending == 1

    asyncio.run(work())


def test_outside_of_its_block_it_records_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        made = AsyncRecorder(lambda: recorder(settings(tmp_path)))
        with pytest.raises(OutboxClosed):
            made.case(account="1")
        async with made:
            case = made.case(account="1")
        with pytest.raises(OutboxClosed):
            await case.closed(reason="paid")

    asyncio.run(work())


def test_what_was_said_is_written_though_nobody_waits(tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncRecorder(lambda: recorder(settings(tmp_path))) as made:
            case = made.case(account="1")
            task = asyncio.ensure_future(case.closed(reason="paid"))
            task.cancel()
            made.record(CaseClosed(reason="paid"), subject=case.subject)

    asyncio.run(work())
    with recorder(settings(tmp_path)) as made:
        assert made.status().pending == 2


def test_bulk_and_other_streams(tmp_path: Path) -> None:
    uuid = "0188d3a0-0000-4000-8000-00000000000a"

    async def work() -> None:
        async with AsyncRecorder(lambda: recorder(settings(tmp_path))) as made:
            subject = made.case(account="1").subject
            drafts = [made.draft(CaseClosed(reason="paid"), subject=subject) for _ in range(10)]
            handles = await made.record_many(drafts, bookmark=("x", b"1"))
            assert [handle.seq for handle in handles] == list(range(10))
            await made.staff(uuid).qualified(kind="exam", valid_from="2026-01-01")
            await made.agency(uuid).reviewed(
                period_from="2026-01-01", period_to="2026-03-31", result="good", action="continue"
            )
            assert not await made.flush(0.01)
            with pytest.raises(EventRefused):
                made.source("x")

    asyncio.run(work())
