"""`docs/verifying.md` says what the verifier says: every code, step and non-promise, in both languages."""

from __future__ import annotations

from pathlib import Path

from ledger.verify import i18n
from ledger.verify.__main__ import _parser
from ledger.verify.verdict import ERRORS, NON_PROMISES, STEPS, WARNINGS


def test_every_word_of_a_verdict_stands_on_the_page(root: Path) -> None:
    english, _, chinese = (root / "docs/verifying.md").read_text(encoding="utf-8").partition("\n## 中文\n")
    for at, page in enumerate((english, chinese)):
        for code in (*ERRORS, *WARNINGS):
            assert f"| `{code}` | {i18n.CODES[code][at]} |" in page
        for number, step in enumerate(STEPS, 1):
            assert f"{number}. {i18n.STEPS[step][at]}\n" in page
        for key in NON_PROMISES:
            assert f"- {key}: {i18n.NON_PROMISES[key][at]}\n" in page


def test_every_option_is_explained(root: Path) -> None:
    page = (root / "docs/verifying.md").read_text(encoding="utf-8")
    options = {text for action in _parser()._actions for text in action.option_strings}
    assert {option for option in options if option not in page} <= {"-h", "--help"}
