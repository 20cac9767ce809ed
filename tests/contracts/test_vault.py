"""What every vault promises (`ledger/vault/port.py`), kept by every adapter."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.custody.wrapping import WrappedKey
from ledger.errors import VaultError
from ledger.vault.port import StoredKey, Vault
from ledger.vault.sqlite import SqliteVault

AT = "2026-03-01T12:00:00.000000Z"
CASE = "case/00000000-0000-4000-8000-00000000000c"
OTHER = "case/00000000-0000-4000-8000-00000000000d"
ANN = "00000000-0000-4000-8000-0000000000a1"
BEN = "00000000-0000-4000-8000-0000000000b1"

Open = Callable[[], Vault]


def a_key(number: int, *, stream: str = CASE, party: str = ANN, producerid: str = "crm-1") -> StoredKey:
    wrapped = f"canary-{number:06d}-".encode().ljust(80, b"w")
    return StoredKey(
        "a/0", producerid, WrappedKey(f"00000000-0000-4000-8000-{number:012x}", party, stream, wrapped)
    )


@pytest.fixture(params=["sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same vault again and again; all are closed at the end."""
    opened: list[Vault] = []

    def open_again() -> Vault:
        assert request.param == "sqlite"
        opened.append(SqliteVault(tmp_path / "vault.db"))
        return opened[-1]

    yield open_again
    for vault in opened:
        vault.close()


def test_what_was_stored_is_there_newest_first_also_for_the_next_who_opens(reopen: Open) -> None:
    keys = [a_key(1), a_key(2, party=BEN), a_key(3, stream=OTHER)]
    assert reopen().store(keys) == 3
    vault = reopen()
    assert vault.keys_of(CASE) == [keys[1], keys[0]]
    assert vault.keys_of(OTHER) == [keys[2]]
    assert vault.keys_of("case/unheard-of") == []
    status = vault.status()
    assert (status.keys, status.erased, status.streams, status.parties) == (3, 0, 2, 3)


def test_the_same_key_again_is_kept_once(reopen: Open) -> None:
    vault = reopen()
    assert vault.store([]) == 0
    assert vault.store([a_key(1), a_key(1)]) == 1
    assert vault.store([a_key(1), a_key(2)]) == 1
    assert len(vault.keys_of(CASE)) == 2


def test_the_same_number_with_other_bytes_or_from_another_producer_displaces_nothing(reopen: Open) -> None:
    vault = reopen()
    first = a_key(1)
    squatter = StoredKey(
        first.origin, first.producerid, WrappedKey(first.key.key_id, ANN, CASE, b"squatter".ljust(80))
    )
    stranger = StoredKey(first.origin, "crm-2", first.key)
    assert vault.store([squatter]) == 1
    assert vault.store([first, stranger]) == 2
    assert vault.keys_of(CASE) == [stranger, first, squatter]


def test_erasing_a_person_leaves_the_others(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1), a_key(2), a_key(3, party=BEN), a_key(4, stream=OTHER)])
    assert vault.erase(CASE, ANN, AT) == 2
    assert vault.keys_of(CASE) == [a_key(3, party=BEN)]
    assert vault.keys_of(OTHER) == [a_key(4, stream=OTHER)]
    assert (vault.erased_of(CASE), vault.erased_of(OTHER)) == (2, 0)
    assert vault.status().erased == 2


def test_erasing_a_stream_takes_everybody_in_it(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1), a_key(2, party=BEN), a_key(3, party=""), a_key(4, stream=OTHER)])
    assert vault.erase(CASE, None, AT) == 3
    assert vault.keys_of(CASE) == []
    assert len(vault.keys_of(OTHER)) == 1


def test_nobody_known_is_a_person_too(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1), a_key(2, party="")])
    assert vault.erase(CASE, "", AT) == 1
    assert vault.keys_of(CASE) == [a_key(1)]


def test_erasing_again_finds_nothing_and_is_no_error(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1)])
    assert vault.erase(CASE, ANN, AT) == 1
    assert vault.erase(CASE, ANN, AT) == 0
    assert vault.erased_of(CASE) == 1


def test_a_submission_that_comes_again_brings_nobody_back(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1), a_key(2)])
    vault.erase(CASE, ANN, AT)
    vault.close()
    vault = reopen()
    assert vault.store([a_key(1), a_key(2), a_key(3)]) == 1
    assert vault.keys_of(CASE) == [a_key(3)]


def test_two_who_opened_it_see_each_others_work(reopen: Open) -> None:
    one, two = reopen(), reopen()
    one.store([a_key(1)])
    assert two.keys_of(CASE) == [a_key(1)]
    two.store([a_key(2)])
    assert two.erase(CASE, None, AT) == 2
    assert one.keys_of(CASE) == []
    assert one.store([a_key(2), a_key(3)]) == 1


def test_threads_may_share_it(reopen: Open) -> None:
    vault = reopen()
    failures: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for number in range(start, start + 20):
                vault.store([a_key(number)])
                vault.keys_of(CASE)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert vault.status().keys == 60


def test_a_closed_vault_says_so_and_closes_again(reopen: Open) -> None:
    vault = reopen()
    vault.close()
    vault.close()
    for call in (
        lambda: vault.store([a_key(1)]),
        lambda: vault.keys_of(CASE),
        lambda: vault.erase(CASE, ANN, AT),
    ):
        with pytest.raises(VaultError):
            call()


def _in_child(vault: Vault, results: object) -> None:
    try:
        vault.keys_of(CASE)
        results.put("read")  # type: ignore[attr-defined]
    except VaultError as error:
        results.put(str(error))  # type: ignore[attr-defined]


def test_a_vault_that_came_through_a_fork_is_refused(reopen: Open) -> None:
    vault = reopen()
    vault.store([a_key(1)])
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(vault, results))
    child.start()
    child.join(30)
    assert "fork" in results.get()
    assert vault.keys_of(CASE) == [a_key(1)]


def test_no_byte_of_an_erased_key_is_left_in_any_file(reopen: Open, tmp_path: Path) -> None:
    vault = reopen()
    vault.store([a_key(n, party=ANN if n % 3 else BEN) for n in range(400)])
    gone = [a_key(n).key.wrapped for n in range(400) if n % 3]
    kept = [a_key(n).key.wrapped for n in range(400) if not n % 3]
    vault.erase(CASE, ANN, AT)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not any(wrapped in written or wrapped[:14] in written for wrapped in gone)
    assert all(wrapped in written for wrapped in kept)
