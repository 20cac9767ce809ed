"""Reads bank statements in ISO 20022 camt.053, as a stream: booked credits are the payments.

An entry with several transactions is as many payments, and they must sum to it. The bank's own reference is the id. Where
the statement says how many entries it has, it must have them. It is in UTF-8 or GB18030, whatever else XML allows. A
document type, and with it every entity, is refused; debits, reversals and entries that are not booked are counted and
left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias
from xml.parsers import expat

from ledger.errors import ImportRefused
from ledger.kernel.canonical import is_identifier
from projections.exchange.mapping import minor_units
from projections.exchange.outside.clock import Clock, WrongTime, check_day
from projections.exchange.outside.records import Collector
from projections.exchange.outside.textfile import CHUNK_BYTES, facts, opened_text

MEDIA_TYPE: Final = "application/xml"
Reference: TypeAlias = Literal["bank", "end-to-end"]
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
DEPTH_MAX: Final = 64
TEXT_CHARS_MAX: Final = 4096
TRANSACTIONS_MAX: Final = 100_000
# ISO 4217: currencies whose minor unit is not a hundredth.
_WHOLE: Final = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THOUSANDTHS: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DIGITS: Final = {**dict.fromkeys(_WHOLE, 0), **dict.fromkeys(_THOUSANDTHS, 3)}
_DECLARED: Final = frozenset({"utf-8", "us-ascii", "gb18030", "gbk", "gb2312"})
_STATEMENT: Final = ("Document", "BkToCstmrStmt", "Stmt")
_ENTRY: Final = (*_STATEMENT, "Ntry")
_DETAILS: Final = ("NtryDtls", "TxDtls")
_AMOUNTS: Final = (("Amt",), ("AmtDtls", "TxAmt", "Amt"))


@dataclass(slots=True)
class _Part:
    """An entry, or one transaction of it: texts by their path below it, and its amount's currency."""

    line: int
    texts: dict[tuple[str, ...], str] = field(default_factory=dict)
    currencies: dict[tuple[str, ...], str] = field(default_factory=dict)
    transactions: list[_Part] = field(default_factory=list)

    def get(self, *path: str) -> str:
        return self.texts.get(path, "")


def read_camt(
    path: Path,
    clock: Clock,
    collector: Collector,
    *,
    reference: Reference = "bank",
    encoding: str | None = None,
) -> None:
    """Adds the payments of one file to the collector. `ImportRefused` at once where it is no camt.053."""
    read = facts(path, MEDIA_TYPE)
    with opened_text(path, read, encoding) as text:
        collector.begin(read)
        parser = _Parser(path.name, clock, collector, reference)
        while True:
            chunk = text.read(CHUNK_BYTES)
            parser.feed(chunk.encode())
            if not chunk:
                break


