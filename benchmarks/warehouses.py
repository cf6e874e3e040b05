"""How fast events become rows in each warehouse, beside the same rows loaded by dlt (peer_dlt/load.py) in the same run.

`headwater`: loads of 20,000 events of some 850 bytes, as the queue hands them over (JSON that nobody has read yet), the
next one staged beside the one that runs, as the daemon does it; identity on, no id stored twice. `dlt, appended` is
given the same events parsed, and adds rows without a look at their ids; with one worker and with two. `dlt, merged`
stores no id twice. `dlt, as it comes` appends with its own settings. Each has a warm-up. PostgreSQL syncs what it
commits.

The processor's time is told apart: that of the loading process, and that of the server's own.

Run: python benchmarks/warehouses.py [--events 200000] [--dlt-events 60000] [--only duckdb,postgres]
"""

import argparse
import asyncio
import gc
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
import rig
from kinds import KINDS, Kind, Peer
from shop import Site

from gateway.app import GARBAGE_THRESHOLD
from gateway.model.envelope import Batch
from gateway.warehouses import Warehouse
from tests.integration.warehouses.support.places.place import Place

VARIANTS = {
    "appended, 1 worker": ("--workers", "1"),
    "appended, 2 workers": ("--workers", "2"),
    "merged": ("--merge",),
    "as it comes, appended": ("--as-it-comes",),
    "as it comes, merged": ("--as-it-comes", "--merge"),
}
"""Ways to use dlt."""
LOAD = 20_000
KNOWN_DEVICES = 1_000
DLT = rig.HERE / "peer_dlt"


@dataclass(frozen=True)
class Rate:
    """One measurement."""

    events: int
    seconds: float
    cpu_s: float
    server_cpu_s: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """The processor's time for an event, wherever it went."""
        return (self.cpu_s + self.server_cpu_s) / self.events * 1e6

    def show(self, what: str, ours: "Rate | None" = None) -> None:
        """One line of figures; with `ours`, how many times better those are."""
        ratios = (
            f"  headwater: {ours.per_second / self.per_second:.1f} times the rate, "
            f"CPU {self.cpu_us / ours.cpu_us:.1f} times less"
            if ours
            else ""
        )
        to_load, in_server = (used / self.events * 1e6 for used in (self.cpu_s, self.server_cpu_s))
        cpu = f"CPU us/event: {to_load:6.1f} to load, {in_server:5.1f} in the server"
        print(f"{what:<34} {self.per_second:>9,.0f} events/s  {cpu}{ratios}", flush=True)


async def headwater(place: Place, events: int, server_cpu_s: Callable[[], float]) -> Rate:
    """What the daemon's part is."""
    shop = Site()
    async with place.open() as warehouse:
        warm_up = shop.batch(shop.edges(KNOWN_DEVICES) + shop.events(LOAD - KNOWN_DEVICES))
        await warehouse.load([warm_up], "log", warm_up.next_offset)
        loads = [[shop.batch(shop.events(LOAD))] for _ in range(events // LOAD)]
        gc.collect()
        started_s, cpu_s, server_s = time.perf_counter(), time.process_time(), server_cpu_s()
        stored = 0
        for this, after in zip(loads, [*loads[1:], []], strict=True):
            loaded, _ = await asyncio.gather(warehouse.load(this, "log", this[0].next_offset), staged(warehouse, after))
            stored += loaded.rows
        await warehouse.find_person("u1")  # after which nothing waits any more
        took = time.perf_counter() - started_s, time.process_time() - cpu_s, server_cpu_s() - server_s
    return Rate(stored, *took)


async def staged(warehouse: Warehouse, batches: list[Batch]) -> None:
    await asyncio.sleep(0.01)
    if batches:
        await warehouse.stage(batches)


def dlt(peer: Peer, credentials: str, events: Path, how: Sequence[str], server_cpu_s: Callable[[], float]) -> Rate:
    """The same by dlt. Raises CalledProcessError when it fails."""
    command = [str(DLT / ".venv/bin/python"), str(DLT / "load.py"), str(events), "--destination", peer.destination]
    command += ["--credentials", credentials, *how]
    if "--as-it-comes" not in how:
        command += ["--format", peer.file_format]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=events.parent) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while (line := process.stdout.readline()) and line != b"ready\n":
            pass
        before_s = server_cpu_s()
        process.stdin.write(b"\n")
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        used_s = server_cpu_s() - before_s
    if process.returncode or not lines:
        raise subprocess.CalledProcessError(process.returncode, command)
    answer = json.loads(lines[-1])
    assert answer["rows"] >= answer["events"], answer
    return Rate(answer["events"], answer["seconds"], answer["cpu_s"], used_s)


def compare(kind: Kind, events: int, dlt_events: int) -> None:
    name = kind.place.name
    with tempfile.TemporaryDirectory() as scratch, kind.serve() as new_settings:
        folder = Path(scratch)
        settings = new_settings(folder)
        server_cpu_s = partial(kind.server_cpu_s, settings)
        ours = asyncio.run(headwater(Place(kind.place, settings), events, server_cpu_s))
        ours.show(f"{name} headwater")
        if kind.peer is None:
            return
        shop, file = Site(), folder / "events.jsonl"
        shop.edges(KNOWN_DEVICES)
        file.write_bytes(b"\n".join(map(orjson.dumps, shop.events(dlt_events))))
        credentials = kind.peer.credentials(settings, folder)
        for what, how in VARIANTS.items():
            dlt(kind.peer, credentials, file, how, server_cpu_s).show(f"{name} dlt, {what}", ours)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--dlt-events", type=int, default=60_000)
    parser.add_argument("--only", default="", help="names of warehouses, with commas between")
    chosen = parser.parse_args()
    gc.set_threshold(GARBAGE_THRESHOLD)
    for name in chosen.only.split(",") if chosen.only else KINDS:
        compare(KINDS[name], chosen.events, chosen.dlt_events)


if __name__ == "__main__":
    main()
