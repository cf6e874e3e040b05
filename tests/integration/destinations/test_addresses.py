"""Addresses with placeholders, as they arrive over HTTP: an event never leaves the path that its owner wrote."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.destinations.http import HTTP
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import settled, store
from tests.vendors.events import event

IDS = ("u-1", "a/b", "../admin", "..", ".", "%2e%2e", "%2E%2E%2Fadmin", "a?x=1", "a#b", "ä b", "a;b", "a\\b", "a%00b")


async def test_what_arrives_is_one_part_of_the_path_and_means_what_the_event_said(queue: Queue, run: Run):
    arrived: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        arrived.append((request.rel_url.raw_path, request.match_info["rest"]))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestServer(app) as server:
        url = f"{str(server.make_url('/')).rstrip('/')}/users/{{{{ userId }}}}/state?e={{{{ event }}}}"
        settings = HTTP.settings.model_validate({"url": url, "method": "PUT", "body": {"id": "{{ userId }}"}})
        events: list[dict[str, Any]] = [event(n, event="A", userId=user_id) for n, user_id in enumerate(IDS)]
        await store(queue, events)
        async with run({"tool": settings}) as gateway:
            ledger = await settled(gateway, "tool")

    assert ledger == {"delivered": len(IDS) - 2, "filtered": 2}
    assert all(raw.startswith("/users/") and raw.count("/") == 3 for raw, _ in arrived)
    assert {rest.removeprefix("users/").removesuffix("/state") for _, rest in arrived} == {*IDS} - {".", ".."}
