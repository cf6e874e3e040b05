"""What Prometheus and load balancers ask. No JSON API, so no guard: plain GETs that show no event."""

import asyncio
from http import HTTPStatus

from aiohttp import hdrs, web
from prometheus_client.exposition import choose_encoder

from gateway.admin.answers import json_answer
from gateway.admin.control import Control, control_of
from gateway.admin.ledger import balance
from gateway.model.errors import QueueError

LEDGER_TIMEOUT_S = 2.0
"""A queue that hangs must not take the metrics with it."""


async def metrics(request: web.Request) -> web.Response:
    """All metrics, in the format that the scraper asks for."""
    control = control_of(request)
    await _show_ledger(control)
    encoder, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
    body = encoder(control.metrics.registry)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})


async def healthz(request: web.Request) -> web.Response:
    """200 while only time or the owner can help, 503 when a restart would."""
    return _answer("alive", control_of(request).health.not_alive())


async def readyz(request: web.Request) -> web.Response:
    """200 while events are taken, 503 and the reasons while they are not."""
    return _answer("ready", control_of(request).health.not_ready())


async def _show_ledger(control: Control) -> None:
    """The ledger is checked at every scrape. Replays are added to their destination, so that labels stay few."""
    try:
        async with asyncio.timeout(LEDGER_TIMEOUT_S):
            cursors = await control.queue.cursors()
    except (TimeoutError, QueueError):
        return
    control.metrics.unaccounted.clear()
    for account in balance(cursors, control.queue.head_offset):
        control.metrics.unaccounted.labels(account.destination.partition("#")[0]).inc(abs(account.unaccounted))


def _answer(good: str, reasons: dict[str, str]) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return json_answer({"status": f"not {good}" if reasons else good, "reasons": reasons}, status)
