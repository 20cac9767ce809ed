"""The whole tree of errors, on one page. Each says what its catcher should do next."""

from __future__ import annotations


class DuecourseError(Exception):
    """Base of everything this project raises on purpose."""


class Refused(DuecourseError):
    """Evidence, or something on its way to become evidence, breaks a rule of `docs/formats/`.

    `code` is one of the codes of the verdict contract (`E_…`), `detail` says expected and found,
    `where` names the place (a member, an index, a JSON pointer), or is empty."""

    def __init__(self, code: str, detail: str, where: str = "") -> None:
        super().__init__(code, detail, where)
        self.code = code
        self.detail = detail
        self.where = where

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" + (f" ({self.where})" if self.where else "")


class ConfigurationError(DuecourseError):
    """A setting, a ledger directory or a trust file is not usable. Nothing was changed; mend it and run again."""


class LogUnavailable(DuecourseError):
    """The log did not confirm. What was being appended may or may not be there: read back before going on."""


class LogDamaged(DuecourseError):
    """The log's storage cannot be read at `cursor` (a torn page, a missing row). Trying again will not help:
    stop writing, keep the files, run `duecourse fsck`, and restore from the second copy."""

    def __init__(self, message: str, cursor: int | None = None) -> None:
        super().__init__(message)
        self.cursor = cursor


class LogDrifted(ConfigurationError):
    """The log is not set up as the ledger expects (topic settings, partitions, earliest offset).
    Refuse to run; the message names the setting."""


class Misbehaviour(DuecourseError):
    """The log contradicts itself under its own signature. Stop, keep both notes, raise the alarm.
    `note` is the signed note, `contradicts` says what it contradicts."""

    def __init__(self, note: bytes, contradicts: str) -> None:
        super().__init__(contradicts)
        self.note = note
        self.contradicts = contradicts


class Superseded(DuecourseError):
    """Another sequencer holds the term. Forget the head and start again from the log."""


class StoreDamaged(DuecourseError):
    """The stored bytes do not give the root that was computed when they were written, or the second code path
    stopped. Nothing was signed. Start again from the log; if it happens twice, run `duecourse fsck`."""


class ClockRefused(DuecourseError):
    """The sequencer's clock is more than 60 s away from its reference. Nothing was appended. Mend the clock; where
    the last entry is the one from the wrong time, registrars order `clock_corrected`."""


class ProducerError(DuecourseError):
    """Base of what the SDK raises."""


class NotRecorded(ProducerError):
    """The event is NOT recorded. Hold the business action, or fail it; do not carry on as if it were."""


class EventRefused(NotRecorded):
    """The event breaks its schema or the format. NOT recorded. Trying again unchanged will not help."""


class OutboxFull(NotRecorded):
    """No room on the disk, or the outbox reached its limit. NOT recorded. Try again when there is room."""


class OutboxUnwritable(NotRecorded):
    """The outbox cannot be written: read-only, permission lost, or the disk fails. NOT recorded. Mend it and open the
    recorder again. Where the disk failed in the middle of a write, opening may find an event that was never confirmed."""


class OutboxBusy(NotRecorded):
    """Another process writes to this outbox, or this process forked after opening it. NOT recorded.
    Give each process an outbox of its own."""


class OutboxCorrupt(NotRecorded):
    """The outbox does not check: a row was changed, removed or torn. NOT recorded, and nothing is sent from it.
    Keep the file as evidence, and ask the registrars for a new epoch."""


class OutboxClosed(NotRecorded):
    """The recorder is closed. NOT recorded."""


class VaultError(DuecourseError):
    """The vault could not keep or give a protecting key. Nothing personal was shown."""


class Erased(VaultError):
    """The protecting key was destroyed. The value is gone, and its proofs still stand."""


class ImportRefused(DuecourseError):
    """An input file cannot be read as what it claims to be. `where` names the place; nothing half-written."""

    def __init__(self, detail: str, where: str) -> None:
        super().__init__(f"{where}: {detail}")
        self.detail = detail
        self.where = where


class ProjectionHalted(DuecourseError):
    """A view stands before an entry that it cannot apply; the message has its index. Nothing was passed over, and
    what is shown is right up to there. Mend the cause and run again, or rebuild."""
