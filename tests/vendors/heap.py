"""Heap's server-side API.

Source: Heap's "Track", "Bulk Track", "Identify", "Bulk Add User Properties" and "Bulk Add Account Properties". It
answers for a request as a whole.
"""

from collections.abc import Mapping
from typing import Any

from gateway.destinations.heap import HEAP
from tests.vendors.simulator import Received, Reply, Simulator

APP_ID = "1234567890"
MAX_ITEMS = 1000
LISTS = {"/api/track": "events", "/api/add_user_properties": "users", "/api/add_account_properties": "accounts"}


class Heap(Simulator):
    """One environment."""

    kind = HEAP
    required = {"app_id": APP_ID}

    def answer(self, received: Received) -> Reply:
        if received.path not in {*LISTS, "/api/v1/identify"}:
            return Reply(404, {"error": "Not Found"})
        if received.body.get("app_id") != APP_ID or received.is_poisoned:
            return Reply(400, {"error": "Bad Request"})
        items = self._items(received)
        if not 0 < len(items) <= MAX_ITEMS or not all(self._is_valid(received.path, item) for item in items):
            return Reply(400, {"error": "Bad Request"})
        return Reply(200, {}, taken=self.keys(received))

    @staticmethod
    def _items(received: Received) -> list[dict[str, Any]]:
        return received.body[LISTS[received.path]] if received.path in LISTS else [received.body]

    @staticmethod
    def _is_valid(path: str, item: Mapping[str, Any]) -> bool:
        properties = item.get("properties", {})
        if any(len(key) >= 1024 or not fits(value) for key, value in properties.items()):
            return False
        if len(item.get("identity", "")) > 255 or not 0 <= int(item.get("user_id", 0)) < 2**53:
            return False
        if path == "/api/track":
            return ("identity" in item) != ("user_id" in item) and 0 < len(item["event"]) <= 1024
        if path == "/api/add_user_properties":
            return "identity" in item and "id" not in {key.lower() for key in properties}
        return "account_id" in item if path == "/api/add_account_properties" else "identity" in item

    def keys(self, received: Received) -> list[str]:
        def key(item: Mapping[str, Any]) -> str:
            known_by = item.get("idempotency_key") or item.get("account_id") or item.get("identity")
            return f"{received.path} {known_by}"

        return [key(item) for item in self._items(received)]


def fits(value: Any) -> bool:
    return len(value) < 1024 if isinstance(value, str) else isinstance(value, int | float)
