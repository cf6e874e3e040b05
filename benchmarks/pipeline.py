"""How fast events travel from HTTP to rows of a warehouse, and how much memory that takes.

Load, gateway and the warehouse's server share two cores; rows wait a second for company at most. `steady`: clients
pause between requests, such that about so many events come in a second, and the rows keep up. `as fast as it goes`:
they do not, and a backlog grows that has to be loaded after them. The processor's time is that of the gateway, and of
the warehouse's server beside it.

Run: python benchmarks/pipeline.py [--seconds 60] [--warehouse duckdb] [--steady 50000]
"""

import argparse
import asyncio
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import rig
from kinds import KINDS, Kind

from tests.integration.warehouses.support.places.place import Place

CORES = "0,1"
CONNECTIONS = 16
BATCH = 100
PAUSING = 0.8
"""The part of a connection's time that is pause where events come in steadily; requests take the rest."""


def measure(kind: Kind, label: str, shape: rig.Shape, seconds: int, reference: float) -> None:
    """Load for `seconds` and count the rows meanwhile; then wait until every event is one, and count the whole time."""
    with tempfile.TemporaryDirectory() as scratch, kind.serve() as new_settings:
        settings = new_settings(Path(scratch))
        server_cpu_s = partial(kind.server_cpu_s, settings)
        told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        destination = f'[destinations.warehouse]\ntype = "{kind.place.name}"\nbatch = {{ max_wait = "1s" }}\n{told}'
        with rig.daemon(CORES, Path(scratch), destination) as daemon:
            rig.wrk(daemon.url, 2, "1", shape)
            _drain(daemon)
            before, cpu_before, started = _loaded(daemon), daemon.cpu_s(), time.monotonic()
            server_before = server_cpu_s()
            load = rig.wrk(daemon.url, seconds, CORES if shape.delay_ms else "1", shape)
            meanwhile = (_loaded(daemon) - before) / (time.monotonic() - started)
            lag = daemon.metric("headwater_destination_lag_events")
            _drain(daemon)
            took_s = time.monotonic() - started
            events = _loaded(daemon) - before
            cpu_s, server_s = daemon.cpu_s() - cpu_before, server_cpu_s() - server_before
            memory = daemon.memory_mb("VmHWM")
        rows = asyncio.run(_rows(Place(kind.place, settings)))
        print(
            f"{label:<35} in {load.per_second * (shape.batch or 1):>8,.0f}/s  rows {meanwhile:>7,.0f}/s meanwhile, "
            f"lag {lag:>9,.0f}  {events / took_s:>7,.0f}/s over {took_s:.1f} s with the rest  "
            f"CPU us/event {cpu_s / events * 1e6:5.1f} gateway {server_s / events * 1e6:5.1f} server  "
            f"p50 {load.p50_ms:.1f} p99 {load.p99_ms:.1f} ms  "
            f"errors {load.errors}  memory {memory:.0f} MB  rows {rows:,}  "
            f"ratio to nginx GET {events / took_s / reference:.3f}",
            flush=True,
        )


async def _rows(place: Place) -> int:
    async with place.open() as warehouse:
        counted = await warehouse.query("select (select count(*) from tracks) + (select count(*) from pages)", 1, 60)
    return int(counted.rows[0][0])


def _loaded(daemon: rig.Daemon) -> float:
    return daemon.metric("headwater_warehouse_rows_total")


def _drain(daemon: rig.Daemon) -> None:
    while _loaded(daemon) < daemon.metric("headwater_events_accepted_total"):
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--warehouse", choices=KINDS, default="duckdb")
    parser.add_argument("--steady", type=int, default=50_000, help="events a second")
    chosen = parser.parse_args()
    rig.require("wrk", "nginx", "taskset")
    rig.raise_file_limit()
    with tempfile.TemporaryDirectory() as scratch, rig.nginx(CORES, Path(scratch)) as url:
        reference = rig.wrk(url, 5, "1", rig.PLAIN).per_second
    print(f"nginx return 200 {reference:,.0f} requests/s")
    pause_ms = round(CONNECTIONS * BATCH / chosen.steady * PAUSING * 1000)
    shapes = {
        "batches of 100, steady": rig.Shape(BATCH, connections=CONNECTIONS, delay_ms=pause_ms),
        "batches of 100, as fast as it goes": rig.Shape(BATCH, connections=CONNECTIONS),
        "single events, as fast as it goes": rig.Shape(),
    }
    for label, shape in shapes.items():
        measure(KINDS[chosen.warehouse], label, shape, chosen.seconds, reference)


if __name__ == "__main__":
    main()
