"""Pinterest's API for Conversions: "Send conversions" of the API reference."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from gateway.destinations.pinterest import PINTEREST, EventName
from tests.vendors.simulator import POISON, Received, Reply, Simulator

ACCOUNT, TOKEN = "549755885175", "s3cret-token"
MAX_EVENTS = 1000
REQUIRED = ("event_name", "action_source", "event_time", "event_id", "user_data")
ACTION_SOURCES = ("app_android", "app_ios", "web", "offline")
HASHED = ("em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id", "hashed_maids")
HASH = re.compile(r"[0-9a-f]{64}")


class Pinterest(Simulator):
    """Answers for each event, in the order of the request."""

    kind = PINTEREST
    required = {"ad_account_id": ACCOUNT, "access_token": TOKEN}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"code": 2, "message": "Authentication failed."})
        if received.path != f"/ad_accounts/{ACCOUNT}/events" or received.method != "POST":
            return Reply(404, {"code": 2, "message": "AdAccount not found."})
        events = received.body.get("data")
        if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
            return Reply(400, {"code": 1, "message": "Invalid request: data has between 1 and 1000 events"})
        faults = [fault_of(event) for event in events]
        keys = self.keys(received)
        body = {
            "num_events_received": len(events),
            "num_events_processed": faults.count(None),
            "events": [
                {"status": "failed" if fault else "processed", "error_message": fault or "", "warning_message": ""}
                for fault in faults
            ],
        }
        taken = [key for key, fault in zip(keys, faults, strict=True) if not fault]
        return Reply(422 if any(faults) else 200, body, [] if received.query.get("test") == "true" else taken)

    def keys(self, received: Received) -> list[str]:
        return [f"{event['event_name']} {event['event_id']}" for event in received.body["data"]]


def fault_of(event: Mapping[str, Any]) -> str | None:
    """What Pinterest's documentation has against the event, if anything."""
    user, custom = event.get("user_data", {}), event.get("custom_data", {})
    lists = [user[key] for key in HASHED if key in user]
    is_of_somebody = "em" in user or "hashed_maids" in user or {"client_ip_address", "client_user_agent"} <= user.keys()
    prices = [product["item_price"] for product in custom.get("contents", ()) if "item_price" in product]
    faults = {
        "A required field is missing": not all(event.get(key) for key in REQUIRED),
        f"Invalid event_name: {event.get('event_name')}": event.get("event_name") not in get_args(EventName),
        "Invalid action_source": event.get("action_source") not in ACTION_SOURCES,
        "user_data needs em, hashed_maids, or client_ip_address and client_user_agent": not is_of_somebody,
        "user_data must be lists of hashes": not all(
            isinstance(each, list) and HASH.fullmatch(each[0]) for each in lists
        ),
        "Amounts must be strings": not all(isinstance(each, str) for each in [custom.get("value", ""), *prices]),
        "Invalid order_id": POISON in str(event),
    }
    return next((words for words, holds in faults.items() if holds), None)
