"""What every recorder does, wherever it keeps events: streams, typing, batches. `Recorder` keeps them in an outbox,
`testmode.TestRecorder` in memory. An application that takes a `Recording` can be given either."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ledger.errors import EventRefused
from ledger.events.catalogue.common import Payload
from ledger.kernel import canonical
from ledger.sdk.case import Agency, Case, Source, Staff
from ledger.sdk.config import ProducerConfig
from ledger.sdk.envelope import Composed, Composer
from ledger.sdk.ids import case_id
from ledger.sdk.outbox import Draft
from ledger.sdk.streams import RecordedEvent, Said


class Recording(ABC):
    """Records events of one producer. Threads may share it."""

    def __init__(self, composer: Composer, tenant_key: bytes) -> None:
        self._composer = composer
        self._tenant_key = tenant_key
        self._local = threading.local()

    @property
    def config(self) -> ProducerConfig:
        return self._composer.config

    @property
    def tenant_key(self) -> bytes:
        """What ids are worked out with. A secret."""
        return self._tenant_key

    @abstractmethod
    def _store(self, drafts: Sequence[Draft], bookmark: tuple[str, bytes] | None) -> None:
        """Keeps all drafts and the bookmark, or raises and keeps none."""

    @abstractmethod
    def bookmark(self, name: str) -> bytes | None:
        """What was last kept under `name` by `record_many` or `batch`; None if nothing was."""

    # -- streams -------------------------------------------------------------------------------------------

    def case(self, account: str | None = None, *, id: str | None = None) -> Case[RecordedEvent]:  # noqa: A002
        """The case of the tool's own account number, or the one with this uuid. The number is not recorded."""
        return Case(case_of(self._tenant_key, account, id), self._say, self._tenant_key)

    def agency(self, id: str) -> Agency[RecordedEvent]:  # noqa: A002
        """The stream of an agency, by its uuid."""
        return Agency(uuid_of("agency", id), self._say, self._tenant_key)

    def staff(self, id: str) -> Staff[RecordedEvent]:  # noqa: A002
        """The stream of one of the staff, by their uuid."""
        return Staff(uuid_of("staff", id), self._say, self._tenant_key)

    def source(self, id: str) -> Source[RecordedEvent]:  # noqa: A002
        """The stream of an outside source, by its uuid."""
        return Source(uuid_of("source", id), self._say, self._tenant_key)

    # -- recording -----------------------------------------------------------------------------------------

    def record(self, payload: Payload, *, subject: str, said: Said | None = None) -> RecordedEvent:
        """Records a payload in the stream `subject`. On disk when this returns; `NotRecorded` otherwise."""
        return self._say(subject, payload, said or Said())

    def draft(self, payload: Payload, *, subject: str, said: Said | None = None) -> list[Composed]:
        """Types, protects and checks an event for `record_many`, and records nothing yet."""
        return self._compose(subject, payload, said or Said())

    def record_many(
        self, drafts: Iterable[Sequence[Composed]], *, bookmark: tuple[str, bytes] | None = None
    ) -> list[RecordedEvent]:
        """Records drafts in one transaction, in order: all of them, or none.

        `bookmark` is a name and a value that are kept in the very same transaction: an import that keeps how far
        it has read there goes on after a crash with nothing lost and nothing twice."""
        groups = list(drafts)
        self._commit([one for group in groups for one in group], bookmark)
        return [group[0].handle for group in groups]

    @contextmanager
    def batch(self, *, bookmark: tuple[str, bytes] | None = None) -> Iterator[list[RecordedEvent]]:
        """What this thread says inside is recorded in one transaction at the end; nothing, if the block raises.

        Inside, methods return before anything is on disk."""
        if getattr(self._local, "batch", None) is not None:
            raise RuntimeError("a batch is open in this thread already")
        batch: list[Composed] = []
        handles: list[RecordedEvent] = []
        self._local.batch = (batch, handles)
        try:
            yield handles
        finally:
            self._local.batch = None
        self._commit(batch, bookmark)

    def _compose(self, subject: str, payload: Payload, said: Said) -> list[Composed]:
        return self._composer.compose(subject, payload, said)

    def _say(self, subject: str, payload: Payload, said: Said) -> RecordedEvent:
        composed = self._compose(subject, payload, said)
        handle = composed[0].handle
        batch = getattr(self._local, "batch", None)
        if batch is not None:
            batch[0].extend(composed)
            batch[1].append(handle)
        else:
            self._commit(composed, None)
        return handle

    def _commit(self, composed: Sequence[Composed], bookmark: tuple[str, bytes] | None) -> None:
        if not composed and bookmark is None:
            return
        self._store([one.draft for one in composed], bookmark)
        for draft, handle in composed:
            handle.seq, handle.digest = draft.seq, draft.digest


def case_of(tenant_key: bytes, account: str | None, identity: str | None) -> str:
    """The uuid of a case, from exactly one of account number and uuid."""
    if (account is None) == (identity is None):
        raise EventRefused("a case is named by its account or by its id, one of the two. NOT recorded")
    if account is not None:
        return case_id(tenant_key, account)
    return uuid_of("case", identity)


def uuid_of(kind: str, value: str | None) -> str:
    """The uuid, in its one spelling; `EventRefused` otherwise."""
    if not canonical.is_uuid(value):
        raise EventRefused(f"the id of a {kind} is a uuid in lower case, with hyphens. NOT recorded")
    return value
