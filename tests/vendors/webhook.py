"""An endpoint of one's own, which can do as it likes."""

from typing import Any

from gateway.destinations.webhook import WEBHOOK
from tests.vendors.simulator import Received, Reply, Simulator


class Webhook(Simulator):
    """Takes one event, or an array of them; refuses what it dislikes as a whole."""

    kind = WEBHOOK
    required = {"secret": "s3cret", "batched": True}

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        return {"url": base_url}

    def answer(self, received: Received) -> Reply:
        if received.is_poisoned:
            return Reply(422, {"error": "unprocessable"})
        return Reply(taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        events = received.body if isinstance(received.body, list) else [received.body]
        return [event["messageId"] for event in events]
