"""Signed notes: the traps of the public format, one test each (docs/formats/ 7; C2SP signed-note)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.kernel import canonical, keys, note
from ledger.kernel.note import Note, Signature, VerifierKey, cosign_text, sign_text, verify_note

LOG = keys.SeedSigner(bytes([1]) * 32)
WITNESS = keys.SeedSigner(bytes([2]) * 32)
NAME = "ledger.example.com/cards/1"
TEXT = "ledger.example.com/cards/1\n6\nroot\n"
LOG_KEY = VerifierKey.of(NAME, note.ED25519, LOG.public_key)
WITNESS_KEY = VerifierKey.of("w1.example.com", note.COSIGNATURE, WITNESS.public_key)
SIGNED = Note(TEXT, (sign_text(TEXT, NAME, LOG),)).encode()
LINE = sign_text(TEXT, NAME, LOG).line()


def code_of(data: bytes) -> str:
    try:
        Note.parse(data)
    except Refused as error:
        return error.code
    return "accepted"


texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=40)
names = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    note.is_key_name
)


@given(texts, st.lists(st.tuples(names, st.binary(min_size=5, max_size=80)), min_size=1, max_size=4))
def test_a_note_reads_back_as_it_was_written(text: str, lines: list[tuple[str, bytes]]) -> None:
    made = Note(text + "\n", tuple(Signature(name, blob[:4], blob[4:]) for name, blob in lines))
    assert Note.parse(made.encode()) == made
    assert Note.parse(made.encode()).encode() == made.encode()


def test_the_last_empty_line_divides_text_from_signatures() -> None:
    inner = SIGNED.decode()
    whole = Note(inner, (sign_text(inner, NAME, LOG),))
    assert Note.parse(whole.encode()).text == inner
    assert verify_note(Note.parse(whole.encode()), [LOG_KEY]) == [(LOG_KEY, None)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "E_CHECKPOINT"),
        (TEXT.encode(), "E_CHECKPOINT"),
        (TEXT.encode() + b"\n", "E_CHECKPOINT"),
        (SIGNED[:-1], "E_CHECKPOINT"),
        (SIGNED + b"\n", "E_CHECKPOINT"),
        (SIGNED + b"x\n", "E_CHECKPOINT"),
        (SIGNED.replace("—".encode(), b"-"), "E_CHECKPOINT"),
        (SIGNED.replace("— ".encode(), "—".encode()), "E_CHECKPOINT"),
        (SIGNED.replace("— ".encode(), "—  ".encode()), "E_CHECKPOINT"),
        (SIGNED.replace(b"\n", b"\r\n"), "E_ENCODING"),
        (SIGNED.replace(b"root", b"ro\tt"), "E_ENCODING"),
        (SIGNED.replace(b"root", b"ro\0t"), "E_ENCODING"),
        (SIGNED.replace(b"root", b"ro\xfft"), "E_ENCODING"),
        (SIGNED + "— a+b AAAAAAA=\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a\u00a0b AAAAAAA=\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a\u2028b AAAAAAA=\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a AAAAAAB=\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a AAAAAAA\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a AAAA AAA=\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a AAAAAA==\n".encode(), "E_CHECKPOINT"),
        (SIGNED + "— a AAAAAAA=\n".encode(), "accepted"),
        (SIGNED + "— a AAAAAAA=\n".encode() * 63, "accepted"),
        (SIGNED + "— a AAAAAAA=\n".encode() * 64, "E_LIMIT"),
        (SIGNED + "— a AAAAAAA=\n".encode() * 10_000, "E_LIMIT"),
        (b"x" * note.NOTE_BYTES_MAX + SIGNED, "E_LIMIT"),
    ],
)
def test_each_flaw_of_a_note_has_its_code(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_lines_by_unknown_keys_mean_nothing() -> None:
    unknown = sign_text(TEXT, NAME, WITNESS)
    also_unknown = Signature("w9.example.com", bytes(4), b"\x06" * 2428)
    made = Note(TEXT, (unknown, also_unknown, sign_text(TEXT, NAME, LOG)))
    assert verify_note(made, [LOG_KEY, WITNESS_KEY]) == [(LOG_KEY, None)]
    assert verify_note(made, [WITNESS_KEY]) == []
    assert verify_note(made, []) == []


@pytest.mark.parametrize("bad_first", [True, False])
def test_a_known_key_with_a_bad_line_spoils_the_note(bad_first: bool) -> None:
    good = sign_text(TEXT, NAME, LOG)
    bad = Signature(NAME, good.key_id, LOG.sign(b"something else"))
    made = Note(TEXT, (bad, good) if bad_first else (good, bad))
    with pytest.raises(Refused, match="E_SIG"):
        verify_note(made, [LOG_KEY])


def test_a_key_id_that_collides_gets_nobody_in() -> None:
    # The line bears the name and id of a known key, and was made by another.
    forged = Signature(NAME, LOG_KEY.key_id, WITNESS.sign(TEXT.encode()))
    with pytest.raises(Refused, match="E_SIG"):
        verify_note(Note(TEXT, (forged,)), [LOG_KEY])
    # Two known keys of one name and id: either may have made the line.
    twin = VerifierKey(NAME, LOG_KEY.key_id, note.ED25519, WITNESS.public_key)
    assert verify_note(Note(TEXT, (forged,)), [LOG_KEY, twin]) == [(twin, None)]


def test_a_key_that_signs_twice_stands_twice() -> None:
    made = Note(TEXT, (cosign_text(TEXT, "w1.example.com", WITNESS, 7),) * 2)
    assert verify_note(made, [WITNESS_KEY]) == [(WITNESS_KEY, 7), (WITNESS_KEY, 7)]


def test_a_cosignature_binds_its_time_and_text() -> None:
    line = cosign_text(TEXT, "w1.example.com", WITNESS, 1_772_413_210)
    assert verify_note(Note(TEXT, (line,)), [WITNESS_KEY]) == [(WITNESS_KEY, 1_772_413_210)]
    later = Signature(line.name, line.key_id, (1_772_413_211).to_bytes(8, "big") + line.blob[8:])
    beyond = Signature(line.name, line.key_id, b"\xff" * 8 + line.blob[8:])
    short = Signature(line.name, line.key_id, line.blob[:-1])
    plain = Signature(line.name, line.key_id, WITNESS.sign(TEXT.encode()))
    for wrong in (later, beyond, short, plain):
        with pytest.raises(Refused, match="E_SIG"):
            verify_note(Note(TEXT, (wrong,)), [WITNESS_KEY])
    with pytest.raises(Refused, match="E_SIG"):
        verify_note(Note(TEXT + "more\n", (line,)), [WITNESS_KEY])
    with pytest.raises(ValueError, match="seconds"):
        cosign_text(TEXT, "w1.example.com", WITNESS, 2**63)


@given(names, st.sampled_from([note.ED25519, note.COSIGNATURE]))
def test_a_verifier_key_has_one_spelling(name: str, algorithm: int) -> None:
    key = VerifierKey.of(name, algorithm, LOG.public_key)
    assert VerifierKey.parse(key.format()) == key
    assert len(key.key_id) == 4


VKEY = LOG_KEY.format()


@pytest.mark.parametrize(
    ("vkey", "code"),
    [
        ("", "E_CHECKPOINT"),
        (NAME, "E_CHECKPOINT"),
        (VKEY.replace("+", "-", 1), "E_CHECKPOINT"),
        (VKEY + "\n", "E_CHECKPOINT"),
        (" " + VKEY, "E_CHECKPOINT"),
        (VKEY.replace(LOG_KEY.key_id.hex(), "00000000"), "E_CHECKPOINT"),
        (VKEY.replace(LOG_KEY.key_id.hex(), LOG_KEY.key_id.hex().upper() + "A")[:200], "E_CHECKPOINT"),
        (VKEY.replace(NAME, "other"), "E_CHECKPOINT"),
        (f"{NAME}+00000000+AQ==", "E_CHECKPOINT"),
        (f"{NAME}+00000000+" + canonical.b64(b"\x02" + bytes(32)), "E_ALG"),
        (f"{NAME}+00000000+" + canonical.b64(b"\x06" + bytes(1312)), "E_ALG"),
        (f"{NAME}+00000000+" + canonical.b64(b"\x01" + bytes(31)), "E_KEY_WEAK"),
        (f"{NAME}+00000000+" + canonical.b64(b"\x04" + bytes(32)), "E_KEY_WEAK"),
        ("a b+00000000+" + canonical.b64(b"\x01" + LOG.public_key), "E_CHECKPOINT"),
        ("+00000000+" + canonical.b64(b"\x01" + LOG.public_key), "E_CHECKPOINT"),
    ],
)
def test_each_flaw_of_a_verifier_key_has_its_code(vkey: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        VerifierKey.parse(vkey)
    assert refusal.value.code == code


def test_a_key_of_an_algorithm_not_known_here_is_never_skipped() -> None:
    key = VerifierKey(NAME, b"abcd", 0x06, bytes(1312))
    with pytest.raises(Refused, match="E_ALG"):
        verify_note(Note(TEXT, (Signature(NAME, b"abcd", bytes(2428)),)), [key])


def test_a_line_is_an_em_dash_in_utf_8() -> None:
    assert LINE.startswith(b"\xe2\x80\x94 ledger.example.com/cards/1 ")
