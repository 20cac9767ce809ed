"""Rule packs: packs list, explain, test, vectors, adopt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from ledger.errors import ConfigurationError, Refused
from ledger.kernel.bundle import pack_name
from ledger.kernel.canonical import format_time, is_date
from ledger.kernel.digest import sha256
from ledger.rules.lint import lint
from ledger.rules.model import parse_pack, shipped, shipped_pack
from ledger.rules.phrases import GRADE, MODALITY
from ledger.rules.proof import Adoption
from ledger.rules.shapes import Pack, Rule
from ledger.rules.toml import PackRefused
from ledger.rules.vectors import check_vector, read_vectors, shipped_packs
from projections.cli.directory import LedgerDirectory, sync_directory, write_whole
from projections.cli.enrolment import order, registrars, registry_state, settle
from projections.cli.lineup import clock_us
from projections.cli.output import AS_JSON, LEDGER, say_json, table
from projections.cli.replay import moment_of

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_LANG: Final = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
_WORDS: Final = {
    "kind": {"en": "kind", "zh": "种类"},
    "cite": {"en": "source", "zh": "出处"},
    "grade": {"en": "grade", "zh": "依据等级"},
    "modality": {"en": "force", "zh": "效力"},
    "binds": {"en": "binds", "zh": "约束力"},
    "force": {"en": "in force", "zh": "施行"},
    "scope": {"en": "scope", "zh": "适用范围"},
    "on": {"en": "looks at", "zh": "所涉事项"},
    "params": {"en": "parameters", "zh": "参数"},
    "readings": {"en": "unconfirmed readings", "zh": "未确认的读法"},
    "outcome": {"en": "when it fails", "zh": "不符合时"},
    "by_law": {"en": "by itself", "zh": "当然有约束力"},
    "by_adoption": {
        "en": "only once the registry has adopted it as binding; until then it is advice",
        "zh": "登记簿采纳为有约束力后方有约束力，此前仅作建议",
    },
    "off": {"en": "off unless the registry names it as binding", "zh": "默认不启用，登记簿采纳为有约束力后启用"},
    "from": {"en": "from {start}", "zh": "自 {start} 起"},
    "from_to": {"en": "from {start} to {end}", "zh": "自 {start} 至 {end}"},
}  # fmt: skip


@click.group("packs")
def packs_command() -> None:
    """Rule packs: what they say, whether they work, and which of them the ledger has adopted."""


# -- reading packs -------------------------------------------------------------------------------------------------


def _opened(name: str) -> Pack:
    """A pack by file or by the name of a shipped one. `Refused` for a file that is no pack."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        try:
            return parse_pack(path.read_bytes(), str(path))
        except PackRefused as error:
            raise Refused("E_SCHEMA", error.reason, f"{error.name}:{error.line}") from error
    try:
        return shipped_pack(name)
    except KeyError:
        raise ConfigurationError(
            f"no pack {name!r} is shipped, and there is no such file. Shipped: {', '.join(shipped())}"
        ) from None


