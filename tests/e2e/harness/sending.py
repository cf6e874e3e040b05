"""Sending events as the SDKs do: with a messageId of their own, and again until they are acknowledged."""

import asyncio
import base64
import random
import uuid
from collections.abc import Sequence
from typing import Any

import aiohttp

from tests.e2e.harness.configuration import WRITE_KEY
from tests.e2e.harness.waiting import PATIENCE_S

Event = dict[str, Any]
ANSWER_WITHIN_S = 10.0
TRY_AGAIN_S = 0.05
PAGE = "https://shop.example"
"""What a browser says where the page comes from; tests allow every page."""


def authorization(write_key: str = WRITE_KEY) -> dict[str, str]:
    """The header of Basic auth: the write key is the user, the password is empty."""
    return {"Authorization": "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()}


def track(event: str = "Order Completed", **properties: Any) -> Event:
    """A track event with a random messageId."""
    return {
        "type": "track",
        "event": event,
        "messageId": str(uuid.uuid4()),
        "anonymousId": f"visitor-{random.randrange(1000)}",
        "properties": properties,
    }


def tracks(count: int, event: str = "Order Completed") -> list[Event]:
    """So many of them, numbered by the property `number`."""
    return [track(event, number=number) for number in range(count)]


def ids(events: Sequence[Event]) -> set[str]:
    return {event["messageId"] for event in events}


class Client:
    """A client of one daemon."""

    def __init__(self, url: str, http: aiohttp.ClientSession, write_key: str = WRITE_KEY) -> None:
        self.url = url
        self._http = http
        self._headers = authorization(write_key) | {"Origin": PAGE}

    async def send(self, events: Sequence[Event]) -> tuple[int, dict[str, str]]:
        """One attempt: status and headers of the answer. A single event goes to /v1/track, more go to /v1/batch."""
        single = len(events) == 1
        path, body = ("/v1/track", events[0]) if single else ("/v1/batch", {"batch": list(events)})
        return await self.post(path, body)

    async def post(self, path: str, body: Any) -> tuple[int, dict[str, str]]:
        """Post JSON once."""
        wait = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        async with self._http.post(self.url + path, json=body, headers=self._headers, timeout=wait) as answer:
            await answer.read()
            return answer.status, dict(answer.headers)

    async def accept(self, events: Sequence[Event]) -> None:
        """One attempt, which must succeed."""
        status, _ = await self.send(events)
        assert status == 200, f"answered {status}"

    async def insist(self, events: Sequence[Event]) -> None:
        """The same events again and again until they are acknowledged."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                status, _ = await self.send(events)
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            if status == 200:
                return
            assert status in {0, 503}, f"answered {status}"
            await asyncio.sleep(TRY_AGAIN_S)
        raise AssertionError(f"{self.url} took nothing for {PATIENCE_S:.0f} s")
