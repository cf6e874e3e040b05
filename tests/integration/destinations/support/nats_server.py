"""NATS itself, with JetStream."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from tests.integration.destinations.support.processes import Process, answers, free_ports

STREAM = "EVENTS"
TESTER = {"user": "tester", "password": "s3cret-tester"}


class NatsServer:
    """Its port and data stay when it is started again. `configuration` is what is added to it."""

    def __init__(self, folder: Path, configuration: str = "", *, jetstream: bool = True) -> None:
        (self.port,) = free_ports(1)
        file = folder / "nats.conf"
        storage = f"jetstream {{ store_dir: {json.dumps(str(folder / 'data'))} }}\n" if jetstream else ""
        file.write_text(f"listen: 127.0.0.1:{self.port}\n{storage}{configuration}")
        self.process = Process(["nats-server", "-c", str(file)], folder / "nats.log", lambda: answers(self.port))
        self._login: dict[str, Any] = TESTER if "tester" in configuration else {}

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def create(self, subjects: Sequence[str] = ("events.>",), **settings: Any) -> None:
        """The stream."""
        async with self._stream() as stream:
            await stream.add_stream(StreamConfig(name=STREAM, subjects=list(subjects), **settings))

    async def messages(self) -> list[Msg]:
        """All that the stream holds, in order."""
        async with self._stream() as stream:
            count = (await stream.stream_info(STREAM)).state.messages
            if not count:
                return []
            found: list[Msg] = []
            reader = await stream.subscribe("events.>", ordered_consumer=True)
            while len(found) < count:
                found.append(await reader.next_msg(timeout=10))
            return found

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[JetStreamContext]:
        client = await nats.connect(self.url, **self._login)
        try:
            yield client.jetstream()
        finally:
            await client.close()
