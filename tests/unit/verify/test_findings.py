"""Findings are made again from what was proved, alike on every machine, and shown with the debtor's own clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.kernel import bundle, canonical
from ledger.rules import proof
from ledger.rules.model import shipped_pack
from ledger.rules.proof import data_version, open_pack
from ledger.rules.shapes import OUTCOMES
from ledger.rules.toml import PackNewer, PackRefused
from ledger.testing.forge import PACK_TOML, trust_file
from ledger.testing.forged_findings import HOUSE_TOML, LATER_TOML, house, judged
from ledger.testing.forgery import golden, parts
from ledger.verify.checks import judge
from ledger.verify.i18n import LANGUAGES, Lang
from ledger.verify.judged import SEVERITY, PackSeen
from ledger.verify.pages import render_html, render_text
from ledger.verify.trust import Trust
from ledger.verify.verdict import Verdict

TRUST = Trust.parse(trust_file())


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return judge(judged(house()).pack(), TRUST)


def test_the_json_names_each_finding_with_its_time_and_its_sentence(verdict: Verdict) -> None:
    proved = json.loads(verdict.json())["proved"]
    (night,) = (
        one for one in proved["findings"] if one["outcome"] == "BREACH" and one["rule"] == "house/H-1@1"
    )
    assert night["time"] == "2026-03-01T14:05:00.000000Z"
    assert night["local"] == [{"time": "2026-03-01 22:05:00", "zone": "Asia/Shanghai"}]
    assert night["rests_on"] == [night["event"]]
    assert night["sentence"]["en"].startswith("H-1@1 (House policy 1; grade T; house policy): breached.")
    assert "违反" in night["sentence"]["zh"]
    assert proved["zone_data"] == data_version()
    (pack,) = proved["packs"]
    assert (pack["pack"], pack["binding"], pack["rules"], pack["shipped"]) == ("house@1", ["H-1"], 3, "own")


def test_the_step_says_how_many_findings_were_made_again(verdict: Verdict) -> None:
    (step,) = (check for check in verdict.checks if check.name == "findings")
    assert (step.outcome, step.why) == ("done", "judged")
    assert dict(step.given) == {"count": "6", "packs": "1", "rules": "3"}
    assert "rules" not in {item.what for item in verdict.unchecked}
    assert "leaned_on" in {item.what for item in verdict.unchecked}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reader_sees_the_finding_the_rule_and_the_debtors_clock(verdict: Verdict, lang: Lang) -> None:
    said = {
        "en": (
            "breached",
            "Nobody is called between 22:00 and 08:00.",
            "2026-03-01 22:05:00 in Asia/Shanghai",
        ),
        "zh": ("违反", "22:00 至次日 08:00 不得致电。", "Asia/Shanghai 当地时间 2026-03-01 22:05:00"),
    }[lang]
    page = render_html(verdict, lang)
    text = render_text(verdict, lang)
    for words in said:
        assert words in page
        assert words in text
    # The clock stands in the findings and beside UTC in the timeline.
    assert page.count("2026-03-01 22:05:00") == 2
    assert "house@1" in text.partition("\n\n")[0]


def test_a_case_without_rules_is_said_to_be_judged_by_none() -> None:
    plain = judge(parts().pack(), TRUST)
    assert plain.verdict == "VERIFIED"
    assert "rules" in {item.what for item in plain.unchecked}
    assert json.loads(plain.json())["proved"]["findings"] == []
    assert "What the rules say" not in render_text(plain, "en")


def test_nothing_is_judged_where_something_contradicts_already() -> None:
    taken = judged(house())
    spoilt = taken.files["entries.jsonl"].replace(b'"no_answer"', b'"busy"', 1)
    verdict = judge(taken.with_file("entries.jsonl", spoilt).pack(), TRUST)
    assert verdict.verdict == "REJECTED"
    assert "unproved" in {item.what for item in verdict.unchecked}


def test_who_vouches_does_not_change_what_the_rules_say() -> None:
    forge = house()
    alone = forge.checkpoint(len(forge.entries), cosigners=())
    taken = judged(forge, checkpoint=alone)
    listed = json.loads(taken.files["findings.json"])["findings"]
    edited = canonical.dumps({**json.loads(taken.files["findings.json"]), "findings": listed[1:]})
    assert judge(taken.pack(), TRUST).verdict == "UNVERIFIABLE"
    assert judge(taken.with_file("findings.json", edited).pack(), TRUST).verdict == "REJECTED"


def test_other_zone_data_that_changes_nothing_is_named() -> None:
    verdict = judge(judged(house(), tzdata="1999z").pack(), TRUST)
    assert verdict.verdict == "VERIFIED"
    (item,) = (item for item in verdict.unchecked if item.what == "tzdata")
    assert dict(item.given) == {"theirs": "1999z", "ours": data_version()}


def test_a_dropped_finding_is_named_by_rule_and_entry_and_shows_no_value() -> None:
    taken = judged(house())
    value = json.loads(taken.files["findings.json"])
    value["findings"] = [one for one in value["findings"] if one["outcome"] != "BREACH"]
    verdict = judge(taken.with_file("findings.json", canonical.dumps(value)).pack(), TRUST)
    assert [(one.code, one.where) for one in verdict.errors] == [
        ("E_COMMITMENT", "findings.json house/H-1@1 entry 13"),
        ("E_COMMITMENT", "findings.json house/H-2@1 entry 8"),
    ]
    assert verdict.proved is None


def test_large_findings_are_compared_and_never_parsed() -> None:
    from ledger.verify.container import Limits

    limits = replace(Limits(), findings=100)
    taken = judged(house())
    assert judge(taken.pack(), TRUST, limits=limits).verdict == "VERIFIED"
    longer = taken.files["findings.json"].replace(b'"BREACH"', b'"ADVISORY"', 1)
    verdict = judge(taken.with_file("findings.json", longer).pack(), TRUST, limits=limits)
    assert {one.code for one in verdict.errors} == {"E_LIMIT"}


def test_a_case_too_large_to_judge_is_refused_before_it_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    data = judged(house()).pack()
    monkeypatch.setattr(proof, "JUDGED_MAX", 5)
    assert {one.code for one in judge(data, TRUST).errors} == {"E_LIMIT"}


def test_a_pack_is_compared_with_the_one_that_ships_under_its_name() -> None:
    shipped = shipped_pack("cn-card@1")
    assert PackSeen.of(shipped, []).origin == "shipped"
    milder = open_pack(shipped.data.replace(b'["22:00", "08:00"]', b'["23:00", "07:00"]'), "cn-card@1")
    assert PackSeen.of(milder, []).origin == "changed"
    assert PackSeen.of(open_pack(HOUSE_TOML, "house@1"), []).origin == "own"


def test_a_pack_of_a_name_alone_holds_no_rule_and_a_later_language_is_not_guessed_at() -> None:
    assert open_pack(PACK_TOML, "none@1").rules == ()
    with pytest.raises(PackNewer, match="a later language"):
        open_pack(LATER_TOML, "house@1")
    with pytest.raises(PackRefused):
        open_pack(b"id = 1\nversion = 2\n", "odd")


def test_every_outcome_has_its_place() -> None:
    assert sorted(SEVERITY) == sorted(OUTCOMES)


JUDGE = """
import hashlib, sys
from pathlib import Path
from ledger.rules.proof import data_version
from ledger.testing.forge import trust_file
from ledger.verify.checks import judge
from ledger.verify.pages import render_html, render_text
from ledger.verify.trust import Trust
verdict = judge(Path(sys.argv[1]).read_bytes(), Trust.parse(trust_file()))
made = verdict.json() + b"".join(
    page(verdict, lang).encode() for page in (render_html, render_text) for lang in ("en", "zh")
)
print(verdict.verdict, hashlib.sha256(made).hexdigest())
"""


def test_findings_are_the_same_in_another_zone_locale_and_hash_seed(tmp_path: Path) -> None:
    """On another machine, to the byte (P29): the verdict, and both pages in both languages."""
    file = tmp_path / "case.duecourse"
    file.write_bytes(judged(house()).pack())
    seen = set()
    for zone, locale, seed in (
        ("UTC", "C", "0"),
        ("America/New_York", "C.UTF-8", "1"),
        ("Asia/Kathmandu", "zh_CN.UTF-8", "4242"),
        ("Pacific/Apia", "tr_TR.UTF-8", "99"),
    ):
        env = {
            **os.environ,
            "TZ": zone,
            "LANG": locale,
            "LC_ALL": locale,
            "PYTHONHASHSEED": seed,
            "PYTHONTZPATH": "",
        }
        done = subprocess.run(
            [sys.executable, "-c", JUDGE, str(file)], env=env, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout.strip())
    assert len(seen) == 1
    assert seen.pop().startswith("VERIFIED ")


def test_the_findings_of_two_exports_are_the_same_bytes() -> None:
    assert judged(house()).pack() == judged(house()).pack()
    name = bundle.pack_name("house", "1")
    assert judged(house()).files[name] == HOUSE_TOML
    assert golden().entries[0] == house().entries[0]
