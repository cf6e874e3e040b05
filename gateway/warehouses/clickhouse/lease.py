"""One gateway at a time writes: ClickHouse has no locks, so there is a lease that one of them has.

Leases are numbered. Who wants one inserts the row of the next number with that number as the token of the insert: of
two who do it at once, ClickHouse stores the first. The lease is the row's with the highest number, until it is given
back, or its time is over: then its owner has died. A thread prolongs it as long as this process lives.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import NamedTuple
from uuid import uuid4

from gateway.model.errors import WarehouseError
from gateway.warehouses.clickhouse.answers import rows_of
from gateway.warehouses.clickhouse.http import Http
from gateway.warehouses.names import quoted

LEASES = "_headwater_leases"
KEPT = 1_000
"""Rows: the latest ones take the place of those before them."""
BEATS = 4
"""So often is a lease prolonged before it would end."""
PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.25

_NOW = "toUnixTimestamp64Milli(now64(3))"
_LATEST = f"""
    select number, any(owner), min(until_ms) = 0 or max(until_ms) < {_NOW} as is_over
    from {LEASES} where number = (select max(number) from {LEASES}) group by number"""


def create_leases(database: str, prefix: str) -> str:
    """The statement that makes the table where there is none. `prefix` is that of the engine."""
    return (
        f"create table if not exists {quoted(database)}.{LEASES} (number UInt64, owner String, until_ms Int64)"
        f" engine = {prefix}ReplacingMergeTree order by number % {KEPT}"
        f" settings non_replicated_deduplication_window = {KEPT}"
    )


class State(NamedTuple):
    """The latest lease."""

    number: int
    owner: str
    is_over: bool


class Lease:
    """What is said of `connect` holds for requests of the one thread that uses this, and for those of its own."""

    def __init__(self, connect: Callable[[], Http], lasts_s: float) -> None:
        self._connect = connect
        self._http = connect()
        self._lasts_s = lasts_s
        self._owner = uuid4().hex
        self._number = 0
        self._sure_until_s = 0.0
        self._is_given_back = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> None:
        """Wait for the one who has it. Raises WarehouseError when the server cannot be asked."""
        pause_s = PAUSE_S
        while True:
            asked_s = time.monotonic()
            latest = self._latest()
            if latest.is_over:
                self._store(self._http, latest.number + 1, f"{int(self._lasts_s * 1000)} + {_NOW}", "taken")
                latest_now = self._latest()
                if latest_now[:2] == (latest.number + 1, self._owner):
                    break
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._number = latest.number + 1
        self._sure_until_s = asked_s + self._lasts_s
        self._is_given_back.clear()
        self._thread = threading.Thread(target=self._prolong, name="warehouse.lease", daemon=True)
        self._thread.start()

    def ensure(self) -> None:
        """Raises WarehouseError when another may have it by now: this process stood still, or could not prolong it."""
        if time.monotonic() >= self._sure_until_s:
            raise WarehouseError("another gateway may be writing by now", hint="the load is tried again")

    def give_back(self) -> None:
        """Let the next one have it. Where that cannot be said, it waits until the time is over."""
        self._is_given_back.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with suppress(WarehouseError):
            self._store(self._http, self._number, "0", "given back")

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _latest(self) -> State:
        rows = rows_of(self._http.run(_LATEST)[1]).rows
        return State(*rows[0]) if rows else State(0, "", is_over=True)

    def _store(self, http: Http, number: int, until_ms: str, step: str) -> None:
        values = f"({number}, '{self._owner}', {until_ms})"
        http.run(
            f"insert into {LEASES} (number, owner, until_ms) format Values {values}",
            {"insert_deduplicate": 1, "async_insert": 0, "insert_deduplication_token": f"lease {number} {step}"},
        )

    def _prolong(self) -> None:
        with closing(self._connect()) as http:
            beat = 0
            while not self._is_given_back.wait(self._lasts_s / BEATS):
                beat += 1
                asked_s = time.monotonic()
                try:
                    self.ensure()
                    self._store(http, self._number, f"{int(self._lasts_s * 1000)} + {_NOW}", f"beat {beat}")
                except WarehouseError:
                    continue
                self._sure_until_s = asked_s + self._lasts_s
