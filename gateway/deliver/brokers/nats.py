"""NATS JetStream: each message is acknowledged by its stream, a person's one after the other.

The driver's own reconnecting is off: what it would send again later, deliver sends again when it is due.
"""

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError, SecureConnWantedError

from gateway.deliver.brokers.link import RefusedError, farewell
from gateway.deliver.brokers.tls import tls_context
from gateway.deliver.transport import UnreachableError
from gateway.destinations.http_messages import Record
from gateway.destinations.nats import TOO_LARGE, NatsSettings, refuses_message

FOREVER_S = 3600.0
"""The time of a request, which the time of the whole ends long before."""

_NO_ENTRY = re.compile("authori[sz]ation|authentication", re.IGNORECASE)
_NO_PERMISSION = re.compile("permissions violation", re.IGNORECASE)
_HEADER_FRAME = len("NATS/1.0\r\n\r\n")
_HEADER_LINE_FRAME = len(": \r\n")


async def connect(settings: NatsSettings) -> "Publisher":
    """A connection to the first server that answers. Raises RefusedError, UnreachableError."""
    publisher = Publisher(settings)
    try:
        await publisher.connect(settings)
    except BaseException:
        await publisher.close()
        raise
    return publisher


class _Client(Client):
    """Says who it is only when the connection is encrypted, where the owner wants that.

    The driver follows the server in this, so that whoever is in the way could have the password.
    """

    def __init__(self, *, needs_tls: bool) -> None:
        super().__init__()
        self._needs_tls = needs_tls

    def _connect_command(self) -> bytes:
        if self._needs_tls and not self._server_info.get("tls_required"):
            raise SecureConnWantedError
        return super()._connect_command()


class Publisher:
    """One connection."""

    def __init__(self, settings: NatsSettings) -> None:
        self.is_spent = False
        self._client = _Client(needs_tls=settings.tls)
        self._trouble: Exception | None = None
        self._limit: asyncio.Timeout | None = None

    async def connect(self, settings: NatsSettings) -> None:
        """Only once."""
        secret = settings.password.get_secret_value() if settings.password else None
        try:
            await self._client.connect(
                list(settings.servers),
                name="headwater",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=math.ceil(settings.timeout),
                tls=tls_context(settings),
                user=settings.username or None,
                password=secret,
                token=settings.token.get_secret_value() if settings.token else None,
                user_credentials=settings.credentials_file,
                error_cb=self._on_error,
                closed_cb=self._on_close,
            )
        except (Error, OSError, TimeoutError) as error:
            raise self._meaning(self._trouble or error) from None

    async def publish(self, records: Sequence[Record]) -> list[Any]:
        """As `Session.publish` says; what the broker says is the `error` object of its acknowledgement."""
        said: list[Any] = [None] * len(records)
        people: dict[str, list[int]] = defaultdict(list)
        for number, record in enumerate(records):
            people[record.key].append(number)
        try:
            async with asyncio.timeout(None) as self._limit, asyncio.TaskGroup() as tasks:
                for numbers in people.values():
                    tasks.create_task(self._publish_in_turn(numbers, records, said), name="nats.person")
        except TimeoutError:
            raise self._meaning(self._trouble or ConnectionResetError("the connection was lost")) from None
        except ExceptionGroup as group:
            raise self._meaning(group.exceptions[0]) from group
        finally:
            self._limit = None
        return said

    async def close(self) -> None:
        """As `Session.close` says."""
        self.is_spent = True
        await farewell(self._client.close())

    async def _publish_in_turn(self, numbers: Sequence[int], records: Sequence[Record], said: list[Any]) -> None:
        answer = None
        for number in numbers:
            if answer is None or refuses_message(answer):
                answer = await self._told(records[number])
            said[number] = answer

    async def _told(self, record: Record) -> Any:
        size = _HEADER_FRAME + sum(_HEADER_LINE_FRAME + len(f"{k}{v}".encode()) for k, v in record.headers.items())
        if size + len(record.value) > self._client.max_payload:
            return {"code": TOO_LARGE, "description": f"above the server's limit of {self._client.max_payload} bytes"}
        try:
            reply = await self._client.request(
                record.topic, record.value, timeout=FOREVER_S, headers=dict(record.headers)
            )
        except NoRespondersError:
            return {"code": 503, "description": f"no stream takes {record.topic}"}
        return orjson.loads(reply.data).get("error")

    async def _on_error(self, error: Exception) -> None:
        self._trouble = error
        if _NO_PERMISSION.search(str(error)):
            self._end_wait()

    async def _on_close(self) -> None:
        self.is_spent = True
        self._end_wait()

    def _end_wait(self) -> None:
        """Answers that are not there by now will not come."""
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())

    def _meaning(self, error: Exception) -> Exception:
        text = str(error) or type(error).__name__
        if _NO_PERMISSION.search(text):
            return RefusedError({"code": 403, "description": text})
        return RefusedError({"code": 401, "description": text}) if _NO_ENTRY.search(text) else UnreachableError(text)
