"""Forged bundles of groups B and Z: bytes that two readers could read differently, and containers that lie."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from struct import pack_into
from typing import Any

from ledger.kernel import bundle, canonical
from ledger.testing.forge import Parts
from ledger.testing.forgery import Album, bent, edited, joined, json_edit, lines, member, parts, swap

ENTRIES = "entries.jsonl"
_MEMBERS = ("checkpoint", ENTRIES, "inclusion.json", "heads.json", "findings.json")


def add(album: Album) -> None:
    album.add(
        "B00", "nothing", "", lambda: parts().pack(), expect="VERIFIED", warnings="W_REDACTED W_KEY_WINDOW"
    )
    _spellings(album)
    _values(album)
    _empties(album)
    _names(album)
    _containers(album)
    _manifests(album)


def _first_case_line(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    items = lines(data)
    at = next(place for place, line in enumerate(items) if b"case.registered" in line)
    items[at] = change(items[at])
    return joined(items)


def _on_line(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: edited(ENTRIES, lambda data: _first_case_line(data, change))


def _raw(label: str, old: bytes, new: bytes) -> Callable[[], bytes]:
    """The event's bytes bent before they are signed."""
    return lambda: bent(raw={label: swap(old, new)})


def _spellings(album: Album) -> None:
    album.add("B02", "entry-keys-reordered", "E_LEAF_BINDING E_NONCANONICAL", _on_line(_reorder))
    album.add(
        "B02",
        "entry-pretty-printed",
        "E_LEAF_BINDING E_NONCANONICAL",
        _on_line(swap(b'"event":{', b'"event": {')),
    )
    album.add(
        "B03",
        "duplicate-key-signed",
        "E_DUP_KEY",
        _raw("call-1", b'"outcome":"no_answer"', b'"outcome":"no_answer","outcome":"busy"'),
    )
    album.add(
        "B04",
        "duplicate-key-behind-an-escape",
        "E_DUP_KEY E_NONCANONICAL",
        _raw("call-1", b'"outcome":"no_answer"', b'"outcome":"no_answer","o\\u0075tcome":"busy"'),
    )
    numbers = {
        "float": b"77100.0",
        "exponent": b"771e2",
        "minus-zero": b"-0",
        "nan": b"NaN",
        "beyond-2-53": b"9007199254740993",
    }
    for name, spelling in numbers.items():
        codes = "E_NONCANONICAL E_NUMBER E_SCHEMA" if name == "nan" else "E_NUMBER E_SCHEMA"
        album.add(
            "B05",
            f"amount-{name}",
            codes,
            _raw("payment", b'"amount":77100,"currency"', b'"amount":' + spelling + b',"currency"'),
        )
    album.add("B06", "byte-order-mark", "E_ENCODING", _on_line(lambda line: b"\xef\xbb\xbf" + line))
    album.add(
        "B06",
        "utf-16",
        "E_ENCODING",
        lambda: edited("findings.json", lambda data: data.decode().encode("utf-16")),
    )
    album.add(
        "B06", "newline-after-json", "E_NONCANONICAL", lambda: edited("heads.json", lambda data: data + b"\n")
    )
    album.add("B06", "nul-after-entry", "E_ENCODING E_NONCANONICAL", _on_line(lambda line: line + b"\0"))
    album.add(
        "B07",
        "lone-surrogate-escape",
        "E_ENCODING",
        _raw("staff", b'"kind":"certificate"', b'"kind":"\\ud800"'),
    )
    album.add(
        "B09",
        "decomposed-accent",
        "E_ENCODING E_NONCANONICAL E_SCHEMA",
        _raw("call-1", b'"actorrole":"collector"', '"actorrole":"cafe\u0301"'.encode()),
    )
    album.add(
        "B09",
        "cyrillic-letter-in-an-identifier",
        "E_NONCANONICAL E_SCHEMA",
        _raw("call-1", b'"tenantid":"bank"', '"tenantid":"b\u0430nk"'.encode()),
    )
    for name, text in {
        "bidi-override": "\u202e",
        "zero-width-space": "\u200b",
        "right-to-left-mark": "\u200f",
    }.items():
        album.add(
            "B10",
            f"{name}-in-the-clear",
            "E_ENCODING",
            _raw("key-revoked", b'"reason":"laptop lost"', f'"reason":"laptop {text}lost"'.encode()),
        )


