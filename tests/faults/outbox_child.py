"""Runs in a process of its own, to be killed: records, and says on standard output what it was promised.

outbox_child.py DIRECTORY RECORDS [THREADS]     prints `ack SHARD SEQ ID`, `no CLASS`, and at the end `done`"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from ledger.errors import NotRecorded
from ledger.testing.producer import recorder, settings


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def main() -> None:
    directory, count = Path(sys.argv[1]), int(sys.argv[2])
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    try:
        made = recorder(settings(directory))
    except NotRecorded as error:
        say(f"no {type(error).__name__}")
        say("done")
        return
    say("open")

    def work(which: int) -> None:
        case = made.case(account=f"thread {which}")
        for _ in range(count):
            try:
                handle = case.closed(reason="paid")
            except NotRecorded as error:
                say(f"no {type(error).__name__}")
            else:
                say(f"ack {handle.shard} {handle.seq} {handle.id}")

    # One works in the main thread: calls to the disk are counted by thread.
    running = [threading.Thread(target=work, args=(n,)) for n in range(1, threads)]
    for thread in running:
        thread.start()
    work(0)
    for thread in running:
        thread.join()
    made.close()
    say("done")


if __name__ == "__main__":
    main()
