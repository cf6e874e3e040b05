"""Hands events to the process that runs the owner's transforms, and survives whatever that does.

All events of a call are handed over at once. If no answer comes for longer than one transform may take, or the process
ends, it is started again, and what was not answered is handed over one by one: so the event at fault is found, and is
the only one to pay.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gateway.config import CodeFile
from gateway.model.errors import HeadwaterError
from gateway.model.event import Event
from gateway.transforms import host
from gateway.transforms.host import LENGTH_BYTES

START_TIMEOUT_S = 10.0
GRACE_S = 0.5
"""Beyond a transform's own time, for the way there and back."""
HOST = Path(host.__file__)
"""Run as a script: as a module it would bring all of the gateway along."""


class TransformsError(HeadwaterError):
    """The owner's code could not be loaded, or its process not be started; the message says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """An event and the files that it goes through, in this order."""

    chain: Sequence[CodeFile]
    event: Event


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of an event whose transform failed: the end of its traceback."""

    error: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A transform left nothing of an event."""

    by: str
    """The name of its file."""
    returned: str
    """What it returned, in words."""


Result = Sequence[Event] | KeptBack | Failure


class _SilentError(Exception):
    """No answer within the time, or the process ended; the message is for the owner."""


class Runner:
    """One process, started when there is work."""

    def __init__(self, files: Sequence[CodeFile], timeout_s: float) -> None:
        self._files = files
        self._timeout_s = timeout_s
        self._process: Process | None = None
        self._working = asyncio.Lock()

    async def run(self, jobs: Sequence[Job]) -> list[Result]:
        """What becomes of each. Raises TransformsError where the code cannot be loaded any more."""
        async with self._working:
            results: dict[int, Result] = {}
            try:
                await self._exchange(dict(enumerate(jobs)), results)
            except _SilentError:
                for index, job in enumerate(jobs):
                    if index not in results:
                        await self._run_alone(index, job, results)
            return [results[index] for index in range(len(jobs))]

    async def start(self) -> None:
        """Load the code. Raises TransformsError with the traceback where that fails."""
        async with self._working:
            await self._started()

    async def aclose(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _run_alone(self, index: int, job: Job, results: dict[int, Result]) -> None:
        try:
            await self._exchange({index: job}, results)
        except _SilentError as error:
            results[index] = Failure(str(error))

    async def _exchange(self, jobs: Mapping[int, Job], results: dict[int, Result]) -> None:
        """Raises _SilentError, and then what has been answered is in `results`."""
        process = await self._started()
        assert process.stdin is not None
        try:
            for index, job in jobs.items():
                # Never waited for: what the pipe has no room for is kept here, while answers are read.
                frame = {"id": index, "chain": [str(code.path) for code in job.chain], "event": job.event}
                process.stdin.write(_framed(orjson.dumps(frame)))
            while not jobs.keys() <= results.keys():
                answer = await self._answer(process, self._timeout_s + GRACE_S)
                results[answer["id"]] = _result(answer)
        except (OSError, EOFError, TimeoutError) as error:
            await self.aclose()
            raise _SilentError(self._words(error, process)) from error
        except asyncio.CancelledError:
            await asyncio.shield(self.aclose())
            raise

    def _words(self, error: Exception, process: Process) -> str:
        if isinstance(error, TimeoutError):
            return f"cut off: no answer within {self._timeout_s:g} s"
        return f"the transform ended its process (status {process.returncode})"

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        paths = [str(code.path) for code in self._files]
        command = [sys.executable, "-P", str(HOST), str(self._timeout_s), *paths]
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        except OSError as error:
            raise TransformsError(f"the process for transforms cannot be started: {error.strerror}") from error
        self._process = process
        try:
            first = await self._answer(process, START_TIMEOUT_S)
        except (EOFError, TimeoutError) as error:
            await self.aclose()
            names = ", ".join(paths)
            raise TransformsError(f"not loaded within {START_TIMEOUT_S:g} s, or ended by loading: {names}") from error
        if "fault" in first:
            await self.aclose()
            raise TransformsError(first["fault"], hint="mend the file, then reload")
        return process

    async def _answer(self, process: Process, timeout_s: float) -> dict[str, Any]:
        """Raises TimeoutError or EOFError."""
        assert process.stdout is not None
        async with asyncio.timeout(timeout_s):
            size = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
            answer: dict[str, Any] = orjson.loads(await process.stdout.readexactly(size))
            return answer


def _result(answer: Mapping[str, Any]) -> Result:
    if "error" in answer:
        return Failure(answer["error"])
    if "kept_back_by" in answer:
        return KeptBack(Path(answer["kept_back_by"]).name, answer["returned"])
    events: Sequence[Event] = answer["events"]
    return events


def _framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(LENGTH_BYTES, "big") + frame
