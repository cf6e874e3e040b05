"""Klaviyo: takes one event or one profile, or says in which place of the body it is wrong."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.destinations.klaviyo import KLAVIYO
from gateway.model.event import parse_time
from tests.vendors.simulator import Received, Reply, Simulator

E164 = re.compile(r"\+[1-9]\d{6,14}")
REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


class Klaviyo(Simulator):
    kind = KLAVIYO
    required = {"api_key": "pk_s3cret"}

    def answer(self, received: Received) -> Reply:
        complaints = of_headers(received) or of_body(received)
        if complaints:
            return complaints
        return Reply(202 if received.path == "/api/events" else 201, taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        attributes = received.body["data"]["attributes"]
        if received.path == "/api/profile-import":
            return [f"profile {attributes.get('external_id') or attributes.get('email')}"]
        return [f"{attributes['metric']['data']['attributes']['name']} {attributes['unique_id']}"]


def refused(status: int, code: str, detail: str, pointer: str) -> Reply:
    error = {
        "id": "a1b2c3d4-0000-4000-8000-000000000000",
        "status": status,
        "code": code,
        "title": "Invalid input.",
        "detail": detail,
        "source": {"pointer": pointer},
        "meta": {},
    }
    return Reply(status, {"errors": [error]})


def of_headers(received: Received) -> Reply | None:
    if received.headers.get("authorization") != "Klaviyo-API-Key pk_s3cret":
        return refused(401, "not_authenticated", "Missing or invalid private key.", "/data/")
    if not REVISION.fullmatch(received.headers.get("revision", "")):
        return refused(400, "invalid", "The revision header is missing or no date.", "/")
    if received.headers.get("content-type") != "application/vnd.api+json":
        return refused(415, "unsupported_media_type", "Unsupported media type.", "/data")
    return None


def of_body(received: Received) -> Reply | None:
    if len(received.raw) > 5_000_000:
        return refused(413, "payload_too_large", "The payload is larger than 5 MB.", "/data")
    if received.is_poisoned:
        return refused(400, "invalid", "'poison' is not a valid value.", "/data/attributes/properties")
    wrong = {"/api/events": of_event, "/api/profile-import": of_profile}.get(received.path)
    if wrong is None:
        return refused(404, "not_found", "Not found.", "/data/")
    found = next(wrong(received.body["data"]), None)
    return refused(400, "invalid", *found) if found else None


def of_event(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with it, and where."""
    attributes, at = data["attributes"], "/data/attributes"
    name = attributes["metric"]["data"]["attributes"]["name"]
    if not 0 < len(name) < 128:
        yield "The name of a metric must be less than 128 characters.", f"{at}/metric/data/attributes/name"
    if len(attributes["properties"]) > 400:
        yield "'properties' must not exceed 400 properties.", f"{at}/properties"
    if any(isinstance(value, str) and len(value) > 100_000 for value in attributes["properties"].values()):
        yield "A string must not be larger than 100 KB.", f"{at}/properties"
    if not 1 <= len(attributes["unique_id"]) <= 255:
        yield "'unique_id' must have 1 to 255 characters.", f"{at}/unique_id"
    happened_at, soonest = parse_time(attributes["time"]), datetime(2000, 1, 1, tzinfo=UTC)
    if happened_at is None or not soonest <= happened_at <= datetime.now(UTC) + timedelta(days=365):
        yield "'time' must be between 2000 and one year in the future.", f"{at}/time"
    if not isinstance(attributes.get("value", 0), int | float):
        yield "'value' must be a number.", f"{at}/value"
    yield from of_identifiers(attributes["profile"]["data"]["attributes"], f"{at}/profile/data/attributes")


def of_profile(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from of_identifiers(data["attributes"], "/data/attributes")


def of_identifiers(attributes: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if not any(attributes.get(key) for key in ("email", "phone_number", "external_id")):
        yield "One of email, phone_number and external_id is required.", at
    email = attributes.get("email", "a@shop.example")
    if "@" not in email or len(email) >= 100:
        yield "Invalid email address.", f"{at}/email"
    if not E164.fullmatch(attributes.get("phone_number", "+49301234567")):
        yield "Invalid phone number format (Example of a valid format: +12345678901).", f"{at}/phone_number"
