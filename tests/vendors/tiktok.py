"""TikTok's Events API 2.0: "Events API Parameters", "Setup guide for Web", "Responses and errors", and "About custom
events" of the help centre (names)."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.destinations.tiktok import TIKTOK
from tests.vendors.simulator import Received, Reply, Simulator

PIXEL, TOKEN = "C3ABCDEFGHIJKLMNOPQR", "s3cret-token"
MAX_EVENTS = 1000
HASHED = ("email", "phone", "external_id", "first_name", "last_name", "zip_code")
HASH = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")


class Tiktok(Simulator):
    """Takes all events of a request or none, and says so with the status 200."""

    kind = TIKTOK
    required = {"pixel_code": PIXEL, "access_token": TOKEN}

    def answer(self, received: Received) -> Reply:
        if received.headers.get("access-token") != TOKEN:
            return said(40105, "Access token is incorrect or has been revoked.", status=401)
        if received.path != "/open_api/v1.3/event/track/" or received.method != "POST":
            return said(40007, "The object does not exist", status=404)
        body = received.body
        if body.get("event_source") != "web" or body.get("event_source_id") != PIXEL:
            return said(40001, "No permission to operate the pixel")
        events = body.get("data")
        if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
            return said(40002, "data: Length must be between 1 and 1000.")
        faults = [*filter(None, map(fault_of, events)), *(["order_id: Invalid value."] if received.is_poisoned else [])]
        if faults:
            return said(40002, faults[0])
        return said(0, "OK", taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [f"{event['event']} {event['event_id']}" for event in received.body["data"]]


def said(code: int, message: str, status: int = 200, taken: list[str] | None = None) -> Reply:
    return Reply(status, {"code": code, "message": message, "request_id": "2026112512", "data": {}}, taken or [])


def fault_of(event: Mapping[str, Any]) -> str | None:
    """What TikTok's documentation has against the event, if anything."""
    user, properties = event.get("user") or {}, event.get("properties", {})
    faults = {
        "event: Invalid name.": not NAME.fullmatch(event.get("event", "")),
        "event_time: Field is required.": not isinstance(event.get("event_time"), int),
        "event_id: Field is required.": not event.get("event_id"),
        "user: Field is required.": not user,
        "user: Must be hashed.": not all(HASH.fullmatch(user[key]) for key in HASHED if key in user),
        "page.url: Field is required.": not event.get("page", {}).get("url", "").startswith("http"),
        "properties.value: Not a valid number.": not isinstance(properties.get("value", 0), int | float),
        "contents: content_id is required.": not all(each.get("content_id") for each in properties.get("contents", ())),
    }
    return next((words for words, holds in faults.items() if holds), None)
