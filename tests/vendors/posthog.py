"""PostHog's capture service at /batch/: one event that it cannot read sinks the request."""

import uuid
from collections.abc import Mapping
from typing import Any

from gateway.destinations.posthog import POSTHOG
from gateway.model.event import parse_time
from tests.vendors.simulator import Received, Reply, Simulator


class Posthog(Simulator):
    """Answers as the service does, in words and not in JSON where it refuses."""

    kind = POSTHOG
    required = {"api_key": "phc_s3cret", "group_type": "company"}

    def answer(self, received: Received) -> Reply:
        if received.path != "/batch/":
            return Reply(404)
        if len(received.raw) > 20 * 1024 * 1024:
            return Reply(413, "maximum event size exceeded")
        if received.body["api_key"] != "phc_s3cret":
            return Reply(401, "API key is not valid: unknown")
        if not received.body["batch"]:
            return Reply(400, "request holds no event")
        fault = next(filter(None, map(fault_of, received.body["batch"])), None)
        if fault or received.is_poisoned:
            return Reply(400, fault or "invalid event could not be processed")
        return Reply(200, {"status": "Ok"}, self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [event["uuid"] for event in received.body["batch"]]


def fault_of(event: Mapping[str, Any]) -> str | None:
    if not event.get("event"):
        return "event submitted with an empty event name"
    if not event.get("distinct_id"):
        return "event submitted without a distinct_id"
    if not isinstance(event["properties"], dict) or parse_time(event["timestamp"]) is None:
        return "failed to parse request: invalid type"
    try:
        return (
            None if str(uuid.UUID(event["uuid"])) == event["uuid"] else "failed to parse request: UUID parsing failed"
        )
    except ValueError:
        return "failed to parse request: UUID parsing failed"