@packs_command.command("list")
@click.argument(
    "directory", metavar="[LEDGER]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@_LANG
@AS_JSON
def packs_list(directory: Path | None, lang: str, as_json: bool) -> None:
    """List the packs that come with duecourse, and with LEDGER the ones that it has adopted."""
    packs = [shipped_pack(name) for name in shipped()]
    adopted = [] if directory is None else _adopted(LedgerDirectory.open(directory))
    if as_json:
        say_json(
            {
                "adopted": [_adoption_value(one) for one in adopted],
                "shipped": [
                    {
                        "digest": sha256(pack.data).hex(),
                        "pack": pack.name,
                        "rules": len(pack.rules),
                        "title": dict(pack.title),
                    }
                    for pack in packs
                ],
            }
        )
        return
    rows = [(pack.name, len(pack.rules), dict(pack.title)[lang]) for pack in packs]
    click.echo(table(rows, ("shipped", "rules", "")))
    if directory is None:
        return
    lines = [
        (one.name, ", ".join(one.binding) or "-", one.starts[:16] + "Z", one.digest[:16] + "…")
        for one in adopted
    ]
    click.echo("")
    click.echo(table(lines, ("adopted", "binding", "from", "sha256")) if lines else "no pack is adopted yet")


def _adopted(ledger: LedgerDirectory) -> list[Adoption]:
    settle(ledger)
    return [Adoption.from_value(item) for item in registry_state(ledger).packs]


def _adoption_value(one: Adoption) -> dict[str, Any]:
    return {"binding": list(one.binding), "digest": one.digest, "from": one.starts, "pack": one.name}


@packs_command.command("explain", epilog="Example: duecourse packs explain CN-03 --lang zh")
@click.argument("name", metavar="RULE_OR_PACK")
@click.option(
    "--pack", "pack_name_", default=None, metavar="PACK", help="Look for the rule in this pack or file only."
)
@_LANG
@AS_JSON
def packs_explain(name: str, pack_name_: str | None, lang: str, as_json: bool) -> None:
    """Explain a rule (CN-03, or cn-card/CN-03), or a whole pack (cn-card, or a file)."""
    wanted, _, rule_id = name.rpartition("/")
    pools = [_opened(pack_name_ or wanted)] if pack_name_ or (wanted and not Path(name).is_file()) else None
    found = [
        (pack, rule)
        for pack in (pools or [shipped_pack(one) for one in shipped()])
        for rule in pack.rules
        if rule.id == rule_id or rule.name == rule_id
    ]
    if found:
        if as_json:
            say_json([_rule_value(pack, rule) for pack, rule in found])
            return
        for number, (pack, rule) in enumerate(found):
            click.echo(("\n" if number else "") + "\n".join(_explained(pack, rule, lang)))
        return
    if pools is not None:
        raise ConfigurationError(f"{pools[0].name} has no rule {rule_id!r}")
    pack = _explained_pack(name)
    if as_json:
        value = {"note": dict(pack.note), "pack": pack.name, "title": dict(pack.title), "zone": pack.zone}
        say_json({**value, "rules": [_rule_value(pack, rule) for rule in pack.rules]})
        return
    click.echo(f"{pack.name}  {dict(pack.title)[lang]}\n\n{dict(pack.note)[lang].strip()}\n")
    rows = [
        (rule.name, rule.grade, MODALITY[rule.modality][lang], rule.in_language(lang)) for rule in pack.rules
    ]
    click.echo(table(rows, ("", _WORDS["grade"][lang], _WORDS["modality"][lang], "")))


def _explained_pack(name: str) -> Pack:
    try:
        return _opened(name)
    except ConfigurationError:
        raise ConfigurationError(
            f"{name!r} is no rule of a shipped pack, no shipped pack and no file. `duecourse packs list` lists the packs;"
            " a rule of a pack of your own needs --pack FILE.toml"
        ) from None


def _explained(pack: Pack, rule: Rule, lang: str) -> Iterator[str]:
    yield f"{rule.name}  {pack.name}  {dict(pack.title)[lang]}"
    yield rule.in_language(lang)
    times = "from" if rule.ends is None else "from_to"
    scope = [*rule.scope.capacity, *rule.scope.places, *rule.scope.products]
    types = list(dict.fromkeys(kind for entry in rule.on for kind in entry.filter.types))
    lines = [
        ("cite", rule.cite),
        ("grade", f"{rule.grade} · {GRADE[rule.grade][lang]}"),
        ("modality", MODALITY[rule.modality][lang]),
        ("binds", _WORDS["by_adoption" if rule.needs_adoption else "by_law"][lang]),
        ("force", _WORDS[times][lang].format(start=rule.starts, end=rule.ends)),
        ("scope", ", ".join(scope)),
        ("kind", rule.kind),
        ("on", ", ".join(types)),
        *(("params", f"{key} = {value}") for key, value in rule.facts),
        ("readings", ", ".join(reading.name for reading in rule.readings)),
        ("outcome", rule.outcome),
    ]
    for key, text in lines:
        if text:
            yield f"  {_WORDS[key][lang]}: {text}"
    if not rule.enabled:
        yield f"  {_WORDS['off'][lang]}"


def _rule_value(pack: Pack, rule: Rule) -> dict[str, Any]:
    return {
        "cite": rule.cite,
        "enabled": rule.enabled,
        "grade": rule.grade,
        "in_force": {"from": str(rule.starts), "to": None if rule.ends is None else str(rule.ends)},
        "kind": rule.kind,
        "modality": rule.modality,
        "needs_adoption": rule.needs_adoption,
        "outcome": rule.outcome,
        "parameters": dict(rule.facts),
        "readings": [reading.name for reading in rule.readings],
        "rule": f"{pack.id}/{rule.name}",
        "scope": {
            "capacity": list(rule.scope.capacity),
            "places": list(rule.scope.places),
            "products": list(rule.scope.products),
        },
        "text": dict(rule.text),
    }


# -- trying packs --------------------------------------------------------------------------------------------------


def _vectors(path: Path) -> list[dict[str, Any]]:
    """The vectors of a file. `Refused` where it is not one."""
    try:
        return read_vectors(path.read_bytes())
    except json.JSONDecodeError as error:
        raise Refused("E_SCHEMA", f"not JSON: {error.msg}", f"{path}:{error.lineno}") from error
    except (KeyError, ValueError) as error:
        raise Refused("E_SCHEMA", f"not a file of vectors: {error}", str(path)) from error


@packs_command.command("test", epilog="Example: duecourse packs test house-cards.toml")
@click.argument("file", metavar="FILE.toml", type=_FILE)
@click.option(
    "--vectors", "vectors_file", type=_FILE, default=None,
    help="The pack's vectors. Default: FILE.vectors.json beside it.",
)  # fmt: skip
@AS_JSON
def packs_test(file: Path, vectors_file: Path | None, as_json: bool) -> None:
    """Read a pack of your own and its vectors, and say what is missing before anybody may adopt it."""
    pack = _opened(str(file))
    beside = vectors_file or file.with_name(f"{file.name.removesuffix('.toml')}.vectors.json")
    vectors = _vectors(beside) if beside.is_file() else []
    try:
        complaints = lint(pack, vectors)
    except (KeyError, TypeError, IndexError) as error:
        raise Refused(
            "E_SCHEMA", f"a vector lacks something, or names what is not there: {error}", str(beside)
        ) from error
    if not beside.is_file():
        complaints.insert(
            0, f"{beside} is not there: every rule needs a case that passes and one that does not"
        )
    if as_json:
        say_json(
            {
                "complaints": complaints,
                "digest": sha256(pack.data).hex(),
                "pack": pack.name,
                "vectors": len(vectors),
            }
        )
    else:
        for complaint in complaints:
            click.echo(complaint)
        click.echo(
            f"{pack.name}: {len(pack.rules)} rules, {len(vectors)} vectors, {len(complaints)} complaints"
        )
    if complaints:
        raise click.exceptions.Exit(1)


@packs_command.command(
    "vectors", epilog="Example: duecourse packs vectors cases.json --pack house-cards.toml"
)
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--pack",
    "pack_files",
    multiple=True,
    type=_FILE,
    help="A pack of your own that the vectors name; repeat.",
)
@AS_JSON
def packs_vectors(file: Path, pack_files: Sequence[Path], as_json: bool) -> None:
    """Judge the cases in FILE, and print where what is found differs from what is expected."""
    own: dict[str, list[Pack]] = {}
    for one in pack_files:
        pack = _opened(str(one))
        own.setdefault(pack.id, []).append(pack)

    def packs_of(name: str) -> Sequence[Pack]:
        found = own.get(name.partition("@")[0])
        if found is None:
            return shipped_packs(name)
        return [pack for pack in found if name in (pack.id, pack.name)]

    vectors = _vectors(file)
    differences: list[str] = []
    for number, vector in enumerate(vectors):
        try:
            differences += map(str, check_vector(vector, packs_of))
        except PackRefused as error:
            differences.append(f"{vector.get('id', number)}: {error}")
        except (KeyError, TypeError, IndexError, ValueError) as error:
            where = f"{file} vector {vector.get('id', number) if isinstance(vector, dict) else number}"
            raise Refused("E_SCHEMA", f"not a vector: {type(error).__name__} {error}", where) from error
    judged = sum(vector["kind"] == "rule" for vector in vectors)
    if as_json:
        say_json({"differences": differences, "judged": judged, "vectors": len(vectors)})
    else:
        for difference in differences:
            click.echo(difference)
        click.echo(f"{judged} of {len(vectors)} vectors judged, {len(differences)} differences")
    if differences:
        raise click.exceptions.Exit(1)


