"""What an outbox keeps beside its events: refusals to hand to the application, alarms, and how far the ledger was read.

Kept in the outbox file, durable like the events. Not chained: nothing here becomes evidence by itself."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from ledger.kernel import canonical
from ledger.sdk.outbox import Outbox
from ledger.sdk.outboxfile import SEQ_BITS
from ledger.sdk.rows import place


@dataclass(frozen=True, slots=True)
class Rejection:
    """The ledger consumed this event's seq and refused the event: it is not in its stream, and will not be.

    `code` is one of the verdict contract. `event` is what was recorded, its protected members sealed; empty where the
    ledger refused something that this outbox does not have. Mend the cause, and record the fact anew."""

    shard: int
    seq: int
    code: str
    event: dict[str, Any]

    def __repr__(self) -> str:
        return f"Rejection(shard={self.shard}, seq={self.seq}, code={self.code!r})"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person must look at. `note` is the signed note that gave rise to it, or empty."""

    kind: str
    detail: str
    raised: str
    note: bytes


class Notices:
    """The notices of one outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def keep_alarm(self, kind: str, detail: str, note: bytes, now_us: int) -> bool:
        """Keeps an alarm; False where the very same one is there already."""
        raised = canonical.format_time(now_us)

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "INSERT OR IGNORE INTO alarms (raised, kind, detail, note) VALUES (?, ?, ?, ?)",
                (raised, kind, detail, note),
            )
            return done.rowcount == 1

        return self._outbox.write(work)

    def alarms(self) -> list[Alarm]:
        return self._outbox.read(
            lambda connection: [
                Alarm(*row)
                for row in connection.execute("SELECT kind, detail, raised, note FROM alarms ORDER BY number")
            ]
        )

    def cursor(self, shard: int) -> int | None:
        """How far the ledger was read for refusals; None where it never was."""
        row = self._outbox.read(
            lambda connection: connection.execute(
                "SELECT cursor FROM cursors WHERE shard = ?", (shard,)
            ).fetchone()
        )
        return None if row is None else int(row[0])

    def keep_cursor(
        self, shard: int, cursor: int, found: list[tuple[int, str, bytes, bytes]] | None = None
    ) -> None:
        """Moves the cursor, and keeps the refusals (seq, code, event, wrapped keys) found on the way: at once."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR IGNORE INTO rejections VALUES (?, ?, ?, ?, 0)",
                [(place(shard, seq), code, event, wrapped) for seq, code, event, wrapped in found or ()],
            )
            connection.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (shard, cursor))

        self._outbox.write(work)

    def rejections(self, *, unhanded: bool = False) -> list[Rejection]:
        """Every refusal that was found, or those that no callback has taken yet."""
        condition = " WHERE handed = 0" if unhanded else ""
        return self._outbox.read(
            lambda connection: [
                Rejection(
                    where >> SEQ_BITS,
                    where & (1 << SEQ_BITS) - 1,
                    code,
                    canonical.decode(event) if event else {},
                )
                for where, code, event in connection.execute(
                    f"SELECT place, code, event FROM rejections{condition} ORDER BY place"
                )
            ]
        )

    def hand(self, rejection: Rejection) -> None:
        """The application has taken it."""
        self._outbox.write(
            lambda connection: connection.execute(
                "UPDATE rejections SET handed = 1 WHERE place = ?", (place(rejection.shard, rejection.seq),)
            )
        )
