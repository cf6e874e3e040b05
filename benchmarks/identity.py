"""What identity costs: a graph of many edges, what a load of new ones takes then, and what events pay for it.

`grow`: loads of 20,000 events until the graph has so many edges. `add 1,000`: what so many new edges in a load cost, in
the processor's time and beyond what the rows cost, when the graph is small and when it is large. `events`: loads of a
site's events with identity on and off.

Run: python benchmarks/identity.py [--edges 10000000]
"""

import argparse
import asyncio
import gc
import random
import resource
import tempfile
import time
from array import array
from itertools import accumulate, count
from pathlib import Path

import orjson

from gateway.app import GARBAGE_THRESHOLD
from gateway.model.clock import SystemClock
from gateway.model.envelope import Batch, Envelope
from gateway.warehouses import Warehouse
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb

LOAD = 20_000
SMALL = 100_000
FEW = 1_000
TIMES = 40
ROUNDS = 3
RECEIVED_AT_MS = 1764046800000
NAMES = (
    *("Product Viewed", "Product Added", "Cart Viewed", "Order Completed"),
    *("Products Searched", "Promotion Clicked", "Signed Up", "Article Read"),
)
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1",
)
PLAN = {"plan": "free"}
Event = dict[str, object]


class Site:
    """Makes events of a site whose people grow in number."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._ids = count()
        self._user_of = array("I")
        """The user that each device was first seen with."""
        self.now_ms = RECEIVED_AT_MS
        self.offset = 0

    def edges(self, number: int) -> list[Event]:
        """Identifies: about one edge each, a third of them with a new e-mail address as a second one."""
        return [self._identify() for _ in range(number)]

    def events(self, number: int) -> list[Event]:
        """Two in five say both ids, one in fifty is an identify, and of those one in five says something new."""
        made = []
        for _ in range(number):
            way = self._random.random()
            made.append(self._view() if way > 0.02 else self._identify() if way < 0.004 else self._identify_again())
        return made

    def strangers(self, number: int) -> list[Event]:
        """Identifies that name nobody, which make no edge."""
        return [self._event("identify", anonymousId=f"s{n}", traits=dict(PLAN)) for n in range(number)]

    def batch(self, events: list[Event]) -> Batch:
        """As the queue hands them over."""
        raws = [orjson.dumps(event) for event in events]
        self.now_ms += 1000
        envelope = Envelope("web", self.now_ms)
        bounds = array("I", [0, *accumulate(map(len, raws))])
        batch = Batch(self.offset, b"".join(raws), bounds, [envelope], array("I", [0] * len(raws)))
        self.offset = batch.next_offset
        return batch

    def _identify(self) -> Event:
        way, known = self._random.random(), len(self._user_of)
        if way < 0.5 or not known:  # a new user on a new device
            device, user = known, known
            self._user_of.append(user)
        elif way < 0.75:  # a known user on a new device
            device, user = known, self._user_of[self._random.randrange(known)]
            self._user_of.append(user)
        elif way < 0.98:  # a known user on their device
            device = self._random.randrange(known)
            user = self._user_of[device]
        else:  # another user on a known device
            device, user = self._random.randrange(known), self._user_of[self._random.randrange(known)]
        traits = {"email": f"u{user}@shop.example"} if way < 0.17 or way > 0.9 else dict(PLAN)
        return self._event("identify", anonymousId=f"d{device}", userId=f"u{user}", traits=traits)

    def _identify_again(self) -> Event:
        device = self._random.randrange(len(self._user_of))
        return self._event("identify", anonymousId=f"d{device}", userId=f"u{self._user_of[device]}", traits=dict(PLAN))

    def _view(self) -> Event:
        """About 850 bytes, as those of the other benchmarks."""
        device, item = self._random.randrange(len(self._user_of)), self._random.randrange(512)
        who = {"userId": f"u{self._user_of[device]}"} if device % 5 < 2 else {}
        path = f"/category/{item % 17}/item-{item}"
        page = {
            "url": f"https://shop.example{path}?utm_source=mail",
            "path": path,
            "title": f"Item {item} of the collection",
            "referrer": "https://www.search.example/",
        }
        context = {
            "library": {"name": "headwater.js", "version": "1.0.0"},
            "locale": "en-GB",
            "userAgent": AGENTS[item % 2],
            "page": page,
            "screen": {"width": 1440, "height": 900, "density": 2},
        }
        properties = {
            "product_id": f"p-{item}",
            "sku": f"SKU-{item}",
            "name": f"Thing number {item}",
            "price": item + 0.5,
            "quantity": item % 5 + 1,
            "currency": "EUR",
            "category": f"Category {item % 17}",
            "coupon": None if item % 3 else "SPRING",
            "in_stock": item % 2 == 0,
            "position": item,
        }
        fields = {"event": NAMES[item % 8], "properties": properties, "context": context}
        return self._event("track", anonymousId=f"d{device}", **who, **fields)

    def _event(self, kind: str, **fields: object) -> Event:
        return {"type": kind, "messageId": f"01890000-0000-7000-8000-{next(self._ids):012d}", **fields}


async def grow(warehouse: Warehouse, site: Site, edges: int) -> None:
    """Load identifies until the graph has so many edges."""
    started_s, before = time.monotonic(), await edges_of(warehouse)
    while await edges_of(warehouse) < edges:
        for _ in range(max(1, min(20, (edges - SMALL) // LOAD // 10))):
            await load(warehouse, site, site.edges(LOAD))
    added, took_s = await edges_of(warehouse) - before, time.monotonic() - started_s
    print(f"grow      {added:>10,} edges in {took_s:7.1f} s  {added / took_s:>9,.0f} edges/s  {memory()}", flush=True)


async def add_few(warehouse: Warehouse, site: Site, label: str) -> float:
    """Seconds of the processor for FEW edges of a load, with all that comes of them later.

    What the rows of such a load cost is measured beside it, by as many identifies of nobody, and taken off.
    """
    events = FEW * 3 // 4
    with_edges = await cost(warehouse, site, [site.edges(events) for _ in range(TIMES)])
    without = await cost(warehouse, site, [site.strangers(events) for _ in range(TIMES)])
    edges_s = with_edges - without
    whole = f"of {with_edges * 1000:.1f} ms for a load"
    print(f"add 1,000 to {label:>10} {edges_s * 1000:7.1f} ms {whole}  {memory()}", flush=True)
    return edges_s


async def cost(warehouse: Warehouse, site: Site, loads: list[list[Event]]) -> float:
    """Seconds of the processor for each load."""
    batches = [site.batch(made) for made in loads]
    await warehouse.find_person("u1")
    cpu_s = time.process_time()
    for batch in batches:
        await warehouse.load([batch], "log", batch.next_offset)
    await warehouse.find_person("u1")
    return (time.process_time() - cpu_s) / len(batches)


async def events(scratch: Path, *, enabled: bool, rounds: int = 20) -> float:
    """Events a second, of the processor's time."""
    settings = DuckDBSettings.model_validate(
        {"type": "duckdb", "path": scratch / f"{enabled}.duckdb", "identity": {"enabled": enabled}}
    )
    site = Site()
    async with open_duckdb(settings, SystemClock()) as warehouse:
        await load(warehouse, site, site.edges(LOAD))
        batches = [site.batch(site.events(LOAD)) for _ in range(rounds)]
        cpu_s, started_s = time.process_time(), time.monotonic()
        loads = [[batch] for batch in batches]
        for this, after in zip(loads, [*loads[1:], []], strict=True):
            await asyncio.gather(warehouse.load(this, "log", this[0].next_offset), staged(warehouse, after))
        await warehouse.find_person("u1")
        cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - started_s
    number = rounds * LOAD
    word = "with" if enabled else "without"
    print(f"events {word:>7} identity {number / took_s:>9,.0f}/s  {cpu_s / number * 1e6:5.1f} CPU us/event", flush=True)
    return number / took_s


