"""The queue alone, beside the plain way of doing it in the same run.

    taskset -c 0 python benchmarks/queue_alone.py [directory on the disk to measure]

Prints durable single-event requests a second from 64 and from 512 waiters, events a second in requests of 100, and CPU
microseconds an event; then the same for one INSERT and one commit for each request, and the ratios.
"""

import asyncio
import json
import random
import resource
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import uvloop

from gateway.config import QueueSettings
from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue

SECONDS = 5.0
PLAIN_SECONDS = 2.0
BATCH = 100
SHAPES = 5000


class Figures(NamedTuple):
    """One measurement."""

    requests_per_s: float
    events_per_s: float
    cpu_us_per_event: float


class Traffic:
    """Events of about 850 bytes from a shop, no two alike."""

    def __init__(self) -> None:
        self._rng = random.Random(7)
        self._shapes = [self._event() for _ in range(SHAPES)]
        self._numbers = count()

    def take(self, events: int) -> tuple[list[str], list[bytes]]:
        """Message ids and events that were not there before."""
        ids, raws = [], []
        for _ in range(events):
            number = next(self._numbers)
            head, tail = self._shapes[number % SHAPES]
            message_id = f"ajs-next-{1_700_000_000_000 + number}-{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
            ids.append(message_id)
            raws.append(head + message_id.encode() + tail)
        return ids, raws

    def _event(self) -> tuple[bytes, bytes]:
        rng = self._rng
        path = f"/products/{rng.randrange(3000)}"
        event = {
            "type": "track",
            "messageId": "MESSAGE-ID",
            "event": rng.choice(["Product Viewed", "Product Added", "Order Completed"]),
            "anonymousId": str(uuid.UUID(int=rng.getrandbits(128))),
            "userId": f"user_{rng.randrange(100_000)}",
            "timestamp": f"2026-11-25T04:{rng.randrange(60):02}:{rng.randrange(60):02}.{rng.randrange(1000):03}Z",
            "properties": {
                "product_id": rng.randrange(100_000),
                "price": rng.randrange(10_000) / 100,
                "currency": "EUR",
                "category": rng.choice(["shoes", "hats", "coats"]),
                "coupon": f"{rng.getrandbits(40):x}",
            },
            "context": {
                "page": {
                    "url": f"https://shop.example{path}?utm_source={rng.choice(['google', 'meta', 'mail'])}",
                    "path": path,
                    "referrer": f"https://shop.example/products/{rng.randrange(3000)}",
                    "title": f"Product {rng.randrange(3000)}",
                },
                "userAgent": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/{rng.randrange(90, 130)}.0.0.0",
                "locale": "en-US",
                "library": {"name": "analytics.js", "version": "npm:next-1.70.0"},
                "campaign": {"source": "google", "medium": "cpc"},
                "timezone": "Europe/Vienna",
            },
        }
        head, tail = json.dumps(event).encode().split(b"MESSAGE-ID")
        return head, tail


@asynccontextmanager
async def running_queue(directory: Path) -> AsyncIterator[Queue]:
    """A queue with its writer, and nothing else."""
    settings = QueueSettings(path=directory, min_free=0, reserve=0)
    opening = open_queue(settings, SystemClock(), random.Random(), Metrics("benchmark"))
    async with opening as queue, asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(queue.run(), name="queue.run")
        yield queue
        writer.cancel()


async def measure_queue(directory: Path, waiters: int, batch: int) -> Figures:
    """`waiters` clients, each of which sends its next request once the one before is on disk."""
    traffic, requests = Traffic(), 0

    # Made beforehand, so that making events is not what is measured.
    stock = [traffic.take(batch) for _ in range(400_000 // batch)]

    async def client(queue: Queue, until_s: float) -> None:
        nonlocal requests
        while perf_counter() < until_s and stock:
            ids, raws = stock.pop()
            await queue.submit(Envelope("web", 1_700_000_000_000, None, "192.0.2.7", "Mozilla/5.0"), ids, raws)
            requests += 1

    async with running_queue(directory) as queue:
        cpu_s, started_s = cpu(), perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(waiters):
                tasks.create_task(client(queue, started_s + SECONDS))
        return figures(requests, batch, perf_counter() - started_s, cpu() - cpu_s)


def measure_plain(directory: Path, batch: int) -> Figures:
    """One row for each event and one commit for each request."""
    traffic, requests = Traffic(), 0
    connection = sqlite3.connect(directory / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, message_id TEXT UNIQUE, body BLOB)")
    stock = [traffic.take(batch) for _ in range(200_000 // batch)]
    cpu_s, started_s = cpu(), perf_counter()
    while perf_counter() < started_s + PLAIN_SECONDS and stock:
        rows: Sequence[tuple[str, bytes]] = list(zip(*stock.pop(), strict=True))
        connection.execute("BEGIN")
        connection.executemany("INSERT OR IGNORE INTO events (message_id, body) VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        requests += 1
    result = figures(requests, batch, perf_counter() - started_s, cpu() - cpu_s)
    connection.close()
    return result


def cpu() -> float:
    """CPU seconds of this process, its threads included."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def figures(requests: int, batch: int, elapsed_s: float, cpu_s: float) -> Figures:
    """Rates from what was counted."""
    events = requests * batch
    return Figures(requests / elapsed_s, events / elapsed_s, cpu_s / events * 1e6)


def main() -> None:
    """Measure and print."""
    where = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=where) as scratch:
        for title, batch, crowds in (("single events", 1, (64, 512)), (f"requests of {BATCH}", BATCH, (64,))):
            directory = Path(scratch) / f"plain-{batch}"
            directory.mkdir()
            plain = measure_plain(directory, batch)
            print(f"{title:16} plain       {show(plain)}")
            for waiters in crowds:
                directory = Path(scratch) / f"queue-{batch}-{waiters}"
                queue = uvloop.run(measure_queue(directory, waiters, batch))
                ratio = queue.events_per_s / plain.events_per_s
                print(f"{title:16} {waiters:3} waiters {show(queue)}   {ratio:5.1f} times plain")


def show(measured: Figures) -> str:
    """One line of figures."""
    return (
        f"{measured.requests_per_s:10,.0f} requests/s {measured.events_per_s:10,.0f} events/s "
        f"{measured.cpu_us_per_event:7.2f} us CPU an event"
    )


if __name__ == "__main__":
    main()
