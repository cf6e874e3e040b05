"""A process that loads until it is killed, from where the file says the last one came to: `python -m .. PATH`."""

import asyncio
import sys
from pathlib import Path

from gateway.model.clock import SystemClock
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from tests.integration.warehouses.support.store import ENVELOPE, batch_of

EVENTS = 100


async def main(path: Path) -> None:
    async with open_duckdb(DuckDBSettings(path=path), SystemClock()) as warehouse:
        offset = await warehouse.next_offset("log") or 0
        while True:
            events = [
                {
                    "type": "track",
                    "event": "Order Completed",
                    "messageId": f"m{number}",
                    "anonymousId": f"d{number}",
                    "userId": f"u{number // 2}",
                }
                for number in range(offset, offset + EVENTS)
            ]
            await warehouse.load([batch_of([*events], ENVELOPE, offset)], "log", offset + EVENTS)
            offset += EVENTS
            print(offset, flush=True)


asyncio.run(main(Path(sys.argv[1])))
