"""What a verdict says to a person, once, for every medium: a list of sections that text and HTML print alike.

First what is proved, as of when, who vouches, how many entries, and what was not checked; evidence after it, and
apart. Words of ours and words of others never mix: a `Quote` is something that others wrote, made visible, and a
renderer shows it as such. Nothing is shown from a bundle that is not VERIFIED but codes and places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.events import terms
from ledger.kernel.canonical import is_time
from ledger.kernel.disclosure import is_protected
from ledger.kernel.event import short_type
from ledger.verify import conclusions, i18n
from ledger.verify.blocks import Cell, Facts, Items, Line, Quote, Section, Table, quote, visible
from ledger.verify.i18n import Lang, label
from ledger.verify.verdict import NON_PROMISES, Problem, Proved, Row, Verdict

# Nesting in a payload goes no deeper than an event's 30; deeper than this it is written as one value.
_DEPTH_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Report:
    lang: Lang
    verdict: str
    headline: str
    meaning: str
    caveat: str
    statements: tuple[Line, ...]
    sections: tuple[Section, ...]
    colophon: str


def build(verdict: Verdict, lang: Lang, version: str) -> Report:
    """The report of a verdict. Same verdict and language, same report."""
    proved = verdict.proved
    sections: list[Section] = []
    if proved is not None:
        sections.append(_proved(proved, lang))
        if proved.judged.packs_with_rules:
            sections.extend(conclusions.sections(proved.judged, lang))
    if verdict.errors:
        sections.append(Section("errors", label(lang, "errors"), "", _problems(verdict.errors, lang)))
    if verdict.warnings:
        sections.append(Section("warnings", label(lang, "warnings"), "", _problems(verdict.warnings, lang)))
    sections.append(_unchecked(verdict, lang))
    sections.append(_promises(lang))
    sections.append(_checks(verdict, lang))
    sections.append(_identity(verdict, lang))
    if proved is not None:
        if proved.judged.packs_with_rules:
            sections.append(conclusions.packs(proved.judged, lang))
        sections.append(_streams(proved, lang))
        if proved.streams[0].count:
            sections.append(_timeline(proved, lang))
    unwitnessed = any(problem.code == "W_UNWITNESSED" for problem in verdict.warnings)
    return Report(
        lang=lang,
        verdict=verdict.verdict,
        headline=label(lang, verdict.verdict),
        meaning=label(lang, f"{verdict.verdict}_means"),
        caveat=label(lang, "operator_only") if proved is not None and unwitnessed else "",
        statements=() if proved is None else tuple(_statements(proved, lang)),
        sections=tuple(sections),
        colophon=label(lang, "made_by", version=version),
    )


def _given(value: str, lang: Lang) -> str | Quote:
    """What fills a blank: numbers and times are ours, anything else is a name that others chose."""
    return value if value.isdecimal() or is_time(value) else Quote(quote(value, lang).text)


def _sentence(words: i18n.Words, lang: Lang, key: str, given: dict[str, str | Quote]) -> Line:
    """The words of `key` with quotes kept apart from them. A blank in a table of words is `{name}`."""
    sentence = words[key][i18n.LANGUAGES.index(lang)]
    out: list[str | Quote] = []
    for at, piece in enumerate(re.split(r"\{([a-z]+)\}", sentence)):
        out.append(given[piece] if at % 2 else piece)
    return tuple(piece for piece in out if piece != "")


def _statements(proved: Proved, lang: Lang) -> Iterator[Line]:
    case = proved.streams[0]
    given: dict[str, str | Quote] = {
        "case": quote(case.stream.partition("/")[2], lang),
        "count": str(case.count),
        "origin": quote(proved.origin, lang),
    }
    yield _sentence(i18n.LABELS, lang, "says_entries" if case.count else "says_none", given)
    if proved.complete_by:
        names = label(lang, "list_separator").join(proved.complete_by)
        yield _sentence(i18n.LABELS, lang, "says_auditor", {"names": quote(names, lang)})
    else:
        yield (label(lang, "says_operator"),)
    if proved.judged.packs_with_rules:
        yield conclusions.statement(proved.judged, lang)


def _proved(proved: Proved, lang: Lang) -> Section:
    vouchers = []
    for voucher in proved.vouchers:
        given: dict[str, str | Quote] = {
            "name": quote(voucher.name, lang),
            "role": label(lang, f"role_{voucher.role}"),
            "at": voucher.at,
        }
        vouchers.append(_sentence(i18n.LABELS, lang, "voucher_at" if voucher.at else "voucher", given))
    rows: list[tuple[str, tuple[Line, ...]]] = [
        (
            label(lang, "as_of"),
            ((label(lang, "as_of_value", sealed=proved.sealed, size=str(proved.tree_size)),),),
        ),
        (label(lang, "vouch"), tuple(vouchers)),
        (
            label(lang, "entries"),
            (
                (
                    label(
                        lang,
                        "entries_value",
                        case=str(proved.streams[0].count),
                        all=str(proved.entries),
                        signatures=str(proved.signatures),
                    ),
                ),
            ),
        ),
    ]
    if proved.first:
        rows.append(
            (label(lang, "span"), ((label(lang, "span_value", first=proved.first, last=proved.last),),))
        )
    rows += [
        (
            label(lang, "fields"),
            ((label(lang, "fields_value", opened=str(proved.opened), closed=str(proved.closed)),),),
        ),
        (
            label(lang, "approvals"),
            (
                (
                    label(
                        lang, "approvals_value", threshold=str(proved.threshold), count=str(proved.registrars)
                    ),
                ),
            ),
        ),
        (label(lang, "root"), ((proved.root,),)),
    ]
    return Section("proved", label(lang, "proved"), "", Facts(tuple(rows)))


def _problems(problems: tuple[Problem, ...], lang: Lang) -> Items:
    """Code and meaning in the reader's language; then place and detail, which are technical and stay as they are."""
    rows: list[Line] = []
    for problem in problems:
        line: list[str | Quote] = [f"{problem.code}: {i18n.code(lang, problem.code)}"] if problem.code else []
        if problem.where:
            line += [" — " if line else "", Quote(quote(problem.where, lang).text)]
        if problem.detail:
            line += [": " if problem.where else " — " if line else "", quote(problem.detail, lang).text]
        rows.append(tuple(line))
    return Items(tuple(rows))


