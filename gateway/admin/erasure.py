"""The API's answers to a person who asks what is held of them, or asks to be forgotten."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from gateway.admin.answers import RequestError, as_stored, iso, json_answer, read_object, text_field, whole_number
from gateway.admin.control import Control, control_of
from gateway.admin.documents import job_document, letter_document, rejected_document
from gateway.admin.forgetting import OPENING_PATIENCE_S, traces_of
from gateway.model.envelope import Stored
from gateway.model.junk import is_junk
from gateway.queue import Subject


async def forget(request: web.Request) -> web.Response:
    """Forget the person with any identifier `id`. With `dry_run`, count what that would remove, and change nothing."""
    control, fields = control_of(request), await read_object(request)
    identifier = _identifier(text_field(fields, "id"))
    is_dry = fields.get("dry_run", False)
    if not isinstance(is_dry, bool):
        raise RequestError('"dry_run" is neither true nor false')
    if is_dry:
        return json_answer(await _estimate(control, await control.forgetting.subject(identifier)))
    job = await control.forgetting.order(identifier)
    return json_answer(job_document(job, control.forgetting.waiting))


async def orders(request: web.Request) -> web.Response:
    """Orders and their reports, oldest first; with `order`, that one."""
    control, query = control_of(request), request.query
    jobs = await control.queue.eraser.jobs()
    if "order" in query:
        number = whole_number(query, "order", 0, 2**63 - 1)
        jobs = [job for job in jobs if job.id == number]
        if not jobs:
            raise RequestError(f"there is no order {number}", status=HTTPStatus.NOT_FOUND)
    return json_answer({"orders": [job_document(job, control.forgetting.waiting) for job in jobs]})


async def export(request: web.Request) -> web.Response:
    """All that is held of the person with any identifier `id`: in the warehouses, the log, letters and refusals."""
    control = control_of(request)
    subject = await control.forgetting.subject(_identifier(text_field(request.query, "id")))
    assert subject.person is not None
    traces, eraser = traces_of(subject.person), control.queue.eraser
    return json_answer(
        {
            "id": subject.identifier,
            "warehouses": await _in_warehouses(control, subject),
            "queue": [_stored_document(each) for each in await eraser.events(traces.belongs)],
            "letters": [
                letter_document(each) | {"event": as_stored(each.event)}
                for each in await eraser.letters(traces.belongs)
            ],
            "rejects": [rejected_document(each) for each in await eraser.rejects(traces.mentions)],
        }
    )


async def _estimate(control: Control, subject: Subject) -> dict[str, Any]:
    assert subject.person is not None
    traces, eraser = traces_of(subject.person), control.queue.eraser
    held = await _in_warehouses(control, subject)
    removed = {
        "events": len(await eraser.events(traces.belongs)),
        "letters": len(await eraser.letters(traces.belongs)),
        "rejects": len(await eraser.rejects(traces.mentions)),
        "damaged": eraser.damaged(),
        "warehouses": {name: _rows(document) for name, document in held.items()},
    }
    return {"dry_run": True, "is_known": bool(subject.by_warehouse), "removed": removed}


async def _in_warehouses(control: Control, subject: Subject) -> dict[str, dict[str, Any]]:
    """What each warehouse that knows the person holds."""
    held: dict[str, dict[str, Any]] = {}
    for name, person in subject.by_warehouse.items():
        warehouse = await control.delivery.opened_warehouse(name, OPENING_PATIENCE_S)
        held[name] = await warehouse.export_person(person.person_id)
    return held


def _rows(document: dict[str, Any]) -> dict[str, int]:
    return {table: len(rows) for table, rows in document.get("rows", {}).items()}


def _stored_document(stored: Stored) -> dict[str, Any]:
    envelope = stored.envelope
    return {
        "offset": stored.offset,
        "received_at": iso(envelope.received_at_ms),
        "source": envelope.source,
        "ip": envelope.ip,
        "user_agent": envelope.user_agent,
        "cookies": dict(envelope.cookies),
        "event": as_stored(stored.raw),
    }


def _identifier(text: str) -> str:
    """One that can be somebody's: what stands for nobody is in the events of many."""
    if is_junk(text):
        raise RequestError(f'"{text}" names nobody', hint="give a user id, an anonymous id, or an e-mail address")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError("the identifier is not valid Unicode") from error
    return text
