"""Steps 1 to 4: the container, and who has signed its checkpoint. Nothing here reads an entry (formats 8, 9)."""

from __future__ import annotations

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import bundle, canonical, merkle
from ledger.kernel.checkpoint import Checkpoint
from ledger.kernel.event import is_subject
from ledger.kernel.note import Note, VerifierKey, verify_note
from ledger.verify import container
from ledger.verify.examination import Examination, Remembered
from ledger.verify.link import check_shape, parse_hashes
from ledger.verify.trust import Trust
from ledger.verify.verdict import Voucher

_SECOND = 1_000_000
# Years beyond 9999 have no spelling; a cosignature from there is out of all bounds.
_TIME_MAX_S = 253_402_300_799


def read_state(data: bytes, trust: Trust) -> Remembered:
    """The checkpoint in a state file. ConfigurationError for one that cannot be used: it is never "first use"."""
    try:
        return Remembered(data, _open_state(data, trust))
    except Refused as error:
        raise ConfigurationError(f"state file: {error}") from error


def _open_state(data: bytes, trust: Trust) -> Checkpoint:
    note = Note.parse(data)
    checkpoint = Checkpoint.parse_text(note.text)
    log_key = trust.log(checkpoint.origin)
    if log_key is not None and not verify_note(note, [log_key]):
        raise Refused("E_SIG", "not signed by the log key that the trust file names")
    return checkpoint


def container_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(1) The file is one container in its one spelling, with the members of a bundle and no others."""
    members = bundle.read_container(x.data, x.limits.container)
    bundle.check_members([name for name, _ in members])
    x.members = dict(members)
    return "read", {"count": str(len(members))}


def manifest_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(2) The manifest lists exactly these members, with their sizes and digests."""
    member = x.members[bundle.MANIFEST]
    if len(member) > x.limits.manifest:
        raise Refused("E_LIMIT", f"{len(member)} bytes are more than {x.limits.manifest}", bundle.MANIFEST)
    x.manifest = bundle.parse_manifest(bytes(member))
    for name, _ in x.manifest.streams:
        if not is_subject(name):
            raise Refused("E_SCHEMA", "not the name of a stream", f"{bundle.MANIFEST} streams")
    bundle.check_files(x.manifest, list(x.members.items()))
    return "read", {"count": str(len(x.manifest.files))}


def trust_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(3) The bundle's origin is a log that the trust file names, so its key is known."""
    assert x.manifest is not None
    x.log_key = x.trust.log(x.manifest.origin)
    if x.log_key is None:
        raise Refused("E_ORIGIN", "the trust file names no log of this origin", x.manifest.origin)
    return "origin", {"origin": x.manifest.origin}


def checkpoint_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(4) The checkpoint is the log's; the quorum and an auditor have cosigned; it fits what the reader remembers."""
    assert x.manifest is not None
    assert x.log_key is not None
    note = Note.parse(bytes(x.members["checkpoint"]))
    _read_checkpoint(x, note)
    found = _read_signatures(x, note)
    _judge_vouchers(x, found)
    _judge_consistency(x)
    _judge_memory(x)
    return "vouched", {"names": ", ".join(voucher.name for voucher in x.vouchers)}


def _read_checkpoint(x: Examination, note: Note) -> None:
    assert x.manifest is not None
    try:
        checkpoint = Checkpoint.parse_text(note.text)
    except Refused as error:
        x.refused(error, "checkpoint")
        return
    if checkpoint.origin != x.manifest.origin:
        x.error("E_ORIGIN", f"expected {x.manifest.origin}, found {checkpoint.origin}", "checkpoint")
    if checkpoint.size != x.manifest.tree_size:
        x.error(
            "E_MANIFEST",
            f"the statement speaks of size {x.manifest.tree_size}, the checkpoint of {checkpoint.size}",
            "checkpoint",
        )
    x.checkpoint = checkpoint


def _read_signatures(x: Examination, note: Note) -> list[tuple[VerifierKey, int | None]]:
    assert x.log_key is not None
    known = [x.log_key, *x.trust.policy.witnesses.values(), *x.trust.auditors]
    try:
        found = verify_note(note, known)
    except Refused as error:
        x.refused(error, "checkpoint")
        return []
    if not any(key == x.log_key for key, _ in found):
        named = any(signature.name == x.log_key.name for signature in note.signatures)
        x.error(
            "E_SIG" if named else "E_ORIGIN",
            "not signed by the log key that the trust file names",
            "checkpoint",
        )
    return found