def _unchecked(verdict: Verdict, lang: Lang) -> Section:
    rows = tuple(
        _sentence(
            i18n.UNCHECKED,
            lang,
            item.what,
            {name: _given(value, lang) for name, value in item.given},
        )
        for item in verdict.unchecked
    )
    return Section("unchecked", label(lang, "unchecked"), "", Items(rows))


def _promises(lang: Lang) -> Section:
    rows: tuple[Line, ...] = tuple(
        (f"{key}: {i18n.text(i18n.NON_PROMISES, lang, key)}",) for key in NON_PROMISES
    )
    return Section("promises", label(lang, "promises"), "", Items(rows))


def _checks(verdict: Verdict, lang: Lang) -> Section:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for check in verdict.checks:
            given: dict[str, str | Quote] = {name: _given(value, lang) for name, value in check.given}
            why = _sentence(i18n.REASONS, lang, check.why, given) if check.why else ()
            yield (
                Cell(((str(check.step),),)),
                Cell(((i18n.step(lang, check.name),),)),
                Cell(((label(lang, f"outcome_{check.outcome}"),),)),
                Cell((why,)),
            )

    columns = tuple(label(lang, name) for name in ("col_step", "col_check", "col_outcome", "col_why"))
    return Section("checks", label(lang, "checks"), "", Table(label(lang, "checks"), columns, rows()))


def _identity(verdict: Verdict, lang: Lang) -> Section:
    rows: list[tuple[str, tuple[Line, ...]]] = [
        (
            label(lang, "bundle"),
            ((verdict.bundle_sha256,), (label(lang, "bundle_bytes", bytes=str(verdict.bundle_bytes)),)),
        ),
        (label(lang, "trust"), ((verdict.trust_sha256,),)),
    ]
    return Section("identity", label(lang, "identity"), "", Facts(tuple(rows)))


def _streams(proved: Proved, lang: Lang) -> Section:
    rows = ((Cell(((quote(item.stream, lang),),)), Cell(((str(item.count),),))) for item in proved.streams)
    columns = (label(lang, "col_stream"), label(lang, "col_count"))
    return Section("streams", label(lang, "streams"), "", Table(label(lang, "streams"), columns, rows))


def _timeline(proved: Proved, lang: Lang) -> Section:
    columns = tuple(
        label(lang, name)
        for name in ("col_index", "col_time", "col_sequenced", "col_type", "col_actor", "col_data")
    )
    rows = (_entry(row, lang) for row in proved.rows())
    return Section(
        "timeline",
        label(lang, "timeline"),
        label(lang, "timeline_note"),
        Table(label(lang, "timeline"), columns, rows),
        evidence=True,
    )


