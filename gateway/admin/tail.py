"""Live events as newline-delimited JSON, filtered, and bounded so that a watcher costs little.

A busy gateway takes more events than anybody can read: of each commit only the first MATCHES_PER_COMMIT that match are
sent. What was left out is said, in a line `{"skipped": N}`.
"""

import asyncio
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from gateway.admin.answers import RequestError, iso, whole_number
from gateway.admin.control import control_of
from gateway.model.envelope import Batch, Stored

MATCHES_PER_COMMIT = 200
MOST_EVENTS = 1_000_000
MOST_WATCHERS = 8
KEEP_ALIVE_S = 10.0
"""How often an empty line is sent while nothing happens; it also finds watchers that have gone."""

WATCHERS = web.AppKey("watchers", asyncio.Semaphore)


class Filter(NamedTuple):
    """What is watched; empty fields match all."""

    type: str = ""
    event: str = ""
    source: str = ""
    user: str = ""
    """A userId or an anonymousId."""

    def matches(self, stored: Stored) -> bool:
        """Decodes an event only where the bytes cannot rule it out."""
        if self.source and stored.envelope.source != self.source:
            return False
        words = [word for word in (self.type, self.event, self.user) if word]
        if not words:
            return True
        if b"\\" not in stored.raw and not all(word.encode() in stored.raw for word in words):
            return False
        event = json.loads(stored.raw)
        return (
            (not self.type or event["type"] == self.type)
            and (not self.event or self.event in (event.get("event"), event.get("name")))
            and (not self.user or self.user in (event.get("userId"), event.get("anonymousId")))
        )


async def tail(request: web.Request) -> web.StreamResponse:
    """Streams until the watcher goes, or `limit` events were sent."""
    watchers = request.app[WATCHERS]
    if watchers.locked():
        raise RequestError(f"{MOST_WATCHERS} watch already", status=HTTPStatus.SERVICE_UNAVAILABLE)
    wanted = Filter(**{name: request.query.get(name, "") for name in Filter._fields})
    limit = whole_number(request.query, "limit", MOST_EVENTS, MOST_EVENTS)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    async with watchers, control_of(request).queue.subscribe() as commits:
        await response.prepare(request)
        await _stream(response, commits, wanted, limit)
    return response


async def _stream(response: web.StreamResponse, commits: asyncio.Queue[Batch], wanted: Filter, limit: int) -> None:
    expected: int | None = None
    try:
        while limit > 0:
            batch = await _next(commits)
            if batch is None:
                await response.write(b"\n")
                continue
            missed = batch.first_offset - expected if expected is not None else 0
            expected = batch.next_offset
            lines = list(_lines(batch, wanted, min(limit, MATCHES_PER_COMMIT), missed))
            limit -= sum(not line.startswith(b'{"skipped"') for line in lines)
            await response.write(b"".join(lines))
    except ConnectionResetError:  # the watcher has gone
        return


async def _next(commits: asyncio.Queue[Batch]) -> Batch | None:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            return await commits.get()
    except TimeoutError:
        return None


def _lines(batch: Batch, wanted: Filter, most: int, missed: int) -> Iterator[bytes]:
    """One line for each event that matches, and one that counts what was left out before or among them."""
    skipped = missed
    for stored in batch:
        if most == 0:
            skipped += batch.next_offset - stored.offset
            break
        if wanted.matches(stored):
            most -= 1
            yield line_of(stored)
    if skipped:
        yield _line({"skipped": skipped})


def line_of(stored: Stored) -> bytes:
    """The event as it is stored, in one line: a line break between JSON's tokens is only space."""
    facts = {
        "offset": stored.offset,
        "received_at": iso(stored.envelope.received_at_ms),
        "source": stored.envelope.source,
    }
    raw = stored.raw.replace(b"\n", b" ").replace(b"\r", b" ")
    return orjson.dumps(facts)[:-1] + b',"event":' + raw + b"}\n"


def _line(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"
