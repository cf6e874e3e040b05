"""What Prometheus and load balancers ask. No JSON API, so no guard: plain GETs that show no event."""

from http import HTTPStatus

from aiohttp import hdrs, web
from prometheus_client.exposition import choose_encoder

from gateway.admin.answers import json_answer
from gateway.admin.control import control_of


async def metrics(request: web.Request) -> web.Response:
    """All metrics, in the format that the scraper asks for."""
    encoder, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
    body = encoder(control_of(request).metrics.registry)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})


async def healthz(request: web.Request) -> web.Response:
    """200 while only time or the owner can help, 503 when a restart would."""
    return _answer("alive", control_of(request).health.not_alive())


async def readyz(request: web.Request) -> web.Response:
    """200 while events are taken, 503 and the reasons while they are not."""
    return _answer("ready", control_of(request).health.not_ready())


def _answer(good: str, reasons: dict[str, str]) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return json_answer({"status": f"not {good}" if reasons else good, "reasons": reasons}, status)
