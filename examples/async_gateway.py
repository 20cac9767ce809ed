"""An SMS gateway under asyncio: messages out, delivery reports and answers in, all recorded without holding up the loop.

The carrier here is a toy that answers at once. What matters is the order: a message is recorded *before* it leaves, a
delivery report names the message's event, and a STOP is recorded before anything else is done about it.

    duecourse registry add ledger sms-gateway --types contact,cease
    python async_gateway.py ledger/producers/sms-gateway/producer.toml"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.events.codes import Delivery
from ledger.sdk.aio import AsyncRecorder
from ledger.sdk.streams import RecordedEvent

STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "退订", "TD"})


@dataclass(frozen=True)
class Report:
    """A carrier's delivery report: `number` is the carrier's own for the message."""

    number: int
    status: Delivery
    at: datetime


@dataclass(frozen=True)
class Answer:
    """A message that came in."""

    sender: str
    text: str


class ToyCarrier:
    """Delivers everything, and one debtor answers STOP."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Report | Answer | None] = asyncio.Queue()
        self._numbers = 0

    def send(self, to: str, text: str) -> int:
        self._numbers += 1
        self._queue.put_nowait(Report(self._numbers, "delivered", datetime.now(UTC)))
        if "reply STOP" in text:
            self._queue.put_nowait(Answer(to, " stop "))
        return self._numbers

    def hang_up(self) -> None:
        self._queue.put_nowait(None)

    async def news(self) -> AsyncIterator[Report | Answer]:
        while (item := await self._queue.get()) is not None:
            yield item


class Gateway:
    """`accounts` says to whose case a number belongs; a real gateway would ask its own database."""

    def __init__(self, recorder: AsyncRecorder, carrier: ToyCarrier, accounts: dict[str, str]) -> None:
        self._recorder = recorder
        self._carrier = carrier
        self._accounts = accounts
        self._sent: dict[int, tuple[str, RecordedEvent]] = {}
        self.stopped: set[str] = set()

    async def remind(self, to: str) -> bool:
        """Sends a reminder, unless this number has said STOP."""
        if to in self.stopped:
            return False
        account = self._accounts[to]
        # If this raises NotRecorded, nothing is sent: what is not in the record does not happen.
        message = await self._recorder.case(account=account).message_sent(
            medium="sms",
            kind="reminder",
            template="reminder@1",
            visibility="private",
            to=to,
            optout_present=True,
        )
        self._sent[
            self._carrier.send(to, "Your card account is past due. To end these messages reply STOP.")
        ] = (
            account,
            message,
        )
        return True

    async def listen(self) -> None:
        async for item in self._carrier.news():
            if isinstance(item, Report):
                account, message = self._sent[item.number]
                await self._recorder.case(account=account).delivery_status(
                    message=message, status=item.status, time=item.at
                )
            else:
                await self._answered(item)

    async def _answered(self, answer: Answer) -> None:
        case = self._recorder.case(account=self._accounts[answer.sender])
        stop = answer.text.strip().upper() in STOP_WORDS
        inbound = await case.inbound_received(
            medium="sms", summary="stop" if stop else "question", sender=answer.sender, words=answer.text
        )
        if stop:
            await case.cease_requested(
                party=case.party(),
                form="electronic",
                scope="medium",
                media=["sms"],
                contact_points=[case.contact_point(answer.sender)],
                causation=inbound,
            )
            self.stopped.add(answer.sender)


async def main(settings: str) -> None:
    accounts = {"+86 10 5550 0142": "8841-2231", "+86 10 5550 0177": "7312-0042"}
    carrier = ToyCarrier()
    async with AsyncRecorder.open(settings) as recorder:
        gateway = Gateway(recorder, carrier, accounts)
        listening = asyncio.create_task(gateway.listen())
        # Both at once: they share a flush of the disk, and keep their order.
        await asyncio.gather(*(gateway.remind(number) for number in accounts))
        carrier.hang_up()
        await listening
        again = [await gateway.remind(number) for number in accounts]
        print(f"{len(gateway.stopped)} numbers said STOP; reminders sent after that: {sum(again)}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
