"""Forged bundles of group S: signatures that do not hold, and keys that may not sign.

A flaw that is "signed" was made by somebody who holds the key; where witnesses cosign it too, the verifier alone can
see it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ledger.kernel import canonical
from ledger.kernel.flush import sign_flush
from ledger.kernel.note import Note, Signature
from ledger.testing.forge import (
    NAME,
    ORIGIN,
    REGISTRARS,
    Forge,
    signer,
    trust_file,
)
from ledger.testing.forgery import (
    Album,
    bent,
    edited,
    golden,
    member,
    note_edit,
    parts,
    swap,
)
from ledger.testing.story import CALL, play

ENTRIES = "entries.jsonl"
_ORDER = 2**252 + 27742317777372353535851937790883648493


def add(album: Album) -> None:
    _signatures(album)
    _keys(album)
    _checkpoint_lines(album)


def _signature(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def edit(proof: bytes) -> bytes:
        value = canonical.decode(proof)
        value["signature"] = canonical.b64(change(canonical.unb64(value["signature"])))
        return canonical.dumps(value)

    return edit


def _plus_order(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "little") + _ORDER
    return signature[:32] + s.to_bytes(32, "little")


def _proof(label: str, change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: bent(proof={label: change})


def _signatures(album: Album) -> None:
    album.add(
        "S01",
        "event-changed-old-signature",
        "E_SIG",
        lambda: bent(leaf={"payment": swap(b'"amount":77100,"c', b'"amount":77000,"c')}),
    )
    album.add(
        "S01",
        "event-changed-nothing-else",
        "E_SIG E_INCLUSION E_LEAF_BINDING",
        lambda: edited(ENTRIES, swap(b'"amount":77100,"c', b'"amount":77000,"c')),
    )
    for name in ("none", "HS256", "Ed448"):
        album.add(
            "S02",
            f"algorithm-{name}-in-the-proof",
            "E_ALG E_SCHEMA",
            _proof("call-1", swap(b'{"index"', b'{"alg":"%s","index"' % name.encode())),
        )
    album.add(
        "S02",
        "algorithm-in-the-event",
        "E_ALG E_SCHEMA",
        lambda: bent(event={"call-1": member("alg", "none")}),
    )
    flaws: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda _: b"",
        "zeros": lambda _: bytes(64),
        "of-63-bytes": lambda signature: signature[:63],
        "of-65-bytes": lambda signature: signature + b"\0",
        "with-s-plus-order": _plus_order,
    }
    for name, flaw in flaws.items():
        album.add("S03", f"signature-{name}", "E_SIG", _proof("call-1", _signature(flaw)))
    album.add("S04", "everything-by-a-stranger", "E_KEY_UNKNOWN", lambda: bent(signer={"call-1": "stranger"}))
    album.add(
        "S04",
        "whole-ledger-by-a-stranger",
        "E_KEY_UNKNOWN E_SIG",
        lambda: play(Forge(log="stranger")).parts().pack(),
    )
    album.add("S05", "stranger-under-the-log-s-key-id", "E_KEY_UNKNOWN E_SIG", _same_key_id)
    album.add(
        "S07", "approval-as-event-signature", "E_CONTEXT E_SIG", _proof("call-1", _signature(_approval))
    )
    album.add(
        "S08", "event-signature-as-checkpoint-signature", "E_CONTEXT E_KEY_SCOPE E_SIG", _event_as_checkpoint
    )
    album.add(
        "S10",
        "signed-for-another-origin",
        "E_CONTEXT E_ORIGIN E_SIG",
        _proof("payment", lambda proof: _other_origin(proof, "payment")),
    )
    album.add(
        "S10",
        "entry-of-another-origin",
        "E_CONTEXT E_ORIGIN",
        lambda: bent(entry={"payment": member("origin", f"{NAME}/1")}),
    )
    album.add(
        "S16",
        "checkpoint-of-the-predecessor",
        "E_ORIGIN E_SIG",
        lambda: play(Forge()).parts().pack(),
        trust=partial(trust_file, origin_key="successor"),
    )
    album.add(
        "S16",
        "checkpoint-of-the-successor",
        "E_KEY_UNKNOWN E_ORIGIN E_SIG",
        lambda: play(Forge(log="successor")).parts().pack(),
    )


def _same_key_id() -> bytes:
    taken = parts()
    note = Note.parse(taken.files["checkpoint"])
    honest = note.signatures[0]
    forged = Signature(honest.name, honest.key_id, signer("stranger").sign(note.text.encode()))
    return taken.with_file("checkpoint", Note(note.text, (forged, *note.signatures[1:])).encode()).pack()


def _approval(_: bytes) -> bytes:
    data = canonical.decode(golden().entries[golden().labels["founded"]])["event"]["data"]
    return canonical.unb64(data["approvals"][0]["signature"])


def _event_as_checkpoint() -> bytes:
    taken = parts()
    note = Note.parse(taken.files["checkpoint"])
    proof = canonical.decode(golden().entries[-1])["proof"]
    line = Signature(ORIGIN, note.signatures[0].key_id, canonical.unb64(proof["signature"]))
    return taken.with_file("checkpoint", Note(note.text, (line, *note.signatures[1:])).encode()).pack()


def _other_origin(_: bytes, label: str) -> bytes:
    entry = golden().entries[golden().labels[label]]
    event = canonical.dumps(canonical.decode(entry)["event"])
    return sign_flush([event], f"{NAME}/7", "crm", signer("crm new"))[0]


def _keys(album: Album) -> None:
    album.add(
        "S11", "key-registered-only-later", "E_KEY_UNKNOWN", lambda: bent(signer={"complaint": "crm new"})
    )
    album.add(
        "S11",
        "key-used-after-its-revocation",
        "E_KEY_REVOKED",
        lambda: bent(then={"key-revoked": partial(_speak, key="crm")}),
    )
    album.add(
        "S13",
        "signed-before-the-revocation",
        "",
        lambda: parts().pack(),
        expect="VERIFIED",
        warnings="W_KEY_WINDOW",
    )
    album.add(
        "S14",
        "order-approved-by-one",
        "E_KEY_SCOPE E_SIG",
        lambda: bent(approvals={"key-added": lambda items: items[:1]}),
    )
    album.add(
        "S14",
        "order-approved-by-nobody",
        "E_KEY_SCOPE E_SCHEMA E_SIG",
        lambda: bent(approvals={"key-added": lambda _: []}),
    )
    album.add(
        "S14",
        "order-approved-by-strangers",
        "E_KEY_SCOPE E_KEY_UNKNOWN E_SIG",
        lambda: bent(approvals={"key-added": _strangers}),
    )
    album.add("S14", "order-changed-after-approval", "E_SIG", lambda: bent(approvals={"key-added": _worn}))
    album.add(
        "S14", "order-for-another-place", "E_CONTEXT", lambda: bent(order={"key-added": member("at", 0)})
    )
    album.add(
        "S14",
        "order-signed-by-a-producer-key",
        "E_KEY_SCOPE E_KEY_UNKNOWN",
        lambda: bent(signer={"key-added": "crm"}),
    )
    album.add(
        "S15",
        "another-tenant",
        "E_KEY_SCOPE",
        lambda: bent(event={"call-1": member("tenantid", "other-bank")}),
    )
    album.add("S15", "another-capacity", "E_KEY_SCOPE", lambda: bent(event={"call-1": _for_a_debt_buyer}))
    album.add(
        "S15", "type-outside-the-registration", "E_KEY_SCOPE", lambda: bent(then={"complaint": _crm_calls})
    )
    album.add(
        "S15",
        "epoch-never-opened",
        "E_PRODUCER_GAP",
        lambda: bent(then={"complaint": partial(_speak, producer="gateway", epoch=3)}),
    )


def _speak(forge: Forge, key: str = "", producer: str = "crm", epoch: int = 0) -> None:
    """One more event out of the line of the story."""
    if producer == "crm":
        forge.event("extra", "crm", "case.stage_changed", {"stage": "overdue"}, epoch=epoch)
    else:
        data = {
            **CALL,
            "kind": "reminder",
            "medium": "sms",
            "template": "reminder@3",
            "visibility": "private",
        }
        data = {name: value for name, value in data.items() if name not in ("outcome", "purpose")}
        forge.event("extra", producer, "contact.message_sent", data, epoch=epoch)
    forge.flush(key or None)


def _crm_calls(forge: Forge) -> None:
    waiting, forge.waiting = forge.waiting, []
    forge.event("extra", "crm", "contact.call_placed", CALL)
    forge.flush()
    forge.waiting = waiting


def _for_a_debt_buyer(event: dict[str, Any]) -> None:
    event["actorcapacity"] = "debt_buyer"


def _strangers(items: list[dict[str, str]]) -> list[dict[str, str]]:
    names = ("stranger 1", "stranger 2")
    forged = [{"key": signer(name).public_key.hex(), "signature": items[0]["signature"]} for name in names]
    return sorted(forged, key=lambda item: item["key"])


def _worn(items: list[dict[str, str]]) -> list[dict[str, str]]:
    signature = signer(REGISTRARS[0]).sign(b"duecourse/approval/v1\nsomething else\n")
    return [{**item, "signature": canonical.b64(signature)} for item in items]


def _with_line(line: bytes) -> bytes:
    return edited("checkpoint", lambda data: data + line)


def _checkpoint_lines(album: Album) -> None:
    def garbage(note: Note) -> Signature:
        return Signature(note.signatures[1].name, note.signatures[1].key_id, bytes(72))

    album.add(
        "S17",
        "second-line-of-a-witness-is-garbage",
        "E_SIG",
        note_edit(lambda note: Note(note.text, (*note.signatures, garbage(note)))),
    )
    album.add(
        "S17",
        "first-line-of-a-witness-is-garbage",
        "E_SIG",
        note_edit(lambda note: Note(note.text, (note.signatures[0], garbage(note), *note.signatures[1:]))),
    )
    stranger = Signature("stranger.example.com", b"\1\2\3\4", bytes(64)).line()
    album.add(
        "S18",
        "ten-thousand-signatures",
        "E_LIMIT",
        lambda: edited("checkpoint", lambda data: data + stranger * 10_000),
    )
    album.add(
        "S18",
        "sixty-five-signatures",
        "E_LIMIT",
        lambda: edited("checkpoint", lambda data: data + stranger * 62),
    )
    for flaw, name in {"plus": "w1+x", "no-break-space": "w1\u00a0x", "line-separator": "w1\u2028x"}.items():
        line = f"— {name} {canonical.b64(bytes(76))}\n".encode()
        album.add(
            "S19",
            f"key-name-with-a-{flaw}",
            "E_CHECKPOINT E_ENCODING",
            partial(_with_line, line),
        )
