"""The API's dead letters: list, show, retry, drop."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, get_args

from aiohttp import web

from gateway.admin.answers import RequestError, as_stored, json_answer, read_object, text_field, whole_number
from gateway.admin.control import Control, control_of
from gateway.admin.documents import letter_document
from gateway.queue.records import LetterState

MOST_LISTED = 10_000


async def list_letters(request: web.Request) -> web.Response:
    """Letters by id: `destination`, `state` (dead unless it says retry), `after` (an id), `limit`."""
    query = request.query
    state = query.get("state", "dead")
    if state not in get_args(LetterState):
        raise RequestError(f'"{state}" is not a state', hint="write dead or retry")
    letters = await control_of(request).queue.letters(
        query.get("destination"),
        "retry" if state == "retry" else "dead",
        whole_number(query, "after", 0, 2**63 - 1),
        whole_number(query, "limit", 100, MOST_LISTED),
    )
    return json_answer({"letters": [letter_document(letter) for letter in letters]})


async def show_letter(request: web.Request) -> web.Response:
    """One letter with its event."""
    number = whole_number(request.match_info, "id", 0, 2**63 - 1)
    letter = await control_of(request).queue.letter(number)
    if letter is None:
        hint = "list them with `headwater dead list`"
        raise RequestError(f"there is no letter {number}", hint=hint, status=HTTPStatus.NOT_FOUND)
    return json_answer(letter_document(letter) | {"event": as_stored(letter.event)})


async def retry_letters(request: web.Request) -> web.Response:
    """Try dead letters of `destination` again: those in `ids`, or all."""
    control, fields = control_of(request), await read_object(request)
    destination, ids = await _chosen(control, fields)
    return json_answer({"retried": await control.queue.retry_letters(destination, ids, control.clock.now_ms())})


async def drop_letters(request: web.Request) -> web.Response:
    """Forget dead letters of `destination`: those in `ids`, or all. They stay counted as dead."""
    control, fields = control_of(request), await read_object(request)
    destination, ids = await _chosen(control, fields)
    return json_answer({"dropped": await control.queue.drop_letters(destination, ids)})


async def _chosen(control: Control, fields: Mapping[str, Any]) -> tuple[str, list[int] | None]:
    """The destination and the ids of its dead letters, all of which are there; None for all."""
    destination, ids = text_field(fields, "destination"), _ids(fields)
    if destination not in {cursor.destination for cursor in await control.queue.cursors()}:
        hint = "list them with `headwater ledger`"
        raise RequestError(f'there is no destination "{destination}"', hint=hint, status=HTTPStatus.NOT_FOUND)
    missing = [number for number in ids or () if not await _is_dead(control, destination, number)]
    if missing:
        which = ", ".join(map(str, missing))
        hint = f"list them with `headwater dead list --destination {destination}`"
        message = f'"{destination}" has no dead letter {which}; nothing was changed'
        raise RequestError(message, hint=hint, status=HTTPStatus.NOT_FOUND)
    return destination, ids


async def _is_dead(control: Control, destination: str, number: int) -> bool:
    letter = await control.queue.letter(number)
    return letter is not None and (letter.destination, letter.state) == (destination, "dead")


def _ids(fields: Mapping[str, Any]) -> list[int] | None:
    """`ids` as numbers, or None for `"all": true`. One of the two is needed: an omission means nothing."""
    if fields.get("all") is True:
        return None
    ids = fields.get("ids")
    if not isinstance(ids, list) or not ids or not all(type(each) is int for each in ids):
        raise RequestError('give "ids", a list of numbers, or "all": true')
    return ids
