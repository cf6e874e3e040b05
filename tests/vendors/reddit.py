"""Reddit: takes up to 1,000 events at once, all of them or none, and names the fields that it does not like."""

import hashlib
import json
import re
import time
from typing import Any

from gateway.destinations.reddit import REDDIT
from tests.vendors.simulator import POISON, Received, Reply, Simulator

PIXEL = "a2_pixel"
TOKEN = "s3cret-token"
DAY_MS = 86_400_000
TYPES = {
    "PAGE_VISIT",
    "VIEW_CONTENT",
    "SEARCH",
    "ADD_TO_CART",
    "ADD_TO_WISHLIST",
    "PURCHASE",
    "LEAD",
    "SIGN_UP",
    "CUSTOM",
}
WITHOUT_VALUE = {"PAGE_VISIT", "VIEW_CONTENT", "SEARCH"}
MATCH_KEYS = {"email", "phone_number", "external_id", "ip_address", "user_agent", "uuid", "idfa", "aaid"}
HASHED = ("email", "phone_number", "external_id", "idfa", "aaid")
HASH = re.compile(r"[0-9a-f]{64}")
UUID = re.compile(r"\d+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
POISON_HASH = hashlib.sha256(POISON.encode()).hexdigest()
"""How the poisoned user looks from here: ids arrive hashed."""


class Reddit(Simulator):
    """The endpoint of one pixel."""

    kind = REDDIT
    required = {"pixel_id": PIXEL, "access_token": TOKEN, "default_country": "DE"}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "UNAUTHORIZED")
        if received.path != f"/api/v3/pixels/{PIXEL}/conversion_events":
            return error(403, f"You're not authorized to post conversions to Pixel ID {received.path}.")
        events = received.body["data"]["events"]
        if not 1 <= len(events) <= 1000:
            return error(400, "Bad Request")
        faults = {place: found for place, event in enumerate(events) if (found := faults_of(event))}
        if faults:
            listed = [
                {"field": f"$.data.events[{place}].{path}", "message": message}
                for place, found in faults.items()
                for path, message in found.items()
            ]
            return error(400, f"There were {len(faults)} invalid conversion events. None were processed.", listed)
        body = {"data": {"message": f"Successfully processed {len(events)} conversion events."}}
        return Reply(body=body, taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        """The conversion id, among events of the same type and name."""
        return [
            "/".join([*event["type"].values(), event["metadata"]["conversion_id"]])
            for event in received.body["data"]["events"]
        ]


def error(status: int, message: str, fields: list[dict[str, str]] | None = None) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, **({"fields": fields} if fields else {})}})


def faults_of(event: dict[str, Any]) -> dict[str, str]:
    """What is wrong with it, by path."""
    user, metadata, kind = event.get("user", {}), event.get("metadata", {}), event["type"]
    checks = {
        "event_at": isinstance(event.get("event_at"), int) and event["event_at"] > time.time() * 1000 - 7 * DAY_MS,
        "action_source": event.get("action_source") in ("WEBSITE", "APP", "PHYSICAL_STORE", "OTHER"),
        "event_source_url": "event_source_url" not in event or event["action_source"] == "WEBSITE",
        "type.tracking_type": kind.get("tracking_type") in TYPES,
        "type.custom_event_name": (kind["tracking_type"] == "CUSTOM") == bool(kind.get("custom_event_name"))
        and len(kind.get("custom_event_name", "")) <= 64,
        "user": bool(event.get("click_id") or user.keys() & MATCH_KEYS),
        "user.UUID": "uuid" not in user or bool(UUID.fullmatch(user["uuid"])),
        "metadata.conversion_id": bool(metadata.get("conversion_id")),
        "metadata.value": ("value" in metadata) == ("currency" in metadata) and metadata.get("value", 0) >= 0,
        "metadata.products": all(product.get("id") for product in metadata.get("products", ())),
        "metadata": not (kind["tracking_type"] in WITHOUT_VALUE and metadata.keys() & {"value", "item_count"}),
        **{
            f"user.{key}": bool(HASH.fullmatch(user[key])) for key in HASHED if key in user and user[key] != POISON_HASH
        },
    }
    faults = {path: "invalid" for path, holds in checks.items() if not holds}
    is_poisoned = any(word in json.dumps(event) for word in (POISON, POISON_HASH))
    return faults | {"user.external_id": "refused"} if is_poisoned else faults
