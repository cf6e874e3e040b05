"""What identity costs: a graph of many edges, what a load of new ones takes then, and what events pay for it.

`grow`: loads of 20,000 events until the graph has so many edges. `add 1,000`: what so many new edges in a load cost, in
the processor's time and beyond what the rows cost, when the graph is small and when it is large. `events`: loads of a
site's events with identity on and off.

Run: python benchmarks/identity.py [--edges 10000000]
"""

import argparse
import asyncio
import gc
import resource
import tempfile
import time
from pathlib import Path

from shop import Event, Site

from gateway.app import GARBAGE_THRESHOLD
from gateway.model.clock import SystemClock
from gateway.model.envelope import Batch
from gateway.warehouses import Warehouse
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb

LOAD = 20_000
SMALL = 100_000
FEW = 1_000
TIMES = 40
ROUNDS = 3


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
