"""One stage and one daemon for all drivers of a file of tests: starting one for each SDK would take minutes."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.conftest import DAEMONS
from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import Daemon
from tests.e2e.sdks.harness.stage import Stage, staging


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Where the drivers run."""
    async with staging() as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_daemon(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Daemon]:
    """A daemon that runs, with the module's `PLAN`."""
    plan: Plan = request.module.PLAN
    async with aiohttp.ClientSession() as http:
        started = Daemon(tmp_path_factory.mktemp("daemon"), plan, http)
        try:
            await started.start()
            yield started
        finally:
            started.end()


@pytest.fixture
def daemon(request: pytest.FixtureRequest, shared_daemon: Daemon) -> Daemon:
    """The module's daemon. A failing test shows its log."""
    request.node.stash[DAEMONS] = [shared_daemon]
    return shared_daemon
