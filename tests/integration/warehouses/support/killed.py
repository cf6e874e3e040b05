"""Loads that are killed at each step: `python killed.py KIND FOLDER` makes FOLDER/0, FOLDER/1, .. with one warehouse.

In number n the process that wrote the second of two loads was killed, by SIGKILL, at its n-th call that changes the
disk. The last one is of a process that came to its end. The process that forks has no other thread.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.model.clock import SystemClock
from gateway.model.envelope import Batch, Envelope
from gateway.warehouses.archive import ArchiveSettings, open_archive
from gateway.warehouses.parquet import ParquetSettings, open_parquet
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, batch_of

MOST_STEPS = 200
ENVELOPES = [Envelope("web", RECEIVED_AT_MS), Envelope("server", RECEIVED_AT_MS)]


def batches(first: int, following: int) -> list[Batch]:
    """Events of two sources in turn."""
    return [
        batch_of([{"type": "track", "messageId": f"m{offset}"}], ENVELOPES[offset % 2], offset)
        for offset in range(first, following)
    ]


OPEN = {
    "archive": lambda folder: open_archive(ArchiveSettings(url=str(folder)), SystemClock()),
    "parquet": lambda folder: open_parquet(ParquetSettings(url=str(folder / "events")), SystemClock()),
}


async def load(kind: str, folder: Path, first: int, following: int) -> None:
    async with OPEN[kind](folder) as warehouse:
        await warehouse.load(batches(first, following), "log", following)


def kill_at(step: int) -> None:
    """From now on, the call of that number (from 0) does not return."""
    calls = iter(range(MOST_STEPS))

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **named)

        return call

    for name in ("fsync", "replace", "unlink", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))


def main(kind: str, root: Path) -> None:
    for step in range(MOST_STEPS):
        child = os.fork()
        if child == 0:
            asyncio.run(load(kind, root / str(step), 0, 10))
            kill_at(step)
            asyncio.run(load(kind, root / str(step), 10, 20))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
