"""An API that nobody else has: events in an object, a bearer token and a key in the body, errors by index."""

from typing import Any

from gateway.destinations.http import HTTP
from tests.vendors.simulator import POISON, Received, Reply, Simulator

MAX_EVENTS = 50


class Http(Simulator):
    """Refuses single events by their place in the request."""

    kind = HTTP
    required = {}
    names_culprits = True

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        """The whole of the API: to this kind of destination none of it is known beforehand."""
        return {
            "url": f"{base_url}/v1/ingest",
            "auth": {"bearer": "s3cret-token"},
            "batch": {"max_events": MAX_EVENTS},
            "batch_as": "object",
            "batch_key": "events",
            "batch_with": {"api_key": "s3cret-key"},
            "dedup": "id",
            "body": {
                "name": "{{ event or name or type }}",
                "person": {"id": "{{ userId or anonymousId }}", "email": "{{ context.traits.email | lower | sha256 }}"},
                "at": "{{ timestamp | unix_ms }}",
                "details": "{{ properties }}",
            },
            "answer": {"errors": "errors"},
        }

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != "Bearer s3cret-token":
            return Reply(401, {"error": "unauthorized"})
        if (received.method, received.path) != ("POST", "/v1/ingest"):
            return Reply(404, {"error": "not found"})
        if received.headers.get("content-type") != "application/json" or received.body.keys() != {"api_key", "events"}:
            return Reply(400, {"error": "malformed"})
        events = received.body["events"]
        if not 0 < len(events) <= MAX_EVENTS:
            return Reply(413, {"error": "too many events"})
        errors = {index: self._error(event) for index, event in enumerate(events)}
        refused = [{"index": index, "message": error} for index, error in errors.items() if error]
        taken = [event["id"] for index, event in enumerate(events) if not errors[index]]
        return Reply(200, {"accepted": len(taken), "errors": refused}, taken=taken)

    @staticmethod
    def _error(event: Any) -> str:
        if not isinstance(event.get("name"), str) or not isinstance(event.get("at"), int):
            return "name and at are required"
        return "details are not acceptable" if POISON in str(event) else ""

    def keys(self, received: Received) -> list[str]:
        return [event["id"] for event in received.body["events"]]