def _values(album: Album) -> None:
    album.add(
        "B11",
        "nested-a-hundred-thousand-deep",
        "E_LIMIT",
        lambda: edited("findings.json", lambda _: b"[" * 100_000 + b"]" * 100_000),
    )
    album.add(
        "B11",
        "deep-entry",
        "E_LIMIT",
        _raw("call-1", b'"purpose":"interactive"', b'"purpose":' + b"[" * 60 + b"]" * 60),
    )
    keys = b",".join(b'"k%06d":0' % number for number in range(1_000_000))
    album.add("B11", "a-million-keys", "E_LIMIT", lambda: edited("heads.json", lambda _: b"{" + keys + b"}"))
    album.add(
        "B11",
        "a-line-of-twenty-megabytes",
        "E_LIMIT",
        lambda: edited(ENTRIES, lambda data: data + b'"' + b"a" * 20_000_000 + b'"\n'),
    )
    album.add(
        "B12",
        "unknown-member-in-an-event",
        "E_SCHEMA",
        lambda: bent(event={"call-1": member("mood", "good")}),
    )
    album.add(
        "B12",
        "unknown-member-in-a-payload",
        "E_SCHEMA",
        lambda: bent(event={"call-1": member("data.mood", "good")}),
    )
    album.add(
        "B12", "unknown-member-in-an-entry", "E_SCHEMA", _on_line(lambda line: line[:-1] + b',"zebra":1}')
    )
    album.add(
        "B12",
        "newer-version-of-a-type",
        "E_VERSION",
        lambda: bent(event={"call-1": _version_2}),
        expect="UNVERIFIABLE",
    )
    album.add(
        "B12", "type-not-known-yet", "E_VERSION", lambda: bent(event={"call-1": _fax}), expect="UNVERIFIABLE"
    )
    album.add(
        "B12",
        "newer-bundle-format",
        "E_VERSION",
        lambda: _manifest(lambda value: member("format", "duecourse bundle 2")(value)),
        expect="UNVERIFIABLE",
    )
    times = {
        "week-date": "2026-W10-1T01:00:00.000000Z",
        "comma": "2026-03-02T01:00:00,000000Z",
        "offset": "2026-03-02T01:00:00.000000+00:00",
        "seven-digits": "2026-03-02T01:00:00.0000000Z",
        "second-60": "2026-03-02T01:00:60.000000Z",
        "lower-case-z": "2026-03-02T01:00:00.000000z",
        "no-such-day": "2026-02-30T01:00:00.000000Z",
    }
    for name, spelling in times.items():
        album.add(
            "B15", f"time-with-{name}", "E_NONCANONICAL E_SCHEMA", _bend_event("call-1", "time", spelling)
        )
    album.add(
        "B16",
        "hash-in-upper-case",
        "E_NONCANONICAL E_SCHEMA",
        lambda: edited("inclusion.json", lambda data: data.upper().replace(b"HASHES", b"hashes")),
    )
    album.add(
        "B16", "hash-with-a-space", "E_NONCANONICAL E_SCHEMA", lambda: edited("inclusion.json", _spaced)
    )
    album.add(
        "B16",
        "uuid-in-braces",
        "E_NONCANONICAL E_SCHEMA",
        _bend_event("call-1", "data.contact_point", "{00000000-0000-8000-8000-000000000000}"),
    )
    album.add(
        "B16",
        "uuid-in-upper-case",
        "E_NONCANONICAL E_SCHEMA",
        _bend_event("call-1", "data.contact_point", "00000000-0000-8000-8000-00000000000A"),
    )
    album.add("B18", "true-for-1", "E_SCHEMA", _bend_event("payment", "data.amount", True))
    album.add("B18", "text-for-a-number", "E_SCHEMA", _bend_event("payment", "data.amount", "77100"))
    album.add(
        "B18", "true-for-an-index", "E_SCHEMA E_NONCANONICAL", _on_line(swap(b'"term":1', b'"term":true'))
    )


