"""Every forged bundle gets the verdict that its one flaw deserves, with the real schemas (rules of proof 5)."""

from __future__ import annotations

import hashlib
from operator import attrgetter
from pathlib import Path

import orjson
import pytest

from ledger.errors import ConfigurationError
from ledger.testing.forge import Forge
from ledger.testing.forgeries import forgeries, write
from ledger.testing.forgery import Forgery, golden
from ledger.testing.story import play
from ledger.verify.checks import judge
from ledger.verify.trust import Trust


@pytest.mark.parametrize("forgery", forgeries(), ids=attrgetter("name"))
def test_a_forged_bundle_gets_the_verdict_it_deserves(forgery: Forgery) -> None:
    data = forgery.make()
    try:
        trust = Trust.parse(forgery.trust())
    except ConfigurationError:
        assert forgery.expect == "exit 3"
        return
    verdict = judge(
        data,
        trust,
        state=forgery.state() if forgery.state else None,
        link=forgery.link() if forgery.link else None,
        at=forgery.at,
    )
    found = {problem.code for problem in verdict.errors}
    if forgery.expect == "exit 3":
        assert (verdict.exit_code, found) == (3, {"UNUSABLE"})
        return
    assert verdict.verdict == forgery.expect, verdict.errors[:3]
    assert found & forgery.codes if forgery.codes else not found
    assert forgery.warnings <= {problem.code for problem in verdict.warnings}


def test_every_group_of_the_catalogue_is_tried() -> None:
    rows = {forgery.row for forgery in forgeries()}
    wanted = """B00 B02 B03 B04 B05 B06 B07 B09 B10 B11 B12 B15 B16 B17 B18
        S01 S02 S03 S04 S05 S07 S08 S10 S11 S13 S14 S15 S16 S17 S18 S19
        M01 M02 M03 M04 M05 M06 M07 M08 M10 M11 M12 M15 M16 M17 M18 M19 M20 M21 M23 M24
        W01 W02 W03 W05 W06 W07 W09 W10 W11 W12 W13 W14 W15
        Z01 Z02 Z03 Z05 Z08 Z09 Z10 Z11 Z12 Z13 T01 T02 T03 T07 X02 X03 X06 X07 P29"""
    assert rows >= set(wanted.split())


def test_two_forges_make_the_same_bytes() -> None:
    assert play(Forge()).parts().pack() == golden().parts().pack()


def test_the_script_writes_every_bundle_with_its_verdict(tmp_path: Path) -> None:
    number = write(tmp_path)
    index = orjson.loads((tmp_path / "index.json").read_bytes())
    assert len(index) == number == len(forgeries())
    for row in index[:: len(index) // 20]:
        data = (tmp_path / f"{row['name']}.duecourse").read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
