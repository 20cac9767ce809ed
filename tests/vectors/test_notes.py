"""Notes of our own log, of other logs, and of the specification (docs/formats/ 3, 4, 7; C2SP)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from ledger.kernel import keys
from ledger.kernel.checkpoint import Checkpoint, Receipt, TermNote, open_statement, sign_statement
from ledger.kernel.note import Note, VerifierKey, cosign_text, cosigned_message, sign_text, verify_note

TILES_LOG = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "vectors/duecourse/notes.json").read_text()))


@pytest.fixture(scope="module")
def log_key(vectors: dict[str, Any]) -> VerifierKey:
    return VerifierKey.parse(vectors["log"]["vkey"])


@pytest.fixture(scope="module")
def log_signer(vectors: dict[str, Any]) -> keys.SeedSigner:
    return keys.SeedSigner(bytes.fromhex(vectors["log"]["seed"]))


def test_the_log_key_has_one_spelling(
    vectors: dict[str, Any], log_key: VerifierKey, log_signer: keys.SeedSigner
) -> None:
    assert log_key.format() == vectors["log"]["vkey"]
    assert log_key.key_id.hex() == vectors["log"]["key_id"]
    assert log_key.public_key == log_signer.public_key
    assert VerifierKey.of(log_key.name, 1, log_signer.public_key) == log_key


def test_a_term_note_is_opened_and_signed_again_to_the_same_bytes(
    vectors: dict[str, Any], log_key: VerifierKey, log_signer: keys.SeedSigner
) -> None:
    data = vectors["term_note"].encode()
    term = open_statement(data, log_key, TermNote)
    assert (term.term, term.next_index, term.head) == (1, 0, bytes(32))
    assert sign_statement(term, log_signer) == data


def test_receipts_are_opened_and_signed_again_to_the_same_bytes(
    vectors: dict[str, Any], log_key: VerifierKey, log_signer: keys.SeedSigner
) -> None:
    assert vectors["receipts"]
    for text in vectors["receipts"]:
        receipt = open_statement(text.encode(), log_key, Receipt)
        assert sign_statement(receipt, log_signer) == text.encode()


def test_a_checkpoint_is_opened_and_signed_again_to_the_same_bytes(
    vectors: dict[str, Any], log_key: VerifierKey, log_signer: keys.SeedSigner
) -> None:
    data = vectors["checkpoint"].encode()
    checkpoint = open_statement(data, log_key, Checkpoint)
    assert checkpoint.size == 6
    assert sign_statement(checkpoint, log_signer) == data


def test_cosignatures_are_made_and_verified_as_in_the_vectors(
    vectors: dict[str, Any], log_key: VerifierKey
) -> None:
    note = Note.parse(vectors["checkpoint_cosigned"].encode())
    assert note.encode() == vectors["checkpoint_cosigned"].encode()
    cosigners = []
    for row in vectors["cosignatures"]:
        signer = keys.SeedSigner(bytes.fromhex(row["seed"]))
        assert cosigned_message(note.text, row["time"]).hex() == row["message"]
        assert cosign_text(note.text, row["name"], signer, row["time"]).line() == row["line"].encode()
        cosigners.append(VerifierKey.parse(row["vkey"]))
    found = verify_note(note, [*cosigners, log_key])
    assert [key for key, _ in found] == [log_key, *cosigners]
    assert [unix_s for _, unix_s in found] == [None, *(row["time"] for row in vectors["cosignatures"])]


def test_every_checkpoint_of_the_stored_tiles_log_opens(shared: Path) -> None:
    key = VerifierKey.parse(TILES_LOG)
    folder = shared / "vectors/tlog-tiles-log"
    for size in range(16):
        data = (folder / f"checkpoint.{size}").read_bytes()
        checkpoint = open_statement(data, key, Checkpoint)
        assert (checkpoint.size, checkpoint.origin) == (size, "example.com/log/testdata")
        assert Note.parse(data).encode() == data
        assert Note.parse(data).text == checkpoint.text()
    assert open_statement((folder / "checkpoint").read_bytes(), key, Checkpoint).size == 15


def test_the_example_of_the_signed_note_specification_verifies() -> None:
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = Note.parse(
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlT"
        "gK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n".encode()
    )
    assert verify_note(note, [key]) == [(key, None)]


def test_the_example_of_the_go_implementation_verifies_and_is_signed_the_same() -> None:
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    blob = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    line = f"— PeterNeumann {blob}\n".encode()
    assert verify_note(Note.parse(text.encode() + b"\n" + line), [key]) == [(key, None)]
    # The published private key of that example, after its type byte.
    signer = keys.SeedSigner(b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])
    assert sign_text(text, "PeterNeumann", signer).line() == line