def _bend_event(label: str, path: str, value: Any) -> Callable[[], bytes]:
    return lambda: bent(event={label: member(path, value)})


def _reorder(line: bytes) -> bytes:
    entry = canonical.decode(line)
    head = b'{"term":%d,' % entry.pop("term")
    return head + canonical.dumps(entry)[1:]


def _spaced(data: bytes) -> bytes:
    return data[:20] + b" " + data[21:]


def _version_2(event: dict[str, Any]) -> None:
    event |= {"dataschema": "urn:duecourse:contact.call_placed:2", "type": "duecourse.contact.call_placed.v2"}


def _fax(event: dict[str, Any]) -> None:
    event |= {"dataschema": "urn:duecourse:contact.fax_sent:1", "type": "duecourse.contact.fax_sent.v1"}


def _empties(album: Album) -> None:
    for name in (*_MEMBERS, "disclosures.jsonl"):
        for shape, data in {"empty": b"", "null": b"null", "list": b"[]", "object": b"{}"}.items():
            if name == "disclosures.jsonl" and shape == "empty":
                continue  # nothing opened is an honest bundle
            codes = {
                "checkpoint": "E_CHECKPOINT E_ENCODING E_SCHEMA",
                ENTRIES: "E_INCOMPLETE E_NONCANONICAL E_SCHEMA",
                "disclosures.jsonl": "E_NONCANONICAL E_SCHEMA",
            }.get(name, "E_SCHEMA E_INCOMPLETE")
            album.add(
                "B17",
                f"{name.partition('.')[0]}-is-{shape}",
                codes,
                partial(_replaced, name, data),
            )
    for shape, data in {"empty": b"", "null": b"null", "list": b"[]", "object": b"{}"}.items():
        album.add("B17", f"manifest-is-{shape}", "E_SCHEMA", partial(_with_manifest, data))


def _replaced(name: str, data: bytes) -> bytes:
    return edited(name, lambda _: data)


def _with_manifest(data: bytes) -> bytes:
    return parts().pack(data)


def _cut(at: int) -> bytes:
    return parts().pack()[:at]


def _container(files: list[tuple[str, bytes]]) -> bytes:
    return bundle.write_container(files)


def _files() -> list[tuple[str, bytes]]:
    taken = parts()
    return [("manifest.json", taken.manifest()), *taken.files.items()]


def _named(name: str, *, listed: bool) -> bytes:
    """The golden bundle with a further member of this name."""
    taken = parts().with_file(name, b"hello")
    return taken.pack(None if listed else parts().manifest())


def _names(album: Album) -> None:
    names = {
        "climbing-name": "../../x",
        "absolute-name": "/abs",
        "drive-letter": "C:\\x",
        "backslash": "dir\\win",
        "nul-in-a-name": "a\0b",
    }
    for flaw, name in names.items():
        album.add("Z01", flaw, "E_PATH", partial(_named, name, listed=False))
    album.add(
        "Z05",
        "name-twice",
        "E_DUP_NAME",
        lambda: _container([*_files(), ("checkpoint", parts().files["checkpoint"])]),
    )
    for name in ("trust.toml", "policy.json", "trusted_keys", ".verifyrc", "keys/log.pem"):
        for listed in (False, True):
            flaw = f"own-{name.strip('.').replace('/', '-')}{'-listed' if listed else ''}"
            album.add("Z13", flaw, "E_EXTRA_FILE", partial(_named, name, listed=listed))


def _patched(offset_of: Callable[[bytes], int], kind: str, value: int) -> Callable[[], bytes]:
    def make() -> bytes:
        data = bytearray(parts().pack())
        pack_into(kind, data, offset_of(bytes(data)), value)
        return bytes(data)

    return make


def _local(data: bytes) -> int:
    return data.index(b"PK\3\4", 4)


def _central(data: bytes) -> int:
    return data.index(b"PK\1\2")