# -- adopting packs ------------------------------------------------------------------------------------------------


@packs_command.command(
    "adopt",
    epilog="Example: duecourse packs adopt ledger cn-card --binding CN-01 --from 2026-01-01T00:00+08:00",
)
@LEDGER
@click.argument("name", metavar="PACK")
@click.option(
    "--binding", default="", metavar="RULE,…",
    help="Rules that bind this house beside the law: standards, guidelines, its own policy. `all` for every one. "
    "A rule that is off by default is on once it is named here.",
)  # fmt: skip
@click.option(
    "--from",
    "starts",
    default=None,
    metavar="TIME",
    help="Binding from this moment; with Z or an offset. Default: now.",
)
@click.option(
    "--registrar", "registrar_files", multiple=True, type=_FILE,
    help="A registrar's key file; repeat for each approval. Default: those in LEDGER/keys.",
)  # fmt: skip
@AS_JSON
def packs_adopt(
    directory: Path,
    name: str,
    binding: str,
    starts: str | None,
    registrar_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Have the registrars adopt PACK, a shipped one or a file: cases are judged by it from then on.

    The registry keeps the digest of the pack's exact bytes, and LEDGER/packs the bytes. A changed pack needs a new
    version: under one name nobody can swap in a milder one. Adopting again, with other rules binding, is possible."""
    pack = _opened(name)
    pack_name(pack.id, pack.version)  # the name under which bundles hold it
    bound = _binding(pack, binding)
    begins = format_time(clock_us()) if starts is None else _moment(starts)
    ledger = LedgerDirectory.open(directory)
    digest = sha256(pack.data).hex()
    for one in _adopted(ledger):
        if one.name == pack.name and one.digest != digest:
            raise Refused(
                "E_CONTEXT",
                f"{pack.name} was adopted with other bytes ({one.digest[:16]}…): give the changed pack a new version",
                name,
            )
    signers = registrars(ledger, registrar_files)
    # The bytes first: nothing is adopted of which nobody has the text.
    if not ledger.packs.is_dir():
        ledger.packs.mkdir()
        sync_directory(ledger.root)
    write_whole(ledger.packs / f"{pack.name}.toml", pack.data)
    data = {"binding": bound, "digest": digest, "from": begins, "id": pack.id, "version": pack.version}
    order(ledger, "pack_adopted", "registry", data, signers)
    if as_json:
        say_json({**data, "file": str(ledger.packs / f"{pack.name}.toml"), "rules": len(pack.rules)})
        return
    click.echo(f"adopted {pack.name}, {len(pack.rules)} rules, sha256 {digest}")
    click.echo(f"binding beside the law, from {begins}: {', '.join(bound) or 'nothing'}")


def _moment(text: str) -> str:
    if is_date(text):
        raise ConfigurationError(
            f"--from: a day begins at another moment in every zone; say {text}T00:00 and an offset"
        )
    return moment_of(text, "--from")


def _binding(pack: Pack, text: str) -> list[str]:
    """The rules that are to bind, ascending. `ConfigurationError` for one that is not there or binds as law."""
    known = {rule.id: rule for rule in pack.rules}
    if text.strip() == "all":
        return sorted(rule.id for rule in known.values() if rule.needs_adoption and rule.enabled)
    named = sorted({part.strip() for part in text.split(",") if part.strip()})
    for rule_id in named:
        if rule_id not in known:
            raise ConfigurationError(f"{pack.name} has no rule {rule_id!r}")
        if not known[rule_id].needs_adoption and known[rule_id].enabled:
            raise ConfigurationError(f"{rule_id} is law and binds by itself: leave it out of --binding")
    return named
