"""The portfolio as one SVG, made here and nowhere else: a row a rule with what it asks, the shares of its outcomes, and
when the findings that are no PASS fell. It needs no script, no font and no network, says in `title` and `desc` what it
shows, and never says by colour alone what it does not say in words. The same counts give the same bytes."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from projections.portfolio.model import OUTCOMES

WIDTH: Final = 1080
_LEFT: Final = 32
_SHARE_X, _SHARE_W = 352, 252
_TIME_X, _TIME_W = 644, 404
_ROW: Final = 112
_TOP: Final = 124
_FOOT: Final = 62
_BAR_H: Final = 62
# More weeks than this are drawn by quarter.
_WEEKS_MAX: Final = 110

# Colours that stay apart for colour-blind readers, and are dark enough on white for a graphic (WCAG 1.4.11).
_COLOURS: Final = {
    "BREACH": "#b3261e",
    "PRESUMED_BREACH": "#c9622f",
    "REVIEW": "#8a5a00",
    "INSUFFICIENT_EVIDENCE": "#5b5f97",
    "ADVISORY": "#7a7a2c",
    "PASS": "#8fb8a5",
    "NOT_APPLICABLE": "#dfe3e6",
}
_INK, _MUTED, _LINE = "#1b1f23", "#57606a", "#d0d7de"
_FONT: Final = (
    "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
)

_WORDS: Final = {
    "en": {
        "BREACH": "breached",
        "PRESUMED_BREACH": "presumed breached",
        "REVIEW": "for a person to judge",
        "INSUFFICIENT_EVIDENCE": "cannot be proved",
        "ADVISORY": "not as advised",
        "PASS": "followed",
        "NOT_APPLICABLE": "does not apply",
        "shares": "Of all findings",
        "time": "Other than “followed”, by when it happened",
        "none": "none",
        "week": "a week",
        "quarter": "a quarter",
        "findings": "findings",
        "most": "most: {n} {unit}",
        "summary": "{rules} rules, {findings} findings in {cases} cases",
        "as_of": "judged as of {as_of}",
    },
    "zh": {
        "BREACH": "违反",
        "PRESUMED_BREACH": "推定违反",
        "REVIEW": "须人工判断",
        "INSUFFICIENT_EVIDENCE": "证据不足",
        "ADVISORY": "不宜",
        "PASS": "符合",
        "NOT_APPLICABLE": "不适用",
        "shares": "占全部认定的比例",
        "time": "非“符合”的认定，按事件发生时间",
        "none": "无",
        "week": "每周",
        "quarter": "每季度",
        "findings": "项认定",
        "most": "最多：{unit} {n}",
        "summary": "{rules} 条规则，{cases} 个案件，{findings} 项认定",
        "as_of": "评判时点 {as_of}",
    },
}
LANGUAGES: Final = tuple(_WORDS)


@dataclass(frozen=True, slots=True)
class RuleText:
    """What stands beside a rule: what it asks, and in a few words on what it rests."""

    text: str
    mark: str


def draw(
    weeks: Iterable[tuple[str, str, str, int]],
    *,
    title: str,
    cases: int,
    as_of: str = "",
    texts: Mapping[str, RuleText] | None = None,
    language: str = "en",
) -> str:
    """The picture. `weeks` are (rule, ISO week, outcome, findings); `texts` by rule; `as_of` is a date."""
    words = _WORDS[language]
    rows: dict[str, Counter[tuple[str, str]]] = {}
    for rule, week, outcome, n in weeks:
        rows.setdefault(rule, Counter())[week, outcome] += n
    axis = _Axis.of({week for counts in rows.values() for week, _ in counts})
    height = _TOP + max(len(rows), 1) * _ROW + _FOOT
    total = sum(sum(counts.values()) for counts in rows.values())
    summary = words["summary"].format(rules=len(rows), findings=f"{total:,}", cases=f"{cases:,}")
    if as_of:
        summary += ("，" if language == "zh" else "; ") + words["as_of"].format(as_of=as_of)
    told = [summary + ("。" if language == "zh" else ".")]
    body: list[str] = []
    for n, (rule, counts) in enumerate(sorted(rows.items())):
        drawn, said = _row(rule, counts, _TOP + n * _ROW, axis, (texts or {}).get(rule), words)
        body += drawn
        told.append(said)
    shown = [outcome for outcome in OUTCOMES if any(o == outcome for c in rows.values() for _, o in c)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-labelledby="portfolio-title portfolio-desc" xml:lang="{language}" font-family="{_FONT}">'
    )
    parts = [
        head,
        f'<title id="portfolio-title">{escape(title)}</title>',
        f'<desc id="portfolio-desc">{escape(" ".join(told))}</desc>',
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
        _text(_LEFT, 42, title, size=min(22, (WIDTH - 2 * _LEFT) / (0.64 * _wide(title or " "))), weight=600),
        _text(_LEFT, 66, summary, size=13, fill=_MUTED),
        _text(_SHARE_X, 106, words["shares"], size=12, fill=_MUTED),
        _text(_TIME_X, 106, words["time"], size=12, fill=_MUTED),
        *body,
        *axis.years(_TOP + len(rows) * _ROW),
        *_legend(shown, height - 20, words),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _row(
    rule: str,
    counts: Mapping[tuple[str, str], int],
    top: int,
    axis: _Axis,
    text: RuleText | None,
    words: Mapping[str, str],
) -> tuple[list[str], str]:
    by_outcome: Counter[str] = Counter()
    for (_, outcome), n in counts.items():
        by_outcome[outcome] += n
    total = sum(by_outcome.values())
    name = rule.rpartition("/")[2]
    drawn = [
        f'<line x1="{_LEFT}" x2="{WIDTH - _LEFT}" y1="{top}" y2="{top}" stroke="{_LINE}"/>',
        _text(_LEFT, top + 27, name, size=15, weight=600),
    ]
    if text is not None:
        drawn.append(
            _text(
                _LEFT + 12 + 9 * len(name),
                top + 27,
                text.mark,
                size=11,
                fill=_MUTED,
                anchor="start",
            )
        )
        lines = wrap(text.text, 46)
        if len(lines) > 4:
            lines = [*lines[:3], lines[3].rstrip() + "…"]
        drawn += [
            _text(_LEFT, top + 47 + 17 * n, line, size=12.5, fill=_MUTED) for n, line in enumerate(lines)
        ]
    drawn += _shares(by_outcome, total, top + 16, words)
    drawn += axis.bars(counts, top + 18, words)
    shares = ", ".join(
        f"{words[outcome]} {by_outcome[outcome]:,} ({_percent(by_outcome[outcome], total)})"
        for outcome in OUTCOMES
        if by_outcome[outcome]
    )
    return drawn, f"{name}: {shares}."


def _shares(by_outcome: Mapping[str, int], total: int, top: int, words: Mapping[str, str]) -> list[str]:
    """A bar of the whole, and the numbers of what is not PASS; all of it where there is nothing else."""
    drawn: list[str] = []
    x = float(_SHARE_X)
    for outcome in OUTCOMES:
        if by_outcome.get(outcome):
            width = _SHARE_W * by_outcome[outcome] / total
            drawn.append(
                f'<rect x="{x:.2f}" y="{top}" width="{width:.2f}" height="14" fill="{_COLOURS[outcome]}"/>'
            )
            x += width
    y = top + 34
    named = [outcome for outcome in OUTCOMES if by_outcome.get(outcome)]
    for outcome in named[:3]:
        n = by_outcome[outcome]
        drawn.append(
            f'<rect x="{_SHARE_X}" y="{y - 9}" width="10" height="10" rx="2" fill="{_COLOURS[outcome]}"/>'
        )
        drawn.append(_text(_SHARE_X + 17, y, words[outcome], size=12.5))
        drawn.append(
            _text(
                _SHARE_X + _SHARE_W, y, f"{n:,}  ·  {_percent(n, total)}", size=12.5, anchor="end", fill=_INK
            )
        )
        y += 19
    return drawn


def _legend(outcomes: Sequence[str], y: int, words: Mapping[str, str]) -> list[str]:
    drawn: list[str] = []
    x = float(_LEFT)
    for outcome in outcomes:
        drawn.append(
            f'<rect x="{x:.0f}" y="{y - 10}" width="12" height="12" rx="2" fill="{_COLOURS[outcome]}"/>'
        )
        drawn.append(_text(x + 18, y, words[outcome], size=12, fill=_MUTED))
        x += 18 + _wide(words[outcome]) * 6.6 + 24
    return drawn


@dataclass(frozen=True, slots=True)
class _Axis:
    """Time from left to right: bins of a week or of a quarter."""

    bins: tuple[str, ...]
    quarterly: bool

    @classmethod
    def of(cls, weeks: set[str]) -> _Axis:
        if not weeks:
            return cls((), quarterly=False)
        first, last = _monday(min(weeks)), _monday(max(weeks))
        if (last - first).days // 7 < _WEEKS_MAX:
            days = range(0, (last - first).days + 1, 7)
            return cls(tuple(_week(first + dt.timedelta(days=n)) for n in days), quarterly=False)
        quarters = range(_quarter_number(first), _quarter_number(last) + 1)
        return cls(tuple(f"{n // 4:04}-Q{n % 4 + 1}" for n in quarters), quarterly=True)

    def bin(self, week: str) -> str:
        if not self.quarterly:
            return week
        n = _quarter_number(_monday(week))
        return f"{n // 4:04}-Q{n % 4 + 1}"

    def bars(self, counts: Mapping[tuple[str, str], int], top: int, words: Mapping[str, str]) -> list[str]:
        base = top + _BAR_H + 14
        drawn = [f'<line x1="{_TIME_X}" x2="{_TIME_X + _TIME_W}" y1="{base}" y2="{base}" stroke="{_LINE}"/>']
        stacks: dict[str, Counter[str]] = {}
        for (week, outcome), n in counts.items():
            if outcome not in ("PASS", "NOT_APPLICABLE"):
                stacks.setdefault(self.bin(week), Counter())[outcome] += n
        if not stacks:
            return [*drawn, _text(_TIME_X, base - 8, words["none"], size=12.5, fill=_MUTED)]
        most = max(sum(stack.values()) for stack in stacks.values())
        unit = words["quarter" if self.quarterly else "week"]
        step = _TIME_W / len(self.bins)
        for n, name in enumerate(self.bins):
            y = float(base)
            for outcome in reversed(OUTCOMES):
                count = stacks[name][outcome] if name in stacks else 0
                if count:
                    high = _BAR_H * count / most
                    y -= high
                    drawn.append(
                        f'<rect x="{_TIME_X + n * step:.2f}" y="{y:.2f}" width="{max(step - 1, 0.8):.2f}"'
                        f' height="{high:.2f}" fill="{_COLOURS[outcome]}"/>'
                    )
        label = words["most"].format(n=f"{most:,}", unit=unit)
        drawn.append(_text(_TIME_X + _TIME_W, top + 4, label, size=11, anchor="end", fill=_MUTED))
        return drawn

    def years(self, y: int) -> list[str]:
        drawn: list[str] = []
        if not self.bins:
            return drawn
        step = _TIME_W / len(self.bins)
        starts = [n for n, name in enumerate(self.bins) if n == 0 or name[:4] != self.bins[n - 1][:4]]
        every = max(1, -(-len(starts) * 44 // _TIME_W))
        for n in starts[::every]:
            x = _TIME_X + n * step
            if x > _TIME_X + _TIME_W - 28:
                continue
            drawn.append(f'<line x1="{x:.2f}" x2="{x:.2f}" y1="{y - 14}" y2="{y - 9}" stroke="{_MUTED}"/>')
            drawn.append(_text(x, y + 4, self.bins[n][:4], size=11, fill=_MUTED))
        return drawn


def _monday(week: str) -> dt.date:
    return dt.date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def _week(day: dt.date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def _quarter_number(monday: dt.date) -> int:
    # A week belongs to the quarter of its Thursday, as it belongs to the year of it.
    day = monday + dt.timedelta(days=3)
    return day.year * 4 + (day.month - 1) // 3


def _percent(n: int, total: int) -> str:
    share = 100 * n / total
    return (
        f"{share:.1f} %"
        if 0.1 <= share <= 99.9 or n in (0, total)
        else ("< 0.1 %" if share < 1 else "> 99.9 %")
    )


def _wide(text: str) -> float:
    """Width in letters; a wide (Chinese) character counts as two."""
    return sum(1.85 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` letters; Chinese breaks anywhere but before punctuation, other text at spaces."""
    lines: list[str] = []
    line = ""
    for token in _tokens(text):
        if line and _wide(line + token.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += token
    return [*lines, line.rstrip()] if line.strip() else lines


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for letter in text:
        wide = unicodedata.east_asian_width(letter) in "WF"
        closing = unicodedata.category(letter).startswith("P")
        ended = not tokens or tokens[-1].endswith(" ") or unicodedata.east_asian_width(tokens[-1][-1]) in "WF"
        if tokens and not (ended and letter != " " and not (wide and closing)) and not (wide and not closing):
            tokens[-1] += letter
        else:
            tokens.append(letter)
    return tokens


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    weight: int = 400,
    fill: str = _INK,
    anchor: str = "start",
) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{round(size, 2):g}" fill="{fill}"{bold}{end}>{escape(text)}</text>'
