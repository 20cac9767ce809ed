"""The command duecourse.

Exit status, the same for every command: 0 done; 1 what was checked or given is not as it must be (a bundle REJECTED, a damaged
ledger, an input file refused); 2 it could not be decided or done now (a bundle UNVERIFIABLE, a log that does not
answer); 3 usage, configuration, or a fault of ours."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import Final

import click

from ledger import __version__
from ledger.errors import (
    ConfigurationError,
    DuecourseError,
    ImportRefused,
    LogUnavailable,
    Misbehaviour,
    Refused,
)

# Where each command is. Loaded when it is called, so that `duecourse verify` starts without Kafka's client.
_COMMANDS: Final = {
    "init": "founding",
    "registry": "founding",
    "key": "founding",
    "packs": "packs",
    "trust": "founding",
    "run": "line",
    "status": "line",
    "rebuild": "line",
    "fsck": "line",
    "import": "intake",
    "reconcile": "outside",
    "statement": "outside",
    "cases": "reading",
    "case": "reading",
    "exceptions": "conduct",
    "portfolio": "conduct",
    "access": "conduct",
    "extract": "outward",
    "sample": "sampling",
    "export": "proof",
    "verify": "proof",
    "link": "proof",
    "erase": "erasing",
    "demo": "demo",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"projections.cli.{_COMMANDS[cmd_name]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done · 1 rejected, damaged or refused · 2 cannot be decided or done now · 3 usage or fault.",
)
@click.version_option(__version__, prog_name="duecourse")
def cli() -> None:
    """A tamper-evident ledger of debt-collection actions, with proofs that verify offline.

    Start with: duecourse demo. 催收行为防篡改账本：先试试 duecourse demo。"""


def exit_status(error: DuecourseError) -> int:
    """The exit status by which a command ends that failed with `error`."""
    match error:
        case Refused() | ImportRefused() | Misbehaviour():
            return 1
        case ConfigurationError():
            return 3
        case LogUnavailable():
            return 2
        case _:
            return 2


def main() -> None:
    """The console script."""
    try:
        # Without click's own handling, a command's exit status is what `main` returns.
        sys.exit(cli.main(prog_name="duecourse", standalone_mode=False))
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(3)
    except DuecourseError as error:
        click.echo(f"duecourse: {error}", err=True)
        sys.exit(exit_status(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        # A path that cannot be used as it was given, or a disk that is full: the system's own words say which.
        named = "" if error.filename is None else f"{error.filename}: "
        click.echo(f"duecourse: {named}{error.strerror or error}", err=True)
        sys.exit(3)
    except Exception:  # noqa: BLE001 - the end of the line: nothing above it may fail silently
        # A fault of ours. Its place goes to the error stream; statuses 1 and 2 are kept for answers.
        traceback.print_exc()
        click.echo(
            "duecourse: this is a fault of the program; please report it with the lines above", err=True
        )
        sys.exit(3)
