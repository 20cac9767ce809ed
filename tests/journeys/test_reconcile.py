"""A bank counts its calls against its carrier's: import, reconcile, correct, prove one record, all by the installed command."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.sdk.recorder import Recorder
from ledger.testing.shell import duecourse, entries, kill, start

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 11, 2, 9, 0, tzinfo=SHANGHAI)
COLUMNS = 15


def _number(n: int) -> str:
    return f"+86139{55510000 + n}"


@dataclass(frozen=True)
class Bank:
    """A ledger with calls that were placed, and the carrier's record of each of them."""

    ledger: Path
    calls: list[tuple[str, datetime, str]]  # (the carrier's id, when, number)

    @property
    def settings(self) -> Path:
        return self.ledger / "producers" / "dialler" / "producer.toml"

    def write(self, path: Path, calls: list[tuple[str, datetime, str]], encoding: str = "utf-8") -> Path:
        rows = [freeswitch(identity, at, number) for identity, at, number in calls]
        path.write_bytes("".join(rows).encode(encoding))
        return path


def freeswitch(identity: str, at: datetime, number: str, name: str = "李雷") -> str:
    stamp = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    fields = [
        name, "95500", number, "default", stamp, stamp, stamp, "12", "9", "NORMAL_CLEARING", identity, "", "",
        "PCMA", "PCMA",
    ]  # fmt: skip
    assert len(fields) == COLUMNS
    return ",".join(f'"{one}"' for one in fields) + "\n"


def _found(ledger: Path, *, shards: int = 1, calls: int = 12) -> Bank:
    duecourse("init", ledger, "--name", "ledger.example.com/cards", "--shards", str(shards))
    duecourse("registry", "add", ledger, "dialler")
    made = []
    with Recorder.open(ledger / "producers" / "dialler" / "producer.toml") as recorder:
        for n in range(calls):
            at = FIRST + timedelta(minutes=10 * n, seconds=n % 3)
            identity = f"7f3c{n:04d}-0000-4000-8000-000000000000"
            recorder.case(account=f"6222-{n % 5}").call_placed(
                to=_number(n % 5), purpose="interactive", outcome="no_answer", time=at, source_ref=identity,
                late_reason="batch",
            )  # fmt: skip
            made.append((identity, at + timedelta(seconds=1), _number(n % 5)))
    duecourse("run", ledger, "--once")
    return Bank(ledger, made)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return _found(tmp_path_factory.mktemp("bank") / "ledger")


@pytest.fixture
def own_bank(tmp_path: Path) -> Bank:
    return _found(tmp_path / "ledger")


LAYOUT = ("--layout", "freeswitch-cdr-csv", "--times-zone", "Asia/Shanghai")


def _counts(ledger: Path, shard: int = 0) -> list[dict[str, Any]]:
    return [entry.event for entry in entries(ledger, shard) if "source.counted" in entry.event["type"]]


def test_a_statement_that_agrees_ends_with_0(bank: Bank, tmp_path: Path) -> None:
    file = bank.write(tmp_path / "day.csv", bank.calls)
    told = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, "--json").json()
    (day,) = told["days"]
    assert (day["day"], day["stated"], day["found"], day["matched_by_id"]) == ("2026-11-02", 12, 12, 12)
    assert told["differs"] is False
    assert "they agree" in duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT).text


def test_what_only_one_of_them_has_is_listed_and_ends_with_1(bank: Bank, tmp_path: Path) -> None:
    unknown = ("ffff0000-0000-4000-8000-000000000000", FIRST + timedelta(hours=5), "+8613955519987")
    file = bank.write(tmp_path / "day.csv", [*bank.calls[1:], unknown])
    ended = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, "--json", status=1)
    told = ended.json()
    (day,) = told["days"]
    assert (day["stated"], day["found"], day["source_only"], day["ledger_only"]) == (12, 11, 1, 1)
    (seen,) = told["source_only"]
    assert (seen["place"], seen["number"], seen["id"]) == ("day.csv:12", "…87", unknown[0])
    (held,) = told["ledger_only"]
    assert held["time"] == "2026-11-02T01:00:00.000000Z"
    text = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, status=1).text
    assert "the source saw, the ledger did not: 1" in text
    assert "the ledger holds, the source does not: 1" in text


