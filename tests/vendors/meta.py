"""Meta's Conversions API: "Using the API", "Server event parameters", "Customer information parameters", and "Best
practices", section "Baseline requirements for matching"."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.destinations.meta import META
from tests.vendors.simulator import Received, Reply, Simulator

PIXEL, TOKEN = "1234567890", "s3cret-token"
MAX_EVENTS = 1000
MAX_AGE_S = 7 * 86_400
ACTION_SOURCES = ("website", "app", "email", "phone_call", "chat", "physical_store", "system_generated", "other")
HASHED = ("em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country")
TOO_BROAD = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "client_user_agent"},
    {"fn", "ge"},
    {"ln", "ge"},
)
HASH = re.compile(r"[0-9a-f]{64}")


class Meta(Simulator):
    """Takes all events of a request or none."""

    kind = META
    required = {"pixel_id": PIXEL, "access_token": TOKEN}

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if not re.fullmatch(rf"/v\d+\.\d+/{PIXEL}/events", received.path) or received.method != "POST":
            return refused(400, 100, "Unsupported post request. Object does not exist", error_subcode=33)
        events = received.body.get("data")
        if not isinstance(events, list) or not 1 <= len(events) <= MAX_EVENTS:
            return refused(400, 100, "(#100) param data must be an array of at most 1000 events")
        for event in events:
            fault = fault_of(event) or ("Invalid parameter" if received.is_poisoned else None)
            if fault:
                return refused(400, 100, "Invalid parameter", error_user_title=fault, is_transient=False)
        answer = {"events_received": len(events), "messages": [], "fbtrace_id": "AxdZBvMFHqX"}
        return Reply(200, answer, taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [f"{event['event_name']} {event['event_id']}" for event in received.body["data"]]


def refused(status: int, code: int, message: str, **more: Any) -> Reply:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AxdZBvMFHqX", **more}
    return Reply(status, {"error": error})


def fault_of(event: Mapping[str, Any]) -> str | None:
    """What Meta's documentation has against the event, if anything."""
    person, custom = event.get("user_data") or {}, event.get("custom_data", {})
    age_s = datetime.now(UTC).timestamp() - event.get("event_time", 0)
    values = [value for key in HASHED for value in person.get(key, ())]
    faults = {
        "Missing event name": not event.get("event_name"),
        "Event timestamp too old": age_s > MAX_AGE_S,
        "Invalid action source": event.get("action_source") not in ACTION_SOURCES,
        "No customer information": not person,
        "Not enough customer information": any(person.keys() <= combination for combination in TOO_BROAD),
        "Contact information is not hashed": not all(HASH.fullmatch(value) for value in values),
        "A website event needs event_source_url and client_user_agent": event.get("action_source") == "website"
        and not (event.get("event_source_url") and person.get("client_user_agent")),
        "An app event needs extinfo": event.get("action_source") == "app"
        and len(event.get("app_data", {}).get("extinfo", ())) != 16,
        "A purchase needs value and currency": event.get("event_name") == "Purchase"
        and not {"value", "currency"} <= custom.keys(),
        "A product needs an id": not all(product.get("id") for product in custom.get("contents", ())),
    }
    return next((words for words, holds in faults.items() if holds), None)
