"""Loads by processes that are killed: `python -m .. TYPE SETTINGS KILLS`, the settings as JSON.

Each process goes on where the warehouse says that the one before it came to, and is killed with SIGKILL at some moment:
while it opens the warehouse, within a load, or between two. They are forked from one that has imported everything and
has no other thread.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys
from typing import Any

from gateway.model.clock import SystemClock
from gateway.warehouses.registry import WAREHOUSES
from tests.integration.warehouses.support.store import ENVELOPE, Event, batch_of

EVENTS = 96
EVENTS_OF_PERSON = 16
KINDS = ("track", "page", "track", "identify")
MOST_LOADS = 3
LONGEST_WAIT_S = 0.15


def event(number: int) -> Event:
    """Every 16 are of one person on two devices; every 500, there are a new name, property and key of the context."""
    stage, person = number // 500, number // EVENTS_OF_PERSON
    return {
        "type": KINDS[number % 4],
        "event": f"Stage {stage % 3}",
        "messageId": f"m{number}",
        "anonymousId": f"d{number // 8}",
        "userId": f"u{person}" if KINDS[number % 4] == "identify" else None,
        "properties": {"n": number, f"since {stage}": 1 if number % 7 else 0.5},
        "context": {f"since {stage}": True},
    }


async def load_on(type_: str, settings: dict[str, Any], told: int) -> None:
    """Loads until it is killed; says after each that it is stored."""
    [kind] = [kind for kind in WAREHOUSES if kind.settings.model_fields["type"].default == type_]
    async with kind.open(kind.settings.model_validate(settings), SystemClock()) as warehouse:
        offset = await warehouse.next_offset("log") or 0
        while True:
            batch = batch_of([event(number) for number in range(offset, offset + EVENTS)], ENVELOPE, offset)
            await warehouse.load([batch], "log", offset + EVENTS)
            offset += EVENTS
            os.write(told, b".")


def kill_one(type_: str, settings: dict[str, Any], rng: random.Random) -> None:
    """After so many loads, and some time in the next."""
    stored, told = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(stored)
        asyncio.run(load_on(type_, settings, told))
    os.close(told)
    for _ in range(rng.randrange(MOST_LOADS)):
        if not os.read(stored, 1):
            sys.exit("a process has ended by itself")
    select.select([], [], [], rng.uniform(0, LONGEST_WAIT_S))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(stored)


def main(type_: str, settings: str, kills: str) -> None:
    rng = random.Random(1)
    for _ in range(int(kills)):
        kill_one(type_, json.loads(settings), rng)


if __name__ == "__main__":
    main(*sys.argv[1:])
