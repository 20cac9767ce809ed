"""What a log signs in notes: checkpoints, terms and receipts; and whose cosignatures are enough.

A statement that `open_statement` returns was signed by the log key, under its own first line, in its one
spelling. That the tree behind it is right is proved elsewhere (`docs/formats/` 3, 4, 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Protocol, Self, TypeVar

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical, keys
from ledger.kernel.note import COSIGNATURE, ED25519, Note, VerifierKey, is_key_name, sign_text, verify_note

TERM_LABEL: Final = "duecourse term v1"
RECEIPT_LABEL: Final = "duecourse receipt v1"
NUMBER_MAX: Final = 2**63 - 1
EPOCH_MAX: Final = 2**31 - 1
POLICY_BYTES_MAX: Final = 256 * 1024
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_FEED = re.compile(r"([a-z0-9][a-z0-9.-]{0,62})/(0|[1-9][0-9]{0,9})")


class Statement(Protocol):
    """A text that the log signs under the name of its origin."""

    @property
    def origin(self) -> str: ...

    def text(self) -> str: ...

    @classmethod
    def parse_text(cls, text: str) -> Self: ...


S = TypeVar("S", bound=Statement)


def _lines(text: str, count: int, label: str | None) -> list[str]:
    """The lines of a statement, after its label."""
    lines = text.split("\n")
    first = lines[0]
    if label is None and first.startswith("duecourse "):
        raise Refused("E_CONTEXT", "a statement of another kind stands where a checkpoint should")
    if label is not None and first != label:
        raise Refused("E_CONTEXT", f"the first line is not '{label}'")
    if len(lines) != count + 1 or lines[-1] != "":
        raise Refused("E_CHECKPOINT", f"expected {count} lines, found {len(lines) - 1}")
    return lines[:-1] if label is None else lines[1:-1]


def _origin(value: str) -> str:
    if not is_key_name(value):
        raise Refused("E_CHECKPOINT", "an origin has no white space and no +")
    return value


def _number(value: str) -> int:
    if _DECIMAL.fullmatch(value) is None or int(value) > NUMBER_MAX:
        raise Refused("E_CHECKPOINT", "not a number in its one spelling")
    return int(value)


def _digest(value: str) -> bytes:
    if not canonical.is_digest(value):
        raise Refused("E_CHECKPOINT", "not 64 hex digits in lower case")
    return bytes.fromhex(value)


def _root(value: str) -> bytes:
    try:
        root = canonical.unb64(value)
    except Refused as error:
        raise Refused("E_CHECKPOINT", "a root is base64 in its one spelling") from error
    if len(root) != 32:
        raise Refused("E_CHECKPOINT", "a root is 32 bytes")
    return root


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of the tree of one log (C2SP tlog-checkpoint, without extension lines)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{canonical.b64(self.root)}\n"

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Refused E_CHECKPOINT, or E_CONTEXT where it is another statement of ours."""
        origin, size, root = _lines(text, 3, None)
        return cls(_origin(origin), _number(size), _root(root))


