"""The backfills that run: one for each warehouse at a time."""

import asyncio
from collections.abc import Collection
from typing import NamedTuple

from gateway.deliver.backfill import Backfill
from gateway.deliver.backfill_status import BackfillStatus
from gateway.model.errors import HeadwaterError


class Running(NamedTuple):
    """A backfill and its task."""

    backfill: Backfill
    task: asyncio.Task[None]

    def stop(self) -> None:
        """At once, or after the load that runs."""
        self.backfill.stop()
        if not self.backfill.is_loading:
            self.task.cancel()


class Backfills:
    """Every task belongs to `tasks`."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._running: dict[str, Running] = {}

    def start(self, warehouse: str, backfill: Backfill) -> Running:
        """Raises HeadwaterError where one runs already."""
        if warehouse in self._running:
            raise HeadwaterError(f"{warehouse} is being backfilled already", hint="see `headwater status`")
        task = self._tasks.create_task(backfill.run(), name=f"deliver.{warehouse}.backfill")
        running = self._running[warehouse] = Running(backfill, task)
        task.add_done_callback(lambda _: self._running.pop(warehouse))
        return running

    def status(self) -> list[BackfillStatus]:
        """Each at this moment, by name."""
        return [self._running[name].backfill.status() for name in sorted(self._running)]

    def loading(self) -> Collection[str]:
        """Warehouses that are being given events of an archive right now."""
        return {name for name, running in self._running.items() if running.backfill.is_loading}

    async def stop(self, drain_s: float) -> None:
        """Loads under way may end within `drain_s`."""
        stopping = [*self._running.values()]
        for running in stopping:
            running.stop()
        if stopping:
            _, late = await asyncio.wait([running.task for running in stopping], timeout=drain_s)
            for task in late:
                task.cancel()