def _containers(album: Album) -> None:
    header = "E_CONTAINER"
    album.add(
        "Z02", "symlink-attribute", header, _patched(lambda data: _central(data) + 38, "<I", 0xA1ED0000)
    )
    album.add(
        "Z02", "unix-device-attribute", header, _patched(lambda data: _central(data) + 38, "<I", 0x21B60000)
    )
    album.add("Z03", "deflated-in-one-header", header, _patched(lambda data: _local(data) + 8, "<H", 8))
    album.add(
        "Z03",
        "five-gigabytes-declared",
        "E_CONTAINER E_LIMIT",
        _patched(lambda data: _local(data) + 22, "<I", 0xFFFFFFFF),
    )
    album.add("Z08", "junk-before-the-first-header", header, lambda: b"%PDF-1.7\n" + parts().pack())
    album.add("Z08", "junk-after-the-end", header, lambda: parts().pack() + b"<html>")
    album.add("Z08", "second-archive-appended", header, lambda: parts().pack() + parts().pack())
    album.add("Z08", "gap-between-members", header, _gap)
    album.add("Z08", "end-record-with-a-comment", header, lambda: parts().pack()[:-2] + b"\x02\x00hi")
    size = len(parts().pack())
    for at in range(0, size, 1024):
        album.add("Z09", f"cut-at-{at:06d}", header, partial(_cut, at))
    album.add("Z12", "encrypted-flag", header, _patched(lambda data: _local(data) + 6, "<H", 1))
    album.add("Z12", "data-descriptor-flag", header, _patched(lambda data: _local(data) + 6, "<H", 8))
    album.add("Z12", "bzip2", header, _patched(lambda data: _local(data) + 8, "<H", 12))
    album.add("Z12", "zstandard", header, _patched(lambda data: _local(data) + 8, "<H", 93))
    album.add("Z12", "false-checksum", header, _patched(lambda data: _local(data) + 14, "<I", 1))
    album.add("Z12", "time-in-a-header", header, _patched(lambda data: _local(data) + 10, "<H", 1))


def _gap() -> bytes:
    data = parts().pack()
    at = _local(data)
    return data[:at] + b"\0" + data[at:]


def _manifest(change: Callable[[dict[str, Any]], Any], taken: Parts | None = None) -> bytes:
    taken = taken or parts()
    return taken.pack(json_edit(change)(taken.manifest()))


def _twice(value: dict[str, Any]) -> None:
    value["files"].insert(1, {**value["files"][0], "sha256": "0" * 64})


def _lists_itself(value: dict[str, Any]) -> None:
    value["files"].insert(0, {"bytes": 1, "name": "manifest.json", "sha256": "0" * 64})


def _manifests(album: Album) -> None:
    album.add(
        "Z10",
        "member-not-in-the-manifest",
        "E_EXTRA_FILE",
        lambda: _manifest(lambda value: value["files"].pop() and None),
    )
    album.add("Z10", "manifest-entry-without-member", "E_MISSING_FILE", _without("packs/none@1.toml"))
    album.add(
        "Z10",
        "wrong-size",
        "E_MANIFEST",
        lambda: _manifest(lambda value: member("bytes", 7)(value["files"][1]) and None),
    )
    album.add(
        "Z10",
        "wrong-digest",
        "E_MANIFEST",
        lambda: _manifest(lambda value: member("sha256", "0" * 64)(value["files"][1]) and None),
    )
    album.add(
        "Z10", "member-left-out", "E_MISSING_FILE", lambda: parts().with_file("heads.json", None).pack()
    )
    album.add("Z11", "manifest-lists-itself", "E_MANIFEST", lambda: _manifest(_lists_itself))
    album.add("Z11", "name-listed-twice", "E_DUP_KEY E_MANIFEST", lambda: _manifest(_twice))
    album.add("Z11", "members-in-another-order", "E_CONTAINER E_MANIFEST", _disordered)
    album.add("Z11", "date-of-making", "E_SCHEMA", lambda: _manifest(member("made", "2026-03-02")))


def _without(name: str) -> Callable[[], bytes]:
    def make() -> bytes:
        taken = parts()
        return taken.with_file(name, None).pack(taken.manifest())

    return make


def _disordered() -> bytes:
    taken = parts()
    names = list(taken.files)
    names[1], names[2] = names[2], names[1]
    return Parts(
        taken.origin, taken.tree_size, taken.streams, {name: taken.files[name] for name in names}
    ).pack()
