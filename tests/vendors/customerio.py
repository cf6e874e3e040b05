"""Customer.io's Track API, version 2: `POST /api/v2/batch` as its reference describes it."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.destinations.customerio import CUSTOMERIO
from tests.vendors.simulator import POISON, Received, Reply, Simulator

MAX_REQUEST_BYTES = 500_000
MAX_OPERATION_BYTES = 32 * 1024
MAX_NAME_BYTES = 100
MAX_ATTRIBUTES = 300
MAX_ATTRIBUTE_NAME_BYTES = 150
MAX_ATTRIBUTE_BYTES = 1000
ULID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")

_PERSON_IDS = ("id", "email", "phone", "cio_id")
_ACTIONS = {
    "person": {"identify", "event", "page", "screen", "add_device", "delete_device", "merge"},
    "object": {"identify", "identify_anonymous"},
}

Fault = tuple[str, str, str]
"""Reason, field and message."""


class Customerio(Simulator):
    """Answers for each operation; refuses alone what it does not like."""

    kind = CUSTOMERIO
    required = {"site_id": "site-1", "api_key": "s3cret"}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != "Basic " + base64.b64encode(b"site-1:s3cret").decode():
            return Reply(401, {"meta": {"error": "unauthorized"}})
        if (received.method, received.path) == ("GET", "/api/v1/accounts/region"):
            return Reply(body={"url": "https://track.customer.io", "region": "us", "environment_id": 3})
        if (received.method, received.path) != ("POST", "/api/v2/batch"):
            return Reply(404)
        if len(received.raw) >= MAX_REQUEST_BYTES:
            return Reply(400, {"errors": [{"reason": "invalid", "field": "batch", "message": "payload too large"}]})
        faults = {place: fault for place, one in enumerate(_batch(received)) if (fault := next(_faults(one), None))}
        taken = [key for place, key in enumerate(self.keys(received)) if place not in faults]
        if not faults:
            return Reply(body={}, taken=taken)
        errors = [
            {"batch_index": place, "reason": reason, "field": field, "message": message}
            for place, (reason, field, message) in faults.items()
        ]
        return Reply(207, {"errors": errors}, taken)

    def keys(self, received: Received) -> list[str]:
        return [one.get("id") or f"{one['action']} {_whom(one)}" for one in _batch(received)]


def _batch(received: Received) -> list[dict[str, Any]]:
    batch: list[dict[str, Any]] = received.body["batch"]
    return batch


def _whom(one: Mapping[str, Any]) -> str:
    return json.dumps(one.get("identifiers") or [one["primary"], one["secondary"]])


def _faults(one: Mapping[str, Any]) -> Iterator[Fault]:
    kind, action = one.get("type"), one.get("action")
    if action not in _ACTIONS.get(str(kind), set()):
        yield "invalid", "action", f"{action} is not an action of {kind}"
    if len(json.dumps(one).encode()) > MAX_OPERATION_BYTES or POISON in json.dumps(one):
        yield "invalid", "attributes", "the operation cannot be taken"
    if kind == "object":
        yield from _faults_of_an_object(one)
    elif action == "merge":
        yield from _faults_of_a_person(one.get("primary"), "primary")
        yield from _faults_of_a_person(one.get("secondary"), "secondary")
    else:
        allowed = (*_PERSON_IDS, "anonymous_id") if action in ("event", "page", "screen") else _PERSON_IDS
        yield from _faults_of_a_person(one.get("identifiers"), "identifiers", allowed)
        yield from _faults_of_what_happened(one) if "name" in one else _faults_of_attributes(one)
    if action in ("event", "page", "screen") and not one.get("name"):
        yield "required", "name", "event name must not be blank"
    if action in ("add_device", "delete_device"):
        yield from _faults_of_a_device(one.get("device") or {}, str(action))


def _faults_of_a_person(said: Any, field: str, allowed: tuple[str, ...] = _PERSON_IDS) -> Iterator[Fault]:
    if not isinstance(said, dict) or len(said) != 1 or next(iter(said)) not in allowed:
        yield "required", field, f"one of {', '.join(allowed)} must be present"
    elif not isinstance(next(iter(said.values())), str) or not next(iter(said.values())):
        yield "invalid", field, "id attribute must be a string value"


def _faults_of_an_object(one: Mapping[str, Any]) -> Iterator[Fault]:
    identifiers = one.get("identifiers") or {}
    if not all(isinstance(identifiers.get(key), str) for key in ("object_type_id", "object_id")):
        yield "required", "identifiers", "object_type_id and object_id must be present"
    allowed = ("anonymous_id",) if one["action"] == "identify_anonymous" else _PERSON_IDS
    for relation in one.get("cio_relationships", ()):
        yield from _faults_of_a_person(relation.get("identifiers"), "cio_relationships", allowed)
    yield from _faults_of_attributes(one)


def _faults_of_what_happened(one: Mapping[str, Any]) -> Iterator[Fault]:
    if len(one["name"].encode()) > MAX_NAME_BYTES:
        yield "invalid", "name", "event name cannot be longer than 100 bytes"
    if not ULID.fullmatch(str(one.get("id", ""))):
        yield "invalid", "id", "id must be a valid ULID"
    if type(one.get("timestamp")) is not int:
        yield "invalid", "timestamp", "timestamp must be a unix timestamp"
    if not isinstance(one.get("attributes", {}), dict):
        yield "invalid", "attributes", "event data must be a hash"


def _faults_of_attributes(one: Mapping[str, Any]) -> Iterator[Fault]:
    attributes = one.get("attributes", {})
    if len(attributes) > MAX_ATTRIBUTES:
        yield "invalid", "attributes", "cannot identify more than 300 attributes in one request"
    for name, value in attributes.items():
        if len(name.encode()) > MAX_ATTRIBUTE_NAME_BYTES:
            yield "invalid", "attributes", "attribute name cannot be longer than 150 bytes"
        if isinstance(value, str) and len(value.encode()) > MAX_ATTRIBUTE_BYTES:
            yield "invalid", "attributes", f"value for attribute '{name}' cannot be longer than 1000 bytes"


def _faults_of_a_device(device: Mapping[str, Any], action: str) -> Iterator[Fault]:
    if not device.get("token"):
        yield "required", "device", "token must be present"
    if action == "add_device" and device.get("platform") not in ("ios", "android"):
        yield "invalid", "device", "platform must be ios or android"
