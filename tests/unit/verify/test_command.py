"""`python -m ledger.verify`: exit status, files that it writes, and that nothing around it changes what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.kernel import merkle
from ledger.testing.forge import ORIGIN, Bends, Forge, trust_file
from ledger.testing.forgery import golden, member, parts
from ledger.testing.story import play
from ledger.verify.__main__ import main
from ledger.verify.link import make_link

SIZE = len(golden().entries)
EARLY = golden().labels["seal-1"] + 1


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A reader's folder: a bundle and a trust file."""
    (tmp_path / "case.duecourse").write_bytes(parts().pack())
    (tmp_path / "trust.toml").write_bytes(trust_file())
    return tmp_path


def run(desk: Path, *arguments: str, bundle: str = "case.duecourse") -> int:
    return main([str(desk / bundle), "--trust", str(desk / "trust.toml"), *arguments])


def test_a_good_bundle_is_verified_and_said_so(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(desk) == 0
    assert capfd.readouterr().out.startswith("VERIFIED\n")
    assert run(desk, "--lang", "zh") == 0
    assert capfd.readouterr().out.startswith("已验证")
    assert run(desk, "--json") == 0
    assert json.loads(capfd.readouterr().out)["verdict"] == "VERIFIED"


def test_exit_status_follows_the_class(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (desk / "cut.duecourse").write_bytes(parts().pack()[:-1])
    assert run(desk, bundle="cut.duecourse") == 1
    bare = golden().parts(checkpoint=golden().checkpoint(SIZE, cosigners=())).pack()
    (desk / "bare.duecourse").write_bytes(bare)
    assert run(desk, bundle="bare.duecourse") == 2
    (desk / "trust.toml").write_bytes(b"")
    assert run(desk) == 3
    assert "NOT JUDGED" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--no-such-option"], ["--lang", "fr"], ["a", "b"]])
def test_a_wrong_command_line_is_status_3(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 3
    assert "Traceback" not in capfd.readouterr().err


def test_what_is_no_file_is_no_bundle(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(desk, bundle="none.duecourse") == 3
    (desk / "folder").mkdir()
    assert run(desk, "--json", bundle="folder") == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["errors"][0]["code"] == "E_PATH"
    os.mkfifo(desk / "pipe")
    assert run(desk, bundle="pipe") == 1
    (desk / "loop").symlink_to(desk / "loop")
    assert run(desk, bundle="loop") == 3


def test_a_page_is_written_whole_and_compares(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    page = desk / "report.html"
    assert run(desk, "--html", str(page), "--lang", "zh") == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in desk.iterdir()) == ["case.duecourse", "report.html", "trust.toml"]
    assert run(desk, "--compare-report", str(page)) == 0
    page.write_text(page.read_text(encoding="utf-8").replace("8 ", "9 ", 1), encoding="utf-8")
    capfd.readouterr()
    assert run(desk, "--compare-report", str(page), "--json") == 1
    verdict = json.loads(capfd.readouterr().out)
    assert [error["code"] for error in verdict["errors"]] == ["E_REPORT"]
    assert "by itself is VERIFIED" in verdict["errors"][0]["detail"]


def test_a_page_that_cannot_be_written_is_no_pass(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(desk, "--html", str(desk / "nowhere" / "report.html")) == 3
    assert "cannot be written" in capfd.readouterr().out


def test_a_reader_remembers_only_when_asked(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = desk / "state"
    assert run(desk, "--state", str(state)) == 3
    assert run(desk, "--state", str(state), "--trust-on-first-use") == 3
    assert run(desk, "--remember") == 3
    assert not state.exists()
    (desk / "early.duecourse").write_bytes(parts(size=EARLY).pack())
    remembering = ("--state", str(state), "--remember", "--trust-on-first-use")
    assert run(desk, *remembering, bundle="early.duecourse") == 0
    assert state.read_bytes() == parts(size=EARLY).files["checkpoint"]
    link = desk / "link"
    link.write_bytes(make_link(ORIGIN, EARLY, SIZE, lambda lo, hi: merkle.tree_root(golden().leaves[lo:hi])))
    assert run(desk, *remembering, "--link", str(link)) == 0
    assert state.read_bytes() == parts().files["checkpoint"]
    assert run(desk, *remembering, bundle="early.duecourse") == 2
    assert state.read_bytes() == parts().files["checkpoint"]


def test_both_notes_of_a_fork_are_kept_beside_the_state(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fork = play(Forge(Bends(event={"stage": member("data.stage", "litigation")}))).checkpoint(SIZE)
    (desk / "state").write_bytes(fork)
    assert run(desk, "--state", str(desk / "state"), "--remember") == 1
    kept = (desk / "state.evidence").read_bytes()
    assert fork in kept
    assert parts().files["checkpoint"] in kept
    assert (desk / "state").read_bytes() == fork


def _subprocess(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=60,
    )


def test_the_verdict_does_not_depend_on_seed_zone_or_locale(desk: Path) -> None:
    verify = ["-m", "ledger.verify", str(desk / "case.duecourse"), "--trust", str(desk / "trust.toml")]
    surroundings = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4711", "TZ": "Asia/Shanghai", "LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "0"},
        {
            "PYTHONHASHSEED": "99",
            "TZ": "America/St_Johns",
            "LC_ALL": "tr_TR.ISO-8859-9",
            "PYTHONOPTIMIZE": "2",
        },
    ]
    for asked in (["--json"], ["--lang", "zh"], ["--lang", "en", "--html", str(desk / "page.html")]):
        outputs = set()
        for surrounding in surroundings:
            done = _subprocess([*verify, *asked], **surrounding)
            assert done.returncode == 0, done.stderr
            assert done.stderr == b""
            page = (desk / "page.html").read_bytes() if "--html" in asked else b""
            outputs.add((done.stdout, page))
        assert len(outputs) == 1


# `socket` is not among them: the schema validator loads the module for its e-mail format. The audit below shows that
# none is ever made.
FORBIDDEN = (
    "ssl", "subprocess", "sqlite3", "pickle", "yaml", "xml.etree", "urllib.request", "http.client", "kafka",
    "eventsourcing", "click", "rich", "ledger.sdk", "ledger.log", "ledger.vault", "ledger.custody", "ledger.tilestore",
    "ledger.sequencer", "ledger.testing", "projections",
)  # fmt: skip


def test_the_verifier_loads_no_server_no_store_no_network(desk: Path) -> None:
    program = (
        "import sys; from ledger.verify.__main__ import main; "
        f"status = main([{str(desk / 'case.duecourse')!r}, '--trust', {str(desk / 'trust.toml')!r}]); "
        f"found = [name for name in {FORBIDDEN!r} if name in sys.modules]; "
        "sys.stderr.write(','.join(found)); sys.exit(status)"
    )
    done = _subprocess(["-c", program])
    assert done.returncode == 0
    assert done.stderr == b""


def test_the_verifier_works_where_no_socket_can_be_made_and_nothing_be_run(desk: Path) -> None:
    program = (
        "import sys\n"
        "def refuse(event, arguments):\n"
        "    if event.split('.')[0] in ('socket', 'subprocess', 'urllib', 'ftplib', 'smtplib') or event in ('os.system', "
        "'os.exec', 'os.posix_spawn', 'os.fork'):\n"
        "        raise RuntimeError(event)\n"
        "    if event == 'open' and isinstance(arguments[1], str) and set(arguments[1]) & set('wax+'):\n"
        "        raise RuntimeError('writes ' + str(arguments[0]))\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(refuse)\n"
        "from ledger.verify.__main__ import main\n"
        f"sys.exit(main([{str(desk / 'case.duecourse')!r}, '--trust', {str(desk / 'trust.toml')!r}]))\n"
    )
    done = _subprocess(["-c", program])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == b""
