"""The report as one HTML page: nothing to load, nothing that runs, everything escaped (rules R19, R24).

The page forbids itself scripts, images, forms and network by its own policy, prints on A4, reads in order without a
mouse or a screen, and keeps the verdict apart from the evidence. Same report, same bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from ledger.kernel.canonical import is_time
from ledger.verify.blocks import Cell, Facts, Items, Line, Quote, Section, Table
from ledger.verify.i18n import label
from ledger.verify.report import Report

_STYLE = """
:root{color-scheme:light;--ink:#1b1f24;--soft:#57606a;--rule:#d0d7de;--page:#fff}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--page);font:16px/1.5 system-ui,"Segoe UI","Helvetica Neue",Arial,
"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC","WenQuanYi Zen Hei",sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem}
h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0 0 .75rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
.skip{position:absolute;left:-9999px}
.skip:focus{position:static}
.verdict{border:3px solid;border-radius:.5rem;padding:1rem 1.25rem;margin:0}
.verdict .word{font-size:2rem;line-height:1.2;font-weight:800;margin:0}
.verdict .word span{margin-right:.6rem}
.verdict p{margin:.4rem 0 0}
.verdict .caveat{font-weight:700}
.VERIFIED{color:#0a4d1f;border-color:#1a7f37;background:#eefbf1}
.REJECTED{color:#7d0a13;border-color:#b3121d;background:#fff0f0}
.UNVERIFIABLE,.ERROR{color:#6b4400;border-color:#9a6700;background:#fff8e6}
.verdict .says{color:var(--ink)}
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.3rem 1.25rem;margin:.5rem 0}
dt{font-weight:600;color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
dd div+div{margin-top:.1rem}
ul{margin:.4rem 0;padding-left:1.25rem}
li{margin:.25rem 0;overflow-wrap:anywhere}
code,bdi.c{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Noto Sans Mono CJK SC",monospace;font-size:.88em}
bdi{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.5rem 0;font-size:.9rem}
caption{text-align:left;position:absolute;left:-9999px}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--soft);font-weight:600;overflow-wrap:normal}
tbody th{font-weight:600}
.failed{color:#7d0a13;font-weight:700}
.undecided{color:#6b4400;font-weight:700}
.note{color:var(--soft);margin:.25rem 0 .75rem}
.evidence{border:1px solid #8096c0;border-left:.6rem solid #8096c0;border-radius:.25rem;background:#f4f7fd;
padding:.25rem 1.25rem 1rem;margin-top:2.5rem}
.evidence h2{margin-top:1rem}
.evidence .tag{display:inline-block;font-size:.8rem;font-weight:700;letter-spacing:.08em;color:#fff;background:#41557f;
border-radius:.2rem;padding:.05rem .5rem;margin-top:.75rem}
.timeline td:nth-child(2),.timeline td:nth-child(3){width:11rem}
.timeline th{white-space:nowrap}
.timeline td:nth-child(6){width:34%}
footer{color:var(--soft);font-size:.9rem;border-top:1px solid var(--rule);margin-top:2rem;padding-top:.75rem}
@media screen and (max-width:50rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}
.timeline,.timeline tbody,.timeline tr,.timeline th,.timeline td{display:block;width:auto}
.timeline thead{position:absolute;left:-9999px}.timeline td,.timeline th{border:0;padding:.1rem 0}
.timeline tr{border-bottom:1px solid var(--rule);padding:.5rem 0}}
@page{size:A4;margin:14mm 12mm}
@media print{body{font-size:9.5pt;line-height:1.35}main{max-width:none;padding:0}.skip{display:none}
h2{break-after:avoid;margin-top:1.1rem}tr,li,dl>*,.verdict{break-inside:avoid}thead{display:table-header-group}
.verdict,.evidence{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.evidence{padding:.1rem .6rem .4rem;border-left-width:.3rem}table{font-size:8pt}th,td{padding:.2rem .35rem}
.timeline td:nth-child(2),.timeline td:nth-child(3){width:7.5rem}}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_MARKS = {"VERIFIED": "✓", "REJECTED": "✗", "UNVERIFIABLE": "?", "ERROR": "!"}
_TAGS = {"en": "en", "zh": "zh-Hans"}


def render(report: Report) -> Iterator[str]:
    """The page, in pieces."""
    lang = report.lang
    title = f"{report.headline} · {label(lang, 'title')}"
    yield (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[lang]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    if any(section.evidence for section in report.sections):
        yield f'<a class="skip" href="#timeline">{escape(label(lang, "skip"))}</a>\n'
    yield "<main>\n"
    yield f"<h1>{escape(label(lang, 'title'))}</h1>\n"
    yield f'<section class="verdict {report.verdict}" aria-label="{escape(label(lang, "verdict"))}">\n'
    yield (
        f'<p class="word"><span aria-hidden="true">{_MARKS[report.verdict]}</span>'
        f"<strong>{escape(report.headline)}</strong></p>\n<p>{escape(report.meaning)}</p>\n"
    )
    if report.caveat:
        yield f'<p class="caveat">{escape(report.caveat)}</p>\n'
    for statement in report.statements:
        yield f'<p class="says">{_line(statement)}</p>\n'
    yield "</section>\n"
    for section in report.sections:
        yield from _section(section, report)
    yield f"<footer><p>{escape(report.colophon)}</p></footer>\n</main>\n</body>\n</html>\n"


def _section(section: Section, report: Report) -> Iterator[str]:
    kind = ' class="evidence"' if section.evidence else ""
    yield f'<section id="{section.key}"{kind} aria-labelledby="h-{section.key}">\n'
    if section.evidence:
        yield f'<span class="tag">{escape(label(report.lang, "evidence"))}</span>\n'
    yield f'<h2 id="h-{section.key}">{escape(section.title)}</h2>\n'
    if section.note:
        yield f'<p class="note">{escape(section.note)}</p>\n'
    match section.body:
        case Facts(rows):
            yield "<dl>\n"
            for name, lines in rows:
                yield f"<dt>{escape(name)}</dt><dd>{_lines(lines)}</dd>\n"
            yield "</dl>\n"
        case Items(items):
            yield "<ul>\n"
            for line in items:
                yield f"<li>{_line(line)}</li>\n"
            yield "</ul>\n"
        case Table():
            yield from _table(section.body, section.key)
    yield "</section>\n"


def _table(table: Table, key: str) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    yield f'<table class="{key}">\n<caption>{escape(table.caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    for row in table.rows:
        first, *others = (_cell(cell) for cell in row)
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>\n'
    yield "</tbody>\n</table>\n"


def _cell(cell: Cell) -> str:
    return _lines(tuple(line for line in cell.lines if line))


def _lines(lines: tuple[Line, ...]) -> str:
    if len(lines) == 1:
        return _line(lines[0])
    return "".join(f"<div>{_line(line)}</div>" for line in lines)


def _line(line: Line) -> str:
    return "".join(_piece(piece) for piece in line)


def _piece(piece: str | Quote) -> str:
    """Others' words are isolated, so that their direction cannot spread; free text stands in quotation marks."""
    if not isinstance(piece, Quote):
        # A time may break in the middle, and nowhere else.
        return escape(piece).replace("T", "T<wbr>", 1) if is_time(piece) else escape(piece)
    text = escape(piece.text)
    return f"“<bdi>{text}</bdi>”" if piece.free else f'<bdi class="c">{text}</bdi>'
