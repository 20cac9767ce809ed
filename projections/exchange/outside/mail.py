"""Reads sent mail (`.eml`, or a mailbox of many), and bounces by RFC 3464, from their headers alone.

A message counts by its Message-ID and Date; of its recipients only a single one is looked at, to find its contact point.
Subject and text are kept nowhere. A bounce is no message of its own: it says of one that it did not arrive, and counts
apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Final

from ledger.errors import ImportRefused
from projections.exchange.outside.clock import Clock
from projections.exchange.outside.records import Collector
from projections.exchange.outside.textfile import facts, opened

MEDIA_TYPE: Final = "message/rfc822"
MESSAGE_BYTES_MAX: Final = 64 << 20
LINE_BYTES_MAX: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PARSER: Final = BytesParser(policy=policy.compat32)
_FAILED: Final = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})


def read_mail(path: Path, clock: Clock, collector: Collector) -> None:
    """Adds the messages of one file to the collector."""
    read = facts(path, MEDIA_TYPE)
    with opened(path, read) as raw:
        mailbox = raw.peek(5)[:5] == b"From "  # type: ignore[attr-defined]
        collector.begin(read._replace(media_type="application/mbox") if mailbox else read)
        for line, message in _messages(raw, path.name, mailbox=mailbox):
            _take(line, message, clock, collector)


def _messages(raw: BinaryIO, name: str, *, mailbox: bool) -> Iterator[tuple[int, bytes]]:
    """(line on which it begins, bytes) of each message. In a mailbox each begins behind a line `From …` that follows an
    empty one; lines that were quoted as `>From ` stay so, which touches texts only."""
    lines: list[bytes] = []
    begins, size, blank, number = 1, 0, True, 0
    while line := raw.readline(LINE_BYTES_MAX):
        number += line.endswith(b"\n")
        if mailbox and blank and line.startswith(b"From "):
            if lines:
                yield begins, b"".join(lines)
            lines, begins, size = [], number + 1, 0
        else:
            lines.append(line)
            size += len(line)
            if size > MESSAGE_BYTES_MAX:
                raise ImportRefused(
                    f"a message of more than {MESSAGE_BYTES_MAX >> 20} MB", f"{name}:{begins}"
                )
        blank = line in (b"\n", b"\r\n")
    if lines:
        yield begins, b"".join(lines)


def _take(line: int, data: bytes, clock: Clock, collector: Collector) -> None:
    try:
        message = _PARSER.parsebytes(data)
    except (MessageError, ValueError, LookupError) as error:
        collector.complain(line, f"not a message: {type(error).__name__}")
        return
    report = message.get_content_type() == "multipart/report"
    if report and str(message.get_param("report-type", "")).lower() == "delivery-status":
        _bounce(line, message, collector)
        return
    identity = message_id(_header(message, "message-id"))
    if not identity:
        collector.complain(line, "no Message-ID as <…@…>")
        return
    at_us = _date(line, message, collector)
    if at_us is not None:
        collector.add(line, id=identity, at_us=at_us, day=clock.day(at_us), number=_recipient(message))


def _header(message: object, name: str) -> str:
    """A header as text; "" where there is none. Bytes that are no ASCII come as replacement characters."""
    value = message.get(name, "")  # type: ignore[attr-defined]
    return "".join(str(value).splitlines()).strip()


def message_id(text: str) -> str:
    """What stands between the angle brackets of a Message-ID; "" for anything else."""
    inner = text[1:-1]
    if text[:1] != "<" or text[-1:] != ">" or "@" not in inner or any(c in inner for c in "<> \t"):
        return ""
    return inner


def _date(line: int, message: object, collector: Collector) -> int | None:
    text = _header(message, "date")
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        collector.complain(line, "Date: missing, or not a date as RFC 5322 writes them")
        return None
    if at.tzinfo is None:
        # "-0000" is an instant in UTC of which only the writer's own zone is not told (RFC 5322 3.3).
        if not text.partition("(")[0].rstrip().endswith("-0000"):
            collector.complain(line, "Date: a time without zone")
            return None
        at = at.replace(tzinfo=UTC)
    try:
        since = at - _EPOCH
    except OverflowError:
        since = None
    if since is None or since.days < 0:
        collector.complain(line, "Date: a moment before 1970, or behind the year 9999")
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000


def _recipient(message: object) -> str:
    """The one address that the message went to; "" where there are several, or none."""
    texts = [
        str(value)
        for name in ("to", "cc", "bcc")
        for value in message.get_all(name, [])  # type: ignore[attr-defined]
    ]
    addresses = {address for _, address in getaddresses(texts) if "@" in address}
    return addresses.pop() if len(addresses) == 1 else ""


def _bounce(line: int, message: object, collector: Collector) -> None:
    status, identity = "", ""
    for part in message.walk():  # type: ignore[attr-defined]
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in part.get_payload() if part.is_multipart() else []:
                action = _header(block, "action").lower()
                if action in _FAILED and status != "failed":
                    status = action
        elif kind == "text/rfc822-headers" and not identity:
            inner = part.get_payload(decode=True)
            if isinstance(inner, bytes):
                identity = message_id(_header(_PARSER.parsebytes(inner, headersonly=True), "message-id"))
        elif kind == "message/rfc822" and not identity and part.is_multipart():
            identity = message_id(_header(part.get_payload(0), "message-id"))
    if not status:
        collector.complain(line, "a delivery report without an Action that RFC 3464 knows")
    elif not identity:
        collector.complain(line, "a delivery report that does not say of which message it is")
    else:
        collector.bounce(line, identity, status)
