"""A connection that is made when there is something to publish, and made anew after it failed."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import orjson

from gateway.config import DestinationSettings
from gateway.deliver.transport import Carry, UnreachableError
from gateway.destinations.http_messages import Publication, Record, Request, Response

FAREWELL_S = 1.0
"""How long a connection may take to close; a broker that hangs is left without a farewell."""


class Session(Protocol):
    """A connection to a broker. One publication at a time."""

    is_spent: bool
    """Must not be used again."""

    async def publish(self, records: Sequence[Record]) -> Sequence[Any]:
        """For each record None, or what the broker said of it. A person's later record is never stored before an
        earlier one that is still to be.

        Raises RefusedError, UnreachableError; may be cancelled at any time, and is spent then.
        """
        ...

    async def close(self) -> None:
        """Soon; nothing that it still holds is sent afterwards."""
        ...


class RefusedError(Exception):
    """The broker says the same of every record: it does not let us in."""

    def __init__(self, said: Any) -> None:
        super().__init__(said)
        self.said = said


async def farewell(closing: Awaitable[None]) -> None:
    """Waits for a connection to close, but not for long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await closing


class Link:
    """The session, while there is one. `driver` names its module here, and the package's extra that it needs."""

    def __init__(self, driver: str, settings: DestinationSettings) -> None:
        self._driver = driver
        self._settings = settings
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def carry(self, publication: Request | Publication, timeout_s: float) -> Response:
        """Publish it, connecting first where that is needed. Raises UnreachableError."""
        assert isinstance(publication, Publication), "kinds with a broker publish"
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                said = await self._publish(publication.records)
        except TimeoutError:
            raise UnreachableError(f"no answer within {timeout_s:g} s") from None
        return Response(200, body=orjson.dumps(said))

    async def close(self) -> None:
        """The connection ends; what is carried next would make another."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _publish(self, records: Sequence[Record]) -> Sequence[Any]:
        is_well = False
        try:
            if self._session is None:
                self._session = await self._connect()
            said = await self._session.publish(records)
            is_well = not self._session.is_spent
        except RefusedError as error:
            return [error.said] * len(records)
        finally:
            if not is_well:
                await self.close()
        return said

    async def _connect(self) -> Session:
        try:
            module = importlib.import_module(f"gateway.deliver.brokers.{self._driver}")
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            raise UnreachableError(f"{missing} is missing: pip install 'headwater[{self._driver}]'") from error
        session: Session = await module.connect(self._settings)
        return session


@asynccontextmanager
async def open_link(driver: str, settings: DestinationSettings) -> AsyncIterator[Carry]:
    """What carries publications of one worker."""
    link = Link(driver, settings)
    try:
        yield link.carry
    finally:
        await link.close()
