"""`make picture`: the real log of road traffic fines, judged by the shipped pack `example-fines`, drawn as
docs/pictures/portfolio-fines.svg (and -zh.svg). Needs the event log in ../shared/data (or $DUECOURSE_SHARED), some 6 GB
of disk and five minutes; `--traces N` takes the first N cases, for a look.

Numbers in the picture are counted by the product alone: imported, sequenced, sealed, judged, read from the views."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TITLES = {
    "en": "Road traffic fines of an Italian police force, 2000 to 2013, judged by “example-fines”",
    "zh": "意大利某警方 2000 至 2013 年交通罚款，按“example-fines”评判",
}


def duecourse(*words: str | Path) -> str:
    """Runs a command to its end, however long it takes. Returns what it said."""
    command = [sys.executable, "-m", "projections.cli", *(str(word) for word in words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def first_traces(log: Path, count: int, into: Path) -> Path:
    """A log of the first `count` cases."""
    with zipfile.ZipFile(log) as held, held.open(held.namelist()[0]) as whole, into.open("wb") as part:
        left = count
        for line in whole:
            part.write(line)
            left -= line.strip() == b"</trace>"
            if not left:
                break
        part.write(b"</log>\n")
    return into


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--traces", type=int, default=0)
    asked.add_argument("--into", type=Path, default=ROOT / "docs" / "pictures")
    given = asked.parse_args()
    shared = Path(os.environ.get("DUECOURSE_SHARED", ROOT.parent / "shared"))
    log = shared / "data" / "road-traffic-fines.xes.zip"
    if not log.is_file():
        sys.exit(f"no event log at {log}: set DUECOURSE_SHARED to the folder that holds data/")
    with tempfile.TemporaryDirectory(prefix="duecourse-picture-") as work:
        ledger = Path(work) / "ledger"
        if given.traces:
            log = first_traces(log, given.traces, Path(work) / "part.xes")
        duecourse("init", ledger, "--name", "picture.example.com/fines")
        # All of its rules bind from before the first fine.
        duecourse(
            "packs", "adopt", ledger, "example-fines", "--binding", "all", "--from", "1999-12-31T00:00Z"
        )
        duecourse("import", "xes", log, "--into", ledger, "--mapping", "road-traffic-fines")
        given.into.mkdir(parents=True, exist_ok=True)
        for language, title in TITLES.items():
            name = "portfolio-fines.svg" if language == "en" else f"portfolio-fines-{language}.svg"
            duecourse("portfolio", ledger, "--svg", given.into / name, "--lang", language, "--title", title)
        sys.stdout.write(duecourse("portfolio", ledger))


if __name__ == "__main__":
    main()
