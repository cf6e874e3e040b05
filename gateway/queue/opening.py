"""Opens the queue's database: migrated, loaded within bounded memory and time, and salvaged if it is damaged."""

import random
import sqlite3

import structlog

from gateway.config import QueueSettings
from gateway.model.clock import Clock
from gateway.queue.append import Appender
from gateway.queue.aside import reunite, set_aside, unsalvaged
from gateway.queue.codec import new_compressor
from gateway.queue.database import Database, connect, in_transaction, is_damage
from gateway.queue.dedupe import Dedupe
from gateway.queue.forgetting import Forgotten, load_forgotten
from gateway.queue.list_copy import write_copy
from gateway.queue.log import Log, create_log, load_log, new_log_row
from gateway.queue.migrate import migrate
from gateway.queue.salvage import Remembered, begin_salvage
from gateway.queue.statements import migrations
from gateway.queue.store import FILE_NAME, Opened

_MS_PER_S = 1000


class Opener:
    """How to open the queue of these settings, at the start and again after a damage."""

    def __init__(self, settings: QueueSettings, clock: Clock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng

    async def open(self) -> tuple[Opened, bool]:
        """The database, and whether a damaged one had to be set aside for it. Raises QueueError if it is in use."""
        self._settings.path.mkdir(parents=True, exist_ok=True)
        reunite(self._settings.path)
        try:
            return await self._load(0, None), False
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        return await self._load_beside_damaged(0, None), True

    async def reopen(self, damaged: Opened) -> Opened:
        """A fresh database in place of one that turned out to be damaged."""
        try:
            await damaged.database.close()
        except sqlite3.Error as error:
            structlog.get_logger().warning("queue.close_failed", error=str(error))
        return await self._load_beside_damaged(damaged.log.head_offset, damaged.forgotten)

    async def _load_beside_damaged(self, known_head: int, forgotten: Forgotten | None) -> Opened:
        aside = set_aside(self._settings.path, self._clock.now_ms())
        structlog.get_logger().error("queue.damaged", moved_to=str(aside), hint="readable events are brought over")
        return await self._load(known_head, forgotten)

    async def _load(self, known_head: int, forgotten: Forgotten | None) -> Opened:
        path = self._settings.path / FILE_NAME
        database = await connect(path, self._settings.durability)
        try:
            return Opened(database, *await database.run(self._read, known_head, forgotten))
        except BaseException:
            await close_quietly(database)
            raise

    def _read(
        self, connection: sqlite3.Connection, known_head: int, forgotten: Forgotten | None
    ) -> tuple[Log, Appender, Forgotten]:
        migrate(connection, migrations())
        log = load_log(connection) or self._begin(connection, known_head, forgotten)
        dedupe = Dedupe(self._settings.dedupe_max_ids, round(self._settings.dedupe_window * _MS_PER_S))
        dedupe.load(connection, log.sealed_offset)
        forgotten = in_transaction(connection, load_forgotten)
        if forgotten.suppression:
            write_copy(self._settings.path, forgotten.suppression)
        appender = Appender(log.digest_seed, dedupe, new_compressor())
        return log, appender, forgotten

    def _begin(self, connection: sqlite3.Connection, known_head: int, forgotten: Forgotten | None) -> Log:
        aside = unsalvaged(self._settings.path)
        if aside is None:
            in_transaction(connection, create_log, new_log_row(self._rng))
        else:
            begin_salvage(connection, aside, self._rng, Remembered(known_head, forgotten))
        log = load_log(connection)
        assert log is not None
        return log


async def close_quietly(database: Database) -> None:
    """Close without hiding the error that is on its way."""
    try:
        await database.close()
    except sqlite3.Error as error:
        structlog.get_logger().warning("queue.close_failed", error=str(error))
