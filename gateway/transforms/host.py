"""The process in which transforms run: `python host.py TIMEOUT_S FILE...`.

On standard input it is sent jobs, on standard output it answers them: frames of four bytes of length, big end first,
and JSON. What the owner's code prints goes to standard error. The first frame says that all files were loaded, or
which was not and why. It ends when its input does.
"""

import asyncio
import importlib.util
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

Transform = Callable[[dict[str, Any]], Awaitable[Any]]

LENGTH_BYTES = 4
MAX_TRACE_CHARACTERS = 900
NOT_THE_OWNERS = (f"{Path(__file__).parents[1]}{os.sep}", "<frozen ")


class BadResultError(Exception):
    """A transform returned what is no event."""


def load(path: str) -> Transform:
    """The `transform` of a file. Raises whatever the file does."""
    spec = importlib.util.spec_from_file_location(f"owner_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    transform: Transform = module.transform
    return transform


async def applied(chain: Sequence[tuple[str, Transform]], event: dict[str, Any]) -> dict[str, Any]:
    """What becomes of the event in a row of transforms, by their files: each is given what the one before it returned.

    {events}, or {kept_back_by, returned} of the one that left none.
    """
    events = [event]
    for path, transform in chain:
        returned = [await transform(given) for given in events]
        events = [made for result in returned for made in as_events(result)]
        if not events:
            return {"kept_back_by": path, "returned": "None" if None in returned else "no event"}
    return {"events": events}


def as_events(result: Any) -> list[dict[str, Any]]:
    """The event, several, or none. Raises BadResultError."""
    events = [] if result is None else result if isinstance(result, list) else [result]
    if not all(isinstance(event, dict) for event in events):
        raise BadResultError(f"transform returned {type(result).__name__}: return the event, a list of events, or None")
    return events


def told(error: BaseException) -> str:
    """The traceback of the owner's code, without what is ours or Python's own; its end first kept."""
    frames = traceback.extract_tb(error.__traceback__)
    owners = [each for each in frames if not each.filename.startswith(NOT_THE_OWNERS)]
    where = "".join(f"{Path(each.filename).name}:{each.lineno} in {each.name}: {each.line}\n" for each in owners)
    words = "".join(traceback.format_exception_only(error)).strip()
    return f"{where}{words}"[-MAX_TRACE_CHARACTERS:]


async def answer(job: dict[str, Any], transforms: dict[str, Transform], timeout_s: float) -> bytes:
    """The frame that answers a job: its id, and what `applied` gives or {error}."""
    try:
        async with asyncio.timeout(timeout_s):
            made = await applied([(path, transforms[path]) for path in job["chain"]], job["event"])
        return orjson.dumps({"id": job["id"], **made})
    except TimeoutError:
        error = f"cut off after {timeout_s:g} s"
    except (Exception, SystemExit, KeyboardInterrupt) as raised:  # noqa: BLE001 - told to the owner, whatever it is
        error = told(raised)
    return orjson.dumps({"id": job["id"], "error": error})


async def serve(replies: BinaryIO, transforms: dict[str, Transform], timeout_s: float) -> None:
    """Answer jobs, those that wait for something beside each other, until the input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def work(job: dict[str, Any]) -> None:
        write(replies, await answer(job, transforms, timeout_s))

    async with asyncio.TaskGroup() as tasks:
        while True:
            try:
                size = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
                frame = await reader.readexactly(size)
            except asyncio.IncompleteReadError:
                return
            tasks.create_task(work(orjson.loads(frame)), name="transform.work")


def write(replies: BinaryIO, frame: bytes) -> None:
    """One frame."""
    replies.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
    replies.flush()


def main(timeout_s: float, paths: Sequence[str]) -> None:
    """Load the files, say so, and serve."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    transforms: dict[str, Transform] = {}
    for path in paths:
        try:
            transforms[path] = load(path)
        except BaseException as error:  # noqa: BLE001 - a file may even exit when it is loaded
            write(replies, orjson.dumps({"fault": f"{path}: {told(error)}"}))
            return
    write(replies, orjson.dumps({"ready": True}))
    asyncio.run(serve(replies, transforms, timeout_s))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
