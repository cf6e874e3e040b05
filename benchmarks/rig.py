"""What the benchmarks share: a daemon and an nginx pinned to chosen cores, wrk on another, and their figures."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """One run of wrk."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Daemon:
    """A running gateway."""

    process: subprocess.Popen[bytes]
    url: str
    admin: str
    directory: Path
    config: Path

    def cpu_s(self) -> float:
        """User and system time so far, in seconds."""
        return sum(_stat(self.process.pid)[11:13]) / TICKS

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Resident memory now (VmRSS) or at its highest (VmHWM)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no {field} in /proc")

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{")))


def family_cpu_s(pid: int) -> float:
    """User and system time so far of a process and its children, those that have ended included, in seconds."""
    total = sum(_stat(pid)[11:15])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                fields = _stat(int(entry.name))
                total += sum(fields[11:13]) if fields[1] == pid else 0
    return total / TICKS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(cores: str, directory: Path) -> Iterator[str]:
    """nginx with one worker for each core, answering 200 to everything; yields its URL."""
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(
        f"worker_processes {len(cores.split(','))}; daemon off;\n"
        f"pid {directory}/nginx.pid; error_log {directory}/nginx.log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_max_body_size 8m; keepalive_requests 100000000;\n"
        f'  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}\n',
    )
    process = subprocess.Popen(["taskset", "-c", cores, "nginx", "-c", str(config), "-p", str(directory)])
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def daemon(cores: str, directory: Path, destinations: str = "") -> Iterator[Daemon]:
    """A gateway with durability "full" and a fresh queue in `directory`; `destinations` is TOML."""
    public, admin = free_port(), free_port()
    config = directory / "headwater.toml"
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:{public}"\n[admin]\nlisten = "127.0.0.1:{admin}"\n'
        f'[queue]\npath = "{directory}/queue"\ndurability = "full"\nmax_bytes = "20GiB"\n'
        f'[log]\nlevel = "warning"\n[sources.bench]\nwrite_keys = ["bench-key"]\n{destinations}\n',
    )
    command = ["taskset", "-c", cores, sys.executable, "-m", "gateway", "run", "-c", str(config)]
    process = subprocess.Popen(command)
    try:
        _wait_for(f"http://127.0.0.1:{admin}/readyz", process)
        yield Daemon(process, f"http://127.0.0.1:{public}", f"http://127.0.0.1:{admin}", directory, config)
    finally:
        process.terminate()
        process.wait(60)


@dataclass(frozen=True)
class Shape:
    """What wrk sends: plain GETs, or POSTs of `batch` events each (0: single events)."""

    batch: int = 0
    plain: bool = False
    connections: int = 64
    delay_ms: int = 0
    """Pause of each connection between two requests."""


PLAIN = Shape(plain=True)


def wrk(url: str, seconds: int, cores: str, shape: Shape) -> Load:
    """Load `url` for so many seconds with one thread for each core."""
    script = HERE / "wrk" / ("plain.lua" if shape.plain else "events.lua")
    threads = str(len(cores.split(",")))
    pinned = ["taskset", "-c", cores, "wrk", "-t", threads, "-c", str(shape.connections)]
    command = [*pinned, "-d", f"{seconds}s", "--timeout", "30s", "-s", str(script), url]
    chosen = {"BATCH": str(shape.batch), "DELAY_MS": str(shape.delay_ms), "RUN_ID": f"{time.time_ns():x}"}
    answer = subprocess.run(command, env=os.environ | chosen, capture_output=True, text=True, check=True)
    line = next(line for line in answer.stdout.splitlines() if line.startswith("RESULT "))
    return Load(**json.loads(line.removeprefix("RESULT ")))


def require(*programs: str) -> None:
    """Stop with a clear word where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; on Debian: apt-get install wrk nginx-light util-linux")


def raise_file_limit() -> None:
    """64 connections and their files, several times over."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stat(pid: int) -> list[int]:
    """/proc's numbers, from the parent's on at 1; see proc(5), which counts them from 3 (the state is 0 here)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} did not answer within 10 s")
