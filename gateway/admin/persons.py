"""The API's view of identity: who a person is, and what the owner may do about it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gateway.admin.answers import RequestError, json_answer, read_object, text_field, whole_number
from gateway.admin.control import control_of
from gateway.warehouses.contract import Warehouse

MOST_EVENTS = 10_000
OPENING_PATIENCE_S = 5


async def person(request: web.Request) -> web.Response:
    """What is known of the person with any identifier `id`, with the newest `events` of them."""
    identifier = text_field(request.query, "id")
    max_events = whole_number(request.query, "events", 20, MOST_EVENTS)
    warehouse = await _warehouse(request, request.query)
    document = await warehouse.describe_person(identifier, max_events)
    if document is None:
        hint = "ids are compared letter by letter, addresses are not; a new event takes a second to arrive"
        raise RequestError(f'nothing is known of "{identifier}"', hint=hint, status=HTTPStatus.NOT_FOUND)
    return json_answer(document)


async def unmerge(request: web.Request) -> web.Response:
    """Take back the link between the identifiers `left` and `right`."""
    fields = await read_object(request)
    left, right = text_field(fields, "left"), text_field(fields, "right")
    warehouse = await _warehouse(request, fields)
    persons = await warehouse.unmerge(left, right)
    return json_answer({"left": {"id": left, "person_id": persons[0]}, "right": {"id": right, "person_id": persons[1]}})


async def rebuild(request: web.Request) -> web.Response:
    """Compute the graph anew from its edges."""
    warehouse = await _warehouse(request, await read_object(request))
    return json_answer(await warehouse.rebuild_identity())


async def _warehouse(request: web.Request, fields: Mapping[str, Any]) -> Warehouse:
    destination = fields.get("destination")
    if destination is not None and not isinstance(destination, str):
        raise RequestError('"destination" is not a text')
    return await control_of(request).delivery.opened_warehouse(destination, OPENING_PATIENCE_S)
