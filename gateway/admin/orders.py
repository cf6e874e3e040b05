"""The API's orders: what changes the running daemon."""

from http import HTTPStatus

from aiohttp import web

from gateway.admin.answers import RequestError, json_answer, read_object, text_field
from gateway.admin.control import Control, control_of
from gateway.admin.times import parse_moment_ms
from gateway.model.words import counted


async def send(request: web.Request) -> web.Response:
    """Take the body as one event, just as intake would. The query may name its `source`."""
    control = control_of(request)
    source = _source(control, request.query.get("source"))
    return json_answer({"message_id": await control.send(source, await request.read())})


async def replay(request: web.Request) -> web.Response:
    """Deliver again to `destination` what was received `from` one time `to` another."""
    control, fields = control_of(request), await read_object(request)
    now_ms = control.clock.now_ms()
    from_ms = parse_moment_ms(text_field(fields, "from"), now_ms)
    to_ms = parse_moment_ms(str(fields.get("to", "now")), now_ms)
    if from_ms >= to_ms:
        raise RequestError("the replay ends before it begins")
    cursor = await control.delivery.replay(text_field(fields, "destination"), from_ms, to_ms)
    assert cursor.end_offset is not None
    return json_answer({"replay": cursor.destination, "events": cursor.end_offset - cursor.start_offset})


async def resume(request: web.Request) -> web.Response:
    """Try `destination` again now."""
    destination = text_field(await read_object(request), "destination")
    await control_of(request).delivery.resume(destination)
    return json_answer({"resumed": destination})


async def reload(request: web.Request) -> web.Response:
    """Read the configuration again; `restart_needed` names what changed and is not in force."""
    restart_needed = await control_of(request).reload()
    return json_answer({"reloaded": True, "restart_needed": restart_needed})


async def drop_destination(request: web.Request) -> web.Response:
    """Forget a `destination` that the configuration has no more, so that it holds no events back.

    Refused while it would lose events, unless `lose` is true.
    """
    control, fields = control_of(request), await read_object(request)
    destination = text_field(fields, "destination")
    settings = control.settings().destinations.get(destination.partition("#")[0])
    if settings is not None and settings.enabled:
        hint = "take it out of the file, or set enabled = false, and `headwater reload`"
        raise RequestError(f'"{destination}" is in the configuration', hint=hint, status=HTTPStatus.CONFLICT)
    undelivered = await _undelivered(control, destination)
    if undelivered and fields.get("lose") is not True:
        never = counted(undelivered, "event that was", "events that were")
        message = f'"{destination}" has {never} never delivered and would be lost'
        hint = f"`headwater destinations drop {destination} --lose`"
        raise RequestError(message, hint=hint, status=HTTPStatus.CONFLICT)
    return json_answer({"dropped": destination, "lost": await control.queue.drop_destination(destination)})


async def _undelivered(control: Control, destination: str) -> int:
    for cursor in await control.queue.cursors():
        if cursor.destination == destination:
            end_offset = control.queue.head_offset if cursor.end_offset is None else cursor.end_offset
            return end_offset - cursor.next_offset + cursor.retrying
    hint = "list them with `headwater ledger`"
    raise RequestError(f'there is no destination "{destination}"', hint=hint, status=HTTPStatus.NOT_FOUND)


def _source(control: Control, name: str | None) -> str:
    """The source of that name; without a name, the first of the configuration."""
    sources = control.settings().sources
    if name is None:
        return next(iter(sources))
    if name not in sources:
        raise RequestError(f'there is no source "{name}"', hint=f"one of: {', '.join(sources)}")
    return name
