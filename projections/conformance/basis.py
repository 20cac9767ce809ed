"""By what a shard's cases are judged: the packs that its registry adopted, as far as their bytes can be had.

A pack is known by its digest. One whose bytes are nowhere, or are not what was adopted, or that this release cannot
read, is left out and said to be missing: nothing is judged by a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from ledger.kernel.digest import sha256
from ledger.rules.evaluate import Binding
from ledger.rules.proof import Adoption, data_version, newest, open_pack, prepared
from ledger.rules.shapes import Filter, FrequencyCap, Pack, ResponseWithin, Rule
from ledger.rules.toml import PackRefused

# Bytes of a pack by id, version and digest (hex), or None. What it gives is compared with the digest.
Resolve = Callable[[str, str, str], bytes | None]


def nothing_at_hand(_pack: str, _version: str, _digest: str) -> None:
    """A `Resolve` that has no pack."""


def opened(adoption: Adoption, resolve: Resolve) -> Pack | None:
    """The adopted pack, or None where it cannot be had as it was adopted."""
    data = resolve(adoption.pack, adoption.version, adoption.digest)
    if data is None or sha256(data).hex() != adoption.digest:
        return None
    try:
        pack = open_pack(data, adoption.name)
    except PackRefused:
        return None
    return pack if pack.name == adoption.name else None


@dataclass(frozen=True)
class Basis:
    """Adoptions in the order of the registry, and those of their packs that are at hand, by `id@version`."""

    adoptions: tuple[Adoption, ...]
    packs: Mapping[str, Pack]
    _speaking: dict[frozenset[str], tuple[Pack, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, adoptions: Sequence[Adoption], resolve: Resolve, known: Mapping[str, Pack] | None = None
    ) -> Basis:
        """`known` are packs that were opened before, and need not be again where they are still what is adopted."""
        packs: dict[str, Pack] = {}
        for name, adoption in newest(adoptions).items():
            pack = (known or {}).get(name)
            if pack is None or sha256(pack.data).hex() != adoption.digest:
                pack = opened(adoption, resolve)
            if pack is not None:
                packs[name] = pack
        return cls(tuple(adoptions), packs)

    @property
    def missing(self) -> frozenset[str]:
        """Adopted packs that are not at hand."""
        return frozenset(adoption.name for adoption in self.adoptions) - self.packs.keys()

    @cached_property
    def mark(self) -> str:
        """Hex; the same for the same adoptions with the same packs at hand, zones and holidays. Where it changes, every
        case is judged anew."""
        said = [[*adoption, adoption.name in self.packs] for adoption in self.adoptions]
        return sha256(repr([data_version(), said]).encode()).hex()

    @cached_property
    def _prepared(self) -> tuple[tuple[Pack, ...], list[Binding]]:
        return prepared(self.packs, self.adoptions)

    @property
    def bindings(self) -> list[Binding]:
        """What binds, and from when."""
        return self._prepared[1]

    def speaking_of(self, types: frozenset[str]) -> tuple[Pack, ...]:
        """The packs, with those rules alone that speak of one of these types of events: the others have nothing to
        find in a case without them."""
        kept = self._speaking.get(types)
        if kept is None:
            kept = self._speaking[types] = tuple(
                replace(pack, rules=rules)
                for pack in self._prepared[0]
                if (rules := tuple(rule for rule in pack.rules if _speaks_of(rule, types)))
            )
        return kept

    @staticmethod
    def pausing(rule: Rule) -> frozenset[str]:
        """Types of events that move the due day of a rule on."""
        if not isinstance(rule.params, ResponseWithin):
            return frozenset()
        return frozenset(f"duecourse.{kind}" for entry in rule.params.pause for kind in entry.filter.types)

    @cached_property
    def leans(self) -> frozenset[str]:
        """Kinds of streams beside the case that some rule reads: `agency`, `staff`, `source`."""
        kinds: set[str] = set()
        for pack in self.packs.values():
            for rule in pack.rules:
                for part in _parts(rule):
                    if isinstance(part, FrequencyCap):
                        kinds.add("source")
                    elif isinstance(part, Filter):
                        kinds.update(name.partition(".")[0] for name in part.types)
                    stream = getattr(part, "stream", "")
                    if stream:
                        kinds.add(stream)
        return frozenset(kinds & {"agency", "staff", "source"})

    @cached_property
    def reach(self) -> int:
        """For how many dates after a day the count of a source for that day can matter."""
        caps = [
            part.dates
            for pack in self.packs.values()
            for rule in pack.rules
            for part in _parts(rule)
            if isinstance(part, FrequencyCap)
        ]
        return max(caps, default=1)


def _speaks_of(rule: Rule, types: frozenset[str]) -> bool:
    return any(not types.isdisjoint(f"duecourse.{name}" for name in entry.filter.types) for entry in rule.on)


def _parts(value: Any) -> Iterator[Any]:
    """A rule and everything that it is made of."""
    if is_dataclass(value):
        yield value
        for one in fields(value):
            yield from _parts(getattr(value, one.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _parts(one)
