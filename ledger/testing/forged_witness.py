"""Forged bundles of group W: checkpoints that nobody else vouches for, memories that do not fit, unusable trust files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ledger.kernel import canonical, merkle
from ledger.kernel.checkpoint import Checkpoint, TermNote
from ledger.kernel.digest import ZERO, sha256
from ledger.kernel.note import Note, cosign_text
from ledger.testing.forge import (
    AUDITOR,
    NAME,
    ORIGIN,
    REGISTRARS,
    Bends,
    Forge,
    signer,
    trust_file,
    vkey,
)
from ledger.testing.forgery import (
    Album,
    cosigned,
    golden,
    json_edit,
    member,
    note_edit,
    parts,
    swap,
)
from ledger.testing.story import play
from ledger.verify.link import Link, make_link

UNDECIDED = "UNVERIFIABLE"


def add(album: Album) -> None:
    _witnesses(album)
    _memory(album)
    _trust(album)


def _witnesses(album: Album) -> None:
    album.add("W01", "no-cosignature", "E_QUORUM", cosigned(()), expect=UNDECIDED)
    album.add("W02", "unknown-witnesses-only", "E_QUORUM", cosigned(("w8", "w9", AUDITOR)), expect=UNDECIDED)
    both = partial(trust_file, quorum="group outside all w1 w2\nquorum outside")
    album.add(
        "W03",
        "one-witness-three-times",
        "E_QUORUM",
        cosigned(("w1", "w1", "w1", AUDITOR)),
        expect=UNDECIDED,
        trust=both,
    )
    album.add("W03", "two-witnesses", "", cosigned(("w1", "w2", AUDITOR)), expect="VERIFIED", trust=both)
    album.add("W05", "cosigned-at-another-size", "E_QUORUM E_SIG", note_edit(_moved))
    album.add(
        "W06", "same-key-other-origin", "E_ORIGIN", lambda: play(Forge(origin=f"{NAME}/1")).parts().pack()
    )
    album.add(
        "W07",
        "extension-line-after-signing",
        "E_CHECKPOINT E_SIG",
        note_edit(lambda note: Note(note.text + "extra\n", note.signatures)),
    )
    album.add(
        "W07", "extension-line-signed", "E_CHECKPOINT", lambda: golden().parts(checkpoint=_extended()).pack()
    )
    album.add("W10", "history-made-anew-without-witnesses", "E_QUORUM", _made_anew, expect=UNDECIDED)
    album.add("W11", "entries-of-one-checkpoint-heads-of-another", "E_INCOMPLETE E_MIXED E_TRUNCATED", _mixed)
    album.add(
        "W11",
        "older-entries-under-the-newest-checkpoint",
        "E_CASE_MISMATCH E_INCOMPLETE E_MANIFEST E_MIXED",
        _older_under_newest,
    )
    album.add("W13", "cosigned-at-time-zero", "E_TIME_BOUND", note_edit(partial(_recosigned, at=0)))
    album.add("W13", "cosigned-before-the-seal", "E_TIME_BOUND", cosigned(("w1", AUDITOR), after_s=-301))
    album.add(
        "W13",
        "cosigned-a-little-before-the-seal",
        "",
        cosigned(("w1", AUDITOR), after_s=-200),
        expect="VERIFIED",
    )
    album.add(
        "W19",
        "term-note-as-checkpoint",
        "E_CHECKPOINT E_CONTEXT E_ORIGIN",
        lambda: golden().parts(checkpoint=_termnote_edit()).pack(),
    )


def _moved(note: Note) -> Note:
    forge = golden()
    other = Note.parse(forge.checkpoint(forge.labels["seal-1"] + 1))
    return Note(note.text, (note.signatures[0], *other.signatures[1:]))


def _recosigned(note: Note, *, at: int) -> Note:
    lines_ = [cosign_text(note.text, f"{name}.example.com", signer(name), at) for name in ("w1", AUDITOR)]
    return Note(note.text, (note.signatures[0], *lines_))


def _extended() -> bytes:
    forge = golden()
    size = len(forge.entries)
    text = Checkpoint(ORIGIN, size, merkle.tree_root(forge.leaves)).text() + "complete=true\n"
    return forge.checkpoint(size, text=text)


def _termnote_edit() -> bytes:
    return golden().checkpoint(1, text=TermNote(ORIGIN, 2, 5, ZERO, ZERO).text())


def _made_anew() -> bytes:
    forge = play(Forge(Bends(event={"payment": member("data.amount", 771)})))
    return forge.parts(checkpoint=forge.checkpoint(len(forge.entries), cosigners=())).pack()


def _mixed() -> bytes:
    forge, taken = golden(), parts()
    older = forge.parts(size=forge.labels["seal-2"] + 1)
    return taken.with_file("heads.json", older.files["heads.json"]).pack()


def _older_under_newest() -> bytes:
    forge = golden()
    older = forge.parts(size=forge.labels["seal-2"] + 1)
    return older.with_file("checkpoint", parts().files["checkpoint"]).pack()


def _memory(album: Album) -> None:
    forge = golden()
    size = len(forge.entries)
    early = forge.labels["seal-1"] + 1
    linked = partial(_bundle, remembered=(early,))

    def remember(at: int) -> Callable[[], bytes]:
        return partial(forge.checkpoint, at)

    none = partial(trust_file, quorum="quorum none")
    fork = play(Forge(Bends(event={"stage": member("data.stage", "litigation")})))
    album.add(
        "W09",
        "same-size-other-root",
        "E_INCONSISTENT",
        lambda: parts().pack(),
        state=partial(fork.checkpoint, size),
    )
    album.add(
        "W09",
        "smaller-tree-is-no-beginning",
        "E_INCONSISTENT",
        linked,
        state=lambda: _forked_early().checkpoint(early),
    )
    album.add("W12", "proof-from-size-zero", "E_INCONSISTENT E_PROOF_SHAPE", lambda: _consistency(0, []))
    album.add("W12", "empty-proof", "E_INCONSISTENT E_PROOF_SHAPE", lambda: _consistency(early, []))
    album.add(
        "W12", "proof-from-the-size-itself", "E_INCONSISTENT E_PROOF_SHAPE", lambda: _consistency(size, [])
    )
    album.add("W12", "proof-reversed", "E_INCONSISTENT E_PROOF_SHAPE", _reversed, state=remember(early))
    album.add(
        "W15",
        "state-of-another-origin",
        "E_ROLLBACK",
        lambda: parts().pack(),
        expect=UNDECIDED,
        state=lambda: play(Forge(origin=f"{NAME}/1")).checkpoint(early),
    )
    album.add(
        "W15",
        "state-is-newer",
        "E_ROLLBACK",
        lambda: parts(size=early).pack(),
        expect=UNDECIDED,
        state=remember(size),
    )
    album.add(
        "W15",
        "state-is-older-unlinked",
        "",
        lambda: parts().pack(),
        expect="VERIFIED",
        state=remember(early),
        warnings="W_UNLINKED",
    )
    album.add(
        "W15",
        "state-is-older-unlinked-unwitnessed",
        "E_ROLLBACK",
        lambda: parts().pack(),
        expect=UNDECIDED,
        state=remember(early),
        trust=none,
        warnings="W_UNWITNESSED",
    )
    album.add(
        "W15",
        "state-is-older-linked",
        "",
        linked,
        expect="VERIFIED",
        state=remember(early),
        trust=none,
        warnings="W_UNWITNESSED",
    )
    album.add("W15", "state-is-the-same", "", lambda: parts().pack(), expect="VERIFIED", state=remember(size))
    album.add(
        "W15",
        "state-cut-short",
        "",
        lambda: parts().pack(),
        expect="exit 3",
        state=lambda: forge.checkpoint(early)[:-20],
    )
    album.add("W15", "state-empty", "", lambda: parts().pack(), expect="exit 3", state=lambda: b"")
    album.add(
        "W15",
        "state-signed-by-a-stranger",
        "",
        lambda: parts().pack(),
        expect="exit 3",
        state=lambda: play(Forge(log="stranger")).checkpoint(early),
    )
    _links(album, early, size)


def _links(album: Album, early: int, size: int) -> None:
    """A link file in the place of the bundle's own proof, for a reader whom no witness helps."""
    forge = golden()
    given: dict[str, Any] = {
        "state": partial(forge.checkpoint, early),
        "trust": partial(trust_file, quorum="quorum none"),
    }

    def node(lo: int, hi: int) -> bytes:
        return merkle.tree_root(forge.leaves[lo:hi])

    def link(change: Callable[[Link], Link]) -> Callable[[], bytes]:
        return lambda: change(Link.parse(make_link(ORIGIN, early, size, node))).encode()

    whole = link(lambda made: made)
    backwards = link(lambda made: replace(made, hashes=made.hashes[::-1]))
    album.add("W12", "link-joins-them", "", _bundle, expect="VERIFIED", link=whole, **given)
    album.add("W12", "link-reversed", "E_INCONSISTENT E_PROOF_SHAPE", _bundle, link=backwards, **given)
    album.add(
        "W12",
        "link-of-another-origin",
        "E_ROLLBACK",
        _bundle,
        expect=UNDECIDED,
        link=link(lambda made: replace(made, origin=f"{NAME}/1")),
        **given,
    )
    album.add(
        "W12",
        "link-from-another-size",
        "E_ROLLBACK",
        _bundle,
        expect=UNDECIDED,
        link=partial(make_link, ORIGIN, early - 1, size, node),
        **given,
    )
    album.add("W12", "link-is-none", "", _bundle, expect="exit 3", link=lambda: b"{}", **given)


