"""The recorder for asyncio: the same methods, to be awaited.

    async with AsyncRecorder.open("dialler.toml") as recorder:
        case = recorder.case(account="8841-2231")
        await case.call_placed(to=number, purpose="interactive", outcome="no_answer")

Events are typed and checked where they are said, and written by a thread, so that no flush of the disk holds up the
loop; what is said while the disk is busy shares the next flush. Events are recorded in the order in which they were
said. A task that is cancelled while it waits does not learn whether its event is recorded; it is written all the same
if the disk takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.errors import NotRecorded, OutboxClosed
from ledger.events.catalogue.common import Payload
from ledger.sdk.case import Agency, Case, Source, Staff
from ledger.sdk.delivery import OnAlarm, OnRejected, Status
from ledger.sdk.envelope import Composed
from ledger.sdk.recorder import Recorder
from ledger.sdk.recording import uuid_of
from ledger.sdk.streams import RecordedEvent, Said

_Waiting = tuple[Sequence[Composed], "asyncio.Future[RecordedEvent]"]


class AsyncRecorder:
    """A `Recorder` for one event loop. Use it with `async with`."""

    def __init__(self, opening: Callable[[], Recorder]) -> None:
        """`opening` makes the recorder, in a thread; `open` is for those with a settings file."""
        self._opening = opening
        self._recorder: Recorder | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="duecourse-outbox")
        self._waiting: deque[_Waiting] = deque()

    @classmethod
    def open(
        cls, path: str | Path, *, on_rejected: OnRejected | None = None, on_alarm: OnAlarm | None = None
    ) -> Self:
        """A recorder with the settings of a file; it opens at `async with`. Callbacks are called by the thread that
        delivers: use `loop.call_soon_threadsafe` in them."""
        return cls(lambda: Recorder.open(path, on_rejected=on_rejected, on_alarm=on_alarm))

    async def __aenter__(self) -> Self:
        self._recorder = await asyncio.get_running_loop().run_in_executor(self._pool, self._opening)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Writes what was said, sends what can be sent, and closes."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            # Behind everything that was said: the thread takes one thing after the other.
            await asyncio.get_running_loop().run_in_executor(self._pool, recorder.close)
        self._pool.shutdown(wait=False)

    def case(
        self,
        account: str | None = None,
        *,
        id: str | None = None,  # noqa: A002 -- as everywhere in the SDK
    ) -> Case[asyncio.Future[RecordedEvent]]:
        """The case of the tool's own account number, or the one with this uuid."""
        recorder = self._opened()
        return Case(recorder.case(account, id=id).id, self._say, recorder.tenant_key)

    def agency(self, id: str) -> Agency[asyncio.Future[RecordedEvent]]:  # noqa: A002
        """The stream of an agency, by its uuid."""
        return Agency(uuid_of("agency", id), self._say, self._opened().tenant_key)

    def staff(self, id: str) -> Staff[asyncio.Future[RecordedEvent]]:  # noqa: A002
        """The stream of one of the staff, by their uuid."""
        return Staff(uuid_of("staff", id), self._say, self._opened().tenant_key)

    def source(self, id: str) -> Source[asyncio.Future[RecordedEvent]]:  # noqa: A002
        """The stream of an outside source, by its uuid."""
        return Source(uuid_of("source", id), self._say, self._opened().tenant_key)

    def record(
        self, payload: Payload, *, subject: str, said: Said | None = None
    ) -> asyncio.Future[RecordedEvent]:
        """Records a payload in the stream `subject`; await what it returns."""
        return self._say(subject, payload, said or Said())

    def draft(self, payload: Payload, *, subject: str, said: Said | None = None) -> list[Composed]:
        """As `Recorder.draft`."""
        return self._opened().draft(payload, subject=subject, said=said)

    async def record_many(
        self, drafts: Iterable[Sequence[Composed]], *, bookmark: tuple[str, bytes] | None = None
    ) -> list[RecordedEvent]:
        """As `Recorder.record_many`: all of them, or none."""
        recorder, groups = self._opened(), list(drafts)
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: recorder.record_many(groups, bookmark=bookmark)
        )

    async def flush(self, timeout_s: float = 60.0) -> bool:
        """As `Recorder.flush`, in a thread of its own: what is said meanwhile is recorded meanwhile."""
        return await asyncio.to_thread(self._opened().flush, timeout_s)

    def status(self) -> Status:
        """As `Recorder.status`."""
        return self._opened().status()

    def _opened(self) -> Recorder:
        if self._recorder is None:
            raise OutboxClosed("the recorder is not open: use it inside `async with`. NOT recorded")
        return self._recorder

    def _say(self, subject: str, payload: Payload, said: Said) -> asyncio.Future[RecordedEvent]:
        recorder = self._opened()
        composed = recorder.draft(payload, subject=subject, said=said)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[RecordedEvent] = loop.create_future()
        self._waiting.append((composed, future))
        self._pool.submit(self._write, recorder, loop)
        return future

    def _write(self, recorder: Recorder, loop: asyncio.AbstractEventLoop) -> None:
        """In the thread: everything that waits, in one transaction."""
        taken: list[_Waiting] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        if not taken:
            return
        error: NotRecorded | None = None
        try:
            recorder.record_many([composed for composed, _ in taken])
        except NotRecorded as found:
            error = found
        loop.call_soon_threadsafe(_settle, taken, error)


def _settle(taken: Sequence[_Waiting], error: NotRecorded | None) -> None:
    for composed, future in taken:
        if future.done():
            continue
        if error is None:
            future.set_result(composed[0].handle)
        else:
            future.set_exception(type(error)(str(error)))
