"""The database as the event loop sees it: opened, asked, and replaced when it is damaged."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gateway.model.errors import QueueUnavailableError
from gateway.queue.append import Appender
from gateway.queue.database import Database, is_damage
from gateway.queue.forgetting import Forgotten
from gateway.queue.log import Log

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "queue.db"


@dataclass(slots=True)
class Opened:
    """An open database and what was read from it."""

    database: Database
    log: Log
    appender: Appender
    forgotten: Forgotten


@dataclass(slots=True)
class Store:
    """The one open database. Its parts are swapped when a damaged one was set aside."""

    directory: Path
    opened: Opened
    is_damaged: bool = False
    on_damage: Callable[[], None] = lambda: None
    """Told at once, so that the damaged database is replaced."""
    _replaced: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def log(self) -> Log:
        """The bounds of the log."""
        return self.opened.log

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`function(connection, ...)` on the database's thread, as it is: for the writer, which handles the errors."""
        try:
            return await self.opened.database.run(function, *args, **kwargs)
        except sqlite3.Error as error:
            if is_damage(error):
                self.report_damage()
            raise

    async def ask(
        self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`function(connection, ...)` for a reader; asked again once a damaged database is replaced.

        Raises QueueUnavailableError when the database cannot be read for another reason.
        """
        while True:
            if self.is_damaged:
                await self._replaced.wait()
            try:
                return await self.run(function, *args, **kwargs)
            except sqlite3.Error as error:
                if not self.is_damaged:
                    raise QueueUnavailableError(f"the queue cannot be read: {error}") from error

    def report_damage(self) -> None:
        """What was read from the database is not what was written to it."""
        if not self.is_damaged:
            self.is_damaged = True
            self._replaced.clear()
            self.on_damage()

    def replace(self, opened: Opened) -> None:
        """Go on with another database."""
        self.opened = opened
        self.is_damaged = False
        self._replaced.set()