def _bundle(**wanted: Any) -> bytes:
    return parts(**wanted).pack()


def _forked_early() -> Forge:
    return play(Forge(Bends(event={"debt": member("data.fees", 0)})))


def _consistency(size: int, hashes: list[str]) -> bytes:
    proofs = canonical.dumps({"proofs": [{"from": size, "hashes": hashes}]})
    return parts().with_file("consistency.json", proofs).pack()


def _reversed() -> bytes:
    taken = parts(remembered=(golden().labels["seal-1"] + 1,))
    change = json_edit(lambda value: value["proofs"][0]["hashes"].reverse())
    return taken.with_file("consistency.json", change(taken.files["consistency.json"])).pack()


def _trust(album: Album) -> None:
    def text(old: bytes, new: bytes) -> Callable[[], bytes]:
        return lambda: swap(old, new)(trust_file())

    rows: dict[str, Callable[[], bytes]] = {
        "quorum-above-its-members": partial(trust_file, quorum="group outside 3 w1 w2\nquorum outside"),
        "quorum-of-an-unknown-name": partial(trust_file, quorum="quorum outside"),
        "group-without-members": partial(trust_file, quorum="group outside any\nquorum outside"),
        "no-quorum-line": partial(trust_file, quorum=""),
        "two-quorum-lines": partial(trust_file, quorum="quorum none\nquorum none"),
        "further-key": text(b"skew_s", b"late_s = 1\nskew_s"),
        "key-missing": text(b"skew_s = 300\n", b""),
        "newer-format": text(b"trust 1", b"trust 2"),
        "age-below-zero": text(b"max_age_s = 0", b"max_age_s = -1"),
        "age-as-text": text(b"max_age_s = 0", b'max_age_s = "0"'),
        "skew-true": text(b"skew_s = 300", b"skew_s = true"),
        "auditor-is-a-witness": partial(trust_file, auditors=("w1",)),
        "auditor-twice": partial(trust_file, auditors=(AUDITOR, AUDITOR)),
        "auditor-with-a-log-key": text(vkey(AUDITOR).format().encode(), vkey("log", 1).format().encode()),
        "registrar-twice": lambda: _registrar_twice(),
        "registrar-of-small-order": text(
            b'registrars = ["', b'registrars = ["' + b"01" + b"00" * 31 + b'", "'
        ),
        "registrar-in-upper-case": lambda: _upper_registrars(),
        "post-quantum-witness": lambda: _post_quantum(),
        "not-toml": lambda: b"\xff\xfe",
        "empty": lambda: b"",
        "nested-too-deep": lambda: b"format = " + b"[" * 100_000,
    }
    for flaw, trust in rows.items():
        album.add("W14", f"trust-{flaw}", "", lambda: parts().pack(), expect="exit 3", trust=trust)
    album.add(
        "W14",
        "trust-quorum-none",
        "",
        lambda: parts().pack(),
        expect="VERIFIED",
        trust=partial(trust_file, quorum="quorum none"),
        warnings="W_UNWITNESSED",
    )
    album.add(
        "W14",
        "trust-no-auditors",
        "",
        lambda: parts().pack(),
        expect="VERIFIED",
        trust=partial(trust_file, auditors=()),
        warnings="W_UNAUDITED",
    )
    album.add(
        "W14",
        "trust-pins-other-registrars",
        "E_KEY_UNKNOWN",
        lambda: parts().pack(),
        trust=partial(trust_file, pinned=("registrar 1", "registrar 9")),
    )
    album.add(
        "W14",
        "trust-pins-fewer-registrars",
        "E_KEY_UNKNOWN",
        lambda: parts().pack(),
        trust=partial(trust_file, pinned=REGISTRARS[:2]),
    )
    album.add(
        "W14",
        "trust-pins-no-registrars",
        "",
        lambda: parts().pack(),
        expect="VERIFIED",
        trust=partial(trust_file, pinned=()),
    )


def _registrar_twice() -> bytes:
    name = signer(REGISTRARS[0]).public_key.hex().encode()
    return swap(b'"' + name + b'"', b'"' + name + b'", "' + name + b'"')(trust_file())


def _upper_registrars() -> bytes:
    name = signer(REGISTRARS[0]).public_key.hex()
    return swap(name.encode(), name.upper().encode())(trust_file())


def _post_quantum() -> bytes:
    name, raw = "w2.example.com", bytes([6]) + bytes(1312)
    key_id = sha256(name.encode() + b"\n" + raw)[:4].hex()
    return swap(vkey("w2").format().encode(), f"{name}+{key_id}+{canonical.b64(raw)}".encode())(trust_file())
