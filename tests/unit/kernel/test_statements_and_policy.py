"""What a log signs, each under its own first line; and the policy that says whose cosignatures suffice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigurationError, Refused
from ledger.kernel import canonical, keys
from ledger.kernel.checkpoint import (
    Checkpoint,
    Receipt,
    TermNote,
    open_statement,
    parse_policy,
    sign_statement,
)
from ledger.kernel.digest import EMPTY_ROOT, ZERO
from ledger.kernel.note import COSIGNATURE, ED25519, Note, VerifierKey, sign_text

SIGNER = keys.SeedSigner(bytes([1]) * 32)
ORIGIN = "ledger.example.com/cards/1"
KEY = VerifierKey.of(ORIGIN, ED25519, SIGNER.public_key)

digests = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 2**63 - 1)
origins = st.sampled_from([ORIGIN, "a", "例.example/0"])
statements = st.one_of(
    st.builds(Checkpoint, origins, numbers, digests),
    st.builds(TermNote, origins, numbers, numbers, digests, digests),
    st.builds(
        Receipt,
        origins,
        st.from_regex(r"[a-z0-9][a-z0-9.-]{0,62}", fullmatch=True),
        st.integers(0, 2**31 - 1),
        st.integers(0, 10**20 - 1),
        digests,
        numbers,
        digests,
    ),
)
KINDS: list[Any] = [Checkpoint, TermNote, Receipt]


@given(statements)
def test_a_statement_has_one_spelling_and_one_kind(statement: Any) -> None:
    text = statement.text()
    assert type(statement).parse_text(text) == statement
    for kind in KINDS:
        if kind is not type(statement):
            with pytest.raises(Refused) as refusal:
                kind.parse_text(text)
            assert refusal.value.code in {"E_CONTEXT", "E_CHECKPOINT"}


@given(statements)
def test_a_statement_opens_under_its_own_log_key_only(statement: Any) -> None:
    data = sign_statement(statement, SIGNER)
    key = VerifierKey.of(statement.origin, ED25519, SIGNER.public_key)
    assert open_statement(data, key, type(statement)) == statement
    with pytest.raises(Refused) as refusal:
        open_statement(data, VerifierKey.of("other/0", ED25519, SIGNER.public_key), type(statement))
    assert refusal.value.code == "E_ORIGIN"
    other = keys.SeedSigner(bytes([2]) * 32)
    with pytest.raises(Refused) as refusal:
        open_statement(data, VerifierKey.of(statement.origin, ED25519, other.public_key), type(statement))
    assert refusal.value.code == "E_SIG"


def test_a_log_cannot_sign_for_another_origin() -> None:
    text = Checkpoint("ledger.example.com/cards/2", 0, EMPTY_ROOT).text()
    with pytest.raises(Refused, match="E_ORIGIN"):
        open_statement(Note(text, (sign_text(text, ORIGIN, SIGNER),)).encode(), KEY, Checkpoint)


ROOT = canonical.b64(EMPTY_ROOT)
HEX = ZERO.hex()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Checkpoint, ""),
        (Checkpoint, f"{ORIGIN}\n0\n{ROOT}"),
        (Checkpoint, f"{ORIGIN}\n0\n{ROOT}\n\n"),
        (Checkpoint, f"{ORIGIN}\n0\n{ROOT}\ncomplete=true\n"),
        (Checkpoint, f"{ORIGIN}\n00\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n01\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n+1\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n 1\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n1_0\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n١\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n-1\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n{2**63}\n{ROOT}\n"),
        (Checkpoint, f"{ORIGIN}\n1\n{ROOT[:-1]}\n"),
        (Checkpoint, f"{ORIGIN}\n1\n{ROOT.replace('U=', 'V=')}\n"),
        (Checkpoint, f"{ORIGIN}\n1\nAAAA\n"),
        (Checkpoint, f"\n1\n{ROOT}\n"),
        (Checkpoint, f"a b\n1\n{ROOT}\n"),
        (Checkpoint, f"a+b\n1\n{ROOT}\n"),
        (TermNote, f"duecourse term v1\n{ORIGIN}\n1\n0\n{HEX}\n{HEX.replace('0', 'A')}\n"),
        (TermNote, f"duecourse term v1\n{ORIGIN}\n01\n0\n{HEX}\n{HEX}\n"),
        (TermNote, f"duecourse term v1\n{ORIGIN}\n1\n0\n{HEX[:-1]}\n{HEX}\n"),
        (TermNote, f"duecourse term v1\n{ORIGIN}\n1\n0\n{HEX}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\ncrm-1\n{'0' * 20}\n{HEX}\n1\n{ROOT}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\ncrm-1/00\n{'0' * 20}\n{HEX}\n1\n{ROOT}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\ncrm-1/4294967296\n{'0' * 20}\n{HEX}\n1\n{ROOT}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\nCRM/0\n{'0' * 20}\n{HEX}\n1\n{ROOT}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\ncrm-1/0\n0\n{HEX}\n1\n{ROOT}\n"),
        (Receipt, f"duecourse receipt v1\n{ORIGIN}\ncrm-1/0\n{'0' * 20}\n{HEX}\n1\n{HEX}\n"),
    ],
)
def test_a_statement_in_another_spelling_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(Refused) as refusal:
        kind.parse_text(text)
    assert refusal.value.code == "E_CHECKPOINT"


def test_size_0_and_1_are_different_statements() -> None:
    none, one = Checkpoint(ORIGIN, 0, EMPTY_ROOT), Checkpoint(ORIGIN, 1, EMPTY_ROOT)
    assert none.text() != one.text()
    assert Checkpoint.parse_text(none.text()).size == 0


def vkey(number: int, algorithm: int = COSIGNATURE, name: str = "") -> str:
    public_key = keys.SeedSigner(bytes([number]) * 32).public_key
    return VerifierKey.of(name or f"w{number}.example.com", algorithm, public_key).format()


LOG_LINE = f"log {KEY.format()}\n"
W = [f"witness w{number} {vkey(number)}\n" for number in range(2, 8)]


def test_the_policy_of_two_levels_counts_as_the_specification_says() -> None:
    policy = parse_policy(
        f"# two organisations\n\n \t{LOG_LINE}"
        f"witness x1 {vkey(2)} https://x1.example.com\nwitness x2 {vkey(3)}\nwitness  x3\t{vkey(4)} \n"
        f"witness y1 {vkey(5)}\nwitness y2 {vkey(6)}\n"
        "group xs 2 x1 x2 x3\ngroup ys any y1 y2\n  # both\ngroup both all xs ys\nquorum both\n"
    )
    assert policy.logs == (KEY,)
    assert list(policy.witnesses) == ["x1", "x2", "x3", "y1", "y2"]
    assert policy.witnesses["x1"].format() == vkey(2)
    assert policy.groups["xs"] == (2, ("x1", "x2", "x3"))
    assert policy.quorum == "both"
    assert policy.satisfied({"x1", "x3", "y2"})
    assert policy.satisfied({"x1", "x2", "x3", "y1", "y2"})
    assert not policy.satisfied({"x1", "x2", "x3"})
    assert not policy.satisfied({"x1", "y1", "y2"})
    # Only witnesses can be reported as present: a group's name is nobody.
    assert not policy.satisfied({"both", "xs", "ys"})
    assert not policy.satisfied(set())


def test_a_quorum_may_be_one_witness_or_none() -> None:
    assert parse_policy("quorum none").satisfied(set())
    assert parse_policy("quorum none").quorum is None
    one = parse_policy(LOG_LINE + W[0] + "quorum w2\n")
    assert one.satisfied({"w2"})
    assert not one.satisfied({"w3"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        LOG_LINE,
        "quorum none\nquorum none\n",
        "quorum nobody\n",
        "quorum\n",
        "quorum none extra\n",
        "quorum w2\n" + W[0],
        W[0] + "group g any\nquorum g\n",
        W[0] + "group g 0 w2\nquorum g\n",
        W[0] + "group g 2 w2\nquorum g\n",
        W[0] + "group g 01 w2\nquorum g\n",
        W[0] + "group g +1 w2\nquorum g\n",
        W[0] + "group g some w2\nquorum g\n",
        W[0] + "group g any w2 w2\nquorum g\n",
        W[0] + "group g any none w2\nquorum g\n",
        W[0] + "group g any g w2\nquorum g\n",
        W[0] + "group g any w2\ngroup h any w2\nquorum g\n",
        W[0] + "group w2 any w2\nquorum none\n",
        W[0] + "group none any w2\nquorum none\n",
        "group g any w2\n" + W[0] + "quorum g\n",
        W[0] + W[0] + "quorum none\n",
        W[0] + f"witness other {vkey(2, name='other.example.com')}\nquorum none\n",
        W[0] + f"witness w2 {vkey(3)}\nquorum none\n",
        f"witness none {vkey(2)}\nquorum none\n",
        f"witness w2 {vkey(2, ED25519)}\nquorum none\n",
        f"log {vkey(2)}\nquorum none\n",
        LOG_LINE + LOG_LINE + "quorum none\n",
        LOG_LINE + f"witness w1 {vkey(1)}\nquorum none\n",
        LOG_LINE.strip() + " https://log.example.com extra\nquorum none\n",
        "log\nquorum none\n",
        "log not-a-key\nquorum none\n",
        f"log {KEY.format()[:-4]}\nquorum none\n",
        f"log {ORIGIN}+00000000+{canonical.b64(bytes([6]) + bytes(1312))}\nquorum none\n",
        f"log a+00000000+{canonical.b64(bytes([1, 1]) + bytes(31))}\nquorum none\n",
        "mirror x\nquorum none\n",
        "QUORUM none\n",
        "quorum none\r\n",
        "quorum\u00a0none\n",
        "quorum none\x0b\n",
        "quorum none # no such comment\n",
        "#" + "x" * 300_000 + "\nquorum none\n",
    ],
)
def test_a_policy_that_is_not_exactly_right_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_policy(text)


def test_a_refused_policy_names_the_line() -> None:
    with pytest.raises(ConfigurationError, match="policy line 3"):
        parse_policy("# first\n\nmirror x\nquorum none\n")


def test_a_policy_of_the_size_that_the_specification_asks_for_is_read() -> None:
    lines = [f"witness w{n} {vkey(n + 10)}" for n in range(64)]
    lines += [f"group g{n} any w{2 * n} w{2 * n + 1}" for n in range(32)]
    lines += ["group all all " + " ".join(f"g{n}" for n in range(32)), "quorum all"]
    policy = parse_policy("\n".join(lines))
    assert policy.satisfied({f"w{2 * n}" for n in range(32)})
    assert not policy.satisfied({f"w{2 * n}" for n in range(31)})