def test_without_its_own_id_a_call_is_found_by_its_contact_point(bank: Bank, tmp_path: Path) -> None:
    other = [(f"leg-{n}", at, number) for n, (_, at, number) in enumerate(bank.calls)]
    file = bank.write(tmp_path / "day.csv", other)
    (day,) = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, "--json").json()["days"]
    assert (day["matched_by_id"], day["matched_by_contact_point"], day["found"]) == (0, 12, 12)


def test_a_call_at_another_hour_than_the_carrier_says_is_no_match(bank: Bank, tmp_path: Path) -> None:
    identity, at, number = bank.calls[3]
    moved = [*bank.calls[:3], (identity, at + timedelta(hours=13), number), *bank.calls[4:]]
    file = bank.write(tmp_path / "day.csv", moved)
    told = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, "--json", status=1).json()
    (day,) = told["days"]
    assert (day["found"], day["differing"], day["source_only"], day["ledger_only"]) == (11, 1, 0, 0)
    (pair,) = told["differing"]
    assert pair["source"]["time"] != pair["ledger"]["time"]


def test_nothing_that_is_printed_names_a_person(bank: Bank, tmp_path: Path) -> None:
    stranger = (f"x-{'8613955519987'}", FIRST + timedelta(hours=5), "+8613955519987")
    file = bank.write(tmp_path / "day.csv", [*bank.calls[2:], stranger], encoding="gb18030")
    for more in ([], ["--json"]):
        ended = duecourse("reconcile", bank.ledger, "--source", file, *LAYOUT, *more, status=1)
        for personal in ("李雷", "13955519987", "13955510000", "6222"):
            assert personal.encode() not in ended.out + ended.err, personal
        assert b"keyed:" in ended.out


def test_an_import_counts_each_day_once_and_corrects_what_changed(own_bank: Bank, tmp_path: Path) -> None:
    ledger = own_bank.ledger
    late = ("aaaa0000-0000-4000-8000-000000000000", FIRST + timedelta(hours=4), _number(1))
    file = own_bank.write(tmp_path / "day.csv", [*own_bank.calls, late])
    words = ["import", "cdr", file, "--into", ledger, "--name", "carrier-a", *LAYOUT]
    told = duecourse(*words, "--json").json()
    assert (told["recorded"], told["corrected"]) == (1, 0)
    (event,) = _counts(ledger)
    data = event["data"]
    assert (data["day"], data["zone"], data["unit"]) == ("2026-11-02", "Asia/Shanghai", "call")
    assert (data["stated"], data["found"]) == (13, 12)
    assert (event["producerid"], event["actorcapacity"]) == ("source-carrier-a", "system")
    assert event["subject"] == f"source/{told['source']}"
    assert [one["media_type"] for one in data["evidence"]] == [
        "text/csv", "application/vnd.duecourse.statement-root",
    ]  # fmt: skip
    assert data["evidence"][0]["sha256"] == told["files"][0]["sha256"]
    assert data["evidence"][1]["sha256"] == told["days"][0]["root"]
    assert data["evidence"][1]["bytes"] == 65

    assert duecourse(*words, "--json").json()["recorded"] == 0
    assert len(_counts(ledger)) == 1

    with Recorder.open(own_bank.settings) as recorder:
        recorder.case(account="6222-1").call_placed(
            to=_number(1), purpose="interactive", outcome="no_answer", time=late[1], source_ref=late[0],
            late_reason="offline",
        )  # fmt: skip
    told = duecourse(*words, "--json").json()
    assert (told["recorded"], told["corrected"], told["differs"]) == (1, 1, False)
    first, second = _counts(ledger)
    assert second["corrects"] == first["id"]
    assert (second["data"]["stated"], second["data"]["found"]) == (13, 13)
    duecourse("fsck", ledger)


