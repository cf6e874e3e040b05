"""How fast durable events are taken in: one core for the gateway, the other for wrk, beside nginx's `return 200`.

A machine is not the same from minute to minute, so nginx is measured before and after each load of the gateway, and the
ratio is to the mean of the two.

Run: python benchmarks/intake.py [--seconds 10]
"""

import argparse
import tempfile
from pathlib import Path

import rig

GATEWAY_CORE, LOAD_CORE = "0", "1"


def measure_nginx(seconds: int) -> float:
    """Requests/s of nginx on one core: plain GETs, and the same single-event POSTs that the gateway gets."""
    with tempfile.TemporaryDirectory() as scratch, rig.nginx(GATEWAY_CORE, Path(scratch)) as url:
        get = rig.wrk(url, seconds, LOAD_CORE, rig.PLAIN)
        post = rig.wrk(url, seconds, LOAD_CORE, rig.Shape())
    print(f"nginx return 200      GET  {get.per_second:>10,.0f} requests/s   POST {post.per_second:>10,.0f} requests/s")
    return get.per_second


def measure_gateway(label: str, batch: int, seconds: int) -> None:
    """Full load, then half of it for the latency of the acknowledgement."""
    before = measure_nginx(seconds)
    events_per_request = batch or 1
    with tempfile.TemporaryDirectory() as scratch, rig.daemon(GATEWAY_CORE, Path(scratch)) as daemon:
        rig.wrk(daemon.url, 2, LOAD_CORE, rig.Shape(batch))
        cpu_before, accepted_before = daemon.cpu_s(), daemon.metric("headwater_events_accepted_total")
        full = rig.wrk(daemon.url, seconds, LOAD_CORE, rig.Shape(batch))
        cpu_s = daemon.cpu_s() - cpu_before
        accepted = daemon.metric("headwater_events_accepted_total") - accepted_before
        events_per_s = full.per_second * events_per_request
        reference = (before + measure_nginx(seconds)) / 2
        print(
            f"{label:<21} {events_per_s:>10,.0f} events/s  {cpu_s / accepted * 1e6:6.1f} CPU us/event  "
            f"p50 {full.p50_ms:.1f} p99 {full.p99_ms:.1f} ms  errors {full.errors}  "
            f"ratio to nginx GET {events_per_s / reference:.3f}  memory {daemon.memory_mb('VmHWM'):.0f} MB",
        )
        delay_ms = max(1, round(64 / (full.per_second / 2) * 1000))
        half = rig.wrk(daemon.url, seconds, LOAD_CORE, rig.Shape(batch, delay_ms=delay_ms))
        print(
            f"{'  at half the load':<21} {half.per_second * events_per_request:>10,.0f} events/s  "
            f"p50 {half.p50_ms:.1f} p99 {half.p99_ms:.1f} ms  errors {half.errors}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    seconds = parser.parse_args().seconds
    rig.require("wrk", "nginx", "taskset")
    rig.raise_file_limit()
    measure_gateway("single events", 0, seconds)
    measure_gateway("batches of 100", 100, seconds)


if __name__ == "__main__":
    main()
