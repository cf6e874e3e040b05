"""Snap: takes up to 2,000 events at once, and does not say well whose fault it is when it refuses them."""

import re
import time
from typing import Any, get_args

from gateway.destinations.snapchat import SNAPCHAT, EventName
from tests.vendors.simulator import POISON, Received, Reply, Simulator

PIXEL = "0b5ca5b6-0000-4000-8000-000000000001"
APP = "0b5ca5b6-0000-4000-8000-000000000002"
TOKEN = "s3cret/token"
DAY_MS = 86_400_000
HASHED = ("em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country")
HASH = re.compile(r"[0-9a-f]{64}")


class Snapchat(Simulator):
    """The endpoints of one pixel and one app."""

    kind = SNAPCHAT
    required = {
        "pixel_id": PIXEL,
        "snap_app_id": APP,
        "access_token": TOKEN,
        "site_url": "https://shop.example",
        "default_country": "DE",
    }

    def answer(self, received: Received) -> Reply:
        if received.query.get("access_token") != TOKEN:
            return Reply(401, {"status": "INVALID", "reason": "Unauthorized"})
        if received.path not in (f"/v3/{PIXEL}/events", f"/v3/{APP}/events"):
            return Reply(403, {"status": "INVALID", "reason": "Unauthorized"})
        events = received.body["data"]
        if len(events) > 2000:
            return invalid(0, "too many events")
        for place, event in enumerate(events):
            faults = faults_of(event, received.path)
            if faults:
                return invalid(place, *faults)
        body = {"status": "VALID", "reason": "Events have been processed successfully."}
        return Reply(body=body, taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [event["event_id"] for event in received.body["data"]]


def invalid(place: int, *faults: str) -> Reply:
    return Reply(400, {"status": "INVALID", "event": place, "errors": {"codes": ["400"], "error_msgs": [*faults]}})


def faults_of(event: dict[str, Any], path: str) -> list[str]:
    user, custom, source = event.get("user_data", {}), event.get("custom_data", {}), event.get("action_source")
    is_of_app = source == "MOBILE_APP"
    checks = {
        "event_name is not supported": event.get("event_name") in get_args(EventName),
        "event_time is out of range": isinstance(event.get("event_time"), int)
        and time.time() * 1000 - 37 * DAY_MS < event["event_time"] <= time.time() * 1000 + 60_000,
        "action_source is not supported": source in ("WEB", "MOBILE_APP", "OFFLINE"),
        "the asset is not one of that action_source": is_of_app == (path == f"/v3/{APP}/events"),
        "event_source_url is required": bool(event.get("event_source_url")),
        "app_data.extinfo is required": not is_of_app or len(event["app_data"]["extinfo"]) == 16,
        "price and currency are required": event.get("event_name") != "PURCHASE"
        or {"value", "currency"} <= custom.keys(),
        "insufficient PII": bool(user.keys() & {"em", "ph", "madid"})
        or {"client_ip_address", "client_user_agent"} <= user.keys(),
        "unhashed PII": all(HASH.fullmatch(value) for key in HASHED for value in user.get(key, ())),
        "order_id is not valid": custom.get("order_id") != POISON,
    }
    return [fault for fault, holds in checks.items() if not holds]
