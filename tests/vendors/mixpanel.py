"""Mixpanel's ingestion API: /import judges each event; /engage and /groups take updates of profiles.

What a strict /engage or /groups answers is not documented; it is taken for what /import answers.
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from gateway.destinations.mixpanel import MIXPANEL
from tests.vendors.simulator import POISON, Received, Reply, Simulator

INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
REFUSED_IDS = {
    "00000000-0000-0000-0000-000000000000",
    "anon",
    "anonymous",
    "nil",
    "none",
    "null",
    "n/a",
    "na",
    "undefined",
    "unknown",
    "<nil>",
    "0",
    "-1",
    "true",
    "false",
    "[]",
    "{}",
}
OPERATIONS = ("$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete")
IN_1971_MS = 31_536_000_000


class Mixpanel(Simulator):
    """Takes what is valid of a request and names the rest."""

    kind = MIXPANEL
    required = {"token": "s3cret", "group_key": "company_id"}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        endpoint = received.path
        if endpoint == "/import" and received.headers.get("authorization") != basic("s3cret:"):
            return Reply(401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"})
        if endpoint not in ("/import", "/engage", "/groups") or received.query.get("strict") != "1":
            return Reply(404, {"code": 404, "error": "not found", "status": "Not Found"})
        if len(received.raw) > 10_000_000 or len(received.body) > (200 if endpoint == "/groups" else 2000):
            words = "request exceeds max limit of 10485760 bytes"
            return Reply(413, {"code": 413, "error": words, "status": "Request Entity Too Large"})
        check = event_fault if endpoint == "/import" else profile_fault
        faults = [check(item) for item in received.body]
        taken = [key for key, fault in zip(self.keys(received), faults, strict=True) if fault is None]
        if any(faults):
            return Reply(400, refusal(received.body, faults, len(taken)), taken)
        if endpoint == "/import":
            return Reply(200, {"code": 200, "num_records_imported": len(taken), "status": "OK"}, taken)
        return Reply(200, {"error": None, "status": 1}, taken)

    def keys(self, received: Received) -> list[str]:
        return [key_of(item) for item in received.body]


def key_of(item: Mapping[str, Any]) -> str:
    """Of an update nothing is known again; here the profile and the operation tell it apart."""
    if "event" in item:
        return f"{item['event']} {item['properties'].get('$insert_id')}"
    profile = item.get("$distinct_id") or f"{item.get('$group_key')} {item.get('$group_id')}"
    return f"{profile} {next(each for each in OPERATIONS if each in item)}"


def event_fault(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first rule of "Import Events" that it breaks: field and message."""
    said = event["properties"]
    rules = {
        "event": bool(event.get("event")) and isinstance(event["event"], str),
        "properties.time": isinstance(said.get("time"), int) and IN_1971_MS <= said["time"] <= now_ms() + 3_600_000,
        "properties.distinct_id": isinstance(said.get("distinct_id"), str) and said["distinct_id"] not in REFUSED_IDS,
        "properties.$insert_id": bool(INSERT_ID.fullmatch(str(said.get("$insert_id")))),
        "properties": fits(said, 0),
        "event size": len(json.dumps(event)) < 1_000_000,
        "properties.note": POISON not in json.dumps(event),
    }
    return next(((field, f"'{field}' is invalid") for field, holds in rules.items() if not holds), None)


def profile_fault(update: Mapping[str, Any]) -> tuple[str, str] | None:
    """The same for "User Profiles" and "Group Profiles"."""
    ids = ("$group_key", "$group_id") if "$group_key" in update else ("$distinct_id",)
    rules = {
        "$token": update.get("$token") == "s3cret",
        **{name: isinstance(update.get(name), str) and bool(update[name]) for name in ids},
        "operation": sum(each in update for each in OPERATIONS) == 1 and all(update.get(o, True) for o in OPERATIONS),
        "size": len(json.dumps(update)) < 1_000_000,
        "note": POISON not in json.dumps(update),
    }
    return next(((field, f"'{field}' is invalid") for field, holds in rules.items() if not holds), None)


def fits(value: Any, depth: int) -> bool:
    """Fewer than 255 of everything, objects three deep."""
    if isinstance(value, dict):
        return depth <= 3 and len(value) < 255 and all(fits(each, depth + 1) for each in value.values())
    if isinstance(value, list):
        return len(value) < 255 and all(fits(each, depth) for each in value)
    return True


def refusal(items: list[Any], faults: list[tuple[str, str] | None], taken: int) -> dict[str, Any]:
    return {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": [
            {
                "index": index,
                "insert_id": items[index].get("properties", {}).get("$insert_id"),
                "field": fault[0],
                "message": fault[1],
            }
            for index, fault in enumerate(faults)
            if fault
        ],
        "num_records_imported": taken,
        "status": "Bad Request",
    }


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def now_ms() -> float:
    return time.time() * 1000
