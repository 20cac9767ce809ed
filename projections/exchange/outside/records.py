"""What a statement says, record by record, in columns: a day of a million calls fits in some 300 MB.

A record is one call, message or payment that the provider counted, under the provider's own id. Numbers, addresses and
ids stay in memory: what may be printed of them comes from `mask` and `shown_id`, and what may be kept from
`commitments.py`."""

from __future__ import annotations

import hmac
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ledger.errors import ImportRefused
from ledger.kernel import canonical
from ledger.sdk.ids import contact_reference

Channel: TypeAlias = Literal["call", "sms", "mail", "payment"]
CHANNELS: Final[tuple[Channel, ...]] = ("call", "sms", "mail", "payment")

COMPLAINTS_LISTED: Final = 20
ID_CHARS_MAX: Final = 998
NUMBER_CHARS_MAX: Final = 320
# A number shorter than this may well stand in an id by chance.
_TELLING_DIGITS: Final = 6


class FileRead(NamedTuple):
    """A file that was read to its end. `captured_us` is the time stamp that it had on this machine."""

    name: str
    sha256: str
    size: int
    media_type: str
    captured_us: int


class Bounce(NamedTuple):
    """A report that a message did not arrive: of which message, and where it stands."""

    id: str
    file: int
    line: int
    status: str


class Complaints:
    """Everything that is wrong with the files, with line numbers. No text of it repeats a value."""

    def __init__(self) -> None:
        self.count = 0
        self.listed: list[tuple[str, str]] = []

    def add(self, place: str, text: str) -> None:
        self.count += 1
        if len(self.listed) < COMPLAINTS_LISTED:
            self.listed.append((place, text))

    def settle(self) -> None:
        """`ImportRefused` with all of them, unless there are none."""
        if not self.count:
            return
        first, text = self.listed[0]
        rows = "".join(f"\n  {place}: {one}" for place, one in self.listed[1:])
        more = self.count - len(self.listed)
        tail = f"\n  and {more:,} more" if more else ""
        raise ImportRefused(f"{text}{rows}{tail}\n  nothing was imported", first)


@dataclass(slots=True)
class Records:
    """A statement in columns. `at` is µs since the Unix epoch, or -1 where the provider gives only the day; `day` is
    the provider's; `number` is spelt as the SDK spells it before it derives a contact point, "" where it is not told."""

    channel: Channel
    files: list[FileRead] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    at: array[int] = field(default_factory=lambda: array("q"))
    days: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    amounts: array[int] = field(default_factory=lambda: array("q"))
    currencies: list[str] = field(default_factory=list)
    lines: array[int] = field(default_factory=lambda: array("q"))
    file_of: array[int] = field(default_factory=lambda: array("H"))
    bounces: list[Bounce] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    index: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, number: int) -> str:
        return f"{self.files[self.file_of[number]].name}:{self.lines[number]}"

    def value(self, number: int) -> dict[str, Any]:
        """One record as it goes into its commitment: everything that the provider says of it, and nothing else."""
        found: dict[str, Any] = {
            "channel": self.channel,
            "day": self.days[number],
            "id": self.ids[number],
            "number": self.numbers[number],
            "status": self.statuses[number],
        }
        if self.at[number] >= 0:
            found["at"] = canonical.format_time(self.at[number])
        if self.channel == "payment":
            found["amount"] = self.amounts[number]
            found["currency"] = self.currencies[number]
        return found


class Collector:
    """Adds record after record of one file after the other, and lists what is wrong with them."""

    def __init__(self, channel: Channel, *, first_day: str = "", last_day: str = "") -> None:
        self.records = Records(channel)
        self.complaints = Complaints()
        self._first, self._last = first_day, last_day
        self._words: dict[str, str] = {}
        self._name = ""
        self._file = -1

    def begin(self, file: FileRead) -> None:
        self._file = len(self.records.files)
        self.records.files.append(file)
        self._name = file.name

    def complain(self, line: int, text: str) -> None:
        self.complaints.add(f"{self._name}:{line}", text)

    def add(
        self,
        line: int,
        *,
        id: str,  # noqa: A002
        at_us: int,
        day: str,
        number: str = "",
        status: str = "",
        amount: int = 0,
        currency: str = "",
    ) -> None:
        """One record. An id that stands twice, or a day outside those that the statement covers, is a complaint."""
        records = self.records
        if not id or len(id) > ID_CHARS_MAX or not canonical.is_text(id):
            self.complain(line, f"the id is missing, or not a text of at most {ID_CHARS_MAX} characters")
            return
        if len(number) > NUMBER_CHARS_MAX or not canonical.is_text(number):
            self.complain(line, f"the number or address is no text of at most {NUMBER_CHARS_MAX} characters")
            return
        place = len(records.ids)
        first = records.index.setdefault(id, place)
        if first != place:
            self.complain(line, f"duplicate id: it stands in {records.place(first)} too")
            return
        if (self._first and day < self._first) or (self._last and day > self._last):
            self.complain(line, "its day lies outside the days that the statement is said to cover")
        keep = self._words.setdefault
        records.ids.append(id)
        records.at.append(at_us)
        records.days.append(keep(day, day))
        records.numbers.append(contact_reference(number) if number else "")
        records.statuses.append(keep(status, status))
        records.lines.append(line)
        records.file_of.append(self._file)
        if records.channel == "payment":
            records.amounts.append(amount)
            records.currencies.append(keep(currency, currency))

    def bounce(self, line: int, id: str, status: str) -> None:  # noqa: A002
        self.records.bounces.append(Bounce(id, self._file, line, status))

    def finish(self) -> Records:
        """What was read; `ImportRefused` if anything is wrong with it."""
        self.complaints.settle()
        return self.records


# -- what may be printed -------------------------------------------------------------------------------------


def mask(number: str) -> str:
    """The last two digits of a number, nothing of an address."""
    if not number or "@" in number:
        return ""
    digits = [c for c in number if c.isascii() and c.isdigit()]
    return "…" + "".join(digits[-2:]) if len(digits) > 2 else "…"


def keyed(key: bytes, text: str) -> str:
    """A digest by which whoever has the key finds the text again, and nobody else does."""
    return hmac.digest(key, b"duecourse/shown/v1\n" + text.encode("utf-8", "replace"), "sha256")[:8].hex()


def shown_id(record_id: str, number: str, key: bytes, channel: Channel) -> str:
    """The provider's id where it is an identifier that says nothing of the person; else a keyed digest of it."""
    digits = "".join(c for c in number if c.isascii() and c.isdigit())[-_TELLING_DIGITS:]
    telling = len(digits) >= _TELLING_DIGITS and digits in "".join(c for c in record_id if c.isdigit())
    if channel == "mail" or telling or not canonical.is_identifier(record_id):
        return f"keyed:{keyed(key, record_id)}"
    return record_id
