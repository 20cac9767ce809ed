"""Reports of a verdict, ready to print: text for a terminal, one HTML page for a file or a court.

Both are made from the same report, and depend on nothing but the verdict, the language and this version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger import __version__
from ledger.verify import html, report, text
from ledger.verify.i18n import LANGUAGES, Lang
from ledger.verify.verdict import Problem, Verdict


def text_lines(verdict: Verdict, lang: Lang) -> Iterator[str]:
    """The report as text, line by line: a case may have a hundred thousand entries."""
    return text.render(report.build(verdict, lang, __version__))


def html_pieces(verdict: Verdict, lang: Lang) -> Iterator[str]:
    """The report as one HTML page, piece by piece."""
    return html.render(report.build(verdict, lang, __version__))


def render_text(verdict: Verdict, lang: Lang = "en") -> str:
    """The report as text."""
    return "".join(text_lines(verdict, lang))


def render_html(verdict: Verdict, lang: Lang = "en") -> str:
    """The report as one HTML page."""
    return "".join(html_pieces(verdict, lang))


def compare_report(verdict: Verdict, page: bytes) -> Verdict:
    """The verdict, with E_REPORT unless `page` is the one that this verifier makes of it, in either language."""
    if any(_same(html_pieces(verdict, lang), page) for lang in LANGUAGES):
        return verdict
    detail = f"not the page that is made from this bundle, which by itself is {verdict.verdict}"
    return verdict.with_error(Problem("E_REPORT", "report", detail))


def _same(pieces: Iterable[str], page: bytes) -> bool:
    at = 0
    for piece in pieces:
        data = piece.encode()
        if page[at : at + len(data)] != data:
            return False
        at += len(data)
    return at == len(page)
