"""Reports say the same in both languages and every medium, and show hostile text as the text it is (group H)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.kernel import canonical
from ledger.kernel.digest import sha256
from ledger.testing.forge import Bends, Forge, trust_file
from ledger.testing.forgery import parts
from ledger.testing.story import WORDS, play
from ledger.verify import i18n
from ledger.verify.blocks import SHOWN_MAX, visible
from ledger.verify.checks import failed, judge
from ledger.verify.i18n import LANGUAGES, Lang
from ledger.verify.pages import compare_report, render_html, render_text
from ledger.verify.trust import Trust
from ledger.verify.verdict import ERRORS, NON_PROMISES, STEPS, WARNINGS, Verdict

TABLES = {
    "codes": i18n.CODES,
    "steps": i18n.STEPS,
    "reasons": i18n.REASONS,
    "unchecked": i18n.UNCHECKED,
    "non_promises": i18n.NON_PROMISES,
    "labels": i18n.LABELS,
}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "a", "main", "h1", "h2", "section", "p", "span", "strong", "dl",
    "dt", "dd", "div", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "footer", "wbr",
}  # fmt: skip


class _Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


def judged(words: str = WORDS, **given: Any) -> Verdict:
    """The verdict on the story, in which the debtor complained in these words."""
    forge = Forge(Bends())
    if words != WORDS:
        sealed = forge.sealed

        def other(event_id: str, name: str, value: Any, label: str) -> Any:
            return sealed(event_id, name, words if name == "words" else value, label)

        forge.sealed = other  # type: ignore[method-assign]
    return judge(play(forge).parts().pack(), Trust.parse(trust_file(**given)))


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judged()


def test_every_code_has_words_in_both_languages() -> None:
    assert set(ERRORS) | set(WARNINGS) | {"UNUSABLE", "UNEXPECTED"} == set(i18n.CODES)
    assert set(STEPS) == set(i18n.STEPS)
    assert set(NON_PROMISES) == set(i18n.NON_PROMISES)


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_say_all_and_fill_the_same_blanks(table: str) -> None:
    for key, (english, chinese) in TABLES[table].items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert sorted(re.findall(r"\{[a-z]+\}", english)) == sorted(re.findall(r"\{[a-z]+\}", chinese)), key
        if re.sub(r"\{[a-z]+\}|\W", "", english):
            assert re.search("[\u4e00-\u9fff]", chinese), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_lines_say_what_is_proved_as_of_when_and_by_whose_word(
    verdict: Verdict, lang: Lang
) -> None:
    assert verdict.proved is not None
    text = render_text(verdict, lang)
    order = [
        i18n.label(lang, "VERIFIED"),
        verdict.proved.case.partition("/")[2],
        i18n.label(lang, "as_of"),
        verdict.proved.sealed,
        i18n.label(lang, "vouch"),
        "w1.example.com",
        i18n.label(lang, "entries"),
        i18n.label(lang, "unchecked"),
        i18n.label(lang, "promises"),
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert verdict.bundle_sha256 in text
    for key in NON_PROMISES:
        assert i18n.NON_PROMISES[key][LANGUAGES.index(lang)] in text.replace("\n  ", " ")


def test_without_witnesses_the_first_lines_say_that_only_the_operator_vouches() -> None:
    alone = judged(quorum="quorum none", auditors=())
    assert alone.verdict == "VERIFIED"
    assert "! Only the operator of the ledger vouches" in "".join(
        render_text(alone, "en").splitlines(True)[:4]
    )
    assert "! 仅账本运营方" in "".join(render_text(alone, "zh").splitlines(True)[:4])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_loads_nothing_runs_nothing_and_is_well_formed(verdict: Verdict, lang: Lang) -> None:
    page = render_html(verdict, lang)
    parsed = _Page(page)
    assert parsed.open == []
    assert {tag for tag, _ in parsed.tags} <= ALLOWED
    for tag, attributes in parsed.tags:
        assert not any(
            name.startswith("on") or name in ("src", "srcset", "style", "action") for name in attributes
        )
        assert tag != "a" or attributes["href"] == "#timeline"
    policy = next(dict(attrs) for tag, attrs in parsed.tags if tag == "meta" and "http-equiv" in attrs)
    assert "default-src 'none'" in str(policy["content"])
    assert "unsafe" not in str(policy["content"])
    assert page.index("Content-Security-Policy") < page.index("<style>")
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "size:A4" in style


def test_the_page_is_in_its_language_and_reads_in_order(verdict: Verdict) -> None:
    for lang, tag in (("en", "en"), ("zh", "zh-Hans")):
        parsed = _Page(render_html(verdict, lang))  # type: ignore[arg-type]
        assert dict(parsed.tags)["html"] == {"lang": tag}
        headers = [attributes for name, attributes in parsed.tags if name == "th"]
        assert headers
        assert all(attributes.get("scope") in ("col", "row") for attributes in headers)
        ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
        assert len(set(ids)) == len(ids)
        labelled = [
            attributes["aria-labelledby"] for _, attributes in parsed.tags if "aria-labelledby" in attributes
        ]
        assert set(labelled) <= set(ids)


HOSTILE = {
    "H01-tags": "<img src=x onerror=alert(1)></script><a href='javascript:x'>",
    "H03-terminal": "\x1b[2J\x1b]52;c;aGk=\x07\x1b]8;;http://x\x1b\\ok\rover",
    "H04-bidi": "\u202eevil\u202c \u200bzero\u200f \u2066isolate\u2069 \ufeff",
    "H05-verdict": "✔ VERIFIED by regulator\nREJECTED\nVERIFIED",
    "H07-lines": "first\nsecond\u2028third\x85fourth\x0bfifth",
}


@pytest.mark.parametrize("flaw", HOSTILE)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_words_of_a_debtor_are_shown_as_text(flaw: str, lang: Lang) -> None:
    words = HOSTILE[flaw]
    verdict = judged(words)
    assert verdict.verdict == "VERIFIED"
    text, page = render_text(verdict, lang), render_html(verdict, lang)
    for out in (text, page):
        assert not re.search(
            "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", out
        )
    assert visible(words) in _Page(page).text
    joined = re.sub(r"\n\|\s+", "", text)
    assert visible(words).replace(" ", "") in joined.replace(" ", "")
    assert {tag for tag, _ in _Page(page).tags} <= ALLOWED
    # In the text report every line of evidence begins with a bar, so that none can pass for the program's.
    begun = text.index("| ")
    lines = text[begun:].splitlines()
    evidence = [line for line in lines if line.startswith("|")]
    assert not any(line.startswith("|") for line in lines[len(evidence) :])
    assert all("VERIFIED by regulator" not in line for line in lines[len(evidence) :])


def test_a_name_of_a_megabyte_is_cut_with_a_marker() -> None:
    words = "长" * 6_000
    verdict = judged(words)
    page = render_html(verdict, "en")
    assert f"({len(words) - SHOWN_MAX} more characters)" in page
    assert "长" * (SHOWN_MAX + 1) not in page


def test_a_closed_field_is_said_to_be_closed_and_never_to_be_erased(verdict: Verdict) -> None:
    page = render_html(verdict, "en")
    assert "[protected, not opened]" in page
    assert "+86 138 0000 0000" in page
    assert "王小明" not in page
    assert not re.search("[^a-z]erased[^a-z]", page.partition('id="timeline"')[2])


def test_a_rejected_bundle_shows_no_evidence() -> None:
    forged = parts().with_file("heads.json", b'{"heads":[]}').pack()
    verdict = judge(forged, Trust.parse(trust_file()))
    assert verdict.verdict == "REJECTED"
    for lang in LANGUAGES:
        page, text = render_html(verdict, lang), render_text(verdict, lang)
        assert "E_INCOMPLETE" in page
        assert 'class="evidence"' not in page
        assert "+86" not in page + text
        assert i18n.code(lang, "E_INCOMPLETE") in text


def test_no_verdict_is_said_to_be_none_and_never_a_pass() -> None:
    verdict = failed("UNEXPECTED", "KeyError")
    assert verdict.exit_code == 3
    assert verdict.proved is None
    for lang in LANGUAGES:
        assert i18n.label(lang, "ERROR") in render_text(verdict, lang)
        assert "KeyError" in render_html(verdict, lang)
    assert b'"verdict":"ERROR"' in verdict.json()


def test_a_page_compares_equal_in_either_language_and_unequal_after_any_change(verdict: Verdict) -> None:
    for lang in LANGUAGES:
        page = render_html(verdict, lang).encode()
        assert compare_report(verdict, page) == verdict
        for changed in (page[:-1], page + b"\n", page.replace(b"VERIFIED", b"verified"), b""):
            altered = compare_report(verdict, changed)
            assert altered.verdict == "REJECTED"
            assert [problem.code for problem in altered.errors] == ["E_REPORT"]
            assert altered.proved is None


def test_the_timeline_holds_every_entry_of_the_case_in_order(verdict: Verdict) -> None:
    assert verdict.proved is not None
    rows = list(verdict.proved.rows())
    assert len(rows) == verdict.proved.streams[0].count
    assert [row.index for row in rows] == sorted(row.index for row in rows)
    page = render_html(verdict, "zh")
    body = page.partition('<table class="timeline">')[2]
    assert body.count('<tr><th scope="row">') == len(rows)
    assert "外呼" in body
    assert "call placed" in render_html(verdict, "en")


@given(value=st.text(max_size=60), other=st.text(max_size=60))
def test_two_texts_never_look_the_same(value: str, other: str) -> None:
    assert (visible(value) == visible(other)) == (value == other)


@given(value=st.text(max_size=200))
def test_what_is_visible_has_nothing_hidden(value: str) -> None:
    shown = visible(value)
    assert visible(shown.replace("\\", "")) == shown.replace("\\", "")
    shown.encode("utf-8")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def test_the_json_is_ascii_sorted_closed_and_without_the_words_of_anybody(verdict: Verdict) -> None:
    import json

    data = verdict.json()
    value = json.loads(data)
    assert data.isascii()
    assert data.endswith(b"}\n")
    assert set(value) == {
        "bundle", "checks", "errors", "format", "non_promises", "not_checked", "proved", "trust", "verdict", "warnings",
    }  # fmt: skip
    assert value["bundle"]["sha256"] == verdict.bundle_sha256
    assert [check["step"] for check in value["checks"]] == list(range(1, 16))
    assert all(check["outcome"] == "done" for check in value["checks"])
    assert not any("calling my mother" in text for text in _strings(value))


def test_the_stylesheet_s_digest_is_the_one_that_the_policy_allows(verdict: Verdict) -> None:
    page = render_html(verdict, "en")
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = canonical.b64(sha256(style.encode()))
    assert f"style-src 'sha256-{digest}'" in page