def _judge_vouchers(x: Examination, found: list[tuple[VerifierKey, int | None]]) -> None:
    """Each cosigner counts once, whatever its lines; a witness by its name in the policy."""
    earliest: dict[VerifierKey, int | None] = {}
    for key, at in found:
        known = earliest.get(key)
        earliest[key] = at if known is None or at is None else min(at, known)
    policy = x.trust.policy
    for key in policy.logs:
        if key in earliest:
            x.vouchers.append(Voucher("log", key.name, ""))
    names = set()
    for name, key in policy.witnesses.items():
        if key in earliest:
            names.add(name)
            x.vouchers.append(Voucher("witness", key.name, _cosigned(x, earliest[key])))
    auditors = []
    for key in x.trust.auditors:
        if key in earliest:
            auditors.append(key.name)
            x.vouchers.append(Voucher("auditor", key.name, _cosigned(x, earliest[key])))
    x.auditors = tuple(auditors)
    x.quorum_met = policy.quorum is not None and policy.satisfied(names)
    if policy.quorum is None:
        x.warn("W_UNWITNESSED", "the policy says `quorum none`", "checkpoint")
    elif not x.quorum_met:
        x.error("E_QUORUM", f"the quorum `{policy.quorum}` has not cosigned", "checkpoint")
    if not x.trust.auditors:
        x.warn("W_UNAUDITED", "the trust file names no auditor", "checkpoint")
    elif not auditors:
        x.error("E_QUORUM", "none of the auditors has cosigned", "checkpoint")


def _cosigned(x: Examination, at: int | None) -> str:
    seconds = min(at or 0, _TIME_MAX_S)
    x.cosigned_s.append(seconds)
    return canonical.format_time(seconds * _SECOND)


def _judge_consistency(x: Examination) -> None:
    """The bundle's own consistency proofs: each of a form that could prove something, whoever remembers."""
    member = x.members.get(bundle.CONSISTENCY)
    if member is None:
        return
    try:
        _read_consistency(x, container.value(member, x.limits.consistency, bundle.CONSISTENCY))
    except Refused as error:
        x.error(error.code, error.detail, bundle.CONSISTENCY)


def _read_consistency(x: Examination, value: object) -> None:
    assert x.manifest is not None
    if not isinstance(value, dict) or value.keys() != {"proofs"} or not isinstance(value["proofs"], list):
        raise Refused("E_SCHEMA", "not exactly a list of proofs")
    before: int | None = None
    for proof in value["proofs"]:
        if (
            not isinstance(proof, dict)
            or proof.keys() != {"from", "hashes"}
            or type(proof["from"]) is not int
        ):
            raise Refused("E_SCHEMA", "a proof has exactly from and hashes")
        size = proof["from"]
        if before is not None and size <= before:
            raise Refused("E_SCHEMA", "proofs do not ascend")
        if size >= x.manifest.tree_size:
            raise Refused("E_PROOF_SHAPE", "a proof from a size that is not below the bundle's")
        hashes = parse_hashes(proof["hashes"])
        check_shape(size, x.manifest.tree_size, hashes)
        x.consistency[size] = hashes
        before = size


def _judge_memory(x: Examination) -> None:
    """The remembered checkpoint (R14). The file was given by the reader: one that cannot be used stops everything."""
    if x.state is None:
        return
    remembered, checkpoint, link = x.state.checkpoint, x.checkpoint, x.link
    if checkpoint is None:
        return
    if remembered.origin != checkpoint.origin:
        x.error("E_ROLLBACK", "the state file remembers another origin", "state")
    elif remembered.size > checkpoint.size:
        x.error(
            "E_ROLLBACK", f"size {remembered.size} is remembered, and this is size {checkpoint.size}", "state"
        )
    elif remembered.size == checkpoint.size:
        if remembered.root != checkpoint.root:
            _fork(x, "the same size with another root")
    elif remembered.size > 0:
        hashes = x.consistency.get(remembered.size)
        if link is not None and (link.origin, link.old, link.size) == (
            checkpoint.origin,
            remembered.size,
            checkpoint.size,
        ):
            hashes = link.hashes
        if hashes is not None:
            _joined(x, remembered, checkpoint, hashes)
        elif x.quorum_met:
            x.warn("W_UNLINKED", f"no proof leads from size {remembered.size} to this one", "state")
            x.leave("unlinked", size=str(remembered.size))
        else:
            x.error(
                "E_ROLLBACK",
                f"no proof leads from size {remembered.size} to this one, and no quorum has checked it",
                "state",
            )


def _joined(
    x: Examination, remembered: Checkpoint, checkpoint: Checkpoint, hashes: tuple[bytes, ...]
) -> None:
    try:
        merkle.verify_consistency(remembered.size, checkpoint.size, remembered.root, checkpoint.root, hashes)
    except Refused as error:
        if error.code == "E_INCONSISTENT":
            _fork(
                x, f"the tree of size {remembered.size} is not the beginning of this one, by the proof given"
            )
        else:
            x.refused(error, "state")


def _fork(x: Examination, detail: str) -> None:
    """Two signed notes that exclude each other, or a false proof between them: both notes are kept."""
    x.error("E_INCONSISTENT", detail, "state")
    if x.state is not None:
        x.evidence += [x.state.note, bytes(x.members["checkpoint"])]
