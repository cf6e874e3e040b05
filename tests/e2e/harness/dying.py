"""`headwater run` that dies by SIGKILL around one commit of an order to forget: before it is on disk, or after.

Run as a script in place of the command, with the step and the side of the commit as HEADWATER_DIES="letters before".
Only this moment is added; all else is the real thing.
"""

import os
import signal
import sqlite3
from typing import Any

from gateway.cli import main
from gateway.queue import forgetting
from gateway.queue.database import Database
from gateway.queue.forgetting import Job

STEP, SIDE = os.environ["HEADWATER_DIES"].split()
_save_job, _run = forgetting.save_job, Database.run
_saved: list[str] = []


def save_job(connection: sqlite3.Connection, job: Job) -> Job:
    """In the transaction that will be committed next."""
    saved = _save_job(connection, job)
    if job.step == STEP:
        if SIDE == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        _saved.append(job.step)
    return saved


async def run(self: Database, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Its commit, if `function` was one, is on disk when it returns."""
    result = await _run(self, function, *args, **kwargs)
    if _saved:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


def replace_everywhere() -> None:
    """`save_job` was imported by name."""
    from gateway.queue import eraser  # noqa: PLC0415 - beside the one patch that needs it

    forgetting.save_job = eraser.save_job = save_job
    Database.run = run  # type: ignore[method-assign]


if __name__ == "__main__":
    replace_everywhere()
    main()
