"""Steps 10 to 12: who might say it, who did, and when (formats 3, 5, 9; rules R16, R17, R25, R26)."""

from __future__ import annotations

from datetime import timedelta

from ledger.errors import Refused
from ledger.kernel import canonical
from ledger.kernel.digest import ZERO
from ledger.kernel.event import LEDGER
from ledger.kernel.registry import Registry
from ledger.verify.examination import Examination, Fact, listed

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
# Later than this after it was captured, an event came from a tool that was offline, or from one with a wrong clock.
_DELIVERY_US = 24 * 3600 * _SECOND
_LATE_US = 24 * 3600 * _SECOND
_CLOCK_CORRECTED = "duecourse.ledger.clock_corrected.v1"
_REJECTED = "duecourse.ledger.submission_rejected.v1"
_EQUIVOCATION = "duecourse.ledger.equivocation_seen.v1"

# What follows from keys, scope and epochs. After an administrative entry that is not understood here, these
# complaints may be this verifier's ignorance, and accuse nobody.
_REGISTRY_CODES = frozenset(
    {"E_CONTEXT", "E_KEY_REVOKED", "E_KEY_SCOPE", "E_KEY_UNKNOWN", "E_KEY_WEAK", "E_PRODUCER_GAP", "E_SIG"}
)


def registry_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(10) Registry and producers replayed in index order: approvals of every order; key and scope of every entry at
    its index."""
    assert x.manifest is not None
    assert x.log_key is not None
    registry = x.registry = Registry(x.manifest.origin, x.log_key.public_key)
    newer, applied = False, 0
    for place, fact in enumerate(x.facts):
        entry = x.own.get(place)
        try:
            if entry is not None:
                # An order costs signatures to judge: first of all it has to be the ledger's own word.
                x.flushes.verify(fact.proof, fact.digest, x.manifest.origin, LEDGER)
                registry.apply(entry)
                applied += 1
            else:
                registry.check_producer(fact.who, fact.proof.key, fact.index, fact.sequenced)
        except Refused as error:
            code = "E_VERSION" if newer and error.code in _REGISTRY_CODES else error.code
            x.error(code, error.detail, f"{fact.place} {error.where}".strip())
            newer |= error.code == "E_VERSION"
            x.newer |= newer
            if entry is not None and code != "E_VERSION":
                # What this order should have changed is unknown now, and so is all that follows from it.
                return "replayed", {"count": str(applied)}
    _pinned(x, registry)
    _later_revoked(x, registry)
    return "replayed", {"count": str(applied)}


def _pinned(x: Examination, registry: Registry) -> None:
    if registry.founded is None:
        if not x.newer:
            x.error("E_INCOMPLETE", "the shard is not founded", "registry")
        return
    founders = sorted(bytes.fromhex(item["key"]) for item in registry.founded["registrars"])
    if x.trust.registrars and list(x.trust.registrars) != founders:
        x.error("E_KEY_UNKNOWN", "founded by other registrars than the trust file pins", "entry 0")
    if not x.trust.registrars:
        x.leave("registrars")
    if registry.threshold == 1:
        x.leave("one_registrar")


def _later_revoked(x: Examination, registry: Registry) -> None:
    """Entries that stay valid though their key was revoked later: the reader should look at what was lost when."""
    ended: dict[bytes, int] = {}
    places: list[int] = []
    for fact in x.facts:
        record = registry.keys.get(fact.proof.key)
        if fact.feed[0] != LEDGER and record is not None and record.ended is not None:
            ended[fact.proof.key] = record.ended
            places.append(fact.index)
    if places:
        revoked = ", ".join(str(index) for index in sorted(set(ended.values())))
        x.warn("W_KEY_WINDOW", f"signed by keys that were revoked later, at index {revoked}", listed(places))


def producers_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(11) Every entry's proof is its producer's signature for this origin; no event stands twice; in each feed the
    numbers rise and neighbours name each other."""
    assert x.manifest is not None
    origin = x.manifest.origin
    seen: dict[str, int] = {}
    for fact in x.facts:
        try:
            x.flushes.verify(fact.proof, fact.digest, origin, fact.feed[0])
        except Refused as error:
            x.refused(error, fact.place)
        x.signatures.add(fact.proof.signature)
        if fact.event_id in seen:
            x.error("E_DUP_EVENT", f"the event of entry {seen[fact.event_id]} again", fact.place)
        seen[fact.event_id] = fact.index
    _feeds(x)
    return "signed", {"count": str(len(x.facts)), "signatures": str(len(x.signatures))}


def _feeds(x: Examination) -> None:
    """Feeds, with what the ledger refused where the bundle shows it: a refusal consumes its number too."""
    used: dict[tuple[tuple[str, int], int], bytes] = {}
    last: dict[tuple[str, int], int] = {}
    for place, fact in enumerate(x.facts):
        _number(x, used, last, fact.feed, fact.seq, fact.digest, fact)
        entry = x.own.get(place)
        if entry is None or fact.type not in (_REJECTED, _EQUIVOCATION):
            continue
        data = entry.event["data"]
        try:
            feed = (fact.subject.partition("/")[2], data["epoch"])
            seq = canonical.parse_counter(data["seq"])
            if fact.type == _REJECTED:
                _number(x, used, last, feed, seq, canonical.unhex(data["digest"]), None, fact.place)
                continue
            accepted = used.get((feed, seq))
            if accepted is not None and accepted != canonical.unhex(data["accepted"]):
                x.error("E_DUP_EVENT", "accuses a producer of an event that was not accepted", fact.place)
            x.leave("quarantine", names=feed[0])
        except (KeyError, Refused, TypeError):
            x.error("E_SCHEMA", "a ledger's own entry without its members", fact.place)


