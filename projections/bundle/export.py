"""Takes one case out of the building: its entries, proof that they are in the tree, proof that there are no
others, and who vouches for it (formats 8).

What it writes is checked on the way, against the published tree and not against the views: every entry's bytes
against its leaf, all leaves against the signed root, every stream's end against the head map under the seal. So
a wrong view costs an error here, never a wrong bundle. The findings are those of the adopted rule packs, which
every reader makes again. Two exports at one checkpoint, with the same fields opened, are the same bytes."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.errors import ConfigurationError, Erased, Refused
from ledger.kernel import canonical
from ledger.kernel.bundle import MANIFEST, MEMBERS, build_manifest, write_container
from ledger.kernel.disclosure import Protected, disclosure_digest, is_protected, parse_disclosure
from ledger.kernel.entry import Entry
from ledger.kernel.merkle import root_from_compact
from ledger.rules.proof import Judgement, data_version, document
from projections.bundle.findings import Adopted, adoptions_of, gather_leaned_on, judged, read_adopted
from projections.bundle.gather import Gathered, Source

__all__ = ["Bundle", "OpenField", "Source", "export_case", "judge_case", "write_bundle"]

OpenField = Callable[[Mapping[str, Any], str], str]  # (event, pointer) -> disclosure; raises Erased


@dataclass(frozen=True, slots=True)
class Bundle:
    """An export and what it holds. `erased` are (index, pointer) of fields that were asked for and are
    gone; `packs` the rule packs by whose findings it is judged, `lacking` adopted ones that could not be used, with
    the reason; `outcomes` how many findings of each outcome there are."""

    data: bytes
    origin: str
    tree_size: int
    streams: tuple[tuple[str, int], ...]
    entries: int
    entries_bytes: int
    disclosed: int
    erased: tuple[tuple[int, str], ...] = field(default=())
    packs: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def export_case(
    source: Source,
    case: str,
    *,
    disclose: Sequence[str] = (),
    open_field: OpenField | None = None,
    findings: bool = True,
) -> Bundle:
    """A bundle of the case with this uuid, as of the published checkpoint.

    `disclose` names protected members of the case to open (`to`, or `/data/to`); `open_field` asks the vault.
    Without `findings` the adopted packs are left out, and a verifier names them. `ConfigurationError` where there
    is no such case, no checkpoint, or the views are behind it; `Refused` where the published tree contradicts
    itself or the views."""
    gathered, adopted = _gather(source, case, findings=findings)
    subject = f"case/{case}"
    for producer in sorted(gathered.producers()):
        gathered.stream(f"producer/{producer}")
    others = sorted(name for name, entries in gathered.streams.items() if name != subject and entries)
    streams = [(name, len(gathered.streams[name])) for name in (subject, *others)]

    entries = gathered.in_order()
    hashes = gathered.tree.compact([entry.index for entry in entries])
    leaves = [(entry.index, entry.leaf) for entry in entries]
    if root_from_compact(gathered.size, leaves, hashes) != gathered.root:
        raise Refused("E_INCLUSION", "the published tree does not lead to its signed root", "tiles")
    heads = gathered.heads(streams)
    opened, erased = _disclosures(gathered.streams[subject], disclose, open_field)
    judgement = judged(gathered, adopted, _values(opened))
    members = {
        "checkpoint": gathered.note,
        "entries.jsonl": b"".join(entry.raw + b"\n" for entry in entries),
        "inclusion.json": canonical.encode({"hashes": [digest.hex() for digest in hashes]}),
        "heads.json": canonical.encode({"heads": heads}),
        "disclosures.jsonl": b"".join(canonical.encode(line) + b"\n" for line in opened),
        "findings.json": document(judgement.items(), adopted.files(), data_version()),
    }
    files = [(name, members[name]) for name in MEMBERS if name != MANIFEST] + adopted.members()
    manifest = build_manifest(files, origin=gathered.origin, tree_size=gathered.size, streams=streams)
    return Bundle(
        data=write_container([(MANIFEST, manifest), *files]),
        origin=gathered.origin,
        tree_size=gathered.size,
        streams=tuple(streams),
        entries=len(entries),
        entries_bytes=len(members["entries.jsonl"]),
        disclosed=len(opened),
        erased=tuple(erased),
        packs=tuple(pack.name for pack in judgement.packs),
        lacking=adopted.lacking,
        outcomes=Counter(finding.outcome for finding in judgement.loud()),
    )


def judge_case(source: Source, case: str) -> tuple[Judgement, Adopted, Gathered]:
    """The findings that an export of this case would carry, without opening a field. Errors are as there."""
    gathered, adopted = _gather(source, case, findings=True)
    return judged(gathered, adopted, {}), adopted, gathered


def _gather(source: Source, case: str, *, findings: bool) -> tuple[Gathered, Adopted]:
    """The case, the registry and what the case leans on."""
    subject = f"case/{case}"
    if not canonical.is_uuid(case):
        raise ConfigurationError(f"not the id of a case: {case!r}")
    gathered = Gathered(source)
    if not gathered.stream(subject):
        raise ConfigurationError(f"there is no case {case} in {gathered.origin} as of its checkpoint")
    adoptions = adoptions_of(gathered.stream("registry"))
    adopted = read_adopted(adoptions, source.packs) if findings else Adopted(adoptions, {}, {})
    gather_leaned_on(gathered, subject, adopted)
    return gathered, adopted


def _values(opened: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """Opened values by index and pointer."""
    found: dict[int, dict[str, Any]] = {}
    for line in opened:
        value = parse_disclosure(line["disclosure"], line["pointer"])
        found.setdefault(line["index"], {})[line["pointer"]] = value
    return found


def _disclosures(
    entries: Sequence[Entry], names: Sequence[str], open_field: OpenField | None
) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Opened fields by index and pointer, each compared with its digest; and those that are gone for good."""
    wanted = {name if name.startswith("/") else f"/data/{name}" for name in names}
    if not wanted:
        return [], []
    if open_field is None:
        raise ConfigurationError("fields can only be opened with the ledger's vault and its key")
    opened: list[dict[str, Any]] = []
    erased: list[tuple[int, str]] = []
    seen: set[str] = set()
    for entry in entries:
        for name, value in sorted(entry.event["data"].items()):
            pointer = f"/data/{name}"
            if pointer not in wanted or not is_protected(value):
                continue
            seen.add(pointer)
            try:
                disclosure = open_field(entry.event, pointer)
            except Erased:
                erased.append((entry.index, pointer))
                continue
            if disclosure_digest(disclosure) != Protected.from_value(value).digest:
                raise Refused("E_COMMITMENT", "the vault opened another value than the event holds", pointer)
            parse_disclosure(disclosure, pointer)
            opened.append({"disclosure": disclosure, "index": entry.index, "pointer": pointer})
    missing = sorted(wanted - seen)
    if missing:
        raise ConfigurationError(f"no event of the case holds a protected field {missing[0]}")
    return opened, erased


def write_bundle(path: Path, data: bytes, *, force: bool = False) -> None:
    """Puts the whole file in its place at once, durable on return. `ConfigurationError` where something
    stands there and `force` is not given, or it cannot be written; then nothing has changed."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            draft.replace(path)
        else:
            os.link(draft, path)
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already: choose another name, or give --force") from error
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