class _Parser:
    """Expat, and the entry that is being read."""

    def __init__(self, file: str, clock: Clock, collector: Collector, reference: Reference) -> None:
        self.file = file
        self.clock = clock
        self.collector = collector
        self.reference = reference
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = self._refused
        self.parser.EntityDeclHandler = self._refused
        self.path: list[str] = []
        self.words: list[str] = []
        self.entry: _Part | None = None
        self.entries = 0
        self.announced = ""

    def here(self) -> str:
        return f"{self.file}:{self.parser.CurrentLineNumber}"

    def feed(self, chunk: bytes) -> None:
        try:
            self.parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            text = expat.errors.messages.get(error.code, "not well-formed")
            raise ImportRefused(f"broken XML: {text}", f"{self.file}:{error.lineno}") from error

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _DECLARED:
            name = encoding if is_identifier(encoding) else "an encoding without a name"
            raise ImportRefused(
                f"the file says that it is in {name}: only UTF-8 and GB18030 are read", self.here()
            )

    def _refused(self, *_: object) -> None:
        raise ImportRefused("a document type (DTD) is not accepted, nor are entities", self.here())

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self.path and (local != "Document" or not namespace.startswith(NAMESPACE)):
            raise ImportRefused("not a camt.053: the outermost element is not its <Document>", self.here())
        self.path.append(local)
        self.words = []
        path = tuple(self.path)
        if len(path) > DEPTH_MAX:
            raise ImportRefused(f"elements nested more than {DEPTH_MAX} deep", self.here())
        if path == _STATEMENT:
            self.entries, self.announced = 0, ""
        elif path == _ENTRY:
            self.entries += 1
            self.entry = _Part(self.parser.CurrentLineNumber)
        elif self.entry is not None:
            self._inside(path[len(_ENTRY) :], attributes)

    def _inside(self, below: tuple[str, ...], attributes: dict[str, str]) -> None:
        assert self.entry is not None
        if below == _DETAILS:
            if len(self.entry.transactions) >= TRANSACTIONS_MAX:
                raise ImportRefused(f"an entry of more than {TRANSACTIONS_MAX} transactions", self.here())
            self.entry.transactions.append(_Part(self.parser.CurrentLineNumber))
        part, below = self._part(below)
        if below in _AMOUNTS:
            part.currencies[below] = attributes.get("Ccy", "")

    def _part(self, below: tuple[str, ...]) -> tuple[_Part, tuple[str, ...]]:
        assert self.entry is not None
        if below[: len(_DETAILS)] == _DETAILS and self.entry.transactions:
            return self.entry.transactions[-1], below[len(_DETAILS) :]
        return self.entry, below

    def _text(self, text: str) -> None:
        self.words.append(text)

    def _end(self, _name: str) -> None:
        path = tuple(self.path)
        text = "".join(self.words).strip()
        self.words = []
        self.path.pop()
        if path == _ENTRY:
            entry, self.entry = self.entry, None
            assert entry is not None
            self._take(entry)
        elif path == _STATEMENT:
            if self.announced and self.announced.lstrip("0") != str(self.entries).lstrip("0"):
                self.collector.complain(
                    self.parser.CurrentLineNumber,
                    f"the statement announces another number of entries than the {self.entries:,} that it has",
                )
        elif path == (*_STATEMENT, "TxsSummry", "TtlNtries", "NbOfNtries"):
            self.announced = text
        elif self.entry is not None and text:
            if len(text) > TEXT_CHARS_MAX:
                raise ImportRefused(f"a text of more than {TEXT_CHARS_MAX} characters", self.here())
            part, below = self._part(path[len(_ENTRY) :])
            part.texts.setdefault(below, text)

    # -- payments --------------------------------------------------------------------------------------------

    def _take(self, entry: _Part) -> None:
        skipped = self.collector.records.skipped
        if (entry.get("Sts") or entry.get("Sts", "Cd")) != "BOOK":
            skipped["not booked"] += 1
            return
        direction = entry.get("CdtDbtInd")
        if direction not in ("CRDT", "DBIT"):
            self.collector.complain(entry.line, "an entry is neither CRDT nor DBIT")
            return
        if direction == "DBIT" or entry.get("RvslInd") in ("true", "1"):
            skipped["debits and reversals"] += 1
            return
        day, at_us = self._booked(entry)
        if not day:
            return
        total = self._amount(entry, entry)
        if total is None:
            return
        if len(entry.transactions) < 2:
            inner = entry.transactions[0] if entry.transactions else entry
            self._add(entry.line, self._reference(inner, entry), day, at_us, total)
            return
        amounts = [self._amount(one, entry) for one in entry.transactions]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts):
            return
        if sum(amount for amount, _ in known) != total[0] or {c for _, c in known} != {total[1]}:
            self.collector.complain(entry.line, "the transactions of an entry do not sum to it")
            return
        for one, amount in zip(entry.transactions, known, strict=True):
            self._add(one.line, self._reference(one, None), day, at_us, amount)

    def _booked(self, entry: _Part) -> tuple[str, int]:
        day, moment = entry.get("BookgDt", "Dt"), entry.get("BookgDt", "DtTm")
        try:
            if moment:
                at_us = self.clock.instant(moment, "iso")
                return self.clock.day(at_us), at_us
            # A date of XML Schema may carry an offset; the day is the bank's in any case.
            return check_day(day[:10] if day[10:] in ("", "Z") or day[10:11] in ("+", "-") else day), -1
        except WrongTime as error:
            self.collector.complain(entry.line, f"BookgDt: {error}")
            return "", -1

    def _amount(self, part: _Part, entry: _Part) -> tuple[int, str] | None:
        for below in _AMOUNTS:
            text = part.get(*below)
            if not text:
                continue
            currency = part.currencies.get(below) or entry.currencies.get(("Amt",), "")
            if len(currency) != 3 or not (currency.isascii() and currency.isupper()):
                self.collector.complain(part.line, "Amt: no currency of three capital letters")
                return None
            try:
                return minor_units(text, _DIGITS.get(currency, 2)), currency
            except ValueError as error:
                self.collector.complain(part.line, f"Amt: {error}")
                return None
        self.collector.complain(part.line, "no amount")
        return None

    def _reference(self, part: _Part, entry: _Part | None) -> str:
        if self.reference == "end-to-end":
            found = part.get("Refs", "EndToEndId")
            return "" if found == "NOTPROVIDED" else found
        own = part.get("Refs", "AcctSvcrRef") or part.get("Refs", "TxId")
        if entry is None:
            return own
        return entry.get("AcctSvcrRef") or own or entry.get("NtryRef")

    def _add(self, line: int, reference: str, day: str, at_us: int, amount: tuple[int, str]) -> None:
        if not reference:
            self.collector.complain(line, "a payment without the reference that it is known by")
            return
        self.collector.add(line, id=reference, at_us=at_us, day=day, amount=amount[0], currency=amount[1])
