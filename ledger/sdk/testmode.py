"""A recorder for an application's own tests: no server, no files, the same checks.

    recorder = TestRecorder()
    dial(recorder, number)                       # the application's code, which takes a recorder
    assert recorder.events[0].type == "contact.call_placed"
    assert recorder.events[0].data["outcome"] == "no_answer"

What it refuses, a `Recorder` with the same settings refuses, in the same words. `fail_with` shows what the application
does when nothing can be recorded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ledger.errors import NotRecorded, OutboxClosed
from ledger.events.catalogue.common import Payload
from ledger.events.registry import to_data
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO, leaf_hash
from ledger.kernel.note import ED25519, VerifierKey
from ledger.log.port import LogConfig
from ledger.sdk.config import Actor, ProducerConfig
from ledger.sdk.delivery import Progress, Status
from ledger.sdk.envelope import Composed, Composer
from ledger.sdk.notices import Alarm, Rejection
from ledger.sdk.outbox import Draft
from ledger.sdk.recording import Recording
from ledger.sdk.streams import Said

# The base point of X25519, and of Ed25519: keys that everybody may use and nobody should.
_VAULT_KEY: Final = "09" + "00" * 31
_LOG_KEY: Final = bytes.fromhex("58" + "66" * 31)
_TENANT_KEY: Final = b"a tenant key for tests, 32 bytes"
_ACTOR: Final = Actor("tester", "collector", "first_party")


@dataclass(frozen=True, slots=True)
class TestEvent:
    """One recorded event. `data` holds protected members in the clear, as the application gave them; `event` is what
    would have been sent, with them sealed."""

    __test__ = False

    type: str
    subject: str
    id: str
    time: str
    data: dict[str, Any]
    event: dict[str, Any]

    def __repr__(self) -> str:
        return f"TestEvent({self.type}, {self.id})"


class TestRecorder(Recording):
    """Keeps events in `events`, in order. `config` changes the settings of the producer it plays."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __init__(
        self, *, actor: Actor = _ACTOR, config: ProducerConfig | None = None, tenant_key: bytes = _TENANT_KEY
    ) -> None:
        super().__init__(Composer(config or _settings(actor)), tenant_key)
        self.events: list[TestEvent] = []
        self.fail_with: NotRecorded | None = None
        self._heads: dict[int, tuple[int, bytes]] = {}
        self._bookmarks: dict[str, bytes] = {}
        self._clear: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def of_type(self, short_type: str) -> list[TestEvent]:
        """The events of one type, as `contact.call_placed`."""
        return [event for event in self.events if event.type == short_type]

    def _compose(self, subject: str, payload: Payload, said: Said) -> list[Composed]:
        composed = super()._compose(subject, payload, said)
        for one in composed:
            self._clear[one.handle.id] = to_data(payload)
        return composed

    def _store(self, drafts: Sequence[Draft], bookmark: tuple[str, bytes] | None) -> None:
        with self._lock:
            if self._closed:
                raise OutboxClosed("the recorder is closed. NOT recorded")
            if self.fail_with is not None:
                raise self.fail_with
            for draft in drafts:
                self._keep(draft)
            if bookmark is not None:
                self._bookmarks[bookmark[0]] = bookmark[1]

    def _keep(self, draft: Draft) -> None:
        seq, head = self._heads.get(draft.shard, (0, ZERO))
        raw = draft.event_bytes(head, seq)
        event = canonical.decode(raw)
        draft.seq, draft.digest = seq, leaf_hash(raw)
        self._heads[draft.shard] = (seq + 1, draft.digest)
        for key, _ in draft.keys:
            key.recorded_in.add(draft.shard)
        short_type = event["type"].removeprefix("duecourse.").rpartition(".")[0]
        data = self._clear.pop(event["id"])
        self.events.append(TestEvent(short_type, event["subject"], event["id"], event["time"], data, event))

    def bookmark(self, name: str) -> bytes | None:
        return self._bookmarks.get(name)

    def deliver_once(self) -> Progress:
        return Progress(0, 0, 0, 0)

    def flush(self, timeout_s: float = 60.0) -> bool:  # noqa: ARG002 -- as a recorder's
        return True

    def status(self) -> Status:
        return Status(0, 0, 0.0, "", "", 0)

    def rejections(self) -> list[Rejection]:
        return []

    def alarms(self) -> list[Alarm]:
        return []

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _settings(actor: Actor) -> ProducerConfig:
    log_key = VerifierKey.of("test/0", ED25519, _LOG_KEY).format()
    settings = ProducerConfig(
        producer="test",
        ledger="test",
        tenant="test",
        signing_key=Path("unused"),
        tenant_key=Path("unused"),
        outbox=Path("unused"),
        log_keys=(log_key,),
        log=LogConfig(kind="sqlite", path=Path("unused")),
        actor=actor,
        vault_key=_VAULT_KEY,
    )
    return replace(settings, delivery=replace(settings.delivery, mode="manual"))
