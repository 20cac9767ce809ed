"""The recorder: what a collection tool holds in its hand.

    with Recorder.open("dialler.toml") as recorder:
        case = recorder.case(account="8841-2231")
        case.call_placed(to="+44 7700 900123", purpose="interactive", outcome="no_answer", zones=[...])

When a method returns, the event is on this machine's disk and will reach the ledger. When it raises a
`ledger.errors.NotRecorded`, the event is NOT recorded: hold the business action. What it does not promise: that the
ledger has it yet (`flush`), nor that the ledger will never refuse it (`on_rejected`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.custody.file import FileSigner
from ledger.kernel.keys import Signer
from ledger.log.port import ShardLog, open_log
from ledger.sdk.config import ProducerConfig
from ledger.sdk.delivery import Delivery, OnAlarm, OnRejected, Progress, Status
from ledger.sdk.envelope import Composer
from ledger.sdk.ids import load_tenant_key
from ledger.sdk.notices import Alarm, Notices, Rejection
from ledger.sdk.outbox import Draft, Outbox
from ledger.sdk.outboxfile import Identity
from ledger.sdk.recording import Recording


class Recorder(Recording):
    """Records events of one producer. Threads may share it; a process that forks opens another in the child."""

    def __init__(
        self,
        config: ProducerConfig,
        *,
        signer: Signer,
        tenant_key: bytes,
        open_shard: Callable[[int, str], ShardLog] | None = None,
        on_rejected: OnRejected | None = None,
        on_alarm: OnAlarm | None = None,
    ) -> None:
        """For tools that keep keys elsewhere than in files; `open` is for all others.

        `open_shard(shard, role)` gives another way to the log. `on_rejected` is called with each event that the
        ledger refused, at least once; `on_alarm` with what a person must look at. Both are called by the thread
        that delivers."""
        identity = Identity(config.producer, config.epoch, config.ledger, config.shards, tenant_key)
        super().__init__(Composer(config), tenant_key)
        self._outbox = Outbox(config.outbox, identity, events_max=config.outbox_events)
        try:
            self._notices = Notices(self._outbox)
            self._delivery = Delivery(
                config,
                self._outbox,
                self._notices,
                signer,
                open_shard or (lambda shard, role: open_log(config.log, shard, role)),  # type: ignore[arg-type]
                keys=self._composer.keys,
                on_rejected=on_rejected,
                on_alarm=on_alarm,
            )
            if config.delivery.mode == "background":
                self._delivery.start()
        except BaseException:
            self._outbox.close()
            raise

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        on_rejected: OnRejected | None = None,
        on_alarm: OnAlarm | None = None,
    ) -> Self:
        """A recorder with the settings of a file. `ConfigurationError` names what is wrong in it; an error of
        `ledger.errors.NotRecorded` says why its outbox cannot be used."""
        config = ProducerConfig.load(path)
        return cls(
            config,
            signer=FileSigner.load(config.signing_key),
            tenant_key=load_tenant_key(config.tenant_key),
            on_rejected=on_rejected,
            on_alarm=on_alarm,
        )

    def __repr__(self) -> str:
        return f"Recorder({self.config.producer}, pending={self._outbox.pending})"

    def _store(self, drafts: Sequence[Draft], bookmark: tuple[str, bytes] | None) -> None:
        self._outbox.append(drafts, bookmark)

    def bookmark(self, name: str) -> bytes | None:
        return self._outbox.bookmark(name)

    # -- delivery ------------------------------------------------------------------------------------------

    def deliver_once(self) -> Progress:
        """Sends what may be sent, takes in receipts and refusals, and returns. Raises `LogUnavailable` where the log
        does not answer; nothing is lost by that."""
        return self._delivery.deliver_once()

    def flush(self, timeout_s: float = 60.0) -> bool:
        """Waits until a signed receipt covers everything recorded so far; False if that takes longer."""
        return self._delivery.flush(timeout_s)

    def status(self) -> Status:
        """How much waits, since when, and what went wrong last."""
        return self._delivery.status()

    def rejections(self) -> list[Rejection]:
        """Every refusal by the ledger that this outbox knows of."""
        return self._notices.rejections()

    def alarms(self) -> list[Alarm]:
        """Every alarm that this outbox has raised."""
        return self._notices.alarms()

    def forget_keys(self, subject: str, party: str | None = None) -> None:
        """Drops the protecting keys of a person, or of all in a stream, from memory: to be called at an erasure.
        What is recorded of them later is protected by a new key."""
        self._composer.keys.forget(subject, party)

    def close(self) -> None:
        """Sends what can be sent within `delivery.close_timeout_s`, and closes. The rest stays in the outbox, and is
        sent when it is opened again."""
        try:
            self._delivery.stop()
        finally:
            self._outbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
