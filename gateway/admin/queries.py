"""The API's questions: they change nothing."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

from aiohttp import web

from gateway.admin.answers import RequestError, json_answer, read_object, text_field, whole_number
from gateway.admin.control import Control, control_of
from gateway.admin.documents import (
    destination_document,
    filtered_documents,
    intake_documents,
    job_document,
    left_over_documents,
    queue_document,
    rejected_document,
)
from gateway.admin.ledger import balance
from gateway.admin.times import parse_moment_ms
from gateway.admin.trace import Verdicts, life_of, mentioning
from gateway.admin.verification import verified
from gateway.deliver.cursor_name import CursorName
from gateway.model.errors import HeadwaterError
from gateway.queue.records import Cursor, Letter, Located

MOST_REJECTS = 10_000
MOST_LETTERS_SEARCHED = 10_000
MOST_ROWS = 100_000
MOST_SECONDS = 600
PAGE = 500
OPENING_PATIENCE_S = 5
"""For a warehouse that is being opened when it is asked."""


async def status(request: web.Request) -> web.Response:
    """The daemon at this moment."""
    control, settings = control_of(request), control_of(request).settings()
    cursors = await control.queue.cursors()
    return json_answer(
        {
            "version": control.version,
            "not_ready": control.health.not_ready(),
            "queue": queue_document(control.queue.status()),
            "destinations": [destination_document(each) for each in control.delivery.status()],
            "not_running": left_over_documents(cursors, settings.destinations, control.queue.head_offset),
            "backfills": [asdict(each) for each in control.delivery.backfills.status()],
            "forgetting": [
                job_document(each, control.forgetting.waiting) for each in await control.queue.eraser.open_jobs()
            ],
            "sources": intake_documents(control.metrics, settings.sources),
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
            "filtered_since_start": filtered_documents(control.metrics),
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
    verdicts = await _verdicts(control, found, cursors)
    life = life_of(found, rejected, cursors, letters, settings.destinations, verdicts)
    return json_answer({"message_id": message_id} | life)


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


async def verify_warehouse(request: web.Request) -> web.Response:
    """Whether a warehouse holds what the ledger says it was given."""
    control, name = control_of(request), request.match_info["destination"]
    own = [each for each in await control.queue.cursors() if CursorName(each.destination).destination == name]
    verification = verified(own, control.queue.log_id, await control.delivery.counted(name, OPENING_PATIENCE_S))
    return json_answer({"destination": name, "adds_up": verification.adds_up} | asdict(verification))


async def _verdicts(control: Control, found: Sequence[Located], cursors: Sequence[Cursor]) -> Verdicts:
    """What the rules in force say of events that cursors have passed, for those that filtered any."""
    verdicts: dict[tuple[str, int], str] = {}
    for cursor in cursors:
        passed = range(cursor.start_offset, cursor.next_offset if cursor.filtered else 0)
        for event in found:
            if event.source and event.offset in passed:
                with suppress(HeadwaterError):  # it does not run any more, or its transforms cannot be loaded
                    name = cursor.destination.partition("#")[0]
                    told = await control.delivery.preview(name, event.offset)
                    verdicts[cursor.destination, event.offset] = told.reason if told.outcome == "filtered" else ""
    return verdicts


async def _letters(control: Control) -> list[Letter]:
    """The oldest letters of all destinations, as many as may be searched."""
    letters: list[Letter] = []
    while len(letters) < MOST_LETTERS_SEARCHED:
        page = await control.queue.letters(None, None, letters[-1].id if letters else 0, PAGE)
        letters += page
        if len(page) < PAGE:
            break
    return letters
