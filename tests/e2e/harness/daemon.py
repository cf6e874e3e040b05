"""One real daemon: its files in a directory of its own, started, stopped and killed as an operator would."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import duckdb
import orjson

from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.waiting import until

HEADWATER = str(Path(sys.executable).with_name("headwater"))
PASS_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""
"""What systemd does for a unit with a socket: the descriptor becomes number 3, and the environment says so."""

LINE_CHARACTERS = 300
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Also when the tests themselves are killed, no daemon is left behind."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Daemon:
    """`headwater run` on ports of its own. Its logs go to `log`, which failing tests show."""

    def __init__(self, directory: Path, plan: Plan, http: aiohttp.ClientSession) -> None:
        self.directory = directory
        self.config = directory / "headwater.toml"
        self.log = directory / "headwater.log"
        self.database = directory / "warehouse.duckdb"
        self.port, self.admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin = f"http://127.0.0.1:{self.admin_port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._http = http
        self.write(plan)

    def write(self, plan: Plan) -> None:
        """Write the configuration file."""
        queue = plan.queue if "path" in plan.queue else f'path = "{self.directory}/queue"\n{plan.queue}'
        text = (
            f'[server]\nlisten = "127.0.0.1:{self.port}"\n{plan.server}\n'
            f'[admin]\nlisten = "127.0.0.1:{self.admin_port}"\n'
            f"[queue]\n{queue}\n{plan.more}\n{plan.sources}\n{plan.destinations}\n"
        )
        self.config.write_text(text.replace("{duckdb}", str(self.database)))

    def spawn(
        self,
        *,
        listener: socket.socket | None = None,
        wrapper: Sequence[str] = (),
        command: Sequence[str] = (HEADWATER,),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process and return at once. `listener` is held by us and handed over as systemd does it."""
        command = [*wrapper, *command, "run", "-c", str(self.config)]
        descriptors: tuple[int, ...] = ()
        if listener is not None:
            descriptors = (listener.fileno(),)
            command = [sys.executable, "-c", PASS_SOCKET, str(listener.fileno()), *command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*DIES_WITH_US, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                cwd=self.directory,
                env={**os.environ, **(environ or {})},
            )

    async def start(self, **how: Any) -> None:
        """Start the process and wait until it takes traffic."""
        self.spawn(**how)
        await self.ready()

    async def ready(self) -> None:
        """Wait until /readyz says yes. Fails at once when the process has ended."""

        async def is_ready() -> bool:
            assert self.running.poll() is None, f"the daemon ended with {self.running.returncode}:\n{self.tail()}"
            return await self.readiness() == 200

        await until(is_ready, "the daemon takes traffic", every_s=0.02)

    async def readiness(self) -> int:
        """The status of /readyz; 0 where nobody answers."""
        try:
            async with self._http.get(f"{self.admin}/readyz") as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process. It may have ended."""
        assert self.process is not None, "start it first"
        return self.process

    async def wait(self) -> int:
        """The exit code, once the process has ended."""
        return await asyncio.to_thread(self.running.wait, 60)

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.running.send_signal(signal.SIGTERM)
        return await self.wait()

    async def kill(self) -> None:
        """SIGKILL."""
        self.running.kill()
        await self.wait()

    def reload(self) -> None:
        """SIGHUP."""
        self.running.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """Whatever happened before: no process is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tail(self, lines: int = 40) -> str:
        """The end of the log; its long lines are cut."""
        written = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(line[:LINE_CHARACTERS] for line in written[-lines:])

    def memory_mb(self, field: str) -> float:
        """Resident memory now (VmRSS) or at its highest (VmHWM)."""
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))

    def cpu_s(self) -> float:
        """The processor's time so far, in seconds: it does not depend on what else the machine does."""
        user, system = Path(f"/proc/{self.running.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    async def command(self, *words: str, environ: Mapping[str, str] | None = None) -> Said:
        """Run `headwater WORDS -c FILE`."""
        done = await asyncio.to_thread(
            subprocess.run,
            [HEADWATER, *words, "-c", str(self.config)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.directory,
            env={**os.environ, **(environ or {})},
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    async def sql(self, query: str) -> list[dict[str, Any]]:
        """The rows that `headwater sql` prints. Fails with its words when it refuses."""
        said = await self.command("sql", query, "--format", "json")
        assert said.code == 0, said.err or said.out
        rows: list[dict[str, Any]] = orjson.loads(said.out)
        return rows

    async def count(self, table: str) -> int:
        """Rows of a table; 0 while there is none."""
        said = await self.command("sql", f"select count(*) as n from {table}", "--format", "json")
        return int(orjson.loads(said.out)[0]["n"]) if said.code == 0 else 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer to a query of the database file itself; for when the daemon has ended."""
        with duckdb.connect(str(self.database), read_only=True) as database:
            return database.execute(query).fetchall()

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over its series with these labels; 0 where there are none."""
        async with self._http.get(f"{self.admin}/metrics") as answer:
            text = await answer.text()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(pair in line for pair in wanted))

    async def account(self, destination: str) -> dict[str, Any]:
        """The ledger's line for a destination: accepted, delivered, pending, dead, filtered."""
        async with self._http.get(f"{self.admin}/api/ledger") as answer:
            accounts = (await answer.json())["destinations"]
        found: dict[str, Any] = next(each for each in accounts if each["destination"] == destination)
        return found

    async def settled(self, *destinations: str) -> None:
        """Wait until these destinations have an outcome for every event in the queue."""

        async def nothing_is_pending() -> bool:
            accounts = [await self.account(name) for name in destinations]
            return all(account["pending"] == 0 < account["accepted"] for account in accounts)

        await until(nothing_is_pending, f"{', '.join(destinations)} are done", every_s=0.1)


MakeDaemon = Callable[[Plan], Daemon]
"""Makes a daemon that is not started yet."""
