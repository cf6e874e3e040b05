"""Segment's HTTP API.

Source: Segment's "HTTP API source": 400 for what is too large or no JSON, 200 for everything else, also for what it
then drops in silence (no user, no event name, more than 2,500 events).
"""

import base64
import json
from typing import Any

from gateway.destinations.segment import SEGMENT
from tests.vendors.simulator import Received, Reply, Simulator

MAX_BATCH_BYTES = 500_000
MAX_BATCH_EVENTS = 2500
MAX_EVENT_BYTES = 32 * 1024
MAX_MESSAGE_ID = 99
CREDENTIALS = "Basic " + base64.b64encode(b"s3cret-key:").decode()


class Segment(Simulator):
    """One source."""

    kind = SEGMENT
    required = {"write_key": "s3cret-key"}
    refuses = False

    def answer(self, received: Received) -> Reply:
        if (received.method, received.path) != ("POST", "/v1/batch"):
            return Reply(404)
        if received.headers.get("authorization") != CREDENTIALS:
            return Reply(401, {"success": False, "message": "invalid write key"})
        if received.headers.get("content-type") != "application/json" or len(received.raw) > MAX_BATCH_BYTES:
            return Reply(400, {"success": False, "message": "malformed or too large"})
        events = received.body["batch"]
        if any(
            len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()) > MAX_EVENT_BYTES
            for event in events
        ):
            return Reply(400, {"success": False, "message": "event exceeds 32KB"})
        kept = [event["messageId"] for event in events if self._is_valid(event)]
        return Reply(200, {"success": True}, taken=kept if len(events) <= MAX_BATCH_EVENTS else [])

    @staticmethod
    def _bytes(event: dict[str, Any]) -> int:
        return len(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode())

    @staticmethod
    def _is_valid(event: dict[str, Any]) -> bool:
        has_person = bool(event.get("userId") or event.get("anonymousId"))
        has_name = event["type"] != "track" or bool(event.get("event"))
        return has_person and has_name and len(event["messageId"]) <= MAX_MESSAGE_ID and "timestamp" in event

    def keys(self, received: Received) -> list[str]:
        return [event["messageId"] for event in received.body["batch"]]
