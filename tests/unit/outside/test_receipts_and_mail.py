"""SMS receipts, mail and bounces: ids, times and states; never a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ImportRefused
from projections.exchange.outside.statement import Reading, Statement, read_statement

RECEIPT = "id:{} sub:001 dlvrd:001 submit date:{} done date:{} stat:{} err:000 text:Dear Ada"
SMS = Reading("sms", times="Asia/Shanghai")
MAIL = Reading("mail", days="Europe/London")


def _read(path: Path, data: bytes | str, reading: Reading) -> Statement:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_statement([path], reading)


def _refused(path: Path, data: bytes | str, reading: Reading) -> str:
    with pytest.raises(ImportRefused) as refused:
        _read(path, data, reading)
    return str(refused.value)


def test_receipts_count_by_the_time_of_submission(tmp_path: Path) -> None:
    lines = [
        RECEIPT.format("A1", "2606102359", "260611000102", "DELIVRD"),
        "",
        RECEIPT.format("A2", "2606110000", "2606110001", "UNDELIV"),
    ]
    statement = _read(tmp_path / "r.txt", "\r\n".join(lines), SMS)
    assert statement.days == {"2026-06-10": 1, "2026-06-11": 1}
    assert statement.records.statuses == ["DELIVRD", "UNDELIV"]
    assert list(statement.records.lines) == [1, 3]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nothing of the kind", "r.txt:1: not a receipt"),
        (RECEIPT.format("A1", "2606102359", "2606110001", "LOST"), "r.txt:1: stat:"),
        (RECEIPT.format("A1", "2613102359", "2606110001", "DELIVRD"), "r.txt:1: submit date: no such moment"),
        (RECEIPT.format("A1", "2606102359", "26061100", "DELIVRD"), "r.txt:1: done date:"),
    ],
)
def test_a_wrong_receipt_is_said_with_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    told = _refused(tmp_path / "r.txt", line + "\n", SMS)
    assert complaint in told
    assert "Ada" not in told


def test_receipts_need_a_zone_and_an_id_of_their_own(tmp_path: Path) -> None:
    line = RECEIPT.format("A1", "2606102359", "2606110001", "DELIVRD")
    assert "r.txt:1: submit date: a time without zone" in _refused(
        tmp_path / "r.txt", line, Reading("sms", days="UTC")
    )
    assert "r.txt:2: duplicate id" in _refused(tmp_path / "r.txt", f"{line}\n{line}\n", SMS)


MESSAGE = (
    b"Message-ID: <%s@bank.example>\r\nDate: %s\r\nTo: Ada <ada@example.org>\r\n"
    b"Subject: =?utf-8?q?=E6=AC=A0?=\r\n\r\nDear Ada\r\n"
)
DATE = b"Wed, 10 Jun 2026 23:30:00 +0000"
BOUNCE = (
    b"From: mailer@mx.example\nDate: Thu, 11 Jun 2026 01:00:00 +0000\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    b"--b\nContent-Type: text/plain\n\nIt did not arrive.\n--b\nContent-Type: message/delivery-status\n\n"
    b"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ada@example.org\nAction: %s\nStatus: 5.1.1\n\n"
    b"--b\nContent-Type: %s\n\n%s\n\n--b--\n"
)


def test_a_single_message_counts_on_the_providers_day(tmp_path: Path) -> None:
    statement = _read(tmp_path / "a.eml", MESSAGE % (b"m1", DATE), MAIL)
    assert statement.records.ids == ["m1@bank.example"]
    assert statement.records.numbers == ["ada@example.org"]
    assert statement.days == {"2026-06-11": 1}
    assert statement.records.files[0].media_type == "message/rfc822"


def test_a_mailbox_is_taken_apart_and_bounces_count_apart(tmp_path: Path) -> None:
    mailbox = b"".join(
        b"From bank Wed Jun 10 23:30:00 2026\n" + one.replace(b"\r\n", b"\n") + b"\n"
        for one in (
            MESSAGE % (b"m1", DATE),
            MESSAGE % (b"m2", b"Wed, 10 Jun 2026 23:30:00 -0000") + b">From the start\r\nFrom here on\r\n",
            BOUNCE % (b"failed", b"text/rfc822-headers", b"Message-ID: <m1@bank.example>\nSubject: x"),
            BOUNCE % (b"delayed", b"message/rfc822", b"Message-ID: <m9@bank.example>\n\nDear Ada"),
        )
    )
    statement = _read(tmp_path / "sent.mbox", mailbox, MAIL)
    records = statement.records
    assert records.ids == ["m1@bank.example", "m2@bank.example"]
    assert [(one.id, one.status) for one in records.bounces] == [
        ("m1@bank.example", "failed"),
        ("m9@bank.example", "delayed"),
    ]
    assert list(records.lines) == [2, 10]
    assert records.files[0].media_type == "application/mbox"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (MESSAGE % (b"m 1", DATE), "no Message-ID"),
        (MESSAGE % (b"m1", b"Wed, 10 Jun 2026 23:30:00"), "Date: a time without zone"),
        (MESSAGE % (b"m1", b"Wed, 10 Jun 2026 23:30:00 XYZ"), "Date: a time without zone"),
        (MESSAGE % (b"m1", b"tomorrow"), "Date: missing"),
        (MESSAGE % (b"m1", b"Wed, 10 Jun 1950 23:30:00 +0000"), "Date: a moment before 1970"),
        (BOUNCE % (b"lost", b"text/rfc822-headers", b"Message-ID: <m1@bank.example>"), "without an Action"),
        (BOUNCE % (b"failed", b"text/plain", b"nothing"), "does not say of which message"),
    ],
)
def test_a_wrong_message_is_said_with_its_line(tmp_path: Path, data: bytes, complaint: str) -> None:
    told = _refused(tmp_path / "a.eml", data, MAIL)
    assert told.startswith("a.eml:1: ")
    assert complaint in told
    assert "ada@example.org" not in told


def test_a_message_to_several_people_has_no_contact_point(tmp_path: Path) -> None:
    data = MESSAGE.replace(b"To: Ada", b"Cc: bob@example.org\r\nTo: Ada") % (b"m1", DATE)
    assert _read(tmp_path / "a.eml", data, MAIL).records.numbers == [""]


@settings(max_examples=200, deadline=None)
@given(
    data=st.lists(
        st.sampled_from(
            [b"From x\n", b"\n", b"Message-ID: <a@b>\n", b"Date: Wed, 10 Jun 2026 23:30:00 +0000\n", b"To: \xff\xfe\n",
             b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", b"--b\n", b"--b--\n",
             b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n", b"Action: failed\n",
             b"Date: Wed, 10 Jun 99999 99:99:99 +9999\n", b"Content-Transfer-Encoding: base64\n", b"\x00\xff\n"]
        ),
        max_size=30,
    ).map(b"".join)
)  # fmt: skip
def test_any_mailbox_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try:
        statement = _read(tmp_path_factory.getbasetemp() / "any.mbox", data, MAIL)
    except ImportRefused:
        return
    assert set(statement.records.ids) <= {"a@b"}


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 59), st.sampled_from(["DELIVRD", "EXPIRED"])),
                  min_size=1, max_size=20, unique_by=lambda row: row[0])
)  # fmt: skip
def test_receipts_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, str]]
) -> None:
    text = "\n".join(
        RECEIPT.format(f"{n:X}", f"26061012{m:02d}", f"26061013{m:02d}", state) for n, m, state in rows
    )
    records = _read(tmp_path_factory.getbasetemp() / "any.txt", text, SMS).records
    assert records.ids == [f"{n:X}" for n, _, _ in rows]
    assert records.statuses == [state for _, _, state in rows]
    assert set(records.days) == {"2026-06-10"}
