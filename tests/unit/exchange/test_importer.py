"""Checked whole, recorded once, and gone on with after any kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ledger.errors import ConfigurationError, ImportRefused
from projections.exchange import importer
from projections.exchange.importer import CaseEvents, check_log, record_log
from projections.exchange.mapping import Mapping, load_mapping, minor_units, moment
from projections.exchange.xes import XesReader

UUID = "00000000-0000-8000-8000-0000000000"


class Killed(BaseException):
    """Stands for the end of the process."""


class Memory:
    """Keeps batches and marks together, as an outbox does; may be killed before or after any commit."""

    def __init__(self) -> None:
        self.cases: list[CaseEvents] = []
        self.marks: dict[str, str] = {}
        self.commits = 0
        self.kill_before = self.kill_after = -1

    def deriver(self, account: str) -> Callable[[str], str]:
        return lambda label: f"{UUID}{len(account):x}{len(label) % 16:x}"

    def mark(self, name: str) -> str | None:
        return self.marks.get(name)

    def record(self, cases: Sequence[CaseEvents], mark: tuple[str, str]) -> None:
        if self.commits == self.kill_before:
            raise Killed
        self.cases += cases
        self.marks[mark[0]] = mark[1]
        self.commits += 1
        if self.commits - 1 == self.kill_after:
            raise Killed

    def told(self) -> list[tuple[str, list[str]]]:
        return [(account, [event[2]["source_ref"] for event in events]) for account, events in self.cases]


def _log(path: Path, traces: int, events: str = "") -> Path:
    event = (
        '<event><string key="concept:name" value="{name}"/>{more}'
        '<date key="time:timestamp" value="2006-07-{day:02d}T00:00:00+02:00"/></event>\n'
    )
    parts = ['<log xes.version="1.0">\n']
    for number in range(1, traces + 1):
        parts.append(f'<trace><string key="concept:name" value="A{number}"/>\n')
        parts.append(event.format(name="Create Fine", day=1, more='<float key="amount" value="35.0"/>'))
        if number % 2:
            parts.append(event.format(name="Send Fine", day=2, more='<float key="expense" value="11.0"/>'))
        parts.append(f"{events if number == traces else ''}</trace>\n")
    path.write_text("".join([*parts, "</log>\n"]))
    return path


@pytest.fixture
def mapping() -> Mapping:
    return load_mapping("road-traffic-fines")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BATCH_EVENTS", 10)


def _import(path: Path, mapping: Mapping, sink: Memory) -> importer.Report:
    with check_log(path, mapping, sink.deriver) as checked:
        return record_log(checked, sink)


def test_every_trace_is_one_case_in_the_order_of_the_log(tmp_path: Path, mapping: Mapping) -> None:
    sink = Memory()
    told: list[tuple[str, int, int]] = []
    path = _log(tmp_path / "log.xes", 130)
    with check_log(path, mapping, sink.deriver, progress=lambda *told_now: told.append(told_now)) as checked:
        report = record_log(checked, sink, progress=lambda *told_now: told.append(told_now))
    assert [account for account, _ in sink.cases] == [f"A{number}" for number in range(1, 131)]
    assert sink.told()[2] == (
        "A3",
        ["xes-also/create-fine/3/1", "xes/create-fine/3/1", "xes/send-fine/3/2", "xes-also/send-fine/3/2"],
    )
    assert report.activities == {"Create Fine": 130, "Send Fine": 65}
    assert (report.traces, report.recorded_traces, report.resumed_at) == (130, 130, 0)
    assert report.events == report.recorded_events == 130 * 2 + 65 * 2
    assert report.types["contact.message_sent"] == 65
    assert ("record", 130, 130) in told
    assert any(what == "check" and 0 < done <= total for what, done, total in told)


def test_a_second_run_records_nothing(tmp_path: Path, mapping: Mapping) -> None:
    sink = Memory()
    path = _log(tmp_path / "log.xes", 20)
    _import(path, mapping, sink)
    before = sink.told()
    report = _import(path, mapping, sink)
    assert (report.recorded_events, report.resumed_at, sink.told()) == (0, 20, before)


@pytest.mark.parametrize("moment_of", ["kill_before", "kill_after"])
@pytest.mark.parametrize("commit", range(6))
def test_killed_at_any_commit_nothing_is_lost_and_nothing_comes_twice(
    tmp_path: Path, mapping: Mapping, moment_of: str, commit: int
) -> None:
    path = _log(tmp_path / "log.xes", 20)
    whole = Memory()
    _import(path, mapping, whole)
    assert whole.commits == 6
    sink = Memory()
    setattr(sink, moment_of, commit)
    with pytest.raises(Killed):
        _import(path, mapping, sink)
    sink.kill_before = sink.kill_after = -1
    _import(path, mapping, sink)
    assert sink.told() == whole.told()


def test_an_import_is_not_gone_on_with_by_another_mapping(tmp_path: Path, mapping: Mapping) -> None:
    path = _log(tmp_path / "log.xes", 20)
    sink = Memory()
    sink.kill_after = 1
    with pytest.raises(Killed):
        _import(path, mapping, sink)
    sink.kill_after = -1
    other = tmp_path / "other.toml"
    shipped = Path(importer.__file__).parent / "mappings" / "road-traffic-fines.toml"
    other.write_bytes(shipped.read_bytes() + b"\n")
    with pytest.raises(ConfigurationError, match="another mapping"):
        _import(path, load_mapping(other), sink)


UNKNOWN = (
    '<event><string key="concept:name" value="Tow away"/>'
    '<date key="time:timestamp" value="2006-07-03T00:00:00+02:00"/></event>'
)
WRONG_DATE = '<event><string key="concept:name" value="Add penalty"/><date key="time:timestamp" value="2006-02-30"/></event>'
WRONG_AMOUNT = (
    '<event><string key="concept:name" value="Payment"/><float key="paymentAmount" value="1e3"/>'
    '<date key="time:timestamp" value="2006-07-03T00:00:00+02:00"/></event>'
)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (UNKNOWN, "Tow away: unknown activity (1 events, first at log.xes:43:1)"),
        (WRONG_DATE, "time:timestamp: not a moment"),
        (WRONG_AMOUNT, "paymentAmount: not a plain decimal number"),
        ("<event>", "mismatched tag"),
    ],
)
def test_an_error_at_the_very_end_leaves_nothing_recorded(
    tmp_path: Path, mapping: Mapping, events: str, words: str
) -> None:
    sink = Memory()
    path = _log(tmp_path / "log.xes", 12, events)
    with pytest.raises(ImportRefused) as caught:
        _import(path, mapping, sink)
    assert words in str(caught.value)
    assert caught.value.where.startswith("log.xes:43:")
    assert (sink.cases, sink.marks) == ([], {})


def test_what_is_not_mapped_is_listed_and_left_out_only_when_asked(tmp_path: Path, mapping: Mapping) -> None:
    sink = Memory()
    path = _log(tmp_path / "log.xes", 4, UNKNOWN + UNKNOWN)
    with check_log(path, mapping, sink.deriver, skip_unmapped=True) as checked:
        report = record_log(checked, sink)
    listed = report.unmapped["Tow away", "unknown activity"]
    assert (listed.count, len(listed.places)) == (2, 2)
    assert report.recorded_traces == 4


def test_attributes_that_nobody_speaks_of_are_listed(tmp_path: Path, mapping: Mapping) -> None:
    extra = WRONG_DATE.replace(
        'value="2006-02-30"/>', 'value="2006-07-03T00:00:00Z"/><int key="shoes" value="2"/>'
    )
    extra = extra.replace("<date", '<float key="amount" value="70.0"/><date')
    sink = Memory()
    report = _import(_log(tmp_path / "log.xes", 2, extra), mapping, sink)
    assert report.attributes["Add penalty", "shoes"].count == 1


@pytest.mark.parametrize("account", ["", "9" * 201])
def test_a_trace_without_a_usable_case_is_refused(tmp_path: Path, mapping: Mapping, account: str) -> None:
    path = _log(tmp_path / "log.xes", 2)
    path.write_text(path.read_text().replace('value="A2"', f'value="{account}"'))
    with pytest.raises(ImportRefused, match=r"concept:name") as caught:
        _import(path, mapping, Memory())
    assert "999" not in str(caught.value)


def test_the_spool_leaves_no_file_behind(tmp_path: Path, mapping: Mapping) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    with check_log(_log(tmp_path / "log.xes", 70), mapping, Memory().deriver, spool_folder=folder) as checked:
        assert list(folder.iterdir()) == []
        assert len(list(checked.traces())) == 70
    assert list(folder.iterdir()) == []


@pytest.mark.real_log
@pytest.mark.slow
def test_the_real_log_comes_through_whole(shared: Path, mapping: Mapping) -> None:
    """Counts as in the table beside the log; and amounts, times and order read back from what was mapped."""
    path = shared / "data" / "road-traffic-fines.xes.zip"
    table = {
        row.split("|")[1].strip(): int(row.split("|")[2].replace(",", ""))
        for row in (shared / "data" / "README.md").read_text().splitlines()
        if row.startswith("| ") and row.split("|")[2].strip().replace(",", "").isdigit()
    }
    sink = Memory()
    with check_log(path, mapping, sink.deriver) as checked:
        report = checked.report
        assert report.activities == table
        assert report.source_events == sum(table.values()) == 561_470
        assert report.traces == 150_370
        assert not report.unmapped
        assert not report.attributes
        names = {activity.code: name for name, activity in mapping.activities.items()}
        counted: Counter[str] = Counter()
        totals_differ = 0
        for trace, (number, case) in zip(XesReader(path), checked.traces(), strict=True):
            assert (trace.number, trace.attributes["concept:name"]) == (number, case.account)
            main = [event for event in case.events if event[2]["source_ref"].startswith("xes/")]
            beside = {e[2]["source_ref"].partition("/")[2]: e[2] for e in case.events if e not in main}
            assert len(main) == len(trace.events)
            owed = paid = 0
            for source, (_, _, data, time, _) in zip(trace.events, main, strict=True):
                _, code, of_trace, of_event = data["source_ref"].split("/")
                texts = source.attributes
                assert (int(of_trace), int(of_event)) == (number, source.number)
                assert names[code] == texts["concept:name"]
                assert time == moment(texts["time:timestamp"])[0]
                counted[names[code]] += 1
                match code:
                    case "create-fine":
                        owed = data["principal"]
                        assert owed == minor_units(texts["amount"], 2)
                        assert data["itemised_on"] == texts["time:timestamp"][:10]
                    case "send-fine":
                        expense = beside.get(f"{code}/{of_trace}/{of_event}", {"amount": 0})["amount"]
                        assert expense == minor_units(texts["expense"], 2)
                    case "add-penalty":
                        owed += data["amount"]
                        assert owed == minor_units(texts["amount"], 2)
                    case "payment":
                        paid += data["amount"]
                        assert data["amount"] == minor_units(texts["paymentAmount"], 2)
                        same_day = sum(
                            minor_units(e.attributes["paymentAmount"], 2)
                            for e in trace.events
                            if "paymentAmount" in e.attributes
                            and e.attributes["time:timestamp"] <= texts["time:timestamp"]
                        )
                        totals_differ += same_day != minor_units(texts["totalPaymentAmount"], 2)
        assert counted == table
        # What the mapping says of totalPaymentAmount: the log's payments give it, but for these.
        assert totals_differ == 67
        assert report.left_out["Payment", "totalPaymentAmount"] == 77_601
