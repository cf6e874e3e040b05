"""HubSpot: answers for each record of a batch, and refuses a batch of events for one that it does not like."""

import re
from collections.abc import Iterator
from typing import Any

from gateway.destinations.hubspot import HUBSPOT
from tests.vendors.simulator import POISON, Received, Reply, Simulator

UPSERT = re.compile(r"/crm/objects/2026-09/(contacts|companies)/batch/upsert")
SEND = "/events/2026-09/send/batch"
EVENT_NAME = re.compile(r"pe1234567_[a-z0-9_-]+")
PROPERTY_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
KEYS = {"contacts": "email", "companies": "group_id"}
PROPERTIES = {
    "contacts": {"email", "firstname", "lastname", "phone", "address", "city", "state", "zip", "country", "plan"},
    "companies": {"group_id", "name", "domain", "website", "phone", "numberofemployees", "city", "country"},
}


class HubSpot(Simulator):
    """Account 1234567, with a property `plan` of contacts and a unique one, `group_id`, of companies."""

    kind = HUBSPOT
    required = {"access_token": "pat-s3cret", "hub_id": "1234567", "company_key": "group_id"}

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != "Bearer pat-s3cret":
            return refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        inputs = received.body["inputs"]
        upsert = UPSERT.fullmatch(received.path)
        if upsert:
            return self.upserted(upsert[1], inputs)
        if received.path != SEND:
            return refused(404, "OBJECT_NOT_FOUND", "resource not found")
        if len(inputs) > 500:
            return refused(400, "VALIDATION_ERROR", "The maximum number of inputs is 500")
        for words in (words for each in inputs for words in of_occurrence(each)):
            return refused(400, "VALIDATION_ERROR", words)
        return Reply(204, taken=self.keys(received))

    def upserted(self, kind: str, inputs: list[dict[str, Any]]) -> Reply:
        ids = [each["id"] for each in inputs]
        if len(inputs) > 100:
            return refused(400, "VALIDATION_ERROR", "The maximum number of inputs is 100")
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            return refused(400, "VALIDATION_ERROR", f"Duplicate IDs found in batch input: {twice}. IDs must be unique")
        complaints = [next(of_record(kind, each), None) for each in inputs]
        taken = [each for each, words in zip(inputs, complaints, strict=True) if words is None]
        body: dict[str, Any] = {"status": "COMPLETE", "results": [stored(each) for each in taken]}
        errors = [
            {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": words,
                "context": {"objectWriteTraceId": [each["objectWriteTraceId"]]},
            }
            for each, words in zip(inputs, complaints, strict=True)
            if words is not None
        ]
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return Reply(207 if errors else 200, body, [record_key(each) for each in taken])

    def keys(self, received: Received) -> list[str]:
        if received.path == SEND:
            return [f"{each['eventName']} {each['uuid']}" for each in received.body["inputs"]]
        return [record_key(each) for each in received.body["inputs"]]


def record_key(record: dict[str, Any]) -> str:
    return f"{record['idProperty']} {record['id']}"


def stored(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "101",
        "properties": record["properties"],
        "createdAt": "2026-11-25T12:00:00.000Z",
        "updatedAt": "2026-11-25T12:00:00.000Z",
        "archived": False,
        "new": True,
        "objectWriteTraceId": record["objectWriteTraceId"],
    }


def refused(status: int, category: str, message: str) -> Reply:
    correlation_id = "aeb5f871-7f07-4993-9211-075dc63e7cbf"
    return Reply(status, {"status": "error", "message": message, "correlationId": correlation_id, "category": category})


def of_record(kind: str, record: dict[str, Any]) -> Iterator[str]:
    """What is wrong with it."""
    if record["idProperty"] != KEYS[kind]:
        yield f"Unable to perform update/upsert by non-unique property {record['idProperty']}"
    for name, value in record["properties"].items():
        if name not in PROPERTIES[kind]:
            yield (
                'Property values were not valid: [{"isValid":false,'
                f'"message":"Property \\"{name}\\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"{name}"}}]'
            )
        if not isinstance(value, str) or POISON in value:
            yield f'Property values were not valid: [{{"isValid":false,"error":"INVALID","name":"{name}"}}]'


def of_occurrence(occurrence: dict[str, Any]) -> Iterator[str]:
    if not EVENT_NAME.fullmatch(occurrence["eventName"]):
        yield f"No event definition found for {occurrence['eventName']}"
    if not any(occurrence.get(key) for key in ("objectId", "email", "utk")):
        yield "One of objectId, email and utk is required"
    if len(occurrence["properties"]) > 50:
        yield "An event occurrence can contain data for up to 50 properties"
    for name, value in occurrence["properties"].items():
        limit = 1024 if name.endswith(("url", "referrer")) else 256
        if not PROPERTY_NAME.fullmatch(name) or not isinstance(value, str) or len(value) > limit or POISON in value:
            yield f"Invalid property {name}"