def _entry(row: Row, lang: Lang) -> tuple[Cell, ...]:
    event = row.event
    short = short_type(event["type"])
    what: list[Line] = [(_named(short, terms.type_name(short, lang)),), (Quote(event["type"]),)]
    if "corrects" in event:
        what.append((label(lang, "corrects"), " ", Quote(event["corrects"])))
    when: list[Line] = [(event["time"],), *(conclusions.local_time(at, lang) for at in row.local)]
    if event["recordedtime"][:16] != event["time"][:16]:
        when.append((label(lang, "late", time=event["recordedtime"]),))
    actor: list[Line] = [
        (Quote(event["actorid"]),),
        (Quote(event["actorrole"]), ", ", Quote(event["actorcapacity"])),
        (Quote(event["producerid"]),),
    ]
    content = _Content(row.opened, short, lang)
    return (
        Cell(((str(row.index),),)),
        Cell(tuple(when)),
        Cell(((row.sequenced,),)),
        Cell(tuple(what)),
        Cell(tuple(actor)),
        Cell(tuple(content.lines(event["data"], "/data", (), 0))),
    )


def _named(raw: str, name: str) -> str | Quote:
    """Our own word for a code, or the code as it stands where we have none."""
    return Quote(visible(raw)) if name == raw else name


class _Content:
    """The facts of one payload, one line each, named by their path. Opened fields show their value, others say so."""

    def __init__(self, opened: dict[str, Any], short: str, lang: Lang) -> None:
        self._opened, self._short, self._lang = opened, short, lang

    def lines(self, value: Any, pointer: str, path: tuple[str | Quote, ...], depth: int) -> Iterator[Line]:
        if pointer in self._opened:
            inner = _Content({}, self._short, self._lang)
            yield from inner.lines(self._opened[pointer], "", path, depth)
        elif pointer and is_protected(value):
            yield (*self._prefix(path), label(self._lang, "not_disclosed"))
        elif isinstance(value, dict | list) and value and depth < _DEPTH_SHOWN:
            if isinstance(value, dict):
                for key in sorted(value):
                    token = key.replace("~", "~0").replace("/", "~1")
                    name = _named(key, terms.member_name(key, self._lang))
                    yield from self.lines(value[key], f"{pointer}/{token}", (*path, name), depth + 1)
            elif any(isinstance(item, dict | list) for item in value):
                for place, item in enumerate(value):
                    yield from self.lines(item, f"{pointer}/{place}", (*path, str(place + 1)), depth + 1)
            else:
                yield (*self._prefix(path), *self._listed(value, pointer))
        else:
            yield (*self._prefix(path), *self._scalar(value, pointer))

    def _prefix(self, path: tuple[str | Quote, ...]) -> Line:
        out: list[str | Quote] = []
        for name in path:
            out += [" › ", name] if out else [name]
        return (*out, label(self._lang, "colon")) if out else ()

    def _listed(self, items: list[Any], pointer: str) -> Line:
        out: list[str | Quote] = []
        for item in items:
            out += [label(self._lang, "list_separator")] if out else []
            out += self._scalar(item, pointer)
        return tuple(out)

    def _scalar(self, value: Any, pointer: str) -> Line:
        if isinstance(value, bool):
            return (terms.flag_name(value, self._lang),)
        if isinstance(value, int):
            return (str(value),)
        if isinstance(value, str):
            name = self._word(value, pointer)
            shown = quote(value, self._lang)
            if not name:
                return (shown,)
            return (name, label(self._lang, "opening"), shown, label(self._lang, "closing"))
        if value is None or not value:
            return (label(self._lang, "none"),)
        return (quote(json.dumps(value, ensure_ascii=False, sort_keys=True), self._lang),)

    def _word(self, code: str, pointer: str) -> str:
        """Our word for a code, to stand before it; nothing where there is none, or the code says it as well."""
        tokens = pointer.split("/")[2:]
        if not tokens:
            return ""
        member = tokens[-1] if len(tokens) > 1 and not tokens[-1].isdecimal() else tokens[0]
        family = terms.family_of(self._short, tokens[0]) if member == tokens[0] else member
        name = terms.code_name(family or "", code, self._lang)
        return "" if name in (code, code.replace("_", " ")) else name
