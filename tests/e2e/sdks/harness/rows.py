"""Waiting for, and reading, what a driver's events became in the warehouse."""

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp

from tests.e2e.harness.daemon import Daemon
from tests.e2e.harness.waiting import until
from tests.e2e.sdks.harness.drivers import Driver

Rows = list[dict[str, Any]]


async def until_rows(daemon: Daemon, table: str, driver: Driver, count: int) -> None:
    """Returns once so many of the driver's rows are in the table. More of them is for the test to find."""
    await until_tables(daemon, driver, {table: count})


async def until_tables(daemon: Daemon, driver: Driver, counts: Mapping[str, int]) -> None:
    """The same for several tables, which need not be there yet."""

    async def are_there() -> bool:
        found = await counts_of(daemon, driver, counts)
        return all(found[name] >= count for name, count in counts.items())

    await until(are_there, f"{driver.name} has {dict(counts)} rows", every_s=0.2)


async def counts_of(daemon: Daemon, driver: Driver, tables: Iterable[str]) -> dict[str, int]:
    """How many of the driver's rows each table has; none at all while one of the tables is missing."""
    each = [f"select '{name}' as name from {name} where source = '{driver.name}'" for name in tables]
    rows = await _ask(daemon, f"select name, count(*) as n from ({' union all '.join(each)}) group by 1")
    found = {row["name"]: row["n"] for row in rows or []}
    return {name: found.get(name, 0) for name in tables}


async def tables_of(daemon: Daemon, driver: Driver, tables: Iterable[str]) -> dict[str, Rows]:
    """The driver's rows of several tables."""
    return {table: await rows_of(daemon, table, driver) for table in tables}


async def rows_of(daemon: Daemon, table: str, driver: Driver, columns: str = "*") -> Rows:
    """The driver's rows of one table, the oldest first."""
    query = f"select {columns} from {table} where source = '{driver.name}' order by original_timestamp"
    rows = await _ask(daemon, query)
    assert rows is not None, f"the warehouse refused {query}"
    return rows


async def _ask(daemon: Daemon, query: str) -> Rows | None:
    """As `headwater sql` asks, but without a process for each question; none where the warehouse refuses."""
    async with (
        aiohttp.ClientSession(headers={"X-Headwater": "1"}) as http,
        http.post(f"{daemon.admin}/api/sql", json={"sql": query}) as answer,
    ):
        found = await answer.json()
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]] if answer.ok else None
