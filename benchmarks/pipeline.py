"""How fast events travel from HTTP to DuckDB rows, and how much memory that takes. Load and gateway share all cores.

`steady`: clients pause between requests, such that the rows keep up with what comes in. `as fast as it goes`: they do
not, and a backlog grows that has to be loaded after them.

Run: python benchmarks/pipeline.py [--seconds 60]
"""

import argparse
import tempfile
import time
from pathlib import Path

import duckdb
import rig

CORES = "0,1"
STEADY_MS = 25
"""Pause of each of 16 connections: about 50,000 events/s."""


def measure(label: str, shape: rig.Shape, seconds: int, reference: float) -> None:
    """Load for `seconds` and count the rows meanwhile; then wait until every event is one, and count the whole time."""
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "events.duckdb"
        destination = f'[destinations.warehouse]\ntype = "duckdb"\npath = "{database}"\n'
        with rig.daemon(CORES, Path(scratch), destination) as daemon:
            rig.wrk(daemon.url, 2, "1", shape)
            _drain(daemon)
            before, cpu_before, started = _loaded(daemon), daemon.cpu_s(), time.monotonic()
            load = rig.wrk(daemon.url, seconds, CORES if shape.delay_ms else "1", shape)
            meanwhile = (_loaded(daemon) - before) / (time.monotonic() - started)
            lag = daemon.metric("headwater_destination_lag_events")
            _drain(daemon)
            took_s = time.monotonic() - started
            events = _loaded(daemon) - before
            cpu_s, memory = daemon.cpu_s() - cpu_before, daemon.memory_mb("VmHWM")
        with duckdb.connect(str(database), read_only=True) as connection:
            counted = "select (select count(*) from tracks) + (select count(*) from pages)"
            rows = connection.execute(counted).fetchall()[0][0]
        print(
            f"{label:<35} in {load.per_second * (shape.batch or 1):>8,.0f}/s  rows {meanwhile:>7,.0f}/s meanwhile, "
            f"lag {lag:>9,.0f}  {events / took_s:>7,.0f}/s over {took_s:.1f} s with the rest  "
            f"{cpu_s / events * 1e6:5.1f} CPU us/event  p50 {load.p50_ms:.1f} p99 {load.p99_ms:.1f} ms  "
            f"errors {load.errors}  memory {memory:.0f} MB  rows {rows:,}  "
            f"ratio to nginx GET {events / took_s / reference:.3f}",
            flush=True,
        )


def _loaded(daemon: rig.Daemon) -> float:
    return daemon.metric("headwater_warehouse_rows_total")


def _drain(daemon: rig.Daemon) -> None:
    while _loaded(daemon) < daemon.metric("headwater_events_accepted_total"):
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    rig.require("wrk", "nginx", "taskset")
    rig.raise_file_limit()
    with tempfile.TemporaryDirectory() as scratch, rig.nginx(CORES, Path(scratch)) as url:
        reference = rig.wrk(url, 5, "1", rig.PLAIN).per_second
    print(f"nginx return 200 {reference:,.0f} requests/s")
    measure("batches of 100, steady", rig.Shape(100, connections=16, delay_ms=STEADY_MS), seconds, reference)
    measure("batches of 100, as fast as it goes", rig.Shape(100, connections=16), seconds, reference)
    measure("single events, as fast as it goes", rig.Shape(), seconds, reference)


if __name__ == "__main__":
    main()