def test_other_files_of_a_day_need_a_word_before_they_take_its_place(own_bank: Bank, tmp_path: Path) -> None:
    words = ["--into", own_bank.ledger, "--name", "carrier-a", *LAYOUT]
    morning = own_bank.write(tmp_path / "morning.csv", own_bank.calls[:6])
    evening = own_bank.write(tmp_path / "evening.csv", own_bank.calls[6:])
    assert duecourse("import", "cdr", morning, *words, "--json").json()["days"][0]["found"] == 12
    ended = duecourse("import", "cdr", morning, evening, *words, status=1)
    assert "--replace" in ended.complaint
    assert len(_counts(own_bank.ledger)) == 1
    duecourse("import", "cdr", evening, morning, *words, "--replace")
    first, second = _counts(own_bank.ledger)
    assert second["corrects"] == first["id"]
    assert (second["data"]["stated"], second["data"]["found"]) == (12, 12)
    assert len(second["data"]["evidence"]) == 3


def test_a_file_with_an_error_in_it_leaves_no_trace(own_bank: Bank, tmp_path: Path) -> None:
    before = len(entries(own_bank.ledger))
    file = own_bank.write(tmp_path / "day.csv", [*own_bank.calls, own_bank.calls[0]])
    words = [
        "import",
        "cdr",
        file,
        "--into",
        own_bank.ledger,
        "--name",
        "carrier-a",
        "--layout",
        "freeswitch-cdr-csv",
    ]
    ended = duecourse(*words, "--times-zone", "Asia/Shanghai", status=1)
    assert "day.csv:13: duplicate id" in ended.complaint
    ended = duecourse(*words, "--zone", "Asia/Shanghai", status=1)
    assert "day.csv:1: start_stamp: a time without zone" in ended.complaint
    assert "day.csv:12: start_stamp: a time without zone" in ended.complaint
    assert not (own_bank.ledger / "producers" / "source-carrier-a").exists()
    assert len(entries(own_bank.ledger)) == before


def test_an_import_that_ended_before_the_line_had_it_is_gone_on_with(own_bank: Bank, tmp_path: Path) -> None:
    file = own_bank.write(tmp_path / "day.csv", own_bank.calls)
    words = ["import", "cdr", file, "--into", own_bank.ledger, "--name", "carrier-a", *LAYOUT, "--json"]
    assert duecourse(*words, "--no-run").json()["recorded"] == 1
    assert duecourse(*words, "--no-run").json()["recorded"] == 0
    assert _counts(own_bank.ledger) == []
    own_bank.write(file, own_bank.calls[1:])
    assert "waits to be sequenced" in duecourse(*words, "--no-run", status=2).complaint
    own_bank.write(file, own_bank.calls)
    assert duecourse(*words).json()["recorded"] == 0
    assert len(_counts(own_bank.ledger)) == 1


