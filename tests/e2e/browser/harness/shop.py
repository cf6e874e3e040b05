"""One test's part of the site: pages below a folder of its own, and the rows that they led to."""

import re
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.browser.harness.front import PREFIX, Relay
from tests.e2e.harness.daemon import Daemon
from tests.e2e.harness.waiting import until

SCRIPT = f"{PREFIX}/ab2c/k3x9qw"
"""Where the first source's script is, without `.js`; events go to the same address."""
Row = dict[str, Any]
MISSING = re.compile("does not exist|not found in FROM clause")


class Shop:
    """`write` makes a page, `url` is its address, `rows` are the events of all pages of this test."""

    def __init__(self, folder: str, port: int, pages: Path, daemon: Daemon, relay: Relay) -> None:
        self.folder = folder
        """With slashes around it, and unique: rows are told apart by the path of their page."""
        self.port = port
        self.daemon = daemon
        self.relay = relay
        self._pages = pages

    def url(self, page: str = "index", *, host: str = "127.0.0.1", port: int = 0) -> str:
        """The address of a page."""
        return f"http://{host}:{port or self.port}{self.folder}{page}"

    def write(self, body: str, page: str = "index", *, head: str = "", strict: bool = False) -> str:
        """Write a page and answer its address. A strict one is served with the strictest policy there is."""
        folder = f"/strict{self.folder}" if strict else self.folder
        file = self._pages / f"{folder.strip('/')}/{page}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<!doctype html><html><head><title>{page}</title>{head}</head><body>{body}</body></html>")
        return f"http://127.0.0.1:{self.port}{folder}{page}"

    async def query(self, sql: str) -> list[Row]:
        """The answer of the warehouse, as `headwater sql` has it; no rows while a table or column does not exist."""
        statement = {"sql": sql, "max_rows": 5000}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.daemon.admin}/api/sql", json=statement, headers={"X-Headwater": "1"}) as answer,
        ):
            said = await answer.json()
            if answer.status != 200 and MISSING.search(said["error"]):
                return []
            assert answer.status == 200, said
            return [dict(zip(said["columns"], row, strict=True)) for row in said["rows"]]

    async def rows(self, table: str = "tracks") -> list[Row]:
        """This test's rows of a table, oldest first. `properties` is JSON."""
        where = f"context_page_path like '%{self.folder}%' or context_page_url like '%{self.folder}%'"
        return await self.query(f"select * from {table} where {where} order by timestamp, id")

    async def events(self) -> list[str]:
        """The names of this test's tracks."""
        return [row["event_text"] for row in await self.rows()]

    async def until_rows(self, count: int, table: str = "tracks") -> list[Row]:
        """The rows, once there are so many. More than that fails."""
        rows: list[Row] = []

        async def are_there() -> bool:
            rows[:] = await self.rows(table)
            return len(rows) >= count

        try:
            await until(are_there, f"{count} rows are in {table}", every_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}: there are {len(rows)}; the pages sent {self.relay.posts}") from error
        assert len(rows) == count, rows
        return rows

    async def until_event(self, name: str) -> Row:
        """The row of the track of that name, once it is there."""
        found: list[Row] = []

        async def is_there() -> bool:
            found[:] = [row for row in await self.rows() if row["event_text"] == name]
            return bool(found)

        await until(is_there, f"{name} is in tracks", every_s=0.2)
        assert len(found) == 1, found
        return found[0]

    async def settled(self) -> None:
        """Everything that reached the gateway is in the warehouse."""
        await self.daemon.settled("warehouse")


def tag(source: str = "", attributes: str = "", script: str = SCRIPT) -> str:
    """The one tag of a source's script: the first source's where `source` is empty."""
    folder, _, name = script.rpartition("/")
    address = f"{folder}/{source}/{name}.js" if source else f"{script}.js"
    return f'<script async src="{address}" {attributes}></script>'