@dataclass(frozen=True, slots=True)
class TermNote:
    """A sequencer takes a term: from `next_index` on, after the entry whose leaf is `head` (formats 4)."""

    origin: str
    term: int
    next_index: int
    head: bytes
    holder: bytes

    def text(self) -> str:
        return (
            f"{TERM_LABEL}\n{self.origin}\n{self.term}\n{self.next_index}\n"
            f"{self.head.hex()}\n{self.holder.hex()}\n"
        )

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Refused E_CONTEXT for another label, else E_CHECKPOINT."""
        origin, term, index, head, holder = _lines(text, 6, TERM_LABEL)
        return cls(_origin(origin), _number(term), _number(index), _digest(head), _digest(holder))


@dataclass(frozen=True, slots=True)
class Receipt:
    """The log's word to a producer: this feed, up to `seq`, lies below `size` (formats 3)."""

    origin: str
    producerid: str
    epoch: int
    seq: int
    digest: bytes
    size: int
    root: bytes

    def text(self) -> str:
        return (
            f"{RECEIPT_LABEL}\n{self.origin}\n{self.producerid}/{self.epoch}\n{canonical.counter(self.seq)}\n"
            f"{self.digest.hex()}\n{self.size}\n{canonical.b64(self.root)}\n"
        )

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Refused E_CONTEXT for another label, else E_CHECKPOINT."""
        origin, feed, seq, digest, size, root = _lines(text, 7, RECEIPT_LABEL)
        match = _FEED.fullmatch(feed)
        if match is None or int(match[2]) > EPOCH_MAX or not canonical.is_counter(seq):
            raise Refused("E_CHECKPOINT", "a receipt names its feed and a counter")
        return cls(
            _origin(origin), match[1], int(match[2]), int(seq), _digest(digest), _number(size), _root(root)
        )


def sign_statement(statement: Statement, signer: keys.Signer) -> bytes:
    """The note of a statement, signed under the name of its origin."""
    text = statement.text()
    return Note(text, (sign_text(text, statement.origin, signer),)).encode()


def open_statement(data: bytes, log_key: VerifierKey, kind: type[S]) -> S:
    """The statement in a note, which the log key signed: nothing else is returned.

    Refused as notes and texts are, E_ORIGIN (of another log), E_CONTEXT (of another kind), E_SIG."""
    note = Note.parse(data)
    # The text is read before its signature only so that a flaw of spelling is named as one.
    statement = kind.parse_text(note.text)
    if statement.origin != log_key.name:
        raise Refused("E_ORIGIN", f"expected {log_key.name}, found {statement.origin}")
    if not verify_note(note, [log_key]):
        raise Refused("E_SIG", f"not signed by the key of {log_key.name}")
    return statement


# --- Policy: whose cosignatures are enough (C2SP tlog-policy) ---------------------------------------


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses by the policy's own names for them, groups in the order of their definition as
    (how many, of which members), and the quorum's name; None is `quorum none`."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str | None

    def satisfied(self, names: AbstractSet[str]) -> bool:
        """Are the witnesses of these names (the policy's) enough?"""
        if self.quorum is None:
            return True
        reached = {name for name in names if name in self.witnesses}
        # A group names only what stands above it, so one pass is enough.
        for group, (needed, members) in self.groups.items():
            if sum(member in reached for member in members) >= needed:
                reached.add(group)
        return self.quorum in reached


@dataclass
class _Draft:
    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[str, VerifierKey] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorums: list[str] = field(default_factory=list)

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(self._key(vkey, ED25519))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                key = self._key(vkey, COSIGNATURE)
                self._define(name)
                self.witnesses[name] = key
            case ["group", name, threshold, *members] if members:
                needed = self._threshold(threshold, len(members))
                for member in members:
                    self._known(member)
                    if member in self.members:
                        raise ConfigurationError(f"'{member}' is a member twice")
                    self.members.add(member)
                self._define(name)
                self.groups[name] = (needed, tuple(members))
            case ["quorum", name]:
                if name != "none":
                    self._known(name)
                self.quorums.append(name)
            case _:
                raise ConfigurationError("not a log, witness, group or quorum line")

    def _key(self, vkey: str, algorithm: int) -> VerifierKey:
        try:
            key = VerifierKey.parse(vkey)
        except Refused as error:
            raise ConfigurationError(f"not a usable verifier key: {error}") from error
        if key.algorithm != algorithm:
            raise ConfigurationError(f"a verifier key of type 0x{key.algorithm:02x} has another job")
        if any(key.public_key == other.public_key for other in (*self.logs, *self.witnesses.values())):
            raise ConfigurationError("one public key stands twice")
        return key

    def _define(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise ConfigurationError(f"'{name}' cannot be defined (again)")

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise ConfigurationError(f"'{name}' is not defined above")

    def _threshold(self, word: str, members: int) -> int:
        if word in ("any", "all"):
            return 1 if word == "any" else members
        if re.fullmatch(r"[1-9][0-9]{0,5}", word) is None or int(word) > members:
            raise ConfigurationError(f"'{word}' of {members} members is no threshold")
        return int(word)


def parse_policy(text: str) -> Policy:
    """A policy from its C2SP text. ConfigurationError names the line that is wrong."""
    if len(text) > POLICY_BYTES_MAX:
        raise ConfigurationError("the policy is too long")
    if any((c < " " and c not in "\t\n") or c == "\x7f" for c in text):
        raise ConfigurationError("the policy has control characters other than tab and newline")
    draft = _Draft()
    for number, line in enumerate(text.split("\n"), 1):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            draft.line(words)
        except ConfigurationError as error:
            raise ConfigurationError(f"policy line {number}: {error}") from error
    if len(draft.quorums) != 1:
        raise ConfigurationError("a policy has exactly one quorum line")
    quorum = draft.quorums[0]
    return Policy(tuple(draft.logs), draft.witnesses, draft.groups, None if quorum == "none" else quorum)