async def staged(warehouse: Warehouse, batches: list[Batch]) -> None:
    """The next load is prepared beside the one that runs, as the gateway does it."""
    await asyncio.sleep(0.01)
    if batches:
        await warehouse.stage(batches)


async def load(warehouse: Warehouse, site: Site, made: list[Event]) -> None:
    """One load."""
    batch = site.batch(made)
    await warehouse.load([batch], "log", batch.next_offset)


async def edges_of(warehouse: Warehouse) -> int:
    """How many there are."""
    return int((await warehouse.query("select count(*) from identity_edges", 1, 60)).rows[0][0])


def memory() -> str:
    """The most that this process has used."""
    return f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


async def main(edges: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        site = Site()
        async with open_duckdb(DuckDBSettings(path=scratch / "graph.duckdb"), SystemClock()) as warehouse:
            await grow(warehouse, site, SMALL)
            small_s = await add_few(warehouse, site, f"{SMALL:,}")
            await grow(warehouse, site, edges)
            large_s = await add_few(warehouse, site, f"{edges:,}")
            print(f"ratio of costs, {edges:,} to {SMALL:,}: {large_s / small_s:.2f}")
        rates = [
            (await events(scratch / f"on{n}", enabled=True), await events(scratch / f"off{n}", enabled=False))
            for n in range(ROUNDS)
        ]
        with_identity, without = (max(column) for column in zip(*rates, strict=True))
        print(f"ratio of rates, with to without: {with_identity / without:.2f}")


if __name__ == "__main__":
    gc.set_threshold(GARBAGE_THRESHOLD)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=10_000_000)
    asyncio.run(main(parser.parse_args().edges))
