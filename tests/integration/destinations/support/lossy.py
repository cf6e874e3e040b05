"""A way to a broker that loses answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class LossyWay:
    """Takes connections to `port` through to `target_port`, on this machine."""

    def __init__(self) -> None:
        self.lose_next = 0
        """How many answers are lost, each with its connection."""

    @asynccontextmanager
    async def open(self, port: int, target_port: int) -> AsyncIterator[None]:
        """For as long as the context."""

        async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers, questions = await asyncio.open_connection("127.0.0.1", target_port)
            with suppress(ConnectionError):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass_on(reader, questions, loses=False))
                    tasks.create_task(self._pass_on(answers, writer, loses=True))

        server = await asyncio.start_server(through, "127.0.0.1", port)
        async with server:
            yield

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, loses: bool) -> None:
        while data := await source.read(2**16):
            if loses and self.lose_next:
                self.lose_next -= 1
                break
            sink.write(data)
        sink.close()
