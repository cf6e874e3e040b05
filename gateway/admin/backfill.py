"""The order to load a warehouse from an archive: it lasts as long as the request, which streams how it goes.

The answer is newline-delimited JSON: the backfill's status each PROGRESS_S, and at its end once more, with what did not
get into the warehouse. Whoever goes before that has it stopped.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from gateway.admin.answers import RequestError, read_object, text_field
from gateway.admin.control import Control, control_of
from gateway.admin.times import parse_moment_ms
from gateway.deliver.backfills import Running
from gateway.model.errors import WarehouseError
from gateway.warehouses.archive import ArchiveSettings, Past, Stretch, open_past

PROGRESS_S = 1.0


async def backfill(request: web.Request) -> web.StreamResponse:
    """Load into `destination` what `archive` has `from` one time `to` another, of one `source` or of all."""
    control, fields = control_of(request), await read_object(request)
    destination, archive = text_field(fields, "destination"), text_field(fields, "archive")
    settings, stretch = _settings(control, archive), _stretch(control, fields)
    past = await _past(archive, settings, stretch)
    running = control.delivery.backfill(destination, archive, past)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    try:
        await response.prepare(request)
        await _tell(response, running)
    except ConnectionResetError:  # whoever asked has gone
        pass
    finally:
        running.stop()
    return response


async def _tell(response: web.StreamResponse, running: Running) -> None:
    while not running.task.done():
        await response.write(_line(asdict(running.backfill.status())))
        await asyncio.wait([running.task], timeout=PROGRESS_S)
    shortfall = running.backfill.shortfall()
    refusals = [refusal._asdict() for refusal in shortfall.refusals]
    document = {"refusals": refusals, "unreadable_objects": shortfall.unreadable_objects}
    await response.write(_line(asdict(running.backfill.status()) | document))


async def _past(archive: str, settings: ArchiveSettings, stretch: Stretch) -> Past:
    try:
        past = await asyncio.to_thread(open_past, settings, stretch)
    except WarehouseError as error:
        raise RequestError(f"the archive {archive} cannot be read: {error.message}", hint=error.hint) from error
    if stretch.source and stretch.source not in past.sources:
        hint = f"it has: {', '.join(past.sources)}" if past.sources else "it has nothing at all"
        message = f'the archive {archive} has nothing of a source "{stretch.source}"'
        raise RequestError(message, hint=hint, status=HTTPStatus.NOT_FOUND)
    if not past.days:
        hint = "see the folders dt=DATE below each source's in the archive"
        raise RequestError(f"the archive {archive} has no events of that time", hint=hint, status=HTTPStatus.NOT_FOUND)
    return past


def _settings(control: Control, archive: str) -> ArchiveSettings:
    destinations = control.settings().destinations
    settings = destinations.get(archive)
    if not isinstance(settings, ArchiveSettings):
        archives = [name for name, each in destinations.items() if isinstance(each, ArchiveSettings)]
        hint = f"one of: {', '.join(archives)}" if archives else "add one, which may be `enabled = false`, and reload"
        raise RequestError(f'"{archive}" is no archive of the configuration', hint=hint, status=HTTPStatus.NOT_FOUND)
    return settings


def _stretch(control: Control, fields: Mapping[str, Any]) -> Stretch:
    now_ms = control.clock.now_ms()
    from_ms = parse_moment_ms(str(fields["from"]), now_ms) if fields.get("from") else 0
    to_ms = parse_moment_ms(str(fields.get("to") or "now"), now_ms)
    if from_ms >= to_ms:
        raise RequestError("the replay ends before it begins")
    return Stretch(from_ms, to_ms, text_field(fields, "source") if fields.get("source") is not None else "")


def _line(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"