def _number(
    x: Examination,
    used: dict[tuple[tuple[str, int], int], bytes],
    last: dict[tuple[str, int], int],
    feed: tuple[str, int],
    seq: int,
    digest: bytes,
    fact: Fact | None,
    where: str = "",
) -> None:
    """One number of one feed. `fact` is None for a refused event, whose own `producerprev` nobody knows."""
    place = fact.place if fact else where
    before = last.get(feed, -1)
    if (feed, seq) in used:
        x.error("E_DUP_EVENT", f"producer {feed[0]} used number {seq} of epoch {feed[1]} twice", place)
        return
    if seq < before:
        x.error("E_PRODUCER_GAP", f"number {seq} of {feed[0]} epoch {feed[1]} comes after {before}", place)
    if fact is not None:
        expected = ZERO if seq == 0 else used.get((feed, seq - 1))
        if expected is not None and fact.feed_prev != expected:
            x.error("E_CHAIN_BREAK", f"does not name number {seq - 1} of {feed[0]} epoch {feed[1]}", place)
        if seq and fact.feed_prev == ZERO:
            x.error("E_CHAIN_BREAK", f"number {seq} of {feed[0]} claims to be the first", place)
    used[feed, seq] = digest
    last[feed] = max(seq, before)


def times_step(x: Examination) -> tuple[str, dict[str, str]]:
    """(12) `sequenced` never goes back but directly after a corrected clock; the seal is not later than its first
    cosignature; claimed and captured times are compared, and disagreement is told with its bounds."""
    skew = x.trust.skew_s * _SECOND
    claimed = _Spread("claimed up to {} after it was captured")
    early = _Spread("captured up to {} after it was sequenced")
    offline = _Spread("sequenced up to {} after it was captured")
    late = _Spread("captured up to {} after it happened")
    before: Fact | None = None
    for fact in x.facts:
        if before is not None and fact.sequenced < before.sequenced and before.type != _CLOCK_CORRECTED:
            x.error("E_TIME_ORDER", f"sequenced {fact.sequenced}, after {before.sequenced}", fact.place)
        before = fact
        if fact.sequenced[:16] == fact.recorded[:16] == fact.time[:16] and skew >= _MINUTE:
            continue  # all within one minute: nothing below could complain
        recorded = canonical.parse_time(fact.recorded)
        waited = canonical.parse_time(fact.sequenced) - recorded
        aged = recorded - canonical.parse_time(fact.time)
        claimed.see(-aged, skew, fact.index)
        early.see(-waited, skew, fact.index)
        offline.see(waited, _DELIVERY_US, fact.index)
        late.see(aged, _LATE_US, fact.index)
    for spread in (claimed, early, offline):
        spread.tell(x, "W_CLOCK_SKEW")
    late.tell(x, "W_LATE")
    _bounds(x, skew)
    times = [fact.sequenced for fact in x.facts] or [""]
    return "timed", {"first": min(times), "last": max(times)}


class _Spread:
    """How far one kind of difference goes, and where: one warning for all entries that show it."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._worst = 0
        self._places: list[int] = []

    def see(self, difference_us: int, allowed_us: int, index: int) -> None:
        if difference_us > allowed_us:
            self._places.append(index)
            self._worst = max(self._worst, difference_us)

    def tell(self, x: Examination, code: str) -> None:
        if self._places:
            span = str(timedelta(microseconds=self._worst))
            x.warn(code, self._words.format(f"{self._worst // _SECOND} s ({span})"), listed(self._places))


def _bounds(x: Examination, skew: int) -> None:
    """The seal against the witnesses' clocks, and all of it against the reader's, where one was given."""
    if x.seal is None:
        return
    sealed = canonical.parse_time(x.seal.sequenced)
    if x.cosigned_s and sealed > min(x.cosigned_s) * _SECOND + skew:
        first = canonical.format_time(min(x.cosigned_s) * _SECOND)
        x.error("E_TIME_BOUND", f"sealed {x.seal.sequenced}, and cosigned already at {first}", x.seal.place)
    if x.at is None:
        x.leave("age" if x.trust.max_age_s else "clock")
        return
    now = canonical.parse_time(x.at)
    for moment in [sealed, *(second * _SECOND for second in x.cosigned_s)]:
        if moment > now + skew:
            x.error("E_TIME_BOUND", f"{canonical.format_time(moment)} lies after --at {x.at}", "checkpoint")
            break
    if x.trust.max_age_s and now - sealed > x.trust.max_age_s * _SECOND:
        age = (now - sealed) // _SECOND
        x.error("E_STALE", f"sealed {age} s before --at, more than {x.trust.max_age_s} s", x.seal.place)
