"""Whether broken destinations slow others: five that work, alone and beside fifteen that are slow, fail or throttle.

Each is a webhook that takes batches of 100. nginx answers for those that work (200), fail (500) and throttle (429 with
Retry-After); the slow ones answer after a second. The rate is that of the working ones, from the first event until they
have all of them; load, peers and gateway share all cores. `steady`: some 4,000 events/s come in. `as fast as it goes`:
more than can be delivered, so that what the others take of the processor shows as well.

Run: python benchmarks/destinations.py [--seconds 10]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rig

CORES = "0,1"
STEADY = rig.Shape(batch=100, connections=4, delay_ms=100)
FLOOD = rig.Shape(batch=100, connections=16)
OF_EACH = 5
ANSWERS = {"well": "return 200", "failing": "return 500", "throttling": "add_header Retry-After 1 always; return 429"}
SLOW_PEER = """
import asyncio, sys
from aiohttp import web
async def take(request):
    await request.read()
    await asyncio.sleep(1)
    return web.Response()
app = web.Application(client_max_size=2**26)
app.router.add_post("/", take)
web.run_app(app, port=int(sys.argv[1]), print=None)
"""


@contextmanager
def peers(directory: Path) -> Iterator[dict[str, str]]:
    """The address of a receiver of each kind."""
    ports = {kind: rig.free_port() for kind in (*ANSWERS, "slow")}
    servers = "".join(
        f"server {{ listen 127.0.0.1:{ports[kind]}; location / {{ {answer}; }} }}\n" for kind, answer in ANSWERS.items()
    )
    config = directory / "peers.conf"
    config.write_text(
        f"worker_processes 1; daemon off; pid {directory}/peers.pid; error_log {directory}/peers.log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_max_body_size 8m; keepalive_requests 100000000;\n{servers}}}\n",
    )
    commands = [
        ["nginx", "-c", str(config), "-p", str(directory)],
        [sys.executable, "-c", SLOW_PEER, str(ports["slow"])],
    ]
    running = [subprocess.Popen(command) for command in commands]
    try:
        yield {kind: f"http://127.0.0.1:{port}/" for kind, port in ports.items()}
    finally:
        for process in running:
            process.terminate()
            process.wait()


def measure(label: str, kinds: tuple[str, ...], shape: rig.Shape, seconds: int) -> float:
    """Events a second of each working destination."""
    with tempfile.TemporaryDirectory() as scratch, peers(Path(scratch)) as addresses:
        destinations = "".join(
            f'[destinations.{kind}{n}]\ntype = "webhook"\nurl = "{addresses[kind]}"\nbatched = true\n'
            for kind in kinds
            for n in range(OF_EACH)
        )
        with rig.daemon(CORES, Path(scratch), destinations) as daemon:
            started, cpu_before = time.monotonic(), daemon.cpu_s()
            rig.wrk(daemon.url, seconds, CORES, shape)
            accepted = daemon.metric("headwater_events_accepted_total")
            while _delivered(daemon) < accepted:
                time.sleep(0.1)
            took_s, cpu_s = time.monotonic() - started, daemon.cpu_s() - cpu_before
            memory_mb = daemon.memory_mb("VmHWM")
            adds_up = _ledger(daemon)["adds_up"]
    print(
        f"{label:<42} {accepted / took_s:>8,.0f} events/s each  {accepted:,.0f} events in {took_s:.1f} s  "
        f"{cpu_s / accepted / OF_EACH * 1e6:.1f} CPU us/delivery  memory {memory_mb:.0f} MB  "
        f"ledger {'adds up' if adds_up else 'DOES NOT ADD UP'}",
        flush=True,
    )
    return accepted / took_s


def _delivered(daemon: rig.Daemon) -> float:
    """What the slowest of the working ones has."""
    accounts = _ledger(daemon)["destinations"]
    return min(each["delivered"] for each in accounts if each["destination"].startswith("well"))


def _ledger(daemon: rig.Daemon) -> dict[str, object]:
    with urllib.request.urlopen(f"{daemon.admin}/api/ledger", timeout=10) as answer:
        document: dict[str, object] = json.loads(answer.read())
        return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of steady load; a fifth of it as fast as it goes")
    seconds = parser.parse_args().seconds
    rig.require("wrk", "taskset", "nginx")
    rig.raise_file_limit()
    for label, shape, load_s in (("steady", STEADY, seconds), ("as fast as it goes", FLOOD, max(1, seconds // 5))):
        alone = measure(f"{label}, five that work, alone", ("well",), shape, load_s)
        among = measure(f"{label}, among twenty", ("well", "slow", "failing", "throttling"), shape, load_s)
        print(f"{label}, ratio of rates, among twenty to alone: {among / alone:.2f}", flush=True)


if __name__ == "__main__":
    main()
