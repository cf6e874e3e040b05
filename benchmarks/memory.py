"""What a backlog costs: five million events that nobody takes, then a restart on top of them.

Run: python benchmarks/memory.py [--events 5000000]
"""

import argparse
import tempfile
import time
from pathlib import Path

import rig

BATCH = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    wanted = parser.parse_args().events
    rig.require("wrk", "taskset")
    rig.raise_file_limit()
    nobody = f'[destinations.hook]\ntype = "webhook"\nurl = "http://127.0.0.1:{rig.free_port()}/"\n'
    with tempfile.TemporaryDirectory() as scratch:
        with rig.daemon("0,1", Path(scratch), nobody) as daemon:
            empty_mb = daemon.memory_mb()
            while daemon.metric("headwater_queue_head_offset") < wanted:
                rig.wrk(daemon.url, 5, "1", rig.Shape(BATCH, connections=16))
            events, filled_mb = daemon.metric("headwater_queue_head_offset"), daemon.memory_mb("VmHWM")
        size_mb = sum(file.stat().st_size for file in (Path(scratch) / "queue").rglob("*") if file.is_file()) / 2**20
        started = time.monotonic()
        with rig.daemon("0,1", Path(scratch), nobody) as daemon:
            ready_s = time.monotonic() - started
            rig.wrk(daemon.url, 5, "1", rig.Shape(BATCH, connections=16))
            restarted_mb = daemon.memory_mb("VmHWM")
    print(f"backlog of {events:,.0f} events, {size_mb:,.0f} MiB on disk, {size_mb * 2**20 / events:.0f} bytes an event")
    print(
        f"memory: {empty_mb:.0f} MB empty, at most {filled_mb:.0f} MB while filling, {restarted_mb:.0f} MB after a "
        f"restart under load ({filled_mb / empty_mb:.1f} times the empty daemon); "
        f"ready {ready_s:.1f} s after the start",
    )


if __name__ == "__main__":
    main()
