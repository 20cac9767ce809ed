"""Bank statements: booked credits are payments, and what contradicts itself is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ImportRefused
from projections.exchange.outside.records import Records
from projections.exchange.outside.statement import Reading, read_statement

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
TAIL = "</BkToCstmrStmt></Document>"
READING = Reading("payment", days="Europe/Berlin")


def entry(
    ref: str = "B1", amount: str = "12.30", *, currency: str = "EUR", direction: str = "CRDT", status: str = "<Cd>BOOK</Cd>",
    booked: str = "<Dt>2026-06-10</Dt>", details: str = "", more: str = "",
) -> str:  # fmt: skip
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt>{booked}</BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>\n"
    )


def transaction(ref: str, amount: str, currency: str = "EUR") -> str:
    return (
        f"<TxDtls><Refs><AcctSvcrRef>{ref}</AcctSvcrRef><EndToEndId>E-{ref}</EndToEndId></Refs>"
        f'<Amt Ccy="{currency}">{amount}</Amt><RltdPties><Dbtr><Nm>Ada Lovelace</Nm></Dbtr></RltdPties></TxDtls>'
    )


def _xml(*entries: str, announced: int | None = None) -> str:
    summary = (
        ""
        if announced is None
        else f"<TxsSummry><TtlNtries><NbOfNtries>{announced}</NbOfNtries></TtlNtries></TxsSummry>"
    )
    return f"{HEAD}<Stmt><Id>S</Id>{summary}{''.join(entries)}</Stmt>{TAIL}"


def _read(folder: Path, text: str, **more: Any) -> Records:
    file = folder / "s.xml"
    file.write_text(text, encoding="utf-8")
    return read_statement([file], Reading("payment", days="Europe/Berlin", **more)).records


def _refused(folder: Path, text: str, **more: Any) -> str:
    with pytest.raises(ImportRefused) as refused:
        _read(folder, text, **more)
    assert "Ada" not in str(refused.value)
    return str(refused.value)


def test_booked_credits_are_payments_and_the_rest_is_counted(tmp_path: Path) -> None:
    records = _read(
        tmp_path,
        _xml(
            entry("B1"),
            entry("B2", direction="DBIT"),
            entry("B3", more="<RvslInd>true</RvslInd>"),
            entry("B4", status="PDNG"),
            entry("B5", "700", currency="JPY", status="BOOK", booked="<DtTm>2026-06-10T23:30:00Z</DtTm>"),
            announced=5,
        ),
    )
    assert records.ids == ["B1", "B5"]
    assert list(records.amounts) == [1230, 700]
    assert records.currencies == ["EUR", "JPY"]
    assert records.days == ["2026-06-10", "2026-06-11"]
    assert list(records.at) == [-1, 1781134200_000_000]
    assert records.skipped == {"debits and reversals": 2, "not booked": 1}


def test_an_entry_of_several_transactions_is_as_many_payments(tmp_path: Path) -> None:
    both = transaction("T1", "5.00") + transaction("T2", "7.30")
    assert _read(tmp_path, _xml(entry(details=both))).ids == ["T1", "T2"]
    assert _read(tmp_path, _xml(entry(details=both)), reference="end-to-end").ids == ["E-T1", "E-T2"]
    assert _read(tmp_path, _xml(entry(details=transaction("T1", "12.30")))).ids == ["B1"]
    wrong = transaction("T1", "5.00") + transaction("T2", "7.31")
    assert "do not sum to it" in _refused(tmp_path, _xml(entry(details=wrong)))
    mixed = transaction("T1", "5.00") + transaction("T2", "7.30", "USD")
    assert "do not sum to it" in _refused(tmp_path, _xml(entry(details=mixed)))


def test_a_statement_in_gb18030_is_read(tmp_path: Path) -> None:
    file = tmp_path / "s.xml"
    text = _xml(entry(details=transaction("T1", "12.30").replace("Ada Lovelace", "李雷，韩梅梅")))
    file.write_bytes(text.replace("UTF-8", "GB18030").encode("gb18030"))
    assert read_statement([file], READING).records.ids == ["B1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (_xml(entry(), announced=2), "announces another number of entries"),
        (_xml(entry(), "\n", entry()), "s.xml:4: duplicate id: it stands in s.xml:2 too"),
        (_xml(entry(amount="1,50")), "Amt: not a plain decimal"),
        (_xml(entry(amount="1.234")), "Amt: finer than 2 digits"),
        (_xml(entry(currency="eur")), "Amt: no currency"),
        (_xml(entry(direction="IN")), "neither CRDT nor DBIT"),
        (_xml(entry(booked="<Dt>2026-02-30</Dt>")), "BookgDt: no such day"),
        (_xml(entry(booked="<DtTm>2026-06-10T10:00:00</DtTm>")), "BookgDt: a time without zone"),
        (_xml(entry(ref="")), "without the reference"),
        (HEAD + "<Stmt><Ntry>", "broken XML"),
        ("<Document/>", "not a camt.053"),
        (HEAD.replace("camt.053", "camt.054") + TAIL, "not a camt.053"),
        ('<!DOCTYPE Document [<!ENTITY a "b">]>' + _xml(entry()).partition("\n")[2], "document type"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><Document/>', "says that it is in ISO-8859-1"),
        (HEAD + "<a>" * 100, "deep"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    told = _refused(tmp_path, text)
    assert complaint in told
    assert "s.xml:" in told


@settings(max_examples=100, deadline=None)
@given(amounts=st.lists(st.integers(0, 10**12), min_size=1, max_size=15), batch=st.booleans())
def test_amounts_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[int], batch: bool
) -> None:
    def text(amount: int) -> str:
        return f"{amount // 100}.{amount % 100:02d}"

    if batch:
        details = "".join(transaction(f"T{n}", text(amount)) for n, amount in enumerate(amounts))
        xml = _xml(entry(amount=text(sum(amounts)), details=details))
    else:
        xml = _xml(*(entry(f"T{n}", text(amount)) for n, amount in enumerate(amounts)))
    assert list(_read(tmp_path_factory.getbasetemp(), xml).amounts) == amounts


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 900), put=st.text("<>/ &;ab\"'=", max_size=6))
def test_a_damaged_statement_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, put: str
) -> None:
    whole = _xml(entry("B1", details=transaction("T1", "12.30")), entry("B2"), announced=2)
    try:
        _read(tmp_path_factory.getbasetemp(), whole[:cut] + put + whole[cut:])
    except ImportRefused:
        return
