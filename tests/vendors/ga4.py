"""Google's collection server: takes everything with 204, and drops in silence what breaks the Measurement Protocol's
documented limits. The validation server beside it says what is wrong."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from gateway.destinations.ga4 import GA4
from tests.vendors.simulator import Received, Reply, Simulator

MAX_BODY_BYTES = 130_000
NAME = re.compile(r"[^\W\d_]\w*")
PREFIXES = ("ga_", "google_", "firebase_", "_")
RESERVED = {
    *("ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "adunit_exposure", "app_clear_data"),
    *("app_install", "app_update", "app_remove", "error", "first_open", "first_visit", "in_app_purchase"),
    *("notification_dismiss", "notification_foreground", "notification_open", "notification_receive", "os_update"),
    *("screen_view", "session_start", "user_engagement"),
}
TOP = {
    *("client_id", "app_instance_id", "user_id", "timestamp_micros", "user_properties", "consent", "events"),
    *("non_personalized_ads", "user_location", "ip_override", "user_agent", "device", "validation_behavior"),
}
LONG = {"page_title": 300, "page_referrer": 420, "page_location": 1000}


class Ga4(Simulator):
    """`wrong` has what was sent in vain."""

    kind = GA4
    required = {"measurement_id": "G-ABC123", "api_secret": "s3cret"}
    refuses = False

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[dict[str, str]] = []

    def answer(self, received: Received) -> Reply:
        messages = [*violations(received)]
        if received.path == "/debug/mp/collect":
            return Reply(200, {"validationMessages": messages})
        if received.path != "/mp/collect" or received.method != "POST":
            return Reply(404)
        self.wrong += messages
        return Reply(204, taken=[] if messages else self.keys(received))

    def keys(self, received: Received) -> list[str]:
        """It knows no event again, so this is all that it was told of each."""
        body = received.body
        who = [body.get(key) for key in ("client_id", "app_instance_id", "user_id")]
        return [hashlib.sha256(json.dumps([who, event]).encode()).hexdigest() for event in body["events"]]


def violations(received: Received) -> Iterator[dict[str, str]]:
    """As the validation server names them."""
    body, query = received.body, received.query
    if not query.get("api_secret") or bool(query.get("measurement_id")) == bool(query.get("firebase_app_id")):
        yield message("query", "VALUE_REQUIRED", "api_secret and one stream are required")
    if len(received.raw) >= MAX_BODY_BYTES:
        yield message("body", "VALUE_OUT_OF_BOUNDS", "the body must be smaller than 130 kB")
    if unknown := set(body) - TOP:
        yield message(str(unknown), "NAME_INVALID", "unknown")
    yield from wrong_ids(body, is_app="firebase_app_id" in query)
    yield from wrong_user_properties(body.get("user_properties", {}))
    if not 1 <= len(body["events"]) <= 25:
        yield message("events", "EXCEEDED_MAX_ENTITIES", "at most 25 events")
    for index, event in enumerate(body["events"]):
        yield from wrong_event(f"events[{index}]", event)
        yield from wrong_commerce(f"events[{index}]", event["name"], event["params"])


def wrong_ids(body: dict[str, Any], *, is_app: bool) -> Iterator[dict[str, str]]:
    client = body.get("app_instance_id" if is_app else "client_id")
    if not client or not isinstance(client, str):
        yield message("client_id", "VALUE_REQUIRED", "Measurement requires a client_id or an app_instance_id.")
    elif is_app and not re.fullmatch(r"[0-9A-Fa-f]{32}", client):
        yield message("app_instance_id", "VALUE_INVALID", "is expected to be a 32 digit hexadecimal number")
    if len(body.get("user_id", "")) > 256:
        yield message("user_id", "VALUE_OUT_OF_BOUNDS", "too long")


def wrong_event(path: str, event: dict[str, Any]) -> Iterator[dict[str, str]]:
    name, params = event["name"], event["params"]
    if name in RESERVED:
        yield message(path, "NAME_RESERVED", name)
    if event.get("timestamp_micros", 10**15) < 10**15:
        yield message(path, "VALUE_INVALID", "timestamp_micros")
    if len(params) > 25:
        yield message(path, "EXCEEDED_MAX_ENTITIES", "at most 25 params")
    if not str(params.get("session_id", "1")).isdigit() or not params.get("engagement_time_msec", 0) > 0:
        yield message(path, "VALUE_INVALID", "session_id, engagement_time_msec")
    yield from wrong_names(path, [name, *params], 40)
    yield from wrong_values(path, {key: value for key, value in params.items() if key != "items"})


def wrong_commerce(path: str, name: str, params: dict[str, Any]) -> Iterator[dict[str, str]]:
    if "value" in params and not re.fullmatch("[A-Z]{3}", params.get("currency", "")):
        yield message(path, "VALUE_REQUIRED", "currency is required where value is set")
    if isinstance(params.get("value"), str):
        yield message(path, "VALUE_INVALID", "value is a number")
    if name in {"purchase", "refund"} and not params.get("transaction_id"):
        yield message(path, "VALUE_REQUIRED", "transaction_id")
    if "items" in params and not 1 <= len(params["items"]) <= 200:
        yield message(path, "VALUE_INVALID", "items")
    for item in params.get("items", []):
        if "item_id" not in item and "item_name" not in item:
            yield message(path, "VALUE_REQUIRED", "item_id or item_name")
        yield from wrong_names(path, list(item), 40)
        yield from wrong_values(path, item)


def wrong_user_properties(found: dict[str, Any]) -> Iterator[dict[str, str]]:
    if len(found) > 25:
        yield message("user_properties", "EXCEEDED_MAX_ENTITIES", "at most 25")
    yield from wrong_names("user_properties", list(found), 24)
    for held in found.values():
        if set(held) != {"value"} or not isinstance(held["value"], str | int | float):
            yield message("user_properties", "VALUE_INVALID", str(held))
        if isinstance(held["value"], str) and len(held["value"]) > 36:
            yield message("user_properties", "VALUE_OUT_OF_BOUNDS", held["value"])


def wrong_names(path: str, names: list[str], length: int) -> Iterator[dict[str, str]]:
    for name in names:
        if not NAME.fullmatch(name) or len(name) > length or name.startswith(PREFIXES):
            yield message(path, "NAME_INVALID", f"[{name}]: names start with a letter, and have letters, digits and _")


def wrong_values(path: str, values: dict[str, Any]) -> Iterator[dict[str, str]]:
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            yield message(f"{path}.{key}", "VALUE_INVALID", "neither a text nor a number")
        if isinstance(value, str) and not 0 < len(value) <= LONG.get(key, 100):
            yield message(f"{path}.{key}", "VALUE_OUT_OF_BOUNDS", value)


def message(field: str, code: str, description: str) -> dict[str, str]:
    return {"fieldPath": field, "validationCode": code, "description": description}
