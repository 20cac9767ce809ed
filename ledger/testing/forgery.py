"""What a forged bundle is: the bytes, named for their one flaw, and the verdict that they deserve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ledger.kernel import canonical
from ledger.kernel.note import Note
from ledger.testing.forge import Bends, Forge, Parts, trust_file
from ledger.testing.story import play


@dataclass(frozen=True, slots=True)
class Forgery:
    """One row. `codes`: at least one of them is among the errors; `warnings`: all of them are among the warnings.
    `expect` "exit 3" is a file of the reader's that cannot be used."""

    row: str
    flaw: str
    expect: str
    codes: frozenset[str]
    make: Callable[[], bytes]
    warnings: frozenset[str] = frozenset()
    trust: Callable[[], bytes] = trust_file
    state: Callable[[], bytes] | None = None
    link: Callable[[], bytes] | None = None
    at: str | None = None

    @property
    def name(self) -> str:
        return f"{self.row}-{self.flaw}"


@dataclass(slots=True)
class Album:
    """Forgeries in the order in which they were added."""

    forgeries: list[Forgery] = field(default_factory=list)

    def add(
        self,
        row: str,
        flaw: str,
        codes: str,
        make: Callable[[], bytes],
        *,
        expect: str = "REJECTED",
        warnings: str = "",
        **given: Any,
    ) -> None:
        self.forgeries.append(
            Forgery(row, flaw, expect, frozenset(codes.split()), make, frozenset(warnings.split()), **given)
        )


@lru_cache(maxsize=1)
def golden() -> Forge:
    """The story without a bend. Look, do not touch."""
    return play(Forge())


def parts(**wanted: Any) -> Parts:
    """The golden bundle, taken apart anew."""
    return golden().parts(**wanted)


def bent(wanted: Mapping[str, Any] | None = None, **bends: Any) -> bytes:
    """The bundle of a bent story: the flaw is signed, hashed and cosigned as if it were honest."""
    return play(Forge(Bends(**bends))).parts(**(wanted or {})).pack()


def edited(name: str, change: Callable[[bytes], bytes], **wanted: Any) -> bytes:
    """The golden bundle with one member changed, and a manifest that fits."""
    taken = parts(**wanted)
    return taken.with_file(name, change(taken.files[name])).pack()


def lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")[:-1]


def joined(items: Sequence[bytes]) -> bytes:
    return b"".join(item + b"\n" for item in items)


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replaces the one occurrence; a flaw that did not take is a fault of the forger."""

    def change(data: bytes) -> bytes:
        if data.count(old) < 1:
            raise AssertionError(f"nothing to forge: {old!r} is not there")
        return data.replace(old, new, 1)

    return change


def member(path: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Sets the member at a dotted path of an event, an order or an entry."""

    def change(target: dict[str, Any]) -> dict[str, Any]:
        inner = target
        *outer, last = path.split(".")
        for name in outer:
            inner = inner[name]
        inner[last] = value
        return target

    return change


def json_edit(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Changes a canonical JSON member as a value, and writes it canonically again."""

    def edit(data: bytes) -> bytes:
        value = canonical.decode(data)
        changed = change(value)
        return canonical.dumps(value if changed is None else changed)

    return edit


def note_edit(change: Callable[[Note], Note]) -> Callable[[], bytes]:
    """The golden bundle with its checkpoint note changed."""
    return lambda: edited("checkpoint", lambda data: change(Note.parse(data)).encode())


def cosigned(cosigners: Sequence[str], **given: Any) -> Callable[[], bytes]:
    """The golden bundle under a checkpoint with these cosigners."""

    def make() -> bytes:
        forge = golden()
        return forge.parts(
            checkpoint=forge.checkpoint(len(forge.entries), cosigners=cosigners, **given)
        ).pack()

    return make
