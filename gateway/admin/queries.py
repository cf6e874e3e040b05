"""The API's questions: they change nothing."""

from dataclasses import asdict

from aiohttp import web

from gateway.admin.answers import RequestError, json_answer, read_object, text_field, whole_number
from gateway.admin.control import Control, control_of
from gateway.admin.documents import (
    destination_document,
    intake_documents,
    job_document,
    queue_document,
    rejected_document,
)
from gateway.admin.ledger import balance
from gateway.admin.times import parse_moment_ms
from gateway.admin.trace import life_of, mentioning
from gateway.queue.records import Letter

MOST_REJECTS = 10_000
MOST_LETTERS_SEARCHED = 10_000
MOST_ROWS = 100_000
MOST_SECONDS = 600
PAGE = 500
OPENING_PATIENCE_S = 5
"""For a warehouse that is being opened when it is asked."""


async def status(request: web.Request) -> web.Response:
    """The daemon at this moment."""
    control = control_of(request)
    return json_answer(
        {
            "version": control.version,
            "not_ready": control.health.not_ready(),
            "queue": queue_document(control.queue.status()),
            "destinations": [destination_document(each) for each in control.delivery.status()],
            "forgetting": [
                job_document(each, control.forgetting.waiting) for each in await control.queue.eraser.open_jobs()
            ],
            "sources": intake_documents(control.metrics, control.settings().sources),
        }
    )


async def ledger(request: web.Request) -> web.Response:
    """Every destination's account, and whether all of them add up."""
    control = control_of(request)
    cursors = await control.queue.cursors()
    accounts = balance(cursors, control.queue.head_offset)
    return json_answer(
        {
            "adds_up": not any(account.fault for account in accounts),
            "destinations": [asdict(account) for account in accounts],
            "sources": intake_documents(control.metrics, control.settings().sources),
        }
    )


async def trace(request: web.Request) -> web.Response:
    """One event's life, by its message id."""
    control, message_id = control_of(request), request.match_info["message_id"]
    settings = control.settings()
    found = await control.queue.find(message_id, list(settings.sources))
    cursors = await control.queue.cursors()
    offsets = {event.offset for event in found}
    letters = [letter for letter in await _letters(control) if letter.offset in offsets] if found else []
    rejected = mentioning(message_id, await control.queue.rejected(MOST_REJECTS))
    return json_answer({"message_id": message_id} | life_of(found, rejected, cursors, letters, settings.destinations))


async def preview(request: web.Request) -> web.Response:
    """What a destination would be sent for a stored event."""
    control, message_id = control_of(request), request.match_info["message_id"]
    found = await control.queue.find(message_id, list(control.settings().sources))
    if not found:
        raise RequestError(f'no event "{message_id}" is in the queue', hint="see `headwater trace`", status=404)
    return json_answer(asdict(await control.delivery.preview(request.match_info["destination"], found[-1].offset)))


async def rejects(request: web.Request) -> web.Response:
    """What intake refused in the last 24 hours, newest first."""
    control = control_of(request)
    limit = whole_number(request.query, "limit", 100, MOST_REJECTS)
    since = request.query.get("since")
    after_ms = parse_moment_ms(since, control.clock.now_ms()) if since else 0
    return json_answer(
        {"rejected": [rejected_document(each) for each in await control.queue.rejected(limit, after_ms)]}
    )


async def sql(request: web.Request) -> web.Response:
    """One read-only statement, answered by a warehouse: `sql`, and optionally destination, max_rows, timeout_s."""
    fields = await read_object(request)
    statement = text_field(fields, "sql")
    destination = fields.get("destination")
    if destination is not None and not isinstance(destination, str):
        raise RequestError('"destination" is not a text')
    max_rows = whole_number(fields, "max_rows", 1000, MOST_ROWS)
    timeout_s = whole_number(fields, "timeout_s", 30, MOST_SECONDS)
    warehouse = await control_of(request).delivery.opened_warehouse(destination, OPENING_PATIENCE_S)
    return json_answer(asdict(await warehouse.query(statement, max_rows, timeout_s)))


async def _letters(control: Control) -> list[Letter]:
    """The oldest letters of all destinations, as many as may be searched."""
    letters: list[Letter] = []
    while len(letters) < MOST_LETTERS_SEARCHED:
        page = await control.queue.letters(None, None, letters[-1].id if letters else 0, PAGE)
        letters += page
        if len(page) < PAGE:
            break
    return letters