@pytest.mark.parametrize("delay", [0.6, 1.0, 1.4, 1.9])
def test_an_import_that_is_killed_counts_once_when_it_is_given_again(
    own_bank: Bank, tmp_path: Path, delay: float
) -> None:
    file = own_bank.write(tmp_path / "day.csv", own_bank.calls)
    words = ["import", "cdr", file, "--into", own_bank.ledger, "--name", "carrier-a", *LAYOUT, "--json"]
    process = start(*(str(word) for word in words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    kill(process.pid)
    process.wait()
    told = duecourse(*words).json()
    assert told["days"][0]["found"] == 12
    (event,) = _counts(own_bank.ledger)
    assert (event["data"]["stated"], event["data"]["found"]) == (12, 12)
    duecourse("fsck", own_bank.ledger)


def test_a_call_counts_as_its_last_correction_says(own_bank: Bank, tmp_path: Path) -> None:
    _, at, number = own_bank.calls[0]
    with Recorder.open(own_bank.settings) as recorder:
        case = recorder.case(account="6222-0")
        common = {
            "to": number,
            "purpose": "interactive",
            "outcome": "no_answer",
            "late_reason": "manual_entry",
        }
        twice = case.call_placed(time=at + timedelta(hours=9), source_ref="by-mistake", **common)
        moved = case.call_placed(time=at + timedelta(hours=7), source_ref="moved", **common)
        case.call_placed(
            time=at + timedelta(hours=9), source_ref="by-mistake", corrects=twice, void=True, **common
        )
        case.call_placed(time=at + timedelta(hours=6), source_ref="moved", corrects=moved, **common)
        case.call_placed(time=at + timedelta(hours=8), source_ref="moved", corrects=moved, **common)
    duecourse("run", own_bank.ledger, "--once")
    file = own_bank.write(tmp_path / "day.csv", [*own_bank.calls, ("moved", at + timedelta(hours=8), number)])
    told = duecourse("reconcile", own_bank.ledger, "--source", file, *LAYOUT, "--json").json()
    assert (told["days"][0]["stated"], told["days"][0]["matched_by_id"], told["differs"]) == (13, 13, False)


def test_every_shard_gets_every_count_and_its_correction(tmp_path: Path) -> None:
    bank = _found(tmp_path / "ledger", shards=2)
    words = ["--into", bank.ledger, "--name", "carrier-a", *LAYOUT]
    duecourse("import", "cdr", bank.write(tmp_path / "a.csv", bank.calls[1:]), *words)
    duecourse("import", "cdr", bank.write(tmp_path / "b.csv", bank.calls), *words, "--replace")
    for shard in (0, 1):
        first, second = _counts(bank.ledger, shard)
        assert second["corrects"] == first["id"]
        assert (second["data"]["stated"], second["data"]["found"]) == (12, 12)


def test_one_record_of_a_statement_can_be_proved_later(own_bank: Bank, tmp_path: Path) -> None:
    file = own_bank.write(tmp_path / "day.csv", own_bank.calls)
    duecourse("import", "cdr", file, "--into", own_bank.ledger, "--name", "carrier-a", *LAYOUT)
    proof = tmp_path / "proof.json"
    words = ["statement", "prove", own_bank.ledger, "--source", file, "--name", "carrier-a", *LAYOUT]
    identity = own_bank.calls[7][0]
    assert "under the root" in duecourse(*words, "--record", identity, "-o", proof).text
    value = json.loads(proof.read_bytes())
    assert value["record"]["id"] == identity
    root = _counts(own_bank.ledger)[0]["data"]["evidence"][1]["sha256"]
    duecourse("statement", "check", proof, "--ledger", own_bank.ledger)
    duecourse("statement", "check", proof, "--root", root)
    duecourse("statement", "check", proof, "--root", "00" * 32, status=1)
    proof.write_bytes(proof.read_bytes().replace(b"+86139", b"+86138"))
    assert "E_INCLUSION" in duecourse("statement", "check", proof, "--root", root, status=1).complaint
    other = own_bank.write(tmp_path / "other.csv", own_bank.calls[:8])
    words[4] = other
    assert (
        "no count in the ledger" in duecourse(*words, "--record", identity, "-o", proof, status=1).complaint
    )
    assert proof.stat().st_mode & 0o077 == 0


def test_messages_and_bounces_are_counted_too(own_bank: Bank, tmp_path: Path) -> None:
    at = FIRST.astimezone(UTC)
    with Recorder.open(own_bank.settings) as recorder:
        case = recorder.case(account="6222-1")
        common = {
            "kind": "reminder",
            "template": "reminder@1",
            "visibility": "private",
            "late_reason": "batch",
        }
        case.message_sent(
            medium="sms", source_ref="4A7B01", contact_point=case.contact_point(_number(1)), time=at, **common
        )
        case.message_sent(
            medium="email", source_ref="m1@bank.example", contact_point=case.contact_point("ada@example.org"), time=at, **common
        )  # fmt: skip
    duecourse("run", own_bank.ledger, "--once")
    receipts = tmp_path / "receipts.txt"
    receipts.write_text(
        "id:4A7B01 sub:001 dlvrd:001 submit date:2611020900 done date:2611020901 stat:DELIVRD err:000 text:Dear\n"
    )
    told = duecourse(
        "import", "sms", receipts, "--into", own_bank.ledger, "--name", "gateway", "--times-zone", "Asia/Shanghai", "--json"
    ).json()  # fmt: skip
    assert [(day["stated"], day["found"]) for day in told["days"]] == [(1, 1)]
    mailbox = tmp_path / "sent.mbox"
    mailbox.write_bytes(
        b"From bank Mon Nov  2 01:00:00 2026\nMessage-ID: <m1@bank.example>\nDate: Mon, 2 Nov 2026 09:00:00 +0800\n"
        b"To: Ada <ada@example.org>\nSubject: x\n\nDear Ada\n\nFrom mailer Mon Nov  2 02:00:00 2026\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\nDate: Mon, 2 Nov 2026 10:00:00 +0800\n\n"
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nAction: failed\nStatus: 5.1.1\n\n"
        b"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <lost@bank.example>\n\n--b--\n"
    )
    words = [
        "mail",
        mailbox,
        "--into",
        own_bank.ledger,
        "--name",
        "mailer",
        "--zone",
        "Asia/Shanghai",
        "--json",
    ]
    told = duecourse("import", *words).json()
    assert [(day["stated"], day["found"]) for day in told["days"]] == [(1, 1)]
    assert told["bounces"]["read"] == 1
    assert len(told["bounces"]["without_message"]) == 1
    assert sorted(event["data"]["unit"] for event in _counts(own_bank.ledger)) == ["message", "message"]


def test_payments_are_compared_and_not_recorded(own_bank: Bank, tmp_path: Path) -> None:
    with Recorder.open(own_bank.settings) as recorder:
        case = recorder.case(account="6222-1")
        for amount, ref in ((12345, "BNK-1"), (500, "mine-2")):
            case.payment_received(
                amount=amount, currency="CNY", method="transfer", payer="debtor",
                allocation=[{"debt": case.debt(), "amount": amount}], time=FIRST, source_ref=ref, late_reason="batch",
            )  # fmt: skip
    duecourse("run", own_bank.ledger, "--once")
    file = tmp_path / "bank.csv"
    file.write_text(
        "reference,booked_on,amount,currency\nBNK-1,2026-11-02,123.45,CNY\nBNK-2,2026-11-02,5.00,CNY\nBNK-3,2026-11-02,7,CNY\n"
    )
    words = [
        "import",
        "payments",
        file,
        "--into",
        own_bank.ledger,
        "--name",
        "bank",
        "--layout",
        "payments-csv",
    ]
    told = duecourse(*words, "--zone", "Asia/Shanghai", "--json").json()
    (day,) = told["days"]
    assert (day["matched_by_id"], day["matched_by_amount"], day["source_only"]) == (1, 1, 1)
    assert (told["recorded"], _counts(own_bank.ledger)) == (0, [])
    assert "no unit for payments" in duecourse(*words, "--zone", "Asia/Shanghai").text


def test_a_wrong_name_zone_or_layout_is_usage(bank: Bank, tmp_path: Path) -> None:
    file = bank.write(tmp_path / "day.csv", bank.calls)
    source = ["reconcile", bank.ledger, "--source", file]
    assert "--layout" in duecourse(*source, "--zone", "UTC", status=3).complaint
    assert "no layout" in duecourse(*source, "--layout", "nothing", status=3).complaint
    assert "no time zone" in duecourse(*source, *LAYOUT[:2], "--zone", "Mars/Olympus", status=3).complaint
    assert "is for the channel call" in duecourse(*source, *LAYOUT, "--kind", "sms", status=3).complaint
    assert (
        "name"
        in duecourse(
            "import", "cdr", file, "--into", bank.ledger, "--name", "A b", *LAYOUT, status=3
        ).complaint
    )
