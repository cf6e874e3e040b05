"""Amplitude's HTTP V2 API, which takes all of a request or nothing and names what it dislikes, and /usermap."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from gateway.destinations.amplitude import AMPLITUDE
from tests.vendors.simulator import POISON, Received, Reply, Simulator

INVALID_IDS = {
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "",
    "00000000-0000-0000-0000-000000000000",
    "{}",
    "lmy47d",
    "0",
    "-1",
}
RESERVED = {
    "[Amplitude] Start Session",
    "[Amplitude] End Session",
    "[Amplitude] Revenue",
    "[Amplitude] Revenue (Verified)",
    "[Amplitude] Revenue (Unverified)",
    "[Amplitude] Merged User",
}
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "user_id": str,
    "device_id": str,
    "time": int,
    "insert_id": str,
    "session_id": int,
    "event_properties": dict,
    "user_properties": dict,
    "groups": dict,
    "group_properties": dict,
    "price": (int, float),
    "quantity": int,
    "revenue": (int, float),
    "productId": str,
    "revenueType": str,
    "ip": str,
}


class Amplitude(Simulator):
    """Refuses a request in which one event is at fault."""

    kind = AMPLITUDE
    required = {"api_key": "s3cret", "group_type": "company"}
    names_culprits = True

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        return {"base_url": base_url, "user_mapping": base_url}

    def answer(self, received: Received) -> Reply:
        if received.path == "/usermap":
            return self._mapped(received)
        if received.headers.get("content-type") != "application/json" or received.path != "/2/httpapi":
            return Reply(400, {"code": 400, "error": "Invalid request path"})
        key, events = received.body["api_key"], received.body["events"]
        if key != "s3cret":
            return Reply(400, {"code": 400, "error": f"Invalid API key: {key}"})
        if len(received.raw) >= 1_048_576 or len(events) > 2000:
            return Reply(413, {"code": 413, "error": "Payload too large"})
        faults = faults_of(events, received.body["options"]["min_id_length"])
        if faults:
            return Reply(400, {"code": 400, "error": "Invalid field values on some events", **faults})
        return Reply(200, {"code": 200, "events_ingested": len(events)}, self.keys(received))

    def keys(self, received: Received) -> list[str]:
        if received.path == "/usermap":
            return [f"{each['user_id']} is {each['global_user_id']}" for each in mappings(received)]
        return [f"{each.get('device_id')} {each['insert_id']}" for each in received.body["events"]]

    def _mapped(self, received: Received) -> Reply:
        if parse_qs(received.raw.decode())["api_key"] != ["s3cret"]:
            return Reply(400, {"code": 400, "error": "Invalid API key: wrong"})
        if received.is_poisoned or any(set(each) != {"user_id", "global_user_id"} for each in mappings(received)):
            return Reply(400, {"code": 400, "error": "invalid_mapping"})
        return Reply(200, "success", self.keys(received))


def mappings(received: Received) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(parse_qs(received.raw.decode())["mapping"][0])
    return found


def faults_of(events: Sequence[Mapping[str, Any]], min_id_length: int) -> dict[str, dict[str, list[int]]]:
    """By the name that Amplitude has for the fault, and the field: the places of the events."""
    faults: dict[str, dict[str, list[int]]] = {}
    for place, event in enumerate(events):
        for fault, field in event_faults(event, min_id_length):
            faults.setdefault(fault, {}).setdefault(field, []).append(place)
    return faults


def event_faults(event: Mapping[str, Any], min_id_length: int) -> list[tuple[str, str]]:
    found = [("events_with_missing_fields", "event_type")] if not event.get("event_type") else []
    if not event.get("user_id") and not event.get("device_id"):
        found.append(("events_with_missing_fields", "user_id"))
    for field in ("user_id", "device_id"):
        if event.get(field) in INVALID_IDS:
            found.append(("events_with_invalid_fields", field))
        if field in event and len(event[field]) < min_id_length:
            found.append(("events_with_invalid_id_lengths", field))
    wrong = [field for field, kind in TYPES.items() if field in event and not isinstance(event[field], kind)]
    found += [("events_with_invalid_fields", field) for field in wrong]
    if event.get("event_type") in RESERVED:
        found.append(("events_with_invalid_fields", "event_type"))
    if POISON in json.dumps(event):
        found.append(("events_with_invalid_fields", "event_properties"))
    return found
