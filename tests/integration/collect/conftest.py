"""The public listener, and clients for it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.integration.collect.support.gateway import Gateway, Serve, start_gateway


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The daemon runs on uvloop, whose transports differ from asyncio's where connections end."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts listeners with the sections given; stops them at the end. What they keep on disk goes with the test."""
    running: list[Gateway] = []

    async def start(listener: socket.socket | None = None, **sections: Any) -> Gateway:
        running.append(await start_gateway(listener, **{"queue": {"path": tmp_path}} | sections))
        return running[-1]

    yield start
    for gateway in running:
        await gateway.stop()


@pytest.fixture
async def gateway(serve: Serve) -> Gateway:
    """A listener with default settings."""
    return await serve()
